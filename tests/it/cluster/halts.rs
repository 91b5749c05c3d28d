//! What must not be guessed halts, and the message names both sides and how to go on.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tempfile::TempDir;
use tributary::clock::Clock;
use tributary::ids::{Next, Partition};
use tributary::run::{Place as Standing, Program};
use tributary::store::origin::accept;
use tributary::telemetry::with_causes;
use tributary::web::{Ask, Role, State, Status};

use super::admin;
use super::generations::{ask, one, until};
use super::place::{PATIENCE, Place, append, caught_up, places, records};
use crate::worker::programme::spec;
use crate::worker::rebuild::of_another_fold;

/// A place where some events were folded, by a process that goes on; and where the log ends.
async fn folding(events: u64) -> Option<(Place, TempDir, Program, BTreeMap<Partition, Next>)> {
    let place = Place::new().await?;
    let dir = tempfile::tempdir().unwrap();
    let mut process = place.process(&dir).await;
    process.start().unwrap();
    let ends = append(&process, &records(&spec(6, 60, events, 5), 4)).await;
    caught_up(&process, &ends).await;
    Some((place, dir, process, ends))
}

/// The process has ended.
async fn folded() -> Option<(Place, TempDir, Vec<Standing>)> {
    let (place, dir, process, ends) = folding(800).await?;
    // Whatever it is asked for the first time, a broker may refuse: then what is not out is replayed.
    let clock = Clock::system();
    let is_committed =
        |(p, end): (&Partition, &Next)| process.progress.of(*p).is_some_and(|one| one.committed.load(Relaxed) >= end.0);
    while !ends.iter().all(is_committed) {
        assert!(clock.monotonic() < PATIENCE, "not committed: {:?} of {ends:?}", process.progress);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let standings = places(&process).await;
    process.stop().await.unwrap();
    Some((place, dir, standings))
}

async fn halted(process: &Program) -> String {
    let clock = Clock::system();
    loop {
        if let Some(why) = process.progress.halted() {
            return why;
        }
        assert!(clock.monotonic() < PATIENCE, "it goes on");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn assert_names(why: &str, parts: &[&str]) {
    for part in parts {
        assert!(why.contains(part), "no {part:?} in: {why}");
    }
}

/// The partition with the most events.
fn fullest(standings: &[Standing]) -> Standing {
    standings.iter().max_by_key(|standing| standing.end).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_was_deleted_and_made_again_is_another() {
    let Some((place, dir, _)) = folded().await else { return };
    admin::delete_events(&place).await;
    let made = async || place.set_up().await;
    made().await;
    let refused = place.try_process(&dir).await.err().expect("another topic");
    let why = with_causes(&refused);
    assert_names(&why, &["another topic now", "had the id", "and has", "`tributary setup`"]);
    let ids: Vec<&str> = why.split_whitespace().filter(|word| word.trim_matches(';').len() == 32).collect();
    assert!(ids.len() == 2 && ids[0] != ids[1], "both ids: {why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_is_made_again_under_a_running_worker_halts_it() {
    let Some((place, _dir, process, _)) = folding(300).await else { return };
    admin::delete_events(&place).await;
    place.set_up().await;
    assert_names(&halted(&process).await, &["another topic now", "had the id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_number_of_partitions_is_refused() {
    let Some((place, dir, _)) = folded().await else { return };
    admin::grow_events(&place, 6).await;
    let refused = place.try_process(&dir).await.err().expect("more partitions");
    assert_names(&with_causes(&refused), &["has 6 partitions and had 4", "`tributary setup`"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_that_are_added_under_a_running_worker_halt_it() {
    let Some((place, _dir, process, _)) = folding(300).await else { return };
    admin::grow_events(&place, 6).await;
    assert_names(&halted(&process).await, &["has 6 partitions and had 4", "Restore it with 4", "`tributary setup`"]);
    drop(process.stop().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_that_are_missing_or_differ_are_refused_at_the_start_and_left_as_they_are() {
    let Some(place) = Place::new().await else { return };
    let dir = tempfile::tempdir().unwrap();
    let refused = async || {
        let refused = place.try_process(&dir).await.err().expect("tables that are not as they should be");
        with_causes(&refused)
    };
    admin::cql(&place, "DROP TABLE KS.member_g1").await;
    for _ in 0..2 {
        assert_names(&refused().await, &["there is no table member_g1", "`tributary setup`", &place.cql.keyspace]);
    }
    place.set_up().await;
    place.process(&dir).await.stop().await.unwrap();

    admin::cql(&place, "ALTER TYPE KS.name_row_g1 RENAME made_at TO made").await;
    let both =
        "name_row_g1 has the fields (at bigint, n bigint, made bigint), not (at bigint, n bigint, made_at bigint)";
    assert_names(&refused().await, &[both, "mend or drop"]);
    let report = place.set_up().await;
    assert!(report.has_drift() && report.tables.iter().any(|one| one.contains(both)), "{report:?}");
    admin::cql(&place, "ALTER TYPE KS.name_row_g1 RENAME made TO made_at").await;

    // How copies are kept an operator may change while all goes on.
    let copies = "{'class': 'SimpleStrategy', 'replication_factor': 1}";
    admin::cql(&place, &format!("ALTER KEYSPACE KS WITH replication = {copies}")).await;
    place.process(&dir).await.stop().await.unwrap();

    admin::cql(&place, "DROP KEYSPACE KS").await;
    assert_names(&refused().await, &["there is no keyspace", "`tributary setup`"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_begins_behind_the_position_halts_until_the_gap_is_accepted() {
    let Some((place, dir, standings)) = folded().await else { return };
    let Standing { partition, end, .. } = fullest(&standings);
    // More comes while nobody folds, and is gone before somebody does.
    let idle = place.process(&dir).await;
    let more: Vec<_> = records(&spec(6, 60, 1_600, 5), 4).split_off(800);
    let ends = append(&idle, &more).await;
    let gone = Next(end.0 + 5);
    admin::delete_records(&place, partition, gone).await;
    idle.stop().await.unwrap();

    let mut process = place.process(&dir).await;
    process.start().unwrap();
    let (number, from, to) = (partition.0, end.0, gone.0);
    let command = format!("`tributary accept-gap --partition {number} --to {to}`");
    assert_names(&halted(&process).await, &[&format!("has no offset {from}"), &format!("holds {to} to"), &command]);
    drop(process.stop().await);

    let mut process = place.process(&dir).await;
    accept(&process.store, partition, gone).await.unwrap();
    process.start().unwrap();
    caught_up(&process, &ends).await;
    process.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offsets_that_the_group_lost_halt_until_they_are_accepted() {
    let Some((place, dir, standings)) = folded().await else { return };
    admin::delete_group(&place).await;
    let mut process = place.process(&dir).await;
    process.start().unwrap();
    let why = halted(&process).await;
    assert_names(&why, &["has applied", "committed only 0", "`tributary accept-gap --partition"]);
    drop(process.stop().await);

    let mut process = place.process(&dir).await;
    for standing in &standings {
        accept(&process.store, standing.partition, standing.end).await.unwrap();
    }
    process.start().unwrap();
    let ends = append(&process, &records(&spec(6, 60, 900, 5), 4)[800..]).await;
    caught_up(&process, &ends).await;
    process.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_of_another_log_or_partition_is_refused_with_both() {
    let Some((place, dir, standings)) = folded().await else { return };
    let Standing { partition: Partition(p), .. } = fullest(&standings);
    let other = Place::new().await.unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    copy(&dir.path().join("state"), &elsewhere.path().join("state"));
    let mut process = other.process(&elsewhere).await;
    process.start().unwrap();
    let why = halted(&process).await;
    assert_names(&why, &["belongs to topic", "of this log to topic", "remove the folder"]);
    drop(process.stop().await);

    let lost = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(lost.path().join("state")).unwrap();
    let wrong = lost.path().join(format!("state/p{}", (p + 1) % 4));
    copy(&dir.path().join(format!("state/p{p}")), &wrong);
    let mut process = place.process(&lost).await;
    process.start().unwrap();
    assert_names(&halted(&process).await, &[&format!("belongs to partition {p}"), "remove the folder"]);
    drop(process.stop().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_of_another_generation_is_refused_with_both_and_replayed_once_it_is_removed() {
    let Some((place, dir, _)) = folded().await else { return };
    let next = dir.path().join("state/g2");
    for p in 0..4 {
        copy(&dir.path().join(format!("state/p{p}")), &next.join(format!("p{p}")));
    }
    let mut process = place.process(&dir).await;
    process.start().unwrap();
    // Who is asked for a generation clears the place for its state; so another one is asked.
    let elsewhere = tempfile::tempdir().unwrap();
    let asked = place.process(&elsewhere).await;
    asked.watch();
    let made = ask(&asked, Ask::Rebuild { rate: Some(0) }).await;
    assert_eq!(one(&made, Role::Building).unwrap().generation, 2);
    let is = |state: State| move |status: &Status| one(status, Role::Building).is_some_and(|one| one.state == state);
    let status = until(&process, "refused", is(State::Halted)).await;
    let why = one(&status, Role::Building).unwrap().why.clone().unwrap();
    assert_names(&why, &["belongs to generation 1", "of this log to generation 2", "remove the folder"]);
    assert_eq!(process.progress.halted(), None, "the live one goes on");
    process.stop().await.unwrap();

    std::fs::remove_dir_all(&next).unwrap();
    let mut process = place.process(&dir).await;
    process.start().unwrap();
    let status = until(&process, "made and compared", is(State::Ready)).await;
    assert_eq!(one(&status, Role::Building).unwrap().differences, Some(0), "{status:?}");
    process.stop().await.unwrap();
    asked.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_of_another_version_of_the_fold_halts_its_generation() {
    let Some((place, dir, standings)) = folded().await else { return };
    let Standing { partition, end, .. } = fullest(&standings);
    let idle = place.process(&dir).await;
    let topic = idle.log.topic().id;
    idle.stop().await.unwrap();
    of_another_fold(dir.path(), topic, &[(partition, end)]);
    let mut process = place.process(&dir).await;
    process.start().unwrap();
    let theirs =
        format!("partition {}: the state of generation 1 was made by another version of the fold", partition.0);
    let parts =
        [&theirs, "this one cannot go on with", "`tributary projections rebuild`", "`tributary projections switch`"];
    assert_names(&halted(&process).await, &parts);
    process.stop().await.unwrap();
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let (there, here) = (to.join(entry.file_name()), entry.path());
        if here.is_dir() {
            copy(&here, &there);
        } else {
            std::fs::copy(here, there).unwrap();
        }
    }
}
