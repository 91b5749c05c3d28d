//! What a million events cost as the programme grows: with a million behind them, and with thirty.

use std::time::{Duration, Instant};

use tributary::append::Sink;
use tributary::clock::Clock;
use tributary::run::{Options, Program};
use tributary::simulate::Simulation;

use super::machine;
use super::programme::{of_event, spec};
use super::report::figure;

const MILLION: u64 = 1_000_000;
const CREATORS: u32 = 20;
const MEMBERS: u32 = 200_000;
/// Millions after which it is told.
const TOLD: [u64; 8] = [1, 2, 5, 10, 15, 20, 25, 30];

pub fn run(events: u64) {
    let dir = tempfile::tempdir_in(".").unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut engine = runtime.block_on(Program::open(Options::new(dir.path()), Clock::system())).unwrap();
    let mut records = Simulation::new(&spec(CREATORS, MEMBERS, events));
    engine.start().unwrap();
    for million in 1..=events / MILLION {
        // The simulator runs in this thread, which is left out.
        let (before, own) = (machine::cpu(), machine::cpu_of_thread());
        let start = Instant::now();
        let mut left = MILLION;
        while left > 0 {
            let some: Vec<_> = records
                .by_ref()
                .take(4_096.min(usize::try_from(left).unwrap()))
                .map(|one| of_event(&one.event(), one.arrival, 4))
                .collect();
            if some.is_empty() {
                break;
            }
            left -= some.len() as u64;
            runtime.block_on(engine.sink.append(some)).unwrap();
        }
        runtime.block_on(engine.caught_up()).unwrap();
        let used = (machine::cpu() - before).saturating_sub(machine::cpu_of_thread() - own);
        if TOLD.contains(&million) {
            tell(million, used, start.elapsed());
        }
    }
    runtime.block_on(engine.stop()).unwrap();
}

fn tell(million: u64, used: Duration, took: Duration) {
    let (rss, _) = machine::rss_mib();
    let value = format!("{:.1} CPU-s, {:.0} s with the simulator, {rss} MiB", used.as_secs_f64(), took.as_secs_f64());
    figure(&format!("cost of the million events up to {million} M"), value, "flat");
}
