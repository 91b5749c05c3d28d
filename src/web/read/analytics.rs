//! A span's totals beside those of the equally long span before it.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::figures::{COUNTS, Figures, MOVED, Rate, currencies, rate};
use super::series::{Interval, Span, pieces, span};
use super::{At, One, Stamp};
use crate::ids::Currency;
use crate::project::totals::{Counts, Money, Totals};
use crate::store::Store;
use crate::web::problem::Problem;
use crate::web::query::Query;
use crate::web::reply::{self, Reply};

#[derive(Serialize)]
struct Analytics {
    from: Stamp,
    to: Stamp,
    figures: Figures,
    before: Before,
    /// The span divided by the one before; null where that was 0.
    growth: Growth,
    funnel: Vec<Stage>,
}

#[derive(Serialize)]
struct Before {
    from: Stamp,
    to: Stamp,
    figures: Figures,
}

#[derive(Serialize)]
struct Growth {
    counts: CountGrowth,
    money: Vec<MoneyGrowth>,
}

struct CountGrowth(Counts, Counts);

struct MoneyGrowth {
    currency: Currency,
    now: Money,
    before: Money,
}

/// A step from a share to a customer.
#[derive(Serialize)]
struct Stage {
    stage: &'static str,
    count: i64,
    /// Part of the stage before; null for the first, and where that is 0.
    of_previous: Option<Rate>,
}

impl Serialize for CountGrowth {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let growth = |figure: fn(&Counts) -> i64| rate(figure(&self.0).into(), figure(&self.1).into());
        serializer.collect_map(COUNTS.iter().map(|(name, figure)| (name, growth(*figure))))
    }
}

impl Serialize for MoneyGrowth {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("currency", self.currency.as_str())?;
        for (name, figure) in MOVED {
            map.serialize_entry(name, &rate(figure(&self.now), figure(&self.before)))?;
        }
        map.end()
    }
}

pub(in crate::web) async fn analytics<S: Store>(at: &At<'_, S>, query: &Query) -> Result<Reply, Problem> {
    let asked = span(query, Interval::Day, at.now)?;
    let earlier = Span { from: crate::ids::Millis(asked.from.0 - (asked.to.0 - asked.from.0)), to: asked.from };
    let (now, before) = (sum(at, asked).await?, sum(at, earlier).await?);
    let own = at.row.currency;
    let money = currencies(&[&now, &before], own)
        .into_iter()
        .map(|currency| MoneyGrowth { currency, now: now.money_in(currency), before: before.money_in(currency) })
        .collect();
    let data = Analytics {
        from: Stamp(asked.from),
        to: Stamp(asked.to),
        figures: Figures::span(&now, own),
        before: Before { from: Stamp(earlier.from), to: Stamp(earlier.to), figures: Figures::span(&before, own) },
        growth: Growth { counts: CountGrowth(now.counts, before.counts), money },
        funnel: funnel(&now.counts),
    };
    Ok(reply::json(&One { data, meta: at.meta() }))
}

async fn sum<S: Store>(at: &At<'_, S>, span: Span) -> Result<Totals, Problem> {
    let mut sum = Totals::default();
    for (_, totals) in pieces(at, span, Interval::Day).await? {
        sum.add(&totals);
    }
    Ok(sum)
}

fn funnel(counts: &Counts) -> Vec<Stage> {
    let stages = [
        ("shares", counts.shares),
        ("clicks_human", counts.clicks_human),
        ("signups", counts.signups),
        ("customers", counts.customers),
    ];
    let mut previous = None;
    let mut funnel = Vec::with_capacity(stages.len());
    for (stage, count) in stages {
        let of_previous = previous.and_then(|previous: i64| rate(count.into(), previous.into()));
        funnel.push(Stage { stage, count, of_previous });
        previous = Some(count);
    }
    funnel
}
