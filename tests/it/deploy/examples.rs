//! The example producers and their events fit the program.

use std::collections::BTreeSet;

use tributary::consume::Stream;
use tributary::decode::{Scratch, from_json};
use tributary::event::Kind;

const EVENTS: &str = include_str!("../../../deploy/examples/events.ndjson");
const README: &str = include_str!("../../../deploy/examples/README.md");
const PYTHON: &str = include_str!("../../../deploy/examples/python/producer.py");
const JAVA: &str = include_str!("../../../deploy/examples/java/src/main/java/Producer.java");

#[test]
fn its_events_are_taken_in_and_are_of_every_kind_that_a_shop_sends() {
    let mut kinds = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for (number, line) in (1..).zip(EVENTS.lines()) {
        let mut scratch = Scratch::default();
        let event = from_json(line.as_bytes(), &mut scratch).unwrap_or_else(|error| panic!("line {number}: {error}"));
        kinds.insert(format!("{:?}", event.body.kind()));
        let json: serde_json::Value = serde_json::from_str(line).unwrap();
        // Avro has no other form of time; and none is there that a producer has no business with.
        assert!(json["occurred_at"].is_i64() && json["received_at"].is_null(), "line {number}");
        assert!(ids.insert(json["event_id"].clone()), "line {number}: {} twice", json["event_id"]);
    }
    let sent = [Kind::Creator, Kind::Member, Kind::Share, Kind::Click, Kind::Conversion, Kind::Commission];
    assert_eq!(kinds, sent.map(|kind| format!("{kind:?}")).into());
    assert!(README.contains(&format!("`{} acknowledged`", ids.len())), "its README says how many there are");
}

#[test]
fn both_send_to_the_topic_that_is_read() {
    let topic = format!("\"{}\"", Stream::Events.name());
    assert!(PYTHON.contains(&topic) && JAVA.contains(&topic), "{topic}");
}
