//! kill -9 at any moment: what was acknowledged is there, a call is there whole or not at all, and the next start takes
//! it from there.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bytes::Bytes;
use tributary::append::Stream;
use tributary::append::embedded::EmbeddedSink;
use tributary::consume::embedded::Log;
use tributary::consume::{Batch, Limits};
use tributary::disk;
use tributary::ids::{Next, Partition};
use tributary::project::key::{Bound, Col, Cols, Key, Part, Range, Row, TableId};
use tributary::publish::Publish;
use tributary::store::Store;
use tributary::store::embedded::{EmbeddedStore, Options};

use super::contract::{PARTITIONS, block_on, event};

const FOLDER: &str = "TRIBUTARY_TEST_FOLDER";
/// Records of a call to the log, and rows of a call to the store.
const CALL: u64 = 7;
const PART: Part = Part { table: TableId(1), p: Partition(0), shard: 0, month: 0 };

fn open(folder: &Path) -> (Log, EmbeddedStore) {
    let log = Log::open(&folder.join("log.redb"), PARTITIONS, [7; 16], disk::Options::default()).unwrap();
    let store = EmbeddedStore::open(&folder.join("projections.redb"), Options::default()).unwrap();
    (log, store)
}

/// How many calls each holds, after looking at every record and row.
fn check(folder: &Path) -> (u64, u64) {
    let (log, store) = open(folder);
    let mut batch = Batch::default();
    let mut next = Next(0);
    loop {
        batch.clear();
        next = log.read(Stream::Events, Partition(0), next, &Limits::default(), &mut batch).unwrap();
        if batch.is_empty() {
            break;
        }
        for record in batch.iter() {
            assert_eq!(record.value, record.offset.0.to_le_bytes());
        }
    }
    assert_eq!(next.0 % CALL, 0, "half a call to the log");
    assert_eq!(log.committed(Partition(0)).unwrap().unwrap_or_default(), next, "outputs without their E");
    let range = Range { part: PART, from: Bound::Unbounded, to: Bound::Unbounded, reverse: false, limit: u32::MAX };
    let rows = block_on(store.scan(&range)).unwrap();
    for (n, row) in rows.iter().enumerate() {
        assert_eq!(row.key.cols.0, [Col::Int(n as i64)], "a row is missing");
    }
    assert_eq!(rows.len() as u64 % CALL, 0, "half a call to the store");
    (next.0 / CALL, rows.len() as u64 / CALL)
}

/// Not a test: what the killed process does.
#[test]
#[ignore = "run by another test"]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let (log, store) = open(&PathBuf::from(folder));
    let sink = EmbeddedSink::new(log.clone(), Default::default()).unwrap();
    let start = log.committed(Partition(0)).unwrap().unwrap_or_default().0 / CALL;
    for call in start.. {
        let numbers = call * CALL..(call + 1) * CALL;
        let outputs = numbers.clone().map(|n| event(0, "key", n.to_le_bytes())).collect();
        block_on(sink.emit(&(), Partition(0), outputs, Next((call + 1) * CALL))).unwrap();
        let key = |n: u64| Key { part: PART, cols: Cols(vec![Col::Int(n as i64)]) };
        let value = || Some(Bytes::from_static(&[1; 300]));
        let rows = numbers.map(|n| Row { key: key(n), at: Next(call), value: value(), expires: None }).collect();
        block_on(store.write(rows)).unwrap();
        writeln!(std::io::stdout(), "acknowledged {}", call + 1).unwrap();
    }
}

fn run_and_kill(folder: &Path, calls: usize) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "log::kill::child", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut acknowledged = 0;
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut numbers = lines.filter_map(|line| line.strip_prefix("acknowledged ")?.parse::<u64>().ok());
    for number in numbers.by_ref().take(calls) {
        acknowledged = number;
    }
    child.kill().unwrap();
    // What it still had said before it died counts too.
    for number in numbers {
        acknowledged = number;
    }
    child.wait().unwrap();
    acknowledged
}

fn kill_often(kills: usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut before = 0;
    for kill in 0..kills {
        let acknowledged = run_and_kill(folder.path(), 1 + kill * 7 % 23);
        assert!(acknowledged > before, "nothing was acknowledged");
        let (log, store) = check(folder.path());
        assert!(log >= acknowledged && store >= acknowledged, "{acknowledged} acknowledged, found {log} and {store}");
        assert!(log <= acknowledged + 1 && store <= log, "{acknowledged} acknowledged, found {log} and {store}");
        before = acknowledged;
    }
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    kill_often(4);
}

#[test]
#[ignore = "minutes: many kills"]
fn what_was_acknowledged_survives_kill_9_often() {
    kill_often(100);
}

/// Not a test: looks at what a crash left.
#[test]
#[ignore = "run by hand"]
fn look() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let (log, store) = check(&PathBuf::from(folder));
    writeln!(std::io::stdout(), "found {log} {store}").unwrap();
}
