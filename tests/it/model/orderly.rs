//! A programme whose records agree with each other, and arrive in any order (SEMANTICS §3).
//!
//! Everything happens within a day, nothing contradicts anything, and what depends on the order of the log by its
//! nature is left out: visitors, owners, coupons, payments without an amount, refunds of more than is left.

use proptest::prelude::*;
use serde_json::{Value, json};
use tributary::ids::Millis;

use super::compare::{Events, Rows};

/// 2026-01-01T00:00Z.
const START: i64 = 1_767_225_600_000;
const MINUTE: i64 = 60_000;

/// A sale and what became of it, as numbers.
type Sale = (u8, u8, u16, Vec<(u8, u8)>);

#[derive(Debug, Clone)]
pub(crate) struct Programme {
    derived: bool,
    sales: Vec<Sale>,
    /// By which the records are brought into another order.
    keys: Vec<u16>,
}

pub(crate) fn programmes() -> impl Strategy<Value = Programme> {
    let after = proptest::collection::vec((any::<u8>(), any::<u8>()), 0..6);
    let sale = (any::<u8>(), any::<u8>(), any::<u16>(), after);
    let sales = proptest::collection::vec(sale, 1..8);
    (any::<bool>(), sales, proptest::collection::vec(any::<u16>(), 128)).prop_map(|(derived, sales, keys)| Programme {
        derived,
        sales,
        keys,
    })
}

impl Programme {
    /// In the order in which it happened, and in another; the log takes everything in when all is over.
    pub(crate) fn told_twice(&self) -> (Events, Events) {
        let events = self.events();
        let mut order: Vec<usize> = (0..events.len()).collect();
        order.sort_by_key(|n| self.keys.get(*n).copied().unwrap_or_default());
        // Members are numbered as they join, so those keep their places among each other.
        let is_member = |n: &usize| matches!(n, 1..=3);
        let mut members = vec![3, 2, 1];
        let order = order.into_iter().map(|n| if is_member(&n) { members.pop().unwrap() } else { n });
        let other = order.map(|n| events[n].clone()).collect();
        (events, other)
    }

    fn events(&self) -> Events {
        let commission = json!({"source": if self.derived { "derived" } else { "producer" }, "rate_bp": 1_234});
        let mut all = vec![
            json!({"type": "Creator", "name": "Club", "currency": "EUR", "time_zone": "UTC", "commission": commission}),
        ];
        for (id, code) in [("m0", "a"), ("m1", "b"), ("m2", "c")] {
            all.push(json!({"type": "Member", "member_id": id, "referral_code": code}));
        }
        for (n, sale) in self.sales.iter().enumerate() {
            self.tell(n, sale, &mut all);
        }
        let at = |n: usize| START + i64::try_from(n).unwrap() * 7 * MINUTE;
        let stamp = |(n, mut event): (usize, Value)| {
            event["event_id"] = json!(format!("e{n}"));
            event["creator_id"] = json!("c");
            event["occurred_at"] = json!(at(n));
            (event.to_string(), Millis(at(200)))
        };
        all.into_iter().enumerate().map(stamp).collect()
    }

    fn tell(&self, n: usize, (whose, how, amount, after): &Sale, all: &mut Vec<Value>) {
        let member = usize::from(*whose) % 3;
        let (member, code) = ([("m0", "A"), ("m1", "b"), ("m2", " c ")])[member];
        let amount = i64::from(*amount) + 1;
        let mut sale = json!({
            "type": "Conversion", "conversion_id": format!("p{n}"), "kind": "purchase", "customer_id": format!("u{n}"),
            "amount": amount, "currency": if how % 5 == 4 { "JPY" } else { "EUR" },
        });
        match how % 3 {
            0 => sale["referral_code"] = json!(code),
            1 => {
                all.push(json!({"type": "Click", "click_id": format!("k{n}"), "member_id": member}));
                sale["click_id"] = json!(format!("k{n}"));
            }
            _ => all.push(json!({
                "type": "Share", "share_id": format!("s{n}"), "member_id": member, "platform": "x", "share_type": "link",
            })),
        }
        all.push(sale);
        if !self.derived {
            all.push(json!({
                "type": "Commission", "commission_id": format!("x{n}"), "kind": "earned", "member_id": member,
                "conversion_id": format!("p{n}"), "amount": amount / 7, "currency": "EUR",
            }));
        }
        let commission_id = if self.derived { format!("auto:p{n}:{member}") } else { format!("x{n}") };
        let review = |kind: &str, id: String, verdict: &str| {
            json!({
                "type": "Review", "subject_type": kind, "subject_id": id, "verdict": verdict, "label": "unsure",
                "reason": "r", "actor": "o",
            })
        };
        let mut left = amount;
        for (m, (what, size)) in after.iter().enumerate() {
            let part = left * i64::from(*size) / 512;
            let commission = |kind: &str, amount: i64| {
                json!({
                    "type": "Commission", "commission_id": commission_id, "kind": kind, "member_id": member, "amount": amount,
                })
            };
            let conversion = |id: &str, kind: &str, of: String, amount: Option<i64>| {
                json!({
                    "type": "Conversion", "conversion_id": format!("{id}{n}.{m}"), "kind": kind, "original_id": of,
                    "amount": amount,
                })
            };
            let is_new = !after[..m].iter().any(|(other, _)| other % 9 == what % 9);
            match what % 9 {
                0 | 1 => {
                    all.push(conversion("r", "refund", format!("p{n}"), Some(part)));
                    left -= part;
                }
                2 => {
                    all.push(conversion("b", "chargeback", format!("p{n}"), Some(part)));
                    all.push(conversion("w", "chargeback_reversed", format!("b{n}.{m}"), None));
                    // Until it is won, it may come before any refund.
                    left -= part;
                }
                3 => all.push(commission("adjusted", i64::from(*size) - 100)),
                4 => all.push(commission("reversed", i64::from(*size))),
                5 if is_new => all.push(commission("approved", 0)),
                6 if is_new => all.push(commission("paid", part)),
                // Of two verdicts the later in the log is in force: one each.
                7 if is_new => all.push(review("conversion", format!("p{n}"), "block")),
                8 if is_new => all.push(review("commission", commission_id.clone(), "approve")),
                _ => {}
            }
        }
    }
}

/// Rows that no order of arrival changes. A change of `reversed` is booked on the record that makes it, whichever comes
/// last, so minutes may differ; what they add up to may not.
pub(crate) fn settled(mut rows: Rows) -> Rows {
    rows.retain(|name, _| !name.starts_with("hour "));
    rows
}
