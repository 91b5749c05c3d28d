//! The end: what is in the log is folded once more, alone and undisturbed, and all is compared with that.

use std::collections::BTreeSet;
use std::time::Duration;

use tributary::append::Sink;
use tributary::clock::Clock;
use tributary::consume::{Batch, Limits, Stream};
use tributary::decode::{Decoder, Place};
use tributary::ids::{Next, Partition};
use tributary::run::{Options, Program};

use super::creators;
use super::topics::{self, Found};
use super::world::World;
use crate::schemas::decision::without_time;
use crate::worker::dump::{assert_same, dump};

/// Rows may be behind for so long after the last fault, on slow cores.
const CATCH_UP_MAX: Duration = Duration::from_secs(600);
/// Of the whole log, folded alone.
const ALONE_MAX: Duration = Duration::from_secs(600);

/// What was compared.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) events: usize,
    pub(super) letters: usize,
    pub(super) rows: usize,
    /// Rows of them that the model of `tests/it/model` made too.
    pub(super) modelled: usize,
    /// Of `verify`, on the cluster.
    pub(super) differences: usize,
    pub(super) catch_up: Duration,
}

/// Faults and input have ended.
pub(super) async fn check(world: &World, observer: &Program) -> Findings {
    let begun = world.story.now();
    let ends = Box::pin(come_to_rest(world, observer)).await;
    let catch_up = world.story.now() - begun;
    world.story.tell(format!(
        "caught up at {:?}; all workers have ended in order",
        ends.iter().map(|end| end.0).collect::<Vec<_>>()
    ));

    let events = topics::read(&world.kafka, Stream::Events, observer.log.topic().partitions);
    check_offsets(&events, &ends);
    let dir = world.dir.join("alone");
    let mut options = Options::new(&dir);
    options.partitions = observer.log.topic().partitions;
    let mut alone = Program::open(options, Clock::system()).await.unwrap();
    for records in events.iter().flat_map(|partition| partition.chunks(4_096)) {
        alone.sink.append(records.iter().map(|found| found.record.clone()).collect()).await.unwrap();
    }
    alone.start().unwrap();
    tokio::time::timeout(ALONE_MAX, Box::pin(alone.caught_up())).await.expect("folded alone").unwrap();

    let letters = check_outputs(world, &alone);
    let (here, there) = (Box::pin(dump(observer)).await, Box::pin(dump(&alone)).await);
    assert_same(&here, &there, "rows of the cluster and of one that folds alone");
    world.story.tell(format!("{} rows and {letters} dead letters are as of one that folds alone", here.len()));
    let modelled = Box::pin(creators::check(&alone, &events)).await;
    let mut found = Vec::new();
    let summary = Box::pin(observer.verify(|difference| found.push(difference), |_, _| {})).await.unwrap();
    let count = events.iter().map(Vec::len).sum();
    assert_eq!(found, [], "verify on the cluster");
    assert_eq!((summary.events, summary.rows), (count as u64, here.len() as u64), "verify saw all of it");
    alone.stop().await.unwrap();
    Findings { events: count, letters, rows: here.len(), modelled, differences: found.len(), catch_up }
}

/// Caught up, and nobody there who might append: owners append Ticks for creators that are quiet.
async fn come_to_rest(world: &World, observer: &Program) -> Vec<Next> {
    let until = world.story.now() + CATCH_UP_MAX;
    loop {
        let ends = world.caught_up(observer, until.saturating_sub(world.story.now())).await;
        for n in 0..world.workers.len() {
            assert!(world.worker(n).stop(), "worker {n} did not end in time");
        }
        if world.is_caught_up(observer).await.as_ref() == Some(&ends) {
            return ends;
        }
        (0..world.workers.len()).for_each(|n| world.worker(n).start());
    }
}

/// An offset that is missing would be a record that is missing: nothing but events is in their topic.
fn check_offsets(events: &[Vec<Found>], ends: &[Next]) {
    for (partition, (found, end)) in events.iter().zip(ends).enumerate() {
        let gap = (0..).zip(found).find(|(n, found)| found.offset != *n);
        assert!(gap.is_none(), "a gap in partition {partition} at {}", gap.unwrap().0);
        assert_eq!(found.len() as u64, end.0, "partition {partition} ends where its rows do");
    }
}

/// Each output once, in the order of those who caused them. Returns how many dead letters there are.
fn check_outputs(world: &World, alone: &Program) -> usize {
    let partitions = alone.log.topic().partitions;
    let (mut letters, decoder) = (0, Decoder::new());
    for stream in [Stream::DeadLetters, Stream::Decisions] {
        for (p, found) in topics::read(&world.kafka, stream, partitions).iter().enumerate() {
            let name = format!("{}[{p}]", stream.name());
            let expected = written(alone, stream, Partition(u32::try_from(p).unwrap()));
            if stream == Stream::DeadLetters {
                letters += found.len();
                check_once(&decoder, found, &name);
            }
            let same = |(found, expected): (&Found, &(Vec<u8>, Vec<u8>))| {
                found.record.key[..] == expected.0[..] && without_time(&found.record.value) == without_time(&expected.1)
            };
            let first = found.iter().zip(&expected).position(|pair| !same(pair));
            assert_eq!((first, found.len()), (None, expected.len()), "{name}: the first other one, and how many");
        }
    }
    letters
}

/// By the place of the record that each is about.
fn check_once(decoder: &Decoder, letters: &[Found], name: &str) {
    let mut seen = BTreeSet::new();
    for found in letters {
        let at = Place { topic: name, partition: found.record.partition, offset: tributary::ids::Offset(found.offset) };
        let letter = decoder.dead_letter(&found.record.value, at).unwrap();
        assert!(seen.insert((letter.partition, letter.offset)), "{name}: a second letter about {}", letter.offset.0);
    }
}

/// Key and value of each record that the one alone put out.
fn written(alone: &Program, stream: Stream, partition: Partition) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (mut records, mut next, mut batch) = (Vec::new(), Next(0), Batch::default());
    loop {
        batch.clear();
        alone.log.file().unwrap().read(stream, partition, next, &Limits::default(), &mut batch).unwrap();
        let Some(last) = batch.iter().last() else { return records };
        next = last.offset.next();
        records.extend(batch.iter().map(|record| (record.key.to_vec(), record.value.to_vec())));
    }
}
