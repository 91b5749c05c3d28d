//! `(State, Event) → (State, Effects)`: what an event means.
//!
//! Promise: deterministic and total. The same records in the same order give the same state and effects, on any
//! machine, in any batches; a refusal is an effect, not an error. Time is the event's and the creator's clock;
//! nothing here reads a wall clock, a random number, a float or the order of a hash map.

pub mod activity;
mod agents;
pub mod attribute;
pub mod boards;
mod booking;
pub mod calendar;
mod commission_moves;
pub mod commissions;
mod credit;
pub mod due;
mod duplicates;
pub mod effects;
mod erasure;
mod evidence;
mod firsts;
pub mod fraud;
pub mod groups;
mod judge;
mod moves;
pub mod orders;
mod owner;
mod park;
pub mod parts;
mod people;
mod profiles;
mod reading;
pub mod records;
mod regroup;
mod scores;
pub mod state;
mod sums;
mod time;
mod timers;
pub mod touches;
mod traffic;
pub mod verdicts;
pub mod views;
mod visitors;
pub mod warm;
mod zone;

use bytemuck::Zeroable;

use crate::event::{Body, Bots, Event};
use crate::ids::{Millis, Next, Offset};
use crate::keep::Id128;

pub use judge::{Asked, Preview, Unseen};

use agents::Agents;
use effects::{Effects, Letter};
use groups::Combos;
use park::Waited;
use records::{Creator, NO_ID, Name, OpenDay, OpenSlot, Text};
use state::{FOR_EVER, State};
use zone::Calendars;

/// Names this meaning of the events. State of another fingerprint is refused: replay into a new generation.
pub const FINGERPRINT: u64 = 9;

/// Where a record came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    pub offset: Offset,
    /// When the log took it in: stands in for `received_at`.
    pub timestamp: Millis,
}

/// Kinds of names: one id space each.
mod kind {
    pub(super) const CREATOR: u8 = 1;
    pub(super) const MEMBER: u8 = 2;
    pub(super) const CODE: u8 = 3;
    pub(super) const EVENT: u8 = 4;
    pub(super) const SHARE: u8 = 5;
    pub(super) const CLICK: u8 = 6;
    pub(super) const CONVERSION: u8 = 7;
    pub(super) const COMMISSION: u8 = 8;
    pub(super) const CUSTOMER: u8 = 9;
    pub(super) const VISIT: u8 = 10;
    /// A chargeback of this order.
    pub(super) const CHARGEBACK_OF: u8 = 11;
    /// What a business id said.
    pub(super) const FACTS: u8 = 12;
    pub(super) const VISITOR: u8 = 13;
    /// A value of a dimension.
    pub(super) const VALUE: u8 = 20;
    /// A combination, by the values and by the texts that stand for it.
    pub(super) const COMBO: u8 = 21;
    pub(super) const TEXTS: u8 = 22;
    /// A token as it is remembered, and who used it how.
    pub(super) const TOKEN: u8 = 30;
    pub(super) const PLACE: u8 = 31;
    pub(super) const USER: u8 = 32;
    pub(super) const WINDOW: u8 = 33;
    pub(super) const OWN: u8 = 34;
    pub(super) const CUSTOMERS_BY: u8 = 35;
    pub(super) const CUSTOMER_MOVES: u8 = 36;
    pub(super) const LISTED: u8 = 37;
    /// What a candidate remembers of a subject.
    pub(super) const SHADOW: u8 = 38;
}

/// Why a record was not applied.
enum Stop {
    /// It waits for this id.
    Park(Id128),
    Refuse(Refusal),
}

/// A dead letter in the making.
struct Refusal {
    class: &'static str,
    message: String,
}

fn refuse(class: &'static str, message: impl Into<String>) -> Stop {
    Stop::Refuse(Refusal { class, message: message.into() })
}

/// The fold of one partition: caches only, all knowledge is in [`State`].
#[derive(Debug, Default)]
pub struct Fold {
    /// Boards of large programmes.
    pub ranks: boards::Ranks,
    /// Combinations of late quarter hours.
    pub quarters: groups::Quarters,
    calendars: Calendars,
    agents: Agents,
    rule_sets: judge::RuleSets,
    combos: Combos,
    days: groups::Days,
    scratch: Vec<u8>,
    /// Ids that came with the record in hand, each with the number that the next parked record would get: what
    /// parks after it waits for another.
    arrived: Vec<(Id128, u64)>,
}

impl Fold {
    /// One that shares what tells people from bots, which takes longer to make than all else of a fold.
    pub fn with(bots: Bots) -> Self {
        Self { agents: Agents::of(bots), ..Self::default() }
    }

    /// One that tries rules on a log: every decision is told, storms too, and nothing runs beside the rules. These are
    /// `rules`, whatever the log chooses; none: those that it chooses.
    pub fn trial(bots: Bots, rules: Option<fraud::RuleSet>) -> Self {
        Self { rule_sets: judge::RuleSets::trial(rules), ..Self::with(bots) }
    }

    /// Applies one record.
    pub fn apply(&mut self, state: &mut State, effects: &mut Effects, event: &Event<'_>, origin: Origin) {
        let mut turn = Turn {
            state,
            effects,
            fold: self,
            c: u32::MAX,
            head: Creator::zeroed(),
            is_head_touched: false,
            at: origin.offset.next(),
            origin,
            t: Millis(0),
            parked: None,
            subject: Subject::default(),
            claim: Subject::default(),
            trigger: trigger_of(event, origin),
        };
        turn.admit(event);
        turn.store_head();
    }
}

/// An id of the record in hand, and a hash of what the record says of it.
#[derive(Clone, Copy)]
struct Subject {
    id: Id128,
    facts: u64,
}

impl Default for Subject {
    fn default() -> Self {
        Self { id: NO_ID, facts: 0 }
    }
}

/// One record on its way through the fold.
struct Turn<'s> {
    state: &'s mut State,
    effects: &'s mut Effects,
    fold: &'s mut Fold,
    /// Ordinal of the creator.
    c: u32,
    /// The creator itself: one look-up a turn, written back at its end.
    head: Creator,
    is_head_touched: bool,
    /// One past the record that the shell applies now: the `at` of every row touched.
    at: Next,
    /// Of the record in hand: another one when a parked record is released.
    origin: Origin,
    /// The record's own time, clamped.
    t: Millis,
    /// The record in hand, if it was parked.
    parked: Option<Waited>,
    /// What the record in hand speaks of: its business id.
    subject: Subject,
    /// Its event id.
    claim: Subject,
    /// The same, as decisions name it.
    trigger: fraud::Trigger,
}

fn trigger_of(event: &Event<'_>, origin: Origin) -> fraud::Trigger {
    fraud::Trigger { event_id: Text::new(event.event_id.0), kind: event.body.kind(), offset: origin.offset }
}

impl Turn<'_> {
    /// Time, duplicates, clock and timers, in this order; then the record's own rule.
    fn admit(&mut self, event: &Event<'_>) {
        self.t = match time::of(event, self.origin.timestamp) {
            Ok(t) => t,
            Err(refusal) => return self.dead(refusal),
        };
        let id = self.state.hash_key.id(kind::CREATOR, 0, event.creator_id.0.as_bytes());
        let known = self.state.creator_ids.get(&id, FOR_EVER);
        if let Some(name) = known {
            self.c = name.n;
            self.head = *self.state.creators.peek(&self.c, FOR_EVER).expect("an ordinal is given out with its creator");
        } else {
            self.head.floor = i64::MIN;
        }
        self.identify(event);
        if let Err(stop) = self.check(event) {
            return self.stopped(event, stop);
        }
        if known.is_none() {
            self.new_creator(id, event.creator_id.0);
            // Ids are the creator's own.
            self.identify(event);
        }
        self.move_clock();
        self.settle(event);
        self.release_arrived();
    }

    /// Checks again what may have changed since the record was parked, then applies it.
    fn readmit(&mut self, event: &Event<'_>) {
        let mut trigger = trigger_of(event, self.origin);
        std::mem::swap(&mut self.trigger, &mut trigger);
        self.readmitted(event);
        self.trigger = trigger;
    }

    fn readmitted(&mut self, event: &Event<'_>) {
        self.identify(event);
        match self.check(event) {
            Ok(()) => self.settle(event),
            Err(stop) => self.stopped(event, stop),
        }
    }

    /// What needs no knowledge of what the record refers to: too late, duplicate, conflict.
    fn check(&mut self, event: &Event<'_>) -> Result<(), Stop> {
        self.check_floor(event)?;
        if self.is_duplicate(event)? {
            self.effects.tally.duplicate += 1;
            return Err(Stop::Refuse(Refusal { class: "", message: String::new() }));
        }
        Ok(())
    }

    fn settle(&mut self, event: &Event<'_>) {
        let claim = self.claim;
        match self.act(event) {
            Ok(()) => {
                self.claim(event.body.kind(), claim);
                self.effects.tally.applied += 1;
            }
            Err(stop) => self.stopped(event, stop),
        }
    }

    /// The record's own rule.
    fn act(&mut self, event: &Event<'_>) -> Result<(), Stop> {
        if !matches!(event.body, Body::Creator(_)) && self.creator().known == 0 {
            return Err(Stop::Park(self.state.hash_key.id(kind::CREATOR, 0, event.creator_id.0.as_bytes())));
        }
        match &event.body {
            Body::Creator(creator) => self.creator_record(event.creator_id, creator),
            Body::Member(member) => self.member_record(member),
            Body::Share(share) => self.share(share),
            Body::Click(click) => self.click(click),
            Body::Conversion(conversion) => self.conversion(conversion),
            Body::Commission(commission) => self.commission_record(commission),
            Body::Sighting(sighting) => self.sighting(sighting),
            Body::Review(review) => self.review(review),
            Body::Erasure(erasure) => self.erase(erasure),
            Body::RuleSet(rules) => self.rule_set(rules),
            Body::ListEntry(entry) => self.list_entry(entry),
            // It takes its place in the order of the log; its meaning comes with share kits.
            Body::Template(_) => Ok(()),
            Body::Tick => {
                self.sweep_at_tick();
                Ok(())
            }
        }
    }

    fn stopped(&mut self, event: &Event<'_>, stop: Stop) {
        match stop {
            // A duplicate: counted where it was found.
            Stop::Refuse(refusal) if refusal.class.is_empty() => {}
            Stop::Refuse(refusal) => self.dead(refusal),
            Stop::Park(awaited) => self.park(event, awaited),
        }
    }

    fn dead(&mut self, refusal: Refusal) {
        self.effects.tally.dead += 1;
        self.letter(refusal);
    }

    fn letter(&mut self, refusal: Refusal) {
        self.effects.letters.push(Letter {
            class: refusal.class,
            message: refusal.message,
            offset: self.origin.offset,
            trigger: self.at,
            timestamp: self.origin.timestamp,
            parked: self.parked.as_ref().map(|waited| waited.bytes.clone()),
        });
    }

    fn new_creator(&mut self, id: Id128, text: &str) {
        let ordinals = self.state.partition.entry(&0, Millis(0), FOR_EVER);
        self.c = ordinals.creators;
        ordinals.creators += 1;
        self.state.creator_ids.put(&id, Name { n: self.c }, Millis(0));
        self.state.creator_profiles.entry(&self.c, Millis(0), FOR_EVER).id = Text::new(text);
        let head = self.creator_mut();
        head.clock = i64::MIN;
        head.floor = i64::MIN;
        head.next_due = i64::MAX;
        head.coverage_start = i64::MAX;
        (head.minute, head.quarter, head.day) = (OpenSlot::none(), OpenSlot::none(), OpenDay::none());
    }

    /// The creator in hand.
    const fn creator(&self) -> &Creator {
        &self.head
    }

    const fn creator_mut(&mut self) -> &mut Creator {
        self.is_head_touched = true;
        &mut self.head
    }

    fn store_head(&mut self) {
        if self.is_head_touched {
            self.effects.fast.creators.insert(self.c, self.at);
            *self.state.creators.entry(&self.c, Millis(0), FOR_EVER) = self.head;
        }
    }

    fn id(&self, kind: u8, text: &str) -> Id128 {
        self.state.hash_key.id(kind, self.c, text.as_bytes())
    }

    fn code_id(&self, code: crate::ids::Code<'_>) -> Id128 {
        self.state.code_id(self.c, code)
    }

    /// A hash of stated facts, for telling a duplicate from a conflict.
    fn facts(&self, bytes: &[u8]) -> u64 {
        let Id128([a, b, c, d, e, f, g, h, ..]) = self.state.hash_key.id(kind::FACTS, self.c, bytes);
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}
