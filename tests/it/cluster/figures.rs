//! What is written is what the log says, however many share the work.

use tributary::clock::Clock;
use tributary::run::{Options, Program};

use super::place::{Place, append, caught_up, records};
use crate::worker::dump::{assert_same, dump};
use crate::worker::programme::spec;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_write_what_one_alone_writes_and_one_takes_over_from_the_other() {
    let Some(place) = Place::new().await else { return };
    let dirs = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let all = records(&spec(6, 200, 6_000, 11), 4);
    let (before, after) = all.split_at(4_000);

    let mut alone = Program::open(Options::new(dirs[2].path()), Clock::system()).await.unwrap();
    alone.start().unwrap();
    append(&alone, &all).await;
    alone.caught_up().await.unwrap();

    let (mut one, mut other) = (place.process(&dirs[0]).await, place.process(&dirs[1]).await);
    one.start().unwrap();
    other.start().unwrap();
    let ends = append(&one, before).await;
    caught_up(&one, &ends).await;
    one.stop().await.unwrap();
    let ends = append(&other, after).await;
    caught_up(&other, &ends).await;

    assert_same(&dump(&other).await, &dump(&alone).await, "two processes and one");
    let mut differences = Vec::new();
    let summary = other.verify(|difference| differences.push(difference), |_, _| {}).await.unwrap();
    assert_eq!((differences, summary.events), (vec![], 6_000));
    other.stop().await.unwrap();
    alone.stop().await.unwrap();
}
