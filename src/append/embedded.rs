//! Appending to the log in one redb file: one writer thread, and one transaction for all who wait.

mod writer;

use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc, oneshot};

use super::{Appended, Error, Outgoing, Sink};
use crate::consume::embedded::Log;
use crate::disk::Joined;
use crate::ids::{Next, Partition};
use writer::{Job, Work};

/// Calls that may wait for the writer.
const JOBS_MAX: usize = 4_096;

/// Bytes of a record's key and value at most.
pub const RECORD_BYTES_MAX: usize = 1 << 20;

/// Bytes that may wait for the writer.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub waiting_bytes_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { waiting_bytes_max: 32 << 20 }
    }
}

/// The door into an embedded log. Clones share one writer thread, which ends with the last of them.
#[derive(Clone)]
pub struct EmbeddedSink {
    writer: Arc<Writer>,
    room: Arc<Semaphore>,
    room_bytes: u32,
    log: Log,
}

struct Writer {
    jobs: mpsc::Sender<Job>,
    _thread: Joined,
}

impl EmbeddedSink {
    /// Starts the writer thread.
    pub fn new(log: Log, limits: Limits) -> Result<Self, Error> {
        let (jobs, queue) = mpsc::channel(JOBS_MAX);
        let room_bytes = limits.waiting_bytes_max;
        let room = usize::try_from(room_bytes).unwrap_or(Semaphore::MAX_PERMITS);
        let thread = writer::spawn(log.clone(), queue)
            .map_err(|source| Error::Engine { file: log.file().to_owned(), source: source.into() })?;
        let writer = Arc::new(Writer { jobs, _thread: thread });
        Ok(Self { writer, room: Arc::new(Semaphore::new(room)), room_bytes, log })
    }

    /// Outputs and E in one transaction.
    pub(crate) async fn put_out(&self, from: Partition, outputs: Vec<Outgoing>, position: Next) -> Result<(), Error> {
        self.check_partition(from)?;
        self.submit(Work::Emit { from, position }, outputs).await.map(drop)
    }

    async fn submit(&self, work: Work, records: Vec<Outgoing>) -> Result<Vec<Appended>, Error> {
        let bytes = self.check(&records)?;
        let permits = u32::try_from(bytes).unwrap_or(u32::MAX).clamp(1, self.room_bytes);
        let room = Arc::clone(&self.room).acquire_many_owned(permits).await.map_err(|_| Error::Closed)?;
        let (reply, answer) = oneshot::channel();
        self.writer.jobs.send(Job { work, records, bytes, reply, _room: room }).await.map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }

    fn check(&self, records: &[Outgoing]) -> Result<usize, Error> {
        let mut sum = 0;
        for record in records {
            self.check_partition(record.partition)?;
            let bytes = record.key.len() + record.value.len();
            if bytes > RECORD_BYTES_MAX {
                return Err(Error::TooLarge { bytes, max: RECORD_BYTES_MAX });
            }
            sum += bytes;
        }
        Ok(sum)
    }

    fn check_partition(&self, partition: Partition) -> Result<(), Error> {
        let partitions = self.log.topic().partitions;
        if partition.0 < partitions {
            return Ok(());
        }
        Err(Error::NoPartition { file: self.log.file().to_owned(), partition, partitions })
    }
}

impl Sink for EmbeddedSink {
    async fn append(&self, records: Vec<Outgoing>) -> Result<Vec<Appended>, Error> {
        if records.is_empty() {
            return Ok(Vec::new());
        }
        self.submit(Work::Append, records).await
    }
}
