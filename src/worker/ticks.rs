//! `Tick`s for creators to which nothing comes while something is due: timers, days to be sealed, rolling windows.
//!
//! The owner of the partition appends them, so they take their place in the log and a replay finds them there. Two
//! owners may both append one: a `Tick` only moves the clock, and the second moves it on.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::append::{Outgoing, Sink, Stream};
use crate::clock::Clock;
use crate::event::{Body, Event};
use crate::fold::due::Pulse;
use crate::fold::state::{FOR_EVER, State};
use crate::ids::{CreatorId, EventId, Next, Partition};
use crate::schema;
use crate::telemetry::with_causes;

/// How often the creators of a partition are looked at.
const EVERY: Duration = Duration::from_secs(1);
/// Most records of one look.
const TOGETHER_MAX: usize = 1_000;
/// Of one creator that is on its way: each takes it some thousand figures further.
const UNDER_WAY: usize = 16;

/// Who waits, and since when nothing came.
pub(super) struct Ticks {
    partition: Partition,
    clock: Clock,
    jobs: mpsc::Sender<Vec<Outgoing>>,
    waiting: HashMap<u32, Quiet>,
    looked: Duration,
    /// Of the log, at the look before.
    end: Option<Next>,
}

struct Quiet {
    since: Duration,
    pulse: Pulse,
}

impl Ticks {
    pub(super) fn new(partition: Partition, clock: Clock, jobs: mpsc::Sender<Vec<Outgoing>>) -> Self {
        Self { partition, clock, jobs, waiting: HashMap::new(), looked: Duration::ZERO, end: None }
    }

    /// Whether it is time for a look; if so, not again for a while.
    pub(super) fn take_turn(&mut self, now: Duration) -> bool {
        let is_due = now >= self.looked + EVERY;
        if is_due {
            self.looked = now;
        }
        is_due
    }

    /// The log ends at `end` now; returns where it did at the look before, or now if there was none.
    pub(super) fn end_before(&mut self, end: Next) -> Next {
        self.end.replace(end).unwrap_or(end)
    }

    /// Appends for whoever has been quiet for `after`. Everything in the log must be folded: what waits there may be
    /// what is waited for.
    pub(super) fn look(&mut self, state: &State, now: Duration, after: Duration) {
        let mut records = Vec::new();
        let mut still = HashMap::new();
        for due in state.due(self.clock.now()) {
            let known = self.waiting.remove(&due.creator).filter(|quiet| quiet.pulse == due.pulse);
            let mut quiet = known.unwrap_or(Quiet { since: now, pulse: due.pulse });
            let is_quiet = now >= quiet.since + if due.is_under_way { EVERY } else { after };
            if is_quiet && records.len() < TOGETHER_MAX {
                let count = if due.is_under_way { UNDER_WAY } else { 1 };
                records.extend((0..count).filter_map(|number| self.tick(state, due.creator, number)));
                quiet.since = now;
            }
            still.insert(due.creator, quiet);
        }
        self.waiting = still;
        // With the former ones still on their way, the next look finds the same again.
        if !records.is_empty() {
            drop(self.jobs.try_send(records));
        }
    }

    fn tick(&self, state: &State, creator: u32, number: usize) -> Option<Outgoing> {
        let profile = state.creator_profiles.peek(&creator, FOR_EVER)?;
        let now = self.clock.now();
        let id = format!("tick-{}-{number}", now.0);
        let creator_id = profile.id.as_str();
        let event = Event {
            event_id: EventId(&id),
            creator_id: CreatorId(creator_id),
            occurred_at: now,
            received_at: Some(now),
            attributes: Vec::new(),
            body: Body::Tick,
        };
        let mut value = Vec::new();
        schema::encode(&event, &mut value);
        Some(Outgoing {
            stream: Stream::Events,
            partition: self.partition,
            timestamp: now,
            key: Bytes::copy_from_slice(creator_id.as_bytes()),
            value: Bytes::from(value),
        })
    }
}

/// Ends when the task drops its sender. What could not be appended is found due again.
pub(super) async fn append_all<K: Sink>(sink: K, mut jobs: mpsc::Receiver<Vec<Outgoing>>, partition: Partition) {
    while let Some(records) = jobs.recv().await {
        if let Err(error) = sink.append(records).await {
            tracing::warn!(partition = partition.0, error = %with_causes(&error), "ticks not appended, trying again");
        }
    }
}
