//! The loop that moves events from the log through the fold into rows, outputs and committed state.
//!
//! Promise (PROTOCOL): a partition's local position never passes what is written and out. One thread owns a
//! partition; nothing in the fold waits for the network.

mod beside;
pub mod compare;
mod error;
mod fence;
mod open;
mod outlet;
pub mod scan;
mod task;
mod ticks;
pub mod verify;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use crate::append::Sink;
use crate::clock::Clock;
use crate::consume::{Batch, Limits, Polled, Source};
use crate::decode::Decoder;
use crate::fold::warm::AHEAD;
use crate::ids::Partition;
use crate::store::Store;
use crate::telemetry::Progress;

pub use beside::{Emission, Rate, Share};
pub use error::Error;
pub use fence::{Fence, Raised};
use outlet::Ack;
use task::Task;

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
    /// A flush is due as soon as so many rows are touched; at four times that, intake pauses.
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
            catching_up: Duration::from_secs(5),
            emit: Duration::from_millis(100),
            emit_idle: Duration::from_secs(1),
            commit: Duration::from_secs(1),
            rows_max: 100_000,
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
    pub decoder: Arc<Decoder>,
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
}

/// What a worker last knew of who puts outputs out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outputs {
    is_ours: bool,
    looked_at: Duration,
}

/// A hand-over that takes longer is left to replay.
const HAND_OVER_MAX: Duration = Duration::from_secs(30);

impl<S: Source, K: Sink, T: Store> Worker<S, K, T> {
    /// Until told to stop, or until something needs an operator.
    pub fn run(mut self) -> Result<(), Error> {
        let outcome = self.work();
        // They hold log and store, whose files are free for the next owner once this has returned.
        self.runtime.block_on(self.outlets.shutdown());
        outcome
    }

    fn work(&mut self) -> Result<(), Error> {
        let (sender, acks) = std::sync::mpsc::channel();
        let mut tasks: Vec<Option<Task<K, T>>> = Vec::new();
        let mut batch = Batch::default();
        while !self.stop.load(Ordering::Relaxed) {
            self.step(&mut tasks, &mut batch, &sender, &acks)?;
        }
        self.hand_over(&mut tasks, &acks)
    }

    fn step(
        &mut self,
        tasks: &mut Vec<Option<Task<K, T>>>,
        batch: &mut Batch,
        sender: &Sender<Ack>,
        acks: &Receiver<Ack>,
    ) -> Result<(), Error> {
        let now = self.clock.monotonic();
        self.observe_outputs(tasks, now)?;
        for task in tasks.iter_mut().flatten() {
            task.stop_at = self.fence.stop_at(self.generation, task.partition, task.position());
        }
        let limits = self.limits(now);
        let is_held = !tasks.is_empty() && tasks.iter().flatten().all(Task::is_at_fence);
        if is_held || limits.records_max == 0 || tasks.iter().flatten().any(|task| task.is_full(&self.pace)) {
            // Back-pressure: nothing more is read until something is out.
            if let Ok(ack) = acks.recv_timeout(self.pace.poll.wait_max) {
                self.acknowledge(tasks, sender, ack)?;
            }
        } else {
            match self.source.poll(&limits, batch)? {
                Polled::Records => {
                    self.share.spend(batch.len());
                    self.apply(tasks, batch, sender)?;
                }
                Polled::Assigned(partitions) => self.start(tasks, &partitions, sender)?,
                Polled::Revoked(partitions) => {
                    self.hand_over(tasks, acks)?;
                    drop_tasks(tasks, &partitions);
                }
                Polled::Lost(partitions) => drop_tasks(tasks, &partitions),
            }
        }
        while let Ok(ack) = acks.try_recv() {
            self.acknowledge(tasks, sender, ack)?;
        }
        let is_behind = batch.len() >= limits.records_max || batch.bytes() >= limits.bytes_max;
        let now = self.clock.monotonic();
        for task in tasks.iter_mut().flatten() {
            task.turn(now, is_behind, &self.pace)?;
            if task.is_at_fence() && task.settle(now) {
                self.fence.settle(self.generation, task.partition, task.position());
            }
            if let Some(after) = self.pace.tick.filter(|_| task.wants_tick(now)) {
                let end = self.source.bounds(task.partition)?.end;
                task.tick(now, end, after);
            }
        }
        Ok(())
    }

    /// Of the next poll.
    fn limits(&mut self, now: Duration) -> Limits {
        let mut limits = self.pace.poll;
        if let Some(granted) = self.share.grant(now) {
            limits.records_max = limits.records_max.min(granted);
        }
        limits
    }

    /// Where another generation puts outputs out, how far it is: what is out need not be kept, and P may follow.
    fn observe_outputs(&mut self, tasks: &mut [Option<Task<K, T>>], now: Duration) -> Result<(), Error> {
        let is_ours = self.emission.is(self.generation);
        let is_due = !is_ours && now >= self.outputs.looked_at + self.pace.emit_idle;
        if is_ours == self.outputs.is_ours && !is_due {
            return Ok(());
        }
        self.outputs = Outputs { is_ours, looked_at: now };
        for task in tasks.iter_mut().flatten() {
            task.observe_outputs(self.source.committed(task.partition)?.unwrap_or_default(), is_ours);
        }
        Ok(())
    }

    /// START: state from disk, position at P, outputs below E suppressed.
    fn start(
        &mut self,
        tasks: &mut Vec<Option<Task<K, T>>>,
        partitions: &[Partition],
        acks: &Sender<Ack>,
    ) -> Result<(), Error> {
        // The former ones' files must be closed before they are opened again.
        drop_tasks(tasks, partitions);
        for opened in open::open_all(self, partitions)? {
            let place = usize::try_from(opened.partition.0).unwrap_or_default();
            if tasks.len() <= place {
                tasks.resize_with(place + 1, || None);
            }
            let slot = tasks.get_mut(place).expect("resized above");
            *slot = Some(Task::start(self, opened, acks)?);
        }
        Ok(())
    }

    fn apply(&mut self, tasks: &mut Vec<Option<Task<K, T>>>, batch: &Batch, sender: &Sender<Ack>) -> Result<(), Error> {
        let mut run = Vec::with_capacity(AHEAD);
        let mut records = batch.iter().peekable();
        while let Some(record) = records.next() {
            run.push(record);
            if run.len() < AHEAD && records.peek().is_some_and(|next| next.partition == record.partition) {
                continue;
            }
            let task = usize::try_from(record.partition.0).ok().and_then(|place| tasks.get_mut(place));
            if let Some(Some(task)) = task {
                task.apply(&self.decoder, &run)?;
            }
            run.clear();
        }
        let mut damaged = Vec::new();
        for task in tasks.iter_mut().flatten() {
            if task.is_at_fence() {
                // What was read beyond it is read again.
                self.source.seek(task.partition, task.position())?;
            }
            if let Err(error) = task.end_batch() {
                tracing::error!(partition = task.partition.0, error = %error, "state is damaged: opening it again");
                damaged.push(task.partition);
            }
        }
        self.start(tasks, &damaged, sender)
    }

    fn acknowledge(
        &mut self,
        tasks: &mut Vec<Option<Task<K, T>>>,
        sender: &Sender<Ack>,
        ack: Ack,
    ) -> Result<(), Error> {
        let place = usize::try_from(ack.partition().0).unwrap_or_default();
        let Some(Some(task)) = tasks.get_mut(place) else { return Ok(()) };
        if task.acknowledge(&ack) {
            return Ok(());
        }
        // The outcome of an emit is unknown: what is committed says what happened.
        self.start(tasks, &[ack.partition()], sender)
    }

    /// Flush, emit, commit, release, within a deadline; missing it is safe, replay does it again.
    fn hand_over(&mut self, tasks: &mut [Option<Task<K, T>>], acks: &Receiver<Ack>) -> Result<(), Error> {
        let deadline = self.clock.monotonic() + HAND_OVER_MAX;
        loop {
            let now = self.clock.monotonic();
            let mut all_done = true;
            for task in tasks.iter_mut().flatten() {
                all_done &= task.finish(now)?;
            }
            if all_done || now >= deadline {
                break;
            }
            if let Ok(ack) = acks.recv_timeout(self.pace.poll.wait_max) {
                let place = usize::try_from(ack.partition().0).unwrap_or_default();
                if let Some(Some(task)) = tasks.get_mut(place)
                    && !task.acknowledge(&ack)
                {
                    // Not known to be out: replay will tell.
                    break;
                }
            }
        }
        for task in tasks.iter_mut().flatten() {
            if !self.emission.is(self.generation) {
                task.observe_outputs(self.source.committed(task.partition)?.unwrap_or_default(), false);
            }
            task.close()?;
        }
        Ok(())
    }
}

fn drop_tasks<K: Sink, T: Store>(tasks: &mut [Option<Task<K, T>>], partitions: &[Partition]) {
    for p in partitions {
        let place = usize::try_from(p.0).unwrap_or_default();
        if let Some(slot) = tasks.get_mut(place) {
            *slot = None;
        }
    }
}
