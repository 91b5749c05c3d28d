//! The worker threads that fold one generation.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::engine::{Log, Publisher, Rows, Sink, Source};
use super::{Error, Options, Snapshots};
use crate::clock::Clock;
use crate::event::Bots;
use crate::ids::{Next, Partition};
use crate::store::{Doors, alias};
use crate::telemetry::{Progress, with_causes};
use crate::worker::{self, Emission, Fence, Questions, Rate, Share, Worker};

pub(super) const STATE_FOLDER: &str = "state";

/// What the workers of all generations share. Clones share the same.
#[derive(Clone)]
pub(super) struct Parts {
    pub(super) log: Log,
    pub(super) sink: Sink,
    pub(super) store: Rows,
    pub(super) clock: Clock,
    pub(super) options: Options,
    pub(super) runtime: tokio::runtime::Handle,
    pub(super) emission: Emission,
    pub(super) fence: Fence,
    pub(super) bots: Bots,
    pub(super) questions: Questions,
    /// Told when a worker has ended.
    pub(super) ended: Arc<Notify>,
}

impl Parts {
    pub(super) fn partitions(&self) -> u32 {
        self.log.topic().partitions
    }

    /// The ends of the log, now; none where it does not answer.
    pub(super) fn ends(&self) -> Vec<(Partition, Next)> {
        self.log.known_ends()
    }

    /// The folder of all state.
    pub(super) fn state_dir(&self) -> PathBuf {
        self.options.data_dir.join(STATE_FOLDER)
    }

    /// One folder a partition below it: the first generation's stand there by themselves, as when it was the only one.
    pub(super) fn state_dir_of(&self, generation: u32) -> PathBuf {
        if generation == alias::FIRST {
            return self.state_dir();
        }
        self.state_dir().join(format!("g{generation}"))
    }

    /// Removes the state of a generation that nobody folds.
    pub(super) fn remove_state(&self, generation: u32) -> Result<(), Error> {
        let dir = self.state_dir_of(generation);
        let failed = |source| Error::Folder { dir: dir.clone(), source };
        if generation != alias::FIRST {
            return absent_is_fine(std::fs::remove_dir_all(&dir)).map_err(failed);
        }
        for p in 0..self.partitions() {
            absent_is_fine(std::fs::remove_dir_all(dir.join(format!("p{p}")))).map_err(failed)?;
        }
        Ok(())
    }

    /// As many threads for each generation: one core is left to everything else where there are more than two.
    fn threads(&self) -> u32 {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let spare = u32::try_from(cores.saturating_sub(1)).unwrap_or(1).max(2);
        self.options.workers.unwrap_or(spare).clamp(1, self.partitions())
    }
}

pub(super) fn absent_is_fine(outcome: std::io::Result<()>) -> std::io::Result<()> {
    match outcome {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

type OurWorker = Worker<Source, Publisher, Rows>;

/// The threads of one generation: one that fails ends the others.
pub(super) struct Fleet {
    pub(super) progress: Progress,
    pub(super) rate: Rate,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<Result<(), worker::Error>>>,
}

#[derive(Default)]
struct Shared {
    stop: Arc<AtomicBool>,
    running: AtomicUsize,
    is_other_fold: AtomicBool,
}

impl Fleet {
    pub(super) fn start(parts: &Parts, generation: u32, progress: Progress, rate: Rate) -> Result<Self, Error> {
        let of = parts.threads();
        worker::clear_links(&parts.state_dir_of(generation));
        let snapshots = parts.options.snapshots.as_ref().map(Snapshots::open).transpose()?;
        let shared = Arc::new(Shared::default());
        let mut fleet = Self { progress, rate, shared, threads: Vec::new() };
        for number in 0..of {
            let mut worker = fleet.worker(parts, generation, (number, of))?;
            worker.snapshots.clone_from(&snapshots);
            let name = if generation == alias::FIRST {
                format!("worker-{number}")
            } else {
                format!("worker-g{generation}-{number}")
            };
            fleet.shared.running.fetch_add(1, Ordering::AcqRel);
            let ending = Ending { shared: Arc::clone(&fleet.shared), ended: Arc::clone(&parts.ended) };
            let progress = fleet.progress.clone();
            let run = move || run(worker, generation, &progress, ending);
            fleet.threads.push(std::thread::Builder::new().name(name).spawn(run).map_err(Error::Thread)?);
        }
        Ok(fleet)
    }

    fn worker(&self, parts: &Parts, generation: u32, (number, of): (u32, u32)) -> Result<OurWorker, Error> {
        let (source, sink) = parts.log.worker(&parts.sink, generation, (number, of))?;
        Ok(Worker {
            generation,
            source,
            sink,
            store: parts.store.of(generation),
            schemas: worker::Schemas::new(parts.options.registry.clone(), parts.clock.clone()),
            bots: parts.bots.clone(),
            state_dir: parts.state_dir_of(generation),
            keep: parts.options.keep.clone(),
            pace: parts.options.pace,
            clock: parts.clock.clone(),
            progress: self.progress.clone(),
            runtime: parts.runtime.clone(),
            outlets: JoinSet::new(),
            stop: Arc::clone(&self.shared.stop),
            emission: parts.emission.clone(),
            fence: parts.fence.clone(),
            share: Share::new(self.rate.clone(), parts.partitions()),
            outputs: worker::Outputs::default(),
            snapshots: None,
            questions: parts.questions.clone(),
            seeded: worker::seeded::Seeded::default(),
        })
    }

    /// All of its threads fold.
    pub(super) fn is_running(&self) -> bool {
        !self.shared.stop.load(Ordering::Acquire) && self.shared.running.load(Ordering::Acquire) == self.threads.len()
    }

    /// None of its threads folds any more.
    pub(super) fn has_ended(&self) -> bool {
        self.shared.running.load(Ordering::Acquire) == 0
    }

    /// Its state is of another version of the fold.
    pub(super) fn is_other_fold(&self) -> bool {
        self.shared.is_other_fold.load(Ordering::Acquire)
    }

    /// Hands over and waits: everything folded is written and committed.
    pub(super) async fn end(self) -> Result<(), Error> {
        self.shared.stop.store(true, Ordering::Release);
        let joined = tokio::task::spawn_blocking(move || {
            let outcomes: Vec<_> = self.threads.into_iter().map(JoinHandle::join).collect();
            for outcome in outcomes {
                outcome.map_err(|_| Error::Panicked)??;
            }
            Ok(())
        });
        joined.await.map_err(|_| Error::Panicked)?
    }
}

fn run(worker: OurWorker, generation: u32, progress: &Progress, ending: Ending) -> Result<(), worker::Error> {
    crate::disk::stand_back();
    let outcome = worker.run();
    if let Err(error) = &outcome {
        let is_other_fold = matches!(error, worker::Error::OtherFold { .. });
        let why = with_causes(error);
        tracing::error!(generation, error = %why, "the worker stopped; queries go on with what is written");
        progress.halt(why);
        // Who sees this finds the reason.
        if is_other_fold {
            ending.shared.is_other_fold.store(true, Ordering::Release);
        }
    }
    drop(ending);
    outcome
}

/// The end of a thread, also by a panic: the others end too, and whoever looks after them is told.
struct Ending {
    shared: Arc<Shared>,
    ended: Arc<Notify>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.shared.running.fetch_sub(1, Ordering::AcqRel);
        self.ended.notify_one();
    }
}
