//! What the fold decides stands in its topic, once, beside what it was decided by.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use tributary::append::{Outgoing, Sink};
use tributary::clock::Clock;
use tributary::consume::{Batch, Limits, Stream};
use tributary::decode::{Scratch, from_json};
use tributary::ids::{Next, Partition};
use tributary::run::{Options, Program};

use super::programme::{records, spec};
use crate::schemas::decision::{read, without_time};

/// Decisions of a partition in their order: key and value.
pub(super) type Decided = Vec<(Vec<u8>, Vec<u8>)>;

/// Folds the records, stopping and starting again behind each part of them.
async fn decided(dir: &Path, parts: &[&[Outgoing]]) -> Vec<Decided> {
    for part in parts {
        let mut program = Program::open(Options::new(dir), Clock::system()).await.unwrap();
        program.sink.append(part.to_vec()).await.unwrap();
        program.start().unwrap();
        program.caught_up().await.unwrap();
        program.stop().await.unwrap();
    }
    let program = Program::open(Options::new(dir), Clock::system()).await.unwrap();
    let all = all_of(&program);
    program.stop().await.unwrap();
    all
}

/// All that is decided of some events of one creator, as JSON.
pub(crate) async fn decided_of(events: &[Value]) -> Vec<Value> {
    let outgoing = |event: &Value| {
        let (json, mut scratch) = (event.to_string(), Scratch::default());
        let event = from_json(json.as_bytes(), &mut scratch).unwrap();
        Outgoing::of_event(&event, event.occurred_at, 4)
    };
    let records: Vec<Outgoing> = events.iter().map(outgoing).collect();
    let dir = tempfile::tempdir().unwrap();
    decided(dir.path(), &[&records]).await.iter().flatten().map(|(_, value)| read(value)).collect()
}

/// Of each partition.
pub(super) fn all_of(program: &Program) -> Vec<Decided> {
    (0..program.log.topic().partitions).map(|p| of_partition(program, Partition(p))).collect()
}

pub(super) fn of_partition(program: &Program, partition: Partition) -> Decided {
    let (mut found, mut next, mut batch) = (Decided::new(), Next(0), Batch::default());
    loop {
        batch.clear();
        let file = program.log.file().unwrap();
        file.read(Stream::Decisions, partition, next, &Limits::default(), &mut batch).unwrap();
        let Some(last) = batch.iter().last() else { return found };
        next = last.offset.next();
        found.extend(batch.iter().map(|record| (record.key.to_vec(), record.value.to_vec())));
    }
}

pub(super) fn timeless(all: &[Decided]) -> Vec<Vec<(&[u8], &[u8])>> {
    all.iter().map(|p| p.iter().map(|(key, value)| (&key[..], without_time(value))).collect()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_decision_leaves_once_and_is_the_same_however_often_it_is_interrupted() {
    let records = records(&spec(4, 80, 3_000, 9), 4);
    let (whole, cut) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let whole = decided(whole.path(), &[&records]).await;
    let (a, rest) = records.split_at(500);
    let (b, c) = rest.split_at(1_200);
    let cut = decided(cut.path(), &[a, b, c]).await;
    assert_eq!(timeless(&cut), timeless(&whole));
    let mut kinds = BTreeSet::new();
    for (partition, decisions) in whole.iter().enumerate() {
        kinds.extend(check(partition as u64, decisions));
    }
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["click", "commission", "conversion"]);
}

/// Of one partition: each once, each revision behind the one before. What they are about.
fn check(partition: u64, decisions: &Decided) -> BTreeSet<String> {
    let (mut ids, mut revisions) = (BTreeSet::new(), BTreeMap::new());
    for (key, value) in decisions {
        let decision = read(value);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        assert_eq!(text(&decision["creator_id"]).as_bytes(), key);
        assert_eq!(decision["trigger"]["partition"], partition);
        assert!(ids.insert(text(&decision["decision_id"])), "twice: {decision}");
        let subject = &decision["subject"];
        let before = revisions.insert(
            (key.clone(), text(&subject["type"]), text(&subject["id"])),
            decision["revision"].as_u64().unwrap(),
        );
        assert_eq!(decision["revision"], before.unwrap_or(0) + 1, "{decision}");
        assert_eq!(decision["previous"].is_null(), before.is_none(), "{decision}");
        let applied: i64 = decision["reasons"]
            .as_array()
            .unwrap()
            .iter()
            .map(|reason| reason["points_applied"].as_i64().unwrap())
            .sum();
        assert_eq!(decision["raw_score"], applied, "{decision}");
    }
    revisions.into_keys().map(|(_, kind, _)| kind).collect()
}
