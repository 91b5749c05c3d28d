//! Commands where log and rows are in Kafka and a CQL database.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tributary::clock::Clock;

use super::{Ran, Shell};
use crate::services;

/// With topics and tables of this test alone; none where there is no Kafka or no database.
struct Cluster {
    shell: Shell,
    variables: Vec<(&'static str, String)>,
}

impl Cluster {
    fn new() -> Option<Self> {
        let (brokers, nodes) = (services::kafka()?, services::cassandra()?.join(","));
        let name = services::unique("cli");
        let variables = vec![
            ("TRIBUTARY_KAFKA_BROKERS", brokers),
            ("TRIBUTARY_KAFKA_REPLICATION", "1".to_owned()),
            ("TRIBUTARY_KAFKA_TOPIC_PREFIX", format!("{name}.")),
            ("TRIBUTARY_CQL_NODES", nodes),
            ("TRIBUTARY_CQL_REPLICATION", "1".to_owned()),
            ("TRIBUTARY_CQL_KEYSPACE", name),
        ];
        Some(Self { shell: Shell::new(), variables })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.shell.command(arguments);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let ran = Ran::of(&self.command(&[arguments, &["--json"]].concat()).output().unwrap());
        ran.assert_code(0);
        serde_json::from_str(&ran.out).unwrap()
    }
}

/// A worker, killed at the end.
struct Worker(Child);

impl Drop for Worker {
    fn drop(&mut self) {
        drop((self.0.kill(), self.0.wait()));
    }
}

#[test]
fn projections_are_checked_and_made_anew_from_anywhere_while_a_worker_folds() {
    let Some(cluster) = Cluster::new() else { return };
    cluster.json(&["setup"]);
    cluster.json(&["simulate", "--to-log", "--events", "600", "--creators", "4", "--members", "10"]);
    let run = ["run", "--role", "worker", "--data-dir", "worker", "--listen", "127.0.0.1:0", "--insecure-dev"];
    let _worker = Worker(cluster.command(&run).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let any = |lag: &Value, is_so: &dyn Fn(&Value) -> bool| lag["partitions"].as_array().unwrap().iter().any(is_so);
    let behind = |lag: &Value| any(lag, &|one| one["lag_records"] != 0 || one["owner"].is_null());
    let clock = Clock::system();
    while behind(&cluster.json(&["lag"])) {
        assert!(clock.monotonic() < Duration::from_secs(120), "it catches up");
    }
    let verified = cluster.json(&["projections", "verify"]);
    assert_eq!((&verified["differences"], verified["events"].as_u64() >= Some(600)), (&json!(0), true), "{verified}");

    let made = cluster.json(&["projections", "rebuild", "--rate", "0", "--switch"]);
    assert_eq!((&made["generation"], &made["differences"], &made["live"]), (&json!(2), &json!(0), &json!(2)), "{made}");
    assert_eq!(cluster.json(&["projections", "rollback"])["live"], 1);
    cluster.json(&["projections", "drop"]);
    let sizes = cluster.json(&["projections", "stats"]);
    assert_eq!(sizes["generations"].as_array().unwrap().len(), 1, "{sizes}");
    assert!(!cluster.shell.path("data/log.redb").exists(), "none of it is of the folder");

    // E is told by the group of whichever generation puts outputs out.
    cluster.json(&["projections", "rebuild", "--rate", "0", "--switch"]);
    cluster.json(&["projections", "drop"]);
    cluster.json(&["simulate", "--to-log", "--events", "400", "--creators", "4", "--members", "10", "--seed", "2"]);
    let is_emitted = |lag: &Value| !any(lag, &|one| one["emitted"] != one["end"]);
    let clock = Clock::system();
    loop {
        let lag = cluster.json(&["lag"]);
        assert_eq!(lag["generation"], 3, "{lag}");
        if is_emitted(&lag) && !behind(&lag) {
            break;
        }
        assert!(clock.monotonic() < Duration::from_secs(180), "outputs leave from generation 3: {lag}");
    }
    // Beside a running process the same is told, and how it is.
    let status = cluster.json(&["status", "--data-dir", "worker"]);
    let is_told = |one: &Value| one["owner"].is_string() && (one["emitted"] != 0 || one["end"] == 0);
    assert!(status["status"].is_string() && !any(&status, &|one| !is_told(one)), "{status}");
    let shown = Ran::of(&cluster.command(&["status", "--data-dir", "worker"]).output().unwrap());
    assert!(shown.out.contains("emitted (E)") && shown.out.contains("state (P)"), "{}", shown.out);

    let refused = Ran::of(&cluster.command(&["projections", "rebuild", "--from-nothing"]).output().unwrap());
    refused.assert_code(1).assert_error(&["--from-nothing is for log and projections in one folder"]);
}

#[test]
fn keys_of_many_processes_are_in_the_database() {
    let Some(cluster) = Cluster::new() else { return };
    let first = cluster.json(&["setup"]);
    assert!(first["first_key"].is_string(), "{first}");
    let again = cluster.json(&["setup"]);
    assert_eq!((&again["first_key"], &again["drift"]), (&Value::Null, &json!(false)), "{again}");

    let made = cluster.json(&["keys", "create", "--name", "prometheus", "--scope", "read"]);
    assert!(made["key"].is_string(), "{made}");
    let listed = cluster.json(&["keys", "list"]);
    assert_eq!(listed["keys"].as_array().unwrap().len(), 2, "the first and this one: {listed}");
    cluster.json(&["keys", "revoke", made["data"]["key_id"].as_str().unwrap()]);
    assert!(!cluster.shell.path("data/keys.redb").exists(), "none is in a file");
}

#[test]
fn what_differs_in_the_log_and_in_the_database_is_told_with_the_same_exit_code() {
    let Some(cluster) = Cluster::new() else { return };
    cluster.json(&["setup"]);
    let setup = |arguments: &[&str]| {
        let mut command = cluster.command(&[&["setup"], arguments].concat());
        command.env("TRIBUTARY_KAFKA_REPLICATION", "2").env("TRIBUTARY_CQL_REPLICATION", "2");
        let ran = Ran::of(&command.output().unwrap());
        ran.assert_code(4);
        ran.out
    };
    let told: Value = serde_json::from_str(&setup(&["--json"])).unwrap();
    assert_eq!(told["drift"], true, "{told}");
    let topics = told["topics"].as_array().unwrap();
    let copies = json!([["replication.factor", "1", "2"]]);
    assert!(topics.len() == 3 && topics.iter().all(|topic| topic["differences"] == copies), "{told}");
    let tables = told["tables"].as_array().unwrap();
    assert!(tables.len() == 1 && tables[0].as_str().unwrap().starts_with("copies are kept as"), "{told}");
    let text = setup(&[]);
    for part in ["replication.factor is \"1\", should be \"2\"", "tables: DIFFER", "copies are kept as"] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    assert_eq!(cluster.json(&["setup"])["drift"], false, "nothing was changed");
}
