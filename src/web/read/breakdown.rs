//! A span's figures by one dimension, by a pair of them, or by member.
//!
//! Every group is in the answer, `(none)` and `(other)` included, and together they are the total.

use std::cmp::Reverse;

use serde::Serialize;

use super::figures::{COUNTS, Figures, MOVED};
use super::range;
use super::{At, Meta, Stamp, groups, member_groups};
use crate::fold::groups::dimension::{Axis, Dimension};
use crate::ids::{Currency, Millis};
use crate::project::totals::Totals;
use crate::store::Store;
use crate::web::calendar::{Interval, Span};
use crate::web::problem::{Kind, Problem};
use crate::web::query::{Query, cursor, malformed_cursor, read_cursor};
use crate::web::reply::{self, Reply};

/// Days of a breakdown at most: each is a row of its own.
const DAYS_MAX: i64 = 366;
/// A clock change may lengthen them by this much.
const CLOCK_CHANGE_MAX: i64 = 3 * Millis::HOUR;

/// The figures of a span by group.
pub(super) struct BrokenDown {
    pub(super) total: Totals,
    /// The labels of each group, one for each dimension asked for, and its figures.
    pub(super) groups: Vec<(Vec<String>, Totals)>,
}

#[derive(Serialize)]
struct Answer {
    data: Breakdown,
    next: Option<String>,
    meta: Meta,
}

#[derive(Serialize)]
struct Breakdown {
    by: Vec<&'static str>,
    from: Stamp,
    to: Stamp,
    /// What the groups are ordered by, the greatest first; money in the creator's currency.
    metric: &'static str,
    total: Figures,
    /// How many groups there are.
    count: usize,
    groups: Vec<Group>,
}

#[derive(Serialize)]
struct Group {
    /// In the order of `by`.
    values: Vec<String>,
    figures: Figures,
}

/// What groups are ordered by.
struct Metric {
    name: &'static str,
    value: Box<dyn Fn(&Totals) -> i128 + Send + Sync>,
}

pub(in crate::web) async fn breakdown<S: Store>(at: &At<'_, S>, query: &Query) -> Result<Reply, Problem> {
    let limit = query.limit(100, 1_000)?;
    let metric = metric(query, at.row.currency)?;
    let by = query.get("by").unwrap_or("platform");
    let asked = match (query.get("from"), query.get("to")) {
        (None, None) if by == "member" => member_groups::lately(at),
        _ => asked(at, query)?,
    };
    let list = format!("breakdown {by} {}", metric.name);
    let after = read_cursor::<2>(query, &list)?;
    let (by, found) = if by == "member" {
        (vec!["member"], member_groups::by_member(at, asked).await?)
    } else {
        let (axis, by) = axis_of(at, by)?;
        (by.iter().map(|dimension| dimension.name()).collect(), by_axis(at, asked, axis, &by).await?)
    };
    answer(at, (by, asked), found, &metric, (&list, after, limit))
}

/// The span asked for, in whole quarter hours.
fn asked<S>(at: &At<'_, S>, query: &Query) -> Result<Span, Problem> {
    let zone = range::zone(query, &at.row.time_zone)?;
    let asked = range::range(query, &zone, Interval::Day, at.now)?;
    if asked.length() > DAYS_MAX * Millis::DAY + CLOCK_CHANGE_MAX {
        let detail = format!("a breakdown may span {DAYS_MAX} days; ask for a shorter range");
        return Err(Problem::new(Kind::RangeTooLarge, detail));
    }
    Ok(asked)
}

fn metric(query: &Query, own: Currency) -> Result<Metric, Problem> {
    let wanted = query.get("metric").unwrap_or("clicks_human");
    if let Some((name, figure)) = COUNTS.into_iter().find(|(name, _)| *name == wanted) {
        return Ok(Metric { name, value: Box::new(move |totals| figure(&totals.counts).into()) });
    }
    if let Some((name, figure)) = MOVED.into_iter().find(|(name, _)| *name == wanted) {
        return Ok(Metric { name, value: Box::new(move |totals| figure(&totals.money_in(own))) });
    }
    let kept = COUNTS.iter().map(|(name, _)| *name).chain(MOVED.iter().map(|(name, _)| *name)).collect();
    Err(Problem::not_kept(format!("groups are not ordered by `{wanted}`"), kept))
}

/// The axis, and its dimensions as they were asked for.
fn axis_of<S>(at: &At<'_, S>, by: &str) -> Result<(Axis, Vec<Dimension>), Problem> {
    let dimensions: Option<Vec<Dimension>> = by.split(',').map(|name| Dimension::parse(name.trim())).collect();
    let known = Axis::parse(by).zip(dimensions);
    known.filter(|(axis, _)| axis.b.is_none() || pairs(at).contains(axis)).ok_or_else(|| not_kept(at, by, ""))
}

fn pairs<S>(at: &At<'_, S>) -> Vec<Axis> {
    at.row.pairs.iter().filter_map(|part| Axis::of_part(*part)).collect()
}

/// Names all there is.
fn not_kept<S>(at: &At<'_, S>, by: &str, when: &str) -> Problem {
    let dimensions = Dimension::ALL.into_iter().map(|dimension| dimension.name().to_owned());
    let kept = dimensions.chain(pairs(at).into_iter().map(Axis::name)).chain(["member".to_owned()]);
    Problem::not_kept_of(format!("figures are not kept by `{by}`{when}"), kept.collect())
}

async fn by_axis<S: Store>(at: &At<'_, S>, span: Span, axis: Axis, by: &[Dimension]) -> Result<BrokenDown, Problem> {
    let found = groups::sums(at, span, axis).await?;
    if let Some(day) = found.unkept {
        return Err(not_kept(at, &axis.name(), &format!(" on the day of {}", Stamp(day))));
    }
    // A pair is kept in one order, and answered in the one asked for.
    let is_turned = by.first() != Some(&axis.a);
    let groups = found.groups.into_iter().map(|((a, b), totals)| {
        let mut labels: Vec<String> =
            [Some(a), b].into_iter().flatten().map(|value| value.label().to_owned()).collect();
        if is_turned {
            labels.reverse();
        }
        (labels, totals)
    });
    Ok(BrokenDown { total: found.total, groups: groups.collect() })
}

fn answer<S: Store>(
    at: &At<'_, S>,
    (by, span): (Vec<&'static str>, Span),
    found: BrokenDown,
    metric: &Metric,
    (list, after, limit): (&str, Option<[String; 2]>, usize),
) -> Result<Reply, Problem> {
    let own = at.row.currency;
    let mut groups: Vec<_> =
        found.groups.into_iter().map(|(labels, sums)| ((metric.value)(&sums), labels, sums)).collect();
    groups.sort_by(|(value, labels, _), (other, others, _)| (Reverse(value), labels).cmp(&(Reverse(other), others)));
    let count = groups.len();
    if let Some([value, labels]) = after {
        let value: i128 = value.parse().map_err(|_| malformed_cursor())?;
        let labels: Vec<String> = labels.split(SEPARATOR).map(str::to_owned).collect();
        groups.retain(|(other, others, _)| (Reverse(other), others) > (Reverse(&value), &labels));
    }
    let more = groups.len() > limit;
    groups.truncate(limit);
    let last = groups.last().filter(|_| more);
    let next = last.map(|(value, labels, _)| cursor(list, &[&value.to_string(), &labels.join(SEPARATOR)]));
    let groups = groups.into_iter().map(|(_, values, sums)| Group { values, figures: Figures::span(&sums, own) });
    let data = Breakdown {
        by,
        from: Stamp(span.from),
        to: Stamp(span.to),
        metric: metric.name,
        total: Figures::span(&found.total, own),
        count,
        groups: groups.collect(),
    };
    Ok(reply::json(&Answer { data, next, meta: at.meta() }))
}

/// Between the labels of a pair in a cursor.
const SEPARATOR: &str = "\u{1e}";
