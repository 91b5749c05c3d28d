//! What log, projections and other processes say of a partition before its state is opened.

use super::{Error, Worker, open};
use crate::consume::{Bounds, Source};
use crate::ids::{Next, Partition};
use crate::publish::Publish;
use crate::store::accord::Accord;
use crate::store::{Store, origin};

/// What log and projections say of a partition.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub(super) partition: Partition,
    /// E.
    pub(super) emitted: Next,
    pub(super) bounds: Bounds,
    /// Rows are written up to here.
    pub(super) rows: Next,
    /// Those of slow tables too, for sure.
    pub(super) settled: Next,
    /// Up to here an operator takes it as it is.
    pub(super) accepted: Next,
    /// Outputs leave from this generation.
    pub(super) is_emitter: bool,
    /// Another generation moved E before: this one has to say how far that is.
    pub(super) claims: bool,
}

impl Standing {
    /// Asks them all. It waits for answers.
    pub(super) fn of<S: Source, K: Publish, T: Store>(
        worker: &mut Worker<S, K, T>,
        partition: Partition,
    ) -> Result<Self, Error> {
        let bounds = worker.source.bounds(partition)?;
        let rows = open::rows_of(worker, partition)?;
        let accepted = worker.runtime.block_on(origin::accepted(&worker.store, partition));
        let accepted = accepted.map_err(|source| Error::Store { partition, source })?;
        // Whoever has slept long may not know what was agreed meanwhile: what is started now goes by it.
        let accord = worker.runtime.block_on(Accord::read(&worker.store));
        let accord = accord.map_err(|source| Error::Store { partition, source })?;
        worker.fence.follow(accord.fence, worker.clock.monotonic());
        let emitter = accord.emitter;
        if emitter.generation != worker.generation {
            worker.emission.withdraw(worker.generation);
        }
        // E is looked at when nobody else can move it any more.
        let is_emitter = worker.emission.is(worker.generation);
        let emitted = worker.source.committed(partition)?.unwrap_or(Next(0));
        let claims = is_emitter && emitter.prior.is_some();
        let (rows, settled) = (rows.fast, rows.all);
        Ok(Self { partition, emitted, bounds, rows, settled, accepted, is_emitter, claims })
    }

    /// Whether state as of `position` goes with it, as an operator takes it: where it goes on, and what is out below.
    pub(super) fn of_state(mut self, mut position: Next) -> Result<(Next, Self), Error> {
        let (partition, to) = (self.partition, self.bounds.start);
        if position < to && to <= self.accepted {
            tracing::warn!(partition = partition.0, from = position.0, to = to.0, "a gap, accepted");
            position = to;
        }
        if position <= self.accepted {
            self.emitted = self.emitted.max(position);
            self.rows = self.rows.max(position);
        }
        let Self { emitted, bounds, rows, .. } = self;
        if position > emitted || position > bounds.end {
            return Err(Error::Ahead { partition, state: position, committed: emitted, end: bounds.end });
        }
        if rows < position {
            // Rows below P must be there: they were acknowledged before P moved.
            return Err(Error::RowsBehind { partition, state: position, rows });
        }
        Ok((position, self))
    }
}
