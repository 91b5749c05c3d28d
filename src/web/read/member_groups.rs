//! A span's figures by member: the days that are over, from the rows of members' days.

use std::collections::BTreeMap;

use super::breakdown::BrokenDown;
use super::{At, Stamp, groups};
use crate::fold::groups::dimension::{Axis, Dimension};
use crate::ids::Millis;
use crate::project::rows::{MemberRow, TotalsRow};
use crate::project::tables;
use crate::project::totals::{Money, Totals};
use crate::store::{Bound, Col, Cols, Range, Store};
use crate::web::calendar::Span;
use crate::web::problem::{Kind, Problem};

/// Rows of members' days that are read for one answer.
const ROWS_MAX: usize = 50_000;
/// Days of an answer for which no bounds are given.
const DAYS: i64 = 30;
/// Members asked for at once.
const KEYS_MAX: usize = 1_000;

/// `(none)` is what no member was credited with, `(blocked)` the revenue of sales that were blocked.
pub(super) async fn by_member<S: Store>(at: &At<'_, S>, span: Span) -> Result<BrokenDown, Problem> {
    check(at, span)?;
    let found = groups::sums(at, span, Axis::one(Dimension::Platform)).await?;
    if found.is_open {
        return Err(Problem::retry(Kind::Overloaded, "the last days are over, and just being written; ask again", 1));
    }
    let total = found.total;
    let members = of_members(at, span).await?;
    let mut rest = total.clone();
    members.values().for_each(|sums| rest.subtract(sums));
    let blocked = blocked(&total);
    rest.subtract(&blocked);
    let mut found = named(at, members).await?;
    found.extend([("(none)", rest), ("(blocked)", blocked)].map(|(label, sums)| (vec![label.to_owned()], sums)));
    found.retain(|(_, sums)| !sums.is_zero());
    Ok(BrokenDown { total, groups: found })
}

/// The last days that are over.
pub(super) fn lately<S>(at: &At<'_, S>) -> Span {
    let to = sealed(at);
    Span { from: Millis(to.0 - DAYS * Millis::DAY), to }
}

/// Members' days are written once, when they are over: those before this.
fn sealed<S>(at: &At<'_, S>) -> Millis {
    Millis(tables::day_of(at.row.watermark()) * Millis::DAY)
}

fn check<S>(at: &At<'_, S>, span: Span) -> Result<(), Problem> {
    let sealed = sealed(at);
    let is_whole = |bound: Millis| bound.0.rem_euclid(Millis::DAY) == 0;
    if is_whole(span.from) && is_whole(span.to) && span.to <= sealed {
        return Ok(());
    }
    let detail = format!(
        "by member figures are kept for whole UTC days that are over, here up to {}; ask from midnight to midnight",
        Stamp(sealed)
    );
    Err(Problem::not_kept(detail, vec!["member"]))
}

/// What was blocked counts for nobody, but stays the creator's revenue.
fn blocked(total: &Totals) -> Totals {
    let money = total.money.iter().map(|(currency, money)| {
        let blocked = money.revenue_blocked;
        (*currency, Money { revenue_gross: blocked, revenue_blocked: blocked, ..Money::default() })
    });
    Totals { money: money.collect(), ..Totals::default() }
}

/// By ordinal.
async fn of_members<S: Store>(at: &At<'_, S>, span: Span) -> Result<BTreeMap<u32, Totals>, Problem> {
    let (first, last) = (tables::day_of(span.from), tables::day_of(span.to) - 1);
    let (mut members, mut rows) = (BTreeMap::<u32, Totals>::new(), 0);
    let end = u32::try_from(at.row.members).unwrap_or(u32::MAX);
    let mut days = (first..=last).peekable();
    while let Some(day) = days.next() {
        let month = |day: i64| tables::month_of(Millis(day * Millis::DAY));
        while days.next_if(|next| month(*next) == month(day)).is_some() {}
        let mut step = 0;
        while step < end {
            let ordinal = |n: u32| Cols(vec![Col::Text(at.id.clone()), Col::Int(i64::from(n))]);
            let to = tables::member_step(step).1;
            let range = Range {
                part: tables::member_day(at.p, &at.id, step, day).part,
                from: Bound::Included(ordinal(step)),
                to: Bound::Excluded(ordinal(to)),
                reverse: false,
                limit: 0,
            };
            let found = at.scan(range, ROWS_MAX + 1 - rows).await?;
            rows += found.len();
            if rows > ROWS_MAX {
                let detail =
                    format!("more than {ROWS_MAX} days of members lie in the months of the range; ask for less");
                return Err(Problem::new(Kind::RangeTooLarge, detail));
            }
            for row in found {
                let [_, Col::Int(n), Col::Int(day)] = row.key.cols.0.as_slice() else { continue };
                if (first..=last).contains(day) {
                    let sums = TotalsRow::decode(row.value.as_deref().unwrap_or_default())?.totals;
                    members.entry(u32::try_from(*n).unwrap_or_default()).or_default().add(&sums);
                }
            }
            step = to;
        }
    }
    Ok(members)
}

/// By the members' ids.
async fn named<S: Store>(
    at: &At<'_, S>,
    members: BTreeMap<u32, Totals>,
) -> Result<Vec<(Vec<String>, Totals)>, Problem> {
    let members: Vec<(u32, Totals)> = members.into_iter().collect();
    let mut found = Vec::with_capacity(members.len());
    for some in members.chunks(KEYS_MAX) {
        let keys: Vec<_> = some.iter().map(|(n, _)| tables::member(at.p, &at.id, *n)).collect();
        for (row, (_, sums)) in at.store.get(&keys).await?.into_iter().zip(some) {
            let Some(bytes) = row.and_then(|row| row.value) else { continue };
            found.push((vec![MemberRow::decode(&bytes)?.member_id], sums.clone()));
        }
    }
    Ok(found)
}
