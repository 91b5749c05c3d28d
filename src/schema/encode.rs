//! An event as Avro bytes of the current schema.

use super::fields::{Field, Need, Shape, Type, nested};
use super::row::{Cell, Row};
use super::{CONFLUENT, SINGLE_OBJECT, fingerprint_of, of_event};
use crate::event::Event;

/// Appends the event in Avro's single-object encoding: C3 01, the fingerprint, the fields.
pub fn encode(event: &Event<'_>, out: &mut Vec<u8>) {
    let shape = Shape::Event(event.body.kind());
    put_head(shape, out);
    put_row(shape, &of_event::row(event), out);
}

/// Appends the event in Confluent's framing; `id` is what the registry calls the current schema of its kind.
pub fn encode_confluent(event: &Event<'_>, id: u32, out: &mut Vec<u8>) {
    out.push(CONFLUENT);
    out.extend_from_slice(&id.to_be_bytes());
    put_row(Shape::Event(event.body.kind()), &of_event::row(event), out);
}

pub(super) fn put_head(shape: Shape, out: &mut Vec<u8>) {
    out.extend_from_slice(&SINGLE_OBJECT);
    out.extend_from_slice(&fingerprint_of(shape).to_le_bytes());
}

pub(super) fn put_row(shape: Shape, row: &Row<'_>, out: &mut Vec<u8>) {
    for (slot, field) in shape.fields() {
        put_field(slot, field, row, out);
    }
}

fn put_field(slot: usize, field: &Field, row: &Row<'_>, out: &mut Vec<u8>) {
    let cell = row.get(slot);
    if field.need == Need::Optional {
        // The branches of every union are null and the value, in this order.
        let absent = cell == Cell::Absent;
        out.push(if absent { 0 } else { 2 });
        if absent {
            return;
        }
    }
    match field.ty {
        Type::Texts(list) => put_items(row.texts(list), |text, out| put_bytes(text.as_bytes(), out), out),
        Type::Choices(_) => put_items(&row.choices, |symbol, out| put_long(i64::from(*symbol), out), out),
        Type::Notes => put_items(&row.attributes, put_note, out),
        Type::Record(fields) => {
            for (slot, field) in nested(fields, slot) {
                put_field(slot, field, row, out);
            }
        }
        Type::Text | Type::Bytes | Type::Long | Type::Time | Type::Flag | Type::Token | Type::Symbol(_) => {
            put_cell(cell, out)
        }
    }
}

fn put_cell(cell: Cell<'_>, out: &mut Vec<u8>) {
    match cell {
        Cell::Text(text) => put_bytes(text.as_bytes(), out),
        Cell::Bytes(bytes) => put_bytes(bytes, out),
        Cell::Long(number) => put_long(number, out),
        Cell::Flag(flag) => put_flag(flag, out),
        Cell::Token(token) => out.extend_from_slice(&token.0),
        Cell::Symbol(index) => put_long(i64::from(index), out),
        Cell::Absent | Cell::Present => {}
    }
}

pub(super) fn put_flag(flag: bool, out: &mut Vec<u8>) {
    out.push(u8::from(flag));
}

fn put_note((key, value): &(&str, &str), out: &mut Vec<u8>) {
    put_bytes(key.as_bytes(), out);
    put_bytes(value.as_bytes(), out);
}

/// One block of all items, and the empty block that ends a list or a map.
fn put_items<T>(items: &[T], put: impl Fn(&T, &mut Vec<u8>), out: &mut Vec<u8>) {
    if !items.is_empty() {
        put_len(items.len(), out);
        items.iter().for_each(|item| put(item, out));
    }
    out.push(0);
}

pub(super) fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    put_len(bytes.len(), out);
    out.extend_from_slice(bytes);
}

pub(super) fn put_len(len: usize, out: &mut Vec<u8>) {
    put_long(i64::try_from(len).expect("nothing in memory is longer than an i64 counts"), out);
}

/// Zigzag, then seven bits a byte, low ones first.
pub(super) fn put_long(number: i64, out: &mut Vec<u8>) {
    let mut rest = ((number << 1) ^ (number >> 63)).cast_unsigned();
    while rest >= 0x80 {
        let [low, ..] = rest.to_le_bytes();
        out.push(low | 0x80);
        rest >>= 7;
    }
    let [low, ..] = rest.to_le_bytes();
    out.push(low);
}
