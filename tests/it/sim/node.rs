//! One node: the real worker, driven step by step, on a runtime that runs only when it is told to.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tributary::clock::Clock;
use tributary::ids::{Next, Partition};
use tributary::telemetry::Progress;
use tributary::worker::seeded::{Bug, Seeded};
use tributary::worker::{Emission, Error, Fence, Outputs, Pace, Questions, Rate, Running, Schemas, Share, Worker};

use super::disk::limits;
use super::programme::{BOTS, DECODER, PARTITIONS, START};
use super::publisher::{SimPublisher, SimSource};
use super::shared::World;
use super::store::SimStore;

/// Turns of the runtime in which everything that can go on does.
const TURNS: usize = 6;

pub(super) struct Node {
    // Dropped before the runtime that its tasks are on.
    running: Option<Running<SimSource, SimPublisher, SimStore>>,
    runtime: Runtime,
    /// Time that has passed while its runtime stood still.
    lag: Duration,
    /// Of all its lives.
    progress: Progress,
    pub(super) is_paused: bool,
    /// Of this life.
    pub(super) fence: Fence,
    emission: Emission,
}

/// What a node is started with.
pub(super) struct Parts<'a> {
    pub(super) world: &'a World,
    pub(super) node: usize,
    pub(super) dir: PathBuf,
    pub(super) clock: &'a Arc<AtomicU32>,
    pub(super) pace: Pace,
    pub(super) bug: Option<Bug>,
    /// Outputs may leave from the beginning.
    pub(super) emits: bool,
}

impl Node {
    pub(super) fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        Self {
            running: None,
            runtime,
            lag: Duration::ZERO,
            progress: Progress::new(PARTITIONS),
            is_paused: false,
            fence: Fence::default(),
            emission: Emission::default(),
        }
    }

    pub(super) fn start(&mut self, parts: Parts<'_>) {
        let Parts { world, node, dir, clock, pace, bug, emits } = parts;
        let topic = world.lock().broker.topic.clone();
        self.emission = Emission::default();
        if emits {
            self.emission.give(1);
        }
        self.running = Some(Running::new(Worker {
            generation: 1,
            source: SimSource { world: world.clone(), node, topic },
            sink: SimPublisher { world: world.clone(), node },
            store: SimStore { world: world.clone(), node },
            schemas: Schemas::with(Arc::clone(&DECODER), None, Clock::moved_by(START, Arc::clone(clock))),
            bots: BOTS.clone(),
            state_dir: dir,
            keep: limits(),
            pace,
            clock: Clock::moved_by(START, Arc::clone(clock)),
            progress: self.progress.clone(),
            runtime: self.runtime.handle().clone(),
            outlets: JoinSet::new(),
            stop: Arc::new(AtomicBool::new(false)),
            emission: self.emission.clone(),
            fence: self.fence.clone(),
            share: Share::new(Rate::default(), 1),
            outputs: Outputs::default(),
            snapshots: None,
            questions: Questions::default(),
            seeded: Seeded::new(bug),
        }));
    }

    /// Rows of events below it were acknowledged: what `applied` says may have landed without them.
    pub(super) fn written(&self, partition: Partition) -> Next {
        Next(self.progress.of(partition).map_or(0, |progress| progress.rows.load(Ordering::Relaxed)))
    }

    pub(super) fn is_up(&self) -> bool {
        self.running.is_some()
    }

    /// Outputs leave from here, from now on. Whether they did not before.
    pub(super) fn let_out(&self) -> bool {
        let is_new = self.is_up() && !self.emission.is(1);
        self.emission.give(1);
        is_new
    }

    /// Runs, and is not paused.
    pub(super) fn answers(&self) -> bool {
        self.is_up() && !self.is_paused
    }

    /// The worker's own thread goes on.
    pub(super) fn step(&mut self) -> Result<(), Error> {
        self.running.as_mut().map_or(Ok(()), Running::step)
    }

    /// The tasks that carry rows and outputs go on.
    pub(super) fn drive(&mut self) {
        let lag = std::mem::take(&mut self.lag);
        self.runtime.block_on(async {
            tokio::time::advance(lag).await;
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
        });
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.lag += time;
    }

    pub(super) fn snapshot(&mut self, partition: Partition, dir: &std::path::Path) -> Result<bool, Error> {
        self.running.as_mut().map_or(Ok(false), |running| running.snapshot(partition, dir))
    }

    /// A read of the state fails.
    pub(super) fn lose_state(&mut self, partition: Partition) -> Result<(), Error> {
        self.running.as_mut().map_or(Ok(()), |running| running.lose_state(partition))
    }

    /// As `kill -9`.
    pub(super) fn kill(&mut self) {
        self.running = None;
        self.is_paused = false;
        self.fence = Fence::default();
        self.drive();
    }
}
