//! The one thread that writes the store: it takes all that waits, commits it at once, then answers.

use std::sync::Arc;

use bytes::Bytes;
use redb::{Database, ReadableDatabase, ReadableTable, Table, WriteTransaction};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::reader::stored;
use super::value::{Content, Stored};
use super::{ROWS, TOMBSTONES, Trouble, explain, key, purge};
use crate::disk::{self, Disk, Joined};
use crate::ids::Next;
use crate::store::{Error, Key, Row, Swap};

/// Bytes of one transaction, roughly.
const GROUP_BYTES_MAX: usize = 64 << 20;

/// What a call wants.
pub(super) enum Work {
    Write {
        rows: Vec<Row>,
        reply: oneshot::Sender<Result<(), Error>>,
    },
    Swap {
        key: Key,
        from: Option<Vec<u8>>,
        to: Vec<u8>,
        reply: oneshot::Sender<Result<Swap, Error>>,
    },
    /// Expired rows, unless they have changed meanwhile.
    Forget {
        rows: Vec<(Vec<u8>, Next)>,
        reply: oneshot::Sender<Result<u64, Error>>,
    },
}

/// A call that waits.
pub(super) struct Job {
    pub(super) work: Work,
    pub(super) bytes: usize,
    pub(super) _room: OwnedSemaphorePermit,
}

/// What a call came to, beside the rows that it wrote.
enum Done {
    Written,
    Swapped(Swap),
    Forgotten(u64),
}

/// Runs until the last sender is gone and the queue is empty.
pub(super) fn spawn(disk: Arc<Disk>, mut queue: mpsc::Receiver<Job>, trouble: Trouble) -> Result<Joined, disk::Error> {
    let file = disk.file().to_owned();
    let mut tombstones = disk.run(next_tombstone)?;
    let run = move || {
        let mut old = Some(tombstones).filter(|count| *count > 0);
        while let Some(first) = next(&disk, &mut queue, &mut old) {
            write(&disk, gather(first, &mut queue), &mut tombstones, &trouble);
        }
    };
    Joined::spawn("store-writer", run).map_err(|source| disk::Error::Engine { file, source: source.into() })
}

/// The next call. While none waits, the tombstones numbered below `old` are purged.
fn next(disk: &Disk, queue: &mut mpsc::Receiver<Job>, old: &mut Option<u64>) -> Option<Job> {
    while let Some(below) = *old {
        match queue.try_recv() {
            Ok(job) => return Some(job),
            Err(mpsc::error::TryRecvError::Disconnected) => return None,
            Err(mpsc::error::TryRecvError::Empty) => {
                // A failure here is the next call's failure too: it is told there.
                if !disk.run(|db| purge::tombstones(db, below)).unwrap_or(false) {
                    *old = None;
                }
            }
        }
    }
    queue.blocking_recv()
}

fn gather(first: Job, queue: &mut mpsc::Receiver<Job>) -> Vec<Job> {
    let mut bytes = first.bytes;
    let mut group = vec![first];
    while bytes < GROUP_BYTES_MAX {
        let Ok(job) = queue.try_recv() else { break };
        bytes += job.bytes;
        group.push(job);
    }
    group
}

fn write(disk: &Disk, group: Vec<Job>, tombstones: &mut u64, trouble: &Trouble) {
    let mut rows: Vec<(Vec<u8>, &Row)> = Vec::new();
    for job in &group {
        if let Work::Write { rows: some, .. } = &job.work {
            rows.extend(some.iter().map(|row| (key::encode(&row.key), row)));
        }
    }
    // Neighbours share pages: in order, each page is copied and summed once.
    rows.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let written = disk.run(|db| {
        let mut number = *tombstones;
        let write = disk::begin_write(db)?;
        put_all(&write, &rows, &mut number)?;
        let done = group.iter().map(|job| finish(&write, &job.work)).collect::<Result<Vec<_>, _>>()?;
        write.commit()?;
        *tombstones = number;
        Ok(done)
    });
    drop(rows);
    // Before the answers: who was refused may ask for the health at once.
    trouble.set(written.as_ref().err().map(ToString::to_string));
    match written {
        Ok(all) => group.into_iter().zip(all).for_each(|(job, done)| answer(job.work, done)),
        Err(error) => group.into_iter().for_each(|job| refuse(disk, job.work, &error)),
    }
}

/// What is left of a call when its rows are written.
fn finish(write: &WriteTransaction, work: &Work) -> Result<Done, redb::Error> {
    match work {
        Work::Write { .. } => Ok(Done::Written),
        Work::Swap { key, from, to, .. } => swap(write, &key::encode(key), from.as_deref(), to).map(Done::Swapped),
        Work::Forget { rows, .. } => purge::forget(write, rows).map(Done::Forgotten),
    }
}

fn put_all(write: &WriteTransaction, rows: &[(Vec<u8>, &Row)], number: &mut u64) -> Result<(), redb::Error> {
    let mut table = write.open_table(ROWS)?;
    let mut dead = write.open_table(TOMBSTONES)?;
    let mut buffer = Vec::new();
    for (key, row) in rows {
        let new = Stored::of(row, *number);
        if put(&mut table, key, new, &mut buffer)? && row.value.is_none() {
            dead.insert(*number, key.as_slice())?;
            *number += 1;
        }
    }
    Ok(())
}

/// Whether `new` had to be written.
fn put(
    table: &mut Table<'_, &[u8], &[u8]>,
    key: &[u8],
    new: Stored<'_>,
    buffer: &mut Vec<u8>,
) -> Result<bool, redb::Error> {
    if let Some(old) = table.get(key)?
        && !new.beats(&stored(old.value())?)
    {
        return Ok(false);
    }
    new.encode(buffer);
    table.insert(key, buffer.as_slice())?;
    Ok(true)
}

fn swap(write: &WriteTransaction, key: &[u8], from: Option<&[u8]>, to: &[u8]) -> Result<Swap, redb::Error> {
    let mut table = write.open_table(ROWS)?;
    let mut at = Next(1);
    let mut found = None;
    if let Some(old) = table.get(key)? {
        let old = stored(old.value())?;
        at = Next(old.at.0 + 1);
        found = match old.content {
            Content::Tombstone(_) => None,
            Content::Live { bytes, .. } => Some(bytes.to_vec()),
        };
    }
    if found.as_deref() != from {
        return Ok(Swap::Refused(found.map(Bytes::from)));
    }
    let mut buffer = Vec::new();
    Stored { at, content: Content::Live { expires: None, bytes: to } }.encode(&mut buffer);
    table.insert(key, buffer.as_slice())?;
    Ok(Swap::Done)
}

fn answer(work: Work, done: Done) {
    // Nobody waits for the answer if the caller is gone.
    match (work, done) {
        (Work::Write { reply, .. }, Done::Written) => drop(reply.send(Ok(()))),
        (Work::Swap { reply, .. }, Done::Swapped(swap)) => drop(reply.send(Ok(swap))),
        (Work::Forget { reply, .. }, Done::Forgotten(count)) => drop(reply.send(Ok(count))),
        (Work::Write { .. } | Work::Swap { .. } | Work::Forget { .. }, _) => {
            unreachable!("`finish` answers each kind of call with its own kind")
        }
    }
}

fn refuse(disk: &Disk, work: Work, error: &disk::Error) {
    let error = explain(error.again(disk.file()));
    match work {
        Work::Write { reply, .. } => drop(reply.send(Err(error))),
        Work::Swap { reply, .. } => drop(reply.send(Err(error))),
        Work::Forget { reply, .. } => drop(reply.send(Err(error))),
    }
}

fn next_tombstone(db: &Database) -> Result<u64, redb::Error> {
    let table = db.begin_read()?.open_table(TOMBSTONES)?;
    Ok(table.last()?.map_or(0, |(number, _)| number.value() + 1))
}
