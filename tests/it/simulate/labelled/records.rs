//! What holds of the records.

use std::collections::{HashMap, HashSet};

use tributary::event::{self, Body, Kind};
use tributary::ids::Millis;
use tributary::schema;
use tributary::simulate::labelled::{Cohort, Family, Labelled, Spec, Traffic};

use super::spec;

/// Records and labels as bytes.
fn bytes(labelled: &Labelled) -> Vec<u8> {
    let mut bytes = Vec::new();
    schema::to_json(&labelled.event(), &mut bytes);
    labelled.labels().for_each(|label| label.to_json(&mut bytes));
    bytes
}

fn hash(spec: &Spec) -> u64 {
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    Traffic::new(spec).for_each(|labelled| hasher.update(&bytes(&labelled)));
    hasher.digest()
}

#[test]
fn the_same_seed_gives_the_same_records_and_labels_and_another_seed_others() {
    assert_eq!(hash(&spec(1)), hash(&spec(1)));
    assert_ne!(hash(&spec(1)), hash(&spec(2)));
}

#[test]
fn records_come_in_order_of_arrival_well_formed_and_minutes_late_at_most() {
    let spec = spec(3);
    let (mut last, mut late, mut made) = (spec.start, 0_u64, 0_u64);
    for labelled in Traffic::new(&spec) {
        let (event, arrival) = (labelled.event(), labelled.record.arrival);
        assert_eq!(event::check(&event), Ok(()), "{event:?}");
        assert!(last <= arrival && arrival.0 < spec.start.0 + 42 * Millis::DAY);
        let lag = arrival.0 - event.occurred_at.0;
        assert!((0..10 * Millis::MINUTE).contains(&lag), "{lag} ms: {event:?}");
        late += u64::from(lag > Millis::MINUTE);
        made += 1;
        last = arrival;
    }
    assert!(late * 100 < made && late * 2_000 > made, "{late} of {made} are late by more than a minute");
}

/// What a record refers to has arrived before it, but for clicks that are late themselves.
#[test]
fn all_refer_to_members_who_are_there_and_to_clicks_and_orders_that_are() {
    let mut known: HashSet<String> = HashSet::new();
    let mut named: Vec<String> = Vec::new();
    for labelled in Traffic::new(&spec(4)) {
        let event = labelled.event();
        let creator = event.creator_id.0;
        let is_known = |known: &HashSet<String>, id: &str| known.contains(&format!("{creator} {id}"));
        match &event.body {
            Body::Creator(_) => assert!(known.insert(format!("creator {creator}"))),
            Body::Member(member) => {
                assert!(known.contains(&format!("creator {creator}")));
                known.insert(format!("{creator} {}", member.member_id.0));
                known.insert(format!("{creator} {}", member.referral_code.unwrap().0));
            }
            Body::Sighting(sighting) => assert!(is_known(&known, sighting.member_id.0), "{event:?}"),
            Body::Share(share) => assert!(is_known(&known, share.member_id.0), "{event:?}"),
            Body::ListEntry(entry) => assert!(is_known(&known, entry.value), "{event:?}"),
            Body::Click(click) => {
                let member = click.member_id.map(|id| id.0).or(click.referral_code.map(|code| code.0)).unwrap();
                assert!(is_known(&known, member), "{event:?}");
                known.insert(format!("{creator} {}", click.click_id.0));
            }
            Body::Conversion(conversion) => {
                known.insert(format!("{creator} {}", conversion.conversion_id.0));
                let code = conversion.referral_code.map(|code| code.0);
                assert!(code.is_none_or(|code| is_known(&known, code)), "{event:?}");
                let refers = conversion.click_id.map(|id| id.0).or(conversion.original_id.map(|id| id.0));
                named.extend(refers.map(|id| format!("{creator} {id}")));
            }
            Body::Commission(commission) => {
                assert!(is_known(&known, commission.member_id.0), "{event:?}");
                named.push(format!("{creator} {}", commission.conversion_id.unwrap().0));
            }
            other => panic!("no {other:?} is made here"),
        }
    }
    // Few arrive after the end, and nothing else is missing.
    let missing = named.iter().filter(|name| !known.contains(*name)).count();
    assert!(missing * 10_000 < named.len(), "{missing} of {} name what never came", named.len());
}

/// The truth is nowhere but in the labels: no attribute, no word, and ids of one shape.
#[test]
fn no_label_leaks_into_an_event() {
    let names: Vec<&str> = Cohort::ALL.map(Cohort::name).into_iter().chain(Family::ALL.map(Family::name)).collect();
    let mut shapes: HashMap<String, (u64, u64)> = HashMap::new();
    for labelled in Traffic::new(&spec(5)) {
        let event = labelled.event();
        assert!(event.attributes.is_empty());
        let mut json = Vec::new();
        schema::to_json(&event, &mut json);
        let text = String::from_utf8(json).unwrap();
        let told = names.iter().chain(&["fraud", "honest"]).find(|name| text.contains(**name));
        assert_eq!(told, None, "{text}");
        for label in labelled.labels() {
            let shape: String =
                label.subject_id().chars().map(|c| if c.is_ascii_hexdigit() { '0' } else { c }).collect();
            let seen = shapes.entry(shape).or_default();
            *if label.is_fraud() { &mut seen.1 } else { &mut seen.0 } += 1;
        }
    }
    let one_sided: Vec<_> = shapes.iter().filter(|(_, (honest, fraud))| *honest == 0 || *fraud == 0).collect();
    assert!(one_sided.is_empty() && shapes.len() >= 6, "{shapes:?}");
}

/// Tuning on some and judging by others compares like with like.
#[test]
fn leaving_the_attacks_out_changes_nothing_that_the_honest_do() {
    let with: HashMap<String, Vec<u8>> =
        Traffic::new(&spec(7)).map(|labelled| (labelled.event().event_id.0.to_owned(), bytes(&labelled))).collect();
    let mut same = 0;
    for labelled in Traffic::new(&Spec { families: Vec::new(), ..spec(7) }) {
        assert_eq!(with.get(labelled.event().event_id.0), Some(&bytes(&labelled)), "{:?}", labelled.event());
        assert!(labelled.labels().all(|label| !label.is_fraud()));
        same += 1;
    }
    assert!(same > 10_000 && same < with.len(), "{same} of {}", with.len());
}

#[test]
fn each_kind_of_record_that_traffic_has_is_made() {
    let made: HashSet<Kind> = Traffic::new(&spec(8)).map(|labelled| labelled.event().body.kind()).collect();
    let never = [Kind::Review, Kind::RuleSet, Kind::Template, Kind::Erasure, Kind::Tick];
    let missing: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| made.contains(kind) == never.contains(kind)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// `cargo test --release --test it simulate::labelled::records::speed -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn speed() {
    for agents in [20_000, 300_000] {
        let spec = Spec { agents, creators: 20, days: 3_000_000 / agents, ..spec(1) };
        #[allow(clippy::disallowed_methods)]
        let begin = std::time::Instant::now();
        let clicks = Traffic::new(&spec).filter(|made| matches!(made.event().body, Body::Click(_))).count();
        let took = begin.elapsed();
        #[allow(clippy::disallowed_methods)]
        let begin = std::time::Instant::now();
        let made = Traffic::new(&spec).count();
        println!("{agents} agents: {made} records ({clicks} clicks) in {took:?}, again in {:?}", begin.elapsed());
        let memory = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        println!("{}", memory.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default());
    }
}
