//! A quiet creator is moved on by its partition's owner.

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tributary::append::partition::partition_of;
use tributary::append::{Outgoing, Sink};
use tributary::clock::Clock;
use tributary::consume::Stream;
use tributary::decode::json::{Scratch, from_json};
use tributary::ids::{Millis, Partition};
use tributary::project::rows::CreatorRow;
use tributary::project::tables;
use tributary::run::{Options, Program};
use tributary::store::Store;

/// `Tick` has no other field; the others are those of the story.
fn record(event: &serde_json::Value, at: Millis, partitions: u32) -> Outgoing {
    let (text, mut scratch, mut value) = (event.to_string(), Scratch::default(), Vec::new());
    tributary::schema::encode(&from_json(text.as_bytes(), &mut scratch).unwrap(), &mut value);
    Outgoing {
        stream: Stream::Events,
        partition: partition_of(b"c", partitions),
        timestamp: at,
        key: Bytes::from_static(b"c"),
        value: Bytes::from(value),
    }
}

async fn head(engine: &Program, p: Partition) -> Option<CreatorRow> {
    let row = engine.store.get(&[tables::creator(p, "c")]).await.unwrap().into_iter().flatten().next()?;
    Some(CreatorRow::decode(&row.value?).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_day_of_a_creator_to_which_nothing_comes_ends_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = Options::new(dir.path());
    (options.pace.fast, options.pace.slow) = Default::default();
    options.pace.tick = Some(Duration::ZERO);
    let mut engine = Program::open(options, Clock::system()).await.unwrap();
    engine.start().unwrap();
    let now = engine.clock.now();
    let days_ago = Millis(now.0 - 3 * Millis::DAY);
    let event = |kind: &str, id: &str, fields: serde_json::Value| {
        let mut event = json!({"type": kind, "event_id": id, "creator_id": "c", "occurred_at": days_ago.0});
        event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        event
    };
    let story = [
        event("Creator", "1", json!({"name": "Club", "currency": "EUR", "time_zone": "UTC"})),
        event("Member", "2", json!({"member_id": "ann"})),
        event("Click", "3", json!({"click_id": "k", "member_id": "ann"})),
    ];
    let partitions = engine.log.topic().partitions;
    engine.sink.append(story.iter().map(|event| record(event, days_ago, partitions)).collect()).await.unwrap();
    engine.caught_up().await.unwrap();

    let p = partition_of(b"c", partitions);
    let today = now.0.div_euclid(Millis::DAY);
    // It comes by itself; if it never did, the test would not end.
    let moved = loop {
        engine.caught_up().await.unwrap();
        match head(&engine, p).await {
            Some(head) if head.clock >= now => break head,
            Some(_) | None => tokio::task::yield_now().await,
        }
    };
    assert!(moved.rolled_to.unwrap() >= today);
    let day = tables::day(p, "c", days_ago.0.div_euclid(Millis::DAY));
    assert!(engine.store.get(&[day]).await.unwrap()[0].is_some(), "its day is sealed");
    let mut differences = Vec::new();
    engine.verify(|difference| differences.push(difference), |_, _| {}).await.unwrap();
    assert_eq!(differences, []);
    engine.stop().await.unwrap();
}
