//! The one thread that writes the store: it takes all that waits, commits it at once, then answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use redb::{Database, ReadableDatabase, ReadableTable, Table, TableError, WriteTransaction};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::reader::stored;
use super::space::Space;
use super::value::{Content, Stored};
use super::{Trouble, explain, key, purge};
use crate::disk::{self, Disk, Joined, stand_back};
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
    /// The generation's tables, if they are not there.
    Setup {
        reply: oneshot::Sender<Result<(), Error>>,
    },
    /// Some rows of the generation, which nobody may write any more; with the last its tables. How many.
    Drop {
        reply: oneshot::Sender<Result<u64, Error>>,
    },
}

/// A call that waits, on the rows of one generation.
pub(super) struct Job {
    pub(super) generation: u32,
    pub(super) work: Work,
    pub(super) bytes: usize,
    pub(super) _room: OwnedSemaphorePermit,
}

/// What a call came to, beside the rows that it wrote.
enum Done {
    Written,
    Swapped(Swap),
    Forgotten(u64),
    SetUp,
    Dropped(u64),
}

/// The spaces that may be written, each with the number of its next tombstone.
type Spaces = BTreeMap<Space, u64>;

/// Runs until the last sender is gone and the queue is empty.
pub(super) fn spawn(disk: Arc<Disk>, mut queue: mpsc::Receiver<Job>, trouble: Trouble) -> Result<Joined, disk::Error> {
    let file = disk.file().to_owned();
    let mut spaces = disk.run(read_spaces)?;
    let run = move || {
        stand_back();
        let mut old: Vec<(Space, u64)> = spaces.iter().map(|(space, next)| (*space, *next)).collect();
        old.retain(|(_, below)| *below > 0);
        while let Some(first) = next(&disk, &mut queue, &mut old) {
            write(&disk, gather(first, &mut queue), &mut spaces, &trouble);
            // To look for those of a dropped one would bring its tables back.
            old.retain(|(space, _)| spaces.contains_key(space));
        }
    };
    Joined::spawn("store-writer", run).map_err(|source| disk::Error::Engine { file, source: source.into() })
}

/// The next call. While none waits, the tombstones numbered below those of `old` are purged.
fn next(disk: &Disk, queue: &mut mpsc::Receiver<Job>, old: &mut Vec<(Space, u64)>) -> Option<Job> {
    while let Some((space, below)) = old.last().copied() {
        match queue.try_recv() {
            Ok(job) => return Some(job),
            Err(mpsc::error::TryRecvError::Disconnected) => return None,
            Err(mpsc::error::TryRecvError::Empty) => {
                // A failure here is the next call's failure too: it is told there.
                if !disk.run(|db| purge::tombstones(db, space, below)).unwrap_or(false) {
                    old.pop();
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

fn write(disk: &Disk, group: Vec<Job>, spaces: &mut Spaces, trouble: &Trouble) {
    let group = admit(disk, group, spaces);
    let mut rows: Vec<(Space, Vec<u8>, &Row)> = Vec::new();
    for job in &group {
        if let Work::Write { rows: some, .. } = &job.work {
            let place = |row: &Row| (Space::of(job.generation, row.key.part.table), key::encode(&row.key));
            rows.extend(some.iter().map(|row| (place(row), row)).map(|((space, key), row)| (space, key, row)));
        }
    }
    // Neighbours share pages: in order, each page is copied and summed once.
    rows.sort_unstable_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let written = disk.run(|db| {
        let mut numbers = spaces.clone();
        let write = disk::begin_write(db)?;
        for some in rows.chunk_by(|a, b| a.0 == b.0) {
            put_all(&write, some, &mut numbers)?;
        }
        let done = group.iter().map(|job| finish(&write, job, &mut numbers)).collect::<Result<Vec<_>, _>>()?;
        write.commit()?;
        *spaces = numbers;
        Ok(done)
    });
    drop(rows);
    // Before the answers: who was refused may ask for the health at once.
    trouble.set(written.as_ref().err().map(ToString::to_string));
    match written {
        Ok(all) => group.into_iter().zip(all).for_each(|(job, done)| answer(job.work, done)),
        Err(error) => group.into_iter().for_each(|job| refuse(job.work, || explain(error.again(disk.file())))),
    }
}

/// Those of generations that are there: a late write must not bring back what was dropped.
fn admit(disk: &Disk, group: Vec<Job>, spaces: &Spaces) -> Vec<Job> {
    let mut admitted = Vec::with_capacity(group.len());
    for job in group {
        let wanted = match &job.work {
            Work::Write { rows, .. } => rows.iter().map(|row| Space::of(job.generation, row.key.part.table)).collect(),
            Work::Swap { key, .. } => vec![Space::of(job.generation, key.part.table)],
            Work::Forget { .. } => vec![Space(job.generation)],
            Work::Setup { .. } | Work::Drop { .. } => Vec::new(),
        };
        let absent = wanted.iter().find(|space| !spaces.contains_key(space));
        match absent.map(|space| space.0) {
            None => admitted.push(job),
            Some(generation) => {
                refuse(job.work, || Error::NoGeneration { place: disk.file().to_owned(), generation });
            }
        }
    }
    admitted
}

/// What is left of a call when its rows are written.
fn finish(write: &WriteTransaction, job: &Job, spaces: &mut Spaces) -> Result<Done, redb::Error> {
    let space = Space(job.generation);
    match &job.work {
        Work::Write { .. } => Ok(Done::Written),
        Work::Swap { key, from, to, .. } => {
            let space = Space::of(job.generation, key.part.table);
            swap(write, space, &key::encode(key), from.as_deref(), to).map(Done::Swapped)
        }
        Work::Forget { rows, .. } => purge::forget(write, space, rows).map(Done::Forgotten),
        Work::Setup { .. } => {
            let names = space.names();
            write.open_table(names.rows())?;
            write.open_table(names.tombstones())?;
            spaces.entry(space).or_default();
            Ok(Done::SetUp)
        }
        Work::Drop { .. } => {
            spaces.remove(&space);
            purge::dropped(write, space).map(Done::Dropped)
        }
    }
}

/// Rows of one space.
fn put_all(write: &WriteTransaction, rows: &[(Space, Vec<u8>, &Row)], numbers: &mut Spaces) -> Result<(), redb::Error> {
    let Some(space) = rows.first().map(|(space, _, _)| *space) else { return Ok(()) };
    let (names, number) = (space.names(), numbers.entry(space).or_default());
    let mut table = write.open_table(names.rows())?;
    let mut dead = write.open_table(names.tombstones())?;
    let mut buffer = Vec::new();
    for (_, key, row) in rows {
        let new = Stored::of(row, *number);
        if put(&mut table, key, new, &mut buffer)? && row.value.is_none() {
            dead.insert(*number, key.as_slice())?;
            *number += 1;
        }
    }
    Ok(())
}

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

fn swap(
    write: &WriteTransaction,
    space: Space,
    key: &[u8],
    from: Option<&[u8]>,
    to: &[u8],
) -> Result<Swap, redb::Error> {
    let names = space.names();
    let mut table = write.open_table(names.rows())?;
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
        (Work::Setup { reply }, Done::SetUp) => drop(reply.send(Ok(()))),
        (Work::Drop { reply }, Done::Dropped(count)) => drop(reply.send(Ok(count))),
        (Work::Write { .. } | Work::Swap { .. } | Work::Forget { .. } | Work::Setup { .. } | Work::Drop { .. }, _) => {
            unreachable!("`finish` answers each kind of call with its own kind")
        }
    }
}

fn refuse(work: Work, error: impl FnOnce() -> Error) {
    let error = error();
    match work {
        Work::Write { reply, .. } | Work::Setup { reply } => drop(reply.send(Err(error))),
        Work::Swap { reply, .. } => drop(reply.send(Err(error))),
        Work::Forget { reply, .. } | Work::Drop { reply } => drop(reply.send(Err(error))),
    }
}

fn read_spaces(db: &Database) -> Result<Spaces, redb::Error> {
    let read = db.begin_read()?;
    let mut spaces = Spaces::new();
    for space in [Space::SHARED].into_iter().chain(super::space::generations(db)?) {
        let next = match read.open_table(space.names().tombstones()) {
            Ok(table) => table.last()?.map_or(0, |(number, _)| number.value() + 1),
            Err(TableError::TableDoesNotExist(_)) => 0,
            Err(error) => return Err(error.into()),
        };
        spaces.insert(space, next);
    }
    Ok(spaces)
}
