//! Puts the parts together: the only place that names engines, workers and web in one breath.

mod feed;
mod inspect;
mod keys;
mod look;
mod purge;
mod serve;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::append::embedded::{EmbeddedSink, Limits as SinkLimits};
use crate::clock::Clock;
use crate::consume::embedded::{Log, OpenError};
use crate::decode::Decoder;
use crate::disk;
use crate::ids::{Next, Partition};
use crate::project::tables;
use crate::store::embedded::{EmbeddedStore, Options as StoreOptions};
use crate::store::{Store, Table};
use crate::telemetry::Progress;
use crate::web::Looks;
use crate::worker::verify::{Difference, Summary};
use crate::worker::{self, GENERATION, Pace, Worker};
use crate::{append, keep, store};

pub use feed::Feed;
pub use inspect::Place;
pub use keys::{keys, local_key_of, random};
use look::{Sight, Turns};
pub use serve::{Http, Ready, address_of, from_here, serve};

/// How often those who wait for the worker look.
const LOOK_EVERY: Duration = Duration::from_millis(20);

const LOG_FILE: &str = "log.redb";
const PROJECTIONS_FILE: &str = "projections.redb";
const STATE_FOLDER: &str = "state";

/// What the embedded mode is made of.
#[derive(Debug, Clone)]
pub struct Options {
    /// Log, state and projections live below it.
    pub data_dir: PathBuf,
    /// Of a new log; an existing one keeps its own and refuses another.
    pub partitions: u32,
    /// Worker threads; none: cores less one, at least one.
    pub workers: Option<u32>,
    pub pace: Pace,
    pub keep: keep::Limits,
}

impl Options {
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            partitions: crate::consume::embedded::PARTITIONS,
            workers: None,
            pace: Pace::default(),
            keep: keep::Limits::default(),
        }
    }
}

/// What opening, running or checking the embedded mode can fail with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot make the data folder {}", dir.display())]
    Folder { dir: PathBuf, source: std::io::Error },
    #[error("cannot open the log")]
    Log(#[from] OpenError),
    #[error("cannot read the log")]
    Read(#[from] crate::consume::Error),
    #[error("cannot open the log for writing")]
    Sink(#[from] append::Error),
    #[error("cannot open the projections")]
    Disk(#[from] disk::Error),
    #[error("the projections cannot be set up")]
    Store(#[from] store::Error),
    #[error("cannot start a worker thread")]
    Thread(#[source] std::io::Error),
    #[error("the worker has stopped")]
    Worker(#[from] worker::Error),
    #[error("cannot serve")]
    Web(#[from] crate::web::Error),
    #[error("cannot prepare the API keys")]
    Keys(#[from] crate::web::keys::Error),
    #[error("the worker has stopped: {0}")]
    Halted(String),
    #[error("the worker failed a check of its own; what it had not committed is replayed at the next start")]
    Panicked,
}

/// Log, worker and projections of one data folder, in this process.
pub struct Embedded {
    pub log: Log,
    pub sink: EmbeddedSink,
    pub store: EmbeddedStore,
    pub decoder: Arc<Decoder>,
    pub progress: Progress,
    pub clock: Clock,
    options: Options,
    runtime: tokio::runtime::Handle,
    stop: Arc<AtomicBool>,
    working: Arc<AtomicBool>,
    turns: Turns,
    purging: JoinSet<()>,
    workers: Vec<JoinHandle<Result<(), worker::Error>>>,
}

impl Embedded {
    /// Opens what is there, or makes it. Nothing is folded before [`Embedded::start`].
    pub async fn open(options: Options, clock: Clock) -> Result<Self, Error> {
        let log = open_log(&options)?;
        let sink = EmbeddedSink::new(log.clone(), SinkLimits::default())?;
        let store = EmbeddedStore::open(&options.data_dir.join(PROJECTIONS_FILE), StoreOptions::default())?;
        store.setup(&table_names()).await?;
        let progress = Progress::new(log.topic().partitions);
        Ok(Self {
            log,
            sink,
            store,
            decoder: Arc::new(Decoder::new()),
            progress,
            clock,
            options,
            runtime: tokio::runtime::Handle::current(),
            stop: Arc::default(),
            working: Arc::default(),
            turns: Turns::new(),
            purging: JoinSet::new(),
            workers: Vec::new(),
        })
    }

    /// Starts the worker threads, and what tidies up behind them.
    pub fn start(&mut self) -> Result<(), Error> {
        let partitions = self.log.topic().partitions;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let spare = u32::try_from(cores.saturating_sub(1)).unwrap_or(1).max(1);
        let of = self.options.workers.unwrap_or(spare).clamp(1, partitions);
        for number in 0..of {
            let worker = self.worker(number, of);
            let progress = self.progress.clone();
            let thread = std::thread::Builder::new()
                .name(format!("worker-{number}"))
                .spawn(move || run(worker, &progress))
                .map_err(Error::Thread)?;
            self.workers.push(thread);
        }
        self.working.store(true, Ordering::Relaxed);
        self.purging.spawn_on(purge::follow(self.store.clone(), partitions), &self.runtime);
        Ok(())
    }

    fn worker(&self, number: u32, of: u32) -> EmbeddedWorker {
        Worker {
            source: self.log.source(number, of),
            sink: self.sink.clone(),
            store: self.store.clone(),
            decoder: Arc::clone(&self.decoder),
            state_dir: self.options.data_dir.join(STATE_FOLDER),
            keep: self.options.keep.clone(),
            pace: self.options.pace,
            clock: self.clock.clone(),
            progress: self.progress.clone(),
            runtime: self.runtime.clone(),
            outlets: JoinSet::new(),
            stop: Arc::clone(&self.stop),
        }
    }

    /// The ends of the log, now.
    pub fn ends(&self) -> Vec<(Partition, Next)> {
        self.sight().ends()
    }

    /// Waits until the rows of everything that is in the log now are written.
    pub async fn caught_up(&self) -> Result<(), Error> {
        let ends = self.ends();
        while !self.progress.reached(&ends) {
            if let Some(why) = self.progress.halted() {
                return Err(Error::Halted(why));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Hands over and waits for the workers: everything folded is written, out and committed. Nobody looks any more.
    pub async fn stop(mut self) -> Result<(), Error> {
        self.stop.store(true, Ordering::Relaxed);
        self.turns.end().await;
        self.purging.shutdown().await;
        let workers = std::mem::take(&mut self.workers);
        let joined = tokio::task::spawn_blocking(move || {
            let outcomes: Vec<_> = workers.into_iter().map(JoinHandle::join).collect();
            for outcome in outcomes {
                outcome.map_err(|_| Error::Panicked)??;
            }
            Ok(())
        });
        joined.await.map_err(|_| Error::Panicked)?
    }

    /// Compares every stored row with the log. Works beside live input.
    pub async fn verify(
        &self,
        report: impl FnMut(Difference),
        mut progress: impl FnMut(Partition, Next),
    ) -> Result<Summary, Error> {
        let progress = |p, next| {
            progress(p, next);
            ControlFlow::Continue(())
        };
        self.sight().verify(report, progress).await
    }

    /// Takes every row away that has expired, and says how many; the workers' process does so by itself every hour.
    pub async fn purge(&self) -> Result<u64, Error> {
        Ok(purge::purge(&self.store, self.log.topic().partitions).await?)
    }

    /// For whoever looks at the projections from outside.
    pub fn looks(&self) -> Looks {
        look::looks(self.sight(), self.turns.clone(), self.runtime.clone())
    }

    fn sight(&self) -> Sight {
        Sight {
            log: self.log.clone(),
            store: self.store.clone(),
            decoder: Arc::clone(&self.decoder),
            data_dir: self.options.data_dir.clone(),
            keep: self.options.keep.clone(),
            progress: self.progress.clone(),
            working: Arc::clone(&self.working),
        }
    }
}

fn open_log(options: &Options) -> Result<Log, Error> {
    let dir = &options.data_dir;
    let failed = |source| Error::Folder { dir: dir.clone(), source };
    std::fs::create_dir_all(dir).map_err(failed)?;
    let id = keys::entropy().map_err(failed)?;
    Ok(Log::open(&dir.join(LOG_FILE), options.partitions, id, disk::Options::default())?)
}

type EmbeddedWorker = Worker<crate::consume::embedded::EmbeddedSource, EmbeddedSink, EmbeddedStore>;

fn run(worker: EmbeddedWorker, progress: &Progress) -> Result<(), worker::Error> {
    let outcome = worker.run();
    if let Err(error) = &outcome {
        let why = crate::telemetry::with_causes(error);
        tracing::error!(error = %why, "the worker stopped; queries go on with what is written");
        progress.halt(why);
    }
    outcome
}

fn table_names() -> Vec<Table> {
    tables::ALL.iter().map(|table| Table { id: table.id, name: format!("{}_g{GENERATION}", table.name) }).collect()
}
