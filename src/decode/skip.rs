//! Passing over what the writer has and we do not know.
//!
//! Promise: linear in the bytes that are there, whatever counts and lengths they claim, and no memory.

use apache_avro::Schema;
use apache_avro::schema::{InnerDecimalSchema, NamesRef, UuidSchema};

use super::bytes::Bytes;
use super::fault::{Fault, shown};

/// Deepest nesting of values in values.
const DEPTH_MAX: usize = 256;

/// How to pass over a value of some schema.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Skip {
    /// Takes no bytes: null, or records and fixed values of nothing.
    Nothing,
    Number,
    Blob,
    Fixed(usize),
    Items(Box<Skip>),
    Entries(Box<Skip>),
    Union(Box<[Skip]>),
    /// One of the writer's records, each worked out once: they may contain one another, or themselves.
    Record(usize),
}

/// The fields of each record that is passed over.
#[derive(Debug, Default, Clone)]
pub(crate) struct Skips {
    records: Vec<Box<[Skip]>>,
}

impl Skips {
    /// Moves behind one value.
    pub(crate) fn pass(&self, skip: &Skip, bytes: &mut Bytes<'_>) -> Result<(), Fault> {
        self.pass_at(skip, bytes, 0)
    }

    fn pass_at(&self, skip: &Skip, bytes: &mut Bytes<'_>, depth: usize) -> Result<(), Fault> {
        if depth == DEPTH_MAX {
            return Err(Fault::Depth);
        }
        match skip {
            Skip::Nothing => Ok(()),
            Skip::Number => bytes.long().map(drop),
            Skip::Blob => bytes.blob().map(drop),
            Skip::Fixed(len) => bytes.take(*len).map(drop),
            Skip::Items(item) => self.pass_blocks(None, item, bytes, depth + 1),
            Skip::Entries(value) => self.pass_blocks(Some(&Skip::Blob), value, bytes, depth + 1),
            Skip::Union(branches) => {
                let index = bytes.long()?;
                let branch = usize::try_from(index).ok().and_then(|index| branches.get(index));
                self.pass_at(branch.ok_or_else(|| Fault::Branch(shown(index)))?, bytes, depth + 1)
            }
            Skip::Record(record) => {
                let fields = self.records.get(*record).map_or(&[][..], |fields| fields);
                fields.iter().try_for_each(|field| self.pass_at(field, bytes, depth + 1))
            }
        }
    }

    fn pass_blocks(&self, key: Option<&Skip>, value: &Skip, bytes: &mut Bytes<'_>, depth: usize) -> Result<(), Fault> {
        loop {
            let block = bytes.block()?;
            if block.items == 0 {
                return Ok(());
            }
            if let Some(len) = block.bytes {
                bytes.take(len)?;
                continue;
            }
            if key.is_none() && *value == Skip::Nothing {
                continue;
            }
            // Every item takes a byte at least, so a count beyond what is left is refused before the work.
            if usize::try_from(block.items).map_or(true, |items| items > bytes.len()) {
                return Err(Fault::Cut);
            }
            for _ in 0..block.items {
                if let Some(key) = key {
                    self.pass_at(key, bytes, depth)?;
                }
                self.pass_at(value, bytes, depth)?;
            }
        }
    }
}

/// Works out the skips of one writer schema.
pub(crate) struct Compiler<'s> {
    names: &'s NamesRef<'s>,
    /// Records under way or done, by their definition; the number is their place in `skips`.
    known: Vec<(&'s Schema, Skip)>,
    skips: Skips,
}

impl<'s> Compiler<'s> {
    pub(crate) const fn new(names: &'s NamesRef<'s>) -> Self {
        Self { names, known: Vec::new(), skips: Skips { records: Vec::new() } }
    }

    pub(crate) fn finish(self) -> Skips {
        self.skips
    }

    /// The definition behind a reference.
    pub(crate) fn definition(&self, schema: &'s Schema) -> &'s Schema {
        if let Schema::Ref { name } = schema { self.names.get(name).copied().unwrap_or(schema) } else { schema }
    }

    pub(crate) fn skip(&mut self, schema: &'s Schema) -> Skip {
        match self.definition(schema) {
            Schema::Null => Skip::Nothing,
            Schema::Boolean => Skip::Fixed(1),
            Schema::Int
            | Schema::Long
            | Schema::Date
            | Schema::TimeMillis
            | Schema::TimeMicros
            | Schema::TimestampMillis
            | Schema::TimestampMicros
            | Schema::TimestampNanos
            | Schema::LocalTimestampMillis
            | Schema::LocalTimestampMicros
            | Schema::LocalTimestampNanos
            | Schema::Enum(_) => Skip::Number,
            Schema::Float => Skip::Fixed(4),
            Schema::Double => Skip::Fixed(8),
            Schema::Bytes
            | Schema::String
            | Schema::BigDecimal
            | Schema::Uuid(UuidSchema::String | UuidSchema::Bytes) => Skip::Blob,
            Schema::Fixed(fixed) | Schema::Duration(fixed) | Schema::Uuid(UuidSchema::Fixed(fixed)) => {
                fixed_of(fixed.size)
            }
            Schema::Decimal(decimal) => match &decimal.inner {
                InnerDecimalSchema::Bytes => Skip::Blob,
                InnerDecimalSchema::Fixed(fixed) => fixed_of(fixed.size),
            },
            Schema::Array(array) => Skip::Items(Box::new(self.skip(&array.items))),
            Schema::Map(map) => Skip::Entries(Box::new(self.skip(&map.types))),
            Schema::Union(union) => Skip::Union(union.variants().iter().map(|branch| self.skip(branch)).collect()),
            record @ Schema::Record(_) => self.record(record),
            // Parsing has refused references to nothing.
            Schema::Ref { .. } => Skip::Nothing,
        }
    }

    /// A record: worked out where it is first met, then referred to.
    fn record(&mut self, schema: &'s Schema) -> Skip {
        let Schema::Record(record) = schema else { return Skip::Nothing };
        if let Some((_, skip)) = self.known.iter().find(|(known, _)| std::ptr::eq(*known, schema)) {
            return skip.clone();
        }
        let (entry, place) = (self.known.len(), self.skips.records.len());
        self.known.push((schema, Skip::Record(place)));
        self.skips.records.push(Box::default());
        let mut fields: Vec<Skip> = record.fields.iter().map(|field| self.skip(&field.schema)).collect();
        fields.retain(|field| *field != Skip::Nothing);
        let skip = if fields.is_empty() { Skip::Nothing } else { Skip::Record(place) };
        if let Some(slot) = self.skips.records.get_mut(place) {
            *slot = fields.into_boxed_slice();
        }
        if let Some((_, known)) = self.known.get_mut(entry) {
            *known = skip.clone();
        }
        skip
    }
}

const fn fixed_of(size: usize) -> Skip {
    if size == 0 { Skip::Nothing } else { Skip::Fixed(size) }
}
