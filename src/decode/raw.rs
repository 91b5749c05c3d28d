//! Fields that come as they are and become tokens before anything is kept: an address, a device, an e-mail, a means of
//! payment. Here they are only read and checked.

use std::fmt;

use super::fill::find;
use super::refusal::{Error, Why};
use crate::event::Kind;
use crate::tokens::RawField;

/// The raw fields of an event, as they stand in the input. Never shown.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Raw<'a> {
    ip: Option<&'a str>,
    device: Option<&'a str>,
    email: Option<&'a str>,
    payment_method: Option<&'a str>,
    payout_method: Option<&'a str>,
}

impl fmt::Debug for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Raw")
    }
}

impl<'a> Raw<'a> {
    pub const fn get(&self, field: RawField) -> Option<&'a str> {
        match field {
            RawField::Ip => self.ip,
            RawField::Device => self.device,
            RawField::Email => self.email,
            RawField::PaymentMethod => self.payment_method,
            RawField::PayoutMethod => self.payout_method,
        }
    }

    pub(super) const fn set(&mut self, field: RawField, value: &'a str) {
        let place = match field {
            RawField::Ip => &mut self.ip,
            RawField::Device => &mut self.device,
            RawField::Email => &mut self.email,
            RawField::PaymentMethod => &mut self.payment_method,
            RawField::PayoutMethod => &mut self.payout_method,
        };
        *place = Some(value);
    }

    /// Those that are there.
    pub fn iter(self) -> impl Iterator<Item = (RawField, &'a str)> {
        RawField::ALL.into_iter().filter_map(move |field| Some((field, self.get(field)?)))
    }

    /// An error that names the first field, if there is one: for where nothing makes tokens.
    pub fn refuse(self, kind: Kind) -> Result<(), Error> {
        self.iter().next().map_or(Ok(()), |(field, _)| Err(refuse(kind, field, Why::NoSecret(token_of(field)))))
    }

    /// Puts the fields into a JSON object that ends `out`, for a server that makes the tokens.
    pub fn add_to_json(self, out: &mut Vec<u8>) {
        for (field, value) in self.iter() {
            let is_closed = out.pop() == Some(b'}');
            assert!(is_closed, "an object ends in a brace");
            let value = serde_json::to_string(value).expect("a text is JSON");
            out.extend_from_slice(format!(",\"{}\":{value}}}", field.name()).as_bytes());
        }
    }
}

/// The raw field of this name, if records of the kind have the token field that it becomes.
pub(super) fn field_of(kind: Kind, name: &str) -> Option<RawField> {
    RawField::parse(name).filter(|field| find(kind, token_of(*field)).is_some())
}

/// The names of the raw fields of a kind.
pub(super) fn names(kind: Kind) -> impl Iterator<Item = &'static str> {
    RawField::ALL.into_iter().map(RawField::name).filter(move |name| field_of(kind, name).is_some())
}

pub(crate) fn refuse(kind: Kind, field: RawField, why: Why) -> Error {
    Error::Field { kind: kind.name(), field: field.name().to_owned(), why }
}

fn token_of(field: RawField) -> &'static str {
    field.tokens().first().copied().unwrap_or_default()
}
