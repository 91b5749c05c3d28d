//! Brings this process in line with what all have agreed: which generations are folded, which is live, which puts
//! outputs out, and whether two of them are to stop at one place.
//!
//! Every process looks at the same rows (`store::accord`). What they say may have been said by another process, or by
//! this one: nothing follows from who it was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Error;
use super::checks::Said;
use super::fleet::Fleet;
use super::generations::{Generations, Refused};
use super::meeting::LOOK_EVERY;
use crate::ids::Partition;
use crate::store::Doors;
use crate::store::accord::{Accord, Emitter, Order, Stand};
use crate::store::alias::Alias;
use crate::store::live::Generation;
use crate::telemetry::with_causes;

/// How often a process looks.
pub(super) const IDLE: Duration = Duration::from_millis(500);

/// A group that no broker has known for so long has nobody in it: a coordinator takes less to begin.
const UNKNOWN_FOR: Duration = Duration::from_secs(30);

/// What is remembered from one look to the next.
#[derive(Debug, Default)]
pub(super) struct Agreeing {
    /// Who might still put something out in the name of the generation that did before, as of that change.
    leaving: Option<(Emitter, BTreeSet<String>)>,
    /// Since when no broker has known that generation's group.
    unknown_since: Option<Duration>,
}

/// Looks again and again.
pub(super) async fn attend(generations: Generations) {
    let (mut is_told, mut said) = (false, Said::default());
    loop {
        match generations.agree().await {
            Ok(()) => is_told = false,
            Err(refused) => {
                let parts = &generations.0.parts;
                parts.fence.go_on(parts.clock.monotonic());
                if !is_told {
                    let error = refused.text();
                    tracing::warn!(error, "not in line with the other processes, trying again");
                    is_told = true;
                }
            }
        }
        generations.announce(&mut said).await;
        let every = if generations.0.parts.fence.order().is_some() { LOOK_EVERY } else { IDLE };
        // A worker that has ended is looked after at once, and so is what was asked for here.
        drop(tokio::time::timeout(every, generations.0.parts.ended.notified()).await);
    }
}

impl Generations {
    /// Looks once.
    pub(super) async fn agree(&self) -> Result<(), Refused> {
        let mut agreeing = self.0.agreeing.lock().await;
        let parts = &self.0.parts;
        let mut accord = Accord::read(&parts.store).await?;
        parts.log.follow(&accord.emitted_by());
        if self.0.works.load(Ordering::Acquire) {
            self.fold(&accord.alias).await?;
        }
        self.read_from(accord.alias.live);
        self.follow_building(&accord.alias);
        if self.0.works.load(Ordering::Acquire) {
            if self.choose_emitter(&accord).await? {
                accord = Accord::read(&parts.store).await?;
                parts.log.follow(&accord.emitted_by());
            }
            self.take_emission(&accord, &mut agreeing).await?;
        }
        parts.fence.follow(accord.fence, parts.clock.monotonic());
        if let Some(order) = parts.fence.order() {
            self.stand(order).await?;
        }
        Ok(())
    }

    /// Folds what is named, and nothing else.
    async fn fold(&self, alias: &Alias) -> Result<(), Error> {
        let named = alias.all();
        let gone: BTreeMap<u32, Fleet> = self.fleets().extract_if(.., |number, _| !named.contains(number)).collect();
        for (generation, fleet) in gone {
            // What it could not hand over goes with it.
            drop(fleet.end().await);
            self.0.parts.remove_state(generation)?;
        }
        self.start_missing(alias)?;
        self.rate_of(alias.live).lift();
        Ok(())
    }

    /// Has readers find the live generation. A worker that ended by itself leaves it as it is, and they are told.
    fn read_from(&self, live: u32) {
        let now = self.now();
        let is_frozen = self.0.works.load(Ordering::Acquire) && !self.is_running(live);
        if now.number != live || now.is_frozen != is_frozen {
            self.0.switch.turn_to(Generation::new(live, self.0.parts.store.of(live), is_frozen));
        }
    }

    /// Outputs leave from one generation until it is dropped, or nobody can fold it: then from the live one, or from
    /// another. Whether something was changed.
    async fn choose_emitter(&self, accord: &Accord) -> Result<bool, Refused> {
        let (alias, emitter) = (&accord.alias, accord.emitter);
        let others = || alias.all().into_iter().filter(|number| *number != emitter.generation);
        let next = if !alias.all().contains(&emitter.generation) {
            Some(alias.live)
        } else if self.has_ended(emitter.generation)
            && let Some(other) = others().find(|one| self.is_running(*one))
            && self.members(emitter.generation).await?.is_some_and(|members| members.is_empty())
        {
            Some(other)
        } else {
            None
        };
        let Some(generation) = next else { return Ok(false) };
        let next = Emitter { generation, prior: Some(emitter.generation), is_settled: false };
        Ok(accord.emit_from(&self.0.parts.store, next).await?)
    }

    /// Outputs leave from here once nobody else can move E in the name of who did before: all who were in its group
    /// after the change have left it. Who comes into it later reads of the change first.
    async fn take_emission(&self, accord: &Accord, agreeing: &mut Agreeing) -> Result<(), Refused> {
        let (parts, emitter) = (&self.0.parts, accord.emitter);
        if parts.emission.is(emitter.generation) {
            return Ok(());
        }
        if let Some(former) = parts.emission.holder() {
            parts.emission.withdraw(former);
            self.renew(former, &accord.alias).await?;
        }
        if let Some(prior) = emitter.prior.filter(|_| !emitter.is_settled) {
            let now = parts.clock.monotonic();
            let there = match self.members(prior).await? {
                Some(there) => {
                    agreeing.unknown_since = None;
                    there
                }
                // Of a group that nobody is in, and has not been for long; or its coordinator is only beginning.
                None if now < *agreeing.unknown_since.get_or_insert(now) + UNKNOWN_FOR => return Ok(()),
                None => BTreeSet::new(),
            };
            let leaving = match agreeing.leaving.take() {
                Some((of, leaving)) if of == emitter => leaving.intersection(&there).cloned().collect(),
                Some(_) | None => there,
            };
            let is_over = leaving.is_empty();
            agreeing.leaving = Some((emitter, leaving));
            if !is_over || !accord.emit_from(&parts.store, Emitter { is_settled: true, ..emitter }).await? {
                return Ok(());
            }
        }
        // What the former one had handed to the log is there before the other asks how far that was.
        parts.sink.settle().await;
        parts.emission.give(emitter.generation);
        tracing::info!(generation = emitter.generation, "outputs leave from this generation");
        Ok(())
    }

    /// Has its workers leave their group, so that others see that they put nothing out any more; then they come again.
    async fn renew(&self, generation: u32, alias: &Alias) -> Result<(), Error> {
        let rate = self.rate_of(generation);
        let fleet = self.fleets().extract_if(.., |number, fleet| *number == generation && fleet.is_running()).next();
        let Some((_, fleet)) = fleet else { return Ok(()) };
        drop(fleet.end().await);
        if alias.all().contains(&generation) { self.start_fleet(generation, rate) } else { Ok(()) }
    }

    fn has_ended(&self, generation: u32) -> bool {
        self.fleets().get(&generation).is_some_and(Fleet::has_ended)
    }

    /// Says where the tasks of this process stand, and hears where others do.
    async fn stand(&self, order: Order) -> Result<(), Error> {
        let parts = &self.0.parts;
        let ours: BTreeMap<_, _> = parts.fence.stands(order).into_iter().collect();
        let mut all = Stand::all(&parts.store, order, parts.partitions()).await?;
        for found in &mut all {
            if let Some(stand) = ours.get(&(found.generation, found.partition)) {
                found.say(&parts.store, *stand).await?;
            }
        }
        for partition in (0..parts.partitions()).map(Partition) {
            let of = all.iter().filter(|found| found.partition == partition);
            let stands: Vec<_> = of.map(|found| found.stand).collect();
            parts.fence.place(order, partition, &stands);
        }
        Ok(())
    }
}

impl Refused {
    /// For a log line.
    pub(super) fn text(&self) -> String {
        match self {
            Self::NotNow(why) => why.clone(),
            Self::Failed(error) => with_causes(error),
        }
    }
}
