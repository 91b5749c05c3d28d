//! A flipped byte of the store is an error that names the file, or it changes nothing; never another row, never an
//! absent one.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

use bytes::Bytes;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tributary::disk;
use tributary::ids::{Next, Partition};
use tributary::project::key::{Col, Key, Part, Row};
use tributary::store::embedded::{EmbeddedStore, Options};
use tributary::store::{Error, Store};

use super::contract::{MEMBERS, block_on, everything, key, part};

/// A cache of nothing, so that every read comes from the file.
const OPTIONS: Options = Options {
    disk: disk::Options { cache_bytes: 0, bytes_max: None },
    readers: 1,
    waiting_bytes_max: 1 << 20,
    waiting_reads_max: 8,
};

const ROWS: i64 = 600;

const PART: Part = part(Partition(3), MEMBERS);

fn member(n: i64) -> Key {
    key(PART, &[Col::Text("creator".to_owned()), Col::Int(n)])
}

fn value(n: i64, at: u64) -> Bytes {
    Bytes::from(vec![n.to_le_bytes()[0] ^ at.to_le_bytes()[0]; 100])
}

fn fill(store: &EmbeddedStore) -> BTreeMap<i64, Row> {
    let mut rows = BTreeMap::new();
    for at in 1..5_u64 {
        let call: Vec<_> = (0..ROWS)
            .filter(|n| n.unsigned_abs() % at == 0)
            .map(|n| Row { key: member(n), at: Next(at), value: Some(value(n, at)), expires: None })
            .collect();
        block_on(store.write(call.clone())).unwrap();
        rows.extend(call.into_iter().map(|row| (key_number(&row), row)));
    }
    rows
}

fn key_number(row: &Row) -> i64 {
    let Some(Col::Int(n)) = row.key.cols.0.get(1) else { panic!("{row:?}") };
    *n
}

/// Opens a copy with damage and reads all: by key, and in a scan. How many reads were refused.
fn read_all(path: &Path, expected: &BTreeMap<i64, Row>) -> usize {
    let named = |error: &dyn std::error::Error| {
        let text = error.to_string();
        assert!(text.contains("projections.redb") && text.contains("damaged"), "{text}");
        1
    };
    let store = match EmbeddedStore::open(path, OPTIONS) {
        Ok(store) => store,
        Err(error) => return named(&error),
    };
    let mut refused = 0;
    for (n, row) in expected {
        match block_on(store.get(&[member(*n)])) {
            Ok(found) => assert_eq!(found, [Some(row.clone())]),
            Err(error @ Error::Damaged { .. }) => refused += named(&error),
            Err(error) => panic!("{error}"),
        }
    }
    match block_on(store.scan(&everything(PART))) {
        Ok(found) => assert_eq!(found, expected.values().cloned().collect::<Vec<_>>()),
        Err(error @ Error::Damaged { .. }) => refused += named(&error),
        Err(error) => panic!("{error}"),
    }
    refused
}

fn flip(path: &Path, at: u64, mask: u8) {
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ mask], at).unwrap();
}

/// Flips `count` bytes, one at a time, each in a fresh copy of `source`.
fn flip_many(source: &Path, expected: &BTreeMap<i64, Row>, count: usize, seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("projections.redb");
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
    let path = folder.path().join("projections.redb");
    let store = EmbeddedStore::open(&path, OPTIONS).unwrap();
    let rows = fill(&store);
    // What the file is at this moment is what a kill would leave.
    let killed = folder.path().join("killed.redb");
    fs::copy(&path, &killed).unwrap();
    drop(store);
    flip_many(&path, &rows, count, seed);
    flip_many(&killed, &rows, count, seed + 1);
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
