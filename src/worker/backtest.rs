//! What would another rule set have decided? The log is folded twice side by side, as it is and with a candidate in the
//! place of every rule set that it chooses, and what the two decide and book is compared record by record.
//!
//! Nothing but the log is read. The two states, and what is known of the subjects that differ, are kept in a folder of
//! their own, so that memory is that of two folds, and of the members affected.

mod compared;
mod moved;
mod report;
mod verdicts;

use std::ops::ControlFlow;
use std::path::Path;

use crate::append::partition::partition_of;
use crate::consume::{Batch, Limits, Source};
use crate::decode::Place;
use crate::event::Bots;
use crate::fold::effects::Effects;
use crate::fold::fraud::RuleSet;
use crate::fold::state::State;
use crate::fold::{Fold, Origin};
use crate::ids::{Millis, Next, Partition};
use crate::keep::{self, Store as Keep};

use super::read::{only, read};
use super::scratch::{Scratch, open, settle};
use super::{Error, Schemas};
pub use compared::Found;
use compared::{Differing, Step};
pub use report::{
    Amount, Candidate, Changed, Fired, Member, Members, Money, MoneyOfMember, Replayed, Report, Subjects, Verdicts,
};

/// What is asked.
#[derive(Debug, Clone)]
pub struct Asked {
    pub rules: RuleSet,
    /// Of subjects that are compared, by their own time: from, and before. What came earlier is folded all the same.
    pub from: Option<Millis>,
    pub to: Option<Millis>,
    /// Nobody else's events are folded.
    pub creator: Option<String>,
    /// Members that are told one by one.
    pub top: usize,
}

impl Asked {
    pub(super) fn has(&self, t: Millis) -> bool {
        self.from.is_none_or(|from| from <= t) && self.to.is_none_or(|to| t < to)
    }
}

/// Where one partition's log is folded twice.
pub struct Backtest<'a, S> {
    pub source: S,
    pub schemas: Schemas,
    pub bots: Bots,
    pub asked: &'a Asked,
    /// Scratch state is kept below it while it runs.
    pub scratch: &'a Path,
    pub limits: keep::Limits,
}

/// One of the two folds.
struct Side {
    state: State,
    keep: Keep,
    fold: Fold,
    effects: Effects,
}

impl<S: Source> Backtest<'_, S> {
    /// Adds what is found in `partition` to `found`. `progress` gets the position now and then, and may break it off
    /// ([`Error::Stopped`]).
    pub async fn run(
        mut self,
        partition: Partition,
        found: &mut Found,
        mut progress: impl FnMut(Next) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let partitions = self.source.topic().partitions;
        let home = |creator: &String| partition_of(creator.as_bytes(), partitions);
        if self.asked.creator.as_ref().is_some_and(|creator| home(creator) != partition) {
            return Ok(());
        }
        let bounds = self.source.bounds(partition)?;
        let scratch = Scratch::new(self.scratch, "backtest", partition);
        let mut today = self.side(&scratch.path().join("today"), partition, None)?;
        let mut candidate = self.side(&scratch.path().join("candidate"), partition, Some(self.asked.rules.clone()))?;
        // Nothing was named yet: from here on both call the same thing the same.
        candidate.state.hash_key = today.state.hash_key;
        let mut differing = Differing::default();
        let limits = self.limits.clone();
        let mut keep = open(&scratch.path().join("differing"), (partition, limits), &mut differing)?;
        only(&mut self.source, partition, Next(0))?;
        let topic = self.source.topic().name.clone();
        let (mut position, mut batch) = (Next(0), Batch::default());
        while position < bounds.end {
            self.source.poll(&Limits::default(), &mut batch)?;
            if !self.schemas.learn(&batch, || !progress(position).is_break()).await {
                return Err(Error::Stopped);
            }
            for record in batch.iter().filter(|it| it.partition == partition && it.offset.next() <= bounds.end) {
                position = record.offset.next();
                let at = Place { topic: &topic, partition, offset: record.offset };
                let Ok(event) = read(&self.schemas.decoder, &record, at, partitions) else { continue };
                if self.asked.creator.as_ref().is_some_and(|creator| event.creator_id.0 != creator) {
                    continue;
                }
                found.events += 1;
                let origin = Origin { offset: record.offset, timestamp: record.timestamp };
                for side in [&mut today, &mut candidate] {
                    side.fold.apply(&mut side.state, &mut side.effects, &event, origin);
                }
                let step = Step { asked: self.asked, differing: &mut differing, found: &mut *found };
                step.compare((&today.state, &mut today.effects), (&candidate.state, &mut candidate.effects));
            }
            let reached = batch.reached().iter().filter(|(p, _)| *p == partition).map(|(_, next)| *next);
            position = reached.fold(position, Next::max);
            for side in [&mut today, &mut candidate] {
                side.settle((partition, position))?;
            }
            settle(&mut keep, &mut differing, (partition, position))?;
            if progress(position).is_break() {
                return Err(Error::Stopped);
            }
        }
        found.replayed.push(Replayed { partition: partition.0, from: bounds.start.0, to: position.0 });
        Ok(())
    }

    fn side(&self, dir: &Path, partition: Partition, rules: Option<RuleSet>) -> Result<Side, Error> {
        let mut state = State::default();
        let keep = open(dir, (partition, self.limits.clone()), &mut state)?;
        let fold = Fold::trial(self.bots.clone(), rules);
        Ok(Side { state, keep, fold, effects: Effects::from(Next(0)) })
    }
}

impl Side {
    /// After a batch: what rows would be made of is let go.
    fn settle(&mut self, at: (Partition, Next)) -> Result<(), Error> {
        drop((self.effects.take_fast(at.1), self.effects.take_slow()));
        self.effects.letters.clear();
        let Self { state, keep, .. } = self;
        state.free_expired(keep);
        settle(keep, state, at)
    }
}
