//! States that come from the snapshot store: fetched and opened beside the worker's thread, which goes on with its other
//! partitions and stays a member of its group meanwhile.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::resume_unwind;
use std::thread::{Builder, JoinHandle};

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::Error;
use super::open::{Opened, Place};
use super::standing::Standing;
use crate::ids::{Next, Partition};
use crate::keep::archive::{self, Archive};
use crate::keep::export::Wanted;
use crate::keep::{self, Verdict};
use crate::telemetry::{SNAPSHOTS_RESTORED, with_causes};

/// Snapshots that came whole and cannot be opened are given up after so many.
const UNFIT_MAX: usize = 3;

/// Partitions whose state is being fetched, one at a time a worker.
#[derive(Default)]
pub(super) struct Restores {
    waiting: VecDeque<Restore>,
    at_work: Option<AtWork>,
}

/// A state, and what would be better.
pub(super) struct Restore {
    pub(super) archive: Archive,
    pub(super) place: Place,
    /// Held open: nobody else may have it meanwhile.
    pub(super) opened: Opened,
    pub(super) wanted: Wanted,
    pub(super) runtime: Handle,
}

struct AtWork {
    partition: Partition,
    /// Gone: nobody wants it any more.
    cancel: Option<oneshot::Sender<()>>,
    thread: JoinHandle<Result<Opened, Error>>,
}

/// Which snapshot beats the state that is on the disk; none: no need to ask. What is further on is always better, and a
/// short way is sooner replayed than a state is fetched: that takes more than `worth` events.
pub(super) fn wanted(place: &Place, opened: &Opened, standing: &Standing, worth: u64) -> Option<Wanted> {
    let position = opened.position;
    // Rows below it must be there, all of them: they may have been lost, or be those of a life before.
    let at_most = standing.emitted.min(standing.bounds.end).min(standing.settled);
    // There is no other way if the log does not reach back so far.
    let is_needed = position == Next(0) || position < standing.bounds.start;
    let above = if is_needed { position } else { Next(position.0.saturating_add(worth)) };
    (at_most > above).then(|| Wanted { identity: place.identity(opened.partition), above, at_most })
}

impl Restores {
    pub(super) fn ask(&mut self, restore: Restore) {
        self.waiting.push_back(restore);
    }

    /// Whether the partition's files are in use.
    pub(super) fn has(&self, partition: Partition) -> bool {
        self.waiting.iter().any(|restore| restore.opened.partition == partition)
            || self.at_work.as_ref().is_some_and(|at_work| at_work.partition == partition)
    }

    /// Nobody wants it any more; its files are free as soon as the thread has noticed.
    pub(super) fn cancel(&mut self, partition: Partition) {
        self.give_up(|given_up| given_up == partition);
    }

    /// Nobody wants those any more; whether files of theirs are in use still.
    pub(super) fn give_up(&mut self, is_given_up: impl Fn(Partition) -> bool) -> bool {
        self.waiting.retain(|restore| !is_given_up(restore.opened.partition));
        let Some(at_work) = self.at_work.as_mut().filter(|at_work| is_given_up(at_work.partition)) else {
            return false;
        };
        at_work.cancel = None;
        !at_work.thread.is_finished()
    }

    /// One that is done, if it is wanted still; else the next begins. Does not wait.
    pub(super) fn next(&mut self) -> Option<(Partition, Result<Opened, Error>)> {
        if let Some(AtWork { partition, cancel, thread }) = self.at_work.take_if(|at_work| at_work.thread.is_finished())
        {
            let outcome = thread.join().unwrap_or_else(|panic| resume_unwind(panic));
            if cancel.is_some() {
                return Some((partition, outcome));
            }
        }
        if self.at_work.is_none() {
            let restore = self.waiting.pop_front()?;
            let partition = restore.opened.partition;
            match begin(restore) {
                Ok(at_work) => self.at_work = Some(at_work),
                Err(error) => return Some((partition, Err(error))),
            }
        }
        None
    }

    /// Waits until no files are in use.
    pub(super) fn end(&mut self) {
        self.waiting.clear();
        if let Some(AtWork { cancel, thread, .. }) = self.at_work.take() {
            drop(cancel);
            drop(thread.join());
        }
    }
}

fn begin(restore: Restore) -> Result<AtWork, Error> {
    let partition = restore.opened.partition;
    let (cancel, cancelled) = oneshot::channel();
    let thread = Builder::new().name(format!("restore-{}", partition.0));
    let thread = thread.spawn(move || restore.run(cancelled)).map_err(|source| Error::Thread { partition, source })?;
    Ok(AtWork { partition, cancel: Some(cancel), thread })
}

impl Restore {
    /// The better state, or the one that there was.
    fn run(self, mut cancelled: oneshot::Receiver<()>) -> Result<Opened, Error> {
        let Self { archive, place, mut opened, mut wanted, runtime } = self;
        let (partition, was) = (opened.partition, opened.position);
        let dir = place.dir(partition);
        for _ in 0..UNFIT_MAX {
            let look = async {
                // The list is short, and answers soon whether there is anything to wait for.
                match archive.newest(&wanted).await? {
                    Some(_) => archive.fetch(&wanted, &dir).await,
                    None => Ok(None),
                }
            };
            match unless(&mut cancelled, &runtime, look) {
                None | Some(Ok(None)) => return Ok(opened),
                Some(Err(error)) => {
                    tell_of_failure(&opened, &error);
                    return Ok(opened);
                }
                Some(Ok(Some(next))) => {
                    // Closed, so that it can be opened with what has come.
                    drop(opened);
                    match place.open(partition) {
                        Ok(restored) => {
                            let (from, position) = (was.0, restored.position.0);
                            tracing::info!(partition = partition.0, from, position, "restored from a snapshot");
                            metrics::counter!(SNAPSHOTS_RESTORED).increment(1);
                            return Ok(restored);
                        }
                        Err(error) if is_unfit(&error) => {
                            let error = with_causes(&error);
                            tracing::warn!(
                                partition = partition.0,
                                snapshot = next.0,
                                error,
                                "a snapshot cannot be opened"
                            );
                            archive::empty(&dir).map_err(|source| Error::State { partition, source })?;
                            opened = place.open(partition)?;
                            wanted.at_most = Next(next.0.saturating_sub(1));
                        }
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        Ok(opened)
    }
}

fn is_unfit(error: &Error) -> bool {
    let is_of_state = |source: &keep::Error| source.verdict() == Verdict::Halt;
    matches!(error, Error::OtherFold { .. }) || matches!(error, Error::State { source, .. } if is_of_state(source))
}

fn tell_of_failure(opened: &Opened, error: &keep::Error) {
    let (partition, position, error) = (opened.partition.0, opened.position.0, with_causes(error));
    if opened.position == Next(0) {
        tracing::warn!(partition, error, "no snapshot to begin from: the log is folded from its start");
    } else {
        tracing::warn!(partition, position, error, "no snapshot to begin from: going on with the state on this disk");
    }
}

/// What is asked, unless nobody wants it any more. Dropped half way, it leaves a folder that the next opening clears away.
pub(super) fn unless<A>(
    cancelled: &mut oneshot::Receiver<()>,
    runtime: &Handle,
    asked: impl Future<Output = A>,
) -> Option<A> {
    runtime.block_on(async {
        tokio::select! {
            biased;
            _ = cancelled => None,
            answer = asked => Some(answer),
        }
    })
}
