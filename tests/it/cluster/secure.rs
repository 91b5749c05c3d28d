//! Encryption, certificates and logins as the settings have them, on services that ask for them.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use tributary::config::Config;
use tributary::consume::registry::{Error, Registry};
use tributary::run::setup::{set_up, wanted};
use tributary::run::{Engines, Rows};
use tributary::store::scylla::ScyllaStore;
use tributary::topology::Topology;

use crate::services::Own;

fn write(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// The settings of the services, with a certificate of ours.
fn settings(own: &Own, dir: &Path, (cert, key): (&str, &str)) -> Config {
    let kafka = write(dir, "kafka.password", "admin-secret\n");
    let cql = write(dir, "cql.password", &own.env("CQL_PASSWORD"));
    let text = format!(
        r#"
        [kafka]
        brokers = "{}"
        replication = 1
        security = "sasl_ssl"
        sasl_mechanism = "PLAIN"
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

/// Whether log and database let us in.
async fn reached(config: &Config) -> (Result<(), String>, Result<(), String>) {
    let Engines::Cluster(both) = config.engines().unwrap() else { panic!("both are named") };
    let (kafka, cql) = *both;
    let topics = wanted(&kafka, 1, None, &Topology::load().unwrap());
    let log = set_up(&kafka, &topics, None).await.map(drop).map_err(|error| format!("{error:?}"));
    let store = match ScyllaStore::connect(cql).await {
        Ok(store) => set_up(&kafka, &[], Some(&Rows::Cql(store))).await.map(drop).map_err(|error| format!("{error:?}")),
        Err(error) => Err(format!("{error:?}")),
    };
    (log, store)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_that_ask_for_a_certificate_know_us_by_ours_and_refuse_a_stranger_s() {
    let up = ["kafka", "cassandra", "--secure"];
    let own = tokio::task::spawn_blocking(move || Own::start_with(&up, &[("CASSANDRA_CLIENT_AUTH", "true")])).await;
    let Some(own) = own.unwrap() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (cert, key) = (own.env("KAFKA_CERT"), own.env("KAFKA_KEY"));
    assert_eq!(reached(&settings(&own, dir.path(), (&cert, &key))).await, (Ok(()), Ok(())));

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
        assert!(matches!(error, Error::Refused { .. }), "{error}");
    }
}
