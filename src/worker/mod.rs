//! The loop that moves events from the log through the fold into rows, outputs and committed state.
//!
//! Promise (PROTOCOL): a partition's local position never passes what is written and out. One thread owns a
//! partition; nothing in the fold waits for the network.

pub mod backtest;
mod beside;
pub mod compare;
mod copies;
pub mod decision;
mod error;
mod fence;
mod open;
mod outlet;
mod questions;
mod read;
mod restore;
mod running;
pub mod scan;
mod schemas;
mod scratch;
pub mod seeded;
mod standing;
mod task;
mod ticks;
pub mod verify;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::append::Sink;
use crate::clock::Clock;
use crate::consume::{Limits, Source};
use crate::event::Bots;
use crate::publish::Publish;
use crate::store::Store;
use crate::telemetry::Progress;

pub use beside::{Emission, Rate, Share};
pub use copies::{Snapshots, clear_links};
pub use error::Error;
pub use fence::{Fence, HOLD_MAX};
pub use questions::{Answer, NotAsked, Questions};
pub use running::Running;
pub use schemas::Schemas;

/// When rows, outputs and state leave.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    pub poll: Limits,
    /// Fast tables follow within this, when live.
    pub fast: Duration,
    /// Slow tables follow within this, when live.
    pub slow: Duration,
    /// Both, when behind: coalescing many events into one row is the speed.
    pub catching_up: Duration,
    /// Outputs leave within this.
    pub emit: Duration,
    /// E moves within this when there is nothing to put out.
    pub emit_idle: Duration,
    /// State is committed within this.
    pub commit: Duration,
    /// A flush is due as soon as so many rows are touched; at twice that, intake pauses.
    pub rows_max: usize,
    /// A creator for which something is due gets a `Tick` once nothing came for so long; none: never.
    pub tick: Option<Duration>,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            poll: Limits::default(),
            fast: Duration::from_millis(250),
            slow: Duration::from_secs(1),
            catching_up: Duration::from_secs(10),
            emit: Duration::from_millis(100),
            emit_idle: Duration::from_secs(1),
            commit: Duration::from_secs(1),
            rows_max: 300_000,
            tick: None,
        }
    }
}

/// What a worker is made of. It folds some partitions into one generation.
pub struct Worker<S, K, T> {
    pub generation: u32,
    pub source: S,
    pub sink: K,
    pub store: T,
    pub schemas: Schemas,
    /// What its folds ask who is no human.
    pub bots: Bots,
    /// One folder a partition below it.
    pub state_dir: std::path::PathBuf,
    pub keep: crate::keep::Limits,
    pub pace: Pace,
    pub clock: Clock,
    pub progress: Progress,
    pub runtime: tokio::runtime::Handle,
    /// The tasks that carry rows and outputs out.
    pub outlets: tokio::task::JoinSet<()>,
    /// Set from outside: hand over and return.
    pub stop: Arc<AtomicBool>,
    /// Whether this generation is the one that puts outputs out.
    pub emission: Emission,
    pub fence: Fence,
    /// How fast it may go.
    pub share: Share,
    pub outputs: Outputs,
    /// Where states are copied to, and taken from by who has none; none: nowhere.
    pub snapshots: Option<Snapshots>,
    /// Where its tasks can be asked.
    pub questions: Questions,
    /// Faults that a test switches on.
    pub seeded: seeded::Seeded,
}

/// What a worker last knew of who puts outputs out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outputs {
    is_ours: bool,
    looked_at: Duration,
    /// How far the outputs were then.
    is_told: bool,
}

impl<S: Source<Member = K::Member>, K: Sink + Publish, T: Store> Worker<S, K, T> {
    /// Until told to stop, or until something needs an operator.
    pub fn run(self) -> Result<(), Error> {
        let stop = Arc::clone(&self.stop);
        let mut running = Running::new(self);
        let mut outcome = Ok(());
        while outcome.is_ok() && !stop.load(Ordering::Relaxed) {
            outcome = running.step();
        }
        outcome = outcome.and_then(|()| running.hand_over());
        running.end();
        outcome
    }
}
