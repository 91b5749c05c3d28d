//! A full disk refuses appends by name, keeps what was acknowledged readable, and is over when there is room again.

use tributary::append::embedded::EmbeddedSink;
use tributary::append::{Error, Sink, Stream};
use tributary::consume::embedded::Log;
use tributary::consume::{Batch, Limits};
use tributary::disk;
use tributary::ids::{Next, Partition};

use super::contract::{PARTITIONS, block_on, event};

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
