//! What comes in by other ways gives the same figures.

use std::sync::atomic::Ordering::Relaxed;

use bytes::{BufMut, Bytes, BytesMut};
use tributary::append::{Outgoing, Sink};
use tributary::clock::Clock;
use tributary::ids::Partition;
use tributary::run::{Options, Program};

use super::place::{PATIENCE, Place, append, caught_up, places, records};
use crate::services;
use crate::worker::programme::spec;

/// Rows of the creators and members, without where in the log they changed.
pub async fn figures(program: &Program) -> Vec<String> {
    let rows = crate::worker::dump::dump(program).await;
    let of = |(key, (_, value)): (&String, &(u64, Bytes))| format!("{key} {:?}", &value[12..]);
    rows.iter().filter(|(key, _)| key.starts_with("creator ") || key.starts_with("name ")).map(of).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_of_a_wrong_key_or_partition_are_folded_where_they_belong_and_counted() {
    let Some(place) = Place::new().await else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut process = place.process(&dir).await;
    process.start().unwrap();
    let mut all = records(&spec(6, 60, 400, 5), 4);
    for (n, record) in all.iter_mut().enumerate() {
        match n % 10 {
            3 => record.key = Bytes::from_static(b"somebody-else"),
            7 => record.partition = Partition((record.partition.0 + 1) % 4),
            _ => {}
        }
    }
    append(&process, &all).await;
    let misrouted = || process.progress.iter().map(|(_, p)| p.misrouted.load(Relaxed)).sum::<i64>();
    let read = || process.progress.iter().map(|(_, p)| p.read.load(Relaxed)).sum::<i64>();
    while read() < 480 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        assert_eq!(process.progress.halted(), None);
    }
    assert_eq!((misrouted(), read()), (80, 480), "each is read where it was, and once more where it belongs");
    let balance = process.progress.iter().all(|(_, p)| {
        let sum = [&p.applied, &p.duplicate, &p.parked, &p.dead, &p.misrouted].map(|figure| figure.load(Relaxed));
        sum.iter().sum::<i64>() == p.read.load(Relaxed)
    });
    assert!(balance, "read = applied + duplicate + parked + dead + misrouted");
    // What went out into the log was a transaction, and its mark has an offset too: nobody waits for that.
    let clock = Clock::system();
    let places = loop {
        let places = places(&process).await;
        if places.iter().all(|place| place.fast == place.end && place.emitted == place.end) {
            break places;
        }
        assert!(clock.monotonic() < PATIENCE, "{places:?}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert!(places.iter().map(|place| place.end.0).sum::<u64>() > 480, "{places:?}");
    let mut differences = Vec::new();
    process.verify(|difference| differences.push(difference), |_, _| {}).await.unwrap();
    assert_eq!(differences, []);
    process.stop().await.unwrap();
}

/// What a producer writes that has its schema from a registry.
fn framed(record: &Outgoing, id: u32) -> Outgoing {
    // The single-object head is the mark and the fingerprint.
    let mut value = BytesMut::with_capacity(record.value.len());
    value.put_u8(0);
    value.put_u32(id);
    value.extend_from_slice(&record.value[10..]);
    Outgoing { value: value.freeze(), ..record.clone() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_with_schemas_from_a_registry_give_the_same_figures() {
    let (Some(place), Some(url)) = (Place::new().await, services::registry()) else { return };
    let dirs = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let all = records(&spec(6, 60, 400, 5), 4);
    let mut ids = std::collections::HashMap::new();
    for schema in tributary::schema::current() {
        ids.insert(schema.fingerprint, services::register(&url, &services::unique("subject"), schema.json).await);
    }
    let framed = |record: &Outgoing| {
        let print = u64::from_le_bytes(record.value[2..10].try_into().unwrap());
        framed(record, ids[&print])
    };
    let mut alone = Program::open(Options::new(dirs[0].path()), Clock::system()).await.unwrap();
    alone.start().unwrap();
    alone.sink.append(all.clone()).await.unwrap();
    alone.caught_up().await.unwrap();

    let registry = tributary::consume::registry::Registry::new(&url, None).unwrap();
    let process = place.process_with(&dirs[1], |options| options.registry = Some(registry)).await;
    let mut process = process.unwrap();
    process.start().unwrap();
    let ends = append(&process, &all.iter().map(framed).collect::<Vec<_>>()).await;
    caught_up(&process, &ends).await;
    assert_eq!(figures(&process).await, figures(&alone).await);
    let mut differences = Vec::new();
    process.verify(|difference| differences.push(difference), |_, _| {}).await.unwrap();
    assert_eq!(differences, []);
    process.stop().await.unwrap();
    alone.stop().await.unwrap();
}
