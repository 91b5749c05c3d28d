//! `deploy/kubernetes` fits the program and fits together. Whether Kubernetes takes it, `kubernetes-validate` of PyPI tells.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{is_setting, yaml};

/// All objects, by kind and name.
fn objects() -> BTreeMap<(String, String), Value> {
    let files = ["config", "setup", "worker", "web"].map(|name| format!("deploy/kubernetes/{name}.yaml"));
    let documents = files.iter().flat_map(|path| yaml::read(path));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    documents.map(|object| ((text(&object["kind"]), text(&object["metadata"]["name"])), object)).collect()
}

/// Those that have pods, with what their pods are made by.
fn pods() -> Vec<(String, Value)> {
    let has_pods = |object: &Value| object["spec"]["template"].is_object();
    objects()
        .into_iter()
        .filter(|(_, object)| has_pods(object))
        .map(|((_, name), object)| (name, object["spec"]["template"].clone()))
        .collect()
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn every_file_there_is_looked_at() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/kubernetes");
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 4);
    let kinds: Vec<String> = objects().into_keys().map(|(kind, name)| format!("{kind} {name}")).collect();
    expect_test::expect![[r#"
        [
            "ConfigMap tributary",
            "Deployment tributary-web",
            "Job tributary-setup",
            "PodDisruptionBudget tributary-web",
            "PodDisruptionBudget tributary-worker",
            "Service tributary",
            "Service tributary-worker",
            "ServiceAccount tributary",
            "StatefulSet tributary-worker",
        ]
    "#]]
    .assert_debug_eq(&kinds);
}

#[test]
fn its_variables_are_settings() {
    let config = objects().remove(&("ConfigMap".to_owned(), "tributary".to_owned())).unwrap();
    let shared = config["data"].as_object().unwrap();
    for variable in shared.keys() {
        assert!(is_setting(variable), "the program would refuse {variable}");
    }
    for (name, pod) in pods() {
        // A service's name comes as variables too, and ours begin as settings do.
        assert_eq!(pod["spec"]["enableServiceLinks"], false, "{name}");
        let container = &pod["spec"]["containers"][0];
        assert_eq!(container["envFrom"][0]["configMapRef"]["name"], "tributary", "{name}");
        for variable in array(&container["env"]) {
            let variable = variable["name"].as_str().unwrap();
            assert!(is_setting(variable), "{name}: the program would refuse {variable}");
        }
    }
}

#[test]
fn files_that_settings_name_are_mounted_and_written_only_where_it_may_be() {
    let config = objects().remove(&("ConfigMap".to_owned(), "tributary".to_owned())).unwrap();
    let files: Vec<&str> = yaml::texts(&config["data"]).into_iter().filter(|text| text.starts_with('/')).collect();
    assert!(files.len() >= 5, "{files:?}");
    for (name, pod) in pods() {
        let container = &pod["spec"]["containers"][0];
        let mounts: Vec<&str> =
            array(&container["volumeMounts"]).iter().map(|mount| mount["mountPath"].as_str().unwrap()).collect();
        for file in &files {
            assert!(mounts.iter().any(|mount| file.starts_with(mount)), "{name}: nothing is mounted for {file}");
        }
        assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true, "{name}");
        assert_eq!(pod["spec"]["securityContext"]["runAsUser"], 10001, "{name}: the user of the Dockerfile");
    }
}

#[test]
fn ports_and_labels_lead_to_the_pods() {
    let objects = objects();
    let pods = pods();
    let listens = objects[&("ConfigMap".to_owned(), "tributary".to_owned())]["data"]["TRIBUTARY_LISTEN"].clone();
    for ((kind, name), object) in &objects {
        let selector = match kind.as_str() {
            "Service" => &object["spec"]["selector"],
            "PodDisruptionBudget" | "StatefulSet" | "Deployment" => &object["spec"]["selector"]["matchLabels"],
            _ => continue,
        };
        let chosen: Vec<_> = pods.iter().filter(|(_, pod)| pod["metadata"]["labels"] == *selector).collect();
        let [(_, pod)] = chosen[..] else { panic!("{kind} {name} chooses {}", chosen.len()) };
        let port = &pod["spec"]["containers"][0]["ports"][0];
        assert_eq!(listens, format!("0.0.0.0:{}", port["containerPort"]));
        if kind == "Service" {
            assert_eq!(object["spec"]["ports"][0]["targetPort"], port["name"], "{name}");
        }
    }
}

#[test]
fn a_worker_is_named_by_its_pod_and_keeps_its_state() {
    let worker = objects().remove(&("StatefulSet".to_owned(), "tributary-worker".to_owned())).unwrap();
    let container = &worker["spec"]["template"]["spec"]["containers"][0];
    let told = |name: &str| array(&container["env"]).iter().find(|variable| variable["name"] == name).unwrap().clone();
    assert_eq!(told("TRIBUTARY_ROLE")["value"], "worker");
    assert_eq!(told("TRIBUTARY_KAFKA_INSTANCE")["valueFrom"]["fieldRef"]["fieldPath"], "metadata.name");
    assert_eq!(worker["spec"]["volumeClaimTemplates"][0]["metadata"]["name"], container["volumeMounts"][0]["name"]);
    assert_eq!(container["volumeMounts"][0]["mountPath"], "/data");
    let topology = tributary::topology::Topology::load().unwrap();
    let partitions = topology.topics.iter().map(|topic| u64::from(topic.partitions)).min().unwrap();
    assert!(worker["spec"]["replicas"].as_u64().unwrap() <= partitions, "more workers than partitions are of no use");
}
