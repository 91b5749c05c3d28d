//! Generations in one file: apart from each other, gone as a whole, and the row that says which one is live.

use bytes::Bytes;
use tributary::ids::{Next, Partition};
use tributary::project::key::{Bound, Col, Cols, Key, Part, Range, Row, TableId};
use tributary::project::tables;
use tributary::store::alias::{Alias, Building};
use tributary::store::embedded::{EmbeddedStore, Options};
use tributary::store::{Doors, Error, Store};

use super::contract::block_on;

fn open(dir: &tempfile::TempDir) -> EmbeddedStore {
    EmbeddedStore::open(&dir.path().join("projections.redb"), Options::default()).unwrap()
}

fn part(table: TableId) -> Part {
    Part { table, p: Partition(0), shard: 0, month: 0 }
}

fn row(table: TableId, n: i64, at: u64, value: Option<&str>) -> Row {
    let value = value.map(|value| Bytes::copy_from_slice(value.as_bytes()));
    Row { key: Key { part: part(table), cols: Cols(vec![Col::Int(n)]) }, at: Next(at), value, expires: None }
}

/// The values of a table, in order.
fn values(store: &EmbeddedStore, table: TableId) -> Vec<String> {
    let all = Range { part: part(table), from: Bound::Unbounded, to: Bound::Unbounded, reverse: false, limit: 100_000 };
    let rows = block_on(store.scan(&all)).unwrap();
    rows.into_iter().map(|row| String::from_utf8(row.value.unwrap().to_vec()).unwrap()).collect()
}

#[test]
fn rows_of_a_generation_are_its_own_and_those_of_none_are_everybody_s() {
    let dir = tempfile::tempdir().unwrap();
    let (own, shared) = (tables::MEMBER.id, TableId(tables::ALIAS.id.0 + 1));
    {
        let first = open(&dir);
        let second = first.of(2);
        block_on(second.setup(&[])).unwrap();
        block_on(first.write(vec![row(own, 1, 9, Some("old")), row(shared, 1, 1, Some("all"))])).unwrap();
        block_on(second.write(vec![row(own, 1, 3, Some("new")), row(own, 2, 4, None)])).unwrap();
        block_on(second.write(vec![row(shared, 2, 1, Some("too"))])).unwrap();
    }
    let first = open(&dir);
    assert_eq!((values(&first, own), values(&first.of(2), own)), (vec!["old".to_owned()], vec!["new".to_owned()]));
    assert_eq!(values(&first, shared), ["all", "too"]);
    assert_eq!(values(&first.of(2), shared), ["all", "too"]);
    assert_eq!(block_on(first.generations()).unwrap(), [1, 2]);
}

#[test]
fn a_dropped_generation_is_gone_and_a_late_write_does_not_bring_it_back() {
    let dir = tempfile::tempdir().unwrap();
    let own = tables::MEMBER.id;
    {
        let first = open(&dir);
        block_on(first.of(2).setup(&[])).unwrap();
        let many = |value: Option<&str>| (0..10_000).map(|n| row(own, n, 1, value)).collect::<Vec<_>>();
        block_on(first.write(many(Some("kept")))).unwrap();
        block_on(first.of(2).write(many(Some("dropped")))).unwrap();
        block_on(first.of(2).write(vec![row(own, 3, 2, None)])).unwrap();
    }
    // Opened again: its tombstones are being purged while it is dropped.
    let first = open(&dir);
    assert!(block_on(first.of(2).drop_generation()).unwrap() >= 9_999);
    assert_eq!(block_on(first.generations()).unwrap(), [1]);
    assert_eq!(block_on(first.of(2).drop_generation()).unwrap(), 0, "once more changes nothing");
    let late = block_on(first.of(2).write(vec![row(own, 1, 9, Some("late"))])).unwrap_err();
    assert!(matches!(late, Error::NoGeneration { generation: 2, .. }), "{late}");
    assert_eq!(values(&first, own).len(), 10_000);
    assert_eq!(block_on(first.health()).detail, "", "who comes late is no trouble of the store");
    drop(first);
    let first = open(&dir);
    assert_eq!(block_on(first.generations()).unwrap(), [1]);
    block_on(first.of(2).setup(&[])).unwrap();
    assert_eq!(values(&first.of(2), own), Vec::<String>::new());
}

#[test]
fn the_alias_names_the_first_generation_until_it_is_changed() {
    let dir = tempfile::tempdir().unwrap();
    {
        let store = open(&dir);
        let (alias, row) = block_on(Alias::read(&store)).unwrap();
        assert_eq!((alias.live, alias.all(), row), (1, vec![1], None));
        let building = Building { number: 2, rate_per_s: 7, differences: None };
        let change = |alias: &mut Alias| (alias.building, alias.next) = (Some(building), 3);
        block_on(Alias::change(&store, change)).unwrap();
        let found = |alias: &mut Alias| alias.building.as_mut().unwrap().differences = Some(5);
        block_on(Alias::change(&store.of(2), found)).unwrap();
    }
    let (alias, row) = block_on(Alias::read(&open(&dir))).unwrap();
    let building = Some(Building { number: 2, rate_per_s: 7, differences: Some(5) });
    assert_eq!(alias, Alias { live: 1, former: None, building, next: 3 });
    assert_eq!(Alias::decode(&row.unwrap()).unwrap(), alias);
}
