//! Brokers, a database and workers of one run alone, in a folder that stays when the run fails.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tributary::clock::Clock;
use tributary::consume::kafka::Settings;
use tributary::ids::Next;
use tributary::run::setup::{set_up, wanted};
use tributary::run::{Engines, Options, Place, Program, Rows};
use tributary::store::scylla::{self, ScyllaStore};
use tributary::topology::Topology;

use super::story::Story;
use super::workers::Worker;
use crate::services::{Own, unique};

/// Who is silent for so long has lost its partitions. The least that brokers allow by default.
pub(super) const SESSION: Duration = Duration::from_secs(6);
/// How often those who wait look.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(200);

pub(super) struct World {
    pub(super) story: Story,
    pub(super) seed: u64,
    pub(super) kafka: Settings,
    pub(super) cql: scylla::Options,
    pub(super) workers: Vec<Mutex<Worker>>,
    /// Data folders and logs of the workers.
    pub(super) dir: PathBuf,
    /// None once it is dropped.
    services: Option<Own>,
    /// Everybody who hurts, feeds or watches ends.
    is_over: AtomicBool,
    /// All was compared: nothing needs to be looked at.
    is_good: AtomicBool,
}

impl World {
    /// None where there are no services. `nodes` of each of them: 1 or 3.
    pub(super) async fn new(name: &str, (seed, nodes, workers): (u64, u16, usize)) -> Option<Self> {
        let count = nodes.to_string();
        let services = Own::start(&["kafka", "cassandra", "--nodes", &count])?;
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/chaos").join(unique(name));
        std::fs::create_dir_all(&dir).unwrap();
        // No prefix: dead letters name their topic, and are compared with those of a log in a file.
        let mut kafka = Settings::new(services.env("KAFKA_BROKERS"));
        kafka.session_timeout = SESSION;
        let nodes_of_database = services.env("CQL_NODES").split(',').map(str::to_owned).collect();
        let cql = scylla::Options {
            nodes: nodes_of_database,
            keyspace: "chaos".to_owned(),
            copies: u32::from(nodes),
            ..scylla::Options::default()
        };
        let topics = wanted(&kafka, nodes, None, &Topology::load().unwrap());
        let store = Rows::Cql(ScyllaStore::connect(cql.clone()).await.unwrap());
        let report = set_up(&kafka, &topics, Some(&store)).await.unwrap();
        assert!(!report.has_drift(), "{report:?}");
        let workers = (0..workers).map(|n| Mutex::new(Worker::new(&dir, n, (&kafka, &cql)))).collect();
        let (services, is_over, is_good) = (Some(services), AtomicBool::new(false), AtomicBool::new(false));
        Some(Self { story: Story::new(), seed, kafka, cql, workers, dir, services, is_over, is_good })
    }

    pub(super) fn services(&self) -> &Own {
        self.services.as_ref().expect("there until the end")
    }

    /// Somebody who folds nothing: appends, and sees how far all is.
    pub(super) async fn observer(&self) -> Program {
        let engines = Engines::Cluster(Box::new((self.kafka.clone(), self.cql.clone())));
        Program::open_on(engines, Options::new(self.dir.join("observer")), Clock::system()).await.unwrap()
    }

    pub(super) fn worker(&self, n: usize) -> std::sync::MutexGuard<'_, Worker> {
        self.workers[n].lock().unwrap()
    }

    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Release);
    }

    /// Nothing of it is kept.
    pub(super) fn is_good(&self) {
        self.is_good.store(true, Ordering::Release);
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// For threads: a rest, cut short by the end. `false`: it is over.
    pub(super) fn rest(&self, how_long: Duration) -> bool {
        let until = self.story.now() + how_long;
        while !self.is_over() && self.story.now() < until {
            std::thread::sleep(LOOK_EVERY.min(until.saturating_sub(self.story.now())));
        }
        !self.is_over()
    }

    /// Waits until all that is in the log is out and has its rows; returns the ends.
    pub(super) async fn caught_up(&self, observer: &Program, patience: Duration) -> Vec<Next> {
        let until = self.story.now() + patience;
        loop {
            self.look_after_workers();
            if let Some(ends) = self.is_caught_up(observer).await {
                return ends;
            }
            assert!(self.story.now() < until, "not caught up within {patience:?}: {:?}", observer.places().await);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// The ends, if all that is in the log is out and has its rows.
    pub(super) async fn is_caught_up(&self, observer: &Program) -> Option<Vec<Next>> {
        let places = observer.places().await.ok()?;
        let is_done = |place: &Place| place.fast.min(place.slow).min(place.emitted) >= place.end;
        places.iter().all(is_done).then(|| places.iter().map(|place| place.end).collect())
    }

    /// As whatever keeps services running would: one that ended by itself is started again. One that stopped folding is
    /// a failure: nothing that happens here may need an operator.
    pub(super) fn look_after_workers(&self) {
        for worker in &self.workers {
            worker.lock().unwrap().look_after(&self.story);
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.end();
        for worker in &mut self.workers {
            worker.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner).kill();
        }
        let services = self.services.take();
        // Not "does this thread panic": the last to leave may be another.
        if self.is_good.load(Ordering::Acquire) {
            drop(services);
            drop(std::fs::remove_dir_all(&self.dir));
            return;
        }
        // Everything stays as it is, to be looked at.
        let kept = services.map(|services| services.keep(&self.dir.join("services")));
        let said = format!(
            "chaos of seed {} failed; logs and data folders: {}; services: {}\n{}",
            self.seed,
            self.dir.display(),
            kept.unwrap_or_default(),
            self.story.text()
        );
        drop(std::fs::write(self.dir.join("story.txt"), &said));
        drop(std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes()));
    }
}
