//! The generations of the projections in this process: which are folded, which is live, and how one follows another.
//!
//! Promise: readers find one generation or the other, never a mixture, and never go back by a switch that was not
//! forced; outputs leave from one generation alone; whatever crashes, the `alias` row says what there is to go on with.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;

use super::Error;
use super::engine::Rows;
use super::fleet::{Fleet, Parts};
use super::rebuild::Made;
use crate::store::alias::{Alias, Building};
use crate::store::live::{Generation, Live, Switch};
use crate::store::{Doors, Store, Table};
use crate::telemetry::{Progress, with_causes};
use crate::worker::{Raised, Rate};

/// How often those who wait for a worker or a reader look.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How long all may take to stop at one place.
const MEET_MAX: Duration = Duration::from_secs(10);
/// How long whoever drops a generation waits until its rows are gone.
const DROP_WAIT_MAX: Duration = Duration::from_secs(5);
/// How long answers that have begun may go on reading the former generation before it is written on.
const READERS_WAIT_MAX: Duration = Duration::from_secs(2);

/// Clones look after the same.
#[derive(Clone)]
pub(super) struct Generations(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) parts: Parts,
    switch: Switch<Rows>,
    /// Changes go one by one.
    one: tokio::sync::Mutex<()>,
    fence_turn: tokio::sync::Mutex<()>,
    fleets: Mutex<BTreeMap<u32, Fleet>>,
    /// What is known of the one in the making.
    pub(super) made: Mutex<Made>,
    jobs: Mutex<Option<JoinSet<()>>>,
    /// Of the generation that was live when the process began.
    first: Progress,
}

/// Why something was not done.
#[derive(Debug)]
pub(super) enum Refused {
    NotNow(String),
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Both generations stand at one place until it is dropped.
pub(super) struct Meeting<'a> {
    _raised: Option<Raised<'a>>,
    _turn: Option<tokio::sync::MutexGuard<'a, ()>>,
}

impl Generations {
    pub(super) fn new(parts: Parts, alias: &Alias, first: Progress) -> Self {
        let store = parts.store.of(alias.live);
        let live = Generation::new(alias.live, store, false);
        Self(Arc::new(Inner {
            parts,
            switch: Switch::new(live),
            one: tokio::sync::Mutex::default(),
            fence_turn: tokio::sync::Mutex::default(),
            fleets: Mutex::default(),
            made: Mutex::default(),
            jobs: Mutex::new(Some(JoinSet::new())),
            first,
        }))
    }

    pub(super) fn live(&self) -> Live<Rows> {
        self.0.switch.live()
    }

    pub(super) fn now(&self) -> Generation<Rows> {
        self.0.switch.now()
    }

    /// Folds every generation that there is, and goes on with the one in the making.
    pub(super) fn start(&self, alias: &Alias) -> Result<(), Error> {
        self.0.parts.emission.give(alias.live);
        for generation in [Some(alias.live), alias.former].into_iter().flatten() {
            self.start_fleet(generation, Rate::default())?;
        }
        if let Some(building) = alias.building {
            self.go_on(building)?;
        }
        self.spawn(supervise(self.clone()));
        self.spawn(clear_away(self.clone()));
        Ok(())
    }

    fn start_fleet(&self, generation: u32, rate: Rate) -> Result<(), Error> {
        let is_first = generation == self.now().number && self.fleets().is_empty();
        let progress = if is_first { self.0.first.clone() } else { Progress::new(self.0.parts.partitions()) };
        let fleet = Fleet::start(&self.0.parts, generation, progress, rate)?;
        self.fleets().insert(generation, fleet);
        Ok(())
    }

    fn go_on(&self, building: Building) -> Result<(), Error> {
        self.made().begin(building.number);
        self.start_fleet(building.number, Rate::new(building.rate_per_s))?;
        self.spawn(super::rebuild::follow(self.clone(), building));
        Ok(())
    }

    /// Runs beside everything else until the process ends; then it is broken off.
    pub(super) fn spawn(&self, job: impl Future<Output = ()> + Send + 'static) {
        let mut jobs = self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(jobs) = jobs.as_mut() {
            while jobs.try_join_next().is_some() {}
            jobs.spawn_on(job, &self.0.parts.runtime);
        }
    }

    /// Breaks off what runs beside.
    pub(super) fn break_off(&self) {
        drop(self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// All hand over, who puts outputs out first. What went wrong with the live one is told.
    pub(super) async fn stop(&self) -> Result<(), Error> {
        let jobs = self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut jobs) = jobs {
            jobs.shutdown().await;
        }
        let mut fleets: Vec<(u32, Fleet)> = std::mem::take(&mut *self.fleets()).into_iter().collect();
        fleets.sort_by_key(|(generation, _)| !self.0.parts.emission.is(*generation));
        let (live, mut outcome) = (self.now().number, Ok(()));
        for (generation, fleet) in fleets {
            // It was served as it is, and said so.
            let is_served = fleet.is_other_fold();
            if let Err(error) = fleet.end().await
                && generation == live
                && !is_served
            {
                outcome = Err(error);
            }
        }
        outcome
    }

    /// A new generation from the beginning of the log.
    pub(super) async fn rebuild(&self, rate: u32) -> Result<(), Refused> {
        let _one = self.0.one.lock().await;
        let (alias, _) = Alias::read(&self.0.parts.store).await?;
        if let Some(building) = alias.building {
            return Err(Refused::NotNow(format!(
                "generation {} is in the making already; switch to it or cancel it first",
                building.number
            )));
        }
        if let Some(former) = alias.former {
            // Three folds at once are more memory than anybody counted on.
            Alias::change(&self.0.parts.store, |alias| alias.former = None).await?;
            self.remove(former).await?;
        }
        let building = Building { number: alias.next, rate_per_s: rate, differences: None };
        let store = self.0.parts.store.of(building.number);
        self.0.parts.remove_state(building.number)?;
        store.setup(&table_names(building.number)).await?;
        Alias::change(&self.0.parts.store, |alias| {
            alias.building = Some(building);
            alias.next = building.number + 1;
        })
        .await?;
        self.go_on(building)?;
        self.give_emission().await;
        Ok(())
    }

    /// Drops the one in the making.
    pub(super) async fn cancel(&self) -> Result<(), Refused> {
        let _one = self.0.one.lock().await;
        let (alias, _) = Alias::read(&self.0.parts.store).await?;
        let Some(building) = alias.building else {
            return Err(Refused::NotNow("no generation is in the making".to_owned()));
        };
        Alias::change(&self.0.parts.store, |alias| alias.building = None).await?;
        self.made().number = None;
        self.remove(building.number).await
    }

    /// Drops the former one.
    pub(super) async fn drop_former(&self) -> Result<(), Refused> {
        let _one = self.0.one.lock().await;
        let (alias, _) = Alias::read(&self.0.parts.store).await?;
        let Some(former) = alias.former else {
            return Err(Refused::NotNow("there is no former generation".to_owned()));
        };
        Alias::change(&self.0.parts.store, |alias| alias.former = None).await?;
        self.remove(former).await
    }

    /// Of a generation that the alias names no more: its workers end, outputs leave from another, rows and state go.
    async fn remove(&self, generation: u32) -> Result<(), Refused> {
        let fleet = self.fleets().remove(&generation);
        if let Some(fleet) = fleet {
            // What it could not hand over goes with it.
            drop(fleet.end().await);
        }
        self.give_emission().await;
        let (reply, gone) = tokio::sync::oneshot::channel();
        let parts = self.0.parts.clone();
        self.spawn(async move {
            let outcome = drop_of(&parts, generation).await;
            if let Err(error) = &outcome {
                let error = with_causes(error);
                tracing::warn!(generation, error, "a dropped generation is not cleared away; the next start goes on");
            }
            // Nobody waits any more where there is much to drop.
            drop(reply.send(outcome));
        });
        match tokio::time::timeout(DROP_WAIT_MAX, gone).await {
            Ok(Ok(outcome)) => Ok(outcome?),
            // It goes on, or the process ends and the next one goes on.
            Ok(Err(_)) | Err(_) => Ok(()),
        }
    }

    /// The one in the making becomes the live one.
    pub(super) async fn switch(&self, force: bool) -> Result<(), Refused> {
        let _one = self.0.one.lock().await;
        let (alias, _) = Alias::read(&self.0.parts.store).await?;
        let Some(building) = alias.building else {
            return Err(Refused::NotNow(
                "no generation is in the making; `tributary projections rebuild` begins one, and `tributary projections rollback` goes back to the former one".to_owned(),
            ));
        };
        let refused = |why: String| Err(Refused::NotNow(format!("{why}, or force it")));
        if !self.made().has_caught_up && !force {
            return refused(format!("generation {} has not caught up yet; wait for that", building.number));
        }
        let is_expected = self.is_other_fold(alias.live);
        match building.differences {
            None if !force => {
                return refused(format!("generation {} was not compared yet; wait for that", building.number));
            }
            Some(found) if found > 0 && !force && !is_expected => {
                return refused(format!(
                    "generation {} differs from the live one in {found} rows; `tributary projections stats` says in which tables",
                    building.number
                ));
            }
            None | Some(_) => {}
        }
        let turned = |alias: &mut Alias| (alias.former, alias.building) = (Some(alias.live), None);
        self.turn(alias, building.number, turned).await
    }

    /// The former one becomes the live one again.
    pub(super) async fn rollback(&self, force: bool) -> Result<(), Refused> {
        let _one = self.0.one.lock().await;
        let (alias, _) = Alias::read(&self.0.parts.store).await?;
        let Some(former) = alias.former else {
            return Err(Refused::NotNow("there is no former generation to go back to".to_owned()));
        };
        if !self.is_running(former) && !force {
            return Err(Refused::NotNow(format!(
                "generation {former} follows the log no more, so answers would go back to where it stopped; force it if that is wanted"
            )));
        }
        self.turn(alias, former, |alias| alias.former = Some(alias.live)).await
    }

    async fn turn(&self, alias: Alias, to: u32, change: impl Fn(&mut Alias)) -> Result<(), Refused> {
        let met = self.meet(&[alias.live, to]).await?;
        let change = |alias: &mut Alias| {
            change(alias);
            alias.live = to;
        };
        Alias::change(&self.0.parts.store, change).await?;
        self.made().number = None;
        self.rate_of(to).lift();
        let is_frozen = !self.is_running(to);
        let former = self.0.switch.turn_to(Generation::new(to, self.0.parts.store.of(to), is_frozen));
        // An answer that has begun on the former one must not be further on than the next of the same client.
        let mut looks = READERS_WAIT_MAX.as_millis() / LOOK_EVERY.as_millis();
        while former.is_read() && looks > 0 {
            tokio::time::sleep(LOOK_EVERY).await;
            looks -= 1;
        }
        drop(met);
        tracing::info!(from = alias.live, to, "another generation is live");
        Ok(())
    }

    /// Has those of `generations` that are folded stop at one place, with everything written.
    pub(super) async fn meet(&self, generations: &[u32]) -> Result<Meeting<'_>, Refused> {
        let folded: Vec<u32> = generations.iter().copied().filter(|one| self.is_running(*one)).collect();
        if folded.len() < 2 {
            return Ok(Meeting { _raised: None, _turn: None });
        }
        let turn = self.0.fence_turn.lock().await;
        let raised = self.0.parts.fence.raise(&folded, self.0.parts.partitions());
        let mut looks = MEET_MAX.as_millis() / LOOK_EVERY.as_millis();
        while !raised.is_reached() {
            if !folded.iter().all(|one| self.is_running(*one)) {
                return Err(Refused::NotNow("a worker stopped meanwhile; health says why".to_owned()));
            }
            if looks == 0 {
                return Err(Refused::NotNow(format!(
                    "the generations did not come to one place within {} s; try again",
                    MEET_MAX.as_secs()
                )));
            }
            looks -= 1;
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(Meeting { _raised: Some(raised), _turn: Some(turn) })
    }

    /// Outputs leave from the live generation, or from another if that is not folded; never from two.
    async fn give_emission(&self) {
        let live = self.now().number;
        let to = {
            let fleets = self.fleets();
            let emits = |(number, fleet): (&u32, &Fleet)| self.0.parts.emission.is(*number) && !fleet.has_ended();
            if fleets.iter().any(emits) {
                return;
            }
            let others = fleets.keys().copied().filter(|number| *number != live);
            let mut all = [live].into_iter().chain(others);
            all.find(|number| fleets.get(number).is_some_and(Fleet::is_running))
        };
        let Some(to) = to else { return };
        // What the former one had handed to the log is there before the other asks how far that was.
        self.0.parts.sink.settle().await;
        self.0.parts.emission.give(to);
    }

    pub(super) fn is_running(&self, generation: u32) -> bool {
        self.fleets().get(&generation).is_some_and(Fleet::is_running)
    }

    pub(super) fn is_other_fold(&self, generation: u32) -> bool {
        self.fleets().get(&generation).is_some_and(Fleet::is_other_fold)
    }

    /// How far a generation is, if it is or was folded in this process.
    pub(super) fn progress_of(&self, generation: u32) -> Option<Progress> {
        self.fleets().get(&generation).map(|fleet| fleet.progress.clone())
    }

    /// How far the one in the making is, if there is one.
    pub(super) fn building(&self) -> Option<Progress> {
        self.progress_of(self.made().number?)
    }

    /// How far the live one is.
    pub(super) fn progress(&self) -> Progress {
        self.progress_of(self.now().number).unwrap_or_else(|| self.0.first.clone())
    }

    pub(super) fn rate_of(&self, generation: u32) -> Rate {
        self.fleets().get(&generation).map(|fleet| fleet.rate.clone()).unwrap_or_default()
    }

    /// Changes what is known of the generation in the making, if that is `number` still.
    pub(super) fn know(&self, number: u32, change: impl FnOnce(&mut Made)) {
        let mut made = self.made();
        if made.number == Some(number) {
            change(&mut made);
        }
    }

    pub(super) fn made(&self) -> MutexGuard<'_, Made> {
        self.0.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fleets(&self) -> MutexGuard<'_, BTreeMap<u32, Fleet>> {
        self.0.fleets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A worker that ended by itself: outputs leave from elsewhere, and readers are told.
async fn supervise(generations: Generations) {
    loop {
        generations.0.parts.ended.notified().await;
        let _one = generations.0.one.lock().await;
        generations.give_emission().await;
        let mut live = generations.now();
        if !live.is_frozen && !generations.is_running(live.number) {
            live.is_frozen = true;
            generations.0.switch.turn_to(live);
        }
    }
}

/// What a process that was killed left of generations that the alias does not name.
async fn clear_away(generations: Generations) {
    let _one = generations.0.one.lock().await;
    if let Err(error) = generations.clear().await {
        tracing::warn!(error = %with_causes(&error), "a dropped generation is not cleared away, trying again later");
    }
}

impl Generations {
    async fn clear(&self) -> Result<(), Error> {
        let parts = &self.0.parts;
        // Now, and not as of the start: one may have been begun meanwhile.
        let (alias, _) = Alias::read(&parts.store).await?;
        let mut left = parts.store.generations().await?;
        let below = std::fs::read_dir(parts.state_dir()).into_iter().flatten().flatten();
        let named = |entry: std::fs::DirEntry| entry.file_name().to_str()?.strip_prefix('g')?.parse::<u32>().ok();
        left.extend(below.filter_map(named));
        left.retain(|generation| !alias.all().contains(generation));
        for generation in left {
            drop_of(parts, generation).await?;
        }
        Ok(())
    }
}

/// Rows and state.
async fn drop_of(parts: &Parts, generation: u32) -> Result<(), Error> {
    parts.store.of(generation).drop_generation().await?;
    parts.remove_state(generation)
}

pub(super) fn table_names(generation: u32) -> Vec<Table> {
    let name = |table: &crate::project::tables::Table| format!("{}_g{generation}", table.name);
    crate::project::tables::ALL.iter().map(|table| Table { id: table.id, name: name(table) }).collect()
}
