//! The store of one partition: when its files are written, and how far what they hold is out.

use std::{
    collections::VecDeque,
    fs::File,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, SyncSender, channel, sync_channel},
    thread::JoinHandle,
};

use super::{
    Error, Maps,
    bytes::count64,
    cold::Layout,
    error::Naming,
    frame::{Head, Kind},
    key,
    map::Pending,
    open::{self, Opened},
    restored,
    writer::{self, Commit, Job, Position, Report},
};
use crate::ids::{Millis, Next, Partition};

/// Whose state this is. Another topic, partition, generation or fold is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    pub topic: [u8; 16],
    pub partition: Partition,
    /// Projection generation.
    pub generation: u32,
    /// Of the fold: what its records mean.
    pub fingerprint: u64,
}

/// Where commits fall due and intake stops.
#[derive(Debug, Clone)]
pub struct Limits {
    /// A commit is due when so many bytes of Hot entities have changed.
    pub hot_bytes: usize,
    /// A commit is due when so many bytes of Cold records are new.
    pub cold_bytes: usize,
    /// Bytes written ahead of what is released; intake pauses above.
    pub ahead_bytes: u64,
    /// A new journal file begins after so many bytes.
    pub journal_bytes: u64,
    /// Entities of a map; intake halts above.
    pub entities: usize,
    /// Maps with a limit of their own.
    pub entities_of: Vec<(&'static str, usize)>,
    /// Each frame is waited for, so that it is on disk when [`Store::commit`] returns: what is done then does not depend
    /// on how fast the writer is. For simulations; a worker would stand still for as long as its disk takes.
    pub waits_for_writer: bool,
    /// Records of a Cold file; counts when a store is made, later its `KEY` knows.
    pub file_records: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            hot_bytes: 4 << 20,
            cold_bytes: 8 << 20,
            ahead_bytes: 512 << 20,
            journal_bytes: 32 << 20,
            entities: 200_000_000,
            entities_of: Vec::new(),
            waits_for_writer: false,
            file_records: 262_144,
        }
    }
}

/// Whether more events can be folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intake {
    Open,
    /// Too much is ahead of what is released: go on when rows and outputs are out.
    Paused {
        ahead_bytes: u64,
    },
    /// A map is at its limit: halt, and tell the operator. State is never dropped.
    Full {
        map: &'static str,
        entities: usize,
        limit: usize,
    },
}

/// Makes the maps of a state durable. One thread folds and calls; another, owned by the store, writes.
///
/// After an error the store and its state are to be dropped, and the effects since the last good `tick` with them.
pub struct Store {
    dir: PathBuf,
    limits: Limits,
    jobs: Option<SyncSender<Job>>,
    reports: Receiver<Report>,
    thread: Option<JoinHandle<()>>,
    schema: u64,
    /// Of the coming frame.
    seq: u64,
    next: Next,
    released: Next,
    /// The greatest `released` given to the writer.
    marked: Next,
    /// Frames that the writer has not reported.
    in_flight: usize,
    /// Frames not released: `next` and bytes.
    ahead: VecDeque<(Next, u64)>,
    /// A frame was released, and no frame on its way to the disk says so.
    is_passed: bool,
    position: Option<Position>,
    written: Next,
    /// Ends of the Cold maps on disk, and whether the maps have been told.
    settled: Vec<u64>,
    layouts: Vec<Layout>,
    pending: Pending,
    /// Bytes of changes that the ring has not matched yet, and how many of the pending ones it knows.
    ring: Ring,
    full: Option<(&'static str, usize, usize)>,
    snapshot: Option<Result<(), Error>>,
    verified: (usize, u64),
    // Unlocked last.
    _lock: File,
}

#[derive(Default)]
struct Ring {
    debt: usize,
    seen: usize,
}

impl Store {
    /// Opens or creates the state of `identity` in `dir`. `state` is replaced by what is there; the answer is P, the
    /// position up to which events are applied in it, or `None` for an empty one. A restored snapshot that waits in the
    /// folder takes the place of what was there.
    pub fn open<S: Maps>(
        dir: &Path,
        identity: Identity,
        limits: Limits,
        state: &mut S,
    ) -> Result<(Self, Option<Next>), Error> {
        let lock = key::lock(dir)?;
        restored::install(dir)?;
        *state = S::default();
        let Opened { writer, seq, schema, released, position, layouts } = open::open(dir, &identity, &limits, state)?;
        let (jobs, inbox) = sync_channel(1);
        let (outbox, reports) = channel();
        let thread = std::thread::Builder::new().name(format!("keep-{}", identity.partition.0));
        let thread = thread.spawn(move || writer.run(&inbox, &outbox)).naming("start the writer of", dir)?;
        let next = position.as_ref().map(|p| p.next);
        let store = Self {
            dir: dir.to_owned(),
            limits,
            jobs: Some(jobs),
            reports,
            thread: Some(thread),
            schema,
            seq,
            next: next.unwrap_or_default(),
            released,
            marked: released,
            in_flight: 0,
            ahead: VecDeque::new(),
            is_passed: false,
            written: next.unwrap_or_default(),
            settled: position.iter().flat_map(|p| &p.colds).map(|(_, end)| *end).collect(),
            position,
            layouts,
            pending: Pending::default(),
            ring: Ring::default(),
            full: None,
            snapshot: None,
            verified: (0, 0),
            _lock: lock,
        };
        Ok((store, next))
    }

    /// After each batch, before its effects leave: an error says that they must be dropped. Frees and cleans a little.
    pub fn tick<S: Maps>(&mut self, state: &mut S) -> Result<(), Error> {
        self.look(state)?;
        // A restart can begin at the frame that was released last, and not at the one before the next commit.
        if self.is_passed && self.in_flight == 0 { self.mark() } else { Ok(()) }
    }

    fn look<S: Maps>(&mut self, state: &mut S) -> Result<(), Error> {
        self.hear()?;
        let (mut result, mut pending, mut full, mut cold) = (Ok(()), Pending::default(), None, 0);
        state.visit(&mut |name, map| {
            if map.shape().cold {
                map.settle(self.settled.get(cold).copied().unwrap_or(0));
                cold += 1;
            }
            if result.is_ok() {
                result = map.tick();
            }
            let changed = map.pending();
            pending.hot += changed.hot;
            pending.cold += changed.cold;
            let own = self.limits.entities_of.iter().find(|(n, _)| *n == name).map(|(_, limit)| *limit);
            let limit = own.unwrap_or(self.limits.entities);
            if map.entities() > limit {
                full = Some((name, map.entities(), limit));
            }
        });
        (self.pending, self.full) = (pending, full);
        if result.is_ok() {
            self.turn_ring(state);
        } else {
            // Nothing that came of a damaged read may be written.
            self.jobs = None;
        }
        result
    }

    /// Whether so much has changed that a commit is due. Age is the caller's business: 0.25 to 5 s.
    pub const fn due(&self) -> bool {
        let (hot, cold) = (self.pending.hot, self.pending.cold);
        let (hot_max, cold_max) = (self.limits.hot_bytes, self.limits.cold_bytes);
        let due = hot >= hot_max || cold >= cold_max;
        // A commit waits for the writer if that has two in hand: gather on, up to twice as much.
        due && (self.in_flight == 0 || hot >= 2 * hot_max || cold >= 2 * cold_max)
    }

    /// Whether more events can be folded; ask after each `tick`.
    pub fn intake(&self) -> Intake {
        if let Some((map, entities, limit)) = self.full {
            return Intake::Full { map, entities, limit };
        }
        let ahead_bytes: u64 = self.ahead.iter().map(|(_, bytes)| bytes).sum();
        if ahead_bytes > self.limits.ahead_bytes { Intake::Paused { ahead_bytes } } else { Intake::Open }
    }

    /// Gives a frame to the writer: the state now, which has applied all events below `next`. Does not wait for the
    /// disk unless the writer is two frames behind.
    pub fn commit<S: Maps>(&mut self, state: &mut S, next: Next) -> Result<(), Error> {
        assert!(next >= self.next, "positions never go back");
        self.look(state)?;
        let mut needed = self.seq;
        let mut body = Vec::with_capacity(2 * self.pending.hot + (64 << 10));
        let mut batches = Vec::new();
        state.visit(&mut |_, map| {
            needed = needed.min(map.oldest().unwrap_or(needed));
            let start = body.len();
            body.extend_from_slice(&[0; 8]);
            batches.extend(map.save(&mut body, self.seq + 1));
            let length = count64(body.len() - start - 8).to_le_bytes();
            body.get_mut(start..start + 8).expect("pushed above").copy_from_slice(&length);
        });
        self.next = next;
        (self.pending, self.ring.seen) = (Pending::default(), 0);
        let commit = Commit { head: self.head(Kind::State, needed), body, batches };
        self.ahead.push_back((next, writer::bytes(&commit, &self.layouts)));
        self.forget_released();
        self.send_frame(commit)
    }

    /// Rows and outputs of events below `to` are out: a restart may begin there. On disk with the next commit, `mark`
    /// or `flush`, and if it passes a frame with the next `tick` that finds the writer idle.
    pub fn release(&mut self, to: Next) {
        self.released = self.released.max(to);
        self.forget_released();
    }

    /// When nothing happens: puts the greatest `release` on disk without a commit. Does not wait.
    pub fn mark(&mut self) -> Result<(), Error> {
        if self.released == self.marked {
            return Ok(());
        }
        let needed = self.position.as_ref().map_or(0, |p| p.needed);
        let commit = Commit { head: self.head(Kind::Mark, needed), body: Vec::new(), batches: Vec::new() };
        self.send_frame(commit)
    }

    /// P as it is on disk: where a restart goes on.
    pub fn durable(&self) -> Next {
        self.position.as_ref().map(|p| p.next).unwrap_or_default()
    }

    /// The newest frame on disk; ahead of `durable` as long as it is not released.
    pub const fn written(&self) -> Next {
        self.written
    }

    /// Waits until all that was committed and released is on disk.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.mark()?;
        self.wait()
    }

    /// Until the writer has done what it was given.
    fn wait(&mut self) -> Result<(), Error> {
        let (done, wait) = channel();
        self.send(Job::Flush(done))?;
        // An end of the channel is an end of the writer, and that tells why.
        let _ = wait.recv();
        self.hear()
    }

    /// The smallest floor over the creators that own something in `map`: what is older may be freed. Never falls.
    pub fn set_floor<S: Maps>(&mut self, state: &mut S, map: &str, floor: Millis) {
        state.visit(&mut |name, found| {
            if name == map {
                found.set_floor(floor);
            }
        });
    }

    /// Hard links of all files and a manifest in `dir`, an empty folder on the same file system. Done when
    /// `dir/MANIFEST` is there, at the latest after a `flush`; then `snapshot_result` tells how it went.
    pub fn snapshot(&mut self, dir: &Path) -> Result<(), Error> {
        self.mark()?;
        self.send(Job::Snapshot(dir.to_owned()))
    }

    /// What became of the last snapshot; `None`: none was asked for, or it is under way. An error leaves the store
    /// as it was.
    pub fn snapshot_result(&mut self) -> Result<Option<Result<(), Error>>, Error> {
        self.hear()?;
        Ok(self.snapshot.take())
    }

    /// Full files of Cold maps on disk. Call `verify_next` as often a day to check each once.
    pub fn full_files(&self) -> u64 {
        let colds = self.position.iter().flat_map(|p| &p.colds).zip(&self.layouts);
        colds.map(|((first, end), layout)| layout.file(*end).saturating_sub(*first)).sum()
    }

    /// Has the writer check one more full file; damage ends the store.
    pub fn verify_next(&mut self) -> Result<(), Error> {
        let Some(position) = &self.position else { return Ok(()) };
        let (map, file) = self.verified;
        for turn in 0..=self.layouts.len() {
            let map = (map + turn) % self.layouts.len().max(1);
            let Some(((first, end), layout)) = position.colds.get(map).zip(self.layouts.get(map)) else { continue };
            let file = if turn == 0 { file.max(*first) } else { *first };
            if file < layout.file(*end) {
                self.verified = (map, file + 1);
                return self.send(Job::Verify { map, file });
            }
        }
        Ok(())
    }

    /// Adds to the coming frame as many bytes of the chunks written longest ago as have changed.
    fn turn_ring<S: Maps>(&mut self, state: &mut S) {
        self.ring.debt += self.pending.hot.saturating_sub(self.ring.seen);
        self.ring.seen = self.pending.hot;
        while self.ring.debt > 0 {
            let mut oldest = None;
            state.visit(&mut |name, map| {
                if let Some(written) = map.oldest()
                    && oldest.is_none_or(|(other, _)| written < other)
                {
                    oldest = Some((written, name));
                }
            });
            let Some((_, chosen)) = oldest.filter(|(written, _)| *written < self.seq) else {
                self.ring.debt = 0;
                return;
            };
            let mut bytes = 0;
            state.visit(&mut |name, map| {
                if name == chosen {
                    bytes = map.slice(self.seq);
                }
            });
            // An empty chunk costs something too.
            self.ring.debt = self.ring.debt.saturating_sub(bytes.max(64));
        }
    }

    fn head(&self, kind: Kind, needed: u64) -> Head {
        Head { kind, seq: self.seq, next: self.next, released: self.released, needed, schema: self.schema }
    }

    fn send_frame(&mut self, commit: Commit) -> Result<(), Error> {
        self.marked = commit.head.released;
        self.is_passed = false;
        self.seq += 1;
        self.in_flight += 1;
        self.send(Job::Frame(Box::new(commit)))?;
        if self.limits.waits_for_writer { self.wait() } else { Ok(()) }
    }

    fn send(&mut self, job: Job) -> Result<(), Error> {
        let sent = self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        if sent { Ok(()) } else { self.hear().and(Err(Error::Ended { dir: self.dir.clone() })) }
    }

    /// Takes in what the writer has to say.
    fn hear(&mut self) -> Result<(), Error> {
        if self.jobs.is_none() {
            return Err(Error::Ended { dir: self.dir.clone() });
        }
        loop {
            match self.reports.try_recv() {
                Ok(Report::Written { next, ends, position }) => {
                    self.in_flight -= 1;
                    self.written = self.written.max(next);
                    self.position = position;
                    if !ends.is_empty() {
                        self.settled = ends;
                    }
                }
                Ok(Report::Snapshot(result)) => self.snapshot = Some(result),
                Ok(Report::Failed(error)) => {
                    self.jobs = None;
                    return Err(error);
                }
                Err(std::sync::mpsc::TryRecvError::Empty) => return Ok(()),
                Err(std::sync::mpsc::TryRecvError::Disconnected) => {
                    self.jobs = None;
                    return Err(Error::Ended { dir: self.dir.clone() });
                }
            }
        }
    }

    fn forget_released(&mut self) {
        while self.ahead.front().is_some_and(|(next, _)| *next <= self.released) {
            self.ahead.pop_front();
            self.is_passed = true;
        }
    }
}

impl Drop for Store {
    /// Waits until the writer has done what it was given.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the writer was told already; a second one here would abort.
            let _ = thread.join();
        }
    }
}
