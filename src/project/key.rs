//! Where a row stands: keys that every engine sorts alike.

use bytes::Bytes;

use crate::ids::{Millis, Next, Partition};

/// A projection table of `topology`, by its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(pub u16);

/// One partition of a table: what a batch and a scan may span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Part {
    pub table: TableId,
    pub p: Partition,
    pub shard: u16,
    /// Months since year 0 in UTC for tables bounded by month, else 0.
    pub month: u16,
}

/// A clustering column. `Desc` columns sort downwards.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Col {
    Int(i64),
    IntDesc(i64),
    Text(String),
}

/// At most seven clustering columns; a prefix of them in the bounds of a range.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Cols(pub Vec<Col>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    pub part: Part,
    pub cols: Cols,
}

/// A whole row. `value: None` is a tombstone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub key: Key,
    /// One past the offset of the row's own last change.
    pub at: Next,
    pub value: Option<Bytes>,
    /// Event time after which readers drop the row.
    pub expires: Option<Millis>,
}

/// An end of a range. A prefix of the columns stands for all keys that begin with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    Unbounded,
    Included(Cols),
    Excluded(Cols),
}

/// Rows of one part in key order, or in reverse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    pub part: Part,
    pub from: Bound,
    pub to: Bound,
    pub reverse: bool,
    pub limit: u32,
}
