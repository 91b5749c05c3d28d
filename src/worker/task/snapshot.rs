//! Copies of a task's committed state.

use std::path::Path;

use super::Task;
use crate::append::Sink;
use crate::ids::Next;
use crate::keep;
use crate::publish::Publish;
use crate::store::Store;
use crate::worker::Error;
use crate::worker::seeded::Bug;

impl<K: Sink + Publish, T: Store> Task<K, T> {
    /// Copies what is committed into `dir`, an empty folder on the same disk; `false`: nothing is committed yet.
    pub(in crate::worker) fn snapshot(&mut self, dir: &Path) -> Result<bool, Error> {
        let partition = self.partition;
        let failed = |source| Error::State { partition, source };
        if self.seeded.has(Bug::SnapshotAhead) {
            self.keep.commit(&mut self.state, self.position).map_err(failed)?;
            self.keep.release(self.position);
        }
        if self.durable() == Next(0) {
            return Ok(false);
        }
        self.begin_snapshot(dir)?;
        self.keep.flush().map_err(failed)?;
        match self.snapshot_outcome()? {
            Some(outcome) => outcome.map(|()| true).map_err(failed),
            None => Ok(false),
        }
    }

    /// P as it is on disk: what a copy would hold.
    pub(in crate::worker) fn durable(&self) -> Next {
        self.keep.durable()
    }

    /// The same, without waiting for the disk.
    pub(in crate::worker) fn begin_snapshot(&mut self, dir: &Path) -> Result<(), Error> {
        let partition = self.partition;
        self.keep.snapshot(dir).map_err(|source| Error::State { partition, source })
    }

    /// What became of it; none yet if it is under way.
    pub(in crate::worker) fn snapshot_outcome(&mut self) -> Result<Option<Result<(), keep::Error>>, Error> {
        let partition = self.partition;
        self.keep.snapshot_result().map_err(|source| Error::State { partition, source })
    }
}
