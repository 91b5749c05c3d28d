//! What is written is what the log says.

use tributary::clock::Clock;
use tributary::run::{Options, Program};

use super::programme::{fill, spec};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_is_what_the_log_says() {
    let dir = tempfile::tempdir().unwrap();
    let mut engine = Program::open(Options::new(dir.path()), Clock::system()).await.unwrap();
    engine.start().unwrap();
    fill(&engine, &spec(5, 300, 20_000, 7)).await;
    engine.caught_up().await.unwrap();

    let mut differences = Vec::new();
    let summary = engine.verify(|difference| differences.push(difference), |_, _| {}).await.unwrap();
    assert_eq!(differences, []);
    assert!(summary.rows > 1_000, "{summary:?}");
    for (p, progress) in engine.progress.iter() {
        let sum = [&progress.applied, &progress.duplicate, &progress.parked, &progress.dead]
            .map(|figure| figure.load(std::sync::atomic::Ordering::Relaxed));
        let read = progress.read.load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!(sum.iter().sum::<i64>(), read, "{p:?}: {sum:?}");
        assert_eq!(u64::try_from(read).unwrap(), progress.position.load(std::sync::atomic::Ordering::Relaxed));
    }
    engine.stop().await.unwrap();
}
