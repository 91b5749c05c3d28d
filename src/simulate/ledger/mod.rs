//! The books, kept a second time: what the projections must say after a log, worked out from SEMANTICS alone.
//!
//! Promise: nothing of `fold` is used, and every rule names its section (§). Plain maps, everything in memory, and
//! whatever can be worked out at the end is: slow where that makes it plain. Not kept, because no simulated
//! programme has them: verdicts and reviews, models other than `last`.

mod claims;
mod clicks;
mod commissions;
mod credit;
mod figures;
mod orders;
mod people;
mod report;
mod time;
mod waiting;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use crate::event::{self, Body, Bots, Event};
use crate::ids::{Currency, Millis};
use crate::project::totals::{Money, Totals};
use claims::Verdict;
pub use figures::{CreatorFigures, MemberFigures, Rank};
pub use report::{counts, money, to_json};
use waiting::{Awaited, Key};

/// The books of all creators of a log.
#[derive(Debug, Default)]
pub struct Ledger {
    books: BTreeMap<String, Book>,
    bots: Bots,
}

/// What became of the records read, and what was complained about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    pub read: u64,
    pub applied: u64,
    pub duplicate: u64,
    /// Those that still wait.
    pub parked: u64,
    /// Records refused whole, by class. read = applied + duplicate + parked + these.
    pub dead: BTreeMap<&'static str, u64>,
    /// Letters about records that were applied all the same: a clamped refund, a code that was taken.
    pub remarks: BTreeMap<&'static str, u64>,
}

/// The book of one creator.
#[derive(Debug, Default)]
struct Book {
    bots: Bots,
    tally: Tally,
    clock: Option<Millis>,
    floor: Option<Millis>,
    settings: Option<people::Settings>,
    members: Vec<people::MemberBook>,
    member_by_id: HashMap<String, usize>,
    codes: HashMap<String, usize>,
    claims: HashMap<Key, claims::Claim>,
    clicks: HashMap<Key, clicks::ClickFact>,
    seen: HashSet<Key>,
    visitor_clicks: HashMap<clicks::Visitor, Vec<clicks::VisitorClick>>,
    conversions: Vec<orders::ConversionBook>,
    conversion_by_id: HashMap<Key, usize>,
    commissions: Vec<commissions::CommissionBook>,
    commission_by_id: HashMap<Key, usize>,
    commissions_of: HashMap<Key, Vec<usize>>,
    parked: waiting::Parked,
    credits: credit::Waiting,
    timers: BTreeMap<(Millis, u64), Timer>,
    arrived: VecDeque<Awaited>,
    numbered: u64,
    totals: Totals,
    days: BTreeMap<i64, Totals>,
}

/// What falls due on the creator's watermark.
#[derive(Debug, Clone, Copy)]
enum Timer {
    /// §3: a parked record that waited too long.
    Expire(u64),
    /// §6: a conversion whose evidence did not come.
    Credit(usize),
}

/// Why a record was not applied.
#[derive(Debug)]
enum Stop {
    Park(Awaited),
    Dead(&'static str),
}

impl Ledger {
    /// Enters the next record of the log; `timestamp` is the log's own.
    pub fn record(&mut self, timestamp: Millis, event: &Event<'_>) {
        if !self.books.contains_key(event.creator_id.0) {
            let book = Book { bots: self.bots.clone(), ..Book::default() };
            self.books.insert(event.creator_id.0.to_owned(), book);
        }
        let book = self.books.get_mut(event.creator_id.0).expect("inserted above");
        book.record(timestamp, event);
    }

    /// What the projections must say now.
    pub fn figures(&self) -> BTreeMap<&str, CreatorFigures> {
        self.books.iter().map(|(id, book)| (id.as_str(), book.figures())).collect()
    }

    /// Of all creators together.
    pub fn tally(&self) -> Tally {
        let mut sum = Tally::default();
        for book in self.books.values() {
            sum.add(&book.tally);
        }
        sum
    }
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.read += other.read;
        self.applied += other.applied;
        self.duplicate += other.duplicate;
        self.parked += other.parked;
        for (class, n) in &other.dead {
            *self.dead.entry(class).or_default() += n;
        }
        for (class, n) in &other.remarks {
            *self.remarks.entry(class).or_default() += n;
        }
    }

    fn refuse(&mut self, class: &'static str) {
        *self.dead.entry(class).or_default() += 1;
    }
}

impl Book {
    /// The order of checks: well formed, absurd, too late, known; only then is the record admitted.
    fn record(&mut self, timestamp: Millis, event: &Event<'_>) {
        self.tally.read += 1;
        if event::check(event).is_err() {
            return self.tally.refuse("malformed");
        }
        let Some(t) = time::of(event, timestamp) else { return self.tally.refuse("absurd_time") };
        if time::is_too_late(&event.body, t, self.floor) {
            return self.tally.refuse("too_late");
        }
        match self.known(event) {
            Verdict::New => self.admit(t, event),
            Verdict::Duplicate => self.tally.duplicate += 1,
            Verdict::Conflict => self.tally.refuse("conflict"),
        }
    }

    /// §1: the record moves the clock, timers fire, the floor moves, it applies; then what waited for it.
    fn admit(&mut self, t: Millis, event: &Event<'_>) {
        self.clock = self.clock.max(Some(t));
        self.fire_timers();
        self.raise_floor();
        match self.apply(t, event) {
            Ok(()) => {
                self.claim(t, event);
                self.tally.applied += 1;
            }
            Err(Stop::Park(awaited)) => self.park(t, event, awaited),
            Err(Stop::Dead(class)) => self.tally.refuse(class),
        }
        self.serve_arrivals();
    }

    fn apply(&mut self, t: Millis, event: &Event<'_>) -> Result<(), Stop> {
        match &event.body {
            Body::Creator(creator) => self.apply_creator(creator),
            Body::Tick => return Ok(()),
            _ if self.settings.is_none() => return Err(Stop::Park(Awaited::Creator)),
            Body::Member(member) => self.apply_member(member),
            Body::Sighting(sighting) => return self.member(sighting.member_id.0).map(|_| ()),
            Body::Share(share) => return self.apply_share(t, share),
            Body::Click(click) => return self.apply_click(t, click),
            Body::Conversion(conversion) => return self.apply_conversion(t, conversion),
            Body::Commission(commission) => return self.apply_commission(t, commission),
            Body::Review(review) => return self.check_review(review),
            Body::RuleSet(_) | Body::ListEntry(_) | Body::Template(_) | Body::Erasure(_) => {}
        }
        Ok(())
    }

    fn fire_timers(&mut self) {
        while let Some((&(due, order), &timer)) = self.timers.first_key_value() {
            if self.watermark().is_none_or(|watermark| due.0 > watermark) {
                return;
            }
            self.timers.remove(&(due, order));
            match timer {
                Timer::Expire(number) => self.expire(number),
                Timer::Credit(conversion) => self.settle_credit(conversion, credit::Patience::Over),
            }
            self.serve_arrivals();
        }
    }

    fn set_timer(&mut self, due: Millis, timer: Timer) {
        self.numbered += 1;
        self.timers.insert((due, self.numbered), timer);
    }

    /// Books money on the creator, and on its UTC day.
    fn book(&mut self, t: Millis, currency: Currency, entry: impl Fn(&mut Money)) {
        entry(self.totals.money_mut(currency));
        entry(self.day(t).money_mut(currency));
    }

    fn day(&mut self, t: Millis) -> &mut Totals {
        self.days.entry(t.0.div_euclid(Millis::DAY)).or_default()
    }
}
