//! Generations in one file: apart from each other, gone as a whole, and the row that says which one is live.

use bytes::Bytes;
use tributary::ids::{Next, Partition};
use tributary::project::key::{Bound, Col, Cols, Key, Part, Range, Row, TableId};
use tributary::project::tables;
use tributary::store::alias::{Alias, Building, Changed};
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
        block_on(Alias::change(&store, |_| true, change)).unwrap();
        let found = |alias: &mut Alias| alias.building.as_mut().unwrap().differences = Some(5);
        block_on(Alias::change(&store.of(2), |_| true, found)).unwrap();
    }
    let (alias, row) = block_on(Alias::read(&open(&dir))).unwrap();
    let building = Some(Building { number: 2, rate_per_s: 7, differences: Some(5) });
    assert_eq!(alias, Alias { live: 1, former: None, building, next: 3 });
    assert_eq!(Alias::decode(&row.unwrap()).unwrap(), alias);
}

const MADE: Building = Building { number: 2, rate_per_s: 7, differences: Some(0) };
const BUILDING: Alias = Alias { live: 1, former: None, building: Some(MADE), next: 3 };
const SWITCHED: Alias = Alias { live: 2, former: Some(1), building: None, next: 3 };
const ROLLED_BACK: Alias = Alias { live: 1, former: Some(2), building: None, next: 3 };
const DROPPED: Alias = Alias { live: 2, former: None, building: None, next: 3 };
const CANCELLED: Alias = Alias { live: 1, former: None, building: None, next: 3 };

/// Somebody reads `read`, and another makes `now` of it before the first one turns to generation `to`.
fn turned_late(read: Alias, now: Alias, to: u32) -> Changed {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    block_on(store.swap(&tables::alias(), None, &now.encode())).unwrap();
    let turn = |alias: &mut Alias| {
        *alias = Alias { live: to, former: Some(alias.live), building: None, next: alias.next };
    };
    let changed = block_on(Alias::change(&store, |now| now.names_the_same(&read), turn)).unwrap();
    let (stands, _) = block_on(Alias::read(&store)).unwrap();
    match changed {
        Changed::Done(alias) => assert_eq!(stands, alias),
        Changed::Refused(found) => assert_eq!((stands, found), (now, now), "nothing was changed"),
    }
    changed
}

#[test]
fn who_has_waited_changes_nothing_where_the_alias_names_other_generations_by_then() {
    let told = |read: Alias, now: Alias, to: u32| match turned_late(read, now, to) {
        Changed::Refused(found) => found.to_string(),
        Changed::Done(alias) => panic!("{now} became {alias}"),
    };
    assert_eq!(told(BUILDING, SWITCHED, 2), "live 2, former 1", "two switches");
    assert_eq!(told(SWITCHED, ROLLED_BACK, 1), "live 1, former 2", "two rollbacks");
    assert_eq!(told(BUILDING, CANCELLED, 2), "live 1", "cancelled before the switch");
    assert_eq!(told(SWITCHED, DROPPED, 1), "live 2", "dropped before the rollback");
    let another = Alias { building: Some(Building { number: 3, ..MADE }), next: 4, ..BUILDING };
    assert_eq!(told(BUILDING, another, 2), "live 1, building 3", "cancelled, and another one begun");
    // One was made and cancelled: its number is not to be given again.
    assert_eq!(told(CANCELLED, Alias { next: 4, ..CANCELLED }, 3), "live 1");
}

#[test]
fn who_has_waited_goes_on_where_the_alias_names_the_same() {
    assert_eq!(turned_late(BUILDING, BUILDING, 2), Changed::Done(SWITCHED));
    assert_eq!(turned_late(SWITCHED, SWITCHED, 1), Changed::Done(ROLLED_BACK));
    let compared = Alias { building: Some(Building { differences: None, ..MADE }), ..BUILDING };
    assert_eq!(turned_late(compared, BUILDING, 2), Changed::Done(SWITCHED), "compared meanwhile");
}
