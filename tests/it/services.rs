//! Kafka, Cassandra and a schema registry for tests: those that `scripts/test` or `make services-up` started, and
//! private ones that a test may break.
//!
//! Without them what needs them is not tested: that is said aloud, and with CI=true it is a failure.
#![expect(clippy::disallowed_methods, reason = "where the services are is told by the environment")]

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

const SCRIPT: &str = "scripts/services/services";

/// Brokers, as `bootstrap.servers` wants them.
pub fn kafka() -> Option<String> {
    told("KAFKA_BROKERS")
}

/// Nodes of the database, each with its port.
pub fn cassandra() -> Option<Vec<String>> {
    told("CQL_NODES").map(|nodes| nodes.split(',').map(str::to_owned).collect())
}

/// The address of the registry, up to where `/subjects` follows.
pub fn registry() -> Option<String> {
    told("REGISTRY_URL")
}

/// A name that nothing else has: of topics, groups, keyspaces.
pub fn unique(what: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
    format!("{what}_{now}_{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// The id that a registry gives a schema.
pub async fn register(url: &str, subject: &str, schema: &str) -> u32 {
    let host = url.strip_prefix("http://").unwrap();
    let (address, path) = host.split_once('/').unwrap_or((host, ""));
    let body = serde_json::json!({ "schema": schema }).to_string();
    let request = format!(
        "POST /{path}/subjects/{subject}/versions HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let json = &answer[answer.find('{').unwrap_or_else(|| panic!("{answer}"))..=answer.rfind('}').unwrap()];
    let answer: serde_json::Value = serde_json::from_str(json).unwrap();
    u32::try_from(answer["id"].as_u64().unwrap_or_else(|| panic!("{answer}"))).unwrap()
}

fn told(variable: &str) -> Option<String> {
    let value = std::env::var(variable).ok().filter(|value| !value.is_empty());
    if value.is_none() {
        not_tested(&format!("{variable} is not set: make services-up && eval \"$({SCRIPT} env)\", or make test"));
    }
    value
}

/// Says that the test at hand is not run, or fails with CI=true.
pub fn not_tested(why: &str) {
    let is_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!is_ci, "{why}");
    let thread = std::thread::current();
    let said = format!("NOT TESTED: {}; {why}\n", thread.name().unwrap_or("a test"));
    // Past the test's own capture, so that nobody takes silence for success.
    drop(std::io::stderr().write_all(said.as_bytes()));
}

/// Services of one test alone, which it may kill. Gone, with their data, when dropped.
pub struct Own {
    dir: PathBuf,
    offset: u16,
    /// More of what `services help` names.
    variables: Vec<(&'static str, &'static str)>,
    /// Held as long as the ports are ours.
    _lock: File,
}

impl Own {
    /// Starts them, with what `services up` takes: `&["kafka", "--nodes", "3", "--secure"]`. None where the jars are not there.
    pub fn start(arguments: &[&str]) -> Option<Self> {
        Self::start_with(arguments, &[])
    }

    /// The same with variables of `services help`.
    pub fn start_with(arguments: &[&str], variables: &[(&'static str, &'static str)]) -> Option<Self> {
        let lib = std::env::var_os("SERVICES_LIB").map_or_else(|| root().join("target/services/lib"), PathBuf::from);
        let kinds = arguments.iter().map(|what| what.split('-').next().unwrap_or(what));
        for kind in kinds.filter(|kind| ["kafka", "cassandra", "registry"].contains(kind)) {
            if !lib.join(kind).join(".stamp").exists() {
                not_tested(&format!("the jars of {kind} are not there: {SCRIPT} fetch, or make test"));
                return None;
            }
        }
        let (offset, lock) = free_ports();
        let dir = root().join(format!("target/services-own/{offset}"));
        let own = Self { dir, offset, variables: variables.to_vec(), _lock: lock };
        std::fs::create_dir_all(&own.dir).unwrap();
        // Left by a test that was killed.
        own.run(&["down", "--wipe"]);
        own.run(&[&["up"], arguments].concat());
        Some(own)
    }

    /// Starts what was stopped or killed, on its data: `kafka-1`, `cassandra`, …
    pub fn up(&self, name: &str) {
        self.run(&["up", name]);
    }

    /// Stops in order.
    pub fn down(&self, name: &str) {
        self.run(&["down", name]);
    }

    /// With SIGKILL.
    pub fn kill(&self, name: &str) {
        self.run(&["kill", name]);
    }

    /// With SIGSTOP: it still accepts connections, and answers nobody.
    pub fn pause(&self, name: &str) {
        self.run(&["pause", name]);
    }

    pub fn resume(&self, name: &str) {
        self.run(&["resume", name]);
    }

    /// Stops all, and moves what they had to `folder`: a failure is to be looked at. Tells how to start them there.
    pub fn keep(self, folder: &Path) -> String {
        let mut command = Command::new(root().join(SCRIPT));
        let stopped = command.arg("down").env("SERVICES_DIR", &self.dir).output();
        let moved = stopped.and_then(|_| std::fs::rename(&self.dir, folder));
        let said = match moved {
            Ok(()) => format!("SERVICES_DIR={} {SCRIPT} up", folder.display()),
            Err(error) => format!("{} ({error})", self.dir.display()),
        };
        // Its ports stay taken as long as the process lives.
        std::mem::forget(self);
        said
    }

    /// As [`kafka`], [`cassandra`] and [`registry`] say it, or any other of `services env`.
    #[track_caller]
    pub fn env(&self, variable: &str) -> String {
        let told = self.run(&["env"]);
        let value =
            told.lines().find_map(|line| line.strip_prefix("export ")?.strip_prefix(variable)?.strip_prefix('='));
        value.unwrap_or_else(|| panic!("no {variable} in {told}")).to_owned()
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(root().join(SCRIPT));
        command.args(arguments).env("SERVICES_DIR", &self.dir).env("SERVICES_PORT_OFFSET", self.offset.to_string());
        command.envs(self.variables.iter().copied());
        let output = command.output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "services {}: {out}{err}", arguments.join(" "));
        out.into_owned()
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let mut command = Command::new(root().join(SCRIPT));
        command.args(["down", "--wipe"]).env("SERVICES_DIR", &self.dir);
        // A test that fails already says more than this would.
        let ended = command.output().is_ok_and(|output| output.status.success());
        assert!(ended || std::thread::panicking(), "services below {} could not be stopped", self.dir.display());
        drop(std::fs::remove_dir_all(&self.dir));
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// An offset whose ports nobody has, on the whole machine, as long as the lock is held. `scripts/test` takes its own so too.
fn free_ports() -> (u16, File) {
    let locks = std::env::temp_dir().join("tributary-ports");
    std::fs::create_dir_all(&locks).unwrap();
    for offset in (10_000..20_000).step_by(500) {
        let lock = File::create(locks.join(offset.to_string())).unwrap();
        let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, offset + port)).is_ok();
        if lock.try_lock().is_ok() && [7000, 8081, 9042, 9092].iter().all(is_free) {
            return (offset, lock);
        }
    }
    panic!("no free ports for services: all of {} is in use", locks.display());
}

/// The longest that anything a service is asked may take.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What the program has to say goes with the output of the test, which is shown if it fails.
pub fn log_here() {
    let lines = tracing_subscriber::fmt().with_test_writer().with_max_level(tracing::Level::INFO).with_ansi(false);
    drop(lines.try_init());
}

fn topics(brokers: &str, patience: Duration) -> Option<Vec<String>> {
    let consumer: BaseConsumer = ClientConfig::new().set("bootstrap.servers", brokers).create().unwrap();
    let metadata = consumer.fetch_metadata(None, patience).ok()?;
    Some(metadata.topics().iter().map(|topic| topic.name().to_owned()).collect())
}

/// Makes a topic, each partition once.
pub fn make_topic(brokers: &str, name: &str, partitions: i32) {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", brokers).create().unwrap();
    let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let made = runtime.block_on(admin.create_topics(&[topic], &AdminOptions::new().request_timeout(Some(PATIENCE))));
    assert_eq!(made.unwrap(), [Ok(name.to_owned())]);
}

#[test]
fn a_test_may_kill_its_own_kafka_and_start_it_again_on_its_data_and_nothing_of_it_stays() {
    let Some(own) = Own::start(&["kafka"]) else { return };
    let brokers = own.env("KAFKA_BROKERS");
    make_topic(&brokers, "kept", 1);

    own.kill("kafka-1");
    assert_eq!(topics(&brokers, Duration::from_millis(500)), None, "it is gone");
    own.up("kafka-1");
    assert_eq!(topics(&brokers, PATIENCE), Some(vec!["kept".to_owned()]));
    own.pause("kafka-1");
    assert_eq!(topics(&brokers, Duration::from_millis(500)), None, "it answers nobody");
    own.resume("kafka-1");
    assert_eq!(topics(&brokers, PATIENCE), Some(vec!["kept".to_owned()]));
    own.down("kafka");
    assert_eq!(topics(&brokers, Duration::from_millis(500)), None, "it is stopped");

    own.up("kafka");
    let dir = own.dir.clone();
    drop(own);
    assert_eq!(topics(&brokers, Duration::from_millis(500)), None, "nobody is left");
    assert!(!dir.exists(), "no data is left");
}

/// What a server at `address` answers first.
fn ask(address: &str, question: &[u8], bytes: u64) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(question).unwrap();
    let mut answer = Vec::new();
    stream.take(bytes).read_to_end(&mut answer).unwrap();
    answer
}

#[test]
fn the_services_for_all_tests_answer() {
    if let Some(brokers) = kafka() {
        assert!(topics(&brokers, PATIENCE).is_some(), "Kafka at {brokers}");
    }
    for node in cassandra().into_iter().flatten() {
        // OPTIONS of protocol version 4, stream 1, without a body; the answer is SUPPORTED.
        assert_eq!(ask(&node, &[4, 0, 0, 1, 5, 0, 0, 0, 0], 5), [0x84, 0, 0, 1, 6], "the database at {node}");
    }
    if let Some(url) = registry() {
        let (host, path) = url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).unwrap();
        let question = format!("GET /{path}/subjects HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        assert_eq!(ask(host, question.as_bytes(), 15), b"HTTP/1.1 200 OK", "the registry at {url}");
    }
}
