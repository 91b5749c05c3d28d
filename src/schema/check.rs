//! Whether the schemas keep their promise: released ones are as they were, and the current ones go with them.

use std::fmt;

use apache_avro::Schema;
use apache_avro::schema_compatibility::{Compatibility, SchemaCompatibility};

use super::{Embedded, RELEASED, Released, crc64, current, fingerprint};

/// A current schema that was held against a released one and goes with it both ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    pub name: &'static str,
    pub version: &'static str,
    pub fingerprint: u64,
    /// The released one is the current one.
    pub same: bool,
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.same { "unchanged since" } else { "reads and is read by" };
        write!(f, "{:<12} {:016x}  {how} {}", self.name, self.fingerprint, self.version)
    }
}

/// What breaks the promise; each message says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("{file} is not a schema: {why}")]
    Invalid { file: &'static str, why: String },
    #[error("{file} was changed after its release; restore it and make the change in schemas/avro")]
    Changed { file: &'static str },
    #[error("the fingerprint of {file} is {is:016x}, the program says {says:016x}; put the new one into src/schema")]
    Fingerprint { file: &'static str, is: u64, says: u64 },
    #[error("{reader} cannot read what {writer} wrote: {why}; add fields with a default, take none away that has none")]
    Incompatible { reader: &'static str, writer: &'static str, why: String },
}

/// Holds every current schema against every released one of its name, both ways, and the files against the
/// fingerprints they were released with. The first fault is the error.
pub fn check() -> Result<Vec<Checked>, Error> {
    for schema in current() {
        parse(&schema)?;
    }
    RELEASED.iter().map(check_released).collect()
}

fn check_released(released: &Released) -> Result<Checked, Error> {
    let old = &released.schema;
    if crc64(old.json.as_bytes()) != released.frozen {
        return Err(Error::Changed { file: old.file });
    }
    let new = current().find(|schema| schema.shape == old.shape).expect("there is a current schema of every shape");
    let (old_schema, new_schema) = (parse(old)?, parse(&new)?);
    can_read((&new, &new_schema), (old, &old_schema))?;
    can_read((old, &old_schema), (&new, &new_schema))?;
    Ok(Checked {
        name: new.name(),
        version: released.version,
        fingerprint: new.fingerprint,
        same: new.fingerprint == old.fingerprint,
    })
}

/// The schema, if its fingerprint is what the program says.
fn parse(embedded: &Embedded) -> Result<Schema, Error> {
    let file = embedded.file;
    let schema = Schema::parse_str(embedded.json).map_err(|error| Error::Invalid { file, why: error.to_string() })?;
    let is = fingerprint(&schema);
    if is == embedded.fingerprint {
        Ok(schema)
    } else {
        Err(Error::Fingerprint { file, is, says: embedded.fingerprint })
    }
}

fn can_read(reader: (&Embedded, &Schema), writer: (&Embedded, &Schema)) -> Result<(), Error> {
    let why = match SchemaCompatibility::can_read(writer.1, reader.1) {
        Ok(Compatibility::Full) => return Ok(()),
        Ok(Compatibility::Partial) => "some values of a union or an enum are unknown to it".to_owned(),
        Err(error) => error.to_string(),
    };
    Err(Error::Incompatible { reader: reader.0.file, writer: writer.0.file, why })
}
