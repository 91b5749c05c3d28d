//! The embedded store keeps the contract, and survives what a machine does to it.

use bytes::Bytes;
use tempfile::TempDir;
use tributary::disk;
use tributary::ids::{Millis, Next, Partition};
use tributary::project::key::{Bound, Col, Cols, Part, Range, Row};
use tributary::store::embedded::{EmbeddedStore, Options};
use tributary::store::{Doors, Error, Store};

use super::contract::{self, Lab, NUMBERS, block_on, everything, key};

const PART: Part = contract::part(Partition(3), NUMBERS);

struct Embedded {
    folder: TempDir,
    store: Option<EmbeddedStore>,
}

impl Embedded {
    fn new() -> Self {
        let mut lab = Self { folder: tempfile::tempdir().unwrap(), store: None };
        lab.restart();
        lab
    }
}

impl Lab for Embedded {
    type Store = EmbeddedStore;

    fn store(&self) -> EmbeddedStore {
        self.store.clone().unwrap()
    }

    fn restart(&mut self) {
        self.store = None;
        let path = self.folder.path().join("projections.redb");
        self.store = Some(EmbeddedStore::open(&path, Options::default()).unwrap());
    }
}

#[test]
fn get_answers_in_the_order_of_the_keys() {
    contract::get_answers_in_the_order_of_the_keys(&mut Embedded::new());
}

#[test]
fn the_same_row_wins_in_every_order() {
    contract::the_same_row_wins_in_every_order(&mut Embedded::new());
}

#[test]
fn tombstones() {
    contract::tombstones(&mut Embedded::new());
}

#[test]
fn scans_are_in_the_order_of_the_columns() {
    contract::scans_are_in_the_order_of_the_columns(&mut Embedded::new());
}

#[test]
fn bounds_are_prefixes() {
    contract::bounds_are_prefixes(&mut Embedded::new());
}

#[test]
fn writing_again_changes_nothing() {
    contract::writing_again_changes_nothing(&mut Embedded::new());
}

#[test]
fn swap_is_conditional() {
    contract::swap_is_conditional(&mut Embedded::new());
}

#[test]
fn restart_keeps_all() {
    contract::restart_keeps_all(&mut Embedded::new());
}

#[test]
fn concurrent_writers() {
    contract::concurrent_writers(&mut Embedded::new());
}

#[test]
fn get_answers_for_keys_of_many_parts() {
    contract::get_answers_for_keys_of_many_parts(&mut Embedded::new());
}

#[test]
fn the_newest_version_says_when_a_row_expires() {
    contract::the_newest_version_says_when_a_row_expires(&mut Embedded::new());
}

#[test]
fn any_range_is_what_lies_between_its_ends() {
    contract::any_range_is_what_lies_between_its_ends(&mut Embedded::new());
}

#[test]
fn one_of_those_who_swap_at_once_does() {
    contract::one_of_those_who_swap_at_once_does(&mut Embedded::new());
}

#[test]
fn generations_are_apart_and_go_as_a_whole() {
    contract::generations_are_apart_and_go_as_a_whole(&mut Embedded::new());
}

#[test]
fn applied_is_never_ahead_of_the_rows() {
    contract::applied_is_never_ahead_of_the_rows(&mut Embedded::new());
}

#[test]
fn health() {
    contract::health(&mut Embedded::new());
}

fn live(n: i64, at: u64) -> Row {
    Row { key: key(PART, &[Col::Int(n)]), at: Next(at), value: Some(Bytes::from_static(b"x")), expires: None }
}

fn dead(n: i64, at: u64) -> Row {
    Row { value: None, ..live(n, at) }
}

/// Whether a write of `row` takes effect within many tries: what stands in its way is purged when the writer is idle.
fn comes_back(store: &EmbeddedStore, row: &Row) -> bool {
    (0..200).any(|_| {
        block_on(store.write(vec![row.clone()])).unwrap();
        block_on(store.get(std::slice::from_ref(&row.key))).unwrap() == [Some(row.clone())]
    })
}

#[test]
fn tombstones_last_until_the_next_open_and_no_longer() {
    let mut lab = Embedded::new();
    block_on(lab.store().write(vec![live(1, 5), dead(1, 9), dead(2, 9), live(3, 9)])).unwrap();
    assert!(!comes_back(&lab.store(), &live(1, 6)), "a tombstone of this run stands");
    lab.restart();
    block_on(lab.store().write(vec![dead(2, 10)])).unwrap();
    assert!(comes_back(&lab.store(), &live(1, 6)), "a tombstone of an earlier run is gone");
    assert!(!comes_back(&lab.store(), &live(2, 6)), "written again, it is one of this run");
    assert_eq!(block_on(lab.store().get(&[key(PART, &[Col::Int(3)])])).unwrap(), [Some(live(3, 9))]);
}

#[test]
fn purge_takes_what_expired_in_its_range_and_nothing_else() {
    let lab = Embedded::new();
    let expiring = |n: i64| Row { expires: Some(Millis(n)), ..live(n, 1) };
    let rows: Vec<_> = (0..45_000).map(|n| if n % 3 == 0 { live(n, 1) } else { expiring(n) }).collect();
    block_on(lab.store().write(rows.clone())).unwrap();
    let beyond = Range { from: Bound::Included(Cols(vec![Col::Int(44_000)])), ..everything(PART) };
    assert_eq!(block_on(lab.store().purge(&beyond, Millis(30_000))).unwrap(), 0);
    let left: Vec<_> = rows.into_iter().filter(|row| row.expires.is_none_or(|at| at >= Millis(30_000))).collect();
    assert_eq!(block_on(lab.store().purge(&everything(PART), Millis(30_000))).unwrap(), 20_000);
    let found = block_on(lab.store().scan(&Range { limit: u32::MAX, ..everything(PART) })).unwrap();
    assert!(found == left, "{} rows are left, not {}", found.len(), left.len());
    assert_eq!(block_on(lab.store().purge(&everything(PART), Millis(30_000))).unwrap(), 0);
}

#[test]
fn a_full_disk_is_named_told_by_health_and_over_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("projections.redb");
    let disk = disk::Options { cache_bytes: 1 << 20, bytes_max: Some(3 << 20) };
    let store = EmbeddedStore::open(&path, Options { disk, ..Options::default() }).unwrap();
    let call = |from: i64| -> Vec<Row> {
        (from..from + 50).map(|n| Row { value: Some(Bytes::from(vec![1; 1_000])), ..live(n, 1) }).collect()
    };
    let mut written = 0;
    let refused = loop {
        match block_on(store.write(call(written))) {
            Ok(()) => written += 50,
            Err(error) => break error,
        }
        assert!(written < 10_000, "the limit was not met");
    };
    assert!(matches!(refused, Error::Full { .. }) && refused.to_string().contains("projections.redb"), "{refused}");
    let health = block_on(store.health());
    assert!(health.reachable && health.detail.contains("disk is full"), "{health:?}");
    let count = |store: &EmbeddedStore| block_on(store.scan(&everything(PART))).unwrap().len();
    assert_eq!(count(&store), usize::try_from(written).unwrap());
    drop(store);
    let store = EmbeddedStore::open(&path, Options::default()).unwrap();
    block_on(store.write(call(written))).unwrap();
    assert_eq!(count(&store), usize::try_from(written + 50).unwrap());
    assert_eq!(block_on(store.health()).detail, "");
}

#[test]
fn a_second_opener_is_told_who_has_it() {
    let lab = Embedded::new();
    let path = lab.folder.path().join("projections.redb");
    let Err(error) = EmbeddedStore::open(&path, Options::default()) else { panic!("opened twice") };
    let process = format!("(process {})", std::process::id());
    assert!(error.to_string().contains("is in use by another tributary process"), "{error}");
    assert!(error.to_string().contains(&process) || error.to_string().contains("not known"), "{error}");
}

#[test]
fn a_folder_that_is_not_there_or_a_foreign_file_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing").join("projections.redb");
    let Err(error) = EmbeddedStore::open(&missing, Options::default()) else { panic!("opened") };
    assert!(error.to_string().contains("check that its folder exists"), "{error}");
    let foreign = folder.path().join("projections.redb");
    std::fs::write(&foreign, "not one of ours").unwrap();
    let Err(error) = EmbeddedStore::open(&foreign, Options::default()) else { panic!("opened") };
    assert!(error.to_string().contains("projections.redb is damaged"), "{error}");
    assert_eq!(std::fs::read(&foreign).unwrap(), b"not one of ours");
}

#[test]
fn dropping_the_store_ends_its_threads_and_frees_the_file() {
    let mut lab = Embedded::new();
    for n in 0..20 {
        block_on(lab.store().write(vec![live(n, 1)])).unwrap();
        lab.restart();
    }
    assert_eq!(block_on(lab.store().scan(&everything(PART))).unwrap().len(), 20);
}
