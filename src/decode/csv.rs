//! Events as rows of a table. The header names the fields as JSON does; a policy's are dotted
//! (`attribution.model`), and so are notes (`attributes.campaign`).
//!
//! An empty cell is an absent field; the items of a list are parted by `;`. One table may hold several records: its
//! column `type` tells them apart, and columns of other records stay empty.

use ::csv::StringRecord;

use super::fill::{Fill, Target, Text, Value, find};
use super::raw::{self, Raw};
pub use super::refusal::{Error, Why};
use crate::event::{Event, Kind};
use crate::schema::fields::{Shape, Type};
use crate::tokens::RawField;

/// The columns of a table, understood.
#[derive(Debug)]
pub struct Header {
    columns: Vec<Column>,
    /// The record of every row, if no column says it.
    kind: Option<Kind>,
}

#[derive(Debug)]
enum Column {
    Type,
    /// A note under this key.
    Note(String),
    /// What is to become a token.
    Raw(RawField),
    Field {
        name: String,
        /// Where it leads in each kind, in the order of `Kind::ALL`.
        targets: Vec<Option<Target>>,
    },
}

impl Header {
    /// Understands a header row; `kind` is the record of every row of a table without a column `type`.
    pub fn parse(names: &StringRecord, kind: Option<Kind>) -> Result<Self, Error> {
        let names: Vec<&str> = names.iter().map(str::trim).collect();
        if !names.contains(&"event_id") {
            return Err(Error::NoHeader);
        }
        for (place, name) in names.iter().enumerate() {
            if names.iter().skip(place + 1).any(|other| other == name) {
                return Err(Error::ColumnTwice { column: (*name).to_owned() });
            }
        }
        let columns = names.into_iter().map(column).collect::<Result<Vec<_>, _>>()?;
        if kind.is_none() && !columns.iter().any(|column| matches!(column, Column::Type)) {
            return Err(Error::NoType);
        }
        Ok(Self { columns, kind })
    }

    /// The event of a row, and its raw fields beside it.
    pub fn event<'a>(&'a self, row: &'a StringRecord) -> Result<(Event<'a>, Raw<'a>), Error> {
        let kind = self.kind(row)?;
        let place = Kind::ALL.iter().position(|one| *one == kind).unwrap_or(usize::MAX);
        let known = || Shape::Event(kind).fields().map(|(_, field)| field.name).chain(raw::names(kind));
        let unknown = |name: &str| Error::unknown_field(kind, name.to_owned(), name, known());
        let mut fill = Fill::new(kind, "");
        for (column, cell) in self.columns.iter().zip(row).filter(|(_, cell)| !cell.is_empty()) {
            match column {
                Column::Type => {}
                Column::Note(key) => fill.put_note(key, cell),
                Column::Raw(field) => {
                    let field = raw::field_of(kind, field.name()).ok_or_else(|| unknown(field.name()))?;
                    fill.put_raw(field, &Value::Text(Text::Plain(cell)))?;
                }
                Column::Field { name, targets } => {
                    let target = targets.get(place).copied().flatten().ok_or_else(|| unknown(name))?;
                    fill.put(target, &value(target.field.ty, cell))?;
                }
            }
        }
        fill.event()
    }

    fn kind(&self, row: &StringRecord) -> Result<Kind, Error> {
        let mut cells = self.columns.iter().zip(row);
        match cells.find(|(column, _)| matches!(column, Column::Type)).map_or("", |(_, cell)| cell) {
            "" => self.kind.ok_or(Error::NoType),
            name => Kind::parse(name).ok_or_else(|| Error::UnknownType(name.chars().take(64).collect())),
        }
    }
}

fn column(name: &str) -> Result<Column, Error> {
    if name == "type" {
        return Ok(Column::Type);
    }
    if let Some(key) = name.strip_prefix("attributes.") {
        return Ok(Column::Note(key.to_owned()));
    }
    let targets: Vec<_> = Kind::ALL.into_iter().map(|kind| find(kind, name).filter(is_cell)).collect();
    if targets.iter().all(Option::is_none) {
        if let Some(field) = RawField::parse(name) {
            return Ok(Column::Raw(field));
        }
        return Err(Error::UnknownColumn { column: name.to_owned() });
    }
    Ok(Column::Field { name: name.to_owned(), targets })
}

/// Whether the field fits into one cell.
const fn is_cell(target: &Target) -> bool {
    !matches!(target.field.ty, Type::Record(_) | Type::Notes)
}

/// A cell as the value that the field's type makes of it. What does not parse stays a text, which the field refuses.
fn value(ty: Type, cell: &str) -> Value<'_> {
    let text = || Value::Text(Text::Plain(cell));
    match ty {
        Type::Long => match (cell.parse(), cell.parse::<f64>()) {
            (Ok(number), _) => Value::Int(number),
            (Err(_), Ok(_)) => Value::Number,
            (Err(_), Err(_)) => text(),
        },
        Type::Time => cell.parse().map_or_else(|_| text(), Value::Int),
        Type::Flag => cell.parse().map_or_else(|_| text(), Value::Flag),
        Type::Texts(_) | Type::Choices(_) => {
            Value::List(cell.split(';').map(|item| Value::Text(Text::Plain(item.trim()))).collect())
        }
        Type::Text | Type::Token | Type::Symbol(_) | Type::Bytes | Type::Notes | Type::Record(_) => text(),
    }
}
