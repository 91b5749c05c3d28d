//! Metrics by name, and their lines over buckets.

use serde::Serialize;

use super::figures::{COUNT_RATES, COUNTS, CountMetric, CountRate, MONEY_RATES, MOVED, MoneyMetric, MoneyRate, Rate};
use super::figures::{currencies, rate};
use crate::ids::Currency;
use crate::project::totals::Totals;
use crate::web::problem::Problem;
use crate::web::query::Query;

/// What is asked for, in the order in which it is answered.
pub(super) struct Metrics {
    counts: Vec<CountMetric>,
    money: Vec<MoneyMetric>,
    count_rates: Vec<CountRate>,
    money_rates: Vec<MoneyRate>,
}

/// One metric over all buckets.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    metric: &'static str,
    /// Of the values, in minor units, where they are money.
    currency: Option<String>,
    values: Values,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Values {
    Sums(Vec<Option<i128>>),
    Rates(Vec<Option<Rate>>),
}

impl Metrics {
    /// Those that `metric` names; all without it.
    pub(super) fn of(query: &Query) -> Result<Self, Problem> {
        let names: Option<Vec<&str>> = query.get("metric").map(|names| names.split(',').collect());
        let unknown = names.iter().flatten().find(|name| !kept().any(|known| known == **name));
        if let Some(unknown) = unknown {
            return Err(Problem::not_kept(format!("there is no series of `{unknown}`"), kept().collect()));
        }
        let wanted = |name: &str| names.as_ref().is_none_or(|names| names.contains(&name));
        Ok(Self {
            counts: COUNTS.into_iter().filter(|(name, _)| wanted(name)).collect(),
            money: MOVED.into_iter().filter(|(name, _)| wanted(name)).collect(),
            count_rates: COUNT_RATES.into_iter().filter(|(name, ..)| wanted(name)).collect(),
            money_rates: MONEY_RATES.into_iter().filter(|(name, ..)| wanted(name)).collect(),
        })
    }

    /// A line per metric, and per currency where it is money; `None` for a bucket that is not known.
    pub(super) fn lines(&self, buckets: &[Option<Totals>], own: Currency) -> Vec<Line> {
        let mut lines = Vec::new();
        for (metric, figure) in &self.counts {
            let value = |sums: &Totals| i128::from(figure(&sums.counts));
            lines.push(Line::sums(metric, None, buckets, value));
        }
        for (metric, part, whole) in &self.count_rates {
            let value = |sums: &Totals| rate(part(&sums.counts).into(), whole(&sums.counts).into());
            lines.push(Line::rates(metric, None, buckets, value));
        }
        for currency in currencies(&buckets.iter().flatten().collect::<Vec<_>>(), own) {
            for (metric, figure) in &self.money {
                let value = |sums: &Totals| figure(&sums.money_in(currency));
                lines.push(Line::sums(metric, Some(currency), buckets, value));
            }
            for (metric, part, whole) in &self.money_rates {
                let value = |sums: &Totals| rate(part(&sums.money_in(currency)), whole(&sums.counts).into());
                lines.push(Line::rates(metric, Some(currency), buckets, value));
            }
        }
        lines
    }
}

/// Every metric that has a series. What is held, approved or carried stands, and does not move.
fn kept() -> impl Iterator<Item = &'static str> {
    let counts = COUNTS.iter().map(|(name, _)| *name).chain(COUNT_RATES.iter().map(|(name, ..)| *name));
    counts.chain(MOVED.iter().map(|(name, _)| *name)).chain(MONEY_RATES.iter().map(|(name, ..)| *name))
}

impl Line {
    fn sums(
        metric: &'static str,
        currency: Option<Currency>,
        buckets: &[Option<Totals>],
        value: impl Fn(&Totals) -> i128,
    ) -> Self {
        let values = Values::Sums(buckets.iter().map(|bucket| bucket.as_ref().map(&value)).collect());
        Self { metric, currency: currency.map(|currency| currency.as_str().to_owned()), values }
    }

    fn rates(
        metric: &'static str,
        currency: Option<Currency>,
        buckets: &[Option<Totals>],
        value: impl Fn(&Totals) -> Option<Rate>,
    ) -> Self {
        let values = Values::Rates(buckets.iter().map(|bucket| bucket.as_ref().and_then(&value)).collect());
        Self { metric, currency: currency.map(|currency| currency.as_str().to_owned()), values }
    }
}
