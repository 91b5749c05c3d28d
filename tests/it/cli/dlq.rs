//! Dead letters of a data folder, from the shell.

use bytes::Bytes;
use serde_json::{Value, json};
use tributary::append::{Outgoing, Sink};
use tributary::clock::Clock;
use tributary::consume::Stream;
use tributary::decode::json::{Scratch, from_json};
use tributary::ids::{Millis, Partition};
use tributary::project::rows::CreatorRow;
use tributary::project::tables;
use tributary::run::{Options, Program};
use tributary::store::Store;

use super::Shell;
use crate::worker::programme::START;

const P: Partition = Partition(0);

async fn open(shell: &Shell) -> Program {
    let mut options = Options::new(shell.path("data"));
    options.partitions = 1;
    let mut engine = Program::open(options, Clock::system()).await.unwrap();
    engine.start().unwrap();
    engine
}

async fn fold(shell: &Shell, records: Vec<Outgoing>) {
    let engine = open(shell).await;
    engine.sink.append(records).await.unwrap();
    engine.caught_up().await.unwrap();
    engine.stop().await.unwrap();
}

async fn clicks(shell: &Shell) -> i64 {
    let engine = open(shell).await;
    engine.caught_up().await.unwrap();
    let row = engine.store.get(&[tables::creator(P, "c")]).await.unwrap().into_iter().flatten().next().unwrap();
    let clicks = CreatorRow::decode(&row.value.unwrap()).unwrap().totals.counts.clicks_total;
    engine.stop().await.unwrap();
    clicks
}

fn raw(value: &[u8], at: Millis) -> Outgoing {
    let (key, value) = (Bytes::from_static(b"c"), Bytes::copy_from_slice(value));
    Outgoing { stream: Stream::Events, partition: P, timestamp: at, key, value }
}

fn event(kind: &str, id: &str, at: Millis, fields: Value) -> Outgoing {
    let mut event = json!({"type": kind, "event_id": id, "creator_id": "c", "occurred_at": at.0});
    event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let (text, mut scratch, mut value) = (event.to_string(), Scratch::default(), Vec::new());
    tributary::schema::encode(&from_json(text.as_bytes(), &mut scratch).unwrap(), &mut value);
    raw(&value, at)
}

/// A creator; "hello"; a click for a member who is not there, given up after a month.
async fn prepared() -> Shell {
    let shell = Shell::new();
    shell.write("tributary.toml", "[log]\npartitions = 1\n");
    let later = Millis(START.0 + 31 * Millis::DAY);
    let creator = json!({"name": "Club", "currency": "EUR", "time_zone": "UTC"});
    let records = vec![
        event("Creator", "e1", START, creator),
        raw(b"hello", Millis(START.0 + 1)),
        event("Click", "k1", START, json!({"click_id": "k1", "member_id": "late"})),
        event("Tick", "t1", later, json!({})),
    ];
    fold(&shell, records).await;
    shell
}

fn dlq(shell: &Shell, code: i32, arguments: &[&str]) -> Value {
    shell.json(code, &[&["--config", "tributary.toml", "dlq"], arguments].concat())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_letters_are_listed_newest_first_or_from_an_offset_and_one_is_shown_whole() {
    let shell = prepared().await;
    let listed = dlq(&shell, 0, &["list"]);
    let reasons = |listed: &Value| {
        let all = listed["dead_letters"].as_array().unwrap().iter();
        all.map(|one| (one["offset"].as_u64().unwrap(), one["reason"].as_str().unwrap().to_owned())).collect::<Vec<_>>()
    };
    let (undecodable, unresolved) = ((0, "undecodable".to_owned()), (1, "unresolved".to_owned()));
    assert_eq!(reasons(&listed), [unresolved.clone(), undecodable.clone()]);
    let oldest_first = dlq(&shell, 0, &["list", "--partition", "0", "--from", "0"]);
    assert_eq!(reasons(&oldest_first), [undecodable.clone(), unresolved.clone()]);
    assert_eq!(reasons(&dlq(&shell, 0, &["list", "--reason", "undecodable"])), [undecodable]);
    assert_eq!(reasons(&dlq(&shell, 0, &["list", "--limit", "1"])), [unresolved]);
    let first = &listed["dead_letters"][0];
    let source = json!({"topic": "tributary.events", "partition": 0, "offset": 2, "time": "2026-01-05T00:00:00.000Z"});
    assert_eq!((&first["source"], &first["creator"]), (&source, &json!("c")), "{first}");
    assert_eq!(first["time"], "2026-02-05T00:00:00.000Z", "{first}");

    let table = shell.run(&["--config", "tributary.toml", "dlq", "list"]);
    table.assert_code(0);
    let line = table.out.lines().nth(1).unwrap();
    let cells: Vec<_> = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    let said = "what it refers to did not come within 30 days";
    let expected = ["0", "1", "2026-02-05T00:00:00.000Z", "unresolved", "c", "tributary.events[0]@2", said];
    assert_eq!(cells, expected, "{}", table.out);

    let shown = dlq(&shell, 0, &["show", "0", "0"]);
    assert_eq!(shown["value"], json!({"encoding": "text", "data": "hello", "bytes": 5, "cut": false}), "{shown}");
    assert!(shown["event"].is_null() && shown["unreadable"].as_str().unwrap().contains("begins neither"), "{shown}");
    let shown = dlq(&shell, 0, &["show", "0", "1"]);
    assert_eq!((&shown["event"]["click_id"], &shown["value"]["encoding"]), (&json!("k1"), &json!("hex")), "{shown}");
    let nowhere = shell.run(&["--config", "tributary.toml", "dlq", "show", "0", "7"]);
    nowhere.assert_code(1).assert_error(&["partition 0 has no dead letter 7"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redriven_record_counts_once_however_often_it_is_appended() {
    let shell = prepared().await;
    fold(&shell, vec![event("Member", "m1", START, json!({"member_id": "late"}))]).await;
    assert_eq!(clicks(&shell).await, 0);

    let command = ["--config", "tributary.toml", "dlq", "redrive", "--reason", "unresolved"];
    shell.run(&command).assert_code(2).assert_error(&["--dry-run", "--yes"]);
    let dry = dlq(&shell, 0, &["redrive", "--reason", "unresolved", "--dry-run"]);
    assert_eq!((&dry["appended"], &dry["records"][0]["letter"]), (&json!(1), &json!({"partition": 0, "offset": 1})));
    assert_eq!(clicks(&shell).await, 0, "nothing was appended");
    for offset in [5, 6] {
        let done = dlq(&shell, 0, &["redrive", "0", "1", "--yes"]);
        assert_eq!(done["records"][0]["to"], json!({"partition": 0, "offset": offset}), "{done}");
        assert_eq!(clicks(&shell).await, 1, "once, however often");
    }
    shell.run(&["--config", "tributary.toml", "dlq", "redrive", "0", "9", "--yes"]).assert_code(1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_still_cannot_be_applied_is_a_new_letter_and_all_append_a_record_once() {
    let shell = prepared().await;
    dlq(&shell, 0, &["redrive", "--reason", "undecodable", "--yes"]);
    fold(&shell, Vec::new()).await;
    let again = dlq(&shell, 0, &["list", "--reason", "undecodable"]);
    let places: Vec<_> = again["dead_letters"].as_array().unwrap().iter().map(|one| &one["source"]["offset"]).collect();
    assert_eq!(places, [4, 1], "the second letter is of the record that was appended again: {again}");
    let all = dlq(&shell, 0, &["redrive", "--all", "--yes"]);
    assert_eq!((&all["appended"], &all["same"], &all["left"]), (&json!(2), &json!(1), &json!(0)), "{all}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beside_a_server_it_says_who_has_the_folder() {
    let shell = prepared().await;
    let engine = open(&shell).await;
    let held = shell.run(&["--config", "tributary.toml", "dlq", "list"]);
    held.assert_code(1).assert_error(&["in use by another tributary process"]);
    engine.stop().await.unwrap();
}
