//! What is in `deploy/` and `docker-compose.yml` fits the program and fits together.

mod compose;
mod consumers;
mod examples;
mod kubernetes;
mod yaml;

use std::collections::BTreeSet;

use tributary::config::Config;
use tributary::run::Engines;

const CLUSTER: &str = include_str!("../../../deploy/cluster.toml");

/// A variable that the program reads, or one that it would refuse.
fn is_setting(variable: &str) -> bool {
    Config::names().iter().any(|name| format!("TRIBUTARY_{}", name.replace('.', "_").to_ascii_uppercase()) == variable)
}

fn exists(path: &str) -> bool {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists()
}

#[test]
fn the_settings_of_a_cluster_can_be_used_and_leave_out_none_of_its_engines() {
    let config: Config = toml::from_str(CLUSTER).unwrap();
    config.check().unwrap();
    assert!(matches!(config.engines().unwrap(), Engines::Cluster(..)));
    let table: toml::Table = CLUSTER.parse().unwrap();
    for group in ["kafka", "cql", "snapshots"] {
        let here: BTreeSet<String> =
            table[group].as_table().unwrap().keys().map(|key| format!("{group}.{key}")).collect();
        let known = Config::names().into_iter().filter(|name| name.starts_with(&format!("{group}.")));
        assert_eq!(here, known.collect(), "deploy/cluster.toml names every setting of [{group}]");
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

#[test]
fn what_building_needs_is_said_the_same_everywhere() {
    let makefile = include_str!("../../../Makefile");
    let packages = makefile.lines().find_map(|line| line.strip_prefix("BUILD_PACKAGES = ")).unwrap();
    let ci = include_str!("../../../.ci/run");
    assert!(ci.contains(packages), ".ci/run installs {packages}");
    let dockerfile = include_str!("../../../Dockerfile");
    // Its image has a C compiler.
    let (_, others) = packages.split_once("libc6-dev ").unwrap();
    assert!(dockerfile.contains(&format!("g++ {others}")), "the Dockerfile installs g++ {others}");
}
