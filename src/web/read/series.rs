//! Sums over time, exact: whole days and hours where a span covers them, their slots at its edges.

use bytes::Bytes;
use serde::Serialize;

use super::figures::{COUNTS, CountMetric, MOVED, MoneyMetric, currencies};
use super::{At, One, Stamp};
use crate::ids::{Currency, Millis};
use crate::project::rows::SeriesRow;
use crate::project::tables;
use crate::project::totals::Totals;
use crate::store::{Bound, Col, Cols, Key, Range, Row, Store};
use crate::web::problem::{Kind, Problem};
use crate::web::query::Query;
use crate::web::reply::{self, Reply};

/// Quarter hours compose every zone's hours and days.
const QUARTER: i64 = 15 * Millis::MINUTE;
/// Rows of one month: 31 days of 24 hours, and the parts that hold breakdowns.
const MONTH_ROWS_MAX: usize = 20_000;

/// `[from, to)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Millis,
    pub(super) to: Millis,
}

impl Span {
    /// What lies before `instant`, and the rest.
    fn cut(self, instant: Millis) -> (Self, Self) {
        let between = instant.clamp(self.from, self.to);
        (Self { from: self.from, to: between }, Self { from: between, to: self.to })
    }
}

/// The sums of an instant or a whole hour or day, at its start.
type Piece = (Millis, Totals);

/// The length of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interval {
    Minute,
    Hour,
    Day,
    Month,
}

#[derive(Serialize)]
struct Series {
    interval: &'static str,
    from: Stamp,
    to: Stamp,
    /// Where each bucket starts; the last one ends at `to`.
    starts: Vec<Stamp>,
    series: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    metric: &'static str,
    /// Of the values, in minor units, where they are money.
    currency: Option<String>,
    values: Vec<i128>,
}

impl Interval {
    const ALL: [Self; 4] = [Self::Minute, Self::Hour, Self::Day, Self::Month];

    const fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// Bounds lie on this grid.
    const fn grid(self) -> i64 {
        match self {
            Self::Minute => Millis::MINUTE,
            Self::Hour | Self::Day | Self::Month => QUARTER,
        }
    }

    pub(super) const fn days_max(self) -> i64 {
        match self {
            Self::Minute => 1,
            Self::Hour => 31,
            Self::Day => 732,
            Self::Month => 1_098,
        }
    }

    /// The first start of a bucket after `t`.
    fn after(self, t: Millis) -> Millis {
        let next = |step: i64| Millis((t.0.div_euclid(step) + 1) * step);
        match self {
            Self::Minute => next(Millis::MINUTE),
            Self::Hour => next(Millis::HOUR),
            Self::Day => next(Millis::DAY),
            Self::Month => next_month(t),
        }
    }
}

/// The first instant of the next UTC month.
fn next_month(t: Millis) -> Millis {
    // Day 32 counted from the first of any month lies in the next one.
    let month = tables::month_of(t);
    let mut day = tables::day_of(t) + 1;
    while tables::month_of(Millis(day * Millis::DAY)) == month {
        day += 1;
    }
    Millis(day * Millis::DAY)
}

pub(in crate::web) async fn timeseries<S: Store>(at: &At<'_, S>, query: &Query) -> Result<Reply, Problem> {
    let wanted = query.get("interval").unwrap_or("day");
    let Some(interval) = Interval::ALL.into_iter().find(|interval| interval.name() == wanted) else {
        let kept = Interval::ALL.into_iter().map(Interval::name).collect();
        return Err(Problem::not_kept(format!("there is no interval `{wanted}`"), kept));
    };
    let (counts, money) = metrics(query.get("metric"))?;
    let span = span(query, interval, at.now)?;
    let starts = starts(span, interval);
    let mut buckets = vec![Totals::default(); starts.len()];
    for (start, totals) in pieces(at, span, interval).await? {
        let place = starts.partition_point(|begin| *begin <= start);
        if let Some(bucket) = place.checked_sub(1).and_then(|place| buckets.get_mut(place)) {
            bucket.add(&totals);
        }
    }
    let data = Series {
        interval: interval.name(),
        from: Stamp(span.from),
        to: Stamp(span.to),
        starts: starts.into_iter().map(Stamp).collect(),
        series: lines(&buckets, &counts, &money, at.row.currency),
    };
    Ok(reply::json(&One { data, meta: at.meta() }))
}

/// The metrics named, all without a name.
fn metrics(wanted: Option<&str>) -> Result<(Vec<CountMetric>, Vec<MoneyMetric>), Problem> {
    let Some(wanted) = wanted else { return Ok((COUNTS.to_vec(), MOVED.to_vec())) };
    let names: Vec<&str> = wanted.split(',').map(str::trim).collect();
    let kept = || COUNTS.iter().map(|(name, _)| *name).chain(MOVED.iter().map(|(name, _)| *name));
    if let Some(unknown) = names.iter().find(|name| !kept().any(|known| known == **name)) {
        return Err(Problem::not_kept(format!("there is no series of `{unknown}`"), kept().collect()));
    }
    let counts = COUNTS.into_iter().filter(|(name, _)| names.contains(name)).collect();
    let money = MOVED.into_iter().filter(|(name, _)| names.contains(name)).collect();
    Ok((counts, money))
}

fn lines(buckets: &[Totals], counts: &[CountMetric], money: &[MoneyMetric], own: Currency) -> Vec<Line> {
    let mut lines: Vec<Line> = counts
        .iter()
        .map(|(metric, figure)| Line {
            metric,
            currency: None,
            values: buckets.iter().map(|bucket| figure(&bucket.counts).into()).collect(),
        })
        .collect();
    for currency in currencies(&buckets.iter().collect::<Vec<_>>(), own) {
        lines.extend(money.iter().map(|(metric, figure)| Line {
            metric,
            currency: Some(currency.as_str().to_owned()),
            values: buckets.iter().map(|bucket| figure(&bucket.money_in(currency))).collect(),
        }));
    }
    lines
}

/// `from` and `to`, on the interval's grid; the thirty days up to now (a day of minutes, a week of hours) without.
pub(super) fn span(query: &Query, interval: Interval, now: Millis) -> Result<Span, Problem> {
    let default_days = match interval {
        Interval::Minute => 1,
        Interval::Hour => 7,
        Interval::Day => 30,
        Interval::Month => 366,
    };
    let to = query.time("to")?.unwrap_or_else(|| Interval::Hour.after(now));
    let from = query.time("from")?.unwrap_or(Millis(to.0 - default_days * Millis::DAY));
    for (name, bound) in [("from", from), ("to", to)] {
        on_grid(name, bound, interval.grid())?;
    }
    if from >= to {
        return Err(Problem::parameter("from", "`from` must lie before `to`"));
    }
    if to.0 - from.0 > interval.days_max() * Millis::DAY {
        let detail =
            format!("by {} a range may span {} days; ask for a longer interval", interval.name(), interval.days_max());
        return Err(Problem::new(Kind::RangeTooLarge, detail));
    }
    Ok(Span { from, to })
}

fn on_grid(name: &str, bound: Millis, grid: i64) -> Result<(), Problem> {
    let below = bound.0.div_euclid(grid) * grid;
    if below == bound.0 {
        return Ok(());
    }
    let nearest = [Millis(below), Millis(below + grid)].map(|bound| Stamp(bound).to_string());
    let [low, high] = &nearest;
    let detail = format!("`{name}` must lie on {} minutes: {low} or {high}", grid / Millis::MINUTE);
    let mut problem = Problem::new(Kind::UnalignedBound, detail);
    problem.extra.parameter = Some(name.to_owned());
    problem.extra.nearest = Some(nearest);
    Err(problem)
}

fn starts(span: Span, interval: Interval) -> Vec<Millis> {
    let mut starts = Vec::new();
    let mut start = span.from;
    while start < span.to {
        starts.push(start);
        start = interval.after(start);
    }
    starts
}

/// Everything inside `span`, each piece inside one bucket of `interval`.
pub(super) async fn pieces<S: Store>(at: &At<'_, S>, span: Span, interval: Interval) -> Result<Vec<Piece>, Problem> {
    let mut found = Vec::new();
    match interval {
        Interval::Minute => {
            check_minutes(at, span)?;
            by_hours(at, span, false, &mut found).await?;
        }
        Interval::Hour => {
            let (of_days, of_hours) = span.cut(hours_from(at));
            by_quarters(at, of_days, &mut found).await?;
            by_hours(at, of_hours, true, &mut found).await?;
        }
        Interval::Day | Interval::Month => by_days(at, span, &mut found).await?,
    }
    Ok(found)
}

/// The first day whose hours are all kept.
fn hours_from<S>(at: &At<'_, S>) -> Millis {
    let expired = at.row.watermark().0 - tables::HOUR_KEPT;
    Millis((tables::day_of(Millis(expired)) + 1) * Millis::DAY)
}

/// A zero must not stand where minutes were once and are kept no more.
fn check_minutes<S>(at: &At<'_, S>, span: Span) -> Result<(), Problem> {
    let from = hours_from(at);
    if span.from >= from || at.row.coverage_start >= from {
        return Ok(());
    }
    let days = tables::HOUR_KEPT / Millis::DAY;
    let detail = format!("minutes are kept for {days} days, here from {} on; ask by hour", Stamp(from));
    Err(Problem::not_kept(detail, vec!["hour", "day", "month"]))
}

/// Hours that are kept no more, by the quarter hours of their days.
async fn by_quarters<S: Store>(at: &At<'_, S>, span: Span, found: &mut Vec<Piece>) -> Result<(), Problem> {
    let day = Grid { unit: Millis::DAY, slot: QUARTER, whole: false };
    let key = |day| tables::day(at.p, &at.id, day);
    for (number, row) in rows(at, span, &day, key).await? {
        day.take(span, number, &row, found)?;
    }
    Ok(())
}

/// Sealed days by their rows, the others by their hours.
async fn by_days<S: Store>(at: &At<'_, S>, span: Span, found: &mut Vec<Piece>) -> Result<(), Problem> {
    let day = Grid { unit: Millis::DAY, slot: QUARTER, whole: true };
    let key = |day| tables::day(at.p, &at.id, day);
    let mut covered = span.from;
    for (number, row) in rows(at, span, &day, key).await? {
        let start = Millis(number * Millis::DAY);
        if covered < start {
            by_hours(at, Span { from: covered, to: start }, true, found).await?;
        }
        day.take(span, number, &row, found)?;
        covered = Millis(start.0 + Millis::DAY);
    }
    if covered < span.to {
        by_hours(at, Span { from: covered, to: span.to }, true, found).await?;
    }
    Ok(())
}

async fn by_hours<S: Store>(at: &At<'_, S>, span: Span, whole: bool, found: &mut Vec<Piece>) -> Result<(), Problem> {
    let hour = Grid { unit: Millis::HOUR, slot: Millis::MINUTE, whole };
    let key = |hour| tables::hour(at.p, &at.id, hour);
    for (number, row) in rows(at, span, &hour, key).await? {
        hour.take(span, number, &row, found)?;
    }
    Ok(())
}

/// How the rows of a table cut time.
struct Grid {
    /// A row.
    unit: i64,
    /// A slot of a row.
    slot: i64,
    /// Whether a row inside the span may be taken as one piece.
    whole: bool,
}

impl Grid {
    /// Adds what `row`, of the number given since 1970, holds of `span`.
    fn take(&self, span: Span, number: i64, row: &Bytes, found: &mut Vec<Piece>) -> Result<(), Problem> {
        let start = Millis(number * self.unit);
        if self.whole && span.from <= start && start.0 + self.unit <= span.to.0 {
            found.push((start, SeriesRow::decode_totals(row)?));
            return Ok(());
        }
        for (slot, totals) in SeriesRow::decode(row)?.slots {
            let instant = Millis(start.0 + i64::from(slot) * self.slot);
            if span.from <= instant && instant < span.to {
                found.push((instant, totals));
            }
        }
        Ok(())
    }
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
