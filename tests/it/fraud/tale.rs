//! Long stories that a program tells: a club of Ann and Bob, event by event, and what the newest decision on something
//! answers to one question.

use serde_json::{Value, json};
use tributary::fold::fraud::{Answer, Decision, Question};
use tributary::ids::Millis;

use crate::fold::world::{Flush, World};

pub(super) const SECOND: i64 = 1_000;
pub(super) const MINUTE: i64 = 60 * SECOND;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;
/// 2026-01-01T00:00Z: the club is founded.
pub(super) const FOUNDED: i64 = 1_767_225_600_000;
/// Somebody's browser.
pub(super) const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0";

pub(super) struct Tale {
    pub(super) world: World,
    n: u64,
}

/// A token that `n` stands for.
pub(super) fn token(n: u64) -> String {
    format!("{n:032x}")
}

impl Tale {
    /// Commissions are derived: a tenth of the sale, held for so many days.
    pub(super) fn held_for(hold_days: u32) -> Self {
        Self::over(World::alone(Flush::AtTheEnd), hold_days)
    }

    /// In a world of nothing yet, that may have its state on a disk.
    pub(super) fn over(world: World, hold_days: u32) -> Self {
        let mut tale = Self { world, n: 0 };
        let commission = json!({"source": "derived", "rate_bp": 1_000, "hold_days": hold_days});
        let creator = json!({"name": "Club", "currency": "EUR", "time_zone": "UTC", "commission": commission});
        tale.tell(FOUNDED, "Creator", creator);
        tale.tell(FOUNDED, "Member", json!({"member_id": "ann", "referral_code": "ANN"}));
        tale.tell(FOUNDED, "Member", json!({"member_id": "bob", "referral_code": "BOB"}));
        tale
    }

    pub(super) fn new() -> Self {
        Self::held_for(14)
    }

    /// An event that comes when it happens.
    pub(super) fn tell(&mut self, t: i64, kind: &str, fields: Value) {
        self.tell_late(t, t, kind, fields);
    }

    /// One that the log takes in at `arrival`.
    pub(super) fn tell_late(&mut self, t: i64, arrival: i64, kind: &str, fields: Value) {
        let mut event = json!({"type": kind, "event_id": format!("e{}", self.n), "creator_id": "c", "occurred_at": t});
        let (Some(event), Value::Object(fields)) = (event.as_object_mut(), fields) else { panic!("fields are named") };
        event.extend(fields);
        self.n += 1;
        let letters = self.world.letters.len();
        self.world.apply(&Value::Object(event.clone()).to_string(), Millis(arrival));
        let refused: Vec<_> = self.world.letters[letters..].iter().map(|letter| &letter.message).collect();
        assert!(refused.is_empty(), "{refused:?}: {event:?}");
    }

    /// A click on a member's link by a person's browser.
    pub(super) fn click(&mut self, t: i64, id: &str, member: &str, tokens: Value) {
        let mut click = json!({"click_id": id, "member_id": member, "user_agent": FIREFOX});
        extend(&mut click, tokens);
        self.tell(t, "Click", click);
    }

    /// A sale of ten euros that a code brings.
    pub(super) fn sale(&mut self, t: i64, id: &str, (code, customer): (&str, &str), tokens: Value) {
        let mut sale = json!({
            "conversion_id": id, "kind": "purchase", "referral_code": code, "customer_id": customer, "amount": 1_000,
        });
        extend(&mut sale, tokens);
        self.tell(t, "Conversion", sale);
    }

    /// A refund, a chargeback or its reversal.
    pub(super) fn taken_back(&mut self, t: i64, kind: &str, of: &str, amount: i64) {
        let id = format!("{kind}{}", self.n);
        let fields = json!({"conversion_id": id, "kind": kind, "original_id": of, "amount": amount});
        self.tell(t, "Conversion", fields);
    }

    /// The newest decision on a subject.
    pub(super) fn decision(&self, subject: &str) -> &Decision {
        let mut all = self.world.decisions.iter().rev();
        all.find(|decision| decision.subject_id.as_str() == subject).unwrap_or_else(|| panic!("{subject} was judged"))
    }

    /// What that answers, in short: `yes 3/3`, `no`, `but shared_ip`, `unknown user_agent`.
    pub(super) fn answer(&self, subject: &str, question: Question) -> String {
        let decision = self.decision(subject);
        let mut findings = decision.assessment.findings();
        let finding = findings.find(|finding| finding.question == question);
        match finding.unwrap_or_else(|| panic!("{subject} was asked {question:?}")).answer {
            Answer::Yes(seen) => format!("yes {}/{}", seen.observed, seen.threshold),
            Answer::No => "no".to_owned(),
            Answer::Silenced(_, guard) => format!("but {}", guard.name()),
            Answer::Unknown(missing) => format!("unknown {}", missing.name()),
        }
    }
}

fn extend(event: &mut Value, fields: Value) {
    let (Some(event), Value::Object(fields)) = (event.as_object_mut(), fields) else { panic!("fields are named") };
    event.extend(fields);
}
