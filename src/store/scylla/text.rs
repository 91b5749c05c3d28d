//! The texts of the statements that read and write rows. Pure. Values are bound in the order in which their marks stand.

use super::ddl::{partition, quoted, table_name};
use super::shape::{Column, Shape, Sort};
use super::slice::{End, Slice};

/// What a statement does, as far as its text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// Stamp, value, key.
    Put,
    /// Stamp, value, expiry, key.
    PutExpiring,
    /// Stamp, key.
    Delete,
    /// Value, key, expected value.
    Swap,
    /// All columns of the key but the last, then a list of its values.
    In,
    Scan(Scan),
}

/// A slice without its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Scan {
    /// Columns that are equal.
    pub(super) equal: usize,
    pub(super) from: Option<Edge>,
    pub(super) to: Option<Edge>,
    pub(super) is_reversed: bool,
    /// Else only when rows were written and expire.
    pub(super) has_value: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Edge {
    Included,
    Excluded,
}

impl Scan {
    pub(super) fn of(slice: &Slice, is_reversed: bool, has_value: bool) -> Self {
        let edge = |end: &End| if end.is_included { Edge::Included } else { Edge::Excluded };
        let (from, to) = (slice.from.as_ref().map(edge), slice.to.as_ref().map(edge));
        Self { equal: slice.equal.len(), from, to, is_reversed, has_value }
    }
}

pub(super) fn text(kind: Kind, keyspace: &str, shape: &Shape, generation: u32) -> String {
    let table = format!("\"{keyspace}\".\"{}\"", table_name(shape, generation));
    let key = equal(shape, shape.columns.len());
    match kind {
        Kind::Put => format!("UPDATE {table} USING TIMESTAMP ? SET \"v\" = ? WHERE {key}"),
        Kind::PutExpiring => format!("UPDATE {table} USING TIMESTAMP ? SET \"v\" = ?, \"e\" = ? WHERE {key}"),
        Kind::Delete => format!("DELETE FROM {table} USING TIMESTAMP ? WHERE {key}"),
        Kind::Swap => format!("UPDATE {table} SET \"v\" = ? WHERE {key} IF \"v\" = ?"),
        Kind::In => {
            let before = shape.columns.len().saturating_sub(1);
            let last: String = shape
                .columns
                .iter()
                .skip(before)
                .map(|Column(name, _)| format!(" AND {} IN ?", quoted(name)))
                .collect();
            format!("SELECT {} FROM {table} WHERE {}{last}", told(shape, before, true), equal(shape, before))
        }
        Kind::Scan(scan) => format!(
            "SELECT {} FROM {table} WHERE {}{}{}",
            told(shape, scan.equal, scan.has_value),
            equal(shape, scan.equal),
            edges(shape, scan),
            if scan.is_reversed { backwards(shape) } else { String::new() },
        ),
    }
}

/// Columns of the key from `skipped` on, the value, its stamp, expiry and the stamp of that.
fn told(shape: &Shape, skipped: usize, has_value: bool) -> String {
    let mut names: Vec<String> = shape.columns.iter().skip(skipped).map(|Column(name, _)| quoted(name)).collect();
    names.extend(has_value.then(|| quoted("v")));
    names.extend(["WRITETIME(\"v\")", "\"e\"", "WRITETIME(\"e\")"].map(str::to_owned));
    names.join(", ")
}

/// The partition and the first `count` columns.
fn equal(shape: &Shape, count: usize) -> String {
    let names = partition(shape).chain(shape.columns.iter().take(count).map(|Column(name, _)| *name));
    names.map(|name| format!("\"{name}\" = ?")).collect::<Vec<_>>().join(" AND ")
}

fn edges(shape: &Shape, scan: Scan) -> String {
    let Some(Column(name, sort)) = shape.columns.get(scan.equal) else { return String::new() };
    let sign = |edge: Edge, is_from: bool| {
        // What comes first in a column that sorts downwards is greater.
        let is_greater = match sort {
            Sort::Int | Sort::Text => is_from,
            Sort::IntDesc => !is_from,
        };
        match (edge, is_greater) {
            (Edge::Included, true) => ">=",
            (Edge::Excluded, true) => ">",
            (Edge::Included, false) => "<=",
            (Edge::Excluded, false) => "<",
        }
    };
    let end = |edge: Option<Edge>, is_from| {
        edge.map(|edge| format!(" AND \"{name}\" {} ?", sign(edge, is_from))).unwrap_or_default()
    };
    end(scan.from, true) + &end(scan.to, false)
}

fn backwards(shape: &Shape) -> String {
    let order = shape.columns.iter().map(|Column(name, sort)| format!("\"{name}\" {}", sort.reversed()));
    format!(" ORDER BY {}", order.collect::<Vec<_>>().join(", "))
}
