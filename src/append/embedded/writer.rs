//! The one thread that writes the log: it takes all that waits, commits it at once, then answers.

use std::collections::BTreeMap;
use std::io;

use redb::{Database, WriteTransaction};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use crate::append::{Appended, Error, Outgoing};
use crate::consume::Stream;
use crate::consume::embedded::block::{Place, Writer};
use crate::consume::embedded::{Blocks, COMMITTED, Ends, Log, table_name};
use crate::disk::{self, Joined};
use crate::ids::{Next, Offset, Partition};

/// Bytes of one transaction, roughly.
const GROUP_BYTES_MAX: usize = 8 << 20;
/// Calls of one transaction.
const GROUP_JOBS_MAX: usize = 1_024;
/// A block is cut before it grows beyond this, so that it fills pages of the engine well.
const BLOCK_BYTES_MAX: usize = 16_000;

/// What a call wants beside its records.
#[derive(Debug, Clone, Copy)]
pub(super) enum Work {
    Append,
    Emit { from: Partition, position: Next },
}

/// A call that waits.
pub(super) struct Job {
    pub(super) work: Work,
    pub(super) records: Vec<Outgoing>,
    pub(super) bytes: usize,
    pub(super) reply: oneshot::Sender<Result<Vec<Appended>, Error>>,
    pub(super) _room: OwnedSemaphorePermit,
}

/// Runs until the last sender is gone and the queue is empty.
pub(super) fn spawn(log: Log, mut queue: mpsc::Receiver<Job>) -> io::Result<Joined> {
    let run = move || {
        while let Some(first) = queue.blocking_recv() {
            write(&log, gather(first, &mut queue));
        }
    };
    Joined::spawn("log-writer", run)
}

fn gather(first: Job, queue: &mut mpsc::Receiver<Job>) -> Vec<Job> {
    let mut bytes = first.bytes;
    let mut group = vec![first];
    while group.len() < GROUP_JOBS_MAX && bytes < GROUP_BYTES_MAX {
        let Ok(job) = queue.try_recv() else { break };
        bytes += job.bytes;
        group.push(job);
    }
    group
}

fn write(log: &Log, group: Vec<Job>) {
    let mut known = log.writing();
    if *known == Ends::Unsure {
        if let Err(error) = log.refresh() {
            return refuse(log, group, &error);
        }
        *known = Ends::Known;
    }
    let mut emitted = BTreeMap::new();
    let mut accepted = Vec::new();
    for job in group {
        match admit(log, &job.work, &mut emitted) {
            Ok(()) => accepted.push(job),
            // Nobody waits for the answer if the caller is gone.
            Err(error) => drop(job.reply.send(Err(error))),
        }
    }
    let mut ends = log.ends().clone();
    let plan = Plan::new(log, &accepted, &mut ends);
    match log.disk().run(|db| plan.commit(db, &emitted)) {
        Ok(()) => {
            log.publish(ends);
            for (job, places) in accepted.into_iter().zip(plan.places) {
                drop(job.reply.send(Ok(places)));
            }
        }
        Err(error) => {
            *known = Ends::Unsure;
            refuse(log, accepted, &error);
        }
    }
}

fn refuse(log: &Log, jobs: Vec<Job>, error: &disk::Error) {
    for job in jobs {
        drop(job.reply.send(Err(explain(log, error))));
    }
}

/// Refuses an E that goes backwards; `emitted` holds those of the same group.
fn admit(log: &Log, work: &Work, emitted: &mut BTreeMap<Partition, Next>) -> Result<(), Error> {
    let (from, wanted) = match *work {
        Work::Append => return Ok(()),
        Work::Emit { from, position } => (from, position),
    };
    let stored = match emitted.get(&from) {
        Some(next) => Some(*next),
        None => {
            log.committed(from).map_err(|error| Error::Engine { file: log.file().to_owned(), source: error.into() })?
        }
    };
    let committed = stored.unwrap_or_default();
    if wanted < committed {
        return Err(Error::Backwards { partition: from, committed, wanted });
    }
    emitted.insert(from, wanted);
    Ok(())
}

/// The offset of the first record, and the bytes.
type Block = (Next, Vec<u8>);

/// What one transaction writes, laid out before it begins.
struct Plan {
    blocks: BTreeMap<(Stream, Partition), Vec<Block>>,
    places: Vec<Vec<Appended>>,
}

impl Plan {
    /// Gives every record its offset and moves `ends` on.
    fn new(log: &Log, jobs: &[Job], ends: &mut [Next]) -> Self {
        let mut open: BTreeMap<(Stream, Partition), (Place, Writer)> = BTreeMap::new();
        let mut blocks: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut places = Vec::new();
        for job in jobs {
            let mut appended = Vec::with_capacity(job.records.len());
            for record in &job.records {
                let (stream, partition) = (record.stream, record.partition);
                let end = log.slot(stream, partition).and_then(|slot| ends.get_mut(slot));
                let end = end.expect("the sink refuses records of partitions that are not there");
                let offset = Offset(end.0);
                let (place, writer) = open
                    .entry((stream, partition))
                    .or_insert_with(|| (Place { stream, partition, first: *end }, Writer::default()));
                if writer.count() > 0 && writer.size_with(record.key.len() + record.value.len()) > BLOCK_BYTES_MAX {
                    blocks.entry((stream, partition)).or_default().push((place.first, writer.finish(*place)));
                    place.first = *end;
                }
                writer.push(record.timestamp, &record.key, &record.value);
                *end = offset.next();
                appended.push(Appended { partition, offset });
            }
            places.push(appended);
        }
        for (at, (place, mut writer)) in open {
            blocks.entry(at).or_default().push((place.first, writer.finish(place)));
        }
        Self { blocks, places }
    }

    fn commit(&self, db: &Database, emitted: &BTreeMap<Partition, Next>) -> Result<(), redb::Error> {
        if self.blocks.is_empty() && emitted.is_empty() {
            return Ok(());
        }
        let write = disk::begin_write(db)?;
        self.fill(&write, emitted)?;
        Ok(write.commit()?)
    }

    fn fill(&self, write: &WriteTransaction, emitted: &BTreeMap<Partition, Next>) -> Result<(), redb::Error> {
        for ((stream, partition), blocks) in &self.blocks {
            let mut table = write.open_table(Blocks::new(&table_name(*stream, *partition)))?;
            for (first, bytes) in blocks {
                table.insert(first.0, bytes.as_slice())?;
            }
        }
        let mut committed = write.open_table(COMMITTED)?;
        for (partition, next) in emitted {
            committed.insert(partition.0, next.0)?;
        }
        Ok(())
    }
}

/// One failure for each who waited.
fn explain(log: &Log, error: &disk::Error) -> Error {
    let file = log.file().to_owned();
    match error {
        disk::Error::Full { .. } => Error::Full { file },
        disk::Error::InUse { .. }
        | disk::Error::Open { .. }
        | disk::Error::Damaged { .. }
        | disk::Error::Engine { .. } => Error::Engine { file, source: error.to_string().into() },
    }
}
