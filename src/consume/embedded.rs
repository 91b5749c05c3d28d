//! The log in one redb file, and the source that reads it.
//!
//! A stream's partition is a table `offset of the first record → block`; E is a table of its own.

pub(crate) mod block;
mod source;

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, TableError};

use super::{Batch, Bounds, Error, Limits, Record, Stream, Topic};
use crate::disk::{self, Disk, damaged};
use crate::ids::{Next, Offset, Partition};
use block::{Place, Reader};

pub use source::EmbeddedSource;

/// Partitions of a log that was not told otherwise.
pub const PARTITIONS: u32 = 4;

pub(crate) const COMMITTED: TableDefinition<'_, u32, u64> = TableDefinition::new("committed");
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
const FORMAT: &[u8] = b"1";

/// The blocks of one partition.
pub(crate) type Blocks<'a> = TableDefinition<'a, u64, &'static [u8]>;

/// The log of this process. Clones are the same log.
#[derive(Clone)]
pub struct Log {
    inner: Arc<Inner>,
}

struct Inner {
    disk: Disk,
    topic: Topic,
    /// One past the last offset, by stream and partition.
    ends: Mutex<Vec<Next>>,
    grown: Condvar,
    /// Held by the one who lays out offsets until they are committed.
    writing: Mutex<Ends>,
}

/// Whether `ends` are those of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Ends {
    #[default]
    Known,
    /// A commit failed: perhaps it is in the file, perhaps not.
    Unsure,
}

impl Log {
    /// Opens the log at `path`, or creates it with `partitions` and the topic id `entropy`.
    pub fn open(path: &Path, partitions: u32, entropy: [u8; 16], options: disk::Options) -> Result<Self, OpenError> {
        let disk = Disk::open(path, options)?;
        let topic = disk.run(|db| create(db, partitions, entropy))?;
        if topic.partitions != partitions {
            return Err(OpenError::Partitions {
                file: disk.file().to_owned(),
                has: topic.partitions,
                wanted: partitions,
            });
        }
        let ends = disk.run(|db| read_ends(db, partitions))?;
        Ok(Self {
            inner: Arc::new(Inner {
                disk,
                topic,
                ends: Mutex::new(ends),
                grown: Condvar::new(),
                writing: Mutex::default(),
            }),
        })
    }

    /// The events of the partitions of one worker among `of`.
    pub fn source(&self, worker: u32, of: u32) -> EmbeddedSource {
        EmbeddedSource::new(self.clone(), worker, of)
    }

    pub fn topic(&self) -> &Topic {
        &self.inner.topic
    }

    /// The path, for messages.
    pub fn file(&self) -> &str {
        self.inner.disk.file()
    }

    pub fn bounds(&self, stream: Stream, partition: Partition) -> Option<Bounds> {
        let end = *self.ends().get(self.slot(stream, partition)?)?;
        Some(Bounds { start: Next(0), end })
    }

    /// Adds to `into` the records of a partition from `from` on, within the limits that are left there. Returns where
    /// to read on. At the end of the log it adds nothing.
    pub fn read(
        &self,
        stream: Stream,
        partition: Partition,
        from: Next,
        limits: &Limits,
        into: &mut Batch,
    ) -> Result<Next, Error> {
        let bounds = self.check(stream, partition, from)?;
        if from == bounds.end {
            return Ok(from);
        }
        let (len, bytes) = (into.len(), into.bytes());
        let read = self.inner.disk.run(|db| {
            into.truncate_to(len, bytes);
            read_blocks(&db.begin_read()?, Place { stream, partition, first: from }, bounds.end, limits, into)
        });
        read.map_err(|error| self.explain(stream, partition, from, error))
    }

    /// E of a partition.
    pub fn committed(&self, partition: Partition) -> Result<Option<Next>, Error> {
        let read = self.inner.disk.run(|db| {
            let table = db.begin_read()?.open_table(COMMITTED)?;
            Ok(table.get(partition.0)?.map(|next| Next(next.value())))
        });
        read.map_err(|error| self.explain(Stream::Events, partition, Next(0), error))
    }

    /// Waits until one of `places` in the events has grown beyond its position, or `wait_max` is over.
    pub fn wait(&self, places: &[(Partition, Next)], wait_max: Duration) {
        let grown = |ends: &mut Vec<Next>| {
            let beyond = |place: &(Partition, Next)| {
                self.slot(Stream::Events, place.0).and_then(|slot| ends.get(slot)).is_some_and(|end| *end > place.1)
            };
            !places.iter().any(beyond)
        };
        drop(self.inner.grown.wait_timeout_while(self.ends(), wait_max, grown));
    }

    pub(crate) fn disk(&self) -> &Disk {
        &self.inner.disk
    }

    /// Offsets are given out under this, so that two sinks on one log cannot give out the same.
    pub(crate) fn writing(&self) -> MutexGuard<'_, Ends> {
        self.inner.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn slot(&self, stream: Stream, partition: Partition) -> Option<usize> {
        let partitions = self.inner.topic.partitions;
        let slot = u32::from(stream.number()) * partitions + partition.0;
        (partition.0 < partitions).then(|| usize::try_from(slot).ok())?
    }

    pub(crate) fn ends(&self) -> MutexGuard<'_, Vec<Next>> {
        self.inner.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks up the ends in the file.
    pub(crate) fn refresh(&self) -> Result<(), disk::Error> {
        let ends = self.disk().run(|db| read_ends(db, self.inner.topic.partitions))?;
        self.publish(ends);
        Ok(())
    }

    /// Makes appended records known to those who wait for them.
    pub(crate) fn publish(&self, ends: Vec<Next>) {
        *self.ends() = ends;
        self.inner.grown.notify_all();
    }

    fn check(&self, stream: Stream, partition: Partition, wanted: Next) -> Result<Bounds, Error> {
        let bounds = self.bounds(stream, partition).unwrap_or(Bounds { start: Next(0), end: Next(0) });
        if wanted < bounds.start || wanted > bounds.end {
            let topic = stream.name().to_owned();
            return Err(Error::OutOfRange { topic, partition, wanted, bounds });
        }
        Ok(bounds)
    }

    fn explain(&self, stream: Stream, partition: Partition, at: Next, error: disk::Error) -> Error {
        let file = self.file().to_owned();
        match error {
            disk::Error::Damaged { what, .. } => {
                let topic = stream.name().to_owned();
                Error::Damaged { topic, partition, offset: Offset(at.0), file, what }
            }
            disk::Error::InUse { .. }
            | disk::Error::Open { .. }
            | disk::Error::Full { .. }
            | disk::Error::Engine { .. } => Error::Engine { file, source: Box::new(error) },
        }
    }
}

/// The name of the table that holds a partition.
pub(crate) fn table_name(stream: Stream, partition: Partition) -> String {
    format!("{}/{}", stream.name(), partition.0)
}

fn create(db: &Database, partitions: u32, entropy: [u8; 16]) -> Result<Topic, redb::Error> {
    let found = match db.begin_read()?.open_table(META) {
        Ok(meta) => Some(topic(&meta)?),
        Err(TableError::TableDoesNotExist(_)) => None,
        Err(error) => return Err(error.into()),
    };
    if let Some(found) = found {
        return Ok(found);
    }
    let write = disk::begin_write(db)?;
    {
        let mut meta = write.open_table(META)?;
        meta.insert("format", FORMAT)?;
        meta.insert("topic", entropy.as_slice())?;
        meta.insert("partitions", partitions.to_le_bytes().as_slice())?;
        write.open_table(COMMITTED)?;
        for stream in Stream::ALL {
            for partition in 0..partitions {
                write.open_table(Blocks::new(&table_name(stream, Partition(partition))))?;
            }
        }
    }
    write.commit()?;
    Ok(Topic { name: Stream::Events.name().to_owned(), id: entropy, partitions })
}

fn topic(meta: &impl ReadableTable<&'static str, &'static [u8]>) -> Result<Topic, redb::Error> {
    let get = |name| -> Result<Vec<u8>, redb::Error> {
        let value = meta.get(name)?.ok_or_else(|| damaged(format!("it has no {name}")))?;
        Ok(value.value().to_vec())
    };
    if get("format")? != FORMAT {
        return Err(damaged("its format is not one that this version reads"));
    }
    let id = get("topic")?.try_into().map_err(|_| damaged("its topic id is not of 16 bytes"))?;
    let partitions = get("partitions")?.try_into().map_err(|_| damaged("its partition count is not a number"))?;
    let partitions = u32::from_le_bytes(partitions);
    Ok(Topic { name: Stream::Events.name().to_owned(), id, partitions })
}

fn read_ends(db: &Database, partitions: u32) -> Result<Vec<Next>, redb::Error> {
    let read = db.begin_read()?;
    let mut ends = Vec::new();
    for stream in Stream::ALL {
        for partition in (0..partitions).map(Partition) {
            let table = read.open_table(Blocks::new(&table_name(stream, partition)))?;
            let Some((first, bytes)) = table.last()? else {
                ends.push(Next(0));
                continue;
            };
            let place = Place { stream, partition, first: Next(first.value()) };
            let block = Reader::open(place, bytes.value()).ok_or_else(|| bad_block(place))?;
            ends.push(Next(place.first.0 + u64::from(block.records())));
        }
    }
    Ok(ends)
}

fn read_blocks(
    read: &ReadTransaction,
    from: Place,
    end: Next,
    limits: &Limits,
    into: &mut Batch,
) -> Result<Next, redb::Error> {
    let table = read.open_table(Blocks::new(&table_name(from.stream, from.partition)))?;
    let mut next = from.first;
    let first = table.range(..=next.0)?.next_back().transpose()?.map_or(next.0, |(first, _)| first.value());
    for row in table.range(first..)? {
        let (first, bytes) = row?;
        let place = Place { first: Next(first.value()), ..from };
        let block = Reader::open(place, bytes.value()).ok_or_else(|| bad_block(place))?;
        if place.first > next {
            return Err(damaged(format!("offsets {} to {} are missing", next.0, place.first.0)));
        }
        let skip = usize::try_from(next.0 - place.first.0).unwrap_or(usize::MAX);
        for record in block.skip(skip) {
            let bytes = into.bytes() + record.key.len() + record.value.len();
            if !into.is_empty() && (into.len() >= limits.records_max || bytes > limits.bytes_max) {
                return Ok(next);
            }
            into.push(Record {
                partition: from.partition,
                offset: Offset(next.0),
                timestamp: record.timestamp,
                key: record.key,
                value: record.value,
            });
            next = Next(next.0 + 1);
        }
    }
    if next < end {
        return Err(damaged(format!("offsets {} to {} are missing", next.0, end.0)));
    }
    Ok(next)
}

fn bad_block(place: Place) -> redb::Error {
    damaged(format!("the block at offset {} is not what was written", place.first.0))
}

/// Why a log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Disk(#[from] disk::Error),
    #[error(
        "the log {file} has {has} partitions, not {wanted}: a log keeps its count; set `partitions = {has}` or start a new log"
    )]
    Partitions { file: String, has: u32, wanted: u32 },
}
