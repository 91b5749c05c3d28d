//! A record that could not be applied, as it was, with the reason.

use super::encode::{put_head, put_row};
use super::fields::Shape;
use super::row::{Cell, Row};
use crate::ids::{Millis, Offset, Partition};

/// What stands in the dead-letter topic: enough to list it, to mend it and to drive it in again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeadLetter<'a> {
    pub topic: &'a str,
    pub partition: Partition,
    pub offset: Offset,
    /// When the log took the record in.
    pub timestamp: Millis,
    /// Stable name of the kind of fault.
    pub class: &'a str,
    pub message: &'a str,
    pub key: &'a [u8],
    pub value: &'a [u8],
}

impl DeadLetter<'_> {
    /// Appends the letter in Avro's single-object encoding.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut row = Row::new();
        let cells: [Cell<'_>; 8] = [
            self.topic.into(),
            i64::from(self.partition.0).into(),
            i64::try_from(self.offset.0).expect("a log counts its offsets in an i64").into(),
            self.timestamp.into(),
            self.class.into(),
            self.message.into(),
            self.key.into(),
            self.value.into(),
        ];
        cells.into_iter().enumerate().for_each(|(slot, cell)| row.set(slot, cell));
        put_head(Shape::DeadLetter, out);
        put_row(Shape::DeadLetter, &row, out);
    }
}
