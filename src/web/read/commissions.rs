//! A creator's commissions, newest first, by type and state.

use super::money::{Commission, newest_first};
use super::sums::known;
use super::{At, Page, range};
use crate::ids::Millis;
use crate::project::key::Part;
use crate::project::rows::CommissionRow;
use crate::project::tables;
use crate::store::{Bound, Col, Cols, Range, Store};
use crate::web::calendar::Span;
use crate::web::problem::Problem;
use crate::web::query::{Query, cursor};
use crate::web::reply::{self, Reply};

/// Payment types as they stand in keys.
const TYPES: [(&str, i64); 3] = [("unknown", 0), ("initial", 1), ("recurring", 2)];
const STATES: [&str; 5] = ["held", "approved", "paid", "reversed", "blocked"];
/// Rows that one page may look at: where few are in the state asked for, a page is short.
const LOOKED_AT_MAX: usize = 10_000;
/// Most rows of a type read at once.
const CHUNK_MAX: usize = 1_000;

/// Behind which row, newest first, to go on.
type After = Option<(Millis, String)>;

/// What is left to list.
struct Walk {
    types: Vec<i64>,
    span: Span,
    part: Part,
    after: After,
}

pub(in crate::web) async fn commissions<S: Store>(at: &At<'_, S>, query: &Query) -> Result<Reply, Problem> {
    const LIST: &str = "commissions";
    let limit = query.limit(50, 1_000)?;
    let wanted = query.get("payment_type");
    let types: Vec<i64> =
        TYPES.into_iter().filter(|(name, _)| wanted.is_none_or(|it| it == *name)).map(|(_, number)| number).collect();
    if types.is_empty() {
        return Err(Problem::parameter("payment_type", "`payment_type` must be initial, recurring or unknown"));
    }
    let state = query.get("state");
    if state.is_some_and(|state| !STATES.contains(&state)) {
        return Err(Problem::parameter("state", format!("`state` must be one of {}", STATES.join(", "))));
    }
    let span = range::filter(query, &at.row.time_zone)?.and(known(&at.row));
    let after = newest_first(query, LIST)?;
    let newest = after.as_ref().map_or(Millis(span.to.0 - 1), |(time, _)| (*time).min(Millis(span.to.0 - 1)));
    let part = tables::commission(at.p, &at.id, 0, newest, "").part;
    let mut walk = Walk { types, span, part, after };
    // One more than wanted tells whether there is a next page.
    let (mut found, mut looked_at) = (Vec::new(), 0);
    let mut is_over = span.is_empty();
    while !is_over && found.len() <= limit && looked_at < LOOKED_AT_MAX {
        let chunk = if state.is_some() { CHUNK_MAX } else { limit + 1 };
        let (rows, over) = walk.next(at, chunk).await?;
        looked_at += rows.len();
        found.extend(rows.into_iter().filter(|row| state.is_none_or(|state| row.state == state)));
        is_over = over;
    }
    let next = if found.len() > limit {
        found.truncate(limit);
        found.last().map(|last| (last.created_at, last.commission_id.clone()))
    } else {
        walk.after.filter(|_| !is_over)
    };
    let next = next.map(|(time, id)| cursor(LIST, &[&time.0.to_string(), &id]));
    let data: Vec<Commission> = found.into_iter().map(Commission::from).collect();
    Ok(reply::json(&Page { data, next, meta: at.meta() }))
}

impl Walk {
    /// The next rows of all types, newest first, about `chunk` of each, and whether they were the last.
    async fn next<S: Store>(&mut self, at: &At<'_, S>, chunk: usize) -> Result<(Vec<CommissionRow>, bool), Problem> {
        let mut rows: Vec<CommissionRow> = Vec::new();
        // Of a type that has more, no row behind its last one may be listed yet.
        let mut known_to: After = None;
        for payment_type in &self.types {
            let of_type = at.scan(self.range(&at.id, *payment_type), chunk).await?;
            let has_more = of_type.len() == chunk;
            for bytes in of_type.into_iter().filter_map(|row| row.value) {
                rows.push(CommissionRow::decode(&bytes)?);
            }
            if let Some(last) = rows.last().filter(|_| has_more) {
                let last = place(last);
                known_to = Some(match known_to.take() {
                    Some(known) if order(&known) < order(&last) => known,
                    Some(_) | None => last,
                });
            }
        }
        rows.sort_by(|a, b| order(&place(a)).cmp(&order(&place(b))));
        if let Some(known_to) = &known_to {
            rows.retain(|row| order(&place(row)) <= order(known_to));
        }
        let mut is_over = false;
        match (known_to, self.part.month.checked_sub(1)) {
            (Some(known_to), _) => self.after = Some(known_to),
            (None, Some(month)) if month >= tables::month_of(self.span.from) => self.part.month = month,
            (None, _) => is_over = true,
        }
        if let Some(last) = rows.last() {
            self.after = Some(place(last));
        }
        Ok((rows, is_over))
    }

    /// What is left of a type in the month.
    fn range(&self, creator: &str, payment_type: i64) -> Range {
        let cols = |time: Millis| vec![Col::Text(creator.to_owned()), Col::Int(payment_type), Col::IntDesc(time.0)];
        let from = match &self.after {
            Some((time, id)) if *time < self.span.to => {
                Bound::Excluded(Cols([cols(*time), vec![Col::Text(id.clone())]].concat()))
            }
            Some(_) | None => Bound::Excluded(Cols(cols(self.span.to))),
        };
        let to = Bound::Included(Cols(cols(self.span.from)));
        Range { part: self.part, from, to, reverse: false, limit: 0 }
    }
}

fn place(row: &CommissionRow) -> (Millis, String) {
    (row.created_at, row.commission_id.clone())
}

/// Newest first, then by id.
fn order((time, id): &(Millis, String)) -> (std::cmp::Reverse<Millis>, &str) {
    (std::cmp::Reverse(*time), id)
}
