//! Any stream of the log, read a stretch at a time: for commands that look.

use super::Log;
use crate::consume::embedded::Log as FileLog;
use crate::consume::kafka::Pages as KafkaPages;
use crate::consume::{Batch, Bounds, Error, Limits, Stream};
use crate::ids::{Next, Partition};

/// A stream, wherever it is.
pub enum Pages {
    File(FileLog, Stream),
    Kafka(Box<KafkaPages>),
}

impl Log {
    /// A view of a stream, outside of any group.
    pub fn pages(&self, stream: Stream) -> Result<Pages, Error> {
        Ok(match self {
            Self::File(log) => Pages::File(log.clone(), stream),
            Self::Kafka(log) => Pages::Kafka(Box::new(log.log.pages(stream)?)),
        })
    }
}

impl Pages {
    /// The readable range of a partition. It may wait for an answer.
    pub fn bounds(&self, partition: Partition) -> Result<Bounds, Error> {
        match self {
            Self::File(log, stream) => {
                Ok(log.bounds(*stream, partition).unwrap_or(Bounds { start: Next(0), end: Next(0) }))
            }
            Self::Kafka(pages) => pages.bounds(partition),
        }
    }

    /// Adds to `into` the records of a partition from `from` on and below `until`, until a limit is reached. Returns
    /// where to read on: `until` where nothing is left below it. It may wait for an answer.
    pub fn read(
        &mut self,
        partition: Partition,
        (from, until): (Next, Next),
        limits: &Limits,
        into: &mut Batch,
    ) -> Result<Next, Error> {
        match self {
            Self::File(log, stream) => {
                let end = log.bounds(*stream, partition).map_or(Next(0), |bounds| bounds.end);
                let left = usize::try_from(until.min(end).0.saturating_sub(from.0)).unwrap_or(usize::MAX);
                if left == 0 {
                    return Ok(until);
                }
                let limits = Limits { records_max: limits.records_max.min(into.len().saturating_add(left)), ..*limits };
                log.read(*stream, partition, from, &limits, into)
            }
            Self::Kafka(pages) => pages.read(partition, (from, until), limits, into),
        }
    }
}
