//! From a filled log to rows: all projections on, everything durable.

use std::time::{Duration, Instant};

use tributary::append::Sink;
use tributary::clock::Clock;
use tributary::run::{Options, Program};

use super::machine;
use super::programme::{Encoded, outgoing, spec};
use super::report::figure;

pub fn run(events: u64) {
    let dir = tempfile::tempdir_in(".").unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut engine = Program::open(Options::new(dir.path()), Clock::system()).await.unwrap();
        {
            let records = Encoded::of(&spec(20, u32::try_from(events / 20).unwrap(), events));
            for chunk in records.chunks(4_096) {
                engine.sink.append(chunk.map(|record| outgoing(record, 4)).collect()).await.unwrap();
            }
        }
        let before = machine::cpu_by_thread();
        let (start, cpu) = (Instant::now(), machine::cpu());
        engine.start().unwrap();
        engine.caught_up().await.unwrap();
        let (took, used) = (start.elapsed(), machine::cpu() - cpu);
        let million = |used: Duration| used.as_secs_f64() * 1e6 / events as f64;
        let rate = events as f64 / took.as_secs_f64();
        figure(&format!("end to end from a filled log, {events} events"), format!("{rate:.0} events/s"), "≥ 120,000");
        figure("end to end, CPU-seconds per million", format!("{:.2}", million(used)), "≤ 8");
        for (name, now) in machine::cpu_by_thread() {
            let was = before.iter().find(|thread| thread.0 == name).map_or(Duration::ZERO, |thread| thread.1);
            if now > was + Duration::from_millis(100) {
                figure(&format!("… of which thread {name}"), format!("{:.2}", million(now - was)), "");
            }
        }
        let (rss, peak) = machine::rss_mib();
        figure("end to end, RSS and its peak", format!("{rss} MiB, {peak} MiB"), "");
        engine.stop().await.unwrap();
        let size = |file: &str| std::fs::metadata(dir.path().join(file)).map_or(0, |meta| meta.len()) >> 20;
        figure(
            "log and projections on disk",
            format!("{} MiB, {} MiB", size("log.redb"), size("projections.redb")),
            "",
        );
    });
}
