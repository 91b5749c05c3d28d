//! Reader threads: the engine's calls block, so none of them runs on a runtime's worker.
//!
//! A reader takes all the calls that wait, up to a limit, and answers them from one snapshot: under load a call costs
//! no wake-up of its own.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use redb::{Database, ReadOnlyTable, ReadTransaction, ReadableDatabase};
use tokio::sync::{Semaphore, oneshot};

use super::purge::{self, Expired};
use super::space::Space;
use super::value::Stored;
use super::{explain, key};
use crate::disk::{Disk, Joined, damaged};
use crate::ids::Millis;
use crate::store::{Error, Key, Range, Row};

/// Calls answered from one snapshot.
const TOGETHER_MAX: usize = 32;

pub(super) type Rows = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// A read that waits, of the rows of one generation.
pub(super) struct Job {
    pub(super) generation: u32,
    pub(super) ask: Ask,
}

/// What is asked for.
pub(super) enum Ask {
    Get {
        keys: Vec<Key>,
        reply: oneshot::Sender<Result<Vec<Option<Row>>, Error>>,
    },
    Scan {
        range: Range,
        reply: oneshot::Sender<Result<Vec<Row>, Error>>,
    },
    /// `range`: the first key and the first behind.
    Expired {
        range: (Vec<u8>, Option<Vec<u8>>),
        before: Millis,
        reply: oneshot::Sender<Result<Expired, Error>>,
    },
}

/// The reader threads. They end with the last clone.
#[derive(Clone)]
pub(super) struct Readers {
    file: Arc<str>,
    room: Arc<Semaphore>,
    open: Arc<Open>,
}

/// Ends the threads when dropped.
struct Open {
    queue: Arc<Queue>,
    threads: Vec<Joined>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.queue.lock(|state| state.closed = true);
        self.queue.filled.notify_all();
        self.threads.clear();
    }
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    filled: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl Readers {
    pub(super) fn spawn(disk: &Arc<Disk>, threads: usize, waiting_max: usize) -> io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let mut open = Open { queue: Arc::clone(&queue), threads: Vec::new() };
        for _ in 0..threads.max(1) {
            let (disk, queue) = (Arc::clone(disk), Arc::clone(&queue));
            let run = move || {
                while let Some(jobs) = queue.take() {
                    answer(&disk, jobs);
                }
            };
            open.threads.push(Joined::spawn("store-reader", run)?);
        }
        Ok(Self { room: Arc::new(Semaphore::new(waiting_max)), open: Arc::new(open), file: disk.file().into() })
    }

    pub(super) async fn ask<T>(
        &self,
        generation: u32,
        ask: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Ask,
    ) -> Result<T, Error> {
        let closed = |()| Error::Engine { place: self.file.to_string(), source: "its readers have ended".into() };
        let _room = self.room.acquire().await.map_err(|_| closed(()))?;
        let (reply, answer) = oneshot::channel();
        let job = Job { generation, ask: ask(reply) };
        self.open.queue.lock(|state| state.jobs.push_back(job));
        self.open.queue.filled.notify_one();
        answer.await.map_err(|_| closed(()))?
    }
}

impl Queue {
    fn lock<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What waits, at most [`TOGETHER_MAX`]; `None` when it is over.
    fn take(&self) -> Option<Vec<Job>> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = |state: &mut State| state.jobs.is_empty() && !state.closed;
        let mut state = self.filled.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner);
        let count = state.jobs.len().min(TOGETHER_MAX);
        let jobs: Vec<Job> = state.jobs.drain(..count).collect();
        (!jobs.is_empty()).then_some(jobs)
    }
}

fn answer(disk: &Disk, jobs: Vec<Job>) {
    let mut snapshot: Option<Snapshot> = None;
    for Job { generation, ask } in jobs {
        // Nobody waits for the answer if the caller is gone.
        match ask {
            Ask::Get { keys, reply } if !reply.is_closed() => {
                drop(reply.send(read(disk, &mut snapshot, |open| get(open, generation, &keys))));
            }
            Ask::Scan { range, reply } if !reply.is_closed() => {
                let space = Space::of(generation, range.part.table);
                drop(reply.send(read(disk, &mut snapshot, |open| scan(open.rows(space)?, &range))));
            }
            Ask::Expired { range, before, reply } if !reply.is_closed() => {
                let expired = |open: &mut Snapshot| purge::expired(open.rows(Space(generation))?, &range, before);
                drop(reply.send(read(disk, &mut snapshot, expired)));
            }
            Ask::Get { .. } | Ask::Scan { .. } | Ask::Expired { .. } => {}
        }
    }
}

/// One moment of the file, for all calls that are answered together.
struct Snapshot {
    read: ReadTransaction,
    tables: HashMap<Space, Rows>,
}

impl Snapshot {
    fn rows(&mut self, space: Space) -> Result<&Rows, redb::Error> {
        match self.tables.entry(space) {
            std::collections::hash_map::Entry::Occupied(open) => Ok(open.into_mut()),
            std::collections::hash_map::Entry::Vacant(free) => {
                Ok(free.insert(self.read.open_table(space.names().rows())?))
            }
        }
    }
}

fn read<T>(
    disk: &Disk,
    snapshot: &mut Option<Snapshot>,
    work: impl Fn(&mut Snapshot) -> Result<T, redb::Error>,
) -> Result<T, Error> {
    let run = |db: &Database| {
        let mut open = match snapshot.take() {
            Some(open) => open,
            None => Snapshot { read: db.begin_read()?, tables: HashMap::new() },
        };
        let done = work(&mut open)?;
        *snapshot = Some(open);
        Ok(done)
    };
    disk.run(run).map_err(explain)
}

fn get(open: &mut Snapshot, generation: u32, keys: &[Key]) -> Result<Vec<Option<Row>>, redb::Error> {
    keys.iter()
        .map(|key| {
            let rows = open.rows(Space::of(generation, key.part.table))?;
            let Some(value) = rows.get(key::encode(key).as_slice())? else { return Ok(None) };
            Ok(stored(value.value())?.row(key.clone()))
        })
        .collect()
}

fn scan(rows: &Rows, range: &Range) -> Result<Vec<Row>, redb::Error> {
    let limit = usize::try_from(range.limit).unwrap_or(usize::MAX);
    let (from, to) = key::range(range);
    if limit == 0 || to.as_ref().is_some_and(|to| *to <= from) {
        return Ok(Vec::new());
    }
    let mut all = match &to {
        Some(to) => rows.range(from.as_slice()..to.as_slice())?,
        None => rows.range(from.as_slice()..)?,
    };
    let mut found = Vec::new();
    while let Some(row) = if range.reverse { all.next_back() } else { all.next() } {
        let (key, value) = row?;
        let value = stored(value.value())?;
        let key = key::decode(key.value()).ok_or_else(|| damaged("a key is not one that this version writes"))?;
        found.extend(value.row(key));
        if found.len() >= limit {
            break;
        }
    }
    Ok(found)
}

/// What the bytes of a value say.
pub(super) fn stored(bytes: &[u8]) -> Result<Stored<'_>, redb::Error> {
    Stored::decode(bytes).ok_or_else(|| damaged("a value is not one that this version writes"))
}
