//! Scripts of a programme in which hardly anybody is honest: few members, customers, addresses, devices and cards; bursts,
//! bots, own purchases, refunds, chargebacks, reviews, lists, rule sets and erasures.

use std::ops::Range;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use tributary::append::Outgoing;
use tributary::decode::{Scratch, from_json};
use tributary::ids::Millis;

use super::tale::{DAY, FIREFOX, FOUNDED, HOUR, MINUTE, SECOND, token};
use crate::fold::seed::fixed;

/// One step, as numbers that shrink.
#[derive(Debug, Clone)]
pub(crate) struct Draw {
    kind: u8,
    picks: [u8; 8],
    /// Since the one before it came.
    gap: u8,
    /// How much earlier than it came it happened.
    late: u8,
}

pub(crate) fn draws(most: usize) -> impl Strategy<Value = Vec<Draw>> {
    draws_of(1..most)
}

/// The same long script at each run, the log's records of it.
pub(crate) fn records(creator: &str, partitions: u32) -> Vec<Outgoing> {
    let draws = draws_of(300..301).new_tree(&mut TestRunner::new(fixed(1))).unwrap().current();
    let events = events(&draws, creator);
    let outgoing = events.iter().map(|(json, timestamp)| {
        let mut scratch = Scratch::default();
        Outgoing::of_event(&from_json(json.as_bytes(), &mut scratch).unwrap(), *timestamp, partitions)
    });
    outgoing.collect()
}

fn draws_of(lengths: Range<usize>) -> impl Strategy<Value = Vec<Draw>> {
    let draw = (any::<u8>(), any::<[u8; 8]>(), any::<u8>(), any::<u8>());
    let draw = draw.prop_map(|(kind, picks, gap, late)| Draw { kind, picks, gap, late });
    proptest::collection::vec(draw, lengths)
}

fn pick<T: Copy>(from: &[T], n: u8) -> T {
    from[usize::from(n) % from.len()]
}

const GAPS: [i64; 16] = [
    0,
    0,
    1,
    SECOND,
    SECOND,
    3 * SECOND,
    4_999,
    MINUTE,
    MINUTE,
    10 * MINUTE,
    HOUR,
    HOUR,
    6 * HOUR,
    DAY,
    3 * DAY,
    40 * DAY,
];
const LATE: [i64; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, MINUTE, 20 * MINUTE, 2 * DAY, 60 * DAY, -4 * MINUTE];
const AGENTS: [Option<&str>; 8] = [
    Some(FIREFOX),
    Some(FIREFOX),
    Some(FIREFOX),
    Some("curl/8.5.0"),
    Some("WhatsApp/2.23.20.0"),
    Some("HeadlessChrome"),
    Some(""),
    None,
];
const MEMBERS: [&str; 4] = ["m0", "m1", "m2", "m3"];
const CODES: [&str; 4] = ["A0", "A1", "A2", "A3"];
const CUSTOMERS: [&str; 8] = ["u0", "u1", "u2", "u3", "u4", "u5", "u6", "u7"];
const DEFINITIONS: [&str; 4] = [
    r#"{"points": {"click.bot": 80, "click.timing": 31}}"#,
    r#"{"base": "seed-v1", "thresholds": {"clicks_ip_minute": 3, "clicks_network_minute": 9, "shared_customers": 2}}"#,
    r#"{"guards": {"proxy": false, "shared_ip": false}, "points": {"self.same_ip": 71}}"#,
    r#"{"thresholds": {"early_refunds": 1, "member_refunds": 1, "customer_refunds": 1, "customer_refunds_orders": 1}}"#,
];

/// A script on its way to events.
struct Telling<'s> {
    creator: &'s str,
    arrival: i64,
    events: Vec<(String, Millis)>,
    clicks: Vec<String>,
    conversions: Vec<String>,
    commissions: Vec<String>,
}

/// The events of a script, with the log's timestamps.
pub(crate) fn events(draws: &[Draw], creator: &str) -> Vec<(String, Millis)> {
    let mut telling = Telling {
        creator,
        arrival: FOUNDED,
        events: Vec::new(),
        clicks: Vec::new(),
        conversions: Vec::new(),
        commissions: Vec::new(),
    };
    telling.tell(0, creator_record(&Draw { kind: 0, picks: [1; 8], gap: 0, late: 0 }));
    for (member, code) in MEMBERS.iter().zip(CODES) {
        telling.tell(0, json!({"type": "Member", "member_id": member, "referral_code": code, "user_id": member}));
    }
    draws.iter().for_each(|draw| telling.draw(draw));
    telling.events
}

impl Telling<'_> {
    fn tell(&mut self, late: i64, mut event: Value) {
        let fields = event.as_object_mut().unwrap();
        fields.retain(|_, value| !value.is_null());
        fields.insert("event_id".to_owned(), json!(format!("e{}", self.events.len())));
        fields.insert("creator_id".to_owned(), json!(self.creator));
        fields.insert("occurred_at".to_owned(), json!(self.arrival - late));
        self.events.push((event.to_string(), Millis(self.arrival)));
    }

    fn draw(&mut self, draw: &Draw) {
        self.arrival += pick(&GAPS, draw.gap);
        let late = pick(&LATE, draw.late);
        match draw.kind % 32 {
            0..=2 => self.burst(draw),
            3 => self.stuffed(draw),
            4..=7 => self.click(draw, late),
            8..=10 => {
                let tokens = [("ip_token", 0), ("device_token", 1), ("email_token", 2), ("payout_token", 3)];
                let event = json!({"type": "Sighting", "member_id": pick(&MEMBERS, draw.picks[0])});
                self.tell(late, with_tokens(event, draw, &tokens));
            }
            11..=16 => self.conversion(draw, late, "purchase"),
            17 => self.conversion(draw, late, "signup"),
            18..=20 => self.taken_back(draw, late, "refund"),
            21..=22 => self.taken_back(draw, late, "chargeback"),
            23 => self.taken_back(draw, late, "chargeback_reversed"),
            24 => self.review(draw, late),
            25 => {
                let key = pick(&["member", "customer"], draw.picks[1]);
                let value =
                    if key == "member" { pick(&MEMBERS, draw.picks[2]) } else { pick(&CUSTOMERS, draw.picks[2]) };
                let expires = draw.picks[3].is_multiple_of(2).then_some(self.arrival + DAY);
                self.tell(
                    late,
                    json!({"type": "ListEntry", "list": pick(&["deny", "allow"], draw.picks[0]), "key": key,
                    "value": value, "active": !draw.picks[4].is_multiple_of(4), "expires_at": expires, "actor": "ops"}),
                );
            }
            26 => self.rule_set(draw, late),
            27 => {
                let (kind, id) = pick(&[("member", "m1"), ("customer", "u0"), ("customer", "u1")], draw.picks[0]);
                self.tell(late, json!({"type": "Erasure", "subject_type": kind, "subject_id": id, "actor": "dpo"}));
            }
            28 => self.paid(draw, late),
            29 => self.tell(late, json!({"type": "Tick"})),
            30 => {
                let status = pick(&["active", "active", "suspended", "removed"], draw.picks[1]);
                self.tell(
                    late,
                    json!({"type": "Member", "member_id": pick(&MEMBERS, draw.picks[0]), "status": status}),
                );
            }
            _ => self.tell(late, creator_record(draw)),
        }
    }

    fn newest(&self, of: &[String], n: u8) -> Value {
        let back = usize::from(n) % 8 + 1;
        of.len().checked_sub(back).map_or(Value::Null, |place| json!(of[place]))
    }

    fn burst(&mut self, draw: &Draw) {
        let apart = pick(&[500, SECOND, SECOND, MINUTE], draw.picks[6]);
        for _ in 0..8 + draw.picks[7] % 32 {
            self.arrival += apart;
            self.click(draw, 0);
        }
    }

    /// Another member's click, one's own behind it, and the sale at once.
    fn stuffed(&mut self, draw: &Draw) {
        for (n, apart) in [(0, 0), (1, 4_000)] {
            self.arrival += apart;
            let mut draw = draw.clone();
            (draw.picks[1], draw.picks[4], draw.picks[5]) = (1 + draw.picks[1] % 4, draw.picks[4].wrapping_add(n), 0);
            self.click(&draw, 0);
        }
        self.arrival += 3_000;
        let mut draw = draw.clone();
        (draw.picks[1], draw.picks[5], draw.picks[6]) = (1 + draw.picks[1] % 4, 0, 0);
        self.conversion(&draw, 0, "purchase");
    }

    fn click(&mut self, draw: &Draw, late: i64) {
        let id = format!("k{}", self.events.len());
        let event = json!({
            "type": "Click", "click_id": id, "member_id": pick(&MEMBERS, draw.picks[4]),
            "user_agent": pick(&AGENTS, draw.picks[5]),
            "method": if draw.picks[6].is_multiple_of(16) { json!("HEAD") } else { Value::Null },
        });
        self.tell(late, with_tokens(event, draw, &[("ip_token", 0), ("device_token", 1), ("ip56_token", 2)]));
        self.clicks.push(id);
    }

    fn conversion(&mut self, draw: &Draw, late: i64, kind: &str) {
        let id = format!("p{}", self.events.len());
        let by_click = draw.picks[5].is_multiple_of(2);
        let event = json!({
            "type": "Conversion", "conversion_id": id, "kind": kind,
            "click_id": if by_click { self.newest(&self.clicks, draw.picks[6]) } else { Value::Null },
            "referral_code": if by_click { Value::Null } else { json!(pick(&CODES, draw.picks[6])) },
            "customer_id": pick(&CUSTOMERS, draw.picks[4]),
            "user_id": if draw.picks[7].is_multiple_of(8) { json!("m0") } else { Value::Null },
            "amount": 1_000,
        });
        let tokens = [("ip_token", 0), ("device_token", 1), ("email_token", 2), ("payment_token", 3)];
        self.tell(late, with_tokens(event, draw, &tokens));
        for member in MEMBERS {
            self.commissions.push(format!("auto:{id}:{member}"));
        }
        self.conversions.push(id);
    }

    fn taken_back(&mut self, draw: &Draw, late: i64, kind: &str) {
        let id = format!("b{}", self.events.len());
        let of = self.newest(&self.conversions, draw.picks[0]);
        if !of.is_null() {
            let amount = pick(&[100, 300, 1_000], draw.picks[1]);
            self.tell(
                late,
                json!({"type": "Conversion", "conversion_id": id, "kind": kind, "original_id": of, "amount": amount}),
            );
        }
    }

    fn review(&mut self, draw: &Draw, late: i64) {
        let (what, id) = match draw.picks[0] % 3 {
            0 => ("click", self.newest(&self.clicks, draw.picks[1])),
            1 => ("conversion", self.newest(&self.conversions, draw.picks[1])),
            _ => ("commission", self.newest(&self.commissions, draw.picks[1])),
        };
        if !id.is_null() {
            let expires = draw.picks[3].is_multiple_of(2).then_some(self.arrival + 2 * HOUR);
            self.tell(
                late,
                json!({"type": "Review", "subject_type": what, "subject_id": id,
                "verdict": pick(&["approve", "block"], draw.picks[2]), "label": "unsure", "reason": "seen",
                "actor": "ops", "expires_at": expires}),
            );
        }
    }

    fn rule_set(&mut self, draw: &Draw, late: i64) {
        let event = match draw.picks[0] % 4 {
            0 => json!({"type": "RuleSet", "rule_set_id": "guarded-v1"}),
            1 => json!({"type": "RuleSet", "rule_set_id": "seed-v1"}),
            _ => {
                let definition = pick(&DEFINITIONS, draw.picks[1]);
                let version = format!("v{}", draw.picks[1] % 4);
                json!({"type": "RuleSet", "rule_set_id": "own", "version": version, "definition": definition})
            }
        };
        self.tell(late, event);
    }

    fn paid(&mut self, draw: &Draw, late: i64) {
        let id = self.newest(&self.commissions, draw.picks[0]);
        if let Some(member) = id.as_str().and_then(|id| id.rsplit(':').next()) {
            let kind = pick(&["approved", "paid", "paid"], draw.picks[1]);
            self.tell(late, json!({"type": "Commission", "commission_id": id, "kind": kind, "member_id": member}));
        }
    }
}

/// Each with one of three tokens, or without it.
fn with_tokens(mut event: Value, draw: &Draw, tokens: &[(&str, usize)]) -> Value {
    for (field, place) in tokens {
        let n = draw.picks[*place] % 5;
        if n > 0 {
            // The same of all kinds: what is compared must look at the kind too.
            event.as_object_mut().unwrap().insert((*field).to_owned(), json!(token(u64::from(n.min(3)))));
        }
    }
    event
}

fn creator_record(draw: &Draw) -> Value {
    json!({
        "type": "Creator", "name": "Club", "currency": "EUR", "time_zone": "UTC",
        "attribution": {"model": pick(&["last", "last", "first", "linear"], draw.picks[0])},
        "commission": {
            "source": "derived", "rate_bp": 1_000, "flat_amount": 50, "hold_days": pick(&[0, 1, 14], draw.picks[1]),
            "on": ["signup", "purchase"],
        },
        "review": {
            "due_days": pick(&[1, 7], draw.picks[2]), "on_due": pick(&["hold", "release", "reject"], draw.picks[3]),
        },
    })
}
