//! Values of statements and of answers, as the bytes that they are: a row's value is one user-defined type, already
//! encoded (ADR 0007).

use bytes::Bytes;
use scylla::deserialize::FrameSlice;
use scylla::deserialize::row::ColumnIterator;
use scylla::serialize::SerializationError;
use scylla::serialize::row::{RowSerializationContext, SerializeRow};
use scylla::serialize::writers::{CellWriter, RowWriter};

use super::shape::{Column, Shape, Sort};
use crate::ids::{Millis, Next};
use crate::project::key::{Col, Cols, Key, Part, Row};

/// Bits of a write stamp that are the row's `at`; above them stands its generation.
const AT_BITS: u32 = 40;
const AT_MAX: u64 = (1 << AT_BITS) - 1;
/// A stamp is a positive i64.
const GENERATION_MAX: u32 = (1 << 23) - 1;

/// One bound value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cell<'a> {
    Int(i32),
    Long(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
    /// Values of one column, for `IN`.
    List(&'a [Col]),
    Null,
}

/// The bound values of a statement, in the order of its marks.
#[derive(Debug)]
pub(super) struct Values<'a>(pub(super) Vec<Cell<'a>>);

/// When a row was written, to CQL: generation and `at`. `None`: beyond what a stamp can say.
pub(super) fn stamp(generation: u32, at: Next) -> Option<i64> {
    if generation > GENERATION_MAX || at.0 > AT_MAX {
        return None;
    }
    i64::try_from(u64::from(generation) << AT_BITS | at.0).ok()
}

impl<'a> Cell<'a> {
    pub(super) fn of(col: &'a Col) -> Self {
        match col {
            Col::Int(value) | Col::IntDesc(value) => Self::Long(*value),
            Col::Text(text) => Self::Text(text),
        }
    }

    fn write(self, cell: CellWriter<'_>) -> Result<(), SerializationError> {
        let written = match self {
            Self::Int(value) => cell.set_value(&value.to_be_bytes()),
            Self::Long(value) => cell.set_value(&value.to_be_bytes()),
            Self::Text(text) => cell.set_value(text.as_bytes()),
            Self::Bytes(bytes) => cell.set_value(bytes),
            Self::Null => Ok(cell.set_null()),
            Self::List(cols) => {
                let mut list = cell.into_value_builder();
                list.append_bytes(&i32::try_from(cols.len()).unwrap_or(i32::MAX).to_be_bytes());
                for col in cols {
                    Cell::of(col).write(list.make_sub_writer())?;
                }
                list.finish()
            }
        };
        written.map(drop).map_err(SerializationError::new)
    }
}

impl SerializeRow for Values<'_> {
    fn serialize(&self, _: &RowSerializationContext<'_>, writer: &mut RowWriter<'_>) -> Result<(), SerializationError> {
        self.0.iter().try_for_each(|cell| cell.write(writer.make_cell_writer()))
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The columns of a partition key. `None`: a partition beyond what CQL's `int` holds.
pub(super) fn part_cells<'a>(shape: &Shape, part: Part) -> Option<impl Iterator<Item = Cell<'a>> + use<'a>> {
    let month = shape.by_month.then_some(Cell::Int(i32::from(part.month)));
    let p = i32::try_from(part.p.0).ok()?;
    Some([Cell::Int(p), Cell::Int(i32::from(part.shard))].into_iter().chain(month))
}

/// What an answer tells of a row.
pub(super) struct Found<'a> {
    pub(super) cols: Vec<Col>,
    pub(super) value: Option<&'a [u8]>,
    pub(super) at: Next,
    pub(super) expires: Option<Millis>,
}

impl Found<'_> {
    /// `before`: the columns that the question named. Rows of a table that belongs to no generation have no place in the
    /// log: they are all as of 1.
    pub(super) fn row(self, part: Part, mut before: Vec<Col>, is_shared: bool) -> Row {
        before.extend(self.cols);
        let key = Key { part, cols: Cols(before) };
        let at = if is_shared { Next(1) } else { self.at };
        Row { key, at, value: self.value.map(Bytes::copy_from_slice), expires: self.expires }
    }
}

/// Takes a row of an answer apart: the clustering columns from `skipped` on, then what `text::told` asks for.
/// `Ok(None)`: nothing is left of the row. An error says what is wrong.
pub(super) fn found<'a>(
    mut row: ColumnIterator<'a, '_>,
    shape: &Shape,
    skipped: usize,
    has_value: bool,
) -> Result<Option<Found<'a>>, String> {
    let columns = shape.columns.iter().skip(skipped);
    let cols = columns.map(|Column(name, sort)| col(*sort, next(&mut row)?, name)).collect::<Result<Vec<_>, _>>()?;
    let value = if has_value { next(&mut row)? } else { None };
    let written_at = long(next(&mut row)?)?;
    let (expires, told_at) = (long(next(&mut row)?)?, long(next(&mut row)?)?);
    let Some(written_at) = written_at else { return Ok(None) };
    if has_value && value.is_none() {
        return Err("a row has no value".to_owned());
    }
    let at = Next(written_at.cast_unsigned() & AT_MAX);
    // A row that expires no more is written without `e`: what stands there is of an earlier one.
    let expires = expires.filter(|_| told_at == Some(written_at)).map(Millis);
    Ok(Some(Found { cols, value: value.map(|slice| slice.as_slice()), at, expires }))
}

fn next<'a>(row: &mut ColumnIterator<'a, '_>) -> Result<Option<FrameSlice<'a>>, String> {
    let column = row.next().ok_or("an answer has too few columns")?;
    Ok(column.map_err(|error| error.to_string())?.slice)
}

fn col(sort: Sort, slice: Option<FrameSlice<'_>>, name: &str) -> Result<Col, String> {
    let absent = || format!("a row has no {name}");
    match sort {
        Sort::Int => long(slice)?.map(Col::Int).ok_or_else(absent),
        Sort::IntDesc => long(slice)?.map(Col::IntDesc).ok_or_else(absent),
        Sort::Text => {
            let bytes = slice.ok_or_else(absent)?.as_slice();
            let text = std::str::from_utf8(bytes).map_err(|_| format!("{name} is not UTF-8"))?;
            Ok(Col::Text(text.to_owned()))
        }
    }
}

fn long(slice: Option<FrameSlice<'_>>) -> Result<Option<i64>, String> {
    let bytes = slice.map(|slice| slice.as_slice().try_into()).transpose();
    Ok(bytes.map_err(|_| "a number is not of eight bytes".to_owned())?.map(i64::from_be_bytes))
}
