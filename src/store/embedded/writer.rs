//! The one thread that writes the store: it takes all that waits, commits it at once, then answers.

use std::sync::Arc;

use bytes::Bytes;
use redb::{Database, ReadableTable, Table, WriteTransaction};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::reader::stored;
use super::value::{Content, Stored};
use super::{ROWS, TOMBSTONES, explain, key};
use crate::disk::{self, Disk, Joined};
use crate::ids::Next;
use crate::store::{Error, Key, Row, Swap};

/// Bytes of one transaction, roughly.
const GROUP_BYTES_MAX: usize = 64 << 20;

/// What a call wants.
pub(super) enum Work {
    Write { rows: Vec<Row>, reply: oneshot::Sender<Result<(), Error>> },
    Swap { key: Key, from: Option<Vec<u8>>, to: Vec<u8>, reply: oneshot::Sender<Result<Swap, Error>> },
}

/// A call that waits.
pub(super) struct Job {
    pub(super) work: Work,
    pub(super) bytes: usize,
    pub(super) _room: OwnedSemaphorePermit,
}

/// Runs until the last sender is gone and the queue is empty.
pub(super) fn spawn(disk: Arc<Disk>, mut queue: mpsc::Receiver<Job>) -> Result<Joined, disk::Error> {
    let file = disk.file().to_owned();
    let mut tombstones = disk.run(next_tombstone)?;
    let run = move || {
        while let Some(first) = queue.blocking_recv() {
            write(&disk, gather(first, &mut queue), &mut tombstones);
        }
    };
    Joined::spawn("store-writer", run).map_err(|source| disk::Error::Engine { file, source: source.into() })
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

fn write(disk: &Disk, group: Vec<Job>, tombstones: &mut u64) {
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
        let swaps = group.iter().map(|job| swap(&write, &job.work)).collect::<Result<Vec<_>, _>>()?;
        write.commit()?;
        *tombstones = number;
        Ok(swaps)
    });
    drop(rows);
    match written {
        Ok(swaps) => group.into_iter().zip(swaps).for_each(|(job, swap)| answer(job.work, swap)),
        Err(error) => group.into_iter().for_each(|job| refuse(disk, job.work, &error)),
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

/// `None` for a job that is not one.
fn swap(write: &WriteTransaction, work: &Work) -> Result<Option<Swap>, redb::Error> {
    let (key, from, to) = match work {
        Work::Write { .. } => return Ok(None),
        Work::Swap { key, from, to, .. } => (key::encode(key), from, to),
    };
    let mut table = write.open_table(ROWS)?;
    let mut at = Next(1);
    let mut found = None;
    if let Some(old) = table.get(key.as_slice())? {
        let old = stored(old.value())?;
        at = Next(old.at.0 + 1);
        found = match old.content {
            Content::Tombstone(_) => None,
            Content::Live { bytes, .. } => Some(bytes.to_vec()),
        };
    }
    if found != *from {
        return Ok(Some(Swap::Refused(found.map(Bytes::from))));
    }
    let mut buffer = Vec::new();
    Stored { at, content: Content::Live { expires: None, bytes: to } }.encode(&mut buffer);
    table.insert(key.as_slice(), buffer.as_slice())?;
    Ok(Some(Swap::Done))
}

fn answer(work: Work, swapped: Option<Swap>) {
    // Nobody waits for the answer if the caller is gone.
    match (work, swapped) {
        (Work::Write { reply, .. }, _) => drop(reply.send(Ok(()))),
        (Work::Swap { reply, .. }, Some(swap)) => drop(reply.send(Ok(swap))),
        (Work::Swap { .. }, None) => {}
    }
}

fn refuse(disk: &Disk, work: Work, error: &disk::Error) {
    let error = explain(error.again(disk.file()));
    match work {
        Work::Write { reply, .. } => drop(reply.send(Err(error))),
        Work::Swap { reply, .. } => drop(reply.send(Err(error))),
    }
}

fn next_tombstone(db: &Database) -> Result<u64, redb::Error> {
    use redb::ReadableDatabase;
    let table = db.begin_read()?.open_table(TOMBSTONES)?;
    Ok(table.last()?.map_or(0, |(number, _)| number.value() + 1))
}
