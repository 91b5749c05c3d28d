//! A member's figures over time, by UTC day: that is how they are kept.
//!
//! A day has a row once it is over. What a member did since is what its all-time figures have beyond those rows.

use super::members::{member_of, ordinal};
use super::series::Asked;
use super::sums::{known, next_month, seals_are_written};
use super::{At, One, creator_row, range, unknown_creator};
use crate::ids::{Millis, Next};
use crate::project::rows::{CreatorRow, MemberRow, TotalsRow};
use crate::project::tables::{self, Class};
use crate::project::totals::Totals;
use crate::store::{Bound, Col, Cols, Range, Store};
use crate::web::calendar::{Interval, Span, Zone};
use crate::web::problem::Problem;
use crate::web::query::Query;
use crate::web::reply::{self, Reply};

/// Looks at a member who keeps changing before its open day is left out.
const LOOKS_MAX: usize = 4;
/// Rows of a member in a month.
const MONTH_ROWS_MAX: usize = 31;

/// One day of a member that is over.
struct Day {
    at: Next,
    start: Millis,
    totals: Totals,
}

/// What the days that are not over hold together.
struct Open {
    days: Span,
    /// `None`: not known now. The member changed again and again, or its days do not follow it.
    totals: Option<Totals>,
}

pub(in crate::web) async fn member_timeseries<S: Store>(
    at: &At<'_, S>,
    member: &str,
    query: &Query,
) -> Result<Reply, Problem> {
    let n = ordinal(at, member).await?;
    let end = range::end_of(at.now, Millis::DAY);
    let range = |zone: &Zone, interval| {
        check_interval(interval)?;
        range::anywhere(query, zone, interval, end)
    };
    let asked = Asked::of(query, "UTC", range)?;
    check_days(&asked)?;
    if !seals_are_written(at).await? {
        // Where they will not be any more, what there is is the answer: it says that it is stale.
        at.until(at.row.at, Class::Slow).await?;
    }
    let first_open = Millis(tables::day_of(at.row.watermark()) * Millis::DAY);
    let starts = asked.starts();
    let mut sums: Vec<Option<Totals>> = vec![Some(Totals::default()); starts.len()];
    let (days, open) = if asked.span.to <= first_open {
        (days(at, n, asked.span.and(known(&at.row))).await?, None)
    } else {
        let (days, open) = all_days(at, (n, member), first_open).await?;
        (days, Some(open))
    };
    for day in days.iter().filter(|day| asked.span.contains(day.start)) {
        let behind = starts.partition_point(|start| *start <= day.start);
        if let Some(Some(sum)) = behind.checked_sub(1).and_then(|place| sums.get_mut(place)) {
            sum.add(&day.totals);
        }
    }
    if let Some(open) = open {
        let spans: Vec<Span> = asked.buckets.iter().map(|bucket| bucket.span).collect();
        add_open(&open, &spans, &mut sums);
    }
    let data = asked.answer(&sums, at.row.currency);
    Ok(reply::json(&One { data, meta: at.meta() }))
}

const KEPT: [&str; 5] = ["day", "week", "month", "quarter", "year"];

fn check_interval(interval: Interval) -> Result<(), Problem> {
    match interval {
        Interval::Minute | Interval::Hour => {
            let detail = format!("a member's figures are kept by day, not by {}", interval.name());
            Err(Problem::not_kept(detail, KEPT.to_vec()))
        }
        Interval::Day | Interval::Week | Interval::Month | Interval::Quarter | Interval::Year => Ok(()),
    }
}

/// Days of UTC compose no others.
fn check_days(asked: &Asked) -> Result<(), Problem> {
    let inner = asked.starts().into_iter().skip(1);
    if inner.into_iter().any(|start| start.0.rem_euclid(Millis::DAY) != 0) {
        let detail = format!(
            "a member's figures are kept by UTC day, and a {} of {} does not begin with one; ask with tz=UTC",
            asked.interval.name(),
            asked.zone.name()
        );
        return Err(Problem::not_kept(detail, vec!["tz=UTC"]));
    }
    range::on_grid(asked.span, Millis::DAY, "at the start of a UTC day")
}

/// The rows of the member's days in `span`, in order.
async fn days<S: Store>(at: &At<'_, S>, n: u32, span: Span) -> Result<Vec<Day>, Problem> {
    let mut found = Vec::new();
    let mut from = span.from;
    while from < span.to {
        let to = next_month(from).min(span.to);
        let day = |t: Millis| Cols(vec![Col::Text(at.id.clone()), Col::Int(i64::from(n)), Col::Int(tables::day_of(t))]);
        let range = Range {
            part: tables::member_day(at.p, &at.id, n, tables::day_of(from)).part,
            from: Bound::Included(day(from)),
            to: Bound::Excluded(day(to)),
            reverse: false,
            limit: 0,
        };
        for row in at.scan(range, MONTH_ROWS_MAX).await? {
            let (Some(bytes), Some(Col::Int(day))) = (row.value, row.key.cols.0.get(2)) else { continue };
            let row = TotalsRow::decode(&bytes)?;
            found.push(Day { at: row.at, start: Millis(day * Millis::DAY), totals: row.totals });
        }
        from = to;
    }
    Ok(found)
}

/// All days that are over, and what is left for the others, as of one and the same position.
async fn all_days<S: Store>(
    at: &At<'_, S>,
    (n, member): (u32, &str),
    first_open: Millis,
) -> Result<(Vec<Day>, Open), Problem> {
    let mut row = member_of(at, n, member).await?;
    let (mut rows, mut left) = (Vec::new(), None);
    for _ in 0..LOOKS_MAX {
        let is_written = at.until(row.at, Class::Slow).await.unwrap_or(false);
        rows = days(at, n, known(&creator_now(at).await?)).await?;
        // What the sums over time do not say yet is not known; the days that are over are.
        if !is_written {
            break;
        }
        // A change of a day changes the member too: seen in a day, it must be seen in the member.
        let newest = rows.iter().map(|day| day.at).max().unwrap_or_default();
        if !at.until(newest, Class::Fast).await? {
            break;
        }
        let again = member_of(at, n, member).await?;
        if again.at == row.at {
            left = Some(remainder(&row, &rows));
            break;
        }
        row = again;
    }
    let to = known(&creator_now(at).await?).to;
    Ok((rows, Open { days: Span { from: first_open, to }, totals: left }))
}

/// The creator as it is by now: history told since may lie before what was known of it.
async fn creator_now<S: Store>(at: &At<'_, S>) -> Result<CreatorRow, Problem> {
    creator_row(&*at.store, at.p, &at.id).await?.ok_or_else(|| unknown_creator(&at.id))
}

/// Puts what the open days hold into the one bucket that holds them all. A bucket that holds a part of it is not
/// known: for ten minutes after midnight, as long as late events may come, two days are open.
fn add_open(open: &Open, buckets: &[Span], sums: &mut [Option<Totals>]) {
    if open.totals.as_ref().is_some_and(Totals::is_zero) {
        return;
    }
    for (bucket, sum) in buckets.iter().zip(sums) {
        match (&open.totals, sum.as_mut()) {
            (Some(totals), Some(sum)) if bucket.covers(open.days) => sum.add(totals),
            _ if bucket.and(open.days).is_empty() => {}
            _ => *sum = None,
        }
    }
}

/// All-time figures less those of `days`. What is held, approved or carried stands at no time.
fn remainder(member: &MemberRow, days: &[Day]) -> Totals {
    let mut left = member.totals.clone();
    days.iter().for_each(|day| left.subtract(&day.totals));
    for (_, money) in &mut left.money {
        (money.commission_held, money.commission_approved, money.commission_carry) = (0, 0, 0);
    }
    left
}
