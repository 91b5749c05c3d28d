//! An event as one flat JSON object, the form that the intake and `import` read.

use super::fields::{Field, Shape, Symbols, Type, nested};
use super::of_event;
use super::row::{Cell, Row};
use crate::event::Event;

/// Appends the event on one line without a line feed: `type`, then the fields that are there in the schema's
/// order; times are integer milliseconds, tokens 32 hex digits.
pub fn to_json(event: &Event<'_>, out: &mut Vec<u8>) {
    let shape = Shape::Event(event.body.kind());
    out.extend_from_slice(b"{\"type\":");
    put_text(shape.name(), out);
    put_fields(shape.fields(), &of_event::row(event), true, out);
}

/// The fields and the closing brace.
fn put_fields(
    fields: impl Iterator<Item = (usize, &'static Field)>,
    row: &Row<'_>,
    mut comma: bool,
    out: &mut Vec<u8>,
) {
    for (slot, field) in fields.filter(|(slot, field)| is_there(*slot, field, row)) {
        if comma {
            out.push(b',');
        }
        comma = true;
        put_text(field.name, out);
        out.push(b':');
        put_value(slot, field, row, out);
    }
    out.push(b'}');
}

fn is_there(slot: usize, field: &Field, row: &Row<'_>) -> bool {
    match field.ty {
        Type::Texts(list) => !row.texts(list).is_empty(),
        Type::Choices(_) => !row.choices.is_empty(),
        Type::Notes => !row.attributes.is_empty(),
        Type::Record(_)
        | Type::Text
        | Type::Bytes
        | Type::Long
        | Type::Time
        | Type::Flag
        | Type::Token
        | Type::Symbol(_) => row.get(slot) != Cell::Absent,
    }
}

fn put_value(slot: usize, field: &Field, row: &Row<'_>, out: &mut Vec<u8>) {
    match field.ty {
        Type::Texts(list) => put_list(row.texts(list), |text, out| put_text(text, out), out),
        Type::Choices(symbols) => put_list(&row.choices, |index, out| put_symbol(symbols, *index, out), out),
        Type::Notes => put_notes(&row.attributes, out),
        Type::Record(fields) => {
            out.push(b'{');
            put_fields(nested(fields, slot), row, false, out);
        }
        Type::Symbol(symbols) => {
            if let Cell::Symbol(index) = row.get(slot) {
                put_symbol(symbols, index, out);
            }
        }
        Type::Text | Type::Bytes | Type::Long | Type::Time | Type::Flag | Type::Token => put_cell(row.get(slot), out),
    }
}

fn put_cell(cell: Cell<'_>, out: &mut Vec<u8>) {
    match cell {
        Cell::Text(text) => put_text(text, out),
        Cell::Bytes(bytes) => put_hex(bytes, out),
        Cell::Long(number) => put_json(&number, out),
        Cell::Flag(flag) => put_json(&flag, out),
        Cell::Token(token) => put_hex(&token.0, out),
        Cell::Symbol(_) | Cell::Absent | Cell::Present => {}
    }
}

fn put_symbol(symbols: Symbols, index: u8, out: &mut Vec<u8>) {
    put_text(symbols(usize::from(index)).unwrap_or_default(), out);
}

fn put_notes(notes: &[(&str, &str)], out: &mut Vec<u8>) {
    out.push(b'{');
    for (n, (key, value)) in notes.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        put_text(key, out);
        out.push(b':');
        put_text(value, out);
    }
    out.push(b'}');
}

fn put_list<T>(items: &[T], put: impl Fn(&T, &mut Vec<u8>), out: &mut Vec<u8>) {
    out.push(b'[');
    for (n, item) in items.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        put(item, out);
    }
    out.push(b']');
}

fn put_hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| DIGITS.get(usize::from(half)).copied().unwrap_or(b'0');
    out.push(b'"');
    for byte in bytes {
        out.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
    out.push(b'"');
}

fn put_text(text: &str, out: &mut Vec<u8>) {
    put_json(text, out);
}

fn put_json(value: &(impl serde::Serialize + ?Sized), out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("texts and numbers are JSON, and memory takes them");
}
