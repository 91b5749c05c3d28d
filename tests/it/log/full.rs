//! A full disk refuses appends by name, keeps what was acknowledged readable, and is over when there is room again.

use std::process::Command;

use tributary::append::embedded::EmbeddedSink;
use tributary::append::{Error, Sink, Stream};
use tributary::consume::embedded::Log;
use tributary::consume::{Batch, Limits};
use tributary::disk;
use tributary::ids::{Next, Partition};
use tributary::project::key::{Col, Cols, Key, Part, Row, TableId};
use tributary::store::Store;
use tributary::store::embedded::EmbeddedStore;

use super::contract::{PARTITIONS, block_on, event};
use crate::services;

fn count(log: &Log) -> u64 {
    let mut batch = Batch::default();
    let mut next = Next(0);
    loop {
        batch.clear();
        next = log.read(Stream::Events, Partition(0), next, &Limits::default(), &mut batch).unwrap();
        if batch.is_empty() {
            return next.0;
        }
    }
}

#[test]
fn appends_end_at_the_limit_and_go_on_beyond_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let options = disk::Options { cache_bytes: 1 << 20, bytes_max: Some(3 << 20) };
    let log = Log::open(&path, PARTITIONS, [7; 16], options).unwrap();
    let sink = EmbeddedSink::new(log.clone(), Default::default()).unwrap();
    let call = || vec![event(0, "key", vec![1; 1_000]); 50];
    let mut acknowledged = 0;
    let refused = loop {
        match block_on(sink.append(call())) {
            Ok(_) => acknowledged += 50,
            Err(error) => break error,
        }
        assert!(acknowledged < 10_000, "the limit was not met");
    };
    assert!(matches!(refused, Error::Full { .. }), "{refused:?}");
    assert!(refused.to_string().contains("log.redb"), "{refused}");
    for _ in 0..3 {
        assert_eq!(count(&log), acknowledged, "what was acknowledged can be read while the disk is full");
        let again = block_on(sink.append(call()));
        assert!(matches!(again, Err(Error::Full { .. })), "{again:?}");
    }
    drop((sink, log));
    let log = Log::open(&path, PARTITIONS, [7; 16], disk::Options::default()).unwrap();
    assert_eq!(count(&log), acknowledged);
    let sink = EmbeddedSink::new(log.clone(), Default::default()).unwrap();
    let places = block_on(sink.append(call())).unwrap();
    assert_eq!(places[0].offset.0, acknowledged);
    assert_eq!(count(&log), acknowledged + 50);
}

/// A small file system of its own.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", "size=6m", "tmpfs"]).arg(folder.path()).status();
        done.is_ok_and(|status| status.success()).then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(self.0.path()).status().unwrap();
    }
}

#[test]
#[ignore = "needs the right to mount"]
fn appends_and_writes_go_on_by_themselves_when_space_is_freed() {
    let Some(disk) = SmallDisk::mount() else {
        return services::not_tested("a full disk that is given room again; that takes the right to mount");
    };
    let folder = disk.0.path();
    let log = Log::open(&folder.join("log.redb"), PARTITIONS, [7; 16], disk::Options::default()).unwrap();
    let store = EmbeddedStore::open(&folder.join("projections.redb"), Default::default()).unwrap();
    let sink = EmbeddedSink::new(log.clone(), Default::default()).unwrap();
    let call = || vec![event(0, "key", vec![1; 1_000]); 50];
    let row = |n: u64| Row { key: contract_key(n), at: Next(1), value: Some(vec![1; 1_000].into()), expires: None };
    let rows = |from: u64| (from..from + 50).map(row).collect::<Vec<_>>();
    let (mut appended, mut written) = (0, 0);
    for _ in 0..3 {
        let filler = folder.join("filler");
        let filled = std::fs::write(&filler, vec![1; 64 << 20]);
        assert!(filled.is_err(), "the filler must fill the disk");
        let refused = loop {
            match block_on(sink.append(call())) {
                Ok(_) => appended += 50,
                Err(error) => break error,
            }
        };
        assert!(matches!(refused, Error::Full { .. }), "{refused:?}");
        let refused = loop {
            match block_on(store.write(rows(written))) {
                Ok(()) => written += 50,
                Err(error) => break error,
            }
        };
        assert!(matches!(refused, tributary::store::Error::Full { .. }), "{refused:?}");
        assert_eq!(count(&log), appended);
        std::fs::remove_file(&filler).unwrap();
        block_on(sink.append(call())).unwrap();
        appended += 50;
        block_on(store.write(rows(written))).unwrap();
        written += 50;
        assert_eq!(count(&log), appended);
        assert!(block_on(store.get(&[contract_key(written - 1)])).unwrap()[0].is_some());
    }
}

fn contract_key(n: u64) -> Key {
    let part = Part { table: TableId(1), p: Partition(0), shard: 0, month: 0 };
    Key { part, cols: Cols(vec![Col::Int(n.cast_signed())]) }
}
