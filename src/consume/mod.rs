//! Reading the log.
//!
//! Promise of a [`Source`]: the records of one partition come in the order of their offsets, none left out and
//! none twice, from the position last sought; nothing is handed out before its append was durable; what cannot be
//! read is an error that names the place, never a gap.

pub mod embedded;
pub mod kafka;
pub mod registry;

use std::time::Duration;

use crate::ids::{Millis, Next, Offset, Partition};

/// The streams of the log: what goes in, what is decided, what could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    Events,
    Decisions,
    DeadLetters,
}

impl Stream {
    pub const ALL: [Self; 3] = [Self::Events, Self::Decisions, Self::DeadLetters];

    /// Its place in files.
    pub const fn number(self) -> u8 {
        match self {
            Self::Events => 0,
            Self::Decisions => 1,
            Self::DeadLetters => 2,
        }
    }

    /// The topic's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "tributary.events",
            Self::Decisions => "tributary.decisions",
            Self::DeadLetters => "tributary.dead-letters",
        }
    }
}

/// How much one poll may bring, and how long it may wait for it.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub records_max: usize,
    pub bytes_max: usize,
    pub wait_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { records_max: 4_096, bytes_max: 4 << 20, wait_max: Duration::from_millis(20) }
    }
}

/// One record of the log, borrowed from its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    pub partition: Partition,
    pub offset: Offset,
    /// When the log took it in.
    pub timestamp: Millis,
    pub key: &'a [u8],
    pub value: &'a [u8],
}

/// Records copied into one arena, reused from poll to poll.
#[derive(Debug, Default)]
pub struct Batch {
    arena: Vec<u8>,
    entries: Vec<Entry>,
    reached: Vec<(Partition, Next)>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    partition: Partition,
    offset: Offset,
    timestamp: Millis,
    start: usize,
    key_end: usize,
    end: usize,
}

impl Batch {
    pub fn clear(&mut self) {
        self.arena.clear();
        self.entries.clear();
        self.reached.clear();
    }

    /// Behind its records here, a partition has none below `next`.
    pub fn reach(&mut self, partition: Partition, next: Next) {
        self.reached.push((partition, next));
    }

    /// How far partitions have no more records than these, where that is known.
    pub fn reached(&self) -> &[(Partition, Next)] {
        &self.reached
    }

    /// Whether there is anything of a partition that is not below `next`.
    pub fn goes_beyond(&self, partition: Partition, next: Next) -> bool {
        let is_beyond = |(of, to): (Partition, Next)| of == partition && to > next;
        self.reached
            .iter()
            .copied()
            .chain(self.entries.iter().map(|entry| (entry.partition, entry.offset.next())))
            .any(is_beyond)
    }

    /// Takes back what was pushed since there were `len` records of `bytes`.
    pub(crate) fn truncate_to(&mut self, len: usize, bytes: usize) {
        self.entries.truncate(len);
        self.arena.truncate(bytes);
    }

    /// Copies the record behind those already there.
    pub fn push(&mut self, record: Record<'_>) {
        let start = self.arena.len();
        self.arena.extend_from_slice(record.key);
        let key_end = self.arena.len();
        self.arena.extend_from_slice(record.value);
        self.entries.push(Entry {
            partition: record.partition,
            offset: record.offset,
            timestamp: record.timestamp,
            start,
            key_end,
            end: self.arena.len(),
        });
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of keys and values.
    pub fn bytes(&self) -> usize {
        self.arena.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        self.entries.iter().map(|entry| Record {
            partition: entry.partition,
            offset: entry.offset,
            timestamp: entry.timestamp,
            key: self.arena.get(entry.start..entry.key_end).unwrap_or_default(),
            value: self.arena.get(entry.key_end..entry.end).unwrap_or_default(),
        })
    }
}

/// What a poll brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Polled {
    /// The batch holds what came; perhaps nothing.
    Records,
    /// These partitions are ours from now on; seek each before the next poll.
    Assigned(Vec<Partition>),
    /// These go to another owner: hand over what is done, then poll again.
    Revoked(Vec<Partition>),
    /// These are gone already: drop them and write nothing.
    Lost(Vec<Partition>),
}

/// The topic behind a source. Another id under the same name is another log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    pub name: String,
    pub id: [u8; 16],
    pub partitions: u32,
}

impl Topic {
    /// Whether it is the one that it was: that id, so many partitions.
    pub fn check(&self, id: [u8; 16], partitions: u32) -> Result<(), Error> {
        let (topic, hex) = (self.name.clone(), |id: [u8; 16]| format!("{:032x}", u128::from_be_bytes(id)));
        if self.id != id {
            return Err(Error::Remade { topic, was: hex(id), is: hex(self.id) });
        }
        if self.partitions != partitions {
            return Err(Error::Repartitioned { topic, was: partitions, is: self.partitions });
        }
        Ok(())
    }
}

/// The readable range of a partition: `start` is the first offset there is, `end` one past the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub start: Next,
    pub end: Next,
}

/// The log as a worker reads it. Blocking; owned by the worker's thread.
pub trait Source: Send {
    /// Who this reader is in its group. Outputs go out in the name of the member that was assigned their partition.
    type Member: Clone + Send + Sync + 'static;

    fn topic(&self) -> &Topic;
    /// As of the last change of the assignment that [`Source::poll`] told of.
    fn member(&self) -> Self::Member;
    /// Clears `into` and fills it. Waits at most `limits.wait_max` for the first record. With `records_max` 0 it brings
    /// no record, but tells of changes of the assignment, and keeps the partitions ours: who cannot take records must
    /// go on asking so.
    fn poll(&mut self, limits: &Limits, into: &mut Batch) -> Result<Polled, Error>;
    /// The next record of `partition` to hand out.
    fn seek(&mut self, partition: Partition, to: Next) -> Result<(), Error>;
    fn bounds(&mut self, partition: Partition) -> Result<Bounds, Error>;
    /// E: outputs of events below it are out. `None`: never committed.
    fn committed(&mut self, partition: Partition) -> Result<Option<Next>, Error>;
}

/// What reading the log can fail with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{topic}[{}] has no offset {}: it holds {} to {}; {}", partition.0, wanted.0, bounds.start.0, bounds.end.0, way_on(*partition, *wanted, *bounds))]
    OutOfRange { topic: String, partition: Partition, wanted: Next, bounds: Bounds },
    #[error("{topic}[{}]@{} is damaged ({what}); restore {file} from a backup", partition.0, offset.0)]
    Damaged { topic: String, partition: Partition, offset: Offset, file: String, what: String },
    #[error("cannot read the log {file}")]
    Engine { file: String, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("there is no topic {topic} at {brokers}; run `tributary setup` to make it")]
    NoTopic { topic: String, brokers: String },
    /// It may answer again by itself.
    #[error("the log {topic} does not answer: {what}")]
    Unavailable { topic: String, what: String },
    #[error(
        "{topic} is another topic now: it had the id {was} and has {is}; it was deleted and made again, so offsets mean other events. Restore it; or begin anew on it: give `cql.keyspace` and `kafka.group` new names and the workers new data folders, then run `tributary setup`"
    )]
    Remade { topic: String, was: String, is: String },
    #[error(
        "{topic} has {is} partitions and had {was}: a creator's events would stand in two partitions. Restore it with {was}; or begin anew on it: give `cql.keyspace` and `kafka.group` new names and the workers new data folders, then run `tributary setup`"
    )]
    Repartitioned { topic: String, was: u32, is: u32 },
}

impl Error {
    /// Trying again later may help.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// What to do where a log does not hold `wanted`.
fn way_on(partition: Partition, wanted: Next, bounds: Bounds) -> String {
    if wanted > bounds.end {
        // A gap can be jumped over forwards only.
        return "it was shortened or made anew behind its readers: restore it as it was, or, if that loss is known, make everything again from what it holds with `tributary projections rebuild --switch`".to_owned();
    }
    let (partition, start) = (partition.0, bounds.start.0);
    format!(
        "restore what is missing, or, if that loss is known, run `tributary accept-gap --partition {partition} --to {start}` and start again"
    )
}
