//! Conversions and commissions, row by row.

use serde::Serialize;

use super::members::member_row;
use super::sums::known;
use super::{At, Page, Stamp, range};
use crate::ids::Millis;
use crate::project::rows::{CommissionRow, ConversionRow};
use crate::project::tables;
use crate::store::{Bound, Col, Cols, Range, Store};
use crate::web::problem::Problem;
use crate::web::query::{Query, cursor, malformed_cursor, read_cursor};
use crate::web::reply::{self, Reply};

#[derive(Serialize)]
pub(super) struct Commission {
    commission_id: String,
    member_id: String,
    /// Null for a bonus.
    conversion_id: Option<String>,
    currency: String,
    payment_type: Option<&'static str>,
    created_at: Stamp,
    earned: i128,
    reversed: i128,
    net: i128,
    state: String,
    paid_amount: i128,
    paid_at: Option<Stamp>,
}

#[derive(Serialize)]
pub(super) struct Conversion {
    conversion_id: String,
    kind: String,
    converted_at: Stamp,
    original_id: Option<String>,
    customer_id: Option<String>,
    plan: Option<String>,
    amount: i64,
    currency: String,
    refunded: i64,
    /// Null: credited to nobody (yet); `credit` says why.
    member_id: Option<String>,
    click_id: Option<String>,
    credit: String,
    /// Whom it is credited to, if several share it, the primary member last.
    shared_by: Vec<String>,
    blocked: bool,
}

fn given(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

impl From<CommissionRow> for Commission {
    fn from(row: CommissionRow) -> Self {
        Self {
            commission_id: row.commission_id,
            member_id: row.member_id,
            conversion_id: given(row.conversion_id),
            currency: row.currency.as_str().to_owned(),
            payment_type: match row.payment_type {
                1 => Some("initial"),
                2 => Some("recurring"),
                _ => None,
            },
            created_at: Stamp(row.created_at),
            earned: row.earned,
            reversed: row.reversed,
            net: row.earned - row.reversed,
            state: row.state,
            paid_amount: row.paid_amount,
            paid_at: row.paid_at.map(Stamp),
        }
    }
}

impl From<ConversionRow> for Conversion {
    fn from(row: ConversionRow) -> Self {
        Self {
            conversion_id: row.conversion_id,
            kind: row.kind,
            converted_at: Stamp(row.converted_at),
            original_id: given(row.original_id),
            customer_id: given(row.customer_id),
            plan: given(row.plan),
            amount: row.amount,
            currency: row.currency.as_str().to_owned(),
            refunded: row.refunded,
            member_id: given(row.member_id),
            click_id: given(row.click_id),
            credit: row.credit,
            shared_by: row.shared_by,
            blocked: row.is_blocked,
        }
    }
}

/// A member's commissions: unpaid ones by when they were made, then paid ones by when they were paid, newest first.
pub(in crate::web) async fn member_commissions<S: Store>(
    at: &At<'_, S>,
    member: &str,
    query: &Query,
) -> Result<Reply, Problem> {
    const LIST: &str = "ledger";
    let limit = query.limit(50, 1_000)?;
    let paid = match query.get("paid") {
        None => None,
        Some("true") => Some(1),
        Some("false") => Some(0),
        Some(_) => return Err(Problem::parameter("paid", "`paid` must be true or false")),
    };
    let (n, _) = member_row(at, member).await?;
    let mut all = vec![Col::Text(at.id.clone()), Col::Int(i64::from(n))];
    let part = tables::ledger(at.p, &at.id, n, false, Millis(0), "").part;
    let from = match read_cursor::<3>(query, LIST)? {
        None => None,
        Some([paid, time, id]) => {
            let number = |text: String| text.parse::<i64>().map_err(|_| malformed_cursor());
            let mut after = all.clone();
            after.extend([Col::Int(number(paid)?), Col::IntDesc(number(time)?), Col::Text(id)]);
            Some(Bound::Excluded(Cols(after)))
        }
    };
    all.extend(paid.map(Col::Int));
    let all = Bound::Included(Cols(all));
    let range = Range { part, from: from.unwrap_or_else(|| all.clone()), to: all, reverse: false, limit: 0 };
    let mut found = at.scan(range, limit + 1).await?;
    let mut next = None;
    if found.len() > limit {
        found.truncate(limit);
        next = found.last().and_then(|row| match row.key.cols.0.as_slice() {
            [_, _, Col::Int(paid), Col::IntDesc(time), Col::Text(id)] => {
                Some(cursor(LIST, &[&paid.to_string(), &time.to_string(), id]))
            }
            _ => None,
        });
    }
    let mut data = Vec::with_capacity(found.len());
    for bytes in found.into_iter().filter_map(|row| row.value) {
        data.push(Commission::from(CommissionRow::decode(&bytes)?));
    }
    Ok(reply::json(&Page { data, next, meta: at.meta() }))
}

/// A creator's conversions, newest first.
pub(in crate::web) async fn conversions<S: Store>(at: &At<'_, S>, query: &Query) -> Result<Reply, Problem> {
    const LIST: &str = "conversions";
    let limit = query.limit(50, 1_000)?;
    let span = range::filter(query, &at.row.time_zone)?.and(known(&at.row));
    let mut after = newest_first(query, LIST)?;
    let newest = after.as_ref().map_or(Millis(span.to.0 - 1), |(time, _)| (*time).min(Millis(span.to.0 - 1)));
    let oldest = tables::month_of(span.from);
    let mut part = tables::conversion(at.p, &at.id, newest, "").part;
    let mut data: Vec<Conversion> = Vec::new();
    let mut last = None;
    while !span.is_empty() && part.month >= oldest && data.len() <= limit {
        let place = |time: Millis| Cols(vec![Col::Text(at.id.clone()), Col::IntDesc(time.0)]);
        let from = match after.take() {
            Some((time, id)) if time < span.to => {
                Bound::Excluded(Cols(vec![Col::Text(at.id.clone()), Col::IntDesc(time.0), Col::Text(id)]))
            }
            Some(_) | None => Bound::Excluded(place(span.to)),
        };
        let range = Range { part, from, to: Bound::Included(place(span.from)), reverse: false, limit: 0 };
        for bytes in at.scan(range, limit + 1 - data.len()).await?.into_iter().filter_map(|row| row.value) {
            let row = ConversionRow::decode(&bytes)?;
            if data.len() < limit {
                last = Some((row.converted_at, row.conversion_id.clone()));
            }
            data.push(row.into());
        }
        let Some(month) = part.month.checked_sub(1) else { break };
        part.month = month;
    }
    let more = data.len() > limit;
    data.truncate(limit);
    let next = last.filter(|_| more).map(|(time, id)| cursor(LIST, &[&time.0.to_string(), &id]));
    Ok(reply::json(&Page { data, next, meta: at.meta() }))
}

/// What the cursor of a list by time, then id, stands behind.
pub(super) fn newest_first(query: &Query, list: &str) -> Result<Option<(Millis, String)>, Problem> {
    let Some([time, id]) = read_cursor::<2>(query, list)? else { return Ok(None) };
    Ok(Some((Millis(time.parse().map_err(|_| malformed_cursor())?), id)))
}
