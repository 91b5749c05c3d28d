//! What is in `deploy/` and `docker-compose.yml` fits the program and fits together.

mod compose;
mod examples;
mod kubernetes;
mod yaml;

use std::collections::BTreeSet;

use tributary::config::Config;

const CLUSTER: &str = include_str!("../../../deploy/cluster.toml");

/// Settings of many processes that the program is yet to know. Empty, once it knows them.
const COMING: [&str; 22] = [
    "role",
    "kafka.brokers",
    "kafka.group",
    "kafka.instance",
    "kafka.topic_prefix",
    "kafka.replication",
    "kafka.security",
    "kafka.sasl_mechanism",
    "kafka.user",
    "kafka.password_file",
    "kafka.ca_file",
    "kafka.session_timeout_ms",
    "kafka.registry_url",
    "cql.nodes",
    "cql.keyspace",
    "cql.replication",
    "cql.local_dc",
    "cql.user",
    "cql.password_file",
    "cql.ca_file",
    "snapshots.url",
    "snapshots.every_s",
];

/// Every setting, dotted.
fn settings() -> BTreeSet<String> {
    Config::names().into_iter().chain(COMING.map(str::to_owned)).collect()
}

/// A variable that the program reads, or one that it would refuse.
fn is_setting(variable: &str) -> bool {
    settings().iter().any(|name| format!("TRIBUTARY_{}", name.replace('.', "_").to_ascii_uppercase()) == variable)
}

fn exists(path: &str) -> bool {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists()
}

#[test]
fn what_the_program_knows_is_not_coming() {
    let known = Config::names();
    let both: Vec<_> = COMING.into_iter().filter(|name| known.iter().any(|known| known == name)).collect();
    assert_eq!(both, Vec::<&str>::new(), "take them out of COMING; when it is empty, drop it");
}

#[test]
fn the_settings_of_a_cluster_are_settings() {
    let table: toml::Table = CLUSTER.parse().unwrap();
    let mut named = BTreeSet::new();
    for (key, value) in &table {
        match value.as_table() {
            Some(group) => named.extend(group.keys().map(|inner| format!("{key}.{inner}"))),
            None => named.extend([key.clone()]),
        }
    }
    let all = settings();
    let unknown: Vec<_> = named.difference(&all).collect();
    assert!(unknown.is_empty(), "deploy/cluster.toml names no settings: {unknown:?}");
    for group in ["kafka", "cql", "snapshots"] {
        let of_group = |name: &&String| name.starts_with(&format!("{group}."));
        let (here, known): (Vec<_>, Vec<_>) =
            (named.iter().filter(of_group).collect(), all.iter().filter(of_group).collect());
        assert_eq!(here, known, "deploy/cluster.toml names every setting of [{group}]");
    }
}

#[test]
fn every_setting_of_a_cluster_is_explained() {
    let lines: Vec<&str> = CLUSTER.lines().collect();
    for pair in lines.windows(2) {
        let is_setting = pair[1].contains(" = ") && !pair[1].starts_with('#');
        assert!(!is_setting || pair[0].starts_with('#'), "no word about `{}`", pair[1]);
    }
}
