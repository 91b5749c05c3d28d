//! How long after its append an event can be queried, at a steady 20,000 events a second.

use std::time::{Duration, Instant};

use tributary::append::Sink;
use tributary::clock::Clock;
use tributary::ids::Partition;
use tributary::project::rows::AppliedRow;
use tributary::project::tables;
use tributary::run::{Embedded, Options};
use tributary::store::Store;

use super::machine;
use super::programme::{Encoded, outgoing, spec};
use super::report::figure;

const RATE: usize = 20_000;
/// Appends a second.
const TICKS: usize = 100;

pub fn run(events: u64) {
    let records = Encoded::of(&spec(20, 20_000, events));
    let dir = tempfile::tempdir_in(".").unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut engine = Embedded::open(Options::new(dir.path()), Clock::system()).await.unwrap();
        engine.start().unwrap();
        let watcher = tokio::spawn(watch(engine.store.clone(), events));
        let (start, cpu) = (Instant::now(), machine::cpu());
        let mut appended = Vec::new();
        let mut tick = tokio::time::interval(Duration::from_secs(1) / u32::try_from(TICKS).unwrap());
        for chunk in records.chunks(RATE / TICKS) {
            tick.tick().await;
            let asked = Instant::now();
            let places = engine.sink.append(chunk.map(|record| outgoing(record, 4)).collect()).await.unwrap();
            appended.extend(places.into_iter().map(|place| (place.partition, place.offset.0, asked)));
        }
        let rate = records.len() as f64 / start.elapsed().as_secs_f64();
        let seen = watcher.await.unwrap();
        let mut waits: Vec<Duration> = appended
            .iter()
            .map(|(p, offset, asked)| {
                let of_p = seen.iter().find(|(q, next, _)| q == p && *next > *offset).expect("all were applied");
                of_p.2.saturating_duration_since(*asked)
            })
            .collect();
        waits.sort_unstable();
        let ms = |part: f64| waits[((waits.len() - 1) as f64 * part) as usize].as_millis();
        figure(&format!("append → queryable at {rate:.0} events/s, p50"), format!("{} ms", ms(0.5)), "");
        figure("append → queryable, p99 (the append's own fsync included)", format!("{} ms", ms(0.99)), "≤ 500 ms");
        let used = (machine::cpu() - cpu).as_secs_f64() * 1e6 / records.len() as f64;
        figure("live, CPU-seconds per million, appends included", format!("{used:.2}"), "");
        engine.stop().await.unwrap();
    });
}

/// When each partition was first seen to have applied how much, until all is applied.
async fn watch(store: tributary::store::embedded::EmbeddedStore, events: u64) -> Vec<(Partition, u64, Instant)> {
    let keys: Vec<_> = (0..4).map(|p| tables::applied(Partition(p))).collect();
    let mut seen: Vec<(Partition, u64, Instant)> = Vec::new();
    let mut last = [0_u64; 4];
    while last.iter().sum::<u64>() < events {
        for (p, row) in (0..4).zip(store.get(&keys).await.unwrap()) {
            let Some(value) = row.and_then(|row| row.value) else { continue };
            let fast = AppliedRow::decode(&value).unwrap().fast.0;
            if fast > last[p as usize] {
                last[p as usize] = fast;
                seen.push((Partition(p), fast, Instant::now()));
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    seen
}
