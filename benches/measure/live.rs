//! How long after its append an event can be queried, at a steady 20,000 events a second.

use std::time::{Duration, Instant};

use tributary::append::Sink;
use tributary::clock::Clock;
use tributary::run::{Options, Program};

use super::machine;
use super::programme::{Encoded, outgoing, spec};
use super::report::figure;
use super::watch::{Appended, Watcher, percentiles};

const RATE: usize = 20_000;
/// Appends a second.
const TICKS: usize = 100;

pub fn run(events: u64) {
    let records = Encoded::of(&spec(20, 20_000, events));
    let dir = tempfile::tempdir_in(".").unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut engine = Program::open(Options::new(dir.path()), Clock::system()).await.unwrap();
        engine.start().unwrap();
        let watcher = Watcher::start(engine.store.clone(), Duration::from_millis(5));
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
        let what = format!("append → queryable at {rate:.0} events/s, p50 and p99 (the append's own fsync included)");
        figure(&what, percentiles(watcher.waits(&appended).await), "p99 ≤ 500 ms");
        let used = (machine::cpu() - cpu).as_secs_f64() * 1e6 / records.len() as f64;
        figure("live, CPU-seconds per million, appends included", format!("{used:.2}"), "");
        engine.stop().await.unwrap();
    });
}
