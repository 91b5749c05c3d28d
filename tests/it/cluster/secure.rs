//! Encryption, certificates and logins as the settings have them, on services that ask for them.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use bytes::Bytes;
use tempfile::TempDir;
use tributary::append::Outgoing;
use tributary::clock::Clock;
use tributary::config::Config;
use tributary::consume::Stream;
use tributary::consume::registry::{Error, Registry};
use tributary::ids::Partition;
use tributary::run::letters::{Letters, Summary, Wanted};
use tributary::run::setup::{set_up, wanted};
use tributary::run::{Engines, Rows};
use tributary::store::scylla::ScyllaStore;
use tributary::topology::Topology;

use super::place::{PATIENCE, Place, append, caught_up, places, records};
use crate::services::Own;
use crate::worker::programme::{START, spec};

fn write(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// The settings of the services, with a certificate of ours and the mechanism of a login that is not set.
fn settings(own: &Own, dir: &Path, (cert, key): (&str, &str)) -> Config {
    let kafka = write(dir, "kafka.password", "admin-secret\n");
    let cql = write(dir, "cql.password", &own.env("CQL_PASSWORD"));
    let text = format!(
        r#"
        [kafka]
        brokers = "{}"
        replication = 1
        security = "sasl_ssl"
        user = "admin"
        password_file = "{}"
        ca_file = "{ca}"
        cert_file = "{cert}"
        key_file = "{key}"
        [cql]
        nodes = "{}"
        replication = 1
        user = "{}"
        password_file = "{}"
        ca_file = "{ca}"
        server_name = "localhost"
        cert_file = "{cert}"
        key_file = "{key}"
        "#,
        own.env("KAFKA_SASL_BROKERS"),
        kafka.display(),
        own.env("CQL_NODES"),
        own.env("CQL_USERNAME"),
        cql.display(),
        ca = own.env("KAFKA_CA"),
    );
    let config: Config = toml::from_str(&text).unwrap();
    config.check().unwrap();
    config
}

/// Where log and database are, as these settings have it.
fn place(config: &Config) -> Place {
    let Engines::Cluster(both) = config.engines().unwrap() else { panic!("both are named") };
    let (kafka, cql) = *both;
    Place { kafka, cql }
}

/// Whether log and database let us in.
async fn reached(config: &Config) -> (Result<(), String>, Result<(), String>) {
    let Place { kafka, cql } = place(config);
    let topics = wanted(&kafka, 1, None, &Topology::load().unwrap());
    let log = set_up(&kafka, &topics, None).await.map(drop).map_err(|error| format!("{error:?}"));
    let store = match ScyllaStore::connect(cql).await {
        Ok(store) => set_up(&kafka, &[], Some(&Rows::Cql(store))).await.map(drop).map_err(|error| format!("{error:?}")),
        Err(error) => Err(format!("{error:?}")),
    };
    (log, store)
}

const GARBAGE: Partition = Partition(2);

/// No event at all: it becomes a dead letter.
fn garbage() -> Outgoing {
    let (key, value) = (Bytes::from_static(b"somebody"), Bytes::from_static(b"no event"));
    Outgoing { stream: Stream::Events, partition: GARBAGE, timestamp: START, key, value }
}

/// What is appended there is folded, its rows are written, and its outputs leave in transactions.
async fn folds(config: &Config, dir: &TempDir) {
    let mut process = place(config).process(dir).await;
    process.start().unwrap();
    let mut all = records(&spec(6, 60, 400, 5), 4);
    all.push(garbage());
    let ends = append(&process, &all).await;
    caught_up(&process, &ends).await;
    // E moves with the outputs.
    let clock = Clock::system();
    loop {
        let places = places(&process).await;
        if places.iter().all(|place| place.emitted == place.end) {
            break;
        }
        assert!(clock.monotonic() < PATIENCE, "{places:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let listed = tokio::task::block_in_place(|| {
        let mut letters = Letters::open(process.log.clone(), None, Clock::system()).unwrap();
        letters.list(&Wanted { partition: None, from: None, class: None, limit: 1_000 }).unwrap()
    });
    let of_garbage = |letter: &&Summary| {
        letter.source.partition == GARBAGE && Some(&letter.source.offset.next()) == ends.get(&GARBAGE)
    };
    assert_eq!(listed.iter().filter(of_garbage).count(), 1, "{listed:?}");
    let mut differences = Vec::new();
    let summary = process.verify(|difference| differences.push(difference), |_, _| {}).await.unwrap();
    assert_eq!((differences, summary.events), (vec![], 401));
    process.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_that_ask_for_a_login_and_a_certificate_let_us_fold_with_ours_and_refuse_a_stranger_s() {
    let up = ["kafka", "cassandra", "--secure"];
    let own = tokio::task::spawn_blocking(move || Own::start_with(&up, &[("CASSANDRA_CLIENT_AUTH", "true")])).await;
    let Some(own) = own.unwrap() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (cert, key) = (own.env("KAFKA_CERT"), own.env("KAFKA_KEY"));
    let mut ours = settings(&own, dir.path(), (&cert, &key));
    assert_eq!(ours.kafka.sasl_mechanism, "SCRAM-SHA-512", "where none is set");
    assert_eq!(reached(&ours).await, (Ok(()), Ok(())));
    folds(&ours, &dir).await;
    for mechanism in ["SCRAM-SHA-256", "PLAIN"] {
        mechanism.clone_into(&mut ours.kafka.sasl_mechanism);
        assert_eq!(reached(&ours).await, (Ok(()), Ok(())), "{mechanism}");
    }

    // A node whose certificate bears another name is none.
    let mut other = settings(&own, dir.path(), (&cert, &key));
    other.cql.server_name = "elsewhere.example".to_owned();
    let (log, store) = reached(&other).await;
    assert!(log.is_ok() && store.is_err(), "{log:?} {store:?}");
    other.cql.server_name.clear();
    assert_eq!(reached(&other).await, (Ok(()), Ok(())), "without a name any will do");

    // Nobody whom the services trust has signed it.
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=stranger", "-keyout", "s.key"]);
    let made = command.args(["-out", "s.pem"]).current_dir(dir.path()).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let (cert, key) = (dir.path().join("s.pem"), dir.path().join("s.key"));
    let strange = settings(&own, dir.path(), (cert.to_str().unwrap(), key.to_str().unwrap()));
    let key = key.to_str().unwrap().to_owned();
    let (_, store) = reached(&strange).await;
    assert!(store.is_err(), "{store:?}");
    let none = write(dir.path(), "none.pem", "no certificate");
    let (log, store) = reached(&settings(&own, dir.path(), (none.to_str().unwrap(), &key))).await;
    assert!(log.is_err() && store.is_err(), "{log:?} {store:?}");
    // Kafka only requests one, the database requires it.
    let (log, store) = reached(&settings(&own, dir.path(), ("", ""))).await;
    assert!(log.is_ok() && store.is_err(), "{log:?} {store:?}");
    tokio::task::spawn_blocking(move || drop(own)).await.unwrap();
}

/// A registry with one schema for whoever says `Basic ada:open sesame`; its address. It answers so many questions.
fn registry(questions: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/apis", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().take(questions) {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
            let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let is_ada = head.iter().any(|line| line.eq_ignore_ascii_case("authorization: Basic YWRhOm9wZW4gc2VzYW1l"));
            let (status, body) =
                if is_ada { ("200 OK", r#"{"schema":"\"string\""}"#) } else { ("401 Unauthorized", "{}") };
            let len = body.len();
            write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n{body}").unwrap();
        }
    });
    url
}

#[tokio::test]
async fn a_registry_is_asked_with_the_login_of_the_settings_which_is_shown_nowhere() {
    let (url, dir) = (registry(3), tempfile::tempdir().unwrap());
    let of = |login: &str| -> Registry {
        let text = format!("[kafka]\nregistry_url = \"{url}\"\n{login}");
        let config: Config = toml::from_str(&text).unwrap();
        config.check().unwrap();
        let options = config.options().unwrap();
        let shown = format!("{options:?}");
        assert!(!shown.contains("sesame") && !shown.contains("YWRhOm9wZW4gc2VzYW1l"), "{shown}");
        options.registry.unwrap()
    };
    let login = |password: &str| {
        let file = write(dir.path(), "registry.password", password);
        format!("registry_user = \"ada\"\nregistry_password_file = \"{}\"\n", file.display())
    };
    assert_eq!(of(&login("open sesame\n")).schema(7).await.unwrap().as_deref(), Some("\"string\""));
    for refused in [of(&login("closed")), of("")] {
        let error = refused.schema(7).await.unwrap_err();
        assert!(matches!(error, Error::Refused { .. }) && error.is_transient(), "{error}");
        let named = ["401 Unauthorized", "`kafka.registry_user`", "`kafka.registry_password_file`"];
        assert!(named.iter().all(|part| error.to_string().contains(part)), "{error}");
    }
}
