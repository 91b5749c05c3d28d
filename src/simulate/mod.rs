//! A believable referral programme from a seed, and its own books.
//!
//! Promise: the same [`Spec`] gives the same records, byte for byte, on every machine; records come in the order in
//! which the log takes them in. Nothing here knows the fold: [`ledger`] keeps the books a second time, from
//! SEMANTICS alone, so that the two can be compared.

mod fault;
pub mod labelled;
pub mod ledger;
mod market;
mod random;
mod record;
mod sale;
mod settle;
mod visit;
mod world;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::ids::Millis;
use random::{Random, Stream};
pub use record::Simulated;
use record::{Content, Name};
use sale::{Journey, Sale};
use settle::Settlement;
use world::World;

/// What to simulate.
#[derive(Debug, Clone)]
pub struct Spec {
    pub creators: u32,
    /// Of all creators together; at least one each.
    pub members: u32,
    /// Records to make; `u64::MAX` goes on until nobody asks for more.
    pub events: u64,
    pub seed: u64,
    /// When the first record arrives.
    pub start: Millis,
    pub pace: Pace,
    /// Of a thousand clicks of people, so many are followed by a signup, and a fifth as many by an order at once.
    pub signups_permille: u32,
}

/// What a programme that does well sees. Tests ask for more, because trouble begins with money.
pub const SIGNUPS_PERMILLE: u32 = 50;

/// How simulated time runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// The events are spread over this many days, with nights and weekends.
    History { days: u32 },
    /// So many arrive a second, around the clock; what takes days takes seconds.
    Live { rate_per_s: u32 },
}

/// Makes the records of a [`Spec`], one after the other.
#[derive(Debug)]
pub struct Simulation {
    world: World,
    traffic: Random,
    faults: Random,
    pending: BinaryHeap<Reverse<Pending>>,
    /// Breaks ties of time: what was planned first comes first.
    planned: u64,
    made: u64,
    events: u64,
    signups_permille: u64,
    /// Microseconds since `start` up to which visits were made.
    visited_us: i64,
    start: Millis,
    tempo: Tempo,
    number: u64,
}

/// How fast visits follow each other, and by how much delays shrink.
#[derive(Debug, Clone, Copy)]
struct Tempo {
    /// Mean time from one candidate visit to the next.
    interval_us: i64,
    /// Records due in a million microseconds, times a million: what the tempo is held to.
    per_second_millionths: i64,
    /// Delays are divided by it; 1 in history.
    scale: i64,
}

/// Something that happens later.
#[derive(Debug)]
struct Pending {
    at: Millis,
    order: u64,
    plan: Plan,
}

/// What to do when its time has come. Boxed: the queue is long and moves a lot.
#[derive(Debug)]
enum Plan {
    Emit(Box<Outbound>),
    Join { creator: usize, member: usize },
    Standing { creator: usize, member: usize, step: u8 },
    Signup(Box<Journey>),
    Order(Box<Journey>),
    Refund(Box<Sale>),
    Chargeback(Box<Sale>),
    Settle(Box<Sale>, Settlement),
}

/// A record that waits for its arrival.
#[derive(Debug)]
struct Outbound {
    record: Simulated,
    /// Resent already: it is not resent again.
    again: bool,
}

impl PartialEq for Pending {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}
impl Eq for Pending {}
impl PartialOrd for Pending {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Pending {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

impl Simulation {
    pub fn new(spec: &Spec) -> Self {
        let mut simulation = Self {
            world: World::new(spec, &mut Random::new(spec.seed, Stream::World)),
            traffic: Random::new(spec.seed, Stream::Traffic),
            faults: Random::new(spec.seed, Stream::Faults),
            pending: BinaryHeap::new(),
            planned: 0,
            made: 0,
            events: spec.events,
            signups_permille: u64::from(spec.signups_permille),
            visited_us: 0,
            start: spec.start,
            tempo: Tempo::new(spec),
            number: 0,
        };
        simulation.found();
        simulation
    }

    fn schedule(&mut self, at: Millis, plan: Plan) {
        self.planned += 1;
        self.pending.push(Reverse(Pending { at, order: self.planned, plan }));
    }

    /// A number no other id of this simulation has.
    fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    /// A waiting time around `mean`, shrunk when live.
    fn delay(&mut self, mean: i64) -> i64 {
        (self.traffic.wait(mean) / self.tempo.scale).max(1)
    }

    fn visits_until(&self) -> Millis {
        Millis(self.start.0 + self.visited_us / 1_000)
    }

    /// The next thing planned, if no visit can come before it.
    fn due(&mut self) -> Option<Pending> {
        let until = self.visits_until();
        self.pending
            .peek()
            .is_some_and(|Reverse(first)| first.at <= until)
            .then(|| self.pending.pop())?
            .map(|first| first.0)
    }

    /// Does what was planned; a record that arrives is handed out.
    fn carry_out(&mut self, pending: Pending) -> Option<Simulated> {
        let at = pending.at;
        match pending.plan {
            Plan::Emit(outbound) => return Some(self.emit(*outbound)),
            Plan::Join { creator, member } => self.join(creator, member, at),
            Plan::Standing { creator, member, step } => self.change_standing(creator, member, step, at),
            Plan::Signup(journey) => self.sign_up(*journey, at),
            Plan::Order(journey) => self.order(*journey, at),
            Plan::Refund(sale) => self.refund(&sale, at),
            Plan::Chargeback(sale) => self.charge_back(&sale, at),
            Plan::Settle(sale, settlement) => self.settle(&sale, settlement, at),
        }
        None
    }

    /// Moves on to the next visit, faster or slower as the number of records asks for.
    fn next_visit(&mut self) {
        let elapsed_s = self.visited_us / 1_000_000;
        let target = i128::from(elapsed_s) * i128::from(self.tempo.per_second_millionths) / 1_000_000;
        let ahead = i128::from(self.made) - target;
        let slack = (target / 50).max(64);
        let percent = i64::try_from((100 + ahead * 100 / slack).clamp(50, 200)).unwrap_or(100);
        self.visited_us += self.traffic.wait(self.tempo.interval_us * percent / 100).max(1);
        let at = self.visits_until();
        let creator = self.world.popularity.draw(&mut self.traffic);
        let awake = self.tempo.scale > 1 || self.traffic.below(100) < self.world.weight(creator, at);
        if awake {
            self.visit(creator, at);
        }
    }
}

impl Iterator for Simulation {
    type Item = Simulated;

    fn next(&mut self) -> Option<Simulated> {
        if self.made >= self.events {
            return None;
        }
        loop {
            let Some(pending) = self.due() else {
                self.next_visit();
                continue;
            };
            if let Some(record) = self.carry_out(pending) {
                self.made += 1;
                return Some(record);
            }
        }
    }
}

impl Tempo {
    /// Records that one visit leads to, in hundredths, over a long time.
    const RECORDS_PER_VISIT_PERCENT: i64 = 190;
    /// Candidate visits that fall into waking hours.
    const AWAKE_PERCENT: i64 = 52;
    /// A live programme goes through thirty days in about forty minutes.
    const SCALE_LIVE: i64 = 1_000;

    fn new(spec: &Spec) -> Self {
        let (span_us, events, scale, awake) = match spec.pace {
            Pace::History { days } => {
                let events = i64::try_from(spec.events).unwrap_or(i64::MAX).max(1);
                (i64::from(days.max(1)) * Millis::DAY * 1_000, events, 1, Self::AWAKE_PERCENT)
            }
            Pace::Live { rate_per_s } => (1_000_000, i64::from(rate_per_s.max(1)), Self::SCALE_LIVE, 100),
        };
        let visits_us = i128::from(span_us) * i128::from(Self::RECORDS_PER_VISIT_PERCENT) * i128::from(awake);
        let interval_us = i64::try_from(visits_us / i128::from(events) / 10_000).unwrap_or(i64::MAX / 4);
        let per_second = i128::from(events) * 1_000_000 * 1_000_000 / i128::from(span_us);
        Self {
            interval_us: interval_us.max(1),
            per_second_millionths: i64::try_from(per_second).unwrap_or(i64::MAX),
            scale,
        }
    }
}
