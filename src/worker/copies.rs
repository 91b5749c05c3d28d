//! Copies of our states for others: one partition after the other, sent beside the worker's thread.
//!
//! A copy that fails costs whoever takes the partition over some time, and nothing else: it is told, counted, and made
//! again when the next is due.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::Error;
use super::open::Place;
use super::restore::unless;
use super::task::Task;
use crate::append::Sink;
use crate::clock::Clock;
use crate::ids::{Millis, Next, Partition};
use crate::keep::archive::Archive;
use crate::keep::export::{Hashes, Sent};
use crate::keep::{self, Identity};
use crate::publish::Publish;
use crate::store::Store;
use crate::telemetry::{Progress, SNAPSHOT_BYTES, SNAPSHOTS_FAILED, SNAPSHOTS_MADE, with_causes};

/// Whether something is due is looked at as often as this.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Below a state's folder: the hard links of a copy on its way.
const LINKS: &str = "snapshot";

/// Where copies of states go, and how often. Clones share it.
#[derive(Debug, Clone)]
pub struct Snapshots {
    pub(super) archive: Archive,
    every: Duration,
    /// So many events are replayed rather than fetched.
    pub(super) worth: u64,
    /// One copy at a time.
    turn: Arc<Semaphore>,
}

impl Snapshots {
    pub fn new(archive: Archive, every: Duration, worth: u64) -> Self {
        Self { archive, every, worth, turn: Arc::new(Semaphore::new(1)) }
    }
}

/// Removes what a process that was killed left of a copy on its way. Nobody makes one now.
pub fn clear_links(state_dir: &std::path::Path) {
    for entry in fs::read_dir(state_dir).into_iter().flatten().flatten() {
        let links = entry.path().join(LINKS);
        if links.is_dir()
            && let Err(error) = fs::remove_dir_all(&links)
        {
            tracing::warn!(folder = %links.display(), %error, "links of a snapshot stay, and hold disk space");
        }
    }
}

/// What a worker has to do with copies of its states.
#[derive(Default)]
pub(super) struct Copies {
    plans: BTreeMap<Partition, Plan>,
    current: Option<Copy>,
    looked_at: Option<Duration>,
}

/// Of one partition.
struct Plan {
    /// Of the task.
    incarnation: u64,
    due: Duration,
    /// The newest copy's position.
    made: Next,
    hashes: Hashes,
}

struct Copy {
    partition: Partition,
    incarnation: u64,
    links: PathBuf,
    stage: Stage,
}

enum Stage {
    /// The state's writer makes hard links.
    Linking(OwnedSemaphorePermit),
    Sending {
        /// Gone: nobody waits for it any more.
        cancel: oneshot::Sender<()>,
        thread: JoinHandle<Outcome>,
    },
}

/// None: broken off.
type Outcome = (Hashes, Option<Result<Sent, keep::Error>>);

/// What the copies need of their worker.
pub(super) struct With<'a> {
    pub(super) snapshots: &'a Snapshots,
    pub(super) place: &'a Place,
    pub(super) clock: &'a Clock,
    pub(super) progress: &'a Progress,
    pub(super) runtime: &'a Handle,
    /// Of the topic.
    pub(super) partitions: u32,
}

impl Copies {
    /// Whether it is time for a turn.
    pub(super) fn is_time(&mut self, now: Duration) -> bool {
        let is_time = self.looked_at.is_none_or(|at| now >= at + LOOK_EVERY);
        if is_time {
            self.looked_at = Some(now);
        }
        is_time
    }

    /// What is under way goes on a little further, or the next one that is due begins. Does not wait. An error is one of
    /// the state, not of the copy.
    pub(super) fn turn<K: Sink + Publish, T: Store>(
        &mut self,
        tasks: &mut [Option<Task<K, T>>],
        with: &With<'_>,
    ) -> Result<(), Error> {
        let Some(Copy { partition, incarnation, links, stage }) = self.current.take() else {
            return self.begin(tasks, with);
        };
        match stage {
            Stage::Linking(turn) => {
                let mut found = tasks.iter_mut().flatten();
                let Some(task) = found.find(|task| task.incarnation == incarnation) else {
                    // The writer is gone with its task.
                    remove(&links);
                    return Ok(());
                };
                match task.snapshot_outcome()? {
                    Some(Ok(())) => self.send((partition, incarnation), links, turn, with),
                    Some(Err(error)) => {
                        remove(&links);
                        failed(partition, &error);
                    }
                    None => self.current = Some(Copy { partition, incarnation, links, stage: Stage::Linking(turn) }),
                }
            }
            Stage::Sending { cancel, thread } if !thread.is_finished() => {
                self.current = Some(Copy { partition, incarnation, links, stage: Stage::Sending { cancel, thread } });
            }
            Stage::Sending { thread, .. } => {
                let outcome = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                self.sent((partition, incarnation), outcome, with);
            }
        }
        Ok(())
    }

    /// The one that has been due longest.
    fn begin<K: Sink + Publish, T: Store>(
        &mut self,
        tasks: &mut [Option<Task<K, T>>],
        with: &With<'_>,
    ) -> Result<(), Error> {
        let now = with.clock.monotonic();
        for task in tasks.iter().flatten() {
            self.plan(task.partition, task.incarnation, with);
        }
        let due = |task: &&mut Task<K, T>| self.plans.get(&task.partition).map(|plan| plan.due);
        let Some(task) = tasks.iter_mut().flatten().min_by_key(due) else { return Ok(()) };
        let (partition, incarnation, durable) = (task.partition, task.incarnation, task.durable());
        let Some(plan) = self.plans.get_mut(&partition).filter(|plan| now >= plan.due) else { return Ok(()) };
        if durable == Next(0) || durable == plan.made {
            // A copy made now would hold nothing that the newest does not.
            plan.due = now + with.snapshots.every;
            told(with, partition);
            return Ok(());
        }
        let Ok(turn) = Arc::clone(&with.snapshots.turn).try_acquire_owned() else { return Ok(()) };
        plan.due = now + with.snapshots.every;
        let links = with.place.dir(partition).join(LINKS);
        remove(&links);
        task.begin_snapshot(&links)?;
        self.current = Some(Copy { partition, incarnation, links, stage: Stage::Linking(turn) });
        Ok(())
    }

    /// Partitions that start together are spread over the time between two copies.
    fn plan(&mut self, partition: Partition, incarnation: u64, with: &With<'_>) {
        let plan = self.plans.entry(partition).or_insert_with(|| {
            told(with, partition);
            let share = with.snapshots.every / with.partitions.max(1);
            let due = with.clock.monotonic() + share * (partition.0 + 1);
            Plan { incarnation, due, made: Next(0), hashes: Hashes::default() }
        });
        if plan.incarnation != incarnation {
            // What a file of this name and length held may have been cut off, and written anew.
            (plan.incarnation, plan.hashes) = (incarnation, Hashes::default());
        }
    }

    fn send(
        &mut self,
        (partition, incarnation): (Partition, u64),
        links: PathBuf,
        turn: OwnedSemaphorePermit,
        with: &With<'_>,
    ) {
        let hashes = self.plans.get_mut(&partition).map(|plan| std::mem::take(&mut plan.hashes));
        let sending = Sending {
            archive: with.snapshots.archive.clone(),
            identity: with.place.identity(partition),
            links: links.clone(),
            hashes: hashes.unwrap_or_default(),
            now: with.clock.now(),
            runtime: with.runtime.clone(),
            _turn: turn,
        };
        let (cancel, cancelled) = oneshot::channel();
        let thread = Builder::new().name(format!("snapshot-{}", partition.0));
        match thread.spawn(move || sending.run(cancelled)) {
            Ok(thread) => {
                self.current = Some(Copy { partition, incarnation, links, stage: Stage::Sending { cancel, thread } });
            }
            Err(source) => {
                remove(&links);
                failed(partition, &Error::Thread { partition, source });
            }
        }
    }

    fn sent(&mut self, (partition, incarnation): (Partition, u64), (hashes, outcome): Outcome, with: &With<'_>) {
        let plan = self.plans.get_mut(&partition).filter(|plan| plan.incarnation == incarnation);
        match outcome {
            Some(Ok(Sent { next, bytes })) => {
                metrics::counter!(SNAPSHOTS_MADE).increment(1);
                metrics::counter!(SNAPSHOT_BYTES).increment(bytes);
                tracing::debug!(partition = partition.0, position = next.0, bytes, "a snapshot is in the store");
                if let Some(plan) = plan {
                    (plan.made, plan.hashes) = (next, hashes);
                    told(with, partition);
                }
            }
            Some(Err(error)) => failed(partition, &error),
            None => {}
        }
    }

    /// Those are not ours any more.
    pub(super) fn forget(&mut self, partitions: &[Partition], progress: &Progress) {
        for partition in partitions {
            self.plans.remove(partition);
            if let Some(progress) = progress.of(*partition) {
                progress.snapshot_time.store(0, Ordering::Relaxed);
            }
        }
    }

    /// Breaks off what is under way, and waits until nothing of it is left.
    pub(super) fn end(&mut self) {
        match self.current.take() {
            Some(Copy { stage: Stage::Sending { cancel, thread }, .. }) => {
                drop(cancel);
                drop(thread.join());
            }
            Some(Copy { links, stage: Stage::Linking(_), .. }) => remove(&links),
            None => {}
        }
    }
}

/// A copy that was linked.
struct Sending {
    archive: Archive,
    identity: Identity,
    links: PathBuf,
    hashes: Hashes,
    now: Millis,
    runtime: Handle,
    /// Given back at the end.
    _turn: OwnedSemaphorePermit,
}

impl Sending {
    fn run(mut self, mut cancelled: oneshot::Receiver<()>) -> Outcome {
        let Self { archive, identity, links, hashes, now, runtime, .. } = &mut self;
        let both = async {
            let sent = archive.send(identity, links, hashes).await?;
            if let Err(error) = archive.prune(identity, *now).await {
                let (partition, error) = (identity.partition.0, with_causes(&error));
                tracing::warn!(partition, error, "old snapshots stay for now");
            }
            Ok(sent)
        };
        let outcome = unless(&mut cancelled, runtime, both);
        remove(links);
        (std::mem::take(hashes), outcome)
    }
}

/// The newest copy holds what there is now.
fn told(with: &With<'_>, partition: Partition) {
    if let Some(progress) = with.progress.of(partition) {
        progress.snapshot_time.store(with.clock.now().0, Ordering::Relaxed);
    }
}

fn failed(partition: Partition, error: &dyn std::error::Error) {
    metrics::counter!(SNAPSHOTS_FAILED).increment(1);
    tracing::warn!(partition = partition.0, error = with_causes(error), "no snapshot was made; the next try comes");
}

/// What cannot be removed is told, and in the way of the next copy.
fn remove(links: &std::path::Path) {
    match fs::remove_dir_all(links) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(folder = %links.display(), %error, "links of a snapshot stay, and hold disk space");
        }
        Ok(()) | Err(_) => {}
    }
}
