//! What a Cold map with a store knows of its files, and reading from them.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    fs::File,
    os::unix::fs::FileExt,
    sync::Arc,
};

use bytemuck::Pod;

use super::{
    Record, Tail,
    idx::{WRONG_CRC, open},
    layout::{Layout, check},
};
use crate::{
    ids::Millis,
    keep::{Error, bytes::size, hash::KeyHash},
};

/// Files of a map held open for reading.
const OPEN_FILES_MAX: usize = 48;

pub(super) struct Disk<K, V> {
    pub(super) layout: Layout,
    /// Given to the writer, oldest first, not known to be in the files yet.
    pub(super) given: VecDeque<Arc<Tail<K, V>>>,
    /// Records below are in the files.
    pub(super) settled: u64,
    /// The oldest file with something that lives.
    pub(super) first: u64,
    /// Of each file from `first` on.
    pub(super) files: VecDeque<Stats>,
    /// Of the first file, if it is under way.
    pub(super) cleaning: Option<Cleaning>,
    /// End of the tail at the last tick.
    pub(super) ticked: u64,
    poison: RefCell<Option<Error>>,
    handles: RefCell<VecDeque<(u64, File)>>,
    scratch: RefCell<Vec<u8>>,
    hand: Cell<usize>,
}

/// The first file on its way out.
pub(super) struct Cleaning {
    /// The record to go on with.
    pub(super) at: u64,
    /// What leaves the index with the file.
    pub(super) expired: Vec<(KeyHash, u64)>,
}

#[derive(Clone, Copy)]
pub(super) struct Stats {
    pub(super) live: u64,
    pub(super) newest: Millis,
}

impl<K: Pod, V: Pod> Disk<K, V> {
    pub(super) fn new(layout: Layout) -> Self {
        let scratch = RefCell::new(vec![0; layout.record_bytes]);
        Self {
            layout,
            given: VecDeque::new(),
            settled: 0,
            first: 0,
            files: VecDeque::new(),
            cleaning: None,
            ticked: 0,
            poison: RefCell::new(None),
            handles: RefCell::default(),
            scratch,
            hand: Cell::new(0),
        }
    }

    /// A record that is no longer in the tail. `None` poisons the map.
    pub(super) fn read(&self, number: u64) -> Option<Record<K, V>> {
        if number >= self.settled
            && let Some(tail) = self.given.iter().rev().find(|t| t.base <= number)
        {
            return tail.get(number).copied();
        }
        match self.read_file(number) {
            Ok(record) => Some(record),
            Err(error) => {
                self.poison.borrow_mut().get_or_insert(error);
                None
            }
        }
    }

    pub(super) fn take_poison(&self) -> Result<(), Error> {
        self.poison.borrow_mut().take().map_or(Ok(()), Err)
    }

    /// Counts an entity to, or away from, the file that holds `number`.
    pub(super) fn count(&mut self, number: u64, by: i64) {
        let file = size(self.layout.file(number) - self.first);
        while self.files.len() <= file {
            self.files.push_back(Stats { live: 0, newest: Millis(i64::MIN) });
        }
        let stats = self.files.get_mut(file).expect("pushed above");
        stats.live = stats.live.checked_add_signed(by).expect("an entity is counted once");
    }

    pub(super) fn note_time(&mut self, number: u64, time: Millis) {
        if let Some(stats) = self.files.get_mut(size(self.layout.file(number) - self.first)) {
            stats.newest = stats.newest.max(time);
        }
    }

    /// Forgets the first file: nothing in it lives.
    pub(super) fn drop_first(&mut self) {
        self.files.pop_front();
        self.first += 1;
        self.cleaning = None;
        let first = self.first;
        self.handles.borrow_mut().retain(|(file, _)| *file >= first);
    }

    fn read_file(&self, number: u64) -> Result<Record<K, V>, Error> {
        let (file, at) = (self.layout.file(number), self.layout.at(number));
        let mut handles = self.handles.borrow_mut();
        let mut scratch = self.scratch.borrow_mut();
        let handle = match handles.iter().position(|(f, _)| *f == file) {
            Some(place) => handles.get(place),
            None => {
                let handle = open(&self.layout.log(file))?;
                if handles.len() >= OPEN_FILES_MAX {
                    handles.swap_remove_back(self.hand.replace((self.hand.get() + 1) % OPEN_FILES_MAX));
                }
                handles.push_back((file, handle));
                handles.back()
            }
        };
        let (_, handle) = handle.expect("found or pushed above");
        let failed = |source| Error::Io { verb: "read", file: self.layout.log(file), source };
        handle.read_exact_at(&mut scratch, at).map_err(failed)?;
        let record = check(number, &scratch).and_then(|raw| raw.record());
        record.ok_or_else(|| Error::Damaged { file: self.layout.log(file), at, what: WRONG_CRC })
    }

    /// Full files, all of their records written.
    pub(super) fn full_files(&self) -> u64 {
        self.layout.file(self.settled).saturating_sub(self.first)
    }

    /// More than half of what the full files hold is replaced, erased or expired; or the first is all expired.
    pub(super) fn wants_cleaning(&self, floor: Millis) -> bool {
        let expired = |s: &Stats| s.newest.0 < floor.0.saturating_sub(Millis::DAY);
        let full = self.full_files();
        let alive: u64 = self.files.iter().take(size(full)).filter(|s| !expired(s)).map(|s| s.live).sum();
        let first_dead = self.files.front().is_some_and(|s| s.live == 0 || expired(s));
        full > 0 && (first_dead || alive * 2 < full * self.layout.home.file_records)
    }
}
