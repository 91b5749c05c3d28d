//! How far the projections are, and waiting until they are far enough.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::problem::{Kind, Problem};
use crate::clock::Clock;
use crate::ids::{Millis, Next, Partition};
use crate::project::rows::AppliedRow;
use crate::project::tables::{self, Class};
use crate::store::live::Live;
use crate::store::{Key, Store};

/// The ends of the log's partitions, in order, or what is wrong with it. Must answer without waiting.
pub type LogEnds = Arc<dyn Fn() -> Result<Vec<Next>, String> + Send + Sync>;

/// A place in the log, partition by partition: `0.17` or `0.17~3.4`. Callers pass it back as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Token(BTreeMap<Partition, Next>);

impl Token {
    /// Most pairs that are read: as many as a large log has partitions.
    const PAIRS_MAX: usize = 4_096;

    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut places = BTreeMap::new();
        for pair in text.split('~') {
            let (partition, next) = pair.split_once('.')?;
            places.insert(Partition(partition.parse().ok()?), Next(next.parse().ok()?));
        }
        (places.len() <= Self::PAIRS_MAX).then_some(Self(places))
    }

    pub(super) fn of(partition: Partition, next: Next) -> Self {
        Self(BTreeMap::from([(partition, next)]))
    }

    /// Moves `partition` on to `next`, never back.
    pub(super) fn cover(&mut self, partition: Partition, next: Next) {
        let place = self.0.entry(partition).or_default();
        *place = next.max(*place);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (partition, next)) in self.0.iter().enumerate() {
            let between = if i == 0 { "" } else { "~" };
            write!(f, "{between}{}.{}", partition.0, next.0)?;
        }
        Ok(())
    }
}

/// How far one partition is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) applied: AppliedRow,
    /// The log's end; `None` when the log could not be asked.
    pub(super) end: Option<Next>,
}

impl Place {
    pub(super) const fn next(&self, class: Class) -> Next {
        self.applied.next(class)
    }

    /// Whether nothing is left to apply.
    pub(super) fn is_complete(&self, class: Class) -> bool {
        self.end.is_some_and(|end| self.next(class) >= end)
    }

    /// How old the newest applied record is while others wait; 0 when none waits; `None` before the first one.
    pub(super) fn lag_ms(&self, class: Class, now: Millis) -> Option<i64> {
        if self.is_complete(class) {
            return Some(0);
        }
        (self.applied.fast > Next(0)).then(|| (now.0 - self.applied.record_time.0).max(0))
    }

    pub(super) fn lag_records(&self, class: Class) -> Option<u64> {
        self.end.map(|end| end.0.saturating_sub(self.next(class).0))
    }
}

/// All partitions as they were last seen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Seen {
    /// Whose rows are so far.
    pub(super) generation: u32,
    /// They follow the log no more.
    pub(super) is_frozen: bool,
    pub(super) places: Vec<Place>,
    /// When `places` were read; nothing is vouched for once that is long ago.
    pub(super) read_at: Option<Millis>,
    pub(super) store_fault: Option<String>,
    pub(super) log_fault: Option<String>,
    /// When the log last answered.
    pub(super) log_read_at: Option<Millis>,
}

/// Looks older than this vouch for nothing.
const FRESH_MS: i64 = 3_000;

impl Seen {
    pub(super) fn place(&self, partition: Partition) -> Option<&Place> {
        self.places.get(usize::try_from(partition.0).ok()?)
    }

    pub(super) fn is_fresh(&self, now: Millis) -> bool {
        self.read_at.is_some_and(|read_at| now.0 - read_at.0 <= FRESH_MS)
    }

    /// Whether `partitions` have reached `token`. Others do not matter to the answer.
    fn covers(&self, token: &Token, partitions: &[Partition], class: Class) -> bool {
        token
            .0
            .iter()
            .filter(|(partition, _)| partitions.contains(partition))
            .all(|(partition, next)| self.place(*partition).is_some_and(|place| place.next(class) >= *next))
    }
}

/// Waits until `partitions` have reached `token`, then says how far everything is: read this *before* the rows.
pub(super) async fn reached(
    seen: &mut watch::Receiver<Arc<Seen>>,
    token: Option<&Token>,
    (partitions, class): (&[Partition], Class),
    wait_max: Duration,
) -> Result<Arc<Seen>, Problem> {
    let Some(token) = token else { return Ok(Arc::clone(&seen.borrow())) };
    let arrived = seen.wait_for(|seen| seen.covers(token, partitions, class));
    match tokio::time::timeout(wait_max, arrived).await {
        Ok(Ok(seen)) => Ok(Arc::clone(&seen)),
        Ok(Err(_)) | Err(_) => Err(not_reached(token, wait_max)),
    }
}

pub(super) fn not_reached(token: &Token, wait_max: Duration) -> Problem {
    let detail = format!("the projections did not reach {token} within {} ms", wait_max.as_millis());
    let mut problem = Problem::retry(Kind::PositionTimeout, detail, 1);
    problem.extra.token = Some(token.to_string());
    problem
}

/// Reads all `applied` rows of the live generation again and again, for everybody. Ends only when dropped.
pub(super) async fn follow<S: Store>(
    live: Live<S>,
    (partitions, ends, clock): (u32, LogEnds, Clock),
    every: Duration,
    seen: watch::Sender<Arc<Seen>>,
) {
    let keys: Vec<Key> = (0..partitions).map(|p| tables::applied(Partition(p))).collect();
    loop {
        let before = Arc::clone(&seen.borrow());
        let generation = live.now();
        let mut next = look(&generation.store, &keys, &ends, &before, &clock).await;
        (next.generation, next.is_frozen) = (generation.number, generation.is_frozen);
        seen.send_if_modified(|current| {
            if live.now().number != next.generation {
                // Read before a switch, which may have been published by a time when the former has gone on: stale.
                return false;
            }
            // Waiters wake only when something moved, but the time of the look is always kept.
            let moved = next.places != current.places || next.generation != current.generation;
            *current = Arc::new(next);
            moved
        });
        drop(generation);
        tokio::time::sleep(every).await;
    }
}

/// The longest a look may take before the store counts as out of reach.
const LOOK_MAX: Duration = Duration::from_secs(2);

async fn look<S: Store>(store: &S, keys: &[Key], ends: &LogEnds, before: &Seen, clock: &Clock) -> Seen {
    let (ends, log_fault, log_read_at) = match ends() {
        Ok(ends) => (ends, None, Some(clock.now())),
        Err(fault) => (Vec::new(), Some(fault), before.log_read_at),
    };
    // Before the rows: an end read after them may hold records that they could not have.
    let applied = match tokio::time::timeout(LOOK_MAX, store.get(keys)).await {
        Ok(Ok(rows)) => rows,
        Ok(Err(error)) => {
            return Seen { store_fault: Some(error.to_string()), log_fault, log_read_at, ..before.clone() };
        }
        Err(_) => {
            let fault = format!("the projections did not answer within {} s", LOOK_MAX.as_secs());
            return Seen { store_fault: Some(fault), log_fault, log_read_at, ..before.clone() };
        }
    };
    let mut places = Vec::with_capacity(keys.len());
    for (i, row) in applied.into_iter().enumerate() {
        let value = row.and_then(|row| row.value);
        let applied = match value.map(|bytes| AppliedRow::decode(&bytes)) {
            Some(Ok(applied)) => applied,
            None => AppliedRow::default(),
            Some(Err(error)) => {
                return Seen { store_fault: Some(error.to_string()), log_fault, log_read_at, ..before.clone() };
            }
        };
        places.push(Place { applied, end: ends.get(i).copied() });
    }
    Seen { places, read_at: Some(clock.now()), store_fault: None, log_fault, log_read_at, ..Seen::default() }
}
