//! Any events of one creator are refused or applied, whatever their texts, tokens, amounts and times; what is remembered of
//! clicks for the rules of fraud stays within its bounds.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use tributary::decode::{Scratch, from_json};
use tributary::event::Bots;
use tributary::fold::effects::Effects;
use tributary::fold::state::State;
use tributary::fold::{Fold, Origin};
use tributary::ids::{Millis, Next, Offset};

static BOTS: LazyLock<Bots> = LazyLock::new(Bots::default);

/// 2026-01-01T00:00Z.
const FOUNDED: i64 = 1_767_225_600_000;
/// Windows of a member.
const WINDOWS: usize = 1_024;

/// The input, as one likes to have it.
struct Input<'i>(&'i [u8]);

impl<'i> Input<'i> {
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut some = [0; N];
        let (head, rest) = self.0.split_at(N.min(self.0.len()));
        some.iter_mut().zip(head).for_each(|(place, byte)| *place = *byte);
        self.0 = rest;
        some
    }

    fn byte(&mut self) -> u8 {
        let [byte] = self.bytes();
        byte
    }

    fn number(&mut self) -> i64 {
        match self.byte() % 8 {
            0 => i64::MAX,
            1 => -i64::MAX,
            2 => i64::from_le_bytes(self.bytes()),
            _ => i64::from(i16::from_le_bytes(self.bytes())),
        }
    }

    fn text(&mut self) -> Value {
        let len = usize::from(u16::from_le_bytes(self.bytes()) % 5_000).min(self.0.len());
        let (head, rest) = self.0.split_at(len);
        self.0 = rest;
        if len == 0 { Value::Null } else { json!(String::from_utf8_lossy(head)) }
    }

    fn token(&mut self) -> Value {
        match self.byte() % 8 {
            0 => Value::Null,
            1 => json!(format!("{:032x}", u128::from_le_bytes(self.bytes()))),
            2 => self.text(),
            n => json!(format!("{n:032x}")),
        }
    }

    fn event(&mut self, n: u64, at: &mut i64) -> Value {
        *at += i64::from(u16::from_le_bytes(self.bytes())) * 1_000;
        let (kind, id) = (self.byte(), self.byte());
        let known = format!("p{}", id % 8);
        let taken = ["refund", "chargeback", "chargeback_reversed"][usize::from(id % 3)];
        let mut event = match kind % 12 {
            0..=3 => json!({
                "type": "Click", "click_id": format!("k{n}"), "member_id": "ann", "user_agent": self.text(),
                "ip_token": self.token(), "device_token": self.token(), "ip56_token": self.token(),
            }),
            4 => json!({
                "type": "Sighting", "member_id": "ann", "ip_token": self.token(), "device_token": self.token(),
                "email_token": self.token(), "payout_token": self.token(),
            }),
            5..=6 => json!({
                "type": "Conversion", "conversion_id": known, "kind": "purchase", "referral_code": "ANN",
                "customer_id": format!("u{}", id % 3), "amount": self.number(), "ip_token": self.token(),
                "device_token": self.token(), "payment_token": self.token(),
            }),
            7 => json!({
                "type": "Conversion", "conversion_id": format!("b{n}"), "original_id": known, "amount": self.number(),
                "kind": taken,
            }),
            8 => json!({
                "type": "Review", "subject_type": "conversion", "subject_id": known, "verdict": "block", "label": "fraud",
                "reason": "seen", "actor": "ops", "expires_at": self.number(),
            }),
            9 => json!({
                "type": "ListEntry", "list": if id % 2 == 0 { "deny" } else { "allow" }, "key": "customer",
                "value": format!("u{}", id % 3), "active": id % 4 < 2,
            }),
            10 => json!({"type": "RuleSet", "rule_set_id": "own", "definition": self.text()}),
            _ => {
                json!({"type": "Erasure", "subject_type": "customer", "subject_id": format!("u{}", id % 3), "actor": "dpo"})
            }
        };
        let skew = if self.byte() % 4 == 0 { self.number() } else { 0 };
        event["occurred_at"] = json!(at.saturating_add(skew));
        event["creator_id"] = json!("c");
        event["event_id"] = json!(format!("e{n}"));
        event.as_object_mut().expect("it has fields").retain(|_, value| !value.is_null());
        event
    }
}

fuzz_target!(|bytes: &[u8]| {
    let (mut state, mut fold, mut effects) = (State::default(), Fold::with(BOTS.clone()), Effects::from(Next(0)));
    let mut apply = |event: &Value, n: u64, at: i64| {
        let (text, mut scratch) = (event.to_string(), Scratch::default());
        if let Ok(event) = from_json(text.as_bytes(), &mut scratch) {
            let origin = Origin { offset: Offset(n), timestamp: Millis(at) };
            fold.apply(&mut state, &mut effects, &event, origin);
        }
        assert!(state.windows.len() <= WINDOWS && state.tag_pages.len() <= 32);
    };
    let head = json!({
        "type": "Creator", "creator_id": "c", "event_id": "c", "occurred_at": FOUNDED, "name": "Club", "currency": "EUR",
        "time_zone": "UTC", "commission": {"source": "derived", "rate_bp": 1_000, "hold_days": 14},
    });
    apply(&head, 0, FOUNDED);
    let member = json!({
        "type": "Member", "creator_id": "c", "event_id": "m", "occurred_at": FOUNDED, "member_id": "ann",
        "referral_code": "ANN",
    });
    apply(&member, 1, FOUNDED);
    let (mut input, mut n, mut at) = (Input(bytes), 2, FOUNDED);
    while !input.0.is_empty() {
        let event = input.event(n, &mut at);
        apply(&event, n, at);
        n += 1;
    }
});
