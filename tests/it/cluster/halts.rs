//! What must not be guessed halts, and the message names both sides and how to go on.

use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tempfile::TempDir;
use tributary::clock::Clock;
use tributary::ids::{Next, Partition};
use tributary::run::{Place as Standing, Program};
use tributary::store::origin::accept;
use tributary::telemetry::with_causes;

use super::admin;
use super::place::{PATIENCE, Place, append, caught_up, places, records};
use crate::worker::programme::spec;

/// A place where some events were folded; the process has ended.
async fn folded() -> Option<(Place, TempDir, Vec<Standing>)> {
    let place = Place::new().await?;
    let dir = tempfile::tempdir().unwrap();
    let mut process = place.process(&dir).await;
    process.start().unwrap();
    let ends = append(&process, &records(&spec(6, 60, 800, 5), 4)).await;
    caught_up(&process, &ends).await;
    // Whatever it is asked for the first time, a broker may refuse: then what is not out is replayed.
    let clock = Clock::system();
    let is_committed =
        |(p, end): (&Partition, &Next)| process.progress.of(*p).is_some_and(|one| one.committed.load(Relaxed) >= end.0);
    while !ends.iter().all(is_committed) {
        assert!(clock.monotonic() < PATIENCE, "not committed");
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
    let Some(place) = Place::new().await else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut process = place.process(&dir).await;
    process.start().unwrap();
    let ends = append(&process, &records(&spec(6, 60, 300, 5), 4)).await;
    caught_up(&process, &ends).await;
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
async fn state_of_another_generation_or_log_is_refused_with_both() {
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
