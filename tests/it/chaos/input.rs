//! A producer that never ends by itself: a simulated programme, and among it what nobody can read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tributary::append::{Outgoing, Sink};
use tributary::ids::Millis;
use tributary::run::Program;
use tributary::simulate::{Pace, Simulation, Spec};

use super::world::World;
use crate::sim::random::Random;

/// Of a hundred records, so many cannot be read.
const BAD_PERCENT: u64 = 4;
/// Records of one call at most.
const CALL_MAX: u64 = 400;
/// How often it appends.
const EVERY: Duration = Duration::from_millis(100);
/// The log may be away for so long.
const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Default)]
pub(super) struct Input {
    /// Acknowledged.
    pub(super) records: AtomicU64,
    /// Calls whose outcome was unknown: what they hold was appended again.
    pub(super) again: AtomicU64,
}

/// Until the world is over.
pub(super) async fn feed(world: &World, observer: &Program, input: &Input, per_s: u64) {
    let partitions = observer.log.topic().partitions;
    let mut programme = programme(world.seed, partitions);
    let begun = world.story.now();
    let mut made = 0;
    while !world.is_over() {
        let due = per_s * u64::try_from((world.story.now() - begun).as_millis()).unwrap() / 1_000;
        let count = due.saturating_sub(made).min(CALL_MAX);
        made += count;
        append(world, observer, input, programme.by_ref().take(usize::try_from(count).unwrap()).collect()).await;
        tokio::time::sleep(EVERY).await;
    }
}

/// As a producer has to: again, until it is acknowledged. What was appended twice is in the log twice.
async fn append(world: &World, observer: &Program, input: &Input, records: Vec<Outgoing>) {
    let begun = world.story.now();
    while let Err(error) = observer.sink.append(records.clone()).await {
        world.story.tell(format!("{} records not acknowledged: {error}", records.len()));
        input.again.fetch_add(1, Ordering::Relaxed);
        assert!(world.story.now() - begun < PATIENCE, "nothing was acknowledged for {PATIENCE:?}: {error}");
        tokio::time::sleep(EVERY).await;
    }
    input.records.fetch_add(u64::try_from(records.len()).unwrap(), Ordering::Relaxed);
}

/// Sixty days of thirty creators, fast enough that days end, orders mature and visitors come back. Its end is far.
fn programme(seed: u64, partitions: u32) -> impl Iterator<Item = Outgoing> {
    let events = 400_000;
    let start = crate::worker::programme::START;
    let spec = Spec {
        creators: 30,
        members: 400,
        events,
        seed,
        start,
        pace: Pace::History { days: 60 },
        signups_permille: 200,
    };
    let mut random = Random::new(seed);
    Simulation::new(&spec).flat_map(move |record| {
        let mut event = record.event();
        // What the intake does: the brokers' own time is months later.
        event.received_at.get_or_insert(record.arrival);
        let good = Outgoing::of_event(&event, record.arrival, partitions);
        let bad = random.percent(BAD_PERCENT).then(|| bad(&good, record.arrival, &mut random));
        [Some(good), bad].into_iter().flatten()
    })
}

/// It ends in the dead-letter topic.
fn bad(good: &Outgoing, arrival: Millis, random: &mut Random) -> Outgoing {
    let mut bad = good.clone();
    match random.below(4) {
        0 => bad.value = Bytes::from(format!("nothing of ours, at {}", arrival.0)),
        1 => bad.value = good.value.slice(..good.value.len() - 3),
        2 => bad.value = Bytes::new(),
        _ => bad.key = Bytes::new(),
    }
    bad
}
