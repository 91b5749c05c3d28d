//! How the records of one writer schema become ours, worked out once: which fields are ours and where they go,
//! which are passed over, what becomes of every union branch and symbol.
//!
//! Avro's resolution rules, with these choices: names of nested types may differ (a symbol counts by its name, a
//! token by its 16 bytes); a time must not be in micro- or nanoseconds, which the rules would take for milliseconds.

use apache_avro::Schema;
use apache_avro::schema::{EnumSchema, RecordSchema, ResolvedSchema, UuidSchema};

use super::skip::{Compiler, Skip, Skips};
use super::straight;
use crate::schema::fields::{Field, Need, Shape, Symbols, Type, nested, symbol_index};

/// What to do with the bytes of a record, in their order.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) shape: Shape,
    pub(crate) steps: Box<[Step]>,
    /// Of each enum of the writer: our index of its symbols, or the name that we do not know.
    pub(crate) choices: Vec<Box<[Result<u8, String>]>>,
    pub(crate) skips: Skips,
    /// The writer's schema is ours, as far as bytes go.
    pub(crate) is_straight: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// A plain value.
    Read { slot: usize, leaf: Leaf },
    /// A union of null and a plain value; `null` is the byte that says null.
    Maybe { slot: usize, null: u8, leaf: Leaf },
    /// Any other union.
    Union { slot: usize, branches: Box<[Branch]> },
    /// A nested record.
    Record { slot: usize, steps: Box<[Step]> },
    /// Not ours.
    Skip(Skip),
}

#[derive(Debug, Clone)]
pub(crate) enum Branch {
    Null,
    Value(Step),
    /// Null, for a field that must be there.
    Missing,
    /// Of a type that cannot become the field's.
    Wrong,
}

/// A value that is not a record or a union.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Leaf {
    Text,
    Bytes,
    Long,
    Flag,
    Token,
    /// Through this list of choices.
    Symbol(u16),
    Texts(usize),
    Choices(u16),
    Notes,
}

/// Why a writer schema cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("it is not an Avro schema: {0}")]
    Invalid(String),
    #[error("it is not a record")]
    NotARecord,
    #[error("`{0}` is not a record of Tributary")]
    UnknownType(String),
    #[error("it has no field `{field}`, which `{record}` must have")]
    Missing { record: &'static str, field: &'static str },
    #[error("its field `{field}` of `{record}` cannot become ours: {why}")]
    Field { record: &'static str, field: &'static str, why: &'static str },
}

impl Plan {
    /// The plan for a writer schema.
    pub(crate) fn compile(schema: &Schema) -> Result<Self, Unreadable> {
        let resolved = ResolvedSchema::new(schema).map_err(|error| Unreadable::Invalid(error.to_string()))?;
        let Schema::Record(record) = schema else { return Err(Unreadable::NotARecord) };
        let name = record.name.name();
        let shape = Shape::parse(name).ok_or_else(|| Unreadable::UnknownType(name.to_owned()))?;
        let mut planner = Planner { shape, choices: Vec::new(), skips: Compiler::new(resolved.get_names()) };
        let steps = planner.record(&shape.fields().collect::<Vec<_>>(), record)?;
        let is_straight = straight::is_straight(shape, &steps, &planner.choices);
        Ok(Self { shape, steps, choices: planner.choices, skips: planner.skips.finish(), is_straight })
    }
}

struct Planner<'s> {
    shape: Shape,
    choices: Vec<Box<[Result<u8, String>]>>,
    skips: Compiler<'s>,
}

impl<'s> Planner<'s> {
    fn record(
        &mut self,
        ours: &[(usize, &'static Field)],
        writer: &'s RecordSchema,
    ) -> Result<Box<[Step]>, Unreadable> {
        for (_, field) in ours {
            if field.need == Need::Required && !writer.fields.iter().any(|theirs| theirs.name == field.name) {
                return Err(Unreadable::Missing { record: self.shape.name(), field: field.name });
            }
        }
        let mut steps = Vec::with_capacity(writer.fields.len());
        for theirs in &writer.fields {
            let step = match ours.iter().find(|(_, field)| field.name == theirs.name) {
                Some((slot, field)) => self.field(*slot, field, &theirs.schema)?,
                None => Step::Skip(self.skips.skip(&theirs.schema)),
            };
            steps.push(step);
        }
        Ok(steps.into_boxed_slice())
    }

    fn field(&mut self, slot: usize, field: &'static Field, schema: &'s Schema) -> Result<Step, Unreadable> {
        let Schema::Union(union) = schema else { return self.value(slot, field, schema) };
        let mut branches = Vec::with_capacity(union.variants().len());
        let mut refused = None;
        for variant in union.variants() {
            branches.push(match (variant, field.need) {
                (Schema::Null, Need::Optional) => Branch::Null,
                (Schema::Null, Need::Required | Need::Default) => Branch::Missing,
                (_, _) => self.value(slot, field, variant).map_or_else(
                    |error| {
                        refused = Some(error);
                        Branch::Wrong
                    },
                    Branch::Value,
                ),
            });
        }
        match branches.as_slice() {
            [Branch::Null, Branch::Value(Step::Read { slot, leaf })] => {
                return Ok(Step::Maybe { slot: *slot, null: 0, leaf: *leaf });
            }
            [Branch::Value(Step::Read { slot, leaf }), Branch::Null] => {
                return Ok(Step::Maybe { slot: *slot, null: 2, leaf: *leaf });
            }
            _ => {}
        }
        if branches.iter().any(|branch| matches!(branch, Branch::Value(_) | Branch::Null)) {
            return Ok(Step::Union { slot, branches: branches.into_boxed_slice() });
        }
        Err(refused.unwrap_or_else(|| self.refuse(field, "it is always null")))
    }

    /// A value that is not a union.
    fn value(&mut self, slot: usize, field: &'static Field, schema: &'s Schema) -> Result<Step, Unreadable> {
        let schema = self.skips.definition(schema);
        if let (Type::Record(fields), Schema::Record(record)) = (field.ty, schema) {
            let steps = self.record(&nested(fields, slot).collect::<Vec<_>>(), record)?;
            return Ok(Step::Record { slot, steps });
        }
        let leaf = self.leaf(field.ty, schema).ok_or_else(|| self.refuse(field, why(field.ty)))?;
        Ok(Step::Read { slot, leaf })
    }

    fn leaf(&mut self, ty: Type, schema: &'s Schema) -> Option<Leaf> {
        match ty {
            Type::Text => is_text(schema).then_some(Leaf::Text),
            Type::Bytes => is_text(schema).then_some(Leaf::Bytes),
            Type::Long => matches!(schema, Schema::Int | Schema::Long).then_some(Leaf::Long),
            Type::Time => is_millis(schema).then_some(Leaf::Long),
            Type::Flag => matches!(schema, Schema::Boolean).then_some(Leaf::Flag),
            Type::Token => is_token(schema).then_some(Leaf::Token),
            Type::Symbol(symbols) => self.choice(symbols, schema).map(Leaf::Symbol),
            Type::Texts(list) => {
                let Schema::Array(array) = schema else { return None };
                is_text(self.skips.definition(&array.items)).then_some(Leaf::Texts(list))
            }
            Type::Choices(symbols) => {
                let Schema::Array(array) = schema else { return None };
                let items = self.skips.definition(&array.items);
                self.choice(symbols, items).map(Leaf::Choices)
            }
            Type::Notes => {
                let Schema::Map(map) = schema else { return None };
                is_text(self.skips.definition(&map.types)).then_some(Leaf::Notes)
            }
            Type::Record(_) => None,
        }
    }

    /// Maps the writer's symbols to ours by name. An enum that shares none with ours cannot be read.
    fn choice(&mut self, symbols: Symbols, schema: &Schema) -> Option<u16> {
        let Schema::Enum(EnumSchema { symbols: theirs, .. }) = schema else { return None };
        let map: Box<[_]> = theirs.iter().map(|name| symbol_index(symbols, name).ok_or_else(|| name.clone())).collect();
        if map.iter().all(Result::is_err) {
            return None;
        }
        let place = u16::try_from(self.choices.len()).ok()?;
        self.choices.push(map);
        Some(place)
    }

    const fn refuse(&self, field: &'static Field, why: &'static str) -> Unreadable {
        Unreadable::Field { record: self.shape.name(), field: field.name, why }
    }
}

const fn why(ty: Type) -> &'static str {
    match ty {
        Type::Text | Type::Bytes => "it must be a string (or bytes)",
        Type::Long => "it must be a long (or an int)",
        Type::Time => "it must be a long in milliseconds",
        Type::Flag => "it must be a boolean",
        Type::Token => "it must be a fixed of 16 bytes",
        Type::Symbol(_) => "it must be an enum with symbols that we know",
        Type::Texts(_) => "it must be an array of strings",
        Type::Choices(_) => "it must be an array of enums with symbols that we know",
        Type::Notes => "it must be a map of strings",
        Type::Record(_) => "it must be a record",
    }
}

const fn is_text(schema: &Schema) -> bool {
    matches!(schema, Schema::String | Schema::Bytes | Schema::Uuid(UuidSchema::String))
}

const fn is_millis(schema: &Schema) -> bool {
    matches!(schema, Schema::Int | Schema::Long | Schema::TimestampMillis)
}

const fn is_token(schema: &Schema) -> bool {
    matches!(schema, Schema::Fixed(fixed) | Schema::Uuid(UuidSchema::Fixed(fixed)) if fixed.size == 16)
}
