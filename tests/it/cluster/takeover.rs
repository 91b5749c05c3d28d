//! Who takes a partition over without its state begins from the snapshot that the former owner left.

use tributary::clock::Clock;
use tributary::run::{Options, Program};

use super::admin::delete_records;
use super::place::{Place, append, caught_up, records};
use crate::worker::dump::{assert_same, dump};
use crate::worker::programme::spec;
use crate::worker::snapshots::{begun, copied, into, made};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_with_an_empty_disk_goes_on_from_a_snapshot_even_if_the_log_does_not_reach_back() {
    let Some(place) = Place::new().await else { return };
    let dirs = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let store = tempfile::tempdir().unwrap();
    let all = records(&spec(6, 200, 6_000, 12), 4);
    let (before, after) = all.split_at(4_000);

    let mut alone = Program::open(Options::new(dirs[2].path()), Clock::system()).await.unwrap();
    alone.start().unwrap();
    append(&alone, &all).await;
    alone.caught_up().await.unwrap();

    let process = async |dir| place.process_with(dir, |options| options.snapshots = into(store.path())).await.unwrap();
    let mut one = process(&dirs[0]).await;
    one.start().unwrap();
    let ends = append(&one, before).await;
    caught_up(&one, &ends).await;
    let at: Vec<_> = ends.iter().map(|(partition, end)| (*partition, *end)).collect();
    copied(&one, store.path(), &at).await;
    one.stop().await.unwrap();
    // What was folded cannot be folded once more.
    for (partition, end) in &at {
        delete_records(&place, *partition, *end).await;
    }

    let mut other = process(&dirs[1]).await;
    other.start().unwrap();
    let more = append(&other, after).await;
    caught_up(&other, &more).await;
    let begun = begun(&other);
    for (partition, end) in &at {
        let begun = begun[partition.0 as usize];
        assert!(begun >= *end && made(store.path(), *partition).contains(&begun), "{partition:?} began at {begun:?}");
    }
    assert_same(&dump(&other).await, &dump(&alone).await, "after a take-over and by one alone");
    other.stop().await.unwrap();
    alone.stop().await.unwrap();
}
