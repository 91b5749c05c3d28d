//! What the simulated stream promises.

use std::collections::{BTreeMap, HashSet};

use tributary::event::{self, Body, Bots, Kind};
use tributary::ids::Millis;
use tributary::simulate::{Pace, Simulation, Spec};

pub(crate) fn spec(events: u64, seed: u64) -> Spec {
    Spec {
        creators: 12,
        members: 300,
        events,
        seed,
        start: Millis(1_767_225_600_000),
        pace: Pace::History { days: 90 },
        signups_permille: 200,
    }
}

fn hash(spec: &Spec) -> u64 {
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    for record in Simulation::new(spec) {
        let bytes = postcard::to_allocvec(&(record.arrival, record.event())).expect("events are plain data");
        hasher.update(&bytes);
    }
    hasher.digest()
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    assert_eq!(hash(&spec(20_000, 7)), hash(&spec(20_000, 7)));
    assert_ne!(hash(&spec(20_000, 7)), hash(&spec(20_000, 8)));
}

#[test]
fn as_many_records_as_asked_for_come_in_order_of_arrival_and_are_well_formed() {
    let records: Vec<_> = Simulation::new(&spec(20_000, 1)).collect();
    assert_eq!(records.len(), 20_000);
    assert!(records.is_sorted_by_key(|record| record.arrival));
    for record in &records {
        assert_eq!(event::check(&record.event()), Ok(()), "{:?}", record.event());
    }
}

#[test]
fn a_history_fills_its_days_with_nights_and_weekends() {
    let spec = spec(50_000, 3);
    let mut hours = [0_u32; 24];
    let mut last = spec.start;
    for record in Simulation::new(&spec) {
        last = last.max(record.arrival);
        let event = record.event();
        if event.creator_id.0 == "creator-0006" {
            hours[usize::try_from(record.arrival.0.rem_euclid(Millis::DAY) / Millis::HOUR).unwrap()] += 1;
        }
    }
    let days = (last.0 - spec.start.0) / Millis::DAY;
    assert!((80..=100).contains(&days), "{days} days");
    assert!(hours[3] * 3 < hours[19], "nights are quiet: {hours:?}");
}

/// Everything the books and the fold are compared on must occur, or the comparison proves nothing.
#[test]
fn every_kind_of_trouble_occurs() {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let mut count = |what: String| *seen.entry(what).or_default() += 1;
    let (mut ids, mut business, bots) = (HashSet::new(), HashSet::new(), Bots::default());
    for record in Simulation::new(&spec(100_000, 5)) {
        let event = record.event();
        count(format!("{:?}", event.body.kind()));
        if !ids.insert((event.creator_id.0.to_owned(), event.event_id.0.to_owned())) {
            count("event id again".into());
        }
        if event.occurred_at.0 > record.arrival.0 + Millis::DAY || event.occurred_at.0 < Millis::DAY {
            count("absurd".into());
        }
        if event.occurred_at.0 < record.arrival.0 - 60 * Millis::DAY {
            count("too late".into());
        }
        match &event.body {
            Body::Click(click) => {
                if bots.of(click.user_agent, click.method, click.purpose).is_some() {
                    count("bot".into());
                }
                if !business.insert((event.creator_id.0.to_owned(), click.click_id.0.to_owned())) {
                    count("click again".into());
                }
            }
            Body::Conversion(conversion) => {
                count(format!("{:?}", conversion.kind));
                if conversion.original_id.is_some() && conversion.amount.is_none() {
                    count("without amount".into());
                }
            }
            Body::Commission(commission) => count(format!("{:?}", commission.kind)),
            _ => {}
        }
    }
    let missing: Vec<_> = [
        "Creator",
        "Member",
        "Sighting",
        "Share",
        "Click",
        "Conversion",
        "Commission",
        "event id again",
        "absurd",
        "too late",
        "bot",
        "click again",
        "Signup",
        "Purchase",
        "Renewal",
        "Refund",
        "Chargeback",
        "ChargebackReversed",
        "without amount",
        "Earned",
        "Adjusted",
        "Approved",
        "Paid",
        "Reversed",
    ]
    .into_iter()
    .filter(|what| seen.get(*what).copied().unwrap_or_default() < 3)
    .collect();
    assert!(missing.is_empty(), "seldom or never: {missing:?} in {seen:?}");
    assert_eq!(Kind::ALL.len(), 13, "a new kind: let the simulation make some");
}

#[test]
fn a_live_programme_keeps_its_rate() {
    let spec = Spec { pace: Pace::Live { rate_per_s: 500 }, ..spec(u64::MAX, 4) };
    let last = Simulation::new(&spec).nth(30_000).expect("it never ends");
    let seconds = (last.arrival.0 - spec.start.0) / 1_000;
    assert!((50..=75).contains(&seconds), "30,000 records at 500 a second took {seconds} s");
}

/// `cargo test --release --test it simulate::stream::speed -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn speed() {
    let spec = Spec { creators: 100, members: 100_000, ..spec(2_000_000, 4) };
    #[allow(clippy::disallowed_methods)]
    let begin = std::time::Instant::now();
    let clicks = Simulation::new(&spec).filter(|record| matches!(record.event().body, Body::Click(_))).count();
    println!("2,000,000 records ({clicks} clicks) in {:?}", begin.elapsed());
}
