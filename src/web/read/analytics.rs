//! A span's totals beside those of the equally long span before it.

use serde::Serialize;

use super::figures::{Figures, Rate, rate};
use super::funnel::{Stage, stages};
use super::growth::{Before, Growth, compare, span_before};
use super::{At, One, Stamp, active, range, sums};
use crate::store::Store;
use crate::web::calendar::Interval;
use crate::web::problem::Problem;
use crate::web::query::Query;
use crate::web::reply::{self, Reply};

#[derive(Serialize)]
struct Analytics {
    tz: String,
    from: Stamp,
    to: Stamp,
    figures: Figures,
    /// Null where the span is no day, week or month of the creator's calendar.
    active_members: Option<i64>,
    signups_credited: i64,
    /// Those for each active member; null as `active_members` is, and where that is 0.
    k_factor: Option<Rate>,
    /// Null when no comparison is asked for, like `growth`.
    before: Option<Before>,
    growth: Option<Growth>,
    funnel: Vec<Stage>,
}

pub(in crate::web) async fn analytics<S: Store>(at: &At<'_, S>, query: &Query) -> Result<Reply, Problem> {
    let compares = match query.get("compare") {
        None | Some("previous") => true,
        Some("none") => false,
        Some(_) => return Err(Problem::parameter("compare", "`compare` must be previous or none")),
    };
    let zone = range::zone(query, &at.row.time_zone)?;
    let span = range::range(query, &zone, Interval::Month, at.now)?;
    let totals = sums::sum(at, span).await?;
    let (mut before, mut growth) = (None, None);
    if compares {
        let earlier = span_before(span);
        let (figures, ratios) = compare(at, &totals, earlier, &sums::sum(at, earlier).await?);
        (before, growth) = (Some(figures), Some(ratios));
    }
    let active_members = active::members(at, span).await?;
    let signups_credited = totals.counts.signups_credited;
    let k_factor = active_members.and_then(|active| rate(signups_credited.into(), active.into()));
    let data = Analytics {
        tz: zone.name().to_owned(),
        from: Stamp(span.from),
        to: Stamp(span.to),
        figures: Figures::span(&totals, at.row.currency),
        active_members,
        signups_credited,
        k_factor,
        before,
        growth,
        funnel: stages(&totals.counts),
    };
    Ok(reply::json(&One { data, meta: at.meta() }))
}
