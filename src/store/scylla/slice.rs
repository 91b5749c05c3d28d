//! A range as slices that a CQL server reads one after the other: some leading columns equal, one between two ends.
//!
//! Where columns sort in different directions, tuples as bounds mean different things in ScyllaDB and in Cassandra,
//! so none are used.

use std::cmp::Ordering;

use super::shape::{Column, Shape};
use crate::project::key::{Bound, Col, Range};

/// The rows whose first columns are `equal` and whose next one lies between the ends, in the order of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) equal: Vec<Col>,
    pub(super) from: Option<End>,
    pub(super) to: Option<End>,
}

/// An end of a column's values, in the order of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct End {
    pub(super) col: Col,
    pub(super) is_included: bool,
}

/// Slices in the order of the range, without a row twice.
pub(super) fn slices(range: &Range) -> Vec<Slice> {
    let ((from, with_from), (to, with_to)) = (ends(&range.from), ends(&range.to));
    let common = from.iter().zip(to).take_while(|(a, b)| a == b).count();
    let mut slices = match (from.get(common), to.get(common)) {
        // An end that the other begins with takes all of it in, or none.
        (None, None) if with_from && with_to => vec![Slice { equal: from.to_vec(), from: None, to: None }],
        (None, Some(_)) if with_from => upto(to, common, with_to),
        (Some(_), None) if with_to => beyond(from, common, with_from),
        (Some(first), Some(last)) if order(first, last) == Ordering::Less => {
            between((from, with_from), (to, with_to), common)
        }
        (None | Some(_), None | Some(_)) => Vec::new(),
    };
    if range.reverse {
        slices.reverse();
    }
    slices
}

/// Columns of a bound, and whether what begins with them is inside.
fn ends(bound: &Bound) -> (&[Col], bool) {
    match bound {
        Bound::Unbounded => (&[], true),
        Bound::Included(cols) => (&cols.0, true),
        Bound::Excluded(cols) => (&cols.0, false),
    }
}

/// From column `common` on both ends go apart.
fn between((from, with_from): (&[Col], bool), (to, with_to): (&[Col], bool), common: usize) -> Vec<Slice> {
    let mut lower = beyond(from, common, with_from);
    let mut upper = upto(to, common, with_to).into_iter();
    // The last of the one and the first of the other are about the same column: they are one slice.
    if let (Some(last), Some(first)) = (lower.last_mut(), upper.next()) {
        last.to = first.to;
    }
    lower.extend(upper);
    lower
}

/// What begins with the first `common` columns of `from` and lies at or behind all of it, deepest first.
fn beyond(from: &[Col], common: usize, with_from: bool) -> Vec<Slice> {
    let deepest = from.len().saturating_sub(1);
    let slice = |place: usize, col: &Col| {
        let end = End { col: col.clone(), is_included: with_from && place == deepest };
        Slice { equal: from.iter().take(place).cloned().collect(), from: Some(end), to: None }
    };
    from.iter().enumerate().skip(common).map(|(place, col)| slice(place, col)).rev().collect()
}

/// What begins with the first `common` columns of `to` and lies before all of it, or in it, deepest last.
fn upto(to: &[Col], common: usize, with_to: bool) -> Vec<Slice> {
    let deepest = to.len().saturating_sub(1);
    let slice = |place: usize, col: &Col| {
        let end = End { col: col.clone(), is_included: with_to && place == deepest };
        Slice { equal: to.iter().take(place).cloned().collect(), from: None, to: Some(end) }
    };
    to.iter().enumerate().skip(common).map(|(place, col)| slice(place, col)).collect()
}

/// As the table sorts them.
fn order(one: &Col, other: &Col) -> Ordering {
    match (one, other) {
        (Col::Int(one), Col::Int(other)) => one.cmp(other),
        (Col::IntDesc(one), Col::IntDesc(other)) => other.cmp(one),
        (Col::Text(one), Col::Text(other)) => one.cmp(other),
        // Columns of one place are of one kind: `fits` has looked.
        (Col::Int(_) | Col::IntDesc(_) | Col::Text(_), _) => Ordering::Equal,
    }
}

/// Whether columns are of the table's kinds, as many as it has or, for a bound, fewer.
pub(super) fn fits(shape: &Shape, cols: &[Col]) -> bool {
    cols.len() <= shape.columns.len() && cols.iter().zip(shape.columns).all(|(col, Column(_, sort))| sort.is_of(col))
}
