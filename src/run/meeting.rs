//! Two generations at one place: so that they can be compared there, and readers go over from one to the other.

use std::collections::BTreeMap;
use std::time::Duration;

use super::generations::{Generations, Refused};
use super::{Error, agree};
use crate::store::Doors;
use crate::store::accord::{Accord, Order, Stand};
use crate::store::alias::Alias;
use crate::store::live::Generation;
use crate::telemetry::with_causes;
use crate::worker::HOLD_MAX;
use crate::worker::compare::Held;

/// How often those who wait for a worker or a reader look.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How long all may take to stop at one place.
const MEET_MAX: Duration = Duration::from_secs(15);
/// How long answers that have begun may go on reading the former generation before it is written on.
const READERS_WAIT_MAX: Duration = Duration::from_secs(2);
/// So long before the others stop obeying, what was read there is not relied upon any more.
const SPARE: Duration = Duration::from_secs(5);

/// Both generations stand at one place until it is dropped, or until it has taken too long.
pub(super) struct Meeting<'a> {
    generations: &'a Generations,
    order: Option<(Order, Duration)>,
    _turn: Option<tokio::sync::MutexGuard<'a, ()>>,
}

impl Held for Meeting<'_> {
    fn holds(&self) -> bool {
        let now = self.generations.0.parts.clock.monotonic();
        self.order.is_none_or(|(_, since)| now.saturating_sub(since) + SPARE < HOLD_MAX)
    }
}

impl Drop for Meeting<'_> {
    fn drop(&mut self) {
        let Some((order, _)) = self.order else { return };
        let parts = &self.generations.0.parts;
        parts.fence.pass(order);
        let store = parts.store.clone();
        // Nobody waits for it; if it fails, the others go on by themselves.
        parts.runtime.spawn(async move {
            if let Err(error) = order.lower(&store).await {
                tracing::warn!(error = %with_causes(&error), "generations elsewhere stand a while longer");
            }
        });
    }
}

impl Generations {
    /// Makes generation `to` the live one, if `alias` is still what is named once all have met.
    pub(super) async fn turn(&self, alias: Alias, to: u32, change: impl Fn(&mut Alias)) -> Result<(), Refused> {
        let met = self.meet([alias.live, to]).await?;
        let change = |alias: &mut Alias| {
            change(alias);
            alias.live = to;
        };
        if !met.holds() {
            return Err(too_slow());
        }
        self.change(&alias, change).await?;
        self.made().number = None;
        self.rate_of(to).lift();
        let is_frozen = !self.is_followed(to).await;
        let former = self.0.switch.turn_to(Generation::new(to, self.0.parts.store.of(to), is_frozen));
        // An answer that has begun on the former one must not be further on than the next of the same client.
        let mut looks = READERS_WAIT_MAX.as_millis() / LOOK_EVERY.as_millis();
        while former.is_read() && looks > 0 {
            tokio::time::sleep(LOOK_EVERY).await;
            looks -= 1;
        }
        if self.0.parts.store.is_shared() && met.order.is_some() {
            // Elsewhere they look, and then such answers end.
            tokio::time::sleep(agree::IDLE + READERS_WAIT_MAX).await;
        }
        drop(met);
        tracing::info!(from = alias.live, to, "another generation is live");
        Ok(())
    }

    /// Has those of `generations` that are folded stop at one place, with everything written.
    pub(super) async fn meet(&self, generations: [u32; 2]) -> Result<Meeting<'_>, Refused> {
        if !(self.is_followed(generations[0]).await && self.is_followed(generations[1]).await) {
            return Ok(Meeting { generations: self, order: None, _turn: None });
        }
        let turn = self.0.fence_turn.lock().await;
        let clock = &self.0.parts.clock;
        let deadline = clock.monotonic() + HOLD_MAX + MEET_MAX;
        let (order, since) = self.order(generations, deadline).await?;
        let met = Meeting { generations: self, order: Some((order, since)), _turn: Some(turn) };
        let deadline = clock.monotonic() + MEET_MAX;
        self.0.parts.ended.notify_one();
        let mut every = LOOK_EVERY;
        while !self.stand_together(order).await? {
            if clock.monotonic() > deadline {
                return Err(Refused::NotNow(format!(
                    "the generations did not come to one place within {} s; try again",
                    MEET_MAX.as_secs()
                )));
            }
            tokio::time::sleep(every).await;
            every = (every * 2).min(agree::IDLE / 5);
            for generation in generations {
                if self.0.parts.fence.order().is_some() && self.has_stopped(generation) {
                    return Err(Refused::NotNow("a worker stopped meanwhile; health says why".to_owned()));
                }
            }
        }
        Ok(met)
    }

    /// Gives the order, once nobody else's is in force.
    async fn order(&self, generations: [u32; 2], deadline: Duration) -> Result<(Order, Duration), Refused> {
        let parts = &self.0.parts;
        let mut others: Option<(u64, Duration)> = None;
        loop {
            let (accord, now) = (Accord::read(&parts.store).await?, parts.clock.monotonic());
            let is_free = !accord.fence.is_raised
                || matches!(others, Some((id, since)) if id == accord.fence.id && now > since + HOLD_MAX);
            if is_free && let Some(order) = accord.order(&parts.store, generations).await? {
                return Ok((order, now));
            }
            if now > deadline {
                return Err(Refused::NotNow("another process has the generations stand; try again".to_owned()));
            }
            if others.is_none_or(|(id, _)| id != accord.fence.id) {
                others = Some((accord.fence.id, now));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn stand_together(&self, order: Order) -> Result<bool, Error> {
        let parts = &self.0.parts;
        let all = Stand::all(&parts.store, order, parts.partitions()).await?;
        let mut by_partition: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for found in all {
            by_partition.entry(found.partition).or_default().push(found.stand);
        }
        let is_there = |stands: Vec<Option<Stand>>| {
            let mut places = stands.into_iter().map(|stand| stand.map(|stand| (stand.at, stand.written)));
            let first = places.next().flatten();
            first.is_some_and(|(at, written)| at == written) && places.all(|place| place == first)
        };
        Ok(by_partition.into_values().all(is_there))
    }

    /// Its workers were here, and are no more.
    fn has_stopped(&self, generation: u32) -> bool {
        self.fleets().get(&generation).is_some_and(|fleet| !fleet.is_running())
    }
}

pub(super) fn too_slow() -> Refused {
    Refused::NotNow("it took longer than the generations stand still; try again".to_owned())
}
