//! The journal files: verified when a store opens, appended to as long as it runs.

use std::{
    fs::{self, File},
    io::{Read, Write},
    path::{Path, PathBuf},
};

use super::{
    Error,
    bytes::{count64, size},
    error::Naming,
    frame::{self, Head, Kind},
    key::sync_dir,
};
use crate::ids::Next;

/// One journal file.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// `seq` of its first frame, which is in its name.
    pub(super) first_seq: u64,
    pub(super) path: PathBuf,
    /// Bytes of whole frames.
    pub(super) length: u64,
}

/// Where a verified frame stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) head: Head,
    part: usize,
    at: u64,
}

/// All that the journal files hold, verified, torn end cut off.
pub(super) struct Journal {
    pub(super) parts: Vec<Part>,
    pub(super) frames: Vec<Found>,
}

/// The bytes of one file at a time, in memory that is used again: touching fresh memory costs more than reading.
#[derive(Default)]
pub(super) struct Room {
    part: Option<usize>,
    bytes: Vec<u8>,
}

impl Journal {
    /// Verifies every frame. Only the very end may be torn.
    pub(super) fn read(dir: &Path, schema: u64, room: &mut Room) -> Result<Self, Error> {
        let mut journal = Self { parts: list(dir)?, frames: Vec::new() };
        let last = journal.parts.len().checked_sub(1).ok_or_else(|| Error::Missing { file: name(dir, 1) })?;
        let lengths = journal.parts.iter().filter_map(|part| Some(fs::metadata(&part.path).ok()?.len()));
        room.bytes.reserve_exact(size(lengths.max().unwrap_or(0)));
        for part in 0..=last {
            journal.read_part(part, part == last, schema, room)?;
        }
        Ok(journal)
    }

    /// The frame that a restart goes on from: the newest with `next` ≤ the greatest `released`.
    pub(super) fn position(&self) -> Option<Found> {
        let released = self.released();
        let states = self.frames.iter().zip(self.states()).filter(|(_, state)| *state);
        states.map(|(f, _)| *f).rfind(|f| f.head.next <= released)
    }

    pub(super) fn released(&self) -> Next {
        self.frames.iter().map(|f| f.head.released).max().unwrap_or_default()
    }

    /// `seq` of the newest frame; 0: none.
    pub(super) fn last_seq(&self) -> u64 {
        self.frames.last().map_or(0, |f| f.head.seq)
    }

    /// The state frames that make up the state at `position`, oldest first, and their bodies' bytes.
    pub(super) fn load(
        &self,
        position: &Found,
        room: &mut Room,
        mut each: impl FnMut(&Found, &[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut body = Vec::new();
        for (found, state) in self.frames.iter().zip(self.states()) {
            let wanted = (position.head.needed..=position.head.seq).contains(&found.head.seq);
            if !wanted || !state {
                continue;
            }
            let bytes = self.bytes(found.part, room)?;
            let frame = bytes.get(size(found.at)..).and_then(frame::decode);
            let body = frame.and_then(|f| f.body(&mut body));
            each(found, body.ok_or_else(|| self.damaged(found, "the frame does not unpack"))?)?;
        }
        Ok(())
    }

    pub(super) fn damaged(&self, found: &Found, what: &'static str) -> Error {
        Error::Damaged { file: self.path(found.part), at: found.at, what }
    }

    /// Refuses when files that `position` needs are gone.
    pub(super) fn check_first(&self, position: Option<&Found>) -> Result<(), Error> {
        let Some(first) = self.parts.first() else { return Ok(()) };
        let needed = position.map_or(1, |p| p.head.needed);
        if first.first_seq > needed {
            let dir = self.path(0).parent().map(Path::to_owned).unwrap_or_default();
            return Err(Error::Missing { file: name(&dir, needed) });
        }
        Ok(())
    }

    /// Of each frame: whether it is a state and no later cut says that it never was.
    fn states(&self) -> Vec<bool> {
        let mut kept = u64::MAX;
        let mut states = Vec::with_capacity(self.frames.len());
        for found in self.frames.iter().rev() {
            states.push(found.head.kind == Kind::State && found.head.seq <= kept);
            if found.head.kind == Kind::Cut {
                kept = kept.min(found.head.needed);
            }
        }
        states.reverse();
        states
    }

    fn bytes<'a>(&self, part: usize, room: &'a mut Room) -> Result<&'a [u8], Error> {
        if room.part != Some(part) {
            let path = self.path(part);
            room.part = None;
            room.bytes.clear();
            File::open(&path).and_then(|mut file| file.read_to_end(&mut room.bytes)).naming("read", &path)?;
            room.part = Some(part);
        }
        Ok(&room.bytes)
    }

    fn path(&self, part: usize) -> PathBuf {
        self.parts.get(part).map(|p| p.path.clone()).unwrap_or_default()
    }

    fn read_part(&mut self, part: usize, last: bool, schema: u64, room: &mut Room) -> Result<(), Error> {
        let (bytes, file) = (self.bytes(part, room)?, self.path(part));
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|r| !r.is_empty()) {
            let place = count64(at);
            let damaged = |what| Error::Damaged { file: file.clone(), at: place, what };
            let Some(frame) = frame::decode(rest) else {
                if last && !frame::any(rest) {
                    break;
                }
                return Err(damaged("a frame is broken and others follow it"));
            };
            if frame.head.schema != schema {
                return Err(Error::OtherFold { file, at: place });
            }
            let named = self.parts.get(part).map(|p| p.first_seq).filter(|_| at == 0);
            let expected = self.frames.last().map(|f| f.head.seq + 1).or(named);
            if expected.is_some_and(|e| e != frame.head.seq) || named.is_some_and(|n| n != frame.head.seq) {
                return Err(damaged("frames are missing before it"));
            }
            self.frames.push(Found { head: frame.head, part, at: place });
            at += frame.bytes();
        }
        if let Some(part) = self.parts.get_mut(part) {
            part.length = count64(at);
        }
        Ok(())
    }
}

/// The journal's end, for appending.
pub(super) struct Appender {
    dir: PathBuf,
    pub(super) parts: Vec<Part>,
    file: File,
    part_bytes: u64,
}

impl Appender {
    /// Begins the journal of a new store.
    pub(super) fn create(dir: &Path) -> Result<(), Error> {
        let path = name(dir, 1);
        let file = File::create(&path).naming("create", &path)?;
        file.sync_all().naming("sync", &path)?;
        sync_dir(dir)
    }

    /// Goes on behind the last whole frame; what was torn goes. All that is there is on disk when it returns.
    pub(super) fn open(dir: &Path, parts: Vec<Part>, part_bytes: u64) -> Result<Self, Error> {
        let last = parts.last().ok_or_else(|| Error::Missing { file: name(dir, 1) })?;
        let file = File::options().append(true).open(&last.path).naming("open", &last.path)?;
        if file.metadata().naming("look at", &last.path)?.len() > last.length {
            file.set_len(last.length).naming("cut", &last.path)?;
        }
        file.sync_all().naming("sync", &last.path)?;
        Ok(Self { dir: dir.to_owned(), parts, file, part_bytes })
    }

    /// Appends a frame: on disk when it returns.
    pub(super) fn append(&mut self, head: &Head, body: &[u8]) -> Result<(), Error> {
        let bytes = frame::encode(head, body);
        if self.parts.last().is_some_and(|p| p.length >= self.part_bytes) {
            self.begin(head.seq)?;
        }
        let last = self.parts.last_mut().expect("a journal has a file");
        self.file.write_all(&bytes).naming("append to", &last.path)?;
        self.file.sync_data().naming("sync", &last.path)?;
        last.length += count64(bytes.len());
        Ok(())
    }

    /// Removes the files whose frames are all older than `needed`.
    pub(super) fn forget(&mut self, needed: u64) -> Result<(), Error> {
        while self.parts.get(1).is_some_and(|second| second.first_seq <= needed) {
            let part = self.parts.remove(0);
            fs::remove_file(&part.path).naming("remove", &part.path)?;
        }
        Ok(())
    }

    fn begin(&mut self, first_seq: u64) -> Result<(), Error> {
        let path = name(&self.dir, first_seq);
        self.file = File::options().create(true).append(true).open(&path).naming("create", &path)?;
        sync_dir(&self.dir)?;
        self.parts.push(Part { first_seq, path, length: 0 });
        Ok(())
    }
}

fn name(dir: &Path, first_seq: u64) -> PathBuf {
    dir.join(format!("journal-{first_seq:012}.log"))
}

fn list(dir: &Path) -> Result<Vec<Part>, Error> {
    let mut parts = Vec::new();
    for entry in fs::read_dir(dir).naming("list", dir)? {
        let path = entry.naming("list", dir)?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let seq = name.strip_prefix("journal-").and_then(|n| n.strip_suffix(".log"));
        if let Some(first_seq) = seq.and_then(|s| s.parse().ok()) {
            parts.push(Part { first_seq, path, length: 0 });
        }
    }
    parts.sort_by_key(|p| p.first_seq);
    Ok(parts)
}
