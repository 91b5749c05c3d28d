//! Rows in one redb file: one writer thread with one transaction for all who wait, and a few reader threads.
//!
//! All tables share one table of the engine: their ids begin the keys.

pub(crate) mod key;
mod reader;
mod value;
mod writer;

use std::path::Path;
use std::sync::Arc;

use redb::{Database, ReadableTable, TableDefinition};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::Instant;

use super::{Error, Health, Key, Range, Row, Store, Swap, Table};
use crate::disk::{self, Disk, Joined};
use reader::Readers;

/// Calls that may wait for the writer.
const JOBS_MAX: usize = 1_024;

const ROWS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("rows");
/// Tombstones in the order in which they were written: number → key.
const TOMBSTONES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("tombstones");
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
        let disk = disk::Options { cache_bytes: 256 << 20, ..disk::Options::default() };
        Self { disk, readers: 2, waiting_bytes_max: 128 << 20, waiting_reads_max: 1_024 }
    }
}

/// The projections of this process. Clones are the same store.
#[derive(Clone)]
pub struct EmbeddedStore {
    readers: Readers,
    writer: Arc<Writer>,
    room: Arc<Semaphore>,
    room_bytes: u32,
    disk: Arc<Disk>,
}

struct Writer {
    jobs: mpsc::Sender<writer::Job>,
    _thread: Joined,
}

impl EmbeddedStore {
    /// Opens the store at `path`, or creates it. Tombstones of earlier runs are purged while nobody writes.
    pub fn open(path: &Path, options: Options) -> Result<Self, disk::Error> {
        let disk = Arc::new(Disk::open(path, options.disk)?);
        disk.run(create)?;
        let thread =
            |source: std::io::Error| disk::Error::Engine { file: disk.file().to_owned(), source: source.into() };
        let readers = Readers::spawn(&disk, options.readers, options.waiting_reads_max).map_err(thread)?;
        let (jobs, queue) = mpsc::channel(JOBS_MAX);
        let writer = Arc::new(Writer { jobs, _thread: writer::spawn(Arc::clone(&disk), queue)? });
        let room_bytes = options.waiting_bytes_max;
        let room = usize::try_from(room_bytes).unwrap_or(Semaphore::MAX_PERMITS);
        Ok(Self { readers, writer, room: Arc::new(Semaphore::new(room)), room_bytes, disk })
    }

    async fn submit<T>(
        &self,
        bytes: usize,
        work: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> writer::Work,
    ) -> Result<T, Error> {
        let permits = u32::try_from(bytes).unwrap_or(u32::MAX).clamp(1, self.room_bytes);
        let room = Arc::clone(&self.room).acquire_many_owned(permits).await.map_err(|_| self.closed())?;
        let (reply, answer) = oneshot::channel();
        let job = writer::Job { work: work(reply), bytes, _room: room };
        self.writer.jobs.send(job).await.map_err(|_| self.closed())?;
        answer.await.map_err(|_| self.closed())?
    }

    fn closed(&self) -> Error {
        Error::Engine { place: self.disk.file().to_owned(), source: "its thread has ended".into() }
    }
}

impl Store for EmbeddedStore {
    async fn setup(&self, _tables: &[Table]) -> Result<(), Error> {
        // The key begins with the table's id: there is nothing to create.
        Ok(())
    }

    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, Error> {
        let keys = keys.to_vec();
        self.readers.ask(|reply| reader::Job::Get { keys, reply }).await
    }

    async fn scan(&self, range: &Range) -> Result<Vec<Row>, Error> {
        let range = range.clone();
        self.readers.ask(|reply| reader::Job::Scan { range, reply }).await
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
            Ok(_) => Health { reachable: true, latency_us, detail: String::new() },
            Err(error) => Health { reachable: false, latency_us, detail: error.to_string() },
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
        write.open_table(ROWS)?;
        write.open_table(TOMBSTONES)?;
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
