//! What a partition's fold knows, on the worker's own disk.
//!
//! Promise: after a crash the state is exactly what the fold had made of all events below some [`Next`]; it may be an
//! older one, never a mixture, and damage is refused with the place where it is. The log is the redo log.

mod cold;
mod error;
mod hash;
mod hot;
mod index;
mod map;
mod slab;
mod store;

pub use bytemuck::{Pod, Zeroable};

pub use self::{
    cold::Cold,
    error::Error,
    hash::{HashKey, Id128},
    hot::Hot,
    map::{Map, Maps},
    store::{Identity, Intake, Limits, Store},
};

impl<K: Pod + Eq, V: Pod> Map for Hot<K, V> {
    fn seed(&mut self, key: HashKey) {
        self.seed = key.seed();
    }
}

impl<K: Pod + Eq, V: Pod> Map for Cold<K, V> {
    fn seed(&mut self, key: HashKey) {
        self.seed = key.seed();
    }
}
