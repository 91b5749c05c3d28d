//! How a commission came to what it is, step by step.

use serde::Serialize;

use super::explain::{Check, on};
use crate::project::rows::{CommissionRow, MemberState};

/// The figures behind it, minor units of its currency.
#[derive(Serialize)]
pub(super) struct Money {
    /// E: earned and Σ adjusted.
    earned: i128,
    /// S and R: the order's amount, and what was taken of it; null without an order.
    order_amount: Option<i64>,
    order_refunded: Option<i64>,
    /// Σ of the take-backs that were stated.
    stated_reversed: i128,
    /// min(E, max(round(E·R/S), stated)).
    reversed: i128,
    net: i128,
    /// What of the net counts: nothing, if blocked.
    counted: i128,
    paid: i128,
    /// Owed back (negative) or still owed, once paid.
    carry: i128,
}

impl Money {
    pub(super) const fn of(row: &CommissionRow) -> Self {
        let net = row.earned - row.reversed;
        let counted = if row.is_blocked { 0 } else { net };
        Self {
            earned: row.earned,
            order_amount: row.order_amount,
            order_refunded: row.order_refunded,
            stated_reversed: row.stated_reversed,
            reversed: row.reversed,
            net,
            counted,
            paid: row.paid_amount,
            carry: if row.paid_at.is_some() { counted - row.paid_amount } else { 0 },
        }
    }
}

fn check(check: &'static str, outcome: &'static str, text: String) -> Check {
    Check { check, outcome, reason: None, text }
}

/// In the order in which they decide: what it is, what was taken back of it, then its state.
pub(super) fn checks(row: &CommissionRow, member: MemberState, is_under_review: bool) -> Vec<Check> {
    let currency = row.currency.as_str();
    let made = if row.is_derived {
        format!("derived from the conversion {:?}: {} {currency}", row.conversion_id, row.earned)
    } else if row.conversion_id.is_empty() {
        format!("a bonus that the producer stated: {} {currency}", row.earned)
    } else {
        format!("stated by the producer for {:?}: {} {currency}, adjustments included", row.conversion_id, row.earned)
    };
    let mut checks = vec![check("earned", "applied", made), reversal(row)];
    checks.extend([paid(row), verdict(row), taken_back(row)]);
    if is_under_review {
        checks.push(check("review", "applied", "it is held until somebody has reviewed it".to_owned()));
    }
    checks.extend([standing(row, member), approval(row)]);
    // The first one that applies decides the state.
    let mut is_decided = false;
    for step in checks.iter_mut().skip(2) {
        if is_decided {
            step.outcome = "not_reached";
        }
        is_decided |= step.outcome == "applied";
    }
    checks
}

fn reversal(row: &CommissionRow) -> Check {
    let by_order = match (row.order_amount, row.order_refunded) {
        (Some(amount), Some(refunded)) => format!("{refunded} of the order's {amount} was taken back"),
        _ if row.conversion_id.is_empty() => "there is no order".to_owned(),
        _ => format!("its order {:?} has not come", row.conversion_id),
    };
    let text = format!(
        "{by_order}, {} was stated as taken back; the larger counts, no more than was earned: {}",
        row.stated_reversed, row.reversed
    );
    check("reversed", if row.reversed == 0 { "not_applied" } else { "applied" }, text)
}

fn paid(row: &CommissionRow) -> Check {
    match row.paid_at {
        Some(at) => check("paid", "applied", format!("{} was paid on {}: it stays paid", row.paid_amount, on(at))),
        None => check("paid", "not_applied", "it was not paid".to_owned()),
    }
}

fn verdict(row: &CommissionRow) -> Check {
    let own = match row.review.as_str() {
        "blocked" => "its own review blocks it",
        "approved" => "its own review approves it",
        _ if row.is_blocked => "its conversion is blocked",
        _ => "no verdict stands against it",
    };
    check("verdict", if row.is_blocked { "applied" } else { "not_applied" }, own.to_owned())
}

fn taken_back(row: &CommissionRow) -> Check {
    if row.earned == row.reversed {
        return check("net", "applied", "nothing is left of it".to_owned());
    }
    check("net", "not_applied", format!("{} is left of it", row.earned - row.reversed))
}

fn standing(row: &CommissionRow, member: MemberState) -> Check {
    let outcome = if member == MemberState::Active { "not_applied" } else { "applied" };
    check("member", outcome, format!("the member {:?} is {}", row.member_id, member.name()))
}

fn approval(row: &CommissionRow) -> Check {
    let text = match (row.is_approved, row.matures_at) {
        (true, _) => "the producer approved it".to_owned(),
        (false, Some(at)) if row.state == "approved" => format!("its hold ended on {}", on(at)),
        (false, Some(at)) => format!("it is held until {}", on(at)),
        (false, None) => "it is held until the producer approves it".to_owned(),
    };
    check("approval", "applied", text)
}
