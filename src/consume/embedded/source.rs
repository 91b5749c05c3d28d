//! A worker's view of the embedded log.

use super::Log;
use crate::consume::{Batch, Bounds, Error, Limits, Polled, Source, Stream, Topic};
use crate::ids::{Next, Partition};

/// Reads the events of the partitions `p` with `p % of == worker`.
pub struct EmbeddedSource {
    log: Log,
    assigned: Vec<Partition>,
    announced: bool,
    positions: Vec<(Partition, Next)>,
    /// Whose turn it is to be read first.
    turn: usize,
}

impl EmbeddedSource {
    pub(super) fn new(log: Log, worker: u32, of: u32) -> Self {
        let assigned = (0..log.topic().partitions).filter(|p| p % of.max(1) == worker).map(Partition).collect();
        Self { log, assigned, announced: false, positions: Vec::new(), turn: 0 }
    }

    fn read(&mut self, limits: &Limits, into: &mut Batch) -> Result<(), Error> {
        let count = self.positions.len();
        for step in 0..count {
            let full = into.len() >= limits.records_max || into.bytes() >= limits.bytes_max;
            let Some((partition, next)) = self.positions.get_mut((self.turn + step) % count) else { continue };
            if full {
                break;
            }
            *next = self.log.read(Stream::Events, *partition, *next, limits, into)?;
        }
        self.turn = self.turn.wrapping_add(1);
        Ok(())
    }
}

impl Source for EmbeddedSource {
    /// There is no other: one process holds the file.
    type Member = ();

    fn topic(&self) -> &Topic {
        self.log.topic()
    }

    fn member(&self) {}

    fn poll(&mut self, limits: &Limits, into: &mut Batch) -> Result<Polled, Error> {
        into.clear();
        if !self.announced {
            self.announced = true;
            return Ok(Polled::Assigned(self.assigned.clone()));
        }
        if limits.records_max > 0 {
            self.log.wait(&self.positions, limits.wait_max);
            self.read(limits, into)?;
        }
        Ok(Polled::Records)
    }

    fn seek(&mut self, partition: Partition, to: Next) -> Result<(), Error> {
        self.log.check(Stream::Events, partition, to)?;
        self.positions.retain(|(known, _)| *known != partition);
        self.positions.push((partition, to));
        Ok(())
    }

    fn bounds(&mut self, partition: Partition) -> Result<Bounds, Error> {
        self.log.check(Stream::Events, partition, Next(0))
    }

    fn committed(&mut self, partition: Partition) -> Result<Option<Next>, Error> {
        self.log.committed(partition)
    }
}
