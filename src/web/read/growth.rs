//! What became of each figure since the equally long span before.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::figures::{COUNTS, Figures, MOVED, Rate, currencies, rate};
use super::{At, Stamp};
use crate::ids::{Currency, Millis};
use crate::project::totals::{Counts, Money, Totals};
use crate::web::calendar::Span;

/// The equally long span before, and its figures.
#[derive(Serialize)]
pub(super) struct Before {
    from: Stamp,
    to: Stamp,
    /// Figures cover all of it: it does not begin before `meta.coverage_start`.
    complete: bool,
    figures: Figures,
}

/// Each figure of the span divided by that of the span before; null where that was 0, or is not known to be whole.
#[derive(Serialize)]
pub(super) struct Growth {
    counts: CountGrowth,
    money: Vec<MoneyGrowth>,
}

struct CountGrowth {
    now: Counts,
    /// None where the span before is not complete.
    before: Option<Counts>,
}

struct MoneyGrowth {
    currency: Currency,
    now: Money,
    before: Option<Money>,
}

/// As long in time, to the millisecond: a clock change in one of the two does not make it longer.
pub(super) const fn span_before(span: Span) -> Span {
    Span { from: Millis(span.from.0 - span.length()), to: span.from }
}

/// `totals` are those of [`span_before`].
pub(super) fn compare<S>(at: &At<'_, S>, now: &Totals, span: Span, totals: &Totals) -> (Before, Growth) {
    let own = at.row.currency;
    let complete = at.row.coverage_start <= span.from;
    let covered = complete.then_some(totals);
    let counts = CountGrowth { now: now.counts, before: covered.map(|before| before.counts) };
    let money = currencies(&[now, totals], own)
        .into_iter()
        .map(|currency| MoneyGrowth {
            currency,
            now: now.money_in(currency),
            before: covered.map(|before| before.money_in(currency)),
        })
        .collect();
    let figures = Figures::span(totals, own);
    let before = Before { from: Stamp(span.from), to: Stamp(span.to), complete, figures };
    (before, Growth { counts, money })
}

impl Serialize for CountGrowth {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let growth = |figure: fn(&Counts) -> i64| -> Option<Rate> {
            rate(figure(&self.now).into(), figure(self.before.as_ref()?).into())
        };
        serializer.collect_map(COUNTS.iter().map(|(name, figure)| (name, growth(*figure))))
    }
}

impl Serialize for MoneyGrowth {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let growth =
            |figure: fn(&Money) -> i128| -> Option<Rate> { rate(figure(&self.now), figure(self.before.as_ref()?)) };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("currency", self.currency.as_str())?;
        for (name, figure) in MOVED {
            map.serialize_entry(name, &growth(figure))?;
        }
        map.end()
    }
}
