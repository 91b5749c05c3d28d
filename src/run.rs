//! Puts the parts together: the only place that names engines, workers and web in one breath.

mod agree;
mod checks;
mod cluster;
mod engine;
mod feed;
mod fleet;
mod generations;
mod inspect;
mod keys;
pub mod letters;
mod look;
mod meeting;
mod purge;
mod rebuild;
pub mod relay;
pub mod secret;
mod serve;
pub mod setup;
mod snapshots;
mod status;

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::consume::embedded::OpenError;
use crate::consume::registry::Registry;
use crate::disk;
use crate::event::Bots;
use crate::ids::{Next, Partition};
use crate::store::accord::Accord;
use crate::store::live::Live;
use crate::store::{Doors, Store};
use crate::telemetry::Progress;
use crate::tokens::Keys;
use crate::web::{Looks, Workers};
use crate::worker::backtest::{Asked, Report};
use crate::worker::verify::{Difference, Summary};
use crate::worker::{self, Emission, Fence, Pace, Questions};
use crate::{append, keep, store, web};

pub use cluster::{Engines, rows};
pub use engine::{Log, Publisher, Rows, Sink, Source};
pub use feed::Feed;
use fleet::Parts;
use generations::Generations;
pub use inspect::{Place, live_places};
pub use keys::{keys, local_key_of, random};
use look::{Sight, Turns};
pub use serve::{Http, Ready, Role, Serving, address_of, from_here, serve};
pub use snapshots::Snapshots;

/// How often those who wait for the worker look.
const LOOK_EVERY: Duration = Duration::from_millis(20);

const LOG_FILE: &str = "log.redb";
const PROJECTIONS_FILE: &str = "projections.redb";

/// A fraction of what a core folds: the live generation has the rest.
pub const REBUILD_EVENTS_PER_S: u32 = 20_000;

/// What the embedded mode is made of.
#[derive(Debug, Clone)]
pub struct Options {
    /// Log, state and projections live below it.
    pub data_dir: PathBuf,
    /// Of a new log; an existing one keeps its own and refuses another.
    pub partitions: u32,
    /// Worker threads; none: cores less one, at least one.
    pub workers: Option<u32>,
    /// Events a second of a generation that is made anew, until it has caught up; 0: as many as it can.
    pub rebuild_events_per_s: u32,
    pub pace: Pace,
    pub keep: keep::Limits,
    /// Where schemas of producers with Confluent's framing are asked for.
    pub registry: Option<Registry>,
    /// Where copies of states go; none: nowhere.
    pub snapshots: Option<Snapshots>,
    /// Where the secret is that raw fields are made tokens with.
    pub secret: secret::From,
}

impl Options {
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            partitions: crate::consume::embedded::PARTITIONS,
            workers: None,
            rebuild_events_per_s: REBUILD_EVENTS_PER_S,
            pace: Pace::default(),
            keep: keep::Limits::default(),
            registry: None,
            snapshots: None,
            secret: secret::From::default(),
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
    #[error("the snapshot store cannot be used; `snapshots.url` says where it is")]
    Snapshots(#[source] keep::Error),
    #[error("cannot start a worker thread")]
    Thread(#[source] std::io::Error),
    #[error("the worker has stopped")]
    Worker(#[from] worker::Error),
    #[error("cannot serve")]
    Web(#[from] crate::web::Error),
    #[error("cannot prepare the API keys")]
    Keys(#[from] crate::web::keys::Error),
    #[error("raw fields cannot be made tokens")]
    Secret(#[from] secret::Error),
    #[error("the worker has stopped: {0}")]
    Halted(String),
    #[error("the worker failed a check of its own; what it had not committed is replayed at the next start")]
    Panicked,
}

/// Workers of this process, on a log and projections wherever those are.
pub struct Program {
    pub log: Log,
    pub sink: Sink,
    /// Of the generation that was live at the opening.
    pub store: Rows,
    /// Of the generation that was live at the opening.
    pub progress: Progress,
    pub clock: Clock,
    options: Options,
    runtime: tokio::runtime::Handle,
    working: Arc<AtomicBool>,
    turns: Turns,
    purging: JoinSet<()>,
    generations: Generations,
    accord: Accord,
    /// Of the data folder, where no file of an engine in it has one.
    _lock: Option<std::fs::File>,
}

impl Program {
    /// Opens what is in the data folder, or makes it. Nothing is folded before [`Program::start`].
    pub async fn open(options: Options, clock: Clock) -> Result<Self, Error> {
        let log = Log::open(&options.data_dir, options.partitions)?;
        let store = cluster::rows(&options.data_dir)?;
        Self::on((log, store), None, options, clock).await
    }

    /// On engines that are open. `lock` is of the data folder, where no file in it has one.
    async fn on(
        (log, first): (Log, Rows),
        lock: Option<std::fs::File>,
        options: Options,
        clock: Clock,
    ) -> Result<Self, Error> {
        let sink = log.sink()?;
        let accord = Accord::read(&first).await?;
        let alias = accord.alias;
        let store = first.of(alias.live);
        if matches!(store, Rows::File(_)) {
            store.setup(&generations::table_names(alias.live)).await?;
        }
        log.follow(&accord.emitted_by());
        let progress = Progress::new(log.topic().partitions);
        let runtime = tokio::runtime::Handle::current();
        let parts = Parts {
            log: log.clone(),
            sink: sink.clone(),
            store: store.clone(),
            clock: clock.clone(),
            options: options.clone(),
            runtime: runtime.clone(),
            emission: Emission::default(),
            fence: Fence::default(),
            bots: Bots::default(),
            questions: Questions::default(),
            ended: Arc::default(),
        };
        Ok(Self {
            generations: Generations::new(parts, &alias, progress.clone()),
            log,
            sink,
            store,
            progress,
            clock,
            options,
            runtime,
            working: Arc::default(),
            turns: Turns::new(),
            purging: JoinSet::new(),
            accord,
            _lock: lock,
        })
    }

    /// Starts the worker threads, and what tidies up behind them.
    pub fn start(&mut self) -> Result<(), Error> {
        self.generations.start(&self.accord)?;
        self.working.store(true, Ordering::Relaxed);
        self.purging.spawn_on(purge::follow(self.store.clone(), self.generations.clone()), &self.runtime);
        Ok(())
    }

    /// Whether other processes may write the same rows.
    pub const fn is_shared(&self) -> bool {
        self.store.is_shared()
    }

    /// Folds, where nobody else can; where rows are shared with workers, it follows what they do.
    pub fn begin(&mut self) -> Result<(), Error> {
        if self.is_shared() {
            self.watch();
            return Ok(());
        }
        self.start()
    }

    /// Follows which generation is live, and folds nothing: for who only answers questions.
    pub fn watch(&self) {
        self.generations.watch();
    }

    /// The ends of the log, now.
    pub fn ends(&self) -> Vec<(Partition, Next)> {
        self.sight().ends()
    }

    /// The generation that is asked, whichever it is.
    pub fn live(&self) -> Live<Rows> {
        self.generations.live()
    }

    /// How far the workers of the live generation are, whichever it is.
    pub fn workers(&self) -> Workers {
        let generations = self.generations.clone();
        Arc::new(move || generations.progress())
    }

    /// Has other processes ask here for what this one folds; whoever is told first stays told.
    pub fn advertise(&self, addr: SocketAddr) {
        self.generations.advertise(addr);
    }

    /// For whoever asks what would be decided.
    pub fn checks(&self, policy: web::Policy) -> web::Checks {
        checks::door(self.generations.clone(), policy)
    }

    /// For whoever looks after the generations.
    pub fn generations(&self) -> web::Generations {
        status::door(self.generations.clone())
    }

    /// What raw fields are made tokens with; none: they are to be refused. On one machine a first secret is made.
    pub fn tokens(&self) -> Result<Option<Arc<Keys>>, Error> {
        Ok(secret::keys(&self.options, matches!(self.store, Rows::File(_)) && self.log.file().is_some())?)
    }

    /// Waits until the rows of everything that is in the log now are written.
    pub async fn caught_up(&self) -> Result<(), Error> {
        let (mut ends, progress) = (self.ends(), self.generations.progress());
        while !progress.reached(&ends) {
            if ends.is_empty() {
                ends = self.ends();
            }
            if let Some(why) = progress.halted() {
                return Err(Error::Halted(why));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Hands over and waits for the workers: everything folded is written, out and committed. Nobody looks any more.
    pub async fn stop(mut self) -> Result<(), Error> {
        self.turns.end().await;
        self.purging.shutdown().await;
        self.generations.stop().await
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

    /// Folds the log twice, as it is and by other rules, and says what differs. Works beside live input.
    pub async fn backtest(&self, asked: &Asked) -> Result<Report, Error> {
        self.sight().backtest(asked, |_, _| ControlFlow::Continue(())).await
    }

    /// Takes every row away that has expired, and says how many; the workers' process does so by itself every hour.
    pub async fn purge(&self) -> Result<u64, Error> {
        Ok(purge::purge_all(&self.store, (0..self.log.topic().partitions).map(Partition)).await?)
    }

    /// For whoever looks at the projections from outside.
    pub fn looks(&self) -> Looks {
        look::looks(self.sight(), self.turns.clone(), self.runtime.clone())
    }

    fn sight(&self) -> Sight {
        Sight {
            log: self.log.clone(),
            generations: self.generations.clone(),
            registry: self.options.registry.clone(),
            data_dir: self.options.data_dir.clone(),
            keep: self.options.keep.clone(),
            working: Arc::clone(&self.working),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.generations.break_off();
    }
}
