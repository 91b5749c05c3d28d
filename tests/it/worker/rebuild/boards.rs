//! Boards of a programme with more than 1,024 members: their counts are stamped by flushes, which the generations make
//! at different places.

use tributary::ids::{Next, Partition};
use tributary::project::boards::PageRow;
use tributary::project::key::{Col, Key};
use tributary::project::tables::{self, RANK};
use tributary::store::{Doors, Row, Store};

use super::*;

/// One programme, large from early on.
fn large(events: u64) -> Vec<Outgoing> {
    records(&spec(1, 1_400, events, 17), PARTITIONS)
}

const PARTITIONS: u32 = 4;

async fn rows_of(store: &tributary::run::Rows, table: tables::Table) -> Vec<Row> {
    let mut all = Vec::new();
    for p in (0..PARTITIONS).map(Partition) {
        all.extend(scan::table(store, table, p, 0..1).await.unwrap());
    }
    all
}

/// Of all time: the board that always changes.
fn is_of_all_time(key: &Key) -> bool {
    key.cols.0.get(1) != Some(&Col::Int(0)) && key.cols.0.get(2) == Some(&Col::Int(0))
}

fn differences(made: &GenerationStatus) -> Vec<(&str, u64)> {
    let differing = made.compared.iter().filter(|one| one.differences > 0);
    differing.map(|one| (one.table.as_str(), one.differences)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boards_that_were_flushed_at_other_places_are_the_same_by_what_they_hold() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path()).await;
    assert_eq!(engine.log.topic().partitions, PARTITIONS);
    let all = large(16_000);
    let (before, meanwhile) = all.split_at(10_000);
    // Piece by piece: the live one flushes many times, the other a few times.
    for chunk in before.chunks(500) {
        engine.sink.append(chunk.to_vec()).await.unwrap();
        engine.caught_up().await.unwrap();
    }
    ask(&engine, Ask::Rebuild { rate: None }).await;
    for chunk in meanwhile.chunks(100) {
        engine.sink.append(chunk.to_vec()).await.unwrap();
    }
    let made = ready(&engine).await;
    assert_eq!((made.differences, differences(&made)), (Some(0), Vec::new()), "{made:?}");
    engine.caught_up().await.unwrap();
    until(&engine, Role::Building, |one| one.position == one.log_end).await;

    let (live, other) = (rows_of(&engine.store, RANK).await, rows_of(&engine.store.of(2), RANK).await);
    let is_stamped_otherwise =
        |row: &&Row| other.iter().any(|other| other.key == row.key && other.at != row.at && other.value != row.value);
    assert!(live.iter().filter(is_stamped_otherwise).count() > 5, "the rule has something to judge");
    ask(&engine, Ask::Switch { force: false }).await;
    assert_eq!(differences_from_the_log(&engine).await, 0);
    engine.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_count_and_a_place_that_is_missing_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path()).await;
    engine.sink.append(large(8_000)).await.unwrap();
    engine.caught_up().await.unwrap();

    let is_page =
        |row: &Row| is_of_all_time(&row.key) && matches!(row.key.cols.0.last(), Some(Col::Int(low)) if *low >= 0);
    let page = rows_of(&engine.store, RANK).await.into_iter().find(is_page).unwrap();
    let mut counts = PageRow::decode(page.value.as_deref().unwrap()).unwrap();
    counts.values.first_mut().unwrap().1 += 1;
    counts.at = Next(page.at.0 + 1);
    let page = Row { at: counts.at, value: Some(counts.encode()), ..page };
    let is_top = |row: &Row| is_of_all_time(&row.key) && row.key.cols.0.last() == Some(&Col::Int(-2));
    let top = rows_of(&engine.store, RANK).await.into_iter().find(is_top).unwrap();
    let gone = Row { value: None, expires: None, ..top };
    engine.store.write(vec![page, gone]).await.unwrap();

    ask(&engine, Ask::Rebuild { rate: None }).await;
    let made = ready(&engine).await;
    assert_eq!(differences(&made), [("rank", 2)], "{made:?}");
    assert_eq!(ask(&engine, Ask::Switch { force: true }).await.live, 2);
    assert_eq!(differences_from_the_log(&engine).await, 0);
    engine.stop().await.unwrap();
}
