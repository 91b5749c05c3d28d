//! What cannot be read or admitted becomes a dead letter with its bytes, its place and the reason; what is lost of a
//! data folder is made again or named.

use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use tributary::append::{Outgoing, Sink};
use tributary::clock::Clock;
use tributary::consume::{Batch, Limits, Stream};
use tributary::decode::json::{Scratch, from_json};
use tributary::decode::{Decoder, Place};
use tributary::ids::{Millis, Next, Offset, Partition};
use tributary::run::{Error, Options, Program};

use super::dump::{assert_same, dump};
use super::programme::{START, fill, spec};

const P: Partition = Partition(0);

async fn open(dir: &Path) -> Program {
    let mut options = Options::new(dir);
    options.partitions = 1;
    let mut engine = Program::open(options, Clock::system()).await.unwrap();
    engine.start().unwrap();
    engine
}

fn encoded(json: &str) -> Vec<u8> {
    let json = format!(r#"{{"creator_id":"c","occurred_at":{},{json}}}"#, START.0);
    let mut value = Vec::new();
    tributary::schema::encode(&from_json(json.as_bytes(), &mut Scratch::default()).unwrap(), &mut value);
    value
}

fn record(key: &str, value: Vec<u8>) -> Outgoing {
    let key = Bytes::copy_from_slice(key.as_bytes());
    Outgoing { stream: Stream::Events, partition: P, timestamp: START, key, value: Bytes::from(value) }
}

fn creator() -> Vec<u8> {
    encoded(r#""type":"Creator","event_id":"e1","name":"Club","currency":"EUR","time_zone":"UTC""#)
}

/// The same bytes with one text in place of another of equal length.
fn with(value: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let at = value.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
    let mut changed = value.to_vec();
    changed[at..at + to.len()].copy_from_slice(to.as_bytes());
    changed
}

/// Bad input, the class of its letter, and a part of its message.
fn bad() -> Vec<(Outgoing, &'static str, &'static str)> {
    let unknown = {
        let mut value = creator();
        value.truncate(10);
        value[2..10].copy_from_slice(&[9; 8]);
        value.extend_from_slice(b"nothing of ours");
        value
    };
    let mut letter = Vec::new();
    tributary::schema::DeadLetter {
        topic: "t",
        partition: P,
        offset: Offset(0),
        timestamp: START,
        class: "x",
        message: "",
        key: b"c",
        value: b"",
    }
    .encode(&mut letter);
    let truncated = creator()[..creator().len() - 9].to_vec();
    let member = |rest: &str| encoded(&format!(r#""type":"Member",{rest}"#));
    let absurd = encoded(r#""type":"Tick","event_id":"e9""#);
    let absurd = {
        let json = from_json_at(4_070_908_800_000);
        assert_ne!(json, absurd);
        json
    };
    vec![
        (record("c", b"hello".to_vec()), "undecodable", "begins neither as"),
        (record("c", Vec::new()), "undecodable", "begins neither as"),
        (record("c", truncated), "undecodable", "cannot read the record"),
        (record("c", unknown), "unknown_schema", "no schema 0909090909090909"),
        (record("c", letter), "unknown_type", "`DeadLetter`"),
        (record("", creator()), "missing_key", "has no key"),
        (record("c", with(&creator(), "EUR", "eur")), "invalid_field", "three capital letters"),
        (record("c", member(r#""event_id":"e2","member_id":"m","status":"active""#)), "", ""),
        (
            record("c", member(r#""event_id":"e2","member_id":"m","status":"removed""#)),
            "conflict",
            "\"e2\" came before",
        ),
        (record("c", absurd), "absurd_time", "24 h after it was received"),
        (
            record(
                "c",
                encoded(r#""type":"Creator","event_id":"e3","name":"C","currency":"EUR","time_zone":"Mars/X""#),
            ),
            "invalid_time_zone",
            "Mars/X",
        ),
    ]
}

fn from_json_at(occurred_at: i64) -> Vec<u8> {
    let json = format!(r#"{{"type":"Tick","event_id":"e9","creator_id":"c","occurred_at":{occurred_at}}}"#);
    let mut value = Vec::new();
    tributary::schema::encode(&from_json(json.as_bytes(), &mut Scratch::default()).unwrap(), &mut value);
    value
}

/// Offset, class, message, key, value and timestamp.
type Letter = (u64, String, String, Vec<u8>, Vec<u8>, Millis);

fn letters(engine: &Program) -> Vec<Letter> {
    let mut batch = Batch::default();
    engine.log.file().unwrap().read(Stream::DeadLetters, P, Next(0), &Limits::default(), &mut batch).unwrap();
    let decoder = Decoder::new();
    let letters = batch.iter().map(|record| {
        let at = Place { topic: "tributary.dead-letters", partition: P, offset: record.offset };
        let letter = decoder.dead_letter(record.value, at).unwrap();
        assert_eq!((letter.topic, letter.partition), (engine.log.topic().name.as_str(), P));
        let texts = (letter.class.to_owned(), letter.message.to_owned());
        (letter.offset.0, texts.0, texts.1, letter.key.to_vec(), letter.value.to_vec(), letter.timestamp)
    });
    letters.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_is_kept_with_its_bytes_its_place_and_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path()).await;
    engine.sink.append(vec![record("c", creator())]).await.unwrap();
    let bad = bad();
    engine.sink.append(bad.iter().map(|(record, _, _)| record.clone()).collect()).await.unwrap();
    engine.caught_up().await.unwrap();
    check_counts(&engine, 2, 10);
    engine.stop().await.unwrap();

    // Opened again, once as it was and once with the state to be made anew: no letter is sent twice.
    for again in 0..2 {
        let engine = open(dir.path()).await;
        engine.caught_up().await.unwrap();
        let letters = letters(&engine);
        let expected: Vec<_> = (1..).zip(&bad).filter(|(_, (_, class, _))| !class.is_empty()).collect();
        assert_eq!(letters.len(), expected.len(), "{letters:?}");
        for ((offset, (record, class, words)), letter) in expected.iter().zip(&letters) {
            assert_eq!((*offset, *class), (letter.0, letter.1.as_str()), "{}", letter.2);
            assert!(letter.2.contains(words), "{} lacks {words:?}", letter.2);
            assert_eq!(
                (&letter.3[..], &letter.4[..], letter.5),
                (&record.key[..], &record.value[..], START),
                "{class}"
            );
        }
        check_counts(&engine, 2, 10);
        engine.stop().await.unwrap();
        if again == 0 {
            std::fs::remove_dir_all(dir.path().join("state")).unwrap();
        }
    }
}

fn check_counts(engine: &Program, applied: i64, dead: i64) {
    let progress = engine.progress.of(P).unwrap();
    assert_eq!((progress.applied.load(Relaxed), progress.dead.load(Relaxed)), (applied, dead));
    assert_eq!(progress.position.load(Relaxed), u64::try_from(applied + dead).unwrap());
}

/// It waited, and never came to be: the letter holds the event and its own place in the log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parked_record_that_expires_keeps_its_own_place_and_time() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path()).await;
    let click = encoded(r#""type":"Click","event_id":"k1","click_id":"k1","member_id":"nobody""#);
    let later = Millis(START.0 + 31 * Millis::DAY);
    let tick = Outgoing { timestamp: later, ..record("c", from_json_at(later.0)) };
    engine.sink.append(vec![record("c", creator()), record("c", click.clone()), tick]).await.unwrap();
    engine.caught_up().await.unwrap();
    engine.stop().await.unwrap();
    let engine = open(dir.path()).await;
    let [(offset, class, _, key, value, timestamp)] = letters(&engine).try_into().unwrap();
    assert_eq!((offset, class.as_str(), &key[..], timestamp), (1, "unresolved", &b"c"[..], START));
    assert_eq!(value, click);
    engine.stop().await.unwrap();
}

/// To skip what only a newer program can read would lose it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_of_an_unknown_schema_halts_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path()).await;
    let mut newer = creator();
    newer[2..10].copy_from_slice(&[9; 8]);
    engine.sink.append(vec![record("c", creator()), record("c", newer)]).await.unwrap();
    let why = engine.caught_up().await.unwrap_err().to_string();
    assert!(why.contains("no schema 0909090909090909") && why.contains("@1") && why.contains("upgrade"), "{why}");
    assert!(engine.stop().await.is_err());
}

async fn halted(dir: &Path) -> String {
    let engine = open(dir).await;
    engine.sink.append(vec![record("c", creator())]).await.unwrap();
    let Err(Error::Halted(why)) = engine.caught_up().await else { panic!("it went on") };
    assert!(engine.stop().await.is_err());
    why
}

async fn programme(dir: &Path) -> super::dump::Rows {
    let engine = open(dir).await;
    fill(&engine, &spec(2, 20, 2_000, 3)).await;
    engine.caught_up().await.unwrap();
    let rows = dump(&engine).await;
    engine.stop().await.unwrap();
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_projections_halt_and_both_sides_are_named() {
    let dir = tempfile::tempdir().unwrap();
    programme(dir.path()).await;
    std::fs::remove_file(dir.path().join("projections.redb")).unwrap();
    let why = halted(dir.path()).await;
    assert!(why.contains("state has applied") && why.contains("projections only 0"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_state_is_made_again_from_the_log_with_the_same_rows() {
    let dir = tempfile::tempdir().unwrap();
    let before = programme(dir.path()).await;
    std::fs::remove_dir_all(dir.path().join("state")).unwrap();
    let engine = open(dir.path()).await;
    engine.caught_up().await.unwrap();
    assert_same(&dump(&engine).await, &before, "rows made again");
    let summary = engine.verify(|difference| panic!("{difference:?}"), |_, _| {}).await.unwrap();
    assert_eq!(summary.rows, u64::try_from(before.len()).unwrap());
    engine.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_log_halts() {
    let dir = tempfile::tempdir().unwrap();
    programme(dir.path()).await;
    std::fs::remove_file(dir.path().join("log.redb")).unwrap();
    let why = halted(dir.path()).await;
    assert!(why.contains("belongs to topic") || why.contains("made anew"), "{why}");
}
