//! A simulated programme, live: something to look at before there is real traffic.

use std::time::Duration;

use crate::append::{Outgoing, Sink};
use crate::clock::Clock;
use crate::simulate::{Pace, Simulation, Spec};
use crate::telemetry::with_causes;

/// What to feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feed {
    pub rate_per_s: u32,
}

const CREATORS: u32 = 3;
const MEMBERS: u32 = 150;
/// More than any programme sees: whoever looks on for a minute should see money move.
const SIGNUPS_PERMILLE: u32 = 200;
/// Appends a second.
const TICKS: u32 = 10;

/// Appends until it is dropped. Each start is another programme's traffic, so that nothing is a duplicate of before.
pub(super) async fn feed<K: Sink>(feed: Feed, sink: K, partitions: u32, clock: Clock) {
    let start = clock.now();
    let spec = Spec {
        creators: CREATORS,
        members: MEMBERS,
        events: u64::MAX,
        seed: start.0.unsigned_abs(),
        start,
        pace: Pace::Live { rate_per_s: feed.rate_per_s },
        signups_permille: SIGNUPS_PERMILLE,
    };
    let mut simulation = Simulation::new(&spec).peekable();
    let mut tick = tokio::time::interval(Duration::from_secs(1) / TICKS);
    loop {
        tick.tick().await;
        let now = clock.now();
        let mut records = Vec::new();
        while simulation.peek().is_some_and(|next| next.arrival <= now) && records.len() < 10_000 {
            let Some(record) = simulation.next() else { return };
            records.push(Outgoing::of_event(&record.event(), record.arrival, partitions));
        }
        if let Err(error) = sink.append(records).await {
            tracing::warn!(error = %with_causes(&error), "simulated events were not appended");
        }
    }
}
