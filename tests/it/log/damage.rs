//! A flipped byte of the log is an error that names the file, or it changes nothing; never another record, never a
//! shorter log.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tributary::append::embedded::EmbeddedSink;
use tributary::append::{Sink, Stream};
use tributary::consume::embedded::Log;
use tributary::consume::{Batch, Error, Limits};
use tributary::disk;
use tributary::ids::{Next, Partition};
use tributary::publish::Publish;

use super::contract::{PARTITIONS, block_on, event};

/// A cache of nothing, so that every read comes from the file.
const OPTIONS: disk::Options = disk::Options { cache_bytes: 0, bytes_max: None };

type Records = Vec<Vec<(u64, Vec<u8>)>>;

fn fill(log: &Log) {
    let sink = EmbeddedSink::new(log.clone(), Default::default()).unwrap();
    for call in 0..30_u32 {
        let records = (0..40).map(|i| event(i % PARTITIONS, "key", vec![call.to_le_bytes()[0]; 100])).collect();
        block_on(sink.append(records)).unwrap();
    }
    block_on(sink.emit(&(), Partition(1), vec![], Next(17))).unwrap();
}

fn open(path: &Path) -> Result<Log, String> {
    Log::open(path, PARTITIONS, [7; 16], OPTIONS).map_err(|error| error.to_string())
}

fn read_partition(log: &Log, partition: Partition) -> Result<Vec<(u64, Vec<u8>)>, Error> {
    let mut all = Vec::new();
    let mut batch = Batch::default();
    let mut next = Next(0);
    loop {
        batch.clear();
        let limits = Limits { records_max: 100, ..Limits::default() };
        next = log.read(Stream::Events, partition, next, &limits, &mut batch)?;
        if batch.is_empty() {
            return Ok(all);
        }
        all.extend(batch.iter().map(|record| (record.offset.0, record.value.to_vec())));
    }
}

/// Opens a copy with damage and reads all. How many reads were refused.
fn read_all(path: &Path, expected: &Records) -> usize {
    let named = |text: String| {
        assert!(text.contains("log.redb") && text.contains("damaged"), "{text}");
        1
    };
    let log = match open(path) {
        Ok(log) => log,
        Err(text) => return named(text),
    };
    let mut refused = 0;
    for (partition, expected) in (0..PARTITIONS).map(Partition).zip(expected) {
        match read_partition(&log, partition) {
            Ok(found) => assert_eq!(found, *expected),
            Err(error) => refused += named(error.to_string()),
        }
    }
    match log.committed(Partition(1)) {
        Ok(found) => assert_eq!(found, Some(Next(17))),
        Err(error) => refused += named(error.to_string()),
    }
    refused
}

fn flip(path: &Path, at: u64, mask: u8) {
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ mask], at).unwrap();
}

fn flip_many(source: &Path, expected: &Records, count: usize, seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("log.redb");
    let length = fs::metadata(source).unwrap().len();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut refused = 0;
    for _ in 0..count {
        fs::copy(source, &copy).unwrap();
        let mask = 1 << random.random_range(0..8);
        flip(&copy, random.random_range(0..length), mask);
        refused += usize::from(read_all(&copy, expected) > 0);
    }
    assert!(refused > count / 20, "only {refused} of {count} flips were met: the test reads too little");
}

fn after_a_clean_close_and_after_a_kill(count: usize, seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let log = open(&path).unwrap();
    fill(&log);
    let expected: Records = (0..PARTITIONS).map(|p| read_partition(&log, Partition(p)).unwrap()).collect();
    assert_eq!(expected.iter().map(Vec::len).sum::<usize>(), 1_200);
    // What the file is at this moment is what a kill would leave.
    let killed = folder.path().join("killed.redb");
    fs::copy(&path, &killed).unwrap();
    drop(log);
    flip_many(&path, &expected, count, seed);
    flip_many(&killed, &expected, count, seed + 1);
}

#[test]
fn a_flipped_byte_is_refused_or_changes_nothing() {
    after_a_clean_close_and_after_a_kill(60, 1);
}

#[test]
#[ignore = "minutes: many more bytes"]
fn a_flipped_byte_is_refused_or_changes_nothing_anywhere() {
    after_a_clean_close_and_after_a_kill(1_000, 7);
}
