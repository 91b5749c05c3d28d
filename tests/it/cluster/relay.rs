//! Events of another topic, relayed into the log of a real Kafka.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::topic_partition_list::{Offset as At, TopicPartitionList};
use tempfile::TempDir;
use tributary::append::{self, Appended, Outgoing, Sink};
use tributary::clock::Clock;
use tributary::consume::Stream;
use tributary::consume::registry::Registry;
use tributary::ids::Partition;
use tributary::run::letters::{Letters, Wanted};
use tributary::run::relay::{From, Progress, Refused, Relay};
use tributary::run::{self, Engines, Log, Options, Program};
use tributary::schema;
use tributary::simulate::{Simulation, Spec};

use super::place::{PATIENCE, Place, caught_up, records};
use super::ways::figures;
use crate::services;
use crate::worker::programme::spec;

/// A topic of somebody else's, beside the log of a place.
struct Foreign {
    place: Place,
    topic: String,
    producer: FutureProducer,
}

impl Foreign {
    async fn new() -> Option<Self> {
        let place = Place::new().await?;
        let topic = services::unique("theirs");
        let (brokers, name) = (place.kafka.brokers.clone(), topic.clone());
        tokio::task::spawn_blocking(move || services::make_topic(&brokers, &name, 1)).await.unwrap();
        let producer = ClientConfig::new().set("bootstrap.servers", &place.kafka.brokers).create().unwrap();
        Some(Self { place, topic, producer })
    }

    /// One after the other, under keys that say nothing.
    async fn send(&self, values: &[Vec<u8>]) {
        let mut waiting = Vec::new();
        for (n, value) in values.iter().enumerate() {
            let key = format!("key {}", n * 7_919 % 13);
            let record = FutureRecord::<String, Vec<u8>>::to(&self.topic).payload(value);
            let record = if n % 5 == 0 { record } else { record.key(&key) };
            waiting.push(self.producer.send_result(record).map_err(|(error, _)| error).unwrap());
        }
        for sent in waiting {
            sent.await.unwrap().map_err(|(error, _)| error).unwrap();
        }
    }

    fn from(&self, once: bool) -> From {
        From { topic: self.topic.clone(), brokers: None, group: format!("{}-relay", self.topic), once }
    }

    async fn log(&self) -> Log {
        let kafka = self.place.kafka.clone();
        tokio::task::spawn_blocking(move || Log::connect(kafka).unwrap()).await.unwrap()
    }

    /// Records of the log.
    async fn relayed(&self, log: &Log) -> u64 {
        let log = log.clone();
        tokio::task::spawn_blocking(move || log.ends().map_or(0, |ends| ends.iter().map(|end| end.0).sum()))
            .await
            .unwrap()
    }

    /// Where the group goes on.
    fn committed(&self) -> Option<i64> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.place.kafka.brokers).set("group.id", self.from(true).group);
        let consumer: BaseConsumer = config.create().unwrap();
        let mut asked = TopicPartitionList::new();
        asked.add_partition(&self.topic, 0);
        let answer = consumer.committed_offsets(asked, services::PATIENCE).unwrap();
        match answer.elements()[0].offset() {
            At::Offset(offset) => Some(offset),
            _ => None,
        }
    }

    /// What the log's own processes make of it, and how many records they read.
    async fn folded(&self, log: &Log) -> (Vec<String>, u64) {
        let dir = tempfile::tempdir().unwrap();
        let mut process = self.place.process(&dir).await;
        process.start().unwrap();
        let ends = log.ends().unwrap();
        caught_up(&process, &(0..).map(Partition).zip(ends.iter().copied()).collect()).await;
        let mut differences = Vec::new();
        process.verify(|difference| differences.push(difference), |_, _| {}).await.unwrap();
        assert_eq!(differences, []);
        let figures = figures(&process).await;
        process.stop().await.unwrap();
        (figures, ends.iter().map(|end| end.0).sum())
    }
}

/// What a process alone makes of a programme.
async fn expected(spec: &Spec) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let mut alone = Program::open(Options::new(dir.path()), Clock::system()).await.unwrap();
    alone.start().unwrap();
    alone.sink.append(records(spec, 4)).await.unwrap();
    alone.caught_up().await.unwrap();
    let figures = figures(&alone).await;
    alone.stop().await.unwrap();
    assert!(!figures.is_empty());
    figures
}

/// Ids of the schemas of a registry, by fingerprint.
async fn ids(url: &str) -> HashMap<u64, u32> {
    let mut ids = HashMap::new();
    for schema in schema::current() {
        ids.insert(schema.fingerprint, services::register(url, &services::unique("subject"), schema.json).await);
    }
    ids
}

/// A programme as producers write it: in turn by the schema's fingerprint, as JSON, and by a registry's number.
fn values(spec: &Spec, ids: &HashMap<u64, u32>) -> Vec<Vec<u8>> {
    let written = |(n, record): (usize, tributary::simulate::Simulated)| {
        let mut event = record.event();
        event.received_at.get_or_insert(record.arrival);
        let (mut ours, mut value) = (Vec::new(), Vec::new());
        schema::encode(&event, &mut ours);
        let print = u64::from_le_bytes(ours[2..10].try_into().unwrap());
        match (n % 3, ids.get(&print)) {
            (1, _) => schema::to_json(&event, &mut value),
            (2, Some(id)) => schema::encode_confluent(&event, *id, &mut value),
            _ => value = ours,
        }
        value
    };
    Simulation::new(spec).enumerate().map(written).collect()
}

fn engines(place: &Place) -> Engines {
    Engines::Kafka(Box::new(place.kafka.clone()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_any_key_and_framing_give_the_same_figures_and_the_rest_are_dead_letters() {
    let (Some(foreign), Some(url)) = (Foreign::new().await, services::registry()) else { return };
    let spec = spec(6, 60, 1_200, 5);
    let mut all = values(&spec, &ids(&url).await);
    let tick = br#"{"type":"Tick","event_id":"t","creator_id":"c","occurred_at":1767225600000}"#;
    let bad: [&[u8]; 4] = [b"hello", br#"{"type":"Click","clik_id":"x"}"#, tick, &[0, 0xff, 0xff, 0xff, 0xff, 1]];
    for (n, value) in bad.iter().enumerate() {
        all.insert(100 * (n + 1), value.to_vec());
    }
    foreign.send(&all).await;

    let mut options = Options::new("nowhere");
    options.registry = Some(Registry::new(&url, None).unwrap());
    let open = |from| Relay::open(engines(&foreign.place), &options, from, Clock::system());
    let progress = Progress::default();
    tokio::time::timeout(PATIENCE, open(foreign.from(true)).await.unwrap().run(progress.clone()))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((progress.relayed.load(Ordering::Relaxed), progress.dead.load(Ordering::Relaxed)), (1_200, 4));
    assert_eq!(foreign.committed(), Some(1_204));

    let log = foreign.log().await;
    assert_eq!(foreign.folded(&log).await, (expected(&spec).await, 1_200));
    let mut letters = Letters::open(log, None, Clock::system()).unwrap();
    let wanted = Wanted { partition: None, from: None, class: None, limit: 100 };
    let listed = tokio::task::block_in_place(|| letters.list(&wanted)).unwrap();
    // The programme has some of its own, for the log's processes.
    let theirs = listed.iter().filter(|one| one.source.topic == foreign.topic);
    let mut told: Vec<_> = theirs.map(|one| (one.source.offset.0, one.class.as_str())).collect();
    told.sort_unstable();
    let classes = [(100, "undecodable"), (200, "invalid_field"), (300, "reserved"), (400, "unknown_schema")];
    assert_eq!(told, classes);

    let again = Progress::default();
    open(foreign.from(true)).await.unwrap().run(again.clone()).await.unwrap();
    assert_eq!(again.relayed.load(Ordering::Relaxed), 0, "the group goes on where it was");
}

/// A registry of the program's own schemas under these ids, which answers its first questions so instead; its address.
fn refusing(ids: HashMap<u64, u32>, refusals: Vec<&'static str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut refusals = refusals.into_iter();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
            let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let id = head[0].strip_prefix("GET /schemas/ids/").and_then(|rest| rest.split(' ').next()).unwrap();
            let id: u32 = id.parse().unwrap();
            let schema = schema::current().find(|schema| ids.get(&schema.fingerprint) == Some(&id)).unwrap();
            let body = serde_json::json!({ "schema": schema.json }).to_string();
            let (status, body) = refusals.next().map_or(("200 OK", body.as_str()), |status| (status, "{}"));
            let len = body.len();
            write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n{body}").unwrap();
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_refuses_the_relay_is_waited_for_and_no_event_becomes_a_dead_letter() {
    let Some(foreign) = Foreign::new().await else { return };
    let ids: HashMap<u64, u32> = schema::current().map(|schema| schema.fingerprint).zip(1..).collect();
    foreign.send(&values(&spec(6, 60, 300, 13), &ids)).await;
    let mut options = Options::new("nowhere");
    let refusals = vec!["401 Unauthorized", "403 Forbidden", "408 Request Timeout", "429 Too Many Requests"];
    options.registry = Some(Registry::new(&refusing(ids, refusals), None).unwrap());
    let progress = Progress::default();
    let relay = Relay::open(engines(&foreign.place), &options, foreign.from(true), Clock::system()).await.unwrap();
    tokio::time::timeout(PATIENCE, relay.run(progress.clone())).await.unwrap().unwrap();
    assert_eq!((progress.relayed.load(Ordering::Relaxed), progress.dead.load(Ordering::Relaxed)), (300, 0));
}

/// Another member of the group, which has the only partition until it is told to stop.
fn neighbour(brokers: &str, from: &From, stop: &Arc<AtomicBool>) -> std::thread::JoinHandle<()> {
    let mut config = ClientConfig::new();
    // Partitions are given by the order of the members' names, which begin so; a relay's begin with `tributary`.
    config.set("client.id", "a").set("bootstrap.servers", brokers).set("group.id", &from.group);
    config.set("enable.auto.commit", "false");
    let consumer: BaseConsumer = config.create().unwrap();
    consumer.subscribe(&[&from.topic]).unwrap();
    let (clock, stop) = (Clock::system(), Arc::clone(stop));
    while consumer.assignment().unwrap().count() == 0 {
        drop(consumer.poll(Duration::from_millis(50)));
        assert!(clock.monotonic() < services::PATIENCE, "nothing is assigned");
    }
    std::thread::spawn(move || {
        while !stop.load(Ordering::Acquire) {
            drop(consumer.poll(Duration::from_millis(50)));
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn once_a_relay_to_which_the_group_gives_no_partition_ends() {
    let Some(foreign) = Foreign::new().await else { return };
    foreign.send(&values(&spec(6, 60, 30, 17), &HashMap::new())).await;
    let (from, options, stop) = (foreign.from(true), Options::new("nowhere"), Arc::new(AtomicBool::new(false)));
    let (brokers, theirs, until) = (foreign.place.kafka.brokers.clone(), from.clone(), Arc::clone(&stop));
    let other = tokio::task::spawn_blocking(move || neighbour(&brokers, &theirs, &until)).await.unwrap();

    let none = Progress::default();
    let relay = Relay::open(engines(&foreign.place), &options, from.clone(), Clock::system()).await.unwrap();
    tokio::time::timeout(PATIENCE, relay.run(none.clone())).await.expect("it ends").unwrap();
    assert_eq!(none.relayed.load(Ordering::Relaxed), 0, "all is the other's");

    stop.store(true, Ordering::Release);
    tokio::task::spawn_blocking(move || other.join().unwrap()).await.unwrap();
    let all = Progress::default();
    let relay = Relay::open(engines(&foreign.place), &options, from, Clock::system()).await.unwrap();
    tokio::time::timeout(PATIENCE, relay.run(all.clone())).await.unwrap().unwrap();
    assert_eq!(all.relayed.load(Ordering::Relaxed), 30, "it waits for its partition before it ends");
}

/// A log that fails once: some of a call is in it, and nobody is told.
#[derive(Clone)]
struct Failing {
    sink: run::Sink,
    calls: Arc<AtomicU32>,
    progress: Progress,
}

impl Sink for Failing {
    async fn append(&self, mut records: Vec<Outgoing>) -> Result<Vec<Appended>, append::Error> {
        if self.calls.fetch_add(1, Ordering::Relaxed) == 0 {
            return self.sink.append(records).await;
        }
        self.progress.stop.store(true, Ordering::Release);
        records.truncate(records.len() / 2);
        self.sink.append(records).await?;
        Err(append::Error::Closed)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_committed_before_it_is_in_the_log() {
    let Some(foreign) = Foreign::new().await else { return };
    // More than one batch.
    let spec = spec(6, 60, 9_000, 7);
    foreign.send(&values(&spec, &HashMap::new())).await;
    let (log, options, progress) = (foreign.log().await, Options::new("nowhere"), Progress::default());
    let failing = Failing { sink: log.sink().unwrap(), calls: Arc::default(), progress: progress.clone() };
    let settings = foreign.place.kafka.clone();
    let relay = Relay::between(&settings, &log, failing, &options, foreign.from(false), Clock::system()).await;
    tokio::time::timeout(PATIENCE, relay.unwrap().run(progress.clone())).await.unwrap().unwrap();
    let done = progress.relayed.load(Ordering::Relaxed);
    assert!(done > 0 && done < 9_000, "it was stopped between: {done}");
    assert_eq!(foreign.committed(), i64::try_from(done).ok());

    let rest = Progress::default();
    let relay = Relay::open(engines(&foreign.place), &options, foreign.from(true), Clock::system()).await.unwrap();
    tokio::time::timeout(PATIENCE, relay.run(rest.clone())).await.unwrap().unwrap();
    assert_eq!(done + rest.relayed.load(Ordering::Relaxed), 9_000);
    let (figures, read) = foreign.folded(&log).await;
    assert!(read > 9_000, "some came twice: {read}");
    assert_eq!(figures, expected(&spec).await);
}

/// `tributary relay` of a place; killed when dropped.
struct Process(Child);

impl Process {
    fn start(foreign: &Foreign, dir: &TempDir, more: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
        let group = foreign.from(true).group;
        command.args(["relay", "--json", "--from", &foreign.topic, "--group", &group]).args(more);
        command.current_dir(dir.path()).stdin(Stdio::null()).stdout(Stdio::piped()).env("RUST_LOG", "off");
        command.env("TRIBUTARY_KAFKA_BROKERS", &foreign.place.kafka.brokers);
        command.env("TRIBUTARY_KAFKA_TOPIC_PREFIX", &foreign.place.kafka.topic_prefix);
        command.env("TRIBUTARY_KAFKA_SESSION_TIMEOUT_MS", "6000");
        Self(command.spawn().unwrap())
    }

    /// Its exit code, and its answer.
    fn ended(mut self) -> (Option<i32>, serde_json::Value) {
        let code = self.0.wait().unwrap().code();
        let answer = std::io::read_to_string(self.0.stdout.take().unwrap()).unwrap();
        (code, serde_json::from_str(&answer).unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_half_way_and_started_again_the_figures_are_the_same_and_sigterm_ends_it_in_order() {
    let Some(foreign) = Foreign::new().await else { return };
    let (spec, dir) = (spec(6, 200, 6_000, 11), tempfile::tempdir().unwrap());
    let all = values(&spec, &HashMap::new());
    let log = foreign.log().await;
    let wait_for = async |records: u64| {
        let clock = Clock::system();
        while foreign.relayed(&log).await < records {
            assert!(clock.monotonic() < PATIENCE);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };

    let killed = Process::start(&foreign, &dir, &[]);
    let mut sent = 0;
    loop {
        let relayed = foreign.relayed(&log).await;
        if relayed >= 500 {
            break;
        }
        if u64::try_from(sent).unwrap() < relayed + 300 {
            foreign.send(&all[sent..sent + 50]).await;
            sent += 50;
        } else {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    foreign.send(&all[sent..sent + 500]).await;
    drop(killed);
    let rest = &all[sent + 500..];

    let again = Process::start(&foreign, &dir, &[]);
    foreign.send(rest).await;
    wait_for(6_000).await;
    while foreign.committed() != Some(6_000) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let told = Command::new("kill").args(["-TERM", &again.0.id().to_string()]).status().unwrap();
    assert!(told.success());
    let (code, answer) = tokio::task::spawn_blocking(move || again.ended()).await.unwrap();
    assert_eq!((code, &answer["dead_letters"]), (Some(0), &0.into()), "{answer}");
    let (figures, read) = foreign.folded(&log).await;
    assert!(read >= 6_000, "{read}");
    assert_eq!(figures, expected(&spec).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_itself_a_topic_that_is_not_there_and_a_data_folder_are_refused() {
    let Some(foreign) = Foreign::new().await else { return };
    let options = Options::new("nowhere");
    let refused = async |engines, topic: String, brokers: Option<String>| {
        let from = From { topic, brokers, ..foreign.from(true) };
        Relay::open(engines, &options, from, Clock::system()).await.err().unwrap()
    };
    let kafka = &foreign.place.kafka;
    for stream in Stream::ALL {
        let error = refused(engines(&foreign.place), kafka.topic(stream), None).await;
        assert!(matches!(error, Refused::Itself { .. }), "{error}");
    }
    // The same brokers by another name.
    let other = kafka.brokers.replace("127.0.0.1", "localhost");
    let error = refused(engines(&foreign.place), kafka.topic(Stream::Events), Some(other)).await;
    assert!(matches!(error, Refused::Itself { .. }), "{error}");
    let error = refused(engines(&foreign.place), "nothing".to_owned(), None).await;
    assert!(error.to_string().starts_with("there is no topic nothing at "), "{error}");
    let error = refused(Engines::Embedded, foreign.topic.clone(), None).await;
    assert!(error.to_string().contains("tributary import"), "{error}");
}
