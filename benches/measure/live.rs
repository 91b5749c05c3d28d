//! How long after its append an event can be queried, at a steady 20,000 events a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tributary::append::Sink;
use tributary::clock::Clock;
use tributary::ids::Partition;
use tributary::project::rows::AppliedRow;
use tributary::project::tables;
use tributary::run::{Options, Program};
use tributary::store::Store;

use super::machine;
use super::programme::{Encoded, outgoing, spec};
use super::report::figure;

const RATE: usize = 20_000;
/// Appends a second.
const TICKS: usize = 100;

/// Events and when their append was asked for.
pub type Appended = Vec<(Partition, u64, Instant)>;

pub fn run(events: u64) {
    let records = Encoded::of(&spec(20, 20_000, events));
    let dir = tempfile::tempdir_in(".").unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut engine = Program::open(Options::new(dir.path()), Clock::system()).await.unwrap();
        engine.start().unwrap();
        let watcher = Watcher::start(engine.store.clone());
        let (start, cpu) = (Instant::now(), machine::cpu());
        let mut appended = Appended::new();
        let mut tick = tokio::time::interval(Duration::from_secs(1) / u32::try_from(TICKS).unwrap());
        for chunk in records.chunks(RATE / TICKS) {
            tick.tick().await;
            let asked = Instant::now();
            let places = engine.sink.append(chunk.map(|record| outgoing(record, 4)).collect()).await.unwrap();
            appended.extend(places.into_iter().map(|place| (place.partition, place.offset.0, asked)));
        }
        let rate = records.len() as f64 / start.elapsed().as_secs_f64();
        engine.caught_up().await.unwrap();
        let mut waits = waits(&appended, &watcher.stop().await);
        waits.sort_unstable();
        let ms = |part: f64| waits[((waits.len() - 1) as f64 * part) as usize].as_millis();
        figure(&format!("append → queryable at {rate:.0} events/s, p50"), format!("{} ms", ms(0.5)), "");
        figure("append → queryable, p99 (the append's own fsync included)", format!("{} ms", ms(0.99)), "≤ 500 ms");
        let used = (machine::cpu() - cpu).as_secs_f64() * 1e6 / records.len() as f64;
        figure("live, CPU-seconds per million, appends included", format!("{used:.2}"), "");
        engine.stop().await.unwrap();
    });
}

/// From the append to the first look that found it applied.
pub fn waits(appended: &Appended, seen: &Appended) -> Vec<Duration> {
    let wait = |(p, offset, asked): &(Partition, u64, Instant)| {
        let of_p = seen.iter().find(|(q, next, _)| q == p && next > offset).expect("all were applied");
        of_p.2.saturating_duration_since(*asked)
    };
    appended.iter().map(wait).collect()
}

/// `p50, p99` in words.
pub fn percentiles(mut all: Vec<Duration>) -> String {
    all.sort_unstable();
    if all.is_empty() {
        return "none".to_owned();
    }
    let ms = |part: f64| all[((all.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
    format!("{:.1} ms, {:.1} ms", ms(0.5), ms(0.99))
}

/// Looks at how far each partition is applied, all the time.
pub struct Watcher {
    stop: Arc<AtomicBool>,
    looking: tokio::task::JoinHandle<Appended>,
}

impl Watcher {
    pub fn start(store: tributary::run::Rows) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        Self { looking: tokio::spawn(watch(store, Arc::clone(&stop))), stop }
    }

    /// When each partition was first seen to have applied how much. It looks once more before it ends.
    pub async fn stop(self) -> Appended {
        self.stop.store(true, Ordering::Relaxed);
        self.looking.await.unwrap()
    }
}

async fn watch(store: tributary::run::Rows, stop: Arc<AtomicBool>) -> Appended {
    let keys: Vec<_> = (0..4).map(|p| tables::applied(Partition(p))).collect();
    let (mut seen, mut last) = (Appended::new(), [0_u64; 4]);
    loop {
        let is_last = stop.load(Ordering::Relaxed);
        for (p, row) in (0..4).zip(store.get(&keys).await.unwrap()) {
            let Some(value) = row.and_then(|row| row.value) else { continue };
            let fast = AppliedRow::decode(&value).unwrap().fast.0;
            if fast > last[p as usize] {
                last[p as usize] = fast;
                seen.push((Partition(p), fast, Instant::now()));
            }
        }
        if is_last {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
