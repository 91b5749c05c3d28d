//! A creator's figures over time, bucket by bucket.

use serde::Serialize;

use super::metrics::{Line, Metrics};
use super::{At, One, Stamp, range, sums};
use crate::ids::{Currency, Millis};
use crate::project::totals::Totals;
use crate::store::Store;
use crate::web::calendar::{Bucket, Interval, Span, Zone};
use crate::web::problem::Problem;
use crate::web::query::Query;
use crate::web::reply::{self, Reply};

#[derive(Serialize)]
pub(super) struct Series {
    interval: &'static str,
    tz: String,
    from: Stamp,
    to: Stamp,
    /// Where each bucket starts: `from` of `buckets`.
    starts: Vec<Stamp>,
    buckets: Vec<Period>,
    series: Vec<Line>,
}

#[derive(Serialize)]
struct Period {
    from: Stamp,
    to: Stamp,
    /// In the zone: `2026-03-08T01:00-05:00`, `2026-03-08`, `2026-W10`, `2026-03`, `2026-Q1`, `2026`.
    label: String,
    /// The range holds only a part of it: the values are of that part.
    partial: bool,
}

impl From<Bucket> for Period {
    fn from(bucket: Bucket) -> Self {
        let Bucket { span, partial, label } = bucket;
        Self { from: Stamp(span.from), to: Stamp(span.to), label, partial }
    }
}

/// What a series is asked for.
pub(super) struct Asked {
    pub(super) interval: Interval,
    pub(super) zone: Zone,
    pub(super) span: Span,
    pub(super) metrics: Metrics,
    pub(super) buckets: Vec<Bucket>,
}

impl Asked {
    /// In the zone called `default`, if the query names none, in the range that `range` makes of it.
    pub(super) fn of(
        query: &Query,
        default: &str,
        range: impl Fn(&Zone, Interval) -> Result<Span, Problem>,
    ) -> Result<Self, Problem> {
        let wanted = query.get("interval").unwrap_or("day");
        let interval = Interval::parse(wanted).ok_or_else(|| {
            let kept = Interval::ALL.into_iter().map(Interval::name).collect();
            Problem::not_kept(format!("there is no interval `{wanted}`"), kept)
        })?;
        let metrics = Metrics::of(query)?;
        let zone = range::zone(query, default)?;
        let span = range(&zone, interval)?;
        let buckets = zone.buckets(span, interval);
        Ok(Self { interval, zone, span, metrics, buckets })
    }

    pub(super) fn starts(&self) -> Vec<Millis> {
        self.buckets.iter().map(|bucket| bucket.span.from).collect()
    }

    /// The answer: a sum for each bucket, `None` for one that is not known.
    pub(super) fn answer(self, sums: &[Option<Totals>], own: Currency) -> Series {
        Series {
            interval: self.interval.name(),
            tz: self.zone.name().to_owned(),
            from: Stamp(self.span.from),
            to: Stamp(self.span.to),
            starts: self.starts().into_iter().map(Stamp).collect(),
            series: self.metrics.lines(sums, own),
            buckets: self.buckets.into_iter().map(Period::from).collect(),
        }
    }
}

pub(in crate::web) async fn timeseries<S: Store>(at: &At<'_, S>, query: &Query) -> Result<Reply, Problem> {
    let range = |zone: &Zone, interval| range::range(query, zone, interval, at.now);
    let asked = Asked::of(query, &at.row.time_zone, range)?;
    let sums = sums::sums(at, asked.span, &asked.starts(), asked.interval).await?;
    let sums: Vec<Option<Totals>> = sums.into_iter().map(Some).collect();
    let data = asked.answer(&sums, at.row.currency);
    Ok(reply::json(&One { data, meta: at.meta() }))
}
