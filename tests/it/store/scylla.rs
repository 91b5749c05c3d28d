//! The store in CQL keeps the contract, on nodes that all tests share, and says what is wrong with them.
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use tokio::runtime::Runtime;
use tributary::ids::Partition;
use tributary::project::key::{Bound, Col, Cols, Key, Part, Range, Row, TableId};
use tributary::project::tables;
use tributary::store::alias::Alias;
use tributary::store::scylla::shape::{Column, Field, SHAPES, Shape, Sort, Type};
use tributary::store::scylla::{Login, Options, ScyllaStore, Tls};
use tributary::store::{Doors, Error, Store, Table};

use super::contract::{self, APPLIED, Lab, MEMBERS, MIXED, NUMBERS, PAIRS, SHARED, block_on, everything, part};
use super::samples;
use crate::services;

const VALUE: &[Field] = &[Field("at", Type::Int), Field("said", Type::Text)];
const NUMBER: Column = Column("n", Sort::Int);

const fn shape(id: TableId, name: &'static str, columns: &'static [Column]) -> Shape {
    Shape { id, name, by_month: false, columns, fields: VALUE }
}

/// The tables of the contract.
pub(super) const LAB: &[Shape] = &[
    shape(NUMBERS, "numbers", &[NUMBER]),
    shape(PAIRS, "pairs", &[Column("run", Sort::Int), NUMBER]),
    shape(MEMBERS, "members", &[Column("creator", Sort::Text), NUMBER]),
    shape(MIXED, "mixed", &[Column("creator", Sort::Text), Column("down", Sort::IntDesc), Column("up", Sort::Int)]),
    shape(APPLIED, "applied", &[Column("zero", Sort::Int)]),
    shape(SHARED, "shared", &[Column("id", Sort::Text)]),
];

/// Sessions live here: each call of a test has a runtime of its own, which ends with it.
pub(super) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap())
}

fn options(keyspace: &str) -> Option<Options> {
    let nodes = services::cassandra()?;
    let replication = [("datacenter1".to_owned(), 1)].into();
    // A schema change on a busy machine takes its time.
    let (request_timeout, give_up_after) = (Duration::from_secs(20), Duration::from_secs(40));
    let options = Options { nodes, replication, request_timeout, give_up_after, ..Options::default() };
    Some(Options { keyspace: format!("{keyspace}_{}", std::process::id()), ..options })
}

pub(super) fn connect(options: Options, shapes: &'static [Shape]) -> ScyllaStore {
    runtime().block_on(ScyllaStore::connect_with(options, shapes)).unwrap()
}

/// What cqlsh would do.
pub(super) fn session(options: &Options) -> Session {
    let mut builder = SessionBuilder::new().known_nodes(&options.nodes);
    if let Some(Login { user, password }) = &options.login {
        builder = builder.user(user, password);
    }
    runtime().block_on(builder.build()).unwrap()
}

pub(super) fn run(session: &Session, statement: &str) {
    runtime().block_on(session.query_unpaged(statement, ())).unwrap();
}

/// A keyspace in which nothing is.
fn empty(options: Options) -> Options {
    run(&session(&options), &format!("DROP KEYSPACE IF EXISTS {}", options.keyspace));
    options
}

struct Cassandra {
    options: Options,
    store: Option<ScyllaStore>,
    p: Partition,
}

impl Cassandra {
    /// All labs share one keyspace, for tables take their time; each has a partition of its own.
    fn new() -> Option<Self> {
        static MADE: OnceLock<()> = OnceLock::new();
        static PARTITIONS: AtomicU32 = AtomicU32::new(0);
        let options = options("lab")?;
        MADE.get_or_init(|| {
            let store = connect(empty(options.clone()), LAB);
            block_on(store.setup(&contract::tables(1))).unwrap();
        });
        let store = Some(connect(options.clone(), LAB));
        Some(Self { options, store, p: Partition(PARTITIONS.fetch_add(1, Ordering::Relaxed)) })
    }
}

impl Lab for Cassandra {
    type Store = ScyllaStore;

    fn store(&self) -> ScyllaStore {
        self.store.clone().unwrap()
    }

    fn restart(&mut self) {
        self.store = Some(connect(self.options.clone(), LAB));
    }

    fn p(&self) -> Partition {
        self.p
    }
}

fn keep(rule: impl FnOnce(&mut Cassandra)) {
    if let Some(mut lab) = Cassandra::new() {
        rule(&mut lab);
    }
}

#[test]
fn get_answers_in_the_order_of_the_keys() {
    keep(contract::get_answers_in_the_order_of_the_keys);
}

#[test]
fn get_answers_for_keys_of_many_parts() {
    keep(contract::get_answers_for_keys_of_many_parts);
}

#[test]
fn the_same_row_wins_in_every_order() {
    keep(contract::the_same_row_wins_in_every_order);
}

#[test]
fn tombstones() {
    keep(contract::tombstones);
}

#[test]
fn the_newest_version_says_when_a_row_expires() {
    keep(contract::the_newest_version_says_when_a_row_expires);
}

#[test]
fn scans_are_in_the_order_of_the_columns() {
    keep(contract::scans_are_in_the_order_of_the_columns);
}

#[test]
fn bounds_are_prefixes() {
    keep(contract::bounds_are_prefixes);
}

#[test]
fn any_range_is_what_lies_between_its_ends() {
    keep(contract::any_range_is_what_lies_between_its_ends);
}

#[test]
fn writing_again_changes_nothing() {
    keep(contract::writing_again_changes_nothing);
}

#[test]
fn swap_is_conditional() {
    keep(contract::swap_is_conditional);
}

#[test]
fn one_of_those_who_swap_at_once_does() {
    keep(contract::one_of_those_who_swap_at_once_does);
}

#[test]
fn restart_keeps_all() {
    keep(contract::restart_keeps_all);
}

#[test]
fn concurrent_writers() {
    keep(contract::concurrent_writers);
}

#[test]
fn applied_is_never_ahead_of_the_rows() {
    keep(contract::applied_is_never_ahead_of_the_rows);
}

#[test]
fn health() {
    keep(contract::health);
}

#[test]
fn purge_takes_what_expired_in_its_range_and_nothing_else() {
    keep(contract::purge_takes_what_expired_in_its_range_and_nothing_else);
}

#[test]
fn generations_are_apart_and_go_as_a_whole() {
    keep(contract::generations_are_apart_and_go_as_a_whole);
}

/// A table of the lab with other columns, or another value, than it should have.
fn drift_of(keyspace: &str, statements: &[&str]) -> Option<String> {
    let options = empty(options(keyspace)?);
    let session = session(&options);
    let replication = "{'class': 'NetworkTopologyStrategy', 'datacenter1': 1}";
    run(&session, &format!("CREATE KEYSPACE {} WITH replication = {replication}", options.keyspace));
    for statement in statements {
        run(&session, &statement.replace("KS", &options.keyspace));
    }
    let error = block_on(connect(options, LAB).setup(&contract::tables(1)[..1])).unwrap_err();
    assert!(matches!(error, Error::Drift { .. }), "{error:?}");
    Some(error.to_string())
}

#[test]
fn a_table_that_sorts_otherwise_is_named() {
    let table = "CREATE TABLE KS.numbers_g1 (p int, shard int, n bigint, v frozen<numbers_row_g1>, e int, \
                 PRIMARY KEY ((p, shard), n)) WITH CLUSTERING ORDER BY (n DESC)";
    let told = drift_of("drift_a", &["CREATE TYPE KS.numbers_row_g1 (at bigint, said text)", table]);
    let Some(told) = told else { return };
    assert!(told.contains("numbers_g1.n is bigint (clustering 0, desc), not bigint (clustering 0, asc)"), "{told}");
    assert!(told.contains("numbers_g1.e is int"), "{told}");
}

#[test]
fn a_type_with_other_fields_is_named() {
    let Some(told) = drift_of("drift_b", &["CREATE TYPE KS.numbers_row_g1 (at bigint, said blob)"]) else { return };
    assert!(
        told.contains("numbers_row_g1 has the fields (at bigint, said blob), not (at bigint, said text)"),
        "{told}"
    );
}

#[test]
fn a_table_with_another_partition_key_is_named() {
    let table = "CREATE TABLE KS.numbers_g1 (p int, shard int, more int, n bigint, v frozen<numbers_row_g1>, e bigint, \
                 PRIMARY KEY ((p, shard, more), n))";
    let told = drift_of("drift_c", &["CREATE TYPE KS.numbers_row_g1 (at bigint, said text)", table]);
    let Some(told) = told else { return };
    assert!(told.contains("numbers_g1 has a column more in its key"), "{told}");
}

#[test]
fn other_copies_than_the_settings_say_are_named() {
    let Some(lab) = Cassandra::new() else { return };
    let more = Options { replication: [("datacenter1".to_owned(), 2)].into(), ..lab.options.clone() };
    let told = block_on(connect(more, LAB).setup(&[])).unwrap_err().to_string();
    assert!(told.contains("copies are kept as") && told.contains("\"datacenter1\": \"1\""), "{told}");
}

#[test]
fn a_field_that_a_newer_version_appends_is_added_and_older_rows_stay_as_they_are() {
    const OLDER: &[Shape] = &[Shape { fields: &[Field("at", Type::Int)], ..LAB[0] }];
    const NEWER: &[Shape] = &[LAB[0]];
    let Some(options) = options("fields") else { return };
    let options = empty(options);
    let (older, tables) = (connect(options.clone(), OLDER), &contract::tables(1)[..1]);
    block_on(older.setup(tables)).unwrap();
    let here = part(Partition(0), NUMBERS);
    let old = Row {
        value: Some(contract::value(1, "").slice(..12)),
        ..contract::row(contract::key(here, &[Col::Int(1)]), 1, "")
    };
    block_on(older.write(vec![old.clone()])).unwrap();
    let newer = connect(options, NEWER);
    block_on(newer.setup(tables)).unwrap();
    let new = contract::row(contract::key(here, &[Col::Int(2)]), 2, "said");
    block_on(newer.write(vec![new.clone()])).unwrap();
    for store in [newer, older] {
        assert_eq!(block_on(store.scan(&everything(here))).unwrap(), [old.clone(), new.clone()]);
    }
}

fn projections(generation: u32) -> Vec<Table> {
    let name = |table: &tables::Table| format!("{}_g{generation}", table.name);
    tables::ALL.iter().map(|table| Table { id: table.id, name: name(table) }).collect()
}

#[test]
fn a_row_of_every_table_is_taken_as_it_is_and_its_fields_can_be_asked_for() {
    let Some(options) = options("all") else { return };
    let (options, session) = (empty(options.clone()), session(&options));
    let store = connect(options.clone(), SHAPES);
    block_on(store.setup(&projections(1))).unwrap();
    // Once more: all is there, and as it should be.
    block_on(store.setup(&projections(1))).unwrap();
    let rows = samples::rows();
    block_on(store.write(rows.clone())).unwrap();
    let keys: Vec<Key> = rows.iter().map(|row| row.key.clone()).collect();
    let found = block_on(store.get(&keys)).unwrap();
    assert_eq!(found, rows.iter().cloned().map(Some).collect::<Vec<_>>());
    for row in &rows {
        let whole = Bound::Included(row.key.cols.clone());
        let range = Range { part: row.key.part, from: whole.clone(), to: whole, reverse: false, limit: 2 };
        assert_eq!(block_on(store.scan(&range)).unwrap(), std::slice::from_ref(row));
    }
    for (key, value) in samples::shared() {
        assert_eq!(block_on(store.swap(&key, None, &value)).unwrap(), tributary::store::Swap::Done);
        assert_eq!(block_on(store.get(&[key])).unwrap()[0].as_ref().unwrap().value, Some(value));
    }
    assert_eq!(block_on(Alias::read(&store)).unwrap().0.next, 3);
    for shape in SHAPES {
        let fields: Vec<String> = shape.fields.iter().map(|Field(name, _)| format!("v.\"{name}\"")).collect();
        let name = tributary::store::scylla::ddl::table_name(shape, 1);
        let text = format!("SELECT {} FROM {}.{name}", fields.join(", "), options.keyspace);
        let answer = runtime().block_on(session.query_unpaged(text, ())).unwrap().into_rows_result().unwrap();
        assert!(answer.rows_num() > 0, "{name}");
    }
    let text = format!("SELECT v.member_id, v.username, v.streak_best FROM {}.member_g1", options.keyspace);
    let answer = runtime().block_on(session.query_unpaged(text, ())).unwrap().into_rows_result().unwrap();
    assert_eq!(answer.single_row::<(&str, &str, i64)>().unwrap(), ("m", "Ünal", 2));
    let text = format!("SELECT v.earned, v.reversed FROM {}.ledger_g1", options.keyspace);
    let answer = runtime().block_on(session.query_unpaged(text, ())).unwrap().into_rows_result().unwrap();
    let (earned, reversed) = answer.single_row::<(scylla::value::CqlVarint, scylla::value::CqlVarint)>().unwrap();
    assert_eq!(earned.as_signed_bytes_be_slice(), [1, 127, 255, 255, 255, 255, 255, 255, 253]);
    assert_eq!(reversed.as_signed_bytes_be_slice(), [255, 127]);
}

#[test]
fn a_key_or_bound_of_another_shape_and_a_position_beyond_a_stamp_are_refused() {
    let Some(lab) = Cassandra::new() else { return };
    let (store, here) = (lab.store(), part(lab.p(), MEMBERS));
    let refused = |error: Error| assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
    let whole = contract::key(here, &[Col::Text("a".to_owned()), Col::Int(1)]);
    for cols in [vec![], vec![Col::Text("a".to_owned())], vec![Col::Int(1), Col::Int(1)]] {
        let key = contract::key(here, &cols);
        refused(block_on(store.get(std::slice::from_ref(&key))).unwrap_err());
        refused(block_on(store.write(vec![contract::row(key, 1, "v")])).unwrap_err());
    }
    refused(block_on(store.write(vec![contract::row(whole.clone(), 1 << 40, "v")])).unwrap_err());
    refused(block_on(store.of(1 << 23).write(vec![contract::row(whole.clone(), 1, "v")])).unwrap_err());
    refused(block_on(store.swap(&whole, None, &contract::value(1, "v"))).unwrap_err());
    let bound = Bound::Included(Cols(vec![Col::Int(1)]));
    refused(block_on(store.scan(&Range { from: bound, ..everything(here) })).unwrap_err());
    let nowhere = Part { table: TableId(77), ..here };
    refused(block_on(store.scan(&everything(nowhere))).unwrap_err());
}

#[test]
fn a_part_of_more_rows_and_bytes_than_a_batch_takes_is_written_whole() {
    let Some(lab) = Cassandra::new() else { return };
    let (store, here) = (lab.store(), part(lab.p(), NUMBERS));
    let long = |n: i64| "x".repeat(if n % 100 == 0 { 200_000 } else { usize::try_from(n).unwrap() });
    let rows: Vec<Row> = (0..1_500).map(|n| contract::row(contract::key(here, &[Col::Int(n)]), 1, &long(n))).collect();
    block_on(store.write(rows.clone())).unwrap();
    let found = block_on(store.scan(&Range { limit: u32::MAX, ..everything(here) })).unwrap();
    assert!(found == rows, "{} rows", found.len());
}

#[test]
fn what_is_dropped_is_not_absent_but_gone() {
    let Some(options) = options("gone") else { return };
    let store = connect(empty(options), LAB);
    block_on(store.setup(&contract::tables(1)[..1])).unwrap();
    let here = part(Partition(0), NUMBERS);
    assert_eq!(block_on(store.scan(&everything(here))).unwrap(), []);
    block_on(store.drop_generation()).unwrap();
    for error in [
        block_on(store.scan(&everything(here))).unwrap_err(),
        block_on(store.get(&[contract::key(here, &[Col::Int(1)])])).unwrap_err(),
    ] {
        assert!(matches!(error, Error::NoGeneration { generation: 1, .. }), "{error:?}");
    }
}

#[test]
fn nobody_there_is_told_within_the_limits_as_what_may_pass() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nodes = vec![listener.local_addr().unwrap().to_string()];
    drop(listener);
    let options = Options { nodes: nodes.clone(), connect_timeout: Duration::from_secs(1), ..Options::default() };
    let error = runtime().block_on(ScyllaStore::connect(options)).unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains(&nodes[0]), "{error}");
}

#[test]
fn settings_that_cannot_be_are_refused_by_name() {
    let refused = |options: Options, why: &str| {
        let error = runtime().block_on(ScyllaStore::connect(options)).unwrap_err();
        assert!(matches!(error, Error::Invalid { .. }) && error.to_string().contains(why), "{error}");
    };
    refused(Options { nodes: Vec::new(), ..Options::default() }, "no node is named");
    for keyspace in ["", "Upper", "a-b", "a\"; DROP", "1a"] {
        refused(Options { keyspace: keyspace.to_owned(), ..Options::default() }, "lower-case letters");
    }
    refused(Options { batches_in_flight_max: 0, ..Options::default() }, "at least one");
    let tls = Tls { ca_file: "missing.pem".into(), client: None, server_name: None };
    refused(Options { tls: Some(tls), ..Options::default() }, "missing.pem");
    let login = Login { user: "ada".to_owned(), password: "open sesame".to_owned() };
    assert!(!format!("{login:?}").contains("sesame"));
}

#[test]
#[ignore = "a measurement: how many rows a second one task writes"]
fn rows_a_second_of_one_task() {
    const CALL: u64 = 5_000;
    const CALLS: u64 = 40;
    let Some(lab) = Cassandra::new() else { return };
    let store = lab.store();
    let text = "x".repeat(280);
    let rows = |call: u64| -> Vec<Row> {
        let one = |n: u64| {
            // Sixteen parts of members, and one row in five of three other tables, as a flush has them.
            let cols = [Col::Text("creator".to_owned()), Col::Int(i64::try_from(n).unwrap())];
            let (table, cols) = if n.is_multiple_of(5) { (NUMBERS, &cols[1..]) } else { (MEMBERS, &cols[..]) };
            let here = Part { shard: u16::try_from(n % 16).unwrap(), ..part(lab.p(), table) };
            contract::row(contract::key(here, cols), call + 1, &text)
        };
        (0..CALL).map(one).collect()
    };
    block_on(store.write(rows(0))).unwrap();
    let started = tokio::time::Instant::now();
    block_on(async {
        for call in 1..=CALLS {
            store.write(rows(call)).await.unwrap();
        }
    });
    let rate = (CALL * CALLS * 1_000) / u64::try_from(started.elapsed().as_millis()).unwrap();
    println!("{rate} rows a second");
    let first = Part { shard: 1, ..part(lab.p(), MEMBERS) };
    let found = block_on(store.scan(&everything(first))).unwrap();
    assert!(found.len() > 200 && found.iter().all(|row| row.at.0 == CALLS + 1), "{}", found.len());
}
