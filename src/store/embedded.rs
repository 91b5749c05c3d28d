//! Rows in one redb file: one writer thread with one transaction for all who wait, and a few reader threads; long
//! scans have a thread of their own, so that nobody waits behind one.
//!
//! All tables of a generation share one table of the engine: their ids begin the keys. A store is a door to one
//! generation; tables that belong to none are the same behind every door.

pub(crate) mod key;
mod purge;
mod reader;
mod space;
mod value;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use redb::{Database, ReadableTable, TableDefinition};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::Instant;

use super::{Doors, Error, Health, Key, Range, Row, Store, Swap, Table};
use crate::disk::{self, Disk, Joined};
use crate::ids::Millis;
use reader::Readers;
use space::Space;

/// Calls that may wait for the writer.
const JOBS_MAX: usize = 1_024;
/// Rows of a scan, or keys of a get, that short reads may wait for.
const SHORT_MAX: usize = 1_024;

const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
const FORMAT: &[u8] = b"1";

/// How the store is kept.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub disk: disk::Options,
    pub readers: usize,
    /// Bytes of rows that may wait for the writer.
    pub waiting_bytes_max: u32,
    /// Reads that may wait for a reader.
    pub waiting_reads_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        let disk = disk::Options { cache_bytes: 64 << 20, ..disk::Options::default() };
        Self { disk, readers: 2, waiting_bytes_max: 128 << 20, waiting_reads_max: 1_024 }
    }
}

/// The projections of this process, of one generation. Clones are the same store.
#[derive(Clone)]
pub struct EmbeddedStore {
    generation: u32,
    short: Readers,
    long: Readers,
    writer: Arc<Writer>,
    room: Arc<Semaphore>,
    room_bytes: u32,
    disk: Arc<Disk>,
}

struct Writer {
    jobs: mpsc::Sender<writer::Job>,
    trouble: Trouble,
    _thread: Joined,
}

/// Why the last transaction failed, if it did.
#[derive(Clone, Default)]
struct Trouble(Arc<Mutex<Option<String>>>);

impl Trouble {
    fn set(&self, trouble: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl EmbeddedStore {
    /// Opens the store at `path`, or creates it, with a door to the first generation. Tombstones of earlier runs are
    /// purged while nobody writes.
    pub fn open(path: &Path, options: Options) -> Result<Self, disk::Error> {
        let disk = Arc::new(Disk::open(path, options.disk)?);
        disk.run(create)?;
        let thread =
            |source: std::io::Error| disk::Error::Engine { file: disk.file().to_owned(), source: source.into() };
        let short = Readers::spawn(&disk, options.readers, options.waiting_reads_max).map_err(thread)?;
        let long = Readers::spawn(&disk, 1, options.waiting_reads_max).map_err(thread)?;
        let (jobs, queue) = mpsc::channel(JOBS_MAX);
        let trouble = Trouble::default();
        let _thread = writer::spawn(Arc::clone(&disk), queue, trouble.clone())?;
        let writer = Arc::new(Writer { jobs, trouble, _thread });
        let room_bytes = options.waiting_bytes_max;
        let room = usize::try_from(room_bytes).unwrap_or(Semaphore::MAX_PERMITS);
        let generation = Space::FIRST.0;
        Ok(Self { generation, short, long, writer, room: Arc::new(Semaphore::new(room)), room_bytes, disk })
    }

    fn readers(&self, rows: usize) -> &Readers {
        if rows <= SHORT_MAX { &self.short } else { &self.long }
    }

    async fn submit<T>(
        &self,
        bytes: usize,
        work: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> writer::Work,
    ) -> Result<T, Error> {
        let permits = u32::try_from(bytes).unwrap_or(u32::MAX).clamp(1, self.room_bytes);
        let room = Arc::clone(&self.room).acquire_many_owned(permits).await.map_err(|_| self.closed())?;
        let (reply, answer) = oneshot::channel();
        let job = writer::Job { generation: self.generation, work: work(reply), bytes, _room: room };
        self.writer.jobs.send(job).await.map_err(|_| self.closed())?;
        answer.await.map_err(|_| self.closed())?
    }

    fn closed(&self) -> Error {
        Error::Engine { place: self.disk.file().to_owned(), source: "its thread has ended".into() }
    }
}

impl Store for EmbeddedStore {
    async fn setup(&self, _tables: &[Table]) -> Result<(), Error> {
        // The key begins with the table's id: there is nothing to create but the generation's own place.
        self.submit(0, |reply| writer::Work::Setup { reply }).await
    }

    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, Error> {
        let keys = keys.to_vec();
        self.readers(keys.len()).ask(self.generation, |reply| reader::Ask::Get { keys, reply }).await
    }

    async fn scan(&self, range: &Range) -> Result<Vec<Row>, Error> {
        let range = range.clone();
        let rows = usize::try_from(range.limit).unwrap_or(usize::MAX);
        self.readers(rows).ask(self.generation, |reply| reader::Ask::Scan { range, reply }).await
    }

    async fn write(&self, rows: Vec<Row>) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let bytes = rows.iter().map(|row| 64 + row.value.as_ref().map_or(0, bytes::Bytes::len)).sum();
        self.submit(bytes, |reply| writer::Work::Write { rows, reply }).await
    }

    async fn swap(&self, key: &Key, from: Option<&[u8]>, to: &[u8]) -> Result<Swap, Error> {
        let (key, from, to) = (key.clone(), from.map(<[u8]>::to_vec), to.to_vec());
        self.submit(to.len(), |reply| writer::Work::Swap { key, from, to, reply }).await
    }

    async fn health(&self) -> Health {
        let asked = Instant::now();
        let answer = self.get(&[]).await;
        let latency_us = u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX);
        match answer {
            Ok(_) if self.writer.jobs.is_closed() => {
                Health { reachable: false, latency_us, detail: self.closed().to_string() }
            }
            Ok(_) => Health { reachable: true, latency_us, detail: self.writer.trouble.get().unwrap_or_default() },
            Err(error) => Health { reachable: false, latency_us, detail: error.to_string() },
        }
    }
}

impl Doors for EmbeddedStore {
    fn of(&self, generation: u32) -> Self {
        Self { generation, ..self.clone() }
    }

    fn generation(&self) -> u32 {
        self.generation
    }

    async fn generations(&self) -> Result<Vec<u32>, Error> {
        let found = self.disk.run(space::generations).map_err(explain)?;
        Ok(found.into_iter().map(|space| space.0).collect())
    }

    async fn drop_generation(&self) -> Result<u64, Error> {
        let mut rows = 0;
        loop {
            match self.submit(0, |reply| writer::Work::Drop { reply }).await? {
                0 => return Ok(rows),
                some => rows += some,
            }
        }
    }

    async fn purge(&self, range: &Range, before: Millis) -> Result<u64, Error> {
        let (mut from, to) = key::range(range);
        let mut purged = 0;
        loop {
            let asked = (std::mem::take(&mut from), to.clone());
            let found =
                self.long.ask(self.generation, |reply| reader::Ask::Expired { range: asked, before, reply }).await?;
            if !found.rows.is_empty() {
                let bytes = found.rows.iter().map(|(key, _)| key.len()).sum();
                let rows = found.rows;
                purged += self.submit(bytes, |reply| writer::Work::Forget { rows, reply }).await?;
            }
            let Some(next) = found.next else { return Ok(purged) };
            from = next;
        }
    }
}

fn create(db: &Database) -> Result<(), redb::Error> {
    let write = disk::begin_write(db)?;
    {
        let mut meta = write.open_table(META)?;
        let format = meta.get("format")?.map(|format| format.value().to_vec());
        match format {
            None => drop(meta.insert("format", FORMAT)?),
            Some(format) if format == FORMAT => {}
            Some(_) => return Err(disk::damaged("its format is not one that this version reads")),
        }
        for space in [Space::SHARED, Space::FIRST] {
            let names = space.names();
            write.open_table(names.rows())?;
            write.open_table(names.tombstones())?;
        }
    }
    Ok(write.commit()?)
}

/// The failure in the words of the seam.
fn explain(error: disk::Error) -> Error {
    match error {
        disk::Error::Full { file } => Error::Full { place: file },
        disk::Error::Damaged { file, what } => Error::Damaged { place: file, what },
        disk::Error::InUse { ref file, .. }
        | disk::Error::Open { ref file, .. }
        | disk::Error::Engine { ref file, .. } => Error::Engine { place: file.clone(), source: Box::new(error) },
    }
}
