//! CRC-64-AVRO over a schema's canonical form: the name of a schema in a record's head.

use apache_avro::Schema;

/// The checksum of no bytes, and the polynomial, as the Avro specification gives them ("Schema Fingerprints").
const EMPTY: u64 = 0xc15d_213a_a4d7_a795;

/// The CRC-64-AVRO of these bytes.
pub fn crc64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(EMPTY, |crc, byte| step(crc ^ u64::from(*byte)))
}

/// Eight bits of the polynomial division.
fn step(crc: u64) -> u64 {
    (0..8).fold(crc, |crc, _| (crc >> 1) ^ (EMPTY & (crc & 1).wrapping_neg()))
}

/// The fingerprint of a schema by the specification, as every language but one computes it.
pub fn fingerprint(schema: &Schema) -> u64 {
    crc64(canonical(schema).as_bytes())
}

/// The fingerprint that Rust's apache-avro writes: its canonical form keeps `{"type":"long"}` where a logical type
/// was, which the specification's rule PRIMITIVES makes `"long"`.
pub fn fingerprint_of_apache_avro(schema: &Schema) -> u64 {
    crc64(schema.canonical_form().as_bytes())
}

/// The parsing canonical form. No name has a brace in it, so replacing texts is exact.
fn canonical(schema: &Schema) -> String {
    const PRIMITIVES: [&str; 8] = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];
    PRIMITIVES.iter().fold(schema.canonical_form(), |form, primitive| {
        form.replace(&format!("{{\"type\":\"{primitive}\"}}"), &format!("\"{primitive}\""))
    })
}
