//! The store of one partition: its files, when they are written, and how far they are out.

use std::path::Path;

use super::{Error, Maps};
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
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            hot_bytes: 4 << 20,
            cold_bytes: 8 << 20,
            ahead_bytes: 512 << 20,
            journal_bytes: 32 << 20,
            entities: 200_000_000,
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

/// Makes the maps of a state durable.
pub struct Store {
    durable: Next,
}

impl Store {
    /// Opens or creates the state of `identity` in `dir`. `Next` is P: what the loaded state has applied; `None`: empty.
    pub fn open<S: Maps>(
        _dir: &Path,
        _identity: Identity,
        _limits: Limits,
        _state: &mut S,
    ) -> Result<(Self, Option<Next>), Error> {
        Ok((Self { durable: Next(0) }, None))
    }

    /// After each batch, before its effects leave: an error says that they must be dropped.
    pub fn tick<S: Maps>(&mut self, _state: &mut S) -> Result<(), Error> {
        Ok(())
    }

    /// Whether enough has changed for a commit. Age is the caller's business: every 0.25 to 5 s.
    pub const fn due(&self) -> bool {
        false
    }

    pub const fn intake(&self) -> Intake {
        Intake::Open
    }

    /// Gives a frame to the writer: all that events below `next` have changed. Does not wait for the disk.
    pub fn commit<S: Maps>(&mut self, _state: &mut S, next: Next) -> Result<(), Error> {
        self.durable = next;
        Ok(())
    }

    /// Rows and outputs of events below `to` are out.
    pub const fn release(&mut self, _to: Next) {}

    /// P as it is on disk: where a restart goes on.
    pub const fn durable(&self) -> Next {
        self.durable
    }

    /// Waits until all that was committed and released is on disk.
    pub const fn flush(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// The smallest floor over the creators that own something in `map`: what is older may be freed.
    pub fn set_floor<S: Maps>(&mut self, _state: &mut S, _map: &str, _floor: Millis) {}

    /// Hard links of the files as of the newest frame, and a manifest, in `dir`. Done when `dir/MANIFEST` is there.
    pub fn snapshot(&mut self, _dir: &Path) -> Result<(), Error> {
        Ok(())
    }
}
