//! Comparing while rows change, and what is found when one is wrong.

use tokio::runtime::Handle;
use tributary::append::Sink;
use tributary::clock::Clock;
use tributary::ids::{Next, Partition};
use tributary::project::key::Col;
use tributary::project::rows::CreatorRow;
use tributary::project::tables::{self, Table};
use tributary::run::{Options, Program};
use tributary::store::{Row, Store};
use tributary::web::{Line, Look};
use tributary::worker::verify::Difference;

use super::programme::{records, spec};

async fn open(dir: &tempfile::TempDir) -> Program {
    let mut options = Options::new(dir.path());
    // What is appended is in the rows at once.
    (options.pace.fast, options.pace.slow) = Default::default();
    let mut engine = Program::open(options, Clock::system()).await.unwrap();
    engine.start().unwrap();
    engine
}

async fn differences(engine: &Program) -> Vec<Difference> {
    let mut found = Vec::new();
    engine.verify(|difference| found.push(difference), |_, _| {}).await.unwrap();
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_move_between_the_scan_and_the_compare_are_compared_exactly() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(&dir).await;
    let all = records(&spec(4, 60, 16_000, 11), engine.log.topic().partitions);
    let (before, meanwhile) = all.split_at(4_000);
    engine.sink.append(before.to_vec()).await.unwrap();
    engine.caught_up().await.unwrap();
    let at_first: u64 = engine.ends().iter().map(|(_, end)| end.0).sum();

    // Between any two pages of the scan and any two batches of the fold, more is appended and written.
    let (mut chunks, mut appended) = (meanwhile.chunks(300), 0);
    let mut found = Vec::new();
    let summary = engine.verify(
        |difference| found.push(difference),
        |_, _| {
            let Some(chunk) = chunks.next() else { return };
            tokio::task::block_in_place(|| {
                Handle::current().block_on(async {
                    engine.sink.append(chunk.to_vec()).await.unwrap();
                    engine.caught_up().await.unwrap();
                });
            });
            appended += 1;
        },
    );
    let summary = summary.await.unwrap();
    assert_eq!(found, []);
    assert!(appended > 20, "{appended} times something was appended while it compared");
    assert!(summary.events > at_first, "it compared rows that had moved: {summary:?}, {at_first}");
    engine.stop().await.unwrap();
}

/// The stored row of a creator, and the key.
async fn some_creator(engine: &Program) -> Row {
    for p in (0..engine.log.topic().partitions).map(Partition) {
        let rows = tributary::worker::scan::table(&engine.store, tables::CREATOR, p, 0..1).await.unwrap();
        if let Some(row) = rows.into_iter().next() {
            return row;
        }
    }
    panic!("no creator is stored");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_is_wrong_missing_or_too_many_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(&dir).await;
    engine.sink.append(records(&spec(3, 20, 1_500, 5), engine.log.topic().partitions)).await.unwrap();
    engine.caught_up().await.unwrap();
    assert_eq!(differences(&engine).await, []);

    let right = some_creator(&engine).await;
    let mut head = CreatorRow::decode(right.value.as_ref().unwrap()).unwrap();
    head.members += 1;
    let wrong = Row { value: Some(head.encode()), ..right.clone() };
    engine.store.write(vec![wrong]).await.unwrap();
    let found = differences(&engine).await;
    assert_eq!(found.iter().map(|one| one.table).collect::<Vec<_>>(), ["creator"]);
    assert!(found[0].what.contains("is not what the log says"), "{found:?}");

    // A tombstone wins over the row of its own position.
    let missing = Row { value: None, ..right.clone() };
    engine.store.write(vec![missing]).await.unwrap();
    let found = differences(&engine).await;
    assert!(found.iter().any(|one| one.table == "creator" && one.what.starts_with("missing")), "{found:?}");

    let nobody = tables::creator(right.key.part.p, "nobody");
    let row = Row { key: nobody, at: Next(1), value: right.value.clone(), expires: None };
    engine.store.write(vec![row]).await.unwrap();
    let found = differences(&engine).await;
    assert!(found.iter().any(|one| one.key.contains("nobody")), "{found:?}");
    engine.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_looks_at_a_time_until_it_is_done_or_its_reader_has_gone() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(&dir).await;
    engine.sink.append(records(&spec(8, 20, 3_000, 5), engine.log.topic().partitions)).await.unwrap();
    engine.caught_up().await.unwrap();
    let looks = engine.looks();
    let again = || async {
        loop {
            match looks(Look::Stats) {
                Some(lines) => return lines,
                None => tokio::task::yield_now().await,
            }
        }
    };

    // Nobody reads: its lines wait, and so does the last one.
    let unread = looks(Look::Verify).unwrap();
    assert!(looks(Look::Verify).is_none() && looks(Look::Stats).is_none());
    drop(unread);
    let mut lines = again().await;
    let mut last = None;
    while let Some(line) = lines.recv().await {
        last = Some(line);
    }
    assert!(matches!(last, Some(Line::Counted { .. })), "{last:?}");

    // Stopping does not wait for a reader.
    let unread = again().await;
    let ended = tokio::time::timeout(std::time::Duration::from_secs(20), engine.stop()).await;
    ended.expect("it waits for the reader").unwrap();
    assert!(looks(Look::Stats).is_none(), "nobody looks at what is closed");
    drop(unread);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_comparison_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(&dir).await;
    engine.sink.append(records(&spec(3, 20, 1_500, 5), engine.log.topic().partitions)).await.unwrap();
    engine.caught_up().await.unwrap();
    differences(&engine).await;
    drop((engine.looks())(Look::Verify));
    engine.stop().await.unwrap();
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with("verify")), "{left:?}");
}

/// Stored rows of a table, of all partitions.
async fn rows_of(engine: &Program, table: Table) -> Vec<Row> {
    let mut rows = Vec::new();
    for p in (0..engine.log.topic().partitions).map(Partition) {
        rows.extend(tributary::worker::scan::table(&engine.store, table, p, 0..1).await.unwrap());
    }
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boards_of_a_large_programme_are_compared_with_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(&dir).await;
    for chunk in records(&spec(1, 1_500, 9_000, 17), engine.log.topic().partitions).chunks(500) {
        engine.sink.append(chunk.to_vec()).await.unwrap();
        engine.caught_up().await.unwrap();
    }
    let before = rows_of(&engine, tables::RANK).await.len();
    assert_eq!(differences(&engine).await, []);
    let purged = engine.purge().await.unwrap();
    let ranks = rows_of(&engine, tables::RANK).await;
    // Pages of clicks expire too.
    let gone = before - ranks.len();
    assert!(
        gone > 100 && gone <= usize::try_from(purged).unwrap(),
        "boards of days and weeks that nobody asks for any more: {gone} of {purged}"
    );
    assert_eq!(differences(&engine).await, []);

    // Of all time: it is one of those that still change.
    let is_of_all_time = |row: &&Row| row.key.cols.0[2] == Col::Int(0) && row.key.cols.0[1] != Col::Int(0);
    let at = |row: &Row| Next(row.at.0 + 1);
    for low in [-2, 0] {
        let row = ranks.iter().find(|row| is_of_all_time(row) && row.key.cols.0[4] == Col::Int(low)).unwrap();
        engine.store.write(vec![Row { value: None, at: at(row), ..row.clone() }]).await.unwrap();
    }
    let found = differences(&engine).await;
    let missing: Vec<&str> = found.iter().filter(|one| one.what.starts_with("missing")).map(|one| one.table).collect();
    assert_eq!(missing, ["rank", "rank"], "{found:?}");
    engine.stop().await.unwrap();
}
