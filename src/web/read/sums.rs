//! Sums of a creator over any spans, exact: whole months and days where a span holds them, quarter hours and minutes
//! at its edges.

use bytes::Bytes;

use super::{At, Stamp};
use crate::ids::Millis;
use crate::project::rows::{CreatorRow, SeriesRow, TotalsRow};
use crate::project::tables::{self, Class};
use crate::project::totals::Totals;
use crate::store::{Bound, Col, Cols, Key, Range, Row, Store};
use crate::web::calendar::{Interval, QUARTER, Span};
use crate::web::problem::Problem;

/// Rows of one month: 31 days of 24 hours, and the parts that hold breakdowns.
const MONTH_ROWS_MAX: usize = 20_000;

/// A span and where it is cut into buckets.
struct Cuts<'c> {
    span: Span,
    /// Where the buckets begin, in order, the first at the span's own beginning.
    starts: &'c [Millis],
    sums: Vec<Totals>,
}

impl Cuts<'_> {
    /// Whether all of `part` lies inside one bucket.
    fn is_of_one(&self, part: Span) -> bool {
        let first = self.starts.partition_point(|start| *start <= part.from);
        self.span.covers(part) && self.starts.get(first).is_none_or(|next| part.to <= *next)
    }

    fn add(&mut self, instant: Millis, totals: &Totals) {
        let behind = self.starts.partition_point(|start| *start <= instant);
        if let Some(sum) = behind.checked_sub(1).and_then(|place| self.sums.get_mut(place)) {
            sum.add(totals);
        }
    }
}

/// How the rows of a table cut time.
struct Grid {
    /// A row.
    unit: i64,
    /// A slot of a row.
    slot: i64,
}

const DAYS: Grid = Grid { unit: Millis::DAY, slot: QUARTER };
const HOURS: Grid = Grid { unit: Millis::HOUR, slot: Millis::MINUTE };

/// The sum of all of `span`.
pub(super) async fn sum<S: Store>(at: &At<'_, S>, span: Span) -> Result<Totals, Problem> {
    let sums = sums(at, span, &[span.from], Interval::Day).await?;
    Ok(sums.into_iter().next().unwrap_or_default())
}

/// The sum of each bucket of `span`: one begins at each of `starts`, the first of which is `span.from`.
pub(super) async fn sums<S: Store>(
    at: &At<'_, S>,
    span: Span,
    starts: &[Millis],
    interval: Interval,
) -> Result<Vec<Totals>, Problem> {
    let mut cuts = Cuts { span, starts, sums: vec![Totals::default(); starts.len()] };
    let span = span.and(known(&at.row));
    match interval {
        Interval::Minute => {
            check_minutes(at, span)?;
            by_hours(at, span, &mut cuts).await?;
        }
        Interval::Hour | Interval::Day | Interval::Week | Interval::Month | Interval::Quarter | Interval::Year => {
            by_months(at, span, &mut cuts).await?;
        }
    }
    Ok(cuts.sums)
}

/// Whether every day that ended before the creator's watermark has its rows: they follow slower than the creator's own.
pub(super) async fn seals_are_written<S: Store>(at: &At<'_, S>) -> Result<bool, Problem> {
    if at.has(at.row.at, Class::Slow) {
        return Ok(true);
    }
    // A busy creator is always a little ahead of its sums: yesterday's row tells that yesterday is written.
    let yesterday = tables::day(at.p, &at.id, tables::day_of(at.row.watermark()) - 1);
    let row = at.store.get(&[yesterday]).await?.into_iter().flatten().next();
    Ok(row.is_some_and(|row| at.has(row.at, Class::Slow)))
}

/// Months that are over and inside one bucket by their rows, what is between them by days.
async fn by_months<S: Store>(at: &At<'_, S>, span: Span, cuts: &mut Cuts<'_>) -> Result<(), Problem> {
    // Below that a range saves nothing by them.
    const WORTH: i64 = 62 * Millis::DAY;
    let mut from = span.from;
    if span.length() >= WORTH && seals_are_written(at).await? {
        let over = Span { from: span.from, to: Millis(tables::day_of(at.row.watermark()) * Millis::DAY) };
        let wanted = months_in(span.and(over), cuts);
        let keys: Vec<Key> =
            wanted.iter().map(|month| tables::month(at.p, &at.id, tables::month_of(month.from))).collect();
        for (month, row) in wanted.into_iter().zip(at.store.get(&keys).await?) {
            by_days(at, Span { from, to: month.from }, cuts).await?;
            // A month in which nothing happened has no row.
            if let Some(bytes) = row.and_then(|row| row.value) {
                cuts.add(month.from, &TotalsRow::decode(&bytes)?.totals);
            }
            from = month.to;
        }
    }
    by_days(at, Span { from, to: span.to }, cuts).await
}

/// The UTC months of `span` that no bucket cuts, in order.
fn months_in(span: Span, cuts: &Cuts<'_>) -> Vec<Span> {
    let mut months = Vec::new();
    let mut from = span.from;
    while from < span.to {
        let month = Span { from, to: next_month(from) };
        let is_whole = tables::month_of(Millis(from.0 - 1)) != tables::month_of(from) && span.covers(month);
        if is_whole && cuts.is_of_one(month) {
            months.push(month);
        }
        from = month.to;
    }
    months
}

/// The UTC days in which anything may be booked: nothing is before the first record, or after the clock.
pub(super) fn known(creator: &CreatorRow) -> Span {
    let from = Millis(tables::day_of(creator.coverage_start) * Millis::DAY);
    Span { from, to: Millis((tables::day_of(creator.clock) + 1) * Millis::DAY) }
}

/// The first day whose hours are all kept.
fn hours_from<S>(at: &At<'_, S>) -> Millis {
    let expired = at.row.watermark().0 - tables::HOUR_KEPT;
    Millis((tables::day_of(Millis(expired)) + 1) * Millis::DAY)
}

/// A zero must not stand where minutes were once and are kept no more.
fn check_minutes<S>(at: &At<'_, S>, span: Span) -> Result<(), Problem> {
    let from = hours_from(at);
    if span.from >= from || span.is_empty() {
        return Ok(());
    }
    let days = tables::HOUR_KEPT / Millis::DAY;
    let detail = format!("minutes are kept for {days} days, here from {} on; ask by hour", Stamp(from));
    Err(Problem::not_kept(detail, Interval::ALL.into_iter().skip(1).map(Interval::name).collect()))
}

/// Sealed days by their rows, the others by their hours.
async fn by_days<S: Store>(at: &At<'_, S>, span: Span, cuts: &mut Cuts<'_>) -> Result<(), Problem> {
    if span.is_empty() {
        return Ok(());
    }
    let kept = Span { from: hours_from(at), to: Millis(i64::MAX) };
    let mut covered = span.from;
    for (number, row) in rows(at, span, &DAYS, |day| tables::day(at.p, &at.id, day)).await? {
        let start = Millis(number * Millis::DAY);
        // A day that is over and has no row is empty. One whose hours are kept may not be over.
        by_hours(at, Span { from: covered, to: start }.and(kept), cuts).await?;
        covered = Millis(start.0 + Millis::DAY);
        if !take(&DAYS, start, &row, cuts)? {
            let day = Span { from: start, to: covered }.and(span);
            check_quarters(at, day)?;
            by_hours(at, day, cuts).await?;
        }
    }
    by_hours(at, Span { from: covered, to: span.to }.and(kept), cuts).await
}

/// Some zones changed their clocks a minute past the hour, most of them until 2011: no quarter hour tells the two
/// hours apart.
fn check_quarters<S>(at: &At<'_, S>, day: Span) -> Result<(), Problem> {
    if day.from >= hours_from(at) {
        return Ok(());
    }
    let detail = format!(
        "on the day from {} on the zone changed its clock inside a quarter hour, and minutes are kept no more; ask \
         by day",
        Stamp(day.from)
    );
    Err(Problem::not_kept(detail, Interval::ALL.into_iter().skip(2).map(Interval::name).collect()))
}

async fn by_hours<S: Store>(at: &At<'_, S>, span: Span, cuts: &mut Cuts<'_>) -> Result<(), Problem> {
    for (number, row) in rows(at, span, &HOURS, |hour| tables::hour(at.p, &at.id, hour)).await? {
        let start = Millis(number * Millis::HOUR);
        let taken = take(&HOURS, start, &row, cuts)?;
        assert!(taken, "bounds and clock changes since 2000 lie on minutes");
    }
    Ok(())
}

/// Adds what the row that begins at `start` holds of the span, or nothing: `false` when a bucket begins inside one
/// of its slots.
fn take(grid: &Grid, start: Millis, row: &Bytes, cuts: &mut Cuts<'_>) -> Result<bool, Problem> {
    let whole = Span { from: start, to: Millis(start.0 + grid.unit) };
    if cuts.is_of_one(whole) {
        cuts.add(start, &SeriesRow::decode_totals(row)?);
        return Ok(true);
    }
    let slots = SeriesRow::decode(row)?.slots.into_iter().map(|(number, totals)| {
        let from = Millis(start.0 + i64::from(number) * grid.slot);
        (Span { from, to: Millis(from.0 + grid.slot) }, totals)
    });
    let inside: Vec<(Span, Totals)> = slots.filter(|(slot, _)| !slot.and(cuts.span).is_empty()).collect();
    if !inside.iter().all(|(slot, _)| cuts.is_of_one(*slot)) {
        return Ok(false);
    }
    for (slot, totals) in inside {
        cuts.add(slot.from, &totals);
    }
    Ok(true)
}

/// The rows that overlap `span`, in order, each with its number since 1970.
async fn rows<S: Store>(
    at: &At<'_, S>,
    span: Span,
    grid: &Grid,
    key: impl Fn(i64) -> Key,
) -> Result<Vec<(i64, Bytes)>, Problem> {
    let mut found = Vec::new();
    let mut from = span.from;
    while from < span.to {
        let to = next_month(from).min(span.to);
        let number = |n: i64| Cols(vec![Col::Text(at.id.clone()), Col::Int(n)]);
        let first = from.0.div_euclid(grid.unit);
        let end = (to.0 - 1).div_euclid(grid.unit) + 1;
        let range = Range {
            part: key(first).part,
            from: Bound::Included(number(first)),
            to: Bound::Excluded(number(end)),
            reverse: false,
            limit: 0,
        };
        found.extend(at.scan(range, MONTH_ROWS_MAX).await?.into_iter().filter_map(totals_of));
        from = to;
    }
    Ok(found)
}

/// Part 0 holds the totals; other parts, breakdowns.
fn totals_of(row: Row) -> Option<(i64, Bytes)> {
    match row.key.cols.0.as_slice() {
        [_, Col::Int(number), Col::Int(0)] => Some((*number, row.value?)),
        _ => None,
    }
}

/// The first instant of the next UTC month.
pub(super) fn next_month(t: Millis) -> Millis {
    // Day 32 counted from the first of any month lies in the next one.
    let month = tables::month_of(t);
    let mut day = tables::day_of(t) + 1;
    while tables::month_of(Millis(day * Millis::DAY)) == month {
        day += 1;
    }
    Millis(day * Millis::DAY)
}
