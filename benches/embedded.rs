//! What the embedded mode does a second, and what it costs. `make bench` runs it and writes benches/RESULTS.md.
//!
//! Each measure runs in a process of its own, so that it has a peak of memory of its own: `embedded MEASURE [EVENTS]`.

#![expect(clippy::disallowed_methods, reason = "a measure looks at the clock, and its tasks end with its process")]

mod measure;

use tributary::memory;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: memory::Allocator = memory::ALLOCATOR;

const MEASURES: [&str; 11] =
    ["decode", "fold", "log", "drain", "live", "queries", "checks", "large", "flat", "memory", "restart"];

fn main() {
    memory::keep_freed();
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with("--"));
    let name = args.next();
    let events = args.next().and_then(|text| text.parse().ok());
    match name.as_deref() {
        None | Some("all") => measure::report::all("make bench", "benches/RESULTS.md", &MEASURES, events),
        Some("decode") => measure::decode::run(),
        Some("fold") => measure::fold::run(events.unwrap_or(3_000_000)),
        Some("log") => measure::log::run(events.unwrap_or(3_000_000)),
        Some("drain") => measure::drain::run(events.unwrap_or(3_000_000)),
        Some("live") => measure::live::run(events.unwrap_or(400_000)),
        Some("queries") => measure::queries::run(events.unwrap_or(400_000)),
        Some("checks") => measure::checks::run(events.unwrap_or(400_000)),
        Some("large") => measure::large::run(events.unwrap_or(measure::large::events())),
        Some("flat") => measure::flat::run(events.unwrap_or(30_000_000)),
        Some("records") => measure::programme::write_records(events.unwrap_or(0)),
        Some("memory") => measure::memory::run(events.unwrap_or(11_400_000)),
        Some("restart-child") => measure::restart::child(&args.next().expect("a folder"), events.unwrap_or(0)),
        Some("restart") => measure::restart::run(events.unwrap_or(5_000_000)),
        Some(other) => {
            eprintln!(
                "no measure is called {other:?}: all, decode, fold, log, drain, live, queries, checks, large, flat, memory, restart"
            );
            std::process::exit(2);
        }
    }
}
