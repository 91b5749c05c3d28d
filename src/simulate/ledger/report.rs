//! The books as JSON, for scripts.

use serde_json::{Map, Value, json};

use super::{CreatorFigures, Ledger, MemberFigures, Tally};
use crate::project::totals::{Counts, Money, Totals};

/// The whole ledger: what was read, and the figures of every creator. Money is in minor units.
pub fn to_json(ledger: &Ledger) -> Value {
    let creators: Map<String, Value> =
        ledger.figures().iter().map(|(id, figures)| ((*id).to_owned(), creator(figures))).collect();
    json!({ "tally": tally(&ledger.tally()), "creators": creators })
}

fn creator(figures: &CreatorFigures) -> Value {
    let days: Map<String, Value> = figures.days.iter().map(|(day, sums)| (day.to_string(), totals(sums))).collect();
    let members: Map<String, Value> =
        figures.members.iter().map(|figures| (figures.member_id.clone(), member(figures))).collect();
    let board = figures.board.iter().map(|entry| {
        json!({ "rank": entry.rank, "member_id": entry.member_id, "value": number(entry.value),
                "reached_at": entry.reached_at.0 })
    });
    json!({
        "currency": figures.currency.map(|currency| currency.to_string()),
        "clock": figures.clock.map(|clock| clock.0),
        "tally": tally(&figures.tally),
        "totals": totals(&figures.totals),
        "days_since_1970": days,
        "members": members,
        "leaderboard_earnings_all": board.collect::<Vec<_>>(),
    })
}

fn member(figures: &MemberFigures) -> Value {
    json!({ "status": format!("{:?}", figures.status).to_ascii_lowercase(), "totals": totals(&figures.totals) })
}

fn tally(tally: &Tally) -> Value {
    json!({
        "read": tally.read, "applied": tally.applied, "duplicate": tally.duplicate, "parked": tally.parked,
        "dead": tally.dead, "remarks": tally.remarks,
    })
}

fn totals(totals: &Totals) -> Value {
    let mut fields: Map<String, Value> =
        counts(&totals.counts).into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    for (currency, sums) in &totals.money {
        let sums: Map<String, Value> =
            money(sums).into_iter().map(|(name, value)| (name.to_owned(), number(value))).collect();
        fields.insert(currency.to_string(), Value::Object(sums));
    }
    Value::Object(fields)
}

/// As a number where JSON has one as large, else as text.
fn number(value: i128) -> Value {
    i64::try_from(value).map_or_else(|_| json!(value.to_string()), |value| json!(value))
}

/// The counts and what they are called.
pub fn counts(counts: &Counts) -> [(&'static str, i64); 10] {
    [
        ("clicks_total", counts.clicks_total),
        ("clicks_human", counts.clicks_human),
        ("clicks_unique", counts.clicks_unique),
        ("clicks_shared", counts.clicks_shared),
        ("shares", counts.shares),
        ("signups", counts.signups),
        ("orders", counts.orders),
        ("customers", counts.customers),
        ("referrals", counts.referrals),
        ("signups_credited", counts.signups_credited),
    ]
}

/// The sums of one currency and what they are called.
pub fn money(money: &Money) -> [(&'static str, i128); 9] {
    [
        ("revenue_gross", money.revenue_gross),
        ("revenue_refunded", money.revenue_refunded),
        ("revenue_blocked", money.revenue_blocked),
        ("commission_earned", money.commission_earned),
        ("commission_reversed", money.commission_reversed),
        ("commission_held", money.commission_held),
        ("commission_approved", money.commission_approved),
        ("commission_paid", money.commission_paid),
        ("commission_carry", money.commission_carry),
    ]
}
