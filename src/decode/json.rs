//! An event as one flat JSON object: `type` and its fields. Strict, so that a mistyped `ammount` is not a free sale.
//!
//! Times are integer milliseconds or RFC 3339, money integer minor units, tokens 32 hex digits; an optional field may
//! be null. Texts borrow from the input unless they have escapes. What is to become a token may come as it is, beside
//! the event ([`Raw`]).

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::fill::{Fill, Text, Value, find};
use super::raw::{self, Raw};
pub use super::refusal::{Error, Why};
use crate::event::{ATTRIBUTES_BYTES_MAX, Event, Kind, LIST_LEN_MAX};
use crate::schema::fields::Shape;

/// Room for the texts of one event that had escapes; it may be used again for the next.
#[derive(Debug, Default)]
pub struct Scratch {
    texts: String,
}

/// An event, a policy in it, a list in that.
const DEPTH_MAX: usize = 3;

/// Reads one event that has its tokens; a raw field is refused.
pub fn from_json<'a>(bytes: &'a [u8], scratch: &'a mut Scratch) -> Result<Event<'a>, Error> {
    let (event, raw) = read(bytes, scratch)?;
    raw.refuse(event.body.kind())?;
    Ok(event)
}

/// Reads one event, and its raw fields beside it. The error names the field and says what it must be.
pub fn read<'a>(bytes: &'a [u8], scratch: &'a mut Scratch) -> Result<(Event<'a>, Raw<'a>), Error> {
    scratch.texts.clear();
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = Seed { scratch: &mut scratch.texts, depth: 0 }
        .deserialize(&mut json)
        .and_then(|value| json.end().map(|()| value))
        .map_err(|error| Error::Syntax(error.to_string()))?;
    let Value::Object(entries) = value else { return Err(Error::NotAnObject) };
    event(&entries, &scratch.texts)
}

fn event<'a>(entries: &[(Text<'a>, Value<'a>)], scratch: &'a str) -> Result<(Event<'a>, Raw<'a>), Error> {
    let kind = kind(entries, scratch)?;
    let mut fill = Fill::new(kind, scratch);
    for (name, value) in entries {
        let name = name.get(scratch);
        if name == "type" {
            continue;
        }
        // A dotted name leads into a policy in CSV only.
        let target = if name.contains('.') { None } else { find(kind, name) };
        match target {
            Some(target) => fill.put(target, value)?,
            None => {
                let known = || Shape::Event(kind).fields().map(|(_, field)| field.name).chain(raw::names(kind));
                let field = raw::field_of(kind, name);
                let field = field.ok_or_else(|| Error::unknown_field(kind, name.to_owned(), name, known()))?;
                fill.put_raw(field, value)?;
            }
        }
    }
    fill.event()
}

/// The record that `type` names.
fn kind<'a>(entries: &[(Text<'a>, Value<'a>)], scratch: &'a str) -> Result<Kind, Error> {
    let mut types = entries.iter().filter(|(name, _)| name.get(scratch) == "type").map(|(_, value)| value);
    let Some(Value::Text(name)) = types.next() else { return Err(Error::NoType) };
    if types.next().is_some() {
        return Err(Error::TypeTwice);
    }
    let name = name.get(scratch);
    Kind::parse(name).ok_or_else(|| Error::UnknownType(name.chars().take(64).collect()))
}

/// Reads any JSON value of limited size.
struct Seed<'s> {
    scratch: &'s mut String,
    depth: usize,
}

impl Seed<'_> {
    /// For a value inside this one.
    fn inner<E: serde::de::Error>(&mut self) -> Result<Seed<'_>, E> {
        if self.depth == DEPTH_MAX {
            return Err(E::custom("values are nested deeper than those of any event"));
        }
        Ok(Seed { scratch: self.scratch, depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value<'de>, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value<'de>, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value<'de>, E> {
        Ok(Value::Int(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(i64::try_from(number).map_or(Value::Number, Value::Int))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value<'de>, E> {
        Ok(Value::Number)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Text::Plain(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        let start = self.scratch.len();
        self.scratch.push_str(text);
        Ok(Value::Text(Text::Unescaped(start..self.scratch.len())))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Value<'de>, A::Error> {
        let mut items = Vec::new();
        // One more than allowed is kept, so that the field can be named.
        while items.len() <= LIST_LEN_MAX {
            let Some(item) = list.next_element_seed(self.inner()?)? else { return Ok(Value::List(items)) };
            items.push(item);
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut object: A) -> Result<Value<'de>, A::Error> {
        let mut entries = Vec::new();
        while let Some(name) = object.next_key_seed(self.inner()?)? {
            if entries.len() > ATTRIBUTES_BYTES_MAX {
                return Err(A::Error::custom("an object has more than 10,000 entries"));
            }
            let Value::Text(name) = name else { return Err(A::Error::custom("a name is not a text")) };
            entries.push((name, object.next_value_seed(self.inner()?)?));
        }
        Ok(Value::Object(entries))
    }
}
