//! State that another worker of the same process has not let go of yet.

use std::time::Duration;

use tributary::append::Sink;
use tributary::clock::Clock;
use tributary::fold::FINGERPRINT;
use tributary::fold::state::State;
use tributary::ids::Partition;
use tributary::keep::{self, Identity};
use tributary::run::{Options, Program};

use super::programme::{records, spec};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_that_is_held_by_another_is_tried_again_until_it_is_free() {
    let dir = tempfile::tempdir().unwrap();
    let mut program = Program::open(Options::new(dir.path()), Clock::system()).await.unwrap();
    program.sink.append(records(&spec(6, 60, 400, 5), 4)).await.unwrap();
    let (topic, partition) = (program.log.topic().id, Partition(0));
    let identity = Identity { topic, partition, generation: 1, fingerprint: FINGERPRINT };
    let mut state = State::default();
    let held = keep::Store::open(&dir.path().join("state/p0"), identity, keep::Limits::default(), &mut state).unwrap();
    program.start().unwrap();
    let clock = Clock::system();
    while !program.progress.is_struggling() {
        assert!(program.progress.halted().is_none() && clock.monotonic() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(held);
    program.caught_up().await.unwrap();
    program.stop().await.unwrap();
}
