//! The store in CQL while its server is away, and with one that asks who is there. Each test has a server of its own.

use std::time::Duration;

use tributary::ids::Partition;
use tributary::project::key::{Col, Row};
use tributary::store::scylla::{Login, Options, ScyllaStore, Tls};
use tributary::store::{Doors, Error, Store, Swap};

use super::contract::{self, NUMBERS, SHARED, block_on, everything, part};
use super::scylla::{LAB, connect, run, runtime, session};
use crate::services::Own;

/// Calls that a server may take to be itself again, each of which waits some seconds.
const TRIES: usize = 40;

fn options(server: &Own) -> Options {
    let nodes = server.env("CQL_NODES").split(',').map(str::to_owned).collect();
    let replication = [("datacenter1".to_owned(), 1)].into();
    let (connect_timeout, request_timeout) = (Duration::from_secs(20), Duration::from_secs(20));
    Options { nodes, replication, connect_timeout, request_timeout, ..Options::default() }
}

fn unreachable<T: std::fmt::Debug>(outcome: Result<T, Error>) -> bool {
    match outcome {
        Ok(_) => false,
        Err(error) => {
            assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
            assert!(error.to_string().contains("do not answer; try again"), "{error}");
            true
        }
    }
}

/// Until it is done; what is told meanwhile is that it may pass.
fn at_last<T: std::fmt::Debug>(what: impl Fn() -> Result<T, Error>) -> T {
    for _ in 0..TRIES {
        match what() {
            Ok(done) => return done,
            Err(error) => assert!(unreachable::<T>(Err(error))),
        }
    }
    panic!("it never came back");
}

#[test]
fn a_server_that_is_away_is_told_in_time_and_served_again_when_it_is_back() {
    let Some(server) = Own::start(&["cassandra"]) else { return };
    let slow = options(&server);
    block_on(connect(slow.clone(), LAB).setup(&contract::tables(1))).unwrap();
    let (request_timeout, give_up_after) = (Duration::from_secs(2), Duration::from_secs(3));
    let store = connect(Options { request_timeout, give_up_after, ..slow }, LAB);
    let here = part(Partition(0), NUMBERS);
    let rows = |at: u64| -> Vec<Row> {
        (0..600).map(|n| contract::row(contract::key(here, &[Col::Int(n)]), at, "v")).collect()
    };
    let alias = contract::key(part(Partition(0), SHARED), &[Col::Text("alias".to_owned())]);
    let swap = |from: Option<u64>, to: u64| {
        let from = from.map(|from| contract::value(1, &from.to_string()));
        block_on(store.swap(&alias, from.as_deref(), &contract::value(1, &to.to_string())))
    };
    at_last(|| block_on(store.write(rows(1))));
    assert_eq!(at_last(|| swap(None, 1)), Swap::Done);

    server.pause("cassandra-1");
    let asked = tokio::time::Instant::now();
    assert!(unreachable(block_on(store.write(rows(2)))));
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    assert!(unreachable(block_on(store.scan(&everything(here)))));
    assert!(unreachable(swap(Some(1), 2)));
    let health = block_on(store.health());
    assert!(!health.reachable && health.detail.contains("do not answer"), "{health:?}");
    server.resume("cassandra-1");
    at_last(|| block_on(store.write(rows(2))));
    assert_eq!(at_last(|| block_on(store.scan(&everything(here)))), rows(2));
    // Nobody was told how it ended: done or not, it is the one or the other, and a swap from there is done.
    let stands = || {
        let found = at_last(|| block_on(store.get(std::slice::from_ref(&alias)))).pop().flatten().unwrap();
        (1..=3).find(|n: &u64| found.value == Some(contract::value(1, &n.to_string()))).unwrap()
    };
    let now = stands();
    assert!(now < 3);
    assert_eq!(at_last(|| swap(Some(now), 3)), Swap::Done);
    assert_eq!(stands(), 3);

    server.kill("cassandra-1");
    assert!(unreachable(block_on(store.write(rows(3)))));
    server.up("cassandra-1");
    at_last(|| block_on(store.write(rows(3))));
    assert_eq!(at_last(|| block_on(store.scan(&everything(here)))), rows(3));
    // One node with a periodic commit log may lose the last tenth of a second when it is killed.
    assert_eq!(at_last(|| swap(Some(stands()), 4)), Swap::Done);
    assert!((0..TRIES).any(|_| block_on(store.health()).reachable));
}

#[test]
fn who_is_not_let_in_and_who_may_not_is_told_so() {
    let Some(server) = Own::start(&["cassandra", "--secure"]) else { return };
    let login = Login { user: server.env("CQL_USERNAME"), password: server.env("CQL_PASSWORD") };
    let tls = Tls { ca_file: server.env("CQL_CA").into(), client: None, server_name: Some("localhost".to_owned()) };
    let options = Options { login: Some(login), tls: Some(tls.clone()), ..options(&server) };
    let owner = connect(options.clone(), LAB);
    block_on(owner.setup(&contract::tables(1)[..1])).unwrap();
    let session = session(&options);
    for user in ["stranger", "worker"] {
        run(&session, &format!("CREATE ROLE {user} WITH LOGIN = true AND PASSWORD = 'open sesame'"));
        if user == "worker" {
            run(&session, &format!("GRANT SELECT ON KEYSPACE {} TO {user}", options.keyspace));
            run(&session, &format!("GRANT MODIFY ON KEYSPACE {} TO {user}", options.keyspace));
        }
    }
    let login = |user: &str, password: &str| Some(Login { user: user.to_owned(), password: password.to_owned() });
    let denied = |error: Error| {
        assert!(matches!(error, Error::Denied { .. }), "{error:?}");
        assert!(error.to_string().contains("check its name, its password and what it is granted"), "{error}");
    };
    let open = |login: Option<Login>, tls: Option<Tls>| {
        let options = Options { login, tls, ..options.clone() };
        runtime().block_on(ScyllaStore::connect_with(options, LAB))
    };
    denied(open(login("worker", "wrong"), Some(tls.clone())).unwrap_err());
    denied(open(None, Some(tls.clone())).unwrap_err());

    // Who is granted rows alone can start once the tables are there, but makes none.
    let here = part(Partition(0), NUMBERS);
    let row = contract::row(contract::key(here, &[Col::Int(1)]), 1, "v");
    let worker = open(login("worker", "open sesame"), Some(tls.clone())).unwrap();
    block_on(worker.setup(&contract::tables(1)[..1])).unwrap();
    block_on(worker.write(vec![row.clone()])).unwrap();
    assert_eq!(block_on(worker.scan(&everything(here))).unwrap(), std::slice::from_ref(&row));
    denied(block_on(worker.setup(&contract::tables(1))).unwrap_err());
    denied(block_on(worker.drop_generation()).unwrap_err());

    let stranger = open(login("stranger", "open sesame"), Some(tls.clone())).unwrap();
    denied(block_on(stranger.scan(&everything(here))).unwrap_err());
    denied(block_on(stranger.write(vec![row])).unwrap_err());

    // A node that the authority has not signed, or that bears another name, is no node.
    let other = Tls { server_name: Some("elsewhere.example".to_owned()), ..tls };
    let error = open(options.login.clone(), Some(other)).unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
}
