//! The file under the engine, with a sum for every page of it.
//!
//! The engine sums its pages too but looks at the sums only when it repairs: a byte that flipped on the disk would be
//! read as if it had been written. Here each page is checked whenever it comes from the disk, so what is read is what
//! was written, or an error. What no sum can tell is a disk that forgets a write and keeps the old page whole.
//!
//! ```text
//! page 0..4      the head twice over, each twice: what the engine keeps in its first page (see `head`)
//! page 4+512g    the sums of group g: 512 × u64, XXH3 of a page seeded with its number; 0: never written
//! the rest       511 pages of the engine in each group
//! ```
//!
//! The engine writes pages that nothing refers to yet, syncs, writes its head, syncs. Sums are written at each sync, so
//! the pages that a head on the disk refers to have theirs there too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use redb::StorageBackend;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::head::{HEAD_PAGES, Head};

pub(super) const PAGE_BYTES: u64 = 4_096;
const PAGE: usize = 4_096;
const GROUP_PAGES: u64 = 512;
const GROUP_DATA_PAGES: u64 = GROUP_PAGES - 1;

/// The sums of one group.
type Sums = Arc<Vec<AtomicU64>>;

/// What went wrong with the file last: the engine itself only remembers that something did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    Full,
    Damaged(String),
    Other,
}

/// What remains of a guard when the engine holds it: its faults, and the end of it.
#[derive(Debug, Default)]
pub(super) struct Watch {
    fault: Mutex<Option<Fault>>,
    retired: AtomicBool,
}

impl Watch {
    pub(super) fn fault(&self) -> Option<Fault> {
        locked(&self.fault).clone()
    }

    /// From now on the guard refuses all: another has the file.
    pub(super) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Guard {
    file: Arc<File>,
    watch: Arc<Watch>,
    bytes_max: Option<u64>,
    head: Mutex<Head>,
    sums: RwLock<BTreeMap<u64, Sums>>,
    /// Groups whose sums are newer than those on the disk.
    dirty: Mutex<BTreeSet<u64>>,
    /// Held while a page and its sum are changed.
    writing: Mutex<()>,
}

impl Guard {
    /// `bytes_max`: the file is full at this length, whatever the disk says.
    pub(super) fn new(file: Arc<File>, watch: Arc<Watch>, bytes_max: Option<u64>) -> io::Result<Self> {
        // What a killed process left unsynced is read below: from now on it must stay.
        file.sync_data()?;
        let head = Head::read(&file)?;
        Ok(Self {
            file,
            watch,
            bytes_max,
            head: Mutex::new(head),
            sums: RwLock::default(),
            dirty: Mutex::default(),
            writing: Mutex::default(),
        })
    }

    /// Runs one call of the engine, and remembers how it failed.
    fn watched<T>(&self, call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        if self.watch.retired.load(Ordering::Acquire) {
            return Err(io::Error::other("another handle has taken over the file"));
        }
        call().inspect_err(|error| *locked(&self.watch.fault) = Some(fault_of(error)))
    }

    fn sums(&self, group: u64) -> io::Result<Sums> {
        if let Some(sums) = self.sums.read().unwrap_or_else(PoisonError::into_inner).get(&group) {
            return Ok(Arc::clone(sums));
        }
        let mut all = self.sums.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(sums) = all.get(&group) {
            return Ok(Arc::clone(sums));
        }
        let mut bytes = [0; PAGE];
        self.file.read_exact_at(&mut bytes, sums_at(group))?;
        let sums = bytes.as_chunks().0.iter().map(|sum| AtomicU64::new(u64::from_le_bytes(*sum))).collect();
        Ok(Arc::clone(all.entry(group).or_insert(Arc::new(sums))))
    }

    fn write_sums(&self) -> io::Result<()> {
        let groups = std::mem::take(&mut *locked(&self.dirty));
        for (done, &group) in groups.iter().enumerate() {
            let sums = self.sums(group)?;
            let bytes: Vec<u8> = sums.iter().flat_map(|sum| sum.load(Ordering::Acquire).to_le_bytes()).collect();
            if let Err(error) = self.file.write_all_at(&bytes, sums_at(group)) {
                locked(&self.dirty).extend(groups.iter().skip(done));
                return Err(error);
            }
        }
        Ok(())
    }

    fn read_pages(&self, first: u64, out: &mut [u8]) -> io::Result<()> {
        for run in runs(first, out.len())? {
            let part = out.get_mut(run.from..run.to).unwrap_or_default();
            self.file.read_exact_at(part, run.at)?;
            if self.check(&run, part)?.is_some() {
                // Perhaps it was being written: once more, with nobody at it.
                let _writing = locked(&self.writing);
                self.file.read_exact_at(part, run.at)?;
                if let Some(page) = self.check(&run, part)? {
                    return Err(damaged(page));
                }
            }
        }
        Ok(())
    }

    /// The first page of the run that is not what was written.
    fn check(&self, run: &Run, bytes: &[u8]) -> io::Result<Option<u64>> {
        let sums = self.sums(run.group)?;
        let stored = sums.iter().skip(run.entry);
        for ((page, bytes), sum) in (run.first..).zip(bytes.chunks(PAGE)).zip(stored) {
            if sum_of(page, bytes) != sum.load(Ordering::Acquire) {
                return Ok(Some(page));
            }
        }
        Ok(None)
    }

    fn write_pages(&self, first: u64, data: &[u8]) -> io::Result<()> {
        let _writing = locked(&self.writing);
        for run in runs(first, data.len())? {
            let part = data.get(run.from..run.to).unwrap_or_default();
            let sums = self.sums(run.group)?;
            self.file.write_all_at(part, run.at)?;
            for ((page, bytes), sum) in (run.first..).zip(part.chunks(PAGE)).zip(sums.iter().skip(run.entry)) {
                sum.store(sum_of(page, bytes), Ordering::Release);
            }
            locked(&self.dirty).insert(run.group);
        }
        Ok(())
    }

    fn resize(&self, len: u64) -> io::Result<()> {
        let pages = len.div_ceil(PAGE_BYTES);
        let bytes = file_bytes(pages);
        if self.bytes_max.is_some_and(|max| bytes > max && bytes > self.file.metadata().map_or(0, |m| m.len())) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let groups = pages.div_ceil(GROUP_DATA_PAGES);
        self.sums.write().unwrap_or_else(PoisonError::into_inner).retain(|group, _| *group < groups);
        locked(&self.dirty).retain(|group| *group < groups);
        self.file.set_len(bytes)
    }
}

impl StorageBackend for Guard {
    fn len(&self) -> io::Result<u64> {
        self.watched(|| Ok(engine_pages(self.file.metadata()?.len()) * PAGE_BYTES))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.watched(|| match offset.checked_div(PAGE_BYTES) {
            Some(0) => locked(&self.head).get(offset, out),
            Some(page) if offset.is_multiple_of(PAGE_BYTES) => self.read_pages(page, out),
            Some(_) | None => Err(io::ErrorKind::InvalidInput.into()),
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.watched(|| self.resize(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.watched(|| {
            self.write_sums()?;
            self.file.sync_data()?;
            locked(&self.head).synced();
            Ok(())
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.watched(|| match offset.checked_div(PAGE_BYTES) {
            Some(0) => {
                self.write_sums()?;
                locked(&self.head).put(&self.file, offset, data)
            }
            Some(page) if offset.is_multiple_of(PAGE_BYTES) => self.write_pages(page, data),
            Some(_) | None => Err(io::ErrorKind::InvalidInput.into()),
        })
    }
}

/// Pages of the engine that follow one another in the file.
struct Run {
    first: u64,
    group: u64,
    /// The place of the first page's sum in its group.
    entry: usize,
    /// Where in the file.
    at: u64,
    /// Where in the caller's bytes.
    from: usize,
    to: usize,
}

fn runs(first: u64, bytes: usize) -> io::Result<Vec<Run>> {
    if !bytes.is_multiple_of(PAGE) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut runs = Vec::new();
    let (mut first, mut from) = (first, 0);
    while from < bytes {
        let (group, entry) = (first / GROUP_DATA_PAGES, first % GROUP_DATA_PAGES);
        let room = usize::try_from(GROUP_DATA_PAGES - entry).map_err(io::Error::other)?;
        let pages = room.min((bytes - from) / PAGE);
        let at = sums_at(group) + (1 + entry) * PAGE_BYTES;
        let to = from + pages * PAGE;
        runs.push(Run { first, group, entry: usize::try_from(entry).map_err(io::Error::other)?, at, from, to });
        first += u64::try_from(pages).map_err(io::Error::other)?;
        from = to;
    }
    Ok(runs)
}

const fn sums_at(group: u64) -> u64 {
    (HEAD_PAGES + group * GROUP_PAGES) * PAGE_BYTES
}

/// The length of a file with so many pages of the engine.
const fn file_bytes(pages: u64) -> u64 {
    if pages == 0 { 0 } else { (HEAD_PAGES + pages + pages.div_ceil(GROUP_DATA_PAGES)) * PAGE_BYTES }
}

/// How many pages of the engine a file of this length holds.
const fn engine_pages(bytes: u64) -> u64 {
    let pages = (bytes / PAGE_BYTES).saturating_sub(HEAD_PAGES);
    pages - pages.div_ceil(GROUP_PAGES)
}

fn sum_of(page: u64, bytes: &[u8]) -> u64 {
    xxh3_64_with_seed(bytes, page).max(1)
}

/// The error of a page that is not what was written.
#[derive(Debug, thiserror::Error)]
#[error("page {0} is not what was written")]
struct BadPage(u64);

fn damaged(page: u64) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, BadPage(page))
}

pub(super) fn fault_of(error: &io::Error) -> Fault {
    use io::ErrorKind::{FileTooLarge, InvalidData, QuotaExceeded, StorageFull, UnexpectedEof};
    let kind = error.kind();
    if [StorageFull, QuotaExceeded, FileTooLarge].contains(&kind) {
        Fault::Full
    } else if [InvalidData, UnexpectedEof].contains(&kind) {
        Fault::Damaged(error.to_string())
    } else {
        Fault::Other
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
