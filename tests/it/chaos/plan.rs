//! Which faults, when and for how long: from a seed.

use std::collections::BTreeMap;
use std::time::Duration;

use super::world::SESSION;
use crate::sim::random::Random;

/// What is done to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// SIGKILL, and started again on what it had.
    Kill,
    /// SIGKILL, and started again without anything that it had.
    LoseDisk,
    /// SIGSTOP and SIGCONT, before anybody takes it for dead.
    Pause,
    /// The same, for so long that others take over.
    LongPause,
    /// Told to end, and started again.
    Stop,
}

/// To whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Whom {
    Worker,
    Broker,
    Database,
}

/// One fault of a lane: lanes go on beside each other, each has one victim at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: Kind,
    /// Its number among its like.
    pub(super) victim: usize,
    /// Since the fault before.
    pub(super) after: Duration,
    /// How long it is away.
    pub(super) lasts: Duration,
}

pub(super) struct Lane {
    pub(super) whom: Whom,
    pub(super) faults: Vec<Fault>,
}

/// How many there are of each, and how many faults in all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) faults: usize,
    pub(super) workers: usize,
    pub(super) nodes: usize,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill -9",
            Self::LoseDisk => "kill -9, disk lost",
            Self::Pause => "SIGSTOP, short",
            Self::LongPause => "SIGSTOP, longer than the session",
            Self::Stop => "SIGTERM",
        }
    }
}

impl Whom {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Worker => "worker",
            Self::Broker => "broker",
            Self::Database => "database node",
        }
    }
}

/// A lane for each worker, one for the brokers, one for the database: eight faults of ten are the workers', who are back sooner.
pub(super) fn lanes(size: Size, seed: u64) -> Vec<Lane> {
    let mut random = Random::new(seed);
    let services = (size.faults / 10).max(2);
    let of_workers = size.faults - 2 * services;
    let mut lanes = Vec::new();
    for worker in 0..size.workers {
        let count = of_workers / size.workers + usize::from(worker < of_workers % size.workers);
        let deck = [Kind::Kill, Kind::Pause, Kind::Kill, Kind::LongPause, Kind::Kill, Kind::LoseDisk, Kind::Stop];
        // Each begins elsewhere, so that few faults are of all kinds too.
        let faults = faults(&mut random, (count, worker * 2), &deck, |_| worker);
        lanes.push(Lane { whom: Whom::Worker, faults });
    }
    for whom in [Whom::Broker, Whom::Database] {
        let deck = [Kind::Kill, Kind::Pause, Kind::Kill, Kind::LongPause, Kind::Stop];
        let faults = faults(&mut random, (services, 0), &deck, |random| random.below(size.nodes));
        lanes.push(Lane { whom, faults });
    }
    lanes
}

/// Kinds in turn, as the deck has them: chance alone would leave some out.
fn faults(
    random: &mut Random,
    (count, first): (usize, usize),
    deck: &[Kind],
    victim: impl Fn(&mut Random) -> usize,
) -> Vec<Fault> {
    let one = |n: usize| {
        let kind = deck[(first + n) % deck.len()];
        let session = u64::try_from(SESSION.as_millis()).unwrap();
        let lasts = match kind {
            Kind::Kill | Kind::LoseDisk | Kind::Stop => random.within(0, 9_000),
            Kind::Pause => random.within(200, session - 2_000),
            Kind::LongPause => random.within(session + 2_000, session + 9_000),
        };
        let (after, lasts) = (Duration::from_millis(random.within(4_000, 18_000)), Duration::from_millis(lasts));
        Fault { kind, victim: victim(random), after, lasts }
    };
    (0..count).map(one).collect()
}

/// How many of each.
pub(super) fn counted(lanes: &[Lane]) -> BTreeMap<(Whom, Kind), usize> {
    let mut counts = BTreeMap::new();
    for (lane, fault) in lanes.iter().flat_map(|lane| lane.faults.iter().map(move |fault| (lane, fault))) {
        *counts.entry((lane.whom, fault.kind)).or_default() += 1;
    }
    counts
}

#[test]
fn a_seed_gives_one_plan_and_a_long_one_has_every_fault() {
    let size = Size { faults: 120, workers: 3, nodes: 3 };
    let (one, same, other) = (lanes(size, 5), lanes(size, 5), lanes(size, 6));
    let faults = |lanes: &[Lane]| lanes.iter().flat_map(|lane| lane.faults.clone()).collect::<Vec<_>>();
    assert_eq!(faults(&one), faults(&same));
    assert_ne!(faults(&one), faults(&other));
    assert_eq!(faults(&one).len(), 120);
    let counts = counted(&one);
    assert_eq!(counts.len(), 13, "five kinds of workers, four each of brokers and of database nodes: {counts:?}");
    let small = faults(&lanes(Size { faults: 12, workers: 2, nodes: 1 }, 5));
    assert_eq!(small.len(), 12);
    assert!(small.iter().all(|fault| fault.victim < 2));
}
