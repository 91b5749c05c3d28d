//! The figures of the last long run: `tests/CHAOS.md`.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tributary::clock::Clock;

use super::check::Findings;
use super::input::Input;
use super::plan::{Lane, Size, counted};
use super::world::World;

/// What there is to tell of a run.
pub(super) struct Run<'a> {
    pub(super) world: &'a World,
    pub(super) size: Size,
    pub(super) lanes: &'a [Lane],
    pub(super) input: &'a Input,
    pub(super) findings: &'a Findings,
    pub(super) longest_stall: Duration,
    /// Faults and input together.
    pub(super) under_fire: Duration,
}

pub(super) fn write(run: &Run<'_>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/CHAOS.md");
    std::fs::write(path, text(run)).unwrap();
}

fn text(run: &Run<'_>) -> String {
    let Size { workers, nodes, .. } = run.size;
    let total: usize = run.lanes.iter().map(|lane| lane.faults.len()).sum();
    let own_ends: u32 = (0..workers).map(|n| run.world.worker(n).own_ends).sum();
    let findings = run.findings;
    let day = jiff::Timestamp::from_millisecond(Clock::system().now().0).unwrap().strftime("%Y-%m-%d");
    let mut text = format!(
        "# Chaos\n\n\
         The last run of `make chaos`, {day}, on {}: {workers} workers, {nodes} Kafka brokers and {nodes} Cassandra nodes,\n\
         replication {nodes}. Workers, brokers and nodes are hurt at the same time, each kind on its own; input goes on all the time.\n\n\
         | fault | times |\n|---|---|\n",
        machine()
    );
    for ((whom, kind), count) in counted(run.lanes) {
        writeln!(text, "| {}: {} | {count} |", whom.name(), kind.name()).unwrap();
    }
    writeln!(text, "| together | {total} |\n").unwrap();
    text.push_str("| what | |\n|---|---|\n");
    for (what, figure) in [
        ("seed", run.world.seed.to_string()),
        ("faults and input", seconds(run.under_fire)),
        ("longest time without a new row, while there was something to write", seconds(run.longest_stall)),
        ("from the last fault until all was written and out", seconds(findings.catch_up)),
        ("appends whose outcome was unknown, and so done again", run.input.again.load(Relaxed).to_string()),
        ("workers that ended by themselves, and were started again", own_ends.to_string()),
        ("records acknowledged", run.input.records.load(Relaxed).to_string()),
        ("records in the log", findings.events.to_string()),
        ("dead letters, each once and in order, read with read_committed", findings.letters.to_string()),
        ("rows, each byte for byte as one worker alone makes it from the same log", findings.rows.to_string()),
        ("of them made by the model of `tests/it/model` too", findings.modelled.to_string()),
        ("differences in `verify`", findings.differences.to_string()),
        ("the whole run", seconds(run.world.story.now())),
    ] {
        writeln!(text, "| {what} | {figure} |").unwrap();
    }
    text
}

fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 120 {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} min {} s", seconds / 60, seconds % 60)
    }
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib =
        memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    format!("{cores} cores, {} GiB", kib.unwrap_or_default() >> 20)
}
