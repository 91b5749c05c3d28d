//! What a partition's fold knows, on the worker's own disk.
//!
//! Promise: after a crash the state is exactly what the fold had made of all events below some [`Next`](crate::ids::Next); it may be an
//! older one, never a mixture, and damage is refused with the place where it is. The log is the redo log.

pub mod archive;
mod bytes;
mod cold;
mod error;
pub mod export;
mod frame;
mod hash;
mod hot;
mod hot_journal;
mod index;
mod journal;
mod key;
mod map;
mod open;
mod restored;
mod slab;
mod snapshot;
mod store;
mod writer;

pub use bytemuck::{Pod, Zeroable};

pub use self::{
    cold::Cold,
    error::{Error, Verdict},
    hash::{HashKey, Id128},
    hot::Hot,
    map::{Map, Maps},
    store::{Identity, Intake, Limits, Store},
};
