//! Who can be asked what would be decided: the tasks of this process, and the processes that have the others.
//!
//! Each process says where it is asked for the partitions that it folds, in rows that all of them share; whoever has a
//! question for another looks there, and remembers for a while what it found.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::generations::Generations;
use crate::ids::Partition;
use crate::store::owners;
use crate::telemetry::with_causes;
use crate::web::{Answering, Checks, NotHere, Policy};
use crate::worker::NotAsked;

/// What was found is good for so long, unless it turns out to be wrong ...
const REMEMBERED: Duration = Duration::from_secs(5);
/// ... and even then it is looked for once in so long: many may ask about the same partition.
const LOOKED_AGAIN: Duration = Duration::from_millis(100);
/// Whoever has a partition says so again after so long: another may have said so late.
const SAID_AGAIN: Duration = Duration::from_secs(10);

/// For the web.
pub(super) fn door(generations: Generations, policy: Policy) -> Checks {
    let owners = Arc::new(Owners { generations: generations.clone(), known: Mutex::default() });
    Checks {
        here: Arc::new(move |partition, asked| {
            let live = generations.now().number;
            match generations.0.parts.questions.ask((live, partition), asked) {
                Ok(answered) => {
                    let answering: Answering = Box::pin(async { answered.await.ok() });
                    Ok(answering)
                }
                Err(NotAsked::NotHere) => Err(NotHere::Elsewhere),
                Err(NotAsked::Busy) => Err(NotHere::Busy),
            }
        }),
        owner: Arc::new(move |partition, is_wrong| {
            let owners = Arc::clone(&owners);
            Box::pin(async move { owners.of(partition, is_wrong).await })
        }),
        policy,
    }
}

/// Where others are asked, as far as it is known here.
struct Owners {
    generations: Generations,
    /// By generation and partition, with when it was looked for.
    known: Mutex<Known>,
}

type Known = HashMap<(u32, Partition), (Duration, Option<SocketAddr>)>;

impl Owners {
    /// `is_wrong`: who was known was not it.
    async fn of(&self, partition: Partition, is_wrong: bool) -> Option<SocketAddr> {
        let parts = &self.generations.0.parts;
        if !parts.store.is_shared() {
            return None;
        }
        let (now, place) = (parts.clock.monotonic(), (self.generations.now().number, partition));
        let good_for = if is_wrong { LOOKED_AGAIN } else { REMEMBERED };
        if let Some((at, owner)) = self.known().get(&place)
            && now < *at + good_for
            && (owner.is_some() || now < *at + LOOKED_AGAIN)
        {
            return *owner;
        }
        let found = owners::owner(&parts.store, place.0, partition).await;
        let owner = found.unwrap_or_else(|error| {
            tracing::debug!(error = %with_causes(&error), "it cannot be read who has a partition");
            None
        });
        self.known().insert(place, (now, owner));
        owner
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What this process has said of its partitions.
#[derive(Debug, Default)]
pub(super) struct Said {
    generation: u32,
    tasks: HashMap<Partition, u64>,
    /// Of all of them, when last.
    all_at: Option<Duration>,
    is_failing: bool,
}

impl Generations {
    /// Says where the partitions are asked for that are folded here: those of new tasks at once, all again now and then.
    pub(super) async fn announce(&self, said: &mut Said) {
        let parts = &self.0.parts;
        let (Some(addr), true) = (self.0.advertised.get(), parts.store.is_shared()) else { return };
        let (now, live) = (parts.clock.monotonic(), self.now().number);
        let is_due = said.generation != live || said.all_at.is_none_or(|at| now >= at + SAID_AGAIN);
        let owned = parts.questions.owned(live);
        let is_new = |(partition, task): &&(Partition, u64)| is_due || said.tasks.get(partition) != Some(task);
        let wanted: Vec<Partition> = owned.iter().filter(is_new).map(|(partition, _)| *partition).collect();
        if wanted.is_empty() {
            return;
        }
        match owners::say(&parts.store, live, &wanted, *addr).await {
            Ok(()) => {
                let all_at = if is_due { Some(now) } else { said.all_at };
                *said = Said { generation: live, tasks: owned.into_iter().collect(), all_at, is_failing: false };
            }
            Err(error) if !said.is_failing => {
                tracing::warn!(error = %with_causes(&error), "others cannot be told which partitions are asked for here");
                said.is_failing = true;
            }
            Err(_) => {}
        }
    }
}
