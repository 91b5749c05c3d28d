//! What a store asks of the disk beside its files.

#[path = "../../src/disk/lock.rs"]
pub mod lock;
