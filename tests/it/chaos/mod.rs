//! Real processes on a real Kafka and a real Cassandra, killed, paused and stopped while input goes on. At the end all
//! is what the log says.
//!
//! Knobs: CHAOS_SEED, CHAOS_FAULTS, CHAOS_PER_S (records a second), CHAOS_WATCH (tell what happens as it happens).

mod check;
mod creators;
mod input;
mod lanes;
mod outage;
mod plan;
mod report;
mod story;
mod topics;
mod watch;
mod workers;
mod world;

use std::sync::Arc;
use std::time::Duration;

use input::Input;
use plan::Size;
use tokio::task::JoinSet;
use tributary::run::Program;
use watch::Watch;
use world::World;

/// The input goes on for so long before the first fault, and after the last.
const CALM: Duration = Duration::from_secs(3);

struct Chaos {
    size: Size,
    seed: u64,
    per_s: u64,
    limit: Duration,
    /// Whether its figures are written down.
    is_told: bool,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twelve_faults_on_one_broker_and_one_node_leave_what_the_log_says() {
    let size = Size { faults: 12, workers: 2, nodes: 1 };
    Chaos { size, seed: 1, per_s: 100, limit: Duration::from_secs(480), is_told: false }.run().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "half an hour: three brokers, three nodes, three workers, a hundred faults and more"]
async fn a_hundred_faults_on_three_brokers_and_three_nodes_leave_what_the_log_says() {
    let size = Size { faults: usize::try_from(knob("CHAOS_FAULTS", 120)).unwrap(), workers: 3, nodes: 3 };
    let (seed, per_s) = (knob("CHAOS_SEED", 1), knob("CHAOS_PER_S", 100));
    let limit = Duration::from_secs(1_200) + Duration::from_secs(20) * u32::try_from(size.faults).unwrap();
    Chaos { size, seed, per_s, limit, is_told: true }.run().await;
}

#[expect(clippy::disallowed_methods, reason = "knobs of long runs")]
fn knob(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |value| value.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// Whatever happens, threads that hurt and feed end, and the world with them.
struct Ending(Arc<World>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Chaos {
    async fn run(self) {
        let Size { nodes, workers, .. } = self.size;
        let nodes = u16::try_from(nodes).unwrap();
        let Some(world) = World::new("chaos", (self.seed, nodes, workers)).await else { return };
        let world = Arc::new(world);
        let ending = Ending(Arc::clone(&world));
        let limit = self.limit;
        tokio::time::timeout(limit, Box::pin(self.on(&world)))
            .await
            .unwrap_or_else(|_| panic!("not done within {limit:?}"));
        world.is_good();
        drop(ending);
    }

    async fn on(self, world: &Arc<World>) {
        let observer = Arc::new(world.observer().await);
        (0..self.size.workers).for_each(|n| world.worker(n).start());
        let mut beside = Beside::start((world, &observer), self.per_s);
        let begun = world.story.now();
        let lanes = Arc::new(plan::lanes(self.size, self.seed));
        tokio::time::sleep(CALM).await;
        let mut hurting = JoinSet::new();
        for n in 0..lanes.len() {
            let (world, lanes) = (Arc::clone(world), Arc::clone(&lanes));
            hurting.spawn_blocking(move || lanes::carry_out(&world, &lanes[n]));
        }
        let mut done = 0;
        while !hurting.is_empty() {
            tokio::select! {
                Some(count) = hurting.join_next() => done += count.unwrap(),
                () = beside.fails() => {}
            }
        }
        assert_eq!(done, self.size.faults, "all faults were carried out");
        tokio::time::sleep(CALM).await;
        beside.end(world).await;
        let under_fire = world.story.now() - begun;
        let findings = Box::pin(check::check(world, &observer)).await;
        assert!(findings.letters > 0, "outputs were compared: {findings:?}");
        let longest_stall = *beside.watch.longest_stall.lock().unwrap();
        if self.is_told {
            let (size, input, findings) = (self.size, &beside.input, &findings);
            report::write(&report::Run { world, size, lanes: &lanes, input, findings, longest_stall, under_fire });
        }
    }
}

/// Who feeds, watches and looks after workers all the time.
struct Beside {
    input: Arc<Input>,
    watch: Arc<Watch>,
    all: JoinSet<()>,
}

impl Beside {
    fn start((world, observer): (&Arc<World>, &Arc<Program>), per_s: u64) -> Self {
        let (input, watch) = (Arc::new(Input::default()), Arc::new(Watch::default()));
        let mut all = JoinSet::new();
        let both = || (Arc::clone(world), Arc::clone(observer));
        let ((here, log), fed) = (both(), Arc::clone(&input));
        all.spawn(async move { input::feed(&here, &log, &fed, per_s).await });
        let ((here, rows), seen) = (both(), Arc::clone(&watch));
        all.spawn(async move { watch::watch(&here, &rows, &seen).await });
        let here = Arc::clone(world);
        all.spawn_blocking(move || lanes::look_after_workers(&here));
        Self { input, watch, all }
    }

    /// Ends only with a failure: none of them ends by itself.
    async fn fails(&mut self) {
        match self.all.join_next().await {
            Some(Err(failure)) if failure.is_panic() => std::panic::resume_unwind(failure.into_panic()),
            ended => panic!("who should go on has ended: {ended:?}"),
        }
    }

    async fn end(&mut self, world: &World) {
        world.end();
        while let Some(ended) = self.all.join_next().await {
            ended.unwrap();
        }
        world.story.tell("faults and input have ended");
    }
}
