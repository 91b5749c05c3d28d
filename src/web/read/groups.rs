//! Sums of groups over a span: sealed days by their rows, the others by their hours.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::At;
use crate::fold::groups::dimension::Axis;
use crate::ids::Millis;
use crate::project::groups::{Breakdowns, Group, GroupsRow, PartRow, Value};
use crate::project::rows::SeriesRow;
use crate::project::tables::{self, GROUPS, LATE};
use crate::project::totals::Totals;
use crate::store::{Bound, Col, Cols, Key, Range, Row, Store};
use crate::web::calendar::Span;
use crate::web::problem::{Kind, Problem};

/// Rows asked for at once.
const KEYS_MAX: usize = 256;
/// Days whose hours are asked for one by one; more are looked through for those that there are.
const DAYS_BY_HOUR: i64 = 2;
/// Rows of the hours of a month, with those of their breakdowns.
const MONTH_ROWS_MAX: usize = 31 * 24 * 21;
/// How often rows are read again that were written meanwhile.
const TRIES: usize = 5;

/// The figures of a span by group.
#[derive(Default)]
pub(super) struct Found {
    pub(super) total: Totals,
    /// The values of each group; its second is of the second dimension, if there is one.
    pub(super) groups: BTreeMap<(Value, Option<Value>), Totals>,
    /// An hour or day that has figures and does not keep the pair.
    pub(super) unkept: Option<Millis>,
    /// Some of it is of a day whose row is not written yet.
    pub(super) is_open: bool,
}

/// How the rows of a table cut time.
struct Grid {
    unit: i64,
    /// A slot of the totals, and of the groups.
    slot: i64,
    key: fn(crate::ids::Partition, &str, i64, u16) -> Key,
    /// Where the breakdowns begin that are added up.
    parts: &'static [u16],
}

/// A row's slots are quarter hours.
const DAYS: Grid = Grid { unit: Millis::DAY, slot: QUARTER, key: tables::day_part, parts: &[0, LATE] };
/// A row's slots are minutes; of groups, quarter hours.
const HOURS: Grid = Grid { unit: Millis::HOUR, slot: Millis::MINUTE, key: tables::hour_part, parts: &[0] };

const QUARTER: i64 = 15 * Millis::MINUTE;

/// A row and its groups.
struct Pair {
    number: i64,
    row: Bytes,
    /// `None`: the pair of dimensions is not kept there.
    groups: Option<Vec<Group>>,
}

/// The bounds of `span` lie on quarter hours.
pub(super) async fn sums<S: Store>(at: &At<'_, S>, span: Span, axis: Axis) -> Result<Found, Problem> {
    for _ in 0..TRIES {
        if let Some(found) = once(at, span, axis).await? {
            return Ok(found);
        }
    }
    Err(Problem::retry(Kind::Overloaded, "the figures change faster than they can be read; ask again", 1))
}

/// `None`: rows were written between the reads.
async fn once<S: Store>(at: &At<'_, S>, span: Span, axis: Axis) -> Result<Option<Found>, Problem> {
    let mut found = Found::default();
    let days: Vec<i64> = units(span, Millis::DAY).collect();
    let mut missing = Vec::new();
    let Some(rows) = rows(at, &DAYS, &days, axis).await? else { return Ok(None) };
    let mut rows = rows.into_iter().peekable();
    for day in days {
        match rows.next_if(|pair| pair.number == day) {
            Some(pair) => found.take(&DAYS, span, pair)?,
            None => missing.push(day),
        }
    }
    for stretch in missing.chunk_by(|day, next| *next == day + 1) {
        let (Some(first), Some(last)) = (stretch.first(), stretch.last()) else { continue };
        let inside = Span {
            from: span.from.max(Millis(first * Millis::DAY)),
            to: span.to.min(Millis((last + 1) * Millis::DAY)),
        };
        let hours = if last - first < DAYS_BY_HOUR {
            units(inside, Millis::HOUR).collect()
        } else {
            hours_of(at, inside).await?
        };
        let Some(pairs) = self::rows(at, &HOURS, &hours, axis).await? else { return Ok(None) };
        let mut open: Vec<i64> = pairs.iter().map(|pair| pair.number.div_euclid(24)).collect();
        open.dedup();
        // A day that was sealed since it was looked for: what came late of it is not in its hours.
        if self::rows(at, &DAYS, &open, axis).await?.is_none_or(|sealed| !sealed.is_empty()) {
            return Ok(None);
        }
        for pair in pairs {
            found.take(&HOURS, span, pair)?;
        }
    }
    found.fill(axis);
    Ok(Some(found))
}

/// The numbers since 1970 of the units that overlap `span`.
fn units(span: Span, unit: i64) -> std::ops::RangeInclusive<i64> {
    span.from.0.div_euclid(unit)..=(span.to.0 - 1).div_euclid(unit)
}

/// The hours of `span` that have a row.
async fn hours_of<S: Store>(at: &At<'_, S>, span: Span) -> Result<Vec<i64>, Problem> {
    let mut found = Vec::new();
    let mut hours = units(span, Millis::HOUR).peekable();
    while let Some(first) = hours.next() {
        let part = tables::hour(at.p, &at.id, first).part;
        let mut last = first;
        while let Some(hour) = hours.next_if(|hour| tables::hour(at.p, &at.id, *hour).part == part) {
            last = hour;
        }
        let number = |hour: i64| Cols(vec![Col::Text(at.id.clone()), Col::Int(hour)]);
        let range = Range {
            part,
            from: Bound::Included(number(first)),
            to: Bound::Included(number(last)),
            reverse: false,
            limit: 0,
        };
        let rows = at.scan(range, MONTH_ROWS_MAX).await?;
        found.extend(rows.iter().filter_map(|row| match row.key.cols.0.as_slice() {
            [_, Col::Int(hour), Col::Int(0)] => Some(*hour),
            _ => None,
        }));
    }
    Ok(found)
}

/// The rows of these numbers that there are, in order; `None`: some were being written.
async fn rows<S: Store>(
    at: &At<'_, S>,
    grid: &Grid,
    numbers: &[i64],
    axis: Axis,
) -> Result<Option<Vec<Pair>>, Problem> {
    let mut found = Vec::new();
    for some in numbers.chunks(KEYS_MAX / grid.rows()) {
        let Some(pairs) = read(at, grid, some, axis).await? else { return Ok(None) };
        found.extend(pairs);
    }
    Ok(Some(found))
}

impl Grid {
    /// Rows that may have to be read of an hour or a day.
    const fn rows(&self) -> usize {
        1 + 2 * self.parts.len()
    }
}

/// A row and its parts are written together, but may be read between two writings.
async fn read<S: Store>(
    at: &At<'_, S>,
    grid: &Grid,
    numbers: &[i64],
    axis: Axis,
) -> Result<Option<Vec<Pair>>, Problem> {
    let parts = grid.parts.iter().flat_map(|first| [first + GROUPS, first + u16::from(axis.part())]);
    let parts: Vec<u16> = std::iter::once(0).chain(parts).collect();
    let keys_of = |number: &i64| parts.iter().map(|part| (grid.key)(at.p, &at.id, *number, *part)).collect::<Vec<_>>();
    let keys: Vec<Key> = numbers.iter().flat_map(keys_of).collect();
    let (rows, mut found) = (at.store.get(&keys).await?, Vec::new());
    for (number, rows) in numbers.iter().zip(rows.chunks(grid.rows())) {
        let [Some(row), parts @ ..] = rows else { continue };
        if row.expires.is_some_and(|expires| expires <= at.row.watermark()) {
            continue;
        }
        let Some(pair) = pair(*number, (row, parts), axis)? else { return Ok(None) };
        found.push(pair);
    }
    Ok(Some(found))
}

/// `None`: a part was written at another time. `parts`: breakdowns, and those of the axis; then what came late.
fn pair(number: i64, (row, parts): (&Row, &[Option<Row>]), axis: Axis) -> Result<Option<Pair>, Problem> {
    let row = row.value.clone().unwrap_or_default();
    let (mut newest, mut is_kept, mut groups) = (None, true, Vec::new());
    for parts in parts.chunks(2) {
        let [Some(Row { value: Some(value), .. }), part] = parts else { continue };
        let GroupsRow { at, breakdowns } = GroupsRow::decode(value)?;
        newest = newest.max(Some(at));
        let (pairs, found) = match breakdowns {
            Breakdowns::Bare => continue,
            Breakdowns::Here { pairs, axes } => {
                (pairs, axes.into_iter().find(|(there, _)| *there == axis).map(|(_, groups)| groups))
            }
            Breakdowns::Apart { pairs, axes } if axes.contains(&axis) => {
                let Some(part) = part.as_ref().filter(|part| part.at == at) else { return Ok(None) };
                (pairs, Some(PartRow::decode(part.value.as_deref().unwrap_or_default())?.groups))
            }
            Breakdowns::Apart { pairs, .. } => (pairs, None),
        };
        is_kept &= axis.b.is_none() || pairs.contains(&axis);
        groups.extend(found.unwrap_or_default());
    }
    let is_whole = newest == SeriesRow::decode_groups(&row)?;
    Ok(is_whole.then(|| Pair { number, row, groups: is_kept.then_some(groups) }))
}

impl Found {
    /// Adds what the pair holds of `span`.
    fn take(&mut self, grid: &Grid, span: Span, pair: Pair) -> Result<(), Problem> {
        let start = Millis(pair.number * grid.unit);
        let covers = |from: i64, length: i64| span.from.0 <= from && from + length <= span.to.0;
        let mut total = Totals::default();
        if covers(start.0, grid.unit) {
            total = SeriesRow::decode_totals(&pair.row)?;
        } else {
            let slots = SeriesRow::decode(&pair.row)?.slots.into_iter();
            let at = |slot: u16| start.0 + i64::from(slot) * grid.slot;
            slots.filter(|(slot, _)| covers(at(*slot), grid.slot)).for_each(|(_, sums)| total.add(&sums));
        }
        if pair.groups.is_none() && !total.is_zero() {
            self.unkept.get_or_insert(start);
        }
        self.is_open |= grid.unit == HOURS.unit && !total.is_zero();
        self.total.add(&total);
        for group in pair.groups.unwrap_or_default() {
            let at = |slot: u16| start.0 + i64::from(slot) * QUARTER;
            let mut inside = group.slots.iter().filter(|(slot, _)| covers(at(*slot), QUARTER)).peekable();
            if inside.peek().is_some() {
                let sums = self.groups.entry((group.a, group.b)).or_default();
                inside.for_each(|(_, slot)| sums.add(slot));
            }
        }
        Ok(())
    }

    /// What no value is known of is what the others leave.
    fn fill(&mut self, axis: Axis) {
        // What came late may have taken away all there was.
        self.groups.retain(|_, sums| !sums.is_zero());
        let mut rest = self.total.clone();
        for sums in self.groups.values() {
            rest.subtract(sums);
        }
        if !rest.is_zero() {
            self.groups.insert((Value::None, axis.b.map(|_| Value::None)), rest);
        }
    }
}
