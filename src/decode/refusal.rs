//! Why an event in JSON or CSV is refused; the message names the field and says what it must be.

use crate::event::{Invalid, Kind};
use crate::schema::fields::Symbols;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("this is not JSON: {0}")]
    Syntax(String),
    #[error("an event is a JSON object")]
    NotAnObject,
    #[error("`type` is missing; it names the record, for example `Click`")]
    NoType,
    #[error("`type` is there twice")]
    TypeTwice,
    #[error("`type` is `{0}`, which is no record; known are {known}", known = kinds())]
    UnknownType(String),
    #[error("`{field}` is no field of a {kind}{}", did_you_mean(near))]
    UnknownField { kind: &'static str, field: String, near: Option<&'static str> },
    /// What the columns are called is not told: without a header they are values.
    #[error("the first line must name the columns, `event_id` among them")]
    NoHeader,
    #[error("column `{column}` is no field of any record")]
    UnknownColumn { column: String },
    #[error("column `{column}` is there twice")]
    ColumnTwice { column: String },
    #[error("`{field}` of the {kind} {why}")]
    Field { kind: &'static str, field: String, why: Why },
    #[error("the {kind} is not well formed: {why}")]
    Invalid { kind: &'static str, why: Invalid },
}

/// What a field's value must be and is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    #[error("is missing")]
    Missing,
    #[error("is there twice")]
    Twice,
    #[error("must be a text")]
    Text,
    #[error("must be an integer")]
    Integer,
    #[error("must be an integer of 64 bits; money is in minor units (19.99 is 1999), never a fraction")]
    Fraction,
    #[error("must be a time: integer milliseconds since 1970, or RFC 3339 such as 2024-05-01T12:00:00Z")]
    Time,
    #[error("must be true or false")]
    Flag,
    #[error("must be a token: 32 hex digits")]
    Token,
    #[error("stands beside `{0}`: send one of them")]
    Beside(&'static str),
    #[error("must be an IP address alone, without a port")]
    Address,
    #[error("cannot be made a token, as there is no secret here: set `tokens.secret_file`, or send `{0}` instead")]
    NoSecret(&'static str),
    #[error("must be three capital letters, an ISO 4217 code")]
    Currency,
    #[error("must be one of {0}")]
    Symbol(String),
    #[error("must be a list of texts")]
    List,
    #[error("has more than 64 items")]
    Items,
    #[error("must be an object")]
    Object,
    #[error("must be an object of texts")]
    Notes,
    #[error("has more than 10,000 entries")]
    NotesTooLarge,
}

impl Why {
    pub(crate) fn symbol(symbols: Symbols) -> Self {
        let names: Vec<&str> = (0..).map_while(symbols).collect();
        Self::Symbol(names.join(", "))
    }
}

impl Error {
    /// The stable name of the kind of fault, the same as of records of the log.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Syntax(_) | Self::NotAnObject => "undecodable",
            Self::NoType | Self::TypeTwice | Self::UnknownType(_) => "unknown_type",
            Self::UnknownField { .. }
            | Self::NoHeader
            | Self::UnknownColumn { .. }
            | Self::ColumnTwice { .. }
            | Self::Field { .. }
            | Self::Invalid { .. } => "invalid_field",
        }
    }

    pub(crate) fn unknown_field(
        kind: Kind,
        field: String,
        name: &str,
        known: impl Iterator<Item = &'static str>,
    ) -> Self {
        let near = known.map(|known| (distance(known, name), known)).min().filter(|(far, _)| *far <= 2);
        Self::UnknownField { kind: kind.name(), field, near: near.map(|(_, known)| known) }
    }
}

fn kinds() -> String {
    Kind::ALL.map(Kind::name).join(", ")
}

fn did_you_mean(near: &Option<&'static str>) -> String {
    near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

/// Levenshtein's distance in bytes; names much longer than a field's are far without counting.
fn distance(known: &str, name: &str) -> usize {
    if name.len() > known.len() + 2 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=name.len()).collect();
    for (i, a) in known.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(name.bytes()) {
            let above = *cell;
            left = (diagonal + usize::from(a != b)).min(above + 1).min(left + 1);
            diagonal = above;
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}
