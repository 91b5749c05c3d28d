//! The same on Kafka, with rows in the data folder or in Cassandra. `make bench-cluster` starts both, runs this and writes
//! benches/CLUSTER.md.
//!
//! Each measure runs in a process of its own: `cluster MEASURE [EVENTS]`. What broker and database take beside it is
//! reported apart.

#![expect(clippy::disallowed_methods, reason = "a measure looks at the clock, and its tasks end with its process")]

#[path = "measure/machine.rs"]
mod machine;
#[path = "measure/programme.rs"]
mod programme;
#[path = "measure/report.rs"]
mod report;
#[path = "measure/watch.rs"]
mod watch;

#[path = "cluster/bare.rs"]
mod bare;
#[path = "cluster/drain.rs"]
mod drain;
#[path = "cluster/live.rs"]
mod live;
#[path = "cluster/place.rs"]
mod place;
#[path = "cluster/services.rs"]
mod services;
#[path = "cluster/takeover.rs"]
mod takeover;

use tributary::memory;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: memory::Allocator = memory::ALLOCATOR;

const MEASURES: [&str; 7] = ["fill", "bare", "decoded", "embedded", "cassandra", "live", "takeover"];
const EVENTS: u64 = 2_000_000;

fn main() {
    memory::keep_freed();
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with("--"));
    let name = args.next();
    let second = args.next();
    let events = second.as_deref().and_then(|text| text.parse().ok());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match name.as_deref() {
        None | Some("all") => report::all("make bench-cluster", "benches/CLUSTER.md", &MEASURES, events),
        Some("fill") => runtime.block_on(place::fill(events.unwrap_or(EVENTS))),
        Some("bare") => bare::run(false),
        Some("decoded") => bare::run(true),
        Some("embedded") => runtime.block_on(drain::run(place::Rows::Embedded)),
        Some("cassandra") => runtime.block_on(drain::run(place::Rows::Cassandra)),
        Some("live") => runtime.block_on(live::run(events.unwrap_or(300_000))),
        Some("takeover") => runtime.block_on(takeover::run(events.unwrap_or(11_400_000))),
        Some("records") => programme::write_records(events.unwrap_or(0)),
        Some("worker") => {
            let rest =
                [second.expect("a name"), args.next().expect("a folder"), args.next().expect("a snapshot store")];
            runtime.block_on(takeover::worker(&rest));
        }
        Some(other) => {
            eprintln!("no measure is called {other:?}: all, {}", MEASURES.join(", "));
            std::process::exit(2);
        }
    }
}
