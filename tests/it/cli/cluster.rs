//! Commands where log and rows are in Kafka and a CQL database.

use std::process::Command;

use serde_json::{Value, json};

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
