//! `docker-compose.yml` fits the program, Prometheus, Grafana, and the services that run without containers.

use std::process::Command;

use serde_json::{Map, Value};

use super::{exists, is_setting, yaml};

fn services() -> Map<String, Value> {
    yaml::read("docker-compose.yml")[0]["services"].as_object().unwrap().clone()
}

fn runs_the_program(service: &Value) -> bool {
    service["build"] == "."
}

/// Those that go on, and so can be watched.
fn stays(service: &Value) -> bool {
    runs_the_program(service) && service["restart"] == "unless-stopped"
}

fn list(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().map(|item| item.as_str().unwrap()).collect()
}

/// `address:outside:inside` as two ports.
fn published(service: &Value) -> Vec<(u16, u16)> {
    list(&service["ports"])
        .into_iter()
        .map(|port| {
            let (outside, inside) = port
                .strip_prefix("127.0.0.1:")
                .and_then(|rest| rest.split_once(':'))
                .unwrap_or_else(|| panic!("{port} is not for this machine alone"));
            (outside.parse().unwrap(), inside.parse().unwrap())
        })
        .collect()
}

#[test]
fn its_variables_are_settings() {
    for (name, service) in services().iter().filter(|(_, service)| runs_the_program(service)) {
        for variable in service["environment"].as_object().unwrap().keys() {
            assert!(is_setting(variable), "{name}: the program would refuse {variable}");
        }
    }
}

#[test]
fn what_its_processes_are_told_is_where_the_services_are() {
    let services = services();
    for (name, service) in
        services.iter().filter(|(_, service)| runs_the_program(service) && service["profiles"].is_null())
    {
        let told = |variable: &str| service["environment"][variable].as_str().unwrap();
        let listeners = services["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"].as_str().unwrap();
        let brokers = told("TRIBUTARY_KAFKA_BROKERS");
        assert!(
            listeners.contains(&format!("INSIDE://{brokers},")),
            "{name}: no listener for {brokers} in {listeners}"
        );
        let (scylla, port) = told("TRIBUTARY_CQL_NODES").split_once(':').unwrap();
        assert_eq!(published(&services[scylla])[0].1.to_string(), port, "{name}");
        let (registry, port) =
            told("TRIBUTARY_KAFKA_REGISTRY_URL").strip_prefix("http://").unwrap().split_once(':').unwrap();
        let listens = services[registry]["environment"]["SCHEMA_REGISTRY_LISTENERS"].as_str().unwrap();
        assert_eq!(listens, format!("http://0.0.0.0:{port}"), "{name}");
        assert_eq!(published(&services[registry])[0].1.to_string(), port, "{name}");
    }
}

#[test]
fn from_this_machine_its_services_are_where_those_without_containers_are() {
    let cluster: toml::Table = super::CLUSTER.parse().unwrap();
    let services = services();
    let outside = |name: &str| published(&services[name])[0].0;
    let told = |group: &str, key: &str| cluster[group][key].as_str().unwrap().to_owned();
    assert_eq!(told("kafka", "brokers"), format!("127.0.0.1:{}", outside("kafka")));
    assert_eq!(told("cql", "nodes"), format!("127.0.0.1:{}", outside("scylla")));
    assert!(told("kafka", "registry_url").starts_with(&format!("http://127.0.0.1:{}/", outside("registry"))));
    let listeners = services["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"].as_str().unwrap();
    assert!(listeners.ends_with(&format!("OUTSIDE://127.0.0.1:{}", outside("kafka"))), "{listeners}");
}

#[test]
fn prometheus_watches_every_process_that_stays_and_grafana_finds_it() {
    let services = services();
    let staying: Vec<&str> =
        services.iter().filter(|(_, service)| stays(service)).map(|(name, _)| name.as_str()).collect();
    let scrape = &yaml::read("deploy/prometheus.yml")[0]["scrape_configs"][0];
    let mut watched = list(&scrape["dns_sd_configs"][0]["names"]);
    watched.sort_unstable();
    assert_eq!(watched, staying, "deploy/prometheus.yml names those that stay, and no other");
    for name in staying {
        let listens = services[name]["environment"]["TRIBUTARY_LISTEN"].as_str().unwrap();
        assert_eq!(listens, format!("0.0.0.0:{}", scrape["dns_sd_configs"][0]["port"]), "{name}");
    }
    let source = &yaml::read("deploy/grafana/provisioning/datasources/prometheus.yml")[0]["datasources"][0];
    assert_eq!(source["url"], format!("http://prometheus:{}", published(&services["prometheus"])[0].1));
    // The key that one writes is the key that the other reads.
    let key = scrape["authorization"]["credentials_file"].as_str().unwrap();
    assert!(list(&services["prometheus-key"]["command"])[0].ends_with(&format!("> {key}")));
    for (name, at) in [("prometheus-key", "keys:/keys"), ("tributary", "keys:/keys"), ("prometheus", "keys:/keys:ro")] {
        assert!(list(&services[name]["volumes"]).contains(&at), "{name} has no {at}");
    }
}

#[test]
fn each_worker_has_a_name_and_a_folder_of_its_own() {
    let services = services();
    let workers: Vec<_> =
        services.iter().filter(|(_, service)| service["environment"]["TRIBUTARY_ROLE"] == "worker").collect();
    assert_eq!(workers.len(), 2);
    for (name, service) in workers {
        assert_eq!(service["environment"]["TRIBUTARY_KAFKA_INSTANCE"], name.as_str());
        assert!(list(&service["volumes"]).contains(&format!("{name}-data:/data").as_str()), "{name}");
        assert!(list(&service["volumes"]).contains(&"snapshots:/snapshots"), "{name}");
    }
}

#[test]
fn what_it_names_is_there() {
    let compose = yaml::read("docker-compose.yml").remove(0);
    for (name, service) in services() {
        for volume in list(&service["volumes"]) {
            let source = volume.split(':').next().unwrap();
            match source.strip_prefix("./") {
                Some(path) => assert!(exists(path), "{name}: no {path}"),
                None => {
                    assert!(compose["volumes"].as_object().unwrap().contains_key(source), "{name}: no volume {source}")
                }
            }
        }
        for needed in service["depends_on"].as_object().into_iter().flatten() {
            assert!(compose["services"].get(needed.0).is_some(), "{name}: no {}", needed.0);
        }
        // Nothing beyond this machine.
        published(&service);
    }
}

/// What can read the file as it will be read: the newer program, or the older one.
#[test]
fn docker_compose_can_read_it() {
    for (program, before) in [("docker", &["compose"][..]), ("docker-compose", &[])] {
        let run = |arguments: &[&str]| {
            let mut command = Command::new(program);
            command.args(before).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output()
        };
        if run(&["version"]).is_ok_and(|output| output.status.success()) {
            for profile in [&[][..], &["--profile", "one"]] {
                let output = run(&[profile, &["config", "-q"]].concat()).unwrap();
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            }
            return;
        }
    }
    crate::services::not_tested("neither docker compose nor docker-compose is here to read docker-compose.yml");
}
