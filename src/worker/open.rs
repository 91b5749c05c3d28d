//! The states of the partitions that a worker is given, opened side by side: a start waits for the largest of them and
//! not for their sum.

use std::num::NonZero;
use std::path::PathBuf;
use std::slice::Iter;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, available_parallelism};

use crate::consume::Source;
use crate::fold::FINGERPRINT;
use crate::fold::state::State;
use crate::ids::{Next, Partition};
use crate::keep::{self, Identity, Limits, Store as Keep};
use crate::project::rows::AppliedRow;
use crate::project::tables;
use crate::store::Store;

use super::seeded::Bug;
use super::{Error, Worker};

/// A partition's state as its disk has it.
pub(super) struct Opened {
    pub(super) partition: Partition,
    pub(super) state: State,
    pub(super) keep: Keep,
    /// P.
    pub(super) position: Next,
}

/// What all of them have in common.
#[derive(Clone)]
pub(super) struct Place {
    topic: [u8; 16],
    generation: u32,
    dir: PathBuf,
    limits: Limits,
}

impl Place {
    pub(super) fn of<S: Source, K, T>(worker: &Worker<S, K, T>) -> Self {
        let (topic, dir, limits) = (worker.source.topic().id, worker.state_dir.clone(), worker.keep.clone());
        Self { topic, generation: worker.generation, dir, limits }
    }

    pub(super) fn identity(&self, partition: Partition) -> Identity {
        Identity { topic: self.topic, partition, generation: self.generation, fingerprint: FINGERPRINT }
    }

    pub(super) fn dir(&self, partition: Partition) -> PathBuf {
        self.dir.join(format!("p{}", partition.0))
    }

    pub(super) fn open(&self, partition: Partition) -> Result<Opened, Error> {
        let mut state = State::default();
        let opened = Keep::open(&self.dir(partition), self.identity(partition), self.limits.clone(), &mut state);
        let (keep, position) = opened.map_err(|source| {
            if matches!(source, keep::Error::OtherFold { .. }) {
                return Error::OtherFold { partition, generation: self.generation };
            }
            Error::State { partition, source }
        })?;
        Ok(Opened { partition, state, keep, position: position.unwrap_or(Next(0)) })
    }
}

/// Of each partition, in order: its state, or why there is none.
pub(super) type All = Vec<(Partition, Result<Opened, Error>)>;

/// Opens all, as many at a time as there are cores. Nobody else should have them open.
pub(super) fn open_all(place: &Place, partitions: &[Partition]) -> All {
    let (waiting, done) = (Mutex::new(partitions.iter()), Mutex::new(Vec::new()));
    let threads = available_parallelism().map_or(1, NonZero::get).min(partitions.len());
    std::thread::scope(|scope| {
        for number in 1..threads {
            let name = Builder::new().name(format!("open-{number}"));
            // Without it the others have more to do.
            drop(name.spawn_scoped(scope, || open_waiting(place, &waiting, &done)));
        }
        open_waiting(place, &waiting, &done);
    });
    let mut opened = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    // Whichever was opened first, they start in this order.
    opened.sort_by_key(|(partition, _)| *partition);
    opened
}

fn open_waiting(place: &Place, waiting: &Mutex<Iter<'_, Partition>>, done: &Mutex<All>) {
    while let Some(partition) = next(waiting) {
        let opened = place.open(partition);
        locked(done).push((partition, opened));
    }
}

fn next(waiting: &Mutex<Iter<'_, Partition>>) -> Option<Partition> {
    locked(waiting).next().copied()
}

/// How far the rows of a partition are.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Written {
    /// Those of fast tables, because that alone never goes back. `applied` is stamped with it, and with it wins the row of
    /// a flush that had no slow tables in it: a task that starts again at P and reaches less than its forerunner did
    /// writes slow rows that no `applied` tells of.
    pub(super) fast: Next,
    /// Those of all tables, for sure; perhaps more.
    pub(super) all: Next,
}

pub(super) fn rows_of<S, K, T: Store>(worker: &Worker<S, K, T>, partition: Partition) -> Result<Written, Error> {
    let keys = [tables::applied(partition)];
    let found =
        worker.runtime.block_on(worker.store.get(&keys)).map_err(|source| Error::Store { partition, source })?;
    let value = found.into_iter().flatten().next().and_then(|row| row.value);
    let Some(Ok(applied)) = value.as_deref().map(AppliedRow::decode) else { return Ok(Written::default()) };
    let all = applied.fast.min(applied.slow);
    Ok(Written { fast: if worker.seeded.has(Bug::RowsGoBack) { all } else { applied.fast }, all })
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
