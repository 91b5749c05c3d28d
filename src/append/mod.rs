//! Ways into the log.
//!
//! Promise of a [`Sink`]: what it acknowledged is on the disk, each partition's records in the order given; of a call
//! that is refused beforehand nothing is appended. Once sending has begun, an error may leave some of a call's records in
//! the log: the same call again appends them twice, and they count once, by their event ids.

pub mod embedded;
pub mod import;
pub mod intake;
pub mod kafka;
pub mod letter;
pub mod partition;
pub mod relay;
pub mod tokenize;

use bytes::Bytes;

pub use crate::consume::Stream;
use crate::event::Event;
use crate::ids::{Millis, Next, Offset, Partition};
use crate::schema;

/// A record on its way into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    pub stream: Stream,
    pub partition: Partition,
    pub timestamp: Millis,
    pub key: Bytes,
    pub value: Bytes,
}

impl Outgoing {
    /// An event on its way into a log of `partitions`.
    pub fn of_event(event: &Event<'_>, timestamp: Millis, partitions: u32) -> Self {
        let mut value = Vec::with_capacity(256);
        schema::encode(event, &mut value);
        let key = Bytes::copy_from_slice(event.creator_id.0.as_bytes());
        let partition = partition::partition_of(&key, partitions);
        Self { stream: Stream::Events, partition, timestamp, key, value: Bytes::from(value) }
    }
}

/// Where a record landed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Appended {
    pub partition: Partition,
    pub offset: Offset,
}

/// The log as producers write it.
pub trait Sink: Clone + Send + Sync + 'static {
    /// Durable when it returns; the places are in the order of `records`. [`Error::NoPartition`] and [`Error::TooLarge`]
    /// are found before anything is sent: then none of the records is in the log. After another error some may be: an
    /// engine that writes a call at once (the embedded one) has all or none, one of many brokers (Kafka) any of them.
    fn append(&self, records: Vec<Outgoing>) -> impl Future<Output = Result<Vec<Appended>, Error>> + Send;
}

/// What writing to the log can fail with. After any of them nothing of the call was acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the log {file} cannot take more: the disk is full; free some space, appends go on by themselves")]
    Full { file: String },
    #[error("the log {file} has no partition {}; it has {partitions}", partition.0)]
    NoPartition { file: String, partition: Partition, partitions: u32 },
    #[error("partition {} is committed up to {} and cannot go back to {}", partition.0, committed.0, wanted.0)]
    Backwards { partition: Partition, committed: Next, wanted: Next },
    #[error("a record of {bytes} bytes is larger than the log takes ({max})")]
    TooLarge { bytes: usize, max: usize },
    /// Perhaps it is done, perhaps not.
    #[error("it is not known whether outputs went out: {what}")]
    Unknown { what: String },
    #[error("the log is closing")]
    Closed,
    #[error("cannot append to the log {file}")]
    Engine { file: String, source: Box<dyn std::error::Error + Send + Sync> },
}
