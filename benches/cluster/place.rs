//! Topics, and what folds them.

use std::path::Path;
use std::time::Instant;

use tributary::append::{Outgoing, Sink};
use tributary::clock::Clock;
use tributary::consume::kafka::Settings;
use tributary::ids::Partition;
use tributary::run::setup::{set_up, wanted};
use tributary::run::{self, Engines, Options, Program};
use tributary::store::scylla;
use tributary::topology::Topology;

use crate::programme::{Encoded, outgoing, spec};
use crate::report::figure;
use crate::services::told;

pub const PARTITIONS: u32 = 4;
/// Topics that `fill` fills and drains read.
pub const FILLED: &str = "bench-filled";

/// Where rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    Embedded,
    Cassandra,
}

/// Topics, a group and a keyspace by one name.
pub struct Place {
    pub kafka: Settings,
    pub cql: scylla::Options,
}

impl Place {
    /// `topics` may have been filled by others; group and keyspace are `name`'s own.
    pub fn of(topics: &str, name: &str) -> Self {
        let mut kafka = Settings::new(told("KAFKA_BROKERS"));
        kafka.topic_prefix = format!("{topics}.");
        kafka.group = name.to_owned();
        let nodes = told("CQL_NODES").split(',').map(str::to_owned).collect();
        let cql = scylla::Options { nodes, keyspace: name.to_owned(), copies: 1, ..scylla::Options::default() };
        Self { kafka, cql }
    }

    pub async fn set_up(&self, rows: Rows) {
        let topics = wanted(&self.kafka, 1, Some(PARTITIONS), &Topology::load().unwrap());
        let store = match rows {
            Rows::Embedded => None,
            Rows::Cassandra => Some(run::Rows::Cql(scylla::ScyllaStore::connect(self.cql.clone()).await.unwrap())),
        };
        let report = set_up(&self.kafka, &topics, store.as_ref()).await.unwrap();
        assert!(!report.has_drift(), "{report:?}");
    }

    pub async fn open(&self, rows: Rows, dir: &Path, change: impl FnOnce(&mut Options)) -> Program {
        let engines = match rows {
            Rows::Embedded => Engines::Kafka(Box::new(self.kafka.clone())),
            Rows::Cassandra => Engines::Cluster(Box::new((self.kafka.clone(), self.cql.clone()))),
        };
        let mut options = Options::new(dir);
        change(&mut options);
        Program::open_on(engines, options, Clock::system()).await.unwrap()
    }
}

/// A name that no run before has had.
pub fn unique(what: &str) -> String {
    format!("{what}_{}", std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros())
}

/// Fills the topics that are drained.
pub async fn fill(events: u64) {
    let place = Place::of(FILLED, "filling");
    place.set_up(Rows::Embedded).await;
    let dir = tempfile::tempdir_in(".").unwrap();
    let program = place.open(Rows::Embedded, dir.path(), |_| {}).await;
    let records = Encoded::of(&spec(20, u32::try_from(events / 20).unwrap(), events));
    let bytes: usize = records.iter().map(|(_, key, value)| key.len() + value.len()).sum();
    let start = Instant::now();
    for chunk in records.chunks(4_096) {
        append(&program, chunk.map(|record| outgoing(record, PARTITIONS)).collect()).await;
    }
    let rate = records.len() as f64 / start.elapsed().as_secs_f64();
    let what = format!("{} events of {} bytes appended to Kafka, one producer", records.len(), bytes / records.len());
    figure(&what, format!("{rate:.0} events/s"), "");
    program.stop().await.unwrap();
}

/// Returns where they are.
pub async fn append(program: &Program, records: Vec<Outgoing>) -> Vec<(Partition, u64)> {
    let places = program.sink.append(records).await.unwrap();
    places.into_iter().map(|place| (place.partition, place.offset.0)).collect()
}
