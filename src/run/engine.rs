//! The engines that the program runs on, whichever they are: a log and projections in files, or in Kafka and CQL.
//!
//! One type for each seam, so that everything behind them is compiled once.

mod pages;
mod rows;
mod ways;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Error, LOG_FILE, keys};
use crate::append::embedded::EmbeddedSink;
use crate::append::kafka::KafkaSink;
use crate::consume::embedded::{EmbeddedSource, Log as FileLog};
use crate::consume::kafka::{Ends, Kafka, KafkaSource, Member, Offsets, Settings};
use crate::consume::{self, Batch, Bounds, Limits, Polled, Stream, Topic};
use crate::disk;
use crate::ids::{Next, Partition};
use crate::publish::kafka::KafkaPublisher;

pub(super) use pages::Pages;
pub use rows::Rows;
pub use ways::{Publisher, Sink};

/// A log, and the doors into it.
#[derive(Clone)]
pub enum Log {
    File(FileLog),
    Kafka(KafkaLog),
}

/// The log in Kafka, its ends followed.
#[derive(Clone)]
pub struct KafkaLog {
    log: Kafka,
    ends: Ends,
    offsets: Offsets,
}

/// A worker's view of the events.
pub enum Source {
    File(EmbeddedSource),
    Kafka(Box<KafkaSource>),
}

impl Log {
    /// Opens the log of a folder, or makes it.
    pub(super) fn open(dir: &Path, partitions: u32) -> Result<Self, Error> {
        let failed = |source| Error::Folder { dir: dir.to_owned(), source };
        std::fs::create_dir_all(dir).map_err(failed)?;
        let id = keys::entropy().map_err(failed)?;
        Ok(Self::File(FileLog::open(&dir.join(LOG_FILE), partitions, id, disk::Options::default())?))
    }

    /// Looks at the topics in Kafka, which must be there.
    pub fn connect(settings: Settings) -> Result<Self, Error> {
        let log = Kafka::open(settings)?;
        Ok(Self::Kafka(KafkaLog { ends: Ends::follow(&log)?, offsets: Offsets::new(log.clone()), log }))
    }

    /// The file, where it is one.
    pub const fn file(&self) -> Option<&FileLog> {
        match self {
            Self::File(log) => Some(log),
            Self::Kafka(_) => None,
        }
    }

    /// A way in.
    pub fn sink(&self) -> Result<Sink, Error> {
        Ok(match self {
            Self::File(log) => Sink::File(EmbeddedSink::new(log.clone(), Default::default())?),
            Self::Kafka(log) => Sink::Kafka(KafkaSink::new(log.log.clone())?),
        })
    }

    pub fn topic(&self) -> &Topic {
        match self {
            Self::File(log) => log.topic(),
            Self::Kafka(log) => log.log.topic(),
        }
    }

    /// The doors of worker `number` among `of` who fold a generation in this process.
    pub(super) fn worker(
        &self,
        sink: &Sink,
        generation: u32,
        (number, of): (u32, u32),
    ) -> Result<(Source, Publisher), Error> {
        Ok(match (self, sink) {
            (Self::File(log), Sink::File(sink)) => {
                (Source::File(log.source(number, of)), Publisher::File(sink.clone()))
            }
            (Self::Kafka(log), Sink::Kafka(sink)) => (
                Source::Kafka(Box::new(log.log.source(generation, number)?)),
                Publisher::Kafka(KafkaPublisher::new(sink.clone(), generation, number)?),
            ),
            (Self::File(_), Sink::Kafka(_)) | (Self::Kafka(_), Sink::File(_)) => return Err(Error::Panicked),
        })
    }

    /// All partitions, for whoever only looks.
    pub(super) fn reader(&self) -> Result<Source, Error> {
        Ok(match self {
            Self::File(log) => Source::File(log.source(0, 1)),
            Self::Kafka(log) => Source::Kafka(Box::new(log.log.reader()?)),
        })
    }

    /// The ends by partition, now or a moment ago; or why they are not known.
    pub fn ends(&self) -> Result<Vec<Next>, String> {
        match self {
            Self::File(log) => {
                let end = |p| log.bounds(Stream::Events, Partition(p)).map(|bounds| bounds.end);
                let found =
                    (0..log.topic().partitions).map(|p| end(p).ok_or_else(|| format!("it has no partition {p}")));
                found.collect()
            }
            Self::Kafka(log) => Ok(log.ends.known()?.into_iter().map(|bounds| bounds.end).collect()),
        }
    }

    /// The same with their partitions; none where they are not known.
    pub(super) fn known_ends(&self) -> Vec<(Partition, Next)> {
        (0..).map(Partition).zip(self.ends().unwrap_or_default()).collect()
    }

    /// E. It may wait for an answer, so not on a thread that others wait for.
    pub fn committed(&self, partition: Partition) -> Result<Option<Next>, consume::Error> {
        match self {
            Self::File(log) => log.committed(partition),
            Self::Kafka(log) => log.offsets.committed(partition),
        }
    }

    /// Who folds each partition of a generation, where that can be asked. It waits for an answer.
    pub fn owners(&self, generation: u32) -> Result<BTreeMap<Partition, String>, consume::Error> {
        match self {
            Self::File(_) => Ok(BTreeMap::new()),
            Self::Kafka(log) => log.log.owners(generation),
        }
    }

    /// Who is in the group of a generation, where there are groups; `None`: nobody knows the group now. It waits for an
    /// answer.
    pub(super) fn members(&self, generation: u32) -> Result<Option<BTreeSet<String>>, consume::Error> {
        match self {
            Self::File(_) => Ok(Some(BTreeSet::new())),
            Self::Kafka(log) => log.log.members(generation),
        }
    }

    /// Which generations there are from now on: in Kafka each reads in a group of its own.
    pub(super) fn follow(&self, generations: &[u32]) {
        match self {
            Self::File(_) => {}
            Self::Kafka(log) => log.log.set_generations(generations.to_vec()),
        }
    }
}

impl consume::Source for Source {
    type Member = Member;

    fn topic(&self) -> &Topic {
        match self {
            Self::File(source) => source.topic(),
            Self::Kafka(source) => source.topic(),
        }
    }

    fn member(&self) -> Member {
        match self {
            Self::File(_) => Member::default(),
            Self::Kafka(source) => source.member(),
        }
    }

    fn poll(&mut self, limits: &Limits, into: &mut Batch) -> Result<Polled, consume::Error> {
        match self {
            Self::File(source) => source.poll(limits, into),
            Self::Kafka(source) => source.poll(limits, into),
        }
    }

    fn seek(&mut self, partition: Partition, to: Next) -> Result<(), consume::Error> {
        match self {
            Self::File(source) => source.seek(partition, to),
            Self::Kafka(source) => source.seek(partition, to),
        }
    }

    fn bounds(&mut self, partition: Partition) -> Result<Bounds, consume::Error> {
        match self {
            Self::File(source) => source.bounds(partition),
            Self::Kafka(source) => source.bounds(partition),
        }
    }

    fn committed(&mut self, partition: Partition) -> Result<Option<Next>, consume::Error> {
        match self {
            Self::File(source) => source.committed(partition),
            Self::Kafka(source) => source.committed(partition),
        }
    }
}
