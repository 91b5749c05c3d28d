//! Topics, a group and a keyspace of their own, and processes on them.

use std::collections::BTreeMap;
use std::time::Duration;

use tributary::append::{Outgoing, Sink};
use tributary::clock::Clock;
use tributary::consume::kafka::Settings;
use tributary::ids::{Next, Partition};
use tributary::run::setup::{set_up, wanted};
use tributary::run::{Engines, Options, Program, Rows};
use tributary::simulate::{Simulation, Spec};
use tributary::store::scylla;
use tributary::topology::Topology;

use crate::services;

/// Long enough for two slow cores, and for a group that waits for one who is gone.
pub const PATIENCE: Duration = Duration::from_secs(300);

pub struct Place {
    pub kafka: Settings,
    pub cql: scylla::Options,
}

impl Place {
    /// None where there are no services.
    pub async fn new() -> Option<Self> {
        services::log_here();
        let (brokers, nodes) = (services::kafka()?, services::cassandra()?);
        let name = services::unique("cluster");
        let mut kafka = Settings::new(brokers);
        kafka.topic_prefix = format!("{name}.");
        kafka.group.clone_from(&name);
        kafka.session_timeout = Duration::from_secs(6);
        let cql = scylla::Options { nodes, keyspace: name, copies: 1, ..scylla::Options::default() };
        let place = Self { kafka, cql };
        let report = place.set_up().await;
        assert!(!report.has_drift(), "{report:?}");
        Some(place)
    }

    pub async fn set_up(&self) -> tributary::run::setup::Report {
        let topics = wanted(&self.kafka, 1, None, &Topology::load().unwrap());
        let store = Rows::Cql(scylla::ScyllaStore::connect(self.cql.clone()).await.unwrap());
        let clock = Clock::system();
        loop {
            match set_up(&self.kafka, &topics, Some(&store)).await {
                Ok(report) => return report,
                // A broker that has no processor left; asked again, `setup` makes what is missing.
                Err(error) => assert!(clock.monotonic() < PATIENCE, "{}", tributary::telemetry::with_causes(&error)),
            }
        }
    }

    /// A process that folds, with a data folder of its own.
    pub async fn process(&self, dir: &tempfile::TempDir) -> Program {
        self.try_process(dir).await.unwrap()
    }

    pub async fn try_process(&self, dir: &tempfile::TempDir) -> Result<Program, tributary::run::Error> {
        self.process_with(dir, |_| {}).await
    }

    pub async fn process_with(
        &self,
        dir: &tempfile::TempDir,
        change: impl FnOnce(&mut Options),
    ) -> Result<Program, tributary::run::Error> {
        let engines = Engines::Cluster(Box::new((self.kafka.clone(), self.cql.clone())));
        let mut options = Options::new(dir.path());
        change(&mut options);
        Program::open_on(engines, options, Clock::system()).await
    }
}

/// Of a programme, each stamped with its arrival: what brokers stamp is another time on every run.
pub fn records(spec: &Spec, partitions: u32) -> Vec<Outgoing> {
    let stamped = |record: tributary::simulate::Simulated| {
        let mut event = record.event();
        event.received_at.get_or_insert(record.arrival);
        Outgoing::of_event(&event, record.arrival, partitions)
    };
    Simulation::new(spec).map(stamped).collect()
}

/// Returns where each partition ends with them.
pub async fn append(program: &Program, records: &[Outgoing]) -> BTreeMap<Partition, Next> {
    let mut ends = BTreeMap::new();
    for chunk in records.chunks(4_096) {
        for place in program.sink.append(chunk.to_vec()).await.unwrap() {
            let end: &mut Next = ends.entry(place.partition).or_default();
            *end = place.offset.next().max(*end);
        }
    }
    ends
}

/// Waits until rows up to these ends are written, by whomever.
pub async fn caught_up(program: &Program, ends: &BTreeMap<Partition, Next>) {
    let clock = Clock::system();
    loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if let Ok(places) = program.places().await
            && places.iter().all(|place| Some(&place.fast.min(place.slow)) >= ends.get(&place.partition))
        {
            return;
        }
        assert_eq!(program.progress.halted(), None);
        assert!(clock.monotonic() < PATIENCE, "{:?}", program.places().await);
    }
}

/// Once the brokers have told: without a processor they do not answer in time.
pub async fn places(program: &Program) -> Vec<tributary::run::Place> {
    let clock = Clock::system();
    loop {
        match program.places().await {
            Ok(places) => return places,
            Err(error) => assert!(clock.monotonic() < PATIENCE, "{error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
