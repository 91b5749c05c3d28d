//! The example producers and their events fit the program.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use serde_json::Value;
use tributary::clock::Clock;
use tributary::consume::Stream;
use tributary::decode::{Scratch, from_json};
use tributary::event::Kind;
use tributary::schema;
use tributary::web::client::Peer;

use crate::cli::Shell;
use crate::cli::serve::Server;
use crate::services::{self, Own, PATIENCE};

const EVENTS: &str = include_str!("../../../deploy/examples/events.ndjson");
const README: &str = include_str!("../../../deploy/examples/README.md");
const PYTHON: &str = include_str!("../../../deploy/examples/python/producer.py");
const JAVA: &str = include_str!("../../../deploy/examples/java/src/main/java/Producer.java");

#[test]
fn its_events_are_taken_in_and_are_of_every_kind_that_a_shop_sends() {
    let mut kinds = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for (number, line) in (1..).zip(EVENTS.lines()) {
        let mut scratch = Scratch::default();
        let event = from_json(line.as_bytes(), &mut scratch).unwrap_or_else(|error| panic!("line {number}: {error}"));
        kinds.insert(format!("{:?}", event.body.kind()));
        let json: serde_json::Value = serde_json::from_str(line).unwrap();
        // Avro has no other form of time; and none is there that a producer has no business with.
        assert!(json["occurred_at"].is_i64() && json["received_at"].is_null(), "line {number}");
        assert!(ids.insert(json["event_id"].as_str().unwrap().to_owned()), "line {number}: {} twice", json["event_id"]);
    }
    let sent = [Kind::Creator, Kind::Member, Kind::Share, Kind::Click, Kind::Conversion, Kind::Commission];
    assert_eq!(kinds, sent.map(|kind| format!("{kind:?}")).into());
    assert!(README.contains(&format!("`{} acknowledged`", ids.len())), "its README says how many there are");
}

#[test]
fn both_send_to_the_topic_that_is_read() {
    let topic = format!("\"{}\"", Stream::Events.name());
    assert!(PYTHON.contains(&topic) && JAVA.contains(&topic), "{topic}");
}

/// Python with the packages of `requirements.txt`: that of the README, or the machine's.
fn python() -> Option<String> {
    let usual = [concat!(env!("CARGO_MANIFEST_DIR"), "/target/examples/bin/python"), "python3"];
    let has_packages = |program: &&str| {
        let asked =
            Command::new(program).args(["-c", "import confluent_kafka.schema_registry.avro, fastavro"]).output();
        asked.is_ok_and(|output| output.status.success())
    };
    usual.into_iter().find(has_packages).map(str::to_owned)
}

/// Runs an example to its end.
fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("14 acknowledged"), "{program} {arguments:?}: {out}{err}");
}

/// Partition, key and value of every record, in order of the partitions.
fn records(brokers: &str, topic: &str) -> Vec<(i32, Vec<u8>, Vec<u8>)> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("group.id", "examples").set("enable.auto.commit", "false");
    let consumer: BaseConsumer = config.create().unwrap();
    let mut start = TopicPartitionList::new();
    let mut expected = 0;
    for partition in 0..4 {
        start.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
        let (first, end) = consumer.fetch_watermarks(topic, partition, PATIENCE).unwrap();
        expected += usize::try_from(end - first).unwrap();
    }
    consumer.assign(&start).unwrap();
    let mut found = Vec::new();
    // As often as PATIENCE allows.
    for _ in 0..300 {
        if found.len() == expected {
            break;
        }
        if let Some(record) = consumer.poll(PATIENCE / 300) {
            let record = record.unwrap();
            found.push((record.partition(), record.key().unwrap().to_vec(), record.payload().unwrap().to_vec()));
        }
    }
    found.sort_by_key(|(partition, _, _)| *partition);
    found
}

/// What the program itself would send for the event of `line`.
fn as_ours(line: &str, id: Option<u32>) -> Vec<u8> {
    let mut scratch = Scratch::default();
    let event = from_json(line.as_bytes(), &mut scratch).unwrap();
    let mut bytes = Vec::new();
    match id {
        Some(id) => schema::encode_confluent(&event, id, &mut bytes),
        None => schema::encode(&event, &mut bytes),
    }
    bytes
}

#[test]
#[ignore = "half a minute, with packages of PyPI and Maven"]
fn both_examples_send_what_the_program_would() {
    let Some(own) = Own::start(&["kafka", "registry"]) else { return };
    let Some(python) = python() else { return services::not_tested("deploy/examples/README.md says what to install") };
    let (brokers, registry) = (own.env("KAFKA_BROKERS"), own.env("REGISTRY_URL"));
    services::make_topic(&brokers, Stream::Events.name(), 4);

    let file = "deploy/examples/events.ndjson";
    let program = "deploy/examples/python/producer.py";
    run(&python, &[program, "--brokers", &brokers, file]);
    run(&python, &[program, "--brokers", &brokers, "--registry", &registry, file]);
    for registry in ["", &registry] {
        let arguments = format!("-Dexec.args={file} {brokers} {registry}");
        run("mvn", &["-q", "-B", "-f", "deploy/examples/java", "compile", "exec:java", &arguments]);
    }

    let records = records(&brokers, Stream::Events.name());
    assert_eq!(records.len(), 4 * EVENTS.lines().count());
    let mut partitions = BTreeMap::new();
    for creator in ["example", "sample"] {
        let of_creator: Vec<_> = records.iter().filter(|(_, key, _)| key == creator.as_bytes()).collect();
        let lines: Vec<&str> = EVENTS.lines().filter(|line| line.contains(&format!("\"{creator}\""))).collect();
        for (number, (partition, _, value)) in of_creator.iter().enumerate() {
            // Python, Python with the registry, Java, Java with the registry.
            let (run, line) = (number / lines.len(), lines[number % lines.len()]);
            let id = (run % 2 == 1).then(|| u32::from_be_bytes(value[1..5].try_into().unwrap()));
            assert_eq!(*value, as_ours(line, id), "run {run}: {line}");
            partitions.entry(creator).or_insert_with(BTreeSet::new).insert(*partition);
        }
    }
    let places: Vec<_> = partitions.values().map(BTreeSet::len).collect();
    assert_eq!(places, [1, 1], "one partition a creator, whoever sends: {partitions:?}");
}

/// What is asked, of every creator and every member.
fn questions() -> Vec<String> {
    let mut paths = vec!["/v1/creators?limit=10".to_owned()];
    for (creator, members) in [("example", vec!["ann", "ben"]), ("sample", vec!["zoe"])] {
        let creator = format!("/v1/creators/{creator}");
        let span = "from=2026-05-01T00:00:00Z&to=2026-05-02T00:00:00Z&tz=UTC";
        paths.extend(
            ["members", "conversions", "commissions", "leaderboard", "cohorts"].map(|of| format!("{creator}/{of}")),
        );
        paths.extend(["analytics", "funnel"].map(|of| format!("{creator}/{of}?{span}")));
        paths.push(format!("{creator}/timeseries?{span}&interval=hour"));
        paths.push(format!("{creator}/breakdown?{span}&by=platform"));
        for member in members {
            paths.extend(
                ["stats", "commissions", "clicks", "shares"].map(|of| format!("{creator}/members/{member}/{of}")),
            );
        }
        paths.push(creator);
    }
    paths
}

/// What a server answers once it has folded all that was sent; without where in the log that is.
async fn answers(server: &Server) -> BTreeMap<String, Value> {
    let peer = Peer { addr: server.url.trim_start_matches("http://").parse().unwrap(), key: None };
    let clock = Clock::system();
    loop {
        let health = peer.get("/health").await.unwrap().json(peer.addr).unwrap();
        let sum = |name: &str| {
            let places = health["projections"]["partitions"].as_array().unwrap().iter();
            places.map(|place| place[name].as_u64().unwrap_or_default()).sum::<u64>()
        };
        let sent = u64::try_from(EVENTS.lines().count()).unwrap();
        if (sum("log_end"), sum("fast"), sum("slow")) == (sent, sent, sent) {
            break;
        }
        assert!(clock.monotonic() < PATIENCE, "{health}");
        tokio::time::sleep(PATIENCE / 300).await;
    }
    let mut answers = BTreeMap::new();
    for path in questions() {
        let mut answer =
            peer.get(&path).await.unwrap().json(peer.addr).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(answer.as_object_mut().unwrap().remove("meta").is_some(), "{path}: {answer}");
        answers.insert(path, answer);
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a minute, with packages of PyPI and Maven; make examples"]
async fn both_examples_lead_to_the_answers_that_http_leads_to() {
    let Some(own) = tokio::task::block_in_place(|| Own::start(&["kafka", "registry"])) else { return };
    let Some(python) = python() else { return services::not_tested("make examples gets what is missing") };
    let (brokers, registry) = (own.env("KAFKA_BROKERS"), own.env("REGISTRY_URL"));
    let file = "deploy/examples/events.ndjson";

    let shell = Shell::new();
    let alone = shell.write("alone.toml", "[worker]\ntick_after_ms = 0\n");
    let server = Server::with(&shell, &["--insecure-dev", "--config", alone.to_str().unwrap()]);
    let peer = Peer { addr: server.url.trim_start_matches("http://").parse().unwrap(), key: None };
    let body = format!("[{}]", EVENTS.lines().collect::<Vec<_>>().join(","));
    let taken = peer.post("/v1/events", body.into()).await.unwrap().json(peer.addr).unwrap();
    assert_eq!(taken["accepted"], EVENTS.lines().count(), "{taken}");
    let expected = answers(&server).await;
    assert_eq!(expected["/v1/creators/example/members/ann/stats"]["data"]["figures"]["counts"]["orders"], 2);
    drop(server);

    let python = |topic: &str, registry: &[&str]| {
        let program = "deploy/examples/python/producer.py";
        run(&python, &[&[program, "--brokers", &brokers, "--topic", topic, file], registry].concat());
    };
    let java = |topic: &str, registry: &str| {
        let arguments = format!("-Dexec.args={file} {brokers} {registry}");
        let topic = format!("-Dtopic={topic}");
        run("mvn", &["-q", "-B", "-f", "deploy/examples/java", "compile", "exec:java", &topic, &arguments]);
    };
    for way in ["python", "python-registry", "java", "java-registry"] {
        let shell = Shell::new();
        let settings = format!(
            "[worker]\ntick_after_ms = 0\n[kafka]\nbrokers = \"{brokers}\"\nreplication = 1\ntopic_prefix = \"{way}.\"\n\
             group = \"{way}\"\nregistry_url = \"{registry}\"\n"
        );
        let config = shell.write("kafka.toml", &settings);
        shell.run(&["--config", "kafka.toml", "setup"]).assert_code(0);
        let topic = format!("{way}.{}", Stream::Events.name());
        tokio::task::block_in_place(|| match way {
            "python" => python(&topic, &[]),
            "python-registry" => python(&topic, &["--registry", &registry]),
            "java" => java(&topic, ""),
            _ => java(&topic, &registry),
        });
        let server = Server::with(&shell, &["--insecure-dev", "--config", config.to_str().unwrap()]);
        let found = answers(&server).await;
        for (path, answer) in &expected {
            assert_eq!(&found[path], answer, "{way}: {path}");
        }
    }
    tokio::task::block_in_place(|| drop(own));
}
