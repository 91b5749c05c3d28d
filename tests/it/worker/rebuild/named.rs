//! What the alias names is not dropped, whatever is asked for.

use tributary::store::alias::Alias;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_generation_that_is_live_is_not_dropped_as_the_former_one() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path()).await;
    let partitions = engine.log.topic().partitions;
    engine.sink.append(records(&spec(3, 20, 2_000, 5), partitions)).await.unwrap();
    engine.caught_up().await.unwrap();
    // No request makes such a row.
    let twice = |alias: &mut Alias| alias.former = Some(alias.live);
    Alias::change(&engine.store, |_| true, twice).await.unwrap();

    let why = refused(&engine, Ask::Drop).await;
    assert!(why.contains("generation 1 is not dropped, it is in use: live 1;"), "{why}");
    assert_eq!(engine.store.generations().await.unwrap(), [1]);
    assert!(dir.path().join("state").join("p0").exists());
    assert!(!rows(&engine.store, partitions).await.is_empty());
    assert_eq!(differences_from_the_log(&engine).await, 0);

    let why = refused(&engine, Ask::Drop).await;
    assert!(why.contains("there is no former generation"), "the row names it once now: {why}");
    engine.stop().await.unwrap();
}
