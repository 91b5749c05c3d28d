//! The other implementation: what apache-avro reads and writes.

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;

/// Reads a value that `writer` wrote, as `reader` sees it; moves behind it.
pub fn read(writer: &Schema, reader: Option<&Schema>, bytes: &mut &[u8]) -> Result<Value, String> {
    let build = GenericDatumReader::builder(writer).maybe_reader_schema(reader).build();
    build.and_then(|from| from.read_value(bytes)).map_err(|error| error.to_string())
}

pub fn write(schema: &Schema, value: Value) -> Result<Vec<u8>, String> {
    let build = GenericDatumWriter::builder(schema).build();
    build.and_then(|to| to.write_value_to_vec(value)).map_err(|error| error.to_string())
}
