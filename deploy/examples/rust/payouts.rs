//! Which payouts may leave, by what Tributary decides of commissions.
//!
//! Promise, whatever comes twice, late or out of order: a `decision_id` counts once, and a revision only if it is the
//! newest of its subject; a commission is paid once, when its newest decision approves it and it has matured.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// What is needed of a decision.
#[derive(Debug, Clone, Deserialize)]
pub struct Decision {
    pub decision_id: String,
    pub creator_id: String,
    pub subject: Subject,
    pub revision: u32,
    pub verdict: Verdict,
    pub mode: String,
    /// Milliseconds since 1970.
    pub matures_at: Option<i64>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Subject {
    #[serde(rename = "type")]
    pub kind: String,
    pub id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Approve,
    Block,
    /// Also what a word of a newer version counts as: it holds.
    #[serde(other)]
    Review,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Move {
    Pay,
    Hold,
    Cancel,
    /// It was paid, and now is in doubt.
    Suspend,
    /// It was paid, and is owed back.
    ClawBack,
    /// It was in doubt or owed back, and is not any more.
    Settle,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    New,
    /// Approved; it waits for its day.
    Due,
    Held,
    Cancelled,
    Paid,
    Suspended,
    OwedBack,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Commission {
    creator_id: String,
    commission_id: String,
    revision: u32,
    matures_at: Option<i64>,
    state: State,
}

/// A move, with a key of its own for whoever moves money: the same move again has the same key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub key: u64,
    #[serde(rename = "move")]
    pub what: Move,
    pub creator_id: String,
    pub commission_id: String,
}

/// What is known. It is kept together with how far the topic was read, in one file that is replaced whole.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Payouts {
    seen: BTreeSet<String>,
    /// By creator and id.
    commissions: BTreeMap<String, Commission>,
    /// So many orders were given.
    given: u64,
    /// Those that were not told yet: whoever was killed before tells them when it starts again.
    pub orders: Vec<Order>,
    /// Of each partition, the first offset that was not read yet.
    pub places: BTreeMap<i32, i64>,
}

impl Payouts {
    /// Takes a decision in at `now`; what is to be done is among the orders then.
    pub fn decided(&mut self, decision: &Decision, now: i64) {
        // A shadow or a preview decides nothing; what clicks and conversions come to is said of their commissions.
        let is_ours = ["live", "manual"].contains(&decision.mode.as_str()) && decision.subject.kind == "commission";
        if is_ours && self.seen.insert(decision.decision_id.clone()) {
            self.change(decision);
        }
        self.due(now);
    }

    fn change(&mut self, decision: &Decision) {
        let key = format!("{}\u{1f}{}", decision.creator_id, decision.subject.id);
        let commission = self.commissions.entry(key).or_insert_with(|| Commission {
            creator_id: decision.creator_id.clone(),
            commission_id: decision.subject.id.clone(),
            revision: 0,
            matures_at: None,
            state: State::New,
        });
        if decision.revision <= commission.revision {
            return;
        }
        let (what, state) = step(commission.state, decision.verdict);
        (commission.revision, commission.matures_at, commission.state) =
            (decision.revision, decision.matures_at, state);
        if let Some(what) = what {
            self.given += 1;
            self.orders.push(order(self.given, what, commission));
        }
    }

    /// Orders what is approved, has matured and is not paid.
    pub fn due(&mut self, now: i64) {
        for commission in self.commissions.values_mut() {
            if commission.state == State::Due && commission.matures_at.is_none_or(|at| at <= now) {
                commission.state = State::Paid;
                self.given += 1;
                self.orders.push(order(self.given, Move::Pay, commission));
            }
        }
    }
}

fn order(key: u64, what: Move, commission: &Commission) -> Order {
    let Commission { creator_id, commission_id, .. } = commission.clone();
    Order { key, what, creator_id, commission_id }
}

/// What a verdict changes. What was paid is never paid again: only its fate changes.
const fn step(state: State, verdict: Verdict) -> (Option<Move>, State) {
    match (state, verdict) {
        (State::New | State::Due | State::Held | State::Cancelled, Verdict::Approve) => (None, State::Due),
        (State::Held, Verdict::Review) => (None, State::Held),
        (State::New | State::Due | State::Cancelled, Verdict::Review) => (Some(Move::Hold), State::Held),
        (State::Cancelled, Verdict::Block) => (None, State::Cancelled),
        (State::New | State::Due | State::Held, Verdict::Block) => (Some(Move::Cancel), State::Cancelled),
        (State::Paid, Verdict::Approve) => (None, State::Paid),
        (State::Suspended | State::OwedBack, Verdict::Approve) => (Some(Move::Settle), State::Paid),
        (State::Suspended, Verdict::Review) => (None, State::Suspended),
        (State::Paid | State::OwedBack, Verdict::Review) => (Some(Move::Suspend), State::Suspended),
        (State::OwedBack, Verdict::Block) => (None, State::OwedBack),
        (State::Paid | State::Suspended, Verdict::Block) => (Some(Move::ClawBack), State::OwedBack),
    }
}
