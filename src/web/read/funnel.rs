//! From a share to a customer, step by step.

use serde::Serialize;

use super::figures::{Rate, rate};
use super::{At, One, Stamp, range, sums};
use crate::project::totals::Counts;
use crate::store::Store;
use crate::web::calendar::Interval;
use crate::web::problem::Problem;
use crate::web::query::Query;
use crate::web::reply::{self, Reply};

/// What a creator's shares led to in a range.
#[derive(Serialize)]
struct Funnel {
    tz: String,
    from: Stamp,
    to: Stamp,
    stages: Vec<Stage>,
}

/// A step from a share to a customer.
#[derive(Serialize)]
pub(super) struct Stage {
    stage: &'static str,
    count: i64,
    /// Part of the stage before; null for the first, and where that is 0.
    of_previous: Option<Rate>,
}

/// Each stage is what happened in the range, whenever what it came of did.
pub(in crate::web) async fn funnel<S: Store>(at: &At<'_, S>, query: &Query) -> Result<Reply, Problem> {
    let zone = range::zone(query, &at.row.time_zone)?;
    let span = range::range(query, &zone, Interval::Month, at.now)?;
    let totals = sums::sum(at, span).await?;
    let data = Funnel {
        tz: zone.name().to_owned(),
        from: Stamp(span.from),
        to: Stamp(span.to),
        stages: stages(&totals.counts),
    };
    Ok(reply::json(&One { data, meta: at.meta() }))
}

pub(super) fn stages(counts: &Counts) -> Vec<Stage> {
    let stages = [
        ("shares", counts.shares),
        ("clicks_human", counts.clicks_human),
        ("clicks_unique", counts.clicks_unique),
        ("signups", counts.signups),
        ("customers", counts.customers),
    ];
    let mut previous = None;
    let mut funnel = Vec::with_capacity(stages.len());
    for (stage, count) in stages {
        let of = |whole: i64| rate(count.into(), whole.into());
        funnel.push(Stage { stage, count, of_previous: previous.and_then(of) });
        previous = Some(count);
    }
    funnel
}
