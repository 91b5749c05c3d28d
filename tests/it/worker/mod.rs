//! The embedded mode as a whole: events in, rows out, by way of the commit protocol.

mod backtest;
mod batches;
mod dead;
pub(crate) mod decisions;
pub(crate) mod dump;
mod end_to_end;
mod held;
mod kill;
pub mod programme;
mod purge;
pub(crate) mod rebuild;
pub(crate) mod snapshots;
mod story;
mod ticks;
mod verify;
