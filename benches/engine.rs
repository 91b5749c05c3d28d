//! What the embedded log and store do a second. One measure a run, in a folder of its own:
//! `cargo bench --bench engine -- append|read|write|get|fill|restart FOLDER [NUMBER]`.

#![allow(clippy::disallowed_methods, reason = "a measure reads the clock")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::task::JoinSet;
use tributary::append::embedded::EmbeddedSink;
use tributary::append::{Outgoing, Sink, Stream};
use tributary::consume::embedded::Log;
use tributary::consume::{Batch, Limits, Source};
use tributary::disk;
use tributary::ids::{Millis, Next, Partition};
use tributary::memory;
use tributary::project::key::{Bound, Col, Cols, Key, Part, Range, Row, TableId};
use tributary::store::Store;
use tributary::store::embedded::{EmbeddedStore, Options};

#[global_allocator]
static ALLOCATOR: memory::Allocator = memory::ALLOCATOR;

fn main() {
    memory::keep_freed();
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with("--"));
    let what = args.next().unwrap_or_default();
    let folder = PathBuf::from(args.next().unwrap_or_else(|| "target/engine".to_owned()));
    let number = args.next().and_then(|text| text.parse().ok());
    std::fs::create_dir_all(&folder).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    match what.as_str() {
        "append" => runtime.block_on(append(&folder, number.unwrap_or(3))),
        "read" => read(&folder),
        "write" => runtime.block_on(write(&folder, number.unwrap_or(3_000_000))),
        "get" => runtime.block_on(get(&folder, number.unwrap_or(1_000_000))),
        "fill" => runtime.block_on(fill(&folder, number.unwrap_or(2_000))),
        "restart" => restart(&folder),
        other => panic!("unknown measure {other:?}"),
    }
}

fn log(folder: &Path) -> Log {
    Log::open(&folder.join("log.redb"), 4, [7; 16], disk::Options::default()).unwrap()
}

fn events(count: u32) -> Vec<Outgoing> {
    let event = |n: u32| Outgoing {
        stream: Stream::Events,
        partition: Partition(n % 4),
        timestamp: Millis(0),
        key: Bytes::from_static(b"creator-000001"),
        value: Bytes::from_static(&[5; 186]),
    };
    (0..count).map(event).collect()
}

fn percentile(times: &mut [Duration], part: f64) -> Duration {
    times.sort_unstable();
    let at = (times.len() as f64 * part) as usize;
    times[at.min(times.len() - 1)]
}

async fn append(folder: &Path, seconds: u64) {
    let log = log(folder);
    let sink = EmbeddedSink::new(log, Default::default()).unwrap();
    for (batch, tasks) in [(1, 1), (1, 64), (1, 256), (100, 1), (100, 16), (1_000, 1), (1_000, 8)] {
        let mut set = JoinSet::new();
        let started = Instant::now();
        for _ in 0..tasks {
            let sink = sink.clone();
            set.spawn(async move {
                let mut times = Vec::new();
                while started.elapsed() < Duration::from_secs(seconds) {
                    let call = Instant::now();
                    sink.append(events(batch)).await.unwrap();
                    times.push(call.elapsed());
                }
                times
            });
        }
        let mut times: Vec<_> = set.join_all().await.into_iter().flatten().collect();
        let rate = times.len() as f64 * f64::from(batch) / started.elapsed().as_secs_f64();
        let (p50, p99) = (percentile(&mut times, 0.5), percentile(&mut times, 0.99));
        println!("append {batch} x 200 B by {tasks}: {rate:.0} events/s, a call p50 {p50:?} p99 {p99:?}");
    }
}

fn read(folder: &Path) {
    let log = log(folder);
    for round in ["cold", "again"] {
        let mut source = log.source(0, 1);
        let mut batch = Batch::default();
        source.poll(&Limits::default(), &mut batch).unwrap();
        for partition in 0..4 {
            source.seek(Partition(partition), Next(0)).unwrap();
        }
        let started = Instant::now();
        let (mut records, mut bytes, mut polls) = (0, 0, 0);
        loop {
            source.poll(&Limits::default(), &mut batch).unwrap();
            if batch.is_empty() {
                break;
            }
            records += batch.len();
            bytes += batch.bytes();
            polls += 1;
        }
        let seconds = started.elapsed().as_secs_f64();
        let rate = records as f64 / seconds;
        println!("read {round}: {records} records of {bytes} bytes in {polls} polls: {rate:.0} records/s");
    }
}

async fn fill(folder: &Path, megabytes: u64) {
    let sink = EmbeddedSink::new(log(folder), Default::default()).unwrap();
    let started = Instant::now();
    let path = folder.join("log.redb");
    let mut calls = 0_u64;
    let mut slow = Duration::ZERO;
    while calls * 200_000 < megabytes << 20 {
        let call = Instant::now();
        sink.append(events(1_000)).await.unwrap();
        slow = slow.max(call.elapsed());
        calls += 1;
    }
    let rate = calls as f64 * 1_000.0 / started.elapsed().as_secs_f64();
    let bytes = std::fs::metadata(&path).unwrap();
    let blocks = std::os::unix::fs::MetadataExt::blocks(&bytes) * 512;
    println!("fill: {calls} calls, {rate:.0} events/s, slowest {slow:?}, file {} on disk {blocks}", bytes.len());
    // As a kill would: nothing is closed.
    std::process::exit(0);
}

fn restart(folder: &Path) {
    let started = Instant::now();
    let log = log(folder);
    println!("restart: opened in {:?}", started.elapsed());
    let started = Instant::now();
    drop(log);
    println!("restart: closed in {:?}", started.elapsed());
}

fn member(n: u32) -> Key {
    let shard = u16::try_from((n >> 12) % 16).unwrap();
    let part = Part { table: TableId(3), p: Partition(n % 4), shard, month: 0 };
    Key { part, cols: Cols(vec![Col::Text("creator-000001".to_owned()), Col::Int(i64::from(n))]) }
}

fn rows(numbers: impl Iterator<Item = u32>, at: u64) -> Vec<Row> {
    let value = Bytes::from(vec![7; 340]);
    numbers.map(|n| Row { key: member(n), at: Next(at), value: Some(value.clone()), expires: None }).collect()
}

async fn write(folder: &Path, most: u64) {
    let store = EmbeddedStore::open(&folder.join("projections.redb"), Options::default()).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut have = 0;
    let mut at = 1;
    for size in [100_000_u32, 1_000_000, 3_000_000] {
        if u64::from(size) > most {
            break;
        }
        let started = Instant::now();
        let new = size - have;
        while have < size {
            store.write(rows(have..have + 50_000, at)).await.unwrap();
            have += 50_000;
        }
        println!("write: {new} new rows: {:.0} rows/s", f64::from(new) / started.elapsed().as_secs_f64());
        for flush in [1_000_u32, 10_000, 100_000] {
            let started = Instant::now();
            let mut times = Vec::new();
            let mut written = 0;
            while started.elapsed() < Duration::from_secs(3) {
                at += 1;
                let some: Vec<u32> = (0..flush).map(|_| random.random_range(0..size)).collect();
                let call = Instant::now();
                store.write(rows(some.into_iter(), at)).await.unwrap();
                times.push(call.elapsed());
                written += flush;
            }
            let spent: Duration = times.iter().sum();
            let rate = f64::from(written) / spent.as_secs_f64();
            let (p50, p99) = (percentile(&mut times, 0.5), percentile(&mut times, 0.99));
            println!("write: {flush} of {size} rows: {rate:.0} rows/s, a flush p50 {p50:?} p99 {p99:?}");
        }
    }
}

async fn get(folder: &Path, size: u64) {
    let size = u32::try_from(size).unwrap();
    let store = EmbeddedStore::open(&folder.join("projections.redb"), Options::default()).unwrap();
    if store.get(&[member(size - 1)]).await.unwrap().iter().any(Option::is_none) {
        for from in (0..size).step_by(50_000) {
            store.write(rows(from..from + 50_000, 1)).await.unwrap();
        }
    }
    for (what, keys, tasks) in [("warm-up", 1, 64), ("get", 1, 1), ("get", 1, 64), ("get", 1, 200), ("get", 100, 64)] {
        let mut set = JoinSet::new();
        let started = Instant::now();
        for task in 0..tasks {
            let store = store.clone();
            set.spawn(async move {
                let mut random = ChaCha8Rng::seed_from_u64(task);
                let mut times = Vec::new();
                while started.elapsed() < Duration::from_secs(3) {
                    let some: Vec<Key> = (0..keys).map(|_| member(random.random_range(0..size))).collect();
                    let call = Instant::now();
                    let found = store.get(&some).await.unwrap();
                    times.push(call.elapsed());
                    assert!(found.iter().all(Option::is_some));
                }
                times
            });
        }
        let mut times: Vec<_> = set.join_all().await.into_iter().flatten().collect();
        let rate = times.len() as f64 / started.elapsed().as_secs_f64();
        let (p50, p99) = (percentile(&mut times, 0.5), percentile(&mut times, 0.99));
        println!("{what} {keys} of {size} rows by {tasks}: {rate:.0} calls/s, p50 {p50:?} p99 {p99:?}");
    }
    let started = Instant::now();
    let mut scans = 0;
    while started.elapsed() < Duration::from_secs(2) {
        let range =
            Range { part: member(0).part, from: Bound::Unbounded, to: Bound::Unbounded, reverse: false, limit: 100 };
        assert_eq!(store.scan(&range).await.unwrap().len(), 100);
        scans += 1;
    }
    println!("scan of 100 rows by 1: {:.0} calls/s", f64::from(scans) / started.elapsed().as_secs_f64());
}
