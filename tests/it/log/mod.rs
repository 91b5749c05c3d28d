//! The log: one contract, kept by every engine, and what the embedded one promises beside it.

pub mod contract;
mod damage;
mod embedded;
mod full;
mod kafka;
mod kill;
mod partition;
