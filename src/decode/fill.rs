//! Named values become the cells of a row: what JSON and CSV have in common. Strict: a name that is not a field's, a
//! field named twice and a value of another type are refused.

use std::ops::Range;

use crate::event::{self, ATTRIBUTES_BYTES_MAX, Event, Invalid, Kind, LIST_LEN_MAX};
use crate::ids::Token;
use crate::schema::fields::{Field, Need, Shape, Symbols, Type, nested, symbol_index};
use crate::schema::row::{Cell, Row};
use crate::tokens::{Address, RawField};

use super::raw::{self, Raw};
use super::refusal::{Error, Why};
use super::to_event::{self, Wrong};

/// A value as it was written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Flag(bool),
    Int(i64),
    /// A number that is not an integer of 64 bits.
    Number,
    Text(Text<'a>),
    List(Vec<Value<'a>>),
    Object(Vec<(Text<'a>, Value<'a>)>),
}

/// A text as it stands in the input, or, if it had escapes, as a range of the scratch.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Text<'a> {
    Plain(&'a str),
    Unescaped(Range<usize>),
}

impl<'a> Text<'a> {
    pub(crate) fn get(&self, scratch: &'a str) -> &'a str {
        match self {
            Self::Plain(text) => text,
            Self::Unescaped(range) => scratch.get(range.clone()).unwrap_or_default(),
        }
    }
}

/// Where a name leads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) slot: usize,
    pub(crate) field: &'static Field,
    /// The slot of the record around the field.
    pub(crate) parent: Option<usize>,
}

/// The field of this name among the fields of a kind, or the nested field of a dotted name.
pub(crate) fn find(kind: Kind, name: &str) -> Option<Target> {
    let fields = Shape::Event(kind).fields();
    let Some((outer, inner)) = name.split_once('.') else { return among(fields, name, None) };
    let record = among(fields, outer, None)?;
    let Type::Record(fields) = record.field.ty else { return None };
    among(nested(fields, record.slot), inner, Some(record.slot))
}

fn among(
    mut fields: impl Iterator<Item = (usize, &'static Field)>,
    name: &str,
    parent: Option<usize>,
) -> Option<Target> {
    fields.find(|(_, field)| field.name == name).map(|(slot, field)| Target { slot, field, parent })
}

/// A record under way.
pub(crate) struct Fill<'a> {
    kind: Kind,
    scratch: &'a str,
    row: Row<'a>,
    /// The slots that were named, a bit each.
    seen: u64,
    raw: Raw<'a>,
    /// The raw fields that were named.
    seen_raw: Vec<RawField>,
}

impl<'a> Fill<'a> {
    pub(crate) fn new(kind: Kind, scratch: &'a str) -> Self {
        Self { kind, scratch, row: Row::new(), seen: 0, raw: Raw::default(), seen_raw: Vec::new() }
    }

    /// The finished event, well formed, and what of it has to become tokens yet.
    pub(crate) fn event(mut self) -> Result<(Event<'a>, Raw<'a>), Error> {
        let kind = self.kind;
        self.check_raw()?;
        let event = to_event::event(kind, &mut self.row).map_err(|wrong| match wrong {
            Wrong::Missing { slot } => refuse(kind, slot, Why::Missing),
            Wrong::Currency => Error::Field { kind: kind.name(), field: "currency".to_owned(), why: Why::Currency },
        })?;
        event::check(&event).map_err(|why| Error::Invalid { kind: kind.name(), why })?;
        Ok((event, self.raw))
    }

    /// No field comes both ways.
    fn check_raw(&self) -> Result<(), Error> {
        for (field, _) in self.raw.iter() {
            let is_there =
                |token: &&&str| find(self.kind, token).is_some_and(|at| self.row.get(at.slot) != Cell::Absent);
            if let Some(token) = field.tokens().iter().find(is_there) {
                return Err(raw::refuse(self.kind, field, Why::Beside(token)));
            }
        }
        Ok(())
    }

    /// Puts a raw field aside. An empty one is as if it were not there.
    pub(crate) fn put_raw(&mut self, field: RawField, value: &Value<'a>) -> Result<(), Error> {
        let refuse = |why| Err(raw::refuse(self.kind, field, why));
        if self.seen_raw.contains(&field) {
            return refuse(Why::Twice);
        }
        self.seen_raw.push(field);
        let text = match value {
            Value::Null => return Ok(()),
            Value::Text(text) => text.get(self.scratch),
            Value::Flag(_) | Value::Int(_) | Value::Number | Value::List(_) | Value::Object(_) => {
                return refuse(Why::Text);
            }
        };
        if text.len() > field.bytes_max() {
            let why = Invalid::TooLong { field: field.name(), max: field.bytes_max() };
            return Err(Error::Invalid { kind: self.kind.name(), why });
        }
        if text.trim_ascii().is_empty() {
            return Ok(());
        }
        if field == RawField::Ip && Address::parse(text).is_none() {
            return refuse(Why::Address);
        }
        self.raw.set(field, text);
        Ok(())
    }

    /// Puts a value where its name leads.
    pub(crate) fn put(&mut self, target: Target, value: &Value<'a>) -> Result<(), Error> {
        let Target { slot, field, parent } = target;
        let bit = 1_u64.checked_shl(u32::try_from(slot).unwrap_or(u32::MAX)).unwrap_or(0);
        if self.seen & bit != 0 {
            return Err(refuse(self.kind, slot, Why::Twice));
        }
        self.seen |= bit;
        if let Some(parent) = parent {
            self.row.set(parent, Cell::Present);
        }
        if *value == Value::Null {
            let missing = field.need == Need::Required;
            return if missing { Err(refuse(self.kind, slot, Why::Missing)) } else { Ok(()) };
        }
        if let (Type::Record(fields), Value::Object(entries)) = (field.ty, value) {
            return self.put_record(slot, fields, entries);
        }
        self.put_plain(slot, field, value).map_err(|why| refuse(self.kind, slot, why))
    }

    fn put_record(
        &mut self,
        slot: usize,
        fields: &'static [Field],
        entries: &[(Text<'a>, Value<'a>)],
    ) -> Result<(), Error> {
        self.row.set(slot, Cell::Present);
        for (name, value) in entries {
            let name = name.get(self.scratch);
            let Some(target) = among(nested(fields, slot), name, Some(slot)) else {
                let record = Shape::Event(self.kind).field_name(slot);
                let known = fields.iter().map(|field| field.name);
                return Err(Error::unknown_field(self.kind, format!("{record}.{name}"), name, known));
            };
            self.put(target, value)?;
        }
        Ok(())
    }

    /// One note of `attributes`.
    pub(crate) fn put_note(&mut self, key: &'a str, value: &'a str) {
        self.row.attributes.to_mut().push((key, value));
    }

    fn put_plain(&mut self, slot: usize, field: &'static Field, value: &Value<'a>) -> Result<(), Why> {
        let cell = match field.ty {
            Type::Text => Cell::Text(self.text(value)?),
            Type::Long => Cell::Long(integer(value)?),
            Type::Time => Cell::Long(self.time(value)?),
            Type::Flag => Cell::Flag(if let Value::Flag(flag) = value { *flag } else { return Err(Why::Flag) }),
            Type::Token => Cell::Token(self.token(value)?),
            Type::Symbol(symbols) => Cell::Symbol(self.symbol(symbols, value)?),
            Type::Texts(list) => return self.put_texts(list, value),
            Type::Choices(symbols) => return self.put_choices(symbols, value),
            Type::Notes => return self.put_notes(value),
            Type::Record(_) => return Err(Why::Object),
            Type::Bytes => return Err(Why::Text),
        };
        self.row.set(slot, cell);
        Ok(())
    }

    fn text(&self, value: &Value<'a>) -> Result<&'a str, Why> {
        if let Value::Text(text) = value { Ok(text.get(self.scratch)) } else { Err(Why::Text) }
    }

    /// Integer milliseconds, or RFC 3339.
    fn time(&self, value: &Value<'a>) -> Result<i64, Why> {
        match value {
            Value::Int(millis) => Ok(*millis),
            Value::Text(text) => {
                let time: jiff::Timestamp = text.get(self.scratch).parse().map_err(|_| Why::Time)?;
                Ok(time.as_millisecond())
            }
            Value::Null | Value::Flag(_) | Value::Number | Value::List(_) | Value::Object(_) => Err(Why::Time),
        }
    }

    fn token(&self, value: &Value<'a>) -> Result<Token, Why> {
        let digits = self.text(value).map_err(|_| Why::Token)?.as_bytes();
        let mut token = [0; 16];
        if digits.len() != 2 * token.len() {
            return Err(Why::Token);
        }
        for (byte, pair) in token.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = pair else { return Err(Why::Token) };
            *byte = hex(*high)? << 4 | hex(*low)?;
        }
        Ok(Token(token))
    }

    fn symbol(&self, symbols: Symbols, value: &Value<'a>) -> Result<u8, Why> {
        let name = self.text(value).unwrap_or_default();
        symbol_index(symbols, name).ok_or_else(|| Why::symbol(symbols))
    }

    fn put_texts(&mut self, list: usize, value: &Value<'a>) -> Result<(), Why> {
        for item in items(value)? {
            let text = self.text(item).map_err(|_| Why::List)?;
            if let Some(texts) = self.row.texts_mut(list) {
                texts.push(text);
            }
        }
        Ok(())
    }

    fn put_choices(&mut self, symbols: Symbols, value: &Value<'a>) -> Result<(), Why> {
        for item in items(value)? {
            let symbol = self.symbol(symbols, item)?;
            self.row.choices.push(symbol);
        }
        Ok(())
    }

    fn put_notes(&mut self, value: &Value<'a>) -> Result<(), Why> {
        let Value::Object(entries) = value else { return Err(Why::Notes) };
        if entries.len() > ATTRIBUTES_BYTES_MAX {
            return Err(Why::NotesTooLarge);
        }
        for (key, value) in entries {
            let (key, value) = (key.get(self.scratch), self.text(value).map_err(|_| Why::Notes)?);
            self.put_note(key, value);
        }
        Ok(())
    }
}

fn items<'v, 'a>(value: &'v Value<'a>) -> Result<&'v [Value<'a>], Why> {
    let Value::List(items) = value else { return Err(Why::List) };
    if items.len() > LIST_LEN_MAX { Err(Why::Items) } else { Ok(items) }
}

const fn integer(value: &Value<'_>) -> Result<i64, Why> {
    match value {
        Value::Int(number) => Ok(*number),
        Value::Number => Err(Why::Fraction),
        Value::Null | Value::Flag(_) | Value::Text(_) | Value::List(_) | Value::Object(_) => Err(Why::Integer),
    }
}

fn hex(digit: u8) -> Result<u8, Why> {
    let value = char::from(digit).to_digit(16).ok_or(Why::Token)?;
    u8::try_from(value).map_err(|_| Why::Token)
}

fn refuse(kind: Kind, slot: usize, why: Why) -> Error {
    Error::Field { kind: kind.name(), field: Shape::Event(kind).field_name(slot), why }
}
