//! Counts, money and rates as they are answered.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::ids::Currency;
use crate::project::totals::{Counts, Money, Totals};

/// A count of a scope, by name.
pub(super) type CountMetric = (&'static str, fn(&Counts) -> i64);
/// A sum of money of a scope, by name.
pub(super) type MoneyMetric = (&'static str, fn(&Money) -> i128);

pub(super) const COUNTS: [CountMetric; 8] = [
    ("clicks_total", |counts| counts.clicks_total),
    ("clicks_human", |counts| counts.clicks_human),
    ("clicks_unique", |counts| counts.clicks_unique),
    ("shares", |counts| counts.shares),
    ("signups", |counts| counts.signups),
    ("orders", |counts| counts.orders),
    ("customers", |counts| counts.customers),
    ("referrals", |counts| counts.referrals),
];

/// Kept for every span.
pub(super) const MOVED: [MoneyMetric; 8] = [
    ("revenue_gross", |money| money.revenue_gross),
    ("revenue_refunded", |money| money.revenue_refunded),
    ("revenue_blocked", |money| money.revenue_blocked),
    ("revenue_net", Money::revenue_net),
    ("commission_earned", |money| money.commission_earned),
    ("commission_reversed", |money| money.commission_reversed),
    ("commission_net", Money::commission_net),
    ("commission_paid", |money| money.commission_paid),
];

/// A count for another, by name: the part, then the whole.
pub(super) type CountRate = (&'static str, fn(&Counts) -> i64, fn(&Counts) -> i64);
/// Money for a count, by name: the part, then the whole.
pub(super) type MoneyRate = (&'static str, fn(&Money) -> i128, fn(&Counts) -> i64);

pub(super) const COUNT_RATES: [CountRate; 2] = [
    ("conversion_rate", |counts| counts.customers, |counts| counts.clicks_human),
    ("clicks_per_share", |counts| counts.clicks_shared, |counts| counts.shares),
];

/// A blocked sale is revenue, but nobody's success.
pub(super) const MONEY_RATES: [MoneyRate; 3] = [
    ("epc", Money::commission_net, |counts| counts.clicks_human),
    ("rpc", |money| money.revenue_net() - money.revenue_blocked, |counts| counts.clicks_human),
    ("ltv_net", |money| money.revenue_net() - money.revenue_blocked, |counts| counts.customers),
];

/// Where commissions stand; of all time only.
const STATES: [MoneyMetric; 3] = [
    ("commission_held", |money| money.commission_held),
    ("commission_approved", |money| money.commission_approved),
    ("commission_carry", |money| money.commission_carry),
];

/// The figures of a scope. Currencies are listed apart and never added; the creator's own comes first, always.
#[derive(Debug, Serialize)]
pub(in crate::web) struct Figures {
    counts: CountFigures,
    money: Vec<MoneyFigures>,
    rates: Rates,
}

#[derive(Debug)]
struct CountFigures(Counts);

impl Serialize for CountFigures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(COUNTS.iter().map(|(name, figure)| (name, figure(&self.0))))
    }
}

/// Money of one currency in minor units, and what is derived from it.
#[derive(Debug)]
struct MoneyFigures {
    currency: Currency,
    money: Money,
    counts: Counts,
    with_states: bool,
}

impl Serialize for MoneyFigures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("currency", self.currency.as_str())?;
        map.serialize_entry("minor_digits", &minor_digits(self.currency))?;
        let states: &[MoneyMetric] = if self.with_states { &STATES } else { &[] };
        for (name, figure) in MOVED.iter().chain(states) {
            map.serialize_entry(name, &figure(&self.money))?;
        }
        for (name, part, whole) in MONEY_RATES {
            map.serialize_entry(name, &rate(part(&self.money), whole(&self.counts).into()))?;
        }
        map.end()
    }
}

/// Six decimals; null when the divisor is 0.
#[derive(Debug)]
struct Rates(Counts);

impl Serialize for Rates {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let of =
            |part: fn(&Counts) -> i64, whole: fn(&Counts) -> i64| rate(part(&self.0).into(), whole(&self.0).into());
        serializer.collect_map(COUNT_RATES.into_iter().map(|(name, part, whole)| (name, of(part, whole))))
    }
}

pub(super) type Rate = Box<RawValue>;

impl Figures {
    /// Of all time: with where commissions stand.
    pub(in crate::web) fn all_time(totals: &Totals, own: Currency) -> Self {
        Self::new(totals, own, true)
    }

    /// Of a span.
    pub(super) fn span(totals: &Totals, own: Currency) -> Self {
        Self::new(totals, own, false)
    }

    fn new(totals: &Totals, own: Currency, with_states: bool) -> Self {
        let counts = totals.counts;
        let money = currencies(&[totals], own)
            .into_iter()
            .map(|currency| MoneyFigures { currency, money: totals.money_in(currency), counts, with_states })
            .collect();
        Self { counts: CountFigures(counts), money, rates: Rates(counts) }
    }
}

/// The creator's own currency first, then the others that occur, in order.
pub(super) fn currencies(totals: &[&Totals], own: Currency) -> Vec<Currency> {
    let mut others: Vec<Currency> = totals.iter().flat_map(|totals| &totals.money).map(|(code, _)| *code).collect();
    others.sort_unstable();
    others.dedup();
    let mut found = vec![own];
    found.extend(others.into_iter().filter(|code| *code != own));
    found
}

/// `part / whole` with six decimals, halves away from zero; `None` for a `whole` of 0.
pub(super) fn rate(part: i128, whole: i128) -> Option<Rate> {
    const SCALE: u128 = 1_000_000;
    let is_negative = (part < 0) != (whole < 0);
    let (part, whole) = (part.unsigned_abs(), whole.unsigned_abs());
    let twice = part.checked_mul(2 * SCALE)?.checked_add(whole)?;
    let scaled = twice.checked_div(whole.checked_mul(2)?)?;
    let sign = if is_negative && scaled > 0 { "-" } else { "" };
    RawValue::from_string(format!("{sign}{}.{:06}", scaled / SCALE, scaled % SCALE)).ok()
}

/// Digits behind the point in ISO 4217.
pub(crate) fn minor_digits(currency: Currency) -> u8 {
    const NONE: [&str; 16] = [
        "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF",
    ];
    const THREE: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];
    let code = currency.as_str();
    if NONE.contains(&code) {
        return 0;
    }
    if THREE.contains(&code) { 3 } else { 2 }
}
