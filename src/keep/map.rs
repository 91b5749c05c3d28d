//! What a store asks of a map.

use std::path::PathBuf;

use super::{Error, hash::Seed};
use crate::ids::Millis;

/// What a fold's state offers to the store: its maps by name, in a fixed order.
pub trait Maps: Default {
    /// Calls `visitor` once a map, always in the same order. Names become file names: letters, digits, `_`.
    fn visit(&mut self, visitor: &mut dyn FnMut(&'static str, &mut dyn Map));
    /// The key with which the fold makes its ids, told before the first event.
    fn set_hash_key(&mut self, key: super::HashKey);
}

/// A map of a fold's state as its store sees it: [`Hot`](super::Hot) and [`Cold`](super::Cold), nothing else.
#[doc(hidden)]
pub trait Map {
    fn shape(&self) -> Shape;
    fn entities(&self) -> usize;
    fn set_floor(&mut self, floor: Millis);
    /// First of all: where it lives. Until `start` it is only loaded.
    fn attach(&mut self, home: Home);
    /// Takes over its section of a frame, oldest frame first. `None`: the section is malformed.
    fn load(&mut self, section: &[u8]) -> Option<()>;
    /// Behind the last frame; from here on changes are noted for frame `seq`.
    fn start(&mut self, needed: u64, seq: u64) -> Result<(), Error>;
    /// The poison of the batch, if any; else some freeing and cleaning.
    fn tick(&mut self) -> Result<(), Error>;
    /// Bytes changed since the last frame.
    fn pending(&self) -> Pending;
    /// The oldest frame that one of its chunks relies on.
    fn oldest(&self) -> Option<u64> {
        None
    }
    /// Adds the image of that chunk to the coming frame `seq`; its bytes.
    fn slice(&mut self, _seq: u64) -> usize {
        0
    }
    /// Its section of the coming frame, the `seq` after it, and the records to be written before.
    fn save(&mut self, section: &mut Vec<u8>, seq: u64) -> Option<Batch>;
    /// Every entity as bytes of key, time and value, in no order; for comparing states.
    fn each(&self, take: &mut Take<'_>);
    /// Records below `end` are in their files.
    fn settle(&mut self, _end: u64) {}
}

/// Gets key, time and value of an entity.
pub(super) type Take<'a> = dyn FnMut(&[u8], Millis, &[u8]) + 'a;

/// What a map's records look like; part of the schema hash.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub cold: bool,
    pub key_bytes: usize,
    pub value_bytes: usize,
}

#[doc(hidden)]
#[derive(Debug, Clone, Copy, Default)]
pub struct Pending {
    pub hot: usize,
    pub cold: usize,
}

/// Where a map lives.
#[doc(hidden)]
#[derive(Clone)]
pub struct Home {
    pub(super) dir: PathBuf,
    pub(super) name: &'static str,
    pub(super) seed: Seed,
    pub(super) file_records: u64,
}

/// New records of a Cold map for the writer.
#[doc(hidden)]
pub struct Batch {
    /// Number of its first record.
    pub(super) start: u64,
    pub(super) end: u64,
    /// Older files hold nothing that lives.
    pub(super) first_file: u64,
    /// Appends the bytes of the records in a range of numbers.
    pub(super) encode: Encode,
}

pub(super) type Encode = Box<dyn Fn(std::ops::Range<u64>, &mut Vec<u8>) + Send>;
