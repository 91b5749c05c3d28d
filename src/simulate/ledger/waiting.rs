//! §3 Waiting: what came before that to which it refers.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use super::claims::Verdict;
use super::{Book, Stop, Timer};
use crate::event::{Body, Event, Review, ReviewSubject};
use crate::ids::Millis;

/// A text of one name space, as 128 bits.
pub(super) type Key = u128;

pub(super) fn key(space: u64, text: &str) -> Key {
    xxhash_rust::xxh3::xxh3_128_with_seed(text.as_bytes(), space)
}

const PARKED_MAX: usize = 10_000;
const EXPIRES_AFTER: i64 = 30 * Millis::DAY;

/// What a record, or a conversion's credit, waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Awaited {
    Creator,
    Member(Key),
    Code(Key),
    Click(Key),
    Conversion(Key),
    /// A chargeback of this order.
    ChargebackOf(Key),
    Commission(Key),
}

/// Records that wait, by their place in the log.
#[derive(Debug, Default)]
pub(super) struct Parked {
    records: BTreeMap<u64, ParkedRecord>,
    waiting: HashMap<Awaited, Vec<u64>>,
}

#[derive(Debug)]
struct ParkedRecord {
    t: Millis,
    event: Vec<u8>,
}

fn restore(bytes: &[u8]) -> Event<'_> {
    postcard::from_bytes(bytes).expect("written by `park`")
}

/// §3: shares, clicks, sightings and a click's review expire; money never does.
const fn expires(body: &Body<'_>) -> bool {
    match body {
        Body::Share(_) | Body::Click(_) | Body::Sighting(_) => true,
        Body::Review(review) => matches!(review.subject_type, ReviewSubject::Click),
        Body::Creator(_) | Body::Member(_) | Body::Conversion(_) | Body::Commission(_) => false,
        Body::RuleSet(_) | Body::ListEntry(_) | Body::Template(_) | Body::Erasure(_) | Body::Tick => false,
    }
}

impl Book {
    pub(super) fn park(&mut self, t: Millis, event: &Event<'_>, awaited: Awaited) {
        if self.parked.records.len() >= PARKED_MAX {
            return self.tally.refuse("park_full");
        }
        self.tally.parked += 1;
        self.numbered += 1;
        let number = self.numbered;
        let bytes = postcard::to_allocvec(event).expect("events are plain data");
        self.parked.records.insert(number, ParkedRecord { t, event: bytes });
        self.parked.waiting.entry(awaited).or_default().push(number);
        if expires(&event.body) {
            let clock = self.clock.expect("an admitted record has moved the clock");
            self.set_timer(Millis(clock.0 + EXPIRES_AFTER), Timer::Expire(number));
        }
    }

    pub(super) fn expire(&mut self, number: u64) {
        if self.parked.records.remove(&number).is_some() {
            self.tally.parked -= 1;
            self.tally.refuse("unresolved");
        }
    }

    /// Applies what waited for what has come, oldest first, and what that brings in turn; then credits are tried.
    pub(super) fn serve_arrivals(&mut self) {
        let mut due = BTreeSet::new();
        let mut credits = VecDeque::new();
        loop {
            while let Some(arrival) = self.arrived.pop_front() {
                due.extend(self.parked.waiting.remove(&arrival).unwrap_or_default());
                credits.push_back(arrival);
            }
            if let Some(number) = due.pop_first() {
                self.release(number);
            } else if let Some(arrival) = credits.pop_front() {
                self.try_credits(arrival);
            } else {
                return;
            }
        }
    }

    /// §2: what waited claimed no id, so it is asked once more whether it is known, and whether it is too late.
    fn release(&mut self, number: u64) {
        let Some(record) = self.parked.records.remove(&number) else { return };
        let event = restore(&record.event);
        self.tally.parked -= 1;
        if super::time::is_too_late(&event.body, record.t, self.floor) {
            return self.tally.refuse("too_late");
        }
        match self.known(&event) {
            Verdict::New => {}
            Verdict::Duplicate => return self.tally.duplicate += 1,
            Verdict::Conflict => return self.tally.refuse("conflict"),
        }
        match self.apply(record.t, &event) {
            Ok(()) => {
                self.claim(record.t, &event);
                self.tally.applied += 1;
            }
            Err(Stop::Dead(class)) => self.tally.refuse(class),
            Err(Stop::Park(awaited)) => {
                self.tally.parked += 1;
                self.parked.waiting.entry(awaited).or_default().push(number);
                self.parked.records.insert(number, record);
            }
        }
    }

    /// §3: a review waits for its subject; what it says is not kept here.
    pub(super) fn check_review(&self, review: &Review<'_>) -> Result<(), Stop> {
        match review.subject_type {
            ReviewSubject::Click => {
                let id = key(3, review.subject_id);
                self.click(id).map(|_| ()).ok_or(Stop::Park(Awaited::Click(id)))
            }
            ReviewSubject::Conversion => {
                let id = key(4, review.subject_id);
                self.conversion_by_id.get(&id).map(|_| ()).ok_or(Stop::Park(Awaited::Conversion(id)))
            }
            ReviewSubject::Commission => {
                let id = key(5, review.subject_id);
                self.commission_by_id.get(&id).map(|_| ()).ok_or(Stop::Park(Awaited::Commission(id)))
            }
        }
    }
}
