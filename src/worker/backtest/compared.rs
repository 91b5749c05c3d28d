//! What two folds decided and booked by one record, held against each other.

use hashbrown::HashMap;

use super::Asked;
use super::moved::{self, Moved, MovedKey};
use super::report::Replayed;
use super::verdicts::{self, Pair};
use crate::fold::effects::Effects;
use crate::fold::fraud::{Decision, Rule, Subject, Verdict};
use crate::fold::records::Text;
use crate::fold::state::State;
use crate::ids::{Currency, Millis};
use crate::keep::{Cold, HashKey, Id128, Map, Maps};

/// Subjects of which the two say different things: the others are alike, so that nothing need be known of them.
#[derive(Default)]
pub(super) struct Differing {
    pub(super) hash_key: HashKey,
    pub(super) verdicts: Cold<Id128, Pair>,
    pub(super) moved: Cold<Id128, Moved>,
}

impl Maps for Differing {
    fn visit(&mut self, visitor: &mut dyn FnMut(&'static str, &mut dyn Map)) {
        visitor("verdicts", &mut self.verdicts);
        visitor("moved", &mut self.moved);
    }

    fn set_hash_key(&mut self, key: HashKey) {
        self.hash_key = key;
    }
}

/// What was found so far.
#[derive(Debug, Default)]
pub struct Found {
    pub(super) events: u64,
    pub(super) replayed: Vec<Replayed>,
    /// Subjects by what the two say of them now; `None`: nothing was decided.
    pub(super) verdicts: HashMap<(Subject, Option<Verdict>, Option<Verdict>), i64>,
    /// Subjects whose newest decision says that the rule fires: today's, and the candidate's.
    pub(super) fired: HashMap<Rule, [i64; 2]>,
    pub(super) money: HashMap<Currency, HashMap<MovedKey, (i64, i128)>>,
    pub(super) balances: HashMap<Currency, Balances>,
    pub(super) members: HashMap<(Text, Text), OfMember>,
}

/// What a member has to do with the differences. It leaves when there are none any more.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct OfMember {
    /// Clicks, conversions, commissions.
    pub(super) changed: [i64; 3],
    pub(super) money: HashMap<Currency, Balances>,
}

/// How much more the candidate would have booked.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Balances {
    pub(super) held: i128,
    pub(super) approved: i128,
    pub(super) carry: i128,
    pub(super) revenue_blocked: i128,
}

impl Balances {
    pub(super) fn add(&mut self, other: &Self, sign: i128) {
        self.held += sign * other.held;
        self.approved += sign * other.approved;
        self.carry += sign * other.carry;
        self.revenue_blocked += sign * other.revenue_blocked;
    }
}

/// One record, folded by both.
pub(super) struct Step<'s> {
    pub(super) asked: &'s Asked,
    pub(super) differing: &'s mut Differing,
    pub(super) found: &'s mut Found,
}

impl Step<'_> {
    /// Takes what both made of the record out of their effects.
    pub(super) fn compare(mut self, today: (&State, &mut Effects), candidate: (&State, &mut Effects)) {
        let (t, c) = (&mut today.1.decisions, &mut candidate.1.decisions);
        if !t.is_empty() || !c.is_empty() {
            self.verdicts(t, c);
            t.clear();
            c.clear();
        }
        let is_touched =
            |effects: &Effects| !effects.fast.commissions.is_empty() || !effects.fast.conversions.is_empty();
        if is_touched(today.1) || is_touched(candidate.1) {
            self.money(today, candidate);
        }
    }

    fn verdicts(&mut self, today: &[Decision], candidate: &[Decision]) {
        for (said, of) in verdicts::by_subject(today, candidate) {
            if self.asked.has(of.event_time) {
                self.take_verdict(&said, of);
            }
        }
        for (side, decisions) in [today, candidate].into_iter().enumerate() {
            for decision in decisions.iter().filter(|decision| self.asked.has(decision.event_time)) {
                self.take_fired(side, decision);
            }
        }
    }

    fn take_verdict(&mut self, said: &verdicts::Said, of: &Decision) {
        let key = verdicts::key(&self.differing.hash_key, of);
        let known = self.differing.verdicts.get(&key, EVER);
        let (before, now) = said.pairs(known);
        let by = |pair: Pair| (of.subject, pair.today(), pair.candidate());
        if before != Pair::default() {
            *self.found.verdicts.entry(by(before)).or_default() -= 1;
        }
        *self.found.verdicts.entry(by(now)).or_default() += 1;
        if now.differs() {
            self.differing.verdicts.put(&key, now, Millis(0));
        } else if known.is_some() {
            self.differing.verdicts.remove(&key);
        }
        let change = i64::from(now.differs()) - i64::from(before.differs());
        if change != 0 {
            self.of_member((of.creator, of.member), |member| {
                let [clicks, conversions, commissions] = &mut member.changed;
                let place = match of.subject {
                    Subject::Click => clicks,
                    Subject::Conversion => conversions,
                    Subject::Commission => commissions,
                };
                *place += change;
            });
        }
    }

    fn take_fired(&mut self, side: usize, decision: &Decision) {
        let mut count = |rule: Rule, by: i64| {
            let sides = self.found.fired.entry(rule).or_default();
            sides.iter_mut().skip(side).take(1).for_each(|place| *place += by);
        };
        decision.previous.iter().flat_map(|previous| previous.fired.iter()).for_each(|rule| count(rule, -1));
        decision.assessment.fired.iter().for_each(|rule| count(rule, 1));
    }

    fn money(&mut self, today: (&State, &mut Effects), candidate: (&State, &mut Effects)) {
        let mut commissions: Vec<Id128> = Vec::new();
        let mut conversions: Vec<Id128> = Vec::new();
        for effects in [today.1, candidate.1] {
            commissions.extend(effects.fast.commissions.drain().map(|(id, _)| id));
            conversions.extend(effects.fast.conversions.drain().map(|(id, _)| id));
        }
        for ids in [&mut commissions, &mut conversions] {
            ids.sort_unstable_by_key(|id| id.0);
            ids.dedup();
        }
        for id in commissions {
            self.take_moved(id, moved::of_commission((today.0, candidate.0), id, self.asked), today.0);
        }
        for id in conversions {
            self.take_moved(id, moved::of_order((today.0, candidate.0), id, self.asked), today.0);
        }
    }

    /// What was known of it is taken back, and what holds now put in its place.
    fn take_moved(&mut self, id: Id128, now: Option<Moved>, state: &State) {
        let known = self.differing.moved.get(&id, EVER);
        if known == now {
            return;
        }
        for (moved, sign) in [(known, -1_i64), (now, 1)] {
            let Some(moved) = moved else { continue };
            let currency = Currency::from(moved.currency);
            let (count, amount) = self.found.money.entry(currency).or_default().entry(moved.key()).or_default();
            *count += sign;
            *amount += i128::from(sign) * moved.net;
            let balances = moved.balances();
            self.found.balances.entry(currency).or_default().add(&balances, sign.into());
            if let Some(whose) = moved.whose(state) {
                self.of_member(whose, |member| {
                    let of_currency = member.money.entry(currency).or_default();
                    of_currency.add(&balances, sign.into());
                    if *of_currency == Balances::default() {
                        member.money.remove(&currency);
                    }
                });
            }
        }
        match now {
            Some(now) => self.differing.moved.put(&id, now, Millis(0)),
            None => drop(self.differing.moved.remove(&id)),
        }
    }

    fn of_member(&mut self, whose: (Text, Text), change: impl FnOnce(&mut OfMember)) {
        let member = self.found.members.entry(whose).or_default();
        change(member);
        if *member == OfMember::default() {
            self.found.members.remove(&whose);
        }
    }
}

/// Nothing that differs is forgotten.
pub(super) const EVER: Millis = Millis(i64::MIN);
