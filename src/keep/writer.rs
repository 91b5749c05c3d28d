//! The thread that writes: records first, then the frame, then what is no longer needed goes.

use std::{
    collections::VecDeque,
    fs::{self, File},
    io::Write,
    path::PathBuf,
    sync::mpsc::{Receiver, Sender},
};

use super::{
    Error,
    bytes::count64,
    cold::{Layout, Steps, read},
    error::Naming,
    frame::{Head, Kind},
    journal::Appender,
    key::sync_dir,
    map::Batch,
    snapshot,
};
use crate::ids::Next;

/// Records put together before a write.
const WRITE_RECORDS: u64 = 8_192;

pub(super) enum Job {
    Frame(Box<Commit>),
    /// Check one sealed file of a Cold map.
    Verify {
        map: usize,
        file: u64,
    },
    Snapshot(PathBuf),
    /// Answers when all before it is done.
    Flush(Sender<()>),
}

/// A frame and the records that must be on disk before it.
pub(super) struct Commit {
    pub(super) head: Head,
    pub(super) body: Vec<u8>,
    /// One a Cold map; none with a mark.
    pub(super) batches: Vec<Batch>,
}

pub(super) enum Report {
    /// The frame is on disk; so are the records below `ends`.
    Written {
        next: Next,
        ends: Vec<u64>,
        position: Option<Position>,
    },
    Snapshot(Result<(), Error>),
    /// The thread has ended.
    Failed(Error),
}

/// A frame that a restart may go on from.
#[derive(Debug, Clone)]
pub(super) struct Position {
    pub(super) next: Next,
    pub(super) needed: u64,
    /// Of each Cold map: its oldest file and its end.
    pub(super) colds: Vec<(u64, u64)>,
}

pub(super) struct Writer {
    pub(super) dir: PathBuf,
    pub(super) journal: Appender,
    pub(super) colds: Vec<ColdFile>,
    /// P.
    pub(super) position: Option<Position>,
    /// Written, but ahead of what is released.
    pub(super) ahead: VecDeque<Position>,
}

/// The file of a Cold map that is being filled.
pub(super) struct ColdFile {
    pub(super) layout: Layout,
    file: Option<(u64, File)>,
    /// Oldest file that was not removed.
    oldest: u64,
}

impl Writer {
    /// Works until the store goes or a write fails.
    pub(super) fn run(mut self, jobs: &Receiver<Job>, reports: &Sender<Report>) {
        while let Ok(job) = jobs.recv() {
            let report = match job {
                Job::Frame(commit) => self.commit(&commit),
                Job::Verify { map, file } => self.verify(map, file).map(|()| None),
                Job::Snapshot(dir) => Ok(Some(Report::Snapshot(snapshot::link(&self, &dir)))),
                Job::Flush(done) => {
                    // Nobody waits any longer when the store is being dropped.
                    let _ = done.send(());
                    Ok(None)
                }
            };
            let (report, failed) = match report {
                Ok(report) => (report, false),
                Err(error) => (Some(Report::Failed(error)), true),
            };
            if report.is_some_and(|r| reports.send(r).is_err()) || failed {
                return;
            }
        }
    }

    fn commit(&mut self, commit: &Commit) -> Result<Option<Report>, Error> {
        let mut new_files = false;
        for (cold, batch) in self.colds.iter_mut().zip(&commit.batches) {
            new_files |= cold.append(batch)?;
        }
        if new_files {
            sync_dir(&self.dir)?;
        }
        self.journal.append(&commit.head, &commit.body)?;
        let ends: Vec<u64> = commit.batches.iter().map(|b| b.end).collect();
        if commit.head.kind == Kind::State {
            let colds = commit.batches.iter().map(|b| (b.first_file, b.end)).collect();
            self.ahead.push_back(Position { next: commit.head.next, needed: commit.head.needed, colds });
        }
        while self.ahead.front().is_some_and(|p| p.next <= commit.head.released) {
            self.position = self.ahead.pop_front();
        }
        self.forget()?;
        Ok(Some(Report::Written { next: commit.head.next, ends, position: self.position.clone() }))
    }

    /// Removes what no restart needs any longer.
    fn forget(&mut self) -> Result<(), Error> {
        let Some(position) = &self.position else { return Ok(()) };
        self.journal.forget(position.needed)?;
        for (cold, (first, _)) in self.colds.iter_mut().zip(&position.colds) {
            cold.forget(*first)?;
        }
        Ok(())
    }

    fn verify(&self, map: usize, file: u64) -> Result<(), Error> {
        let Some(cold) = self.colds.get(map).filter(|c| c.oldest <= file) else { return Ok(()) };
        let layout = &cold.layout;
        read(layout, layout.start(file)..layout.start(file + 1), |_, _| {})
    }
}

impl ColdFile {
    pub(super) const fn new(layout: Layout, oldest: u64) -> Self {
        Self { layout, file: None, oldest }
    }

    /// Appends and syncs; whether the folder has a new file.
    fn append(&mut self, batch: &Batch) -> Result<bool, Error> {
        let (mut from, mut new, mut bytes) = (batch.start, false, Vec::new());
        while from < batch.end {
            let number = self.layout.file(from);
            let file_end = self.layout.start(number + 1);
            let to = batch.end.min(from + WRITE_RECORDS).min(file_end);
            bytes.clear();
            (batch.encode)(from..to, &mut bytes);
            new |= self.open(number)?;
            let (_, file) = self.file.as_mut().expect("opened above");
            file.write_all(&bytes).naming("append to", &self.layout.log(number))?;
            if to == file_end || to == batch.end {
                file.sync_data().naming("sync", &self.layout.log(number))?;
            }
            if to == file_end {
                self.file = None;
                Steps::of_file(&self.layout, number, self.layout.home.file_records)?.write(&self.layout, number)?;
            }
            from = to;
        }
        Ok(new)
    }

    /// Whether it had to be created.
    fn open(&mut self, number: u64) -> Result<bool, Error> {
        if self.file.as_ref().is_some_and(|(open, _)| *open == number) {
            return Ok(false);
        }
        let path = self.layout.log(number);
        let new = !path.exists();
        let file = File::options().create(true).append(true).open(&path).naming("create", &path)?;
        self.file = Some((number, file));
        Ok(new)
    }

    fn forget(&mut self, first: u64) -> Result<(), Error> {
        while self.oldest < first {
            for path in [self.layout.log(self.oldest), self.layout.idx(self.oldest)] {
                if path.exists() {
                    fs::remove_file(&path).naming("remove", &path)?;
                }
            }
            self.oldest += 1;
        }
        Ok(())
    }
}

/// Bytes of a commit, for the limit on what runs ahead.
pub(super) fn bytes(commit: &Commit, layouts: &[Layout]) -> u64 {
    let records = commit.batches.iter().zip(layouts).map(|(b, l)| (b.end - b.start) * count64(l.record_bytes));
    count64(commit.body.len()) + records.sum::<u64>()
}
