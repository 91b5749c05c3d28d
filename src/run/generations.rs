//! The generations of the projections: which are folded here, which is live, and how one follows another.
//!
//! Promise: readers find one generation or the other, never a mixture, and never go back by a switch that was not
//! forced; outputs leave from one generation alone; whatever crashes, the `alias` row says what there is to go on with.
//! Of requests that overlap, at whichever processes, one is done and the others are told: none is dropped that the row
//! names.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;

use super::Error;
use super::agree::Agreeing;
use super::engine::Rows;
use super::fleet::{Fleet, Parts};
use super::rebuild::Made;
use crate::ids::Partition;
use crate::store::accord::Accord;
use crate::store::alias::{Alias, Building, Changed};
use crate::store::live::{Generation, Live, Switch};
use crate::store::{Doors, Store, Table};
use crate::telemetry::Progress;
use crate::worker::Rate;

/// How often, and how many times, it is looked whether the workers of a dropped generation have left.
const LEAVE_LOOK_EVERY: Duration = Duration::from_millis(200);
const LEAVE_LOOKS_MAX: u32 = 150;
/// How long whoever drops a generation waits until its rows are gone.
const DROP_WAIT_MAX: Duration = Duration::from_secs(5);

/// Clones look after the same.
#[derive(Clone)]
pub(super) struct Generations(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) parts: Parts,
    pub(super) switch: Switch<Rows>,
    /// Changes go one by one.
    one: tokio::sync::Mutex<()>,
    pub(super) fence_turn: tokio::sync::Mutex<()>,
    /// Of who brings this process in line with what is agreed.
    pub(super) agreeing: tokio::sync::Mutex<Agreeing>,
    /// This process folds.
    pub(super) works: AtomicBool,
    fleets: Mutex<BTreeMap<u32, Fleet>>,
    /// What is known of the one in the making.
    pub(super) made: Mutex<Made>,
    jobs: Mutex<Option<JoinSet<()>>>,
    /// Where others ask for what is folded here; none: nowhere.
    pub(super) advertised: OnceLock<SocketAddr>,
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

impl Generations {
    pub(super) fn new(parts: Parts, alias: &Alias, first: Progress) -> Self {
        let store = parts.store.of(alias.live);
        let live = Generation::new(alias.live, store, false);
        Self(Arc::new(Inner {
            parts,
            switch: Switch::new(live),
            one: tokio::sync::Mutex::default(),
            fence_turn: tokio::sync::Mutex::default(),
            agreeing: tokio::sync::Mutex::default(),
            works: AtomicBool::new(false),
            fleets: Mutex::default(),
            made: Mutex::default(),
            jobs: Mutex::new(Some(JoinSet::new())),
            advertised: OnceLock::new(),
            first,
        }))
    }

    pub(super) fn live(&self) -> Live<Rows> {
        self.0.switch.live()
    }

    pub(super) fn now(&self) -> Generation<Rows> {
        self.0.switch.now()
    }

    /// Folds every generation that there is, and follows what is agreed with other processes from then on.
    pub(super) fn start(&self, accord: &Accord) -> Result<(), Error> {
        self.0.works.store(true, Ordering::Release);
        if accord.emitter.is_settled {
            self.0.parts.emission.give(accord.emitter.generation);
        }
        self.start_missing(&accord.alias)?;
        self.follow_building(&accord.alias);
        self.watch();
        self.spawn(clear_away(self.clone()));
        Ok(())
    }

    pub(super) fn advertise(&self, addr: SocketAddr) {
        // Where it is said already it stays so.
        let _kept = self.0.advertised.set(addr);
    }

    /// Follows what is agreed, and folds nothing.
    pub(super) fn watch(&self) {
        self.spawn(super::agree::attend(self.clone()));
    }

    /// Of what is named, what is not folded here yet.
    pub(super) fn start_missing(&self, alias: &Alias) -> Result<(), Error> {
        for generation in alias.all() {
            if self.fleets().contains_key(&generation) {
                continue;
            }
            let building = alias.building.filter(|building| building.number == generation);
            self.start_fleet(generation, building.map_or_else(Rate::default, |one| Rate::new(one.rate_per_s)))?;
        }
        Ok(())
    }

    pub(super) fn start_fleet(&self, generation: u32, rate: Rate) -> Result<(), Error> {
        let is_first = generation == self.now().number && self.fleets().is_empty();
        let progress = if is_first { self.0.first.clone() } else { Progress::new(self.0.parts.partitions()) };
        let fleet = Fleet::start(&self.0.parts, generation, progress, rate)?;
        self.fleets().insert(generation, fleet);
        Ok(())
    }

    /// Looks after the generation in the making, if it is not looked after already.
    pub(super) fn follow_building(&self, alias: &Alias) {
        let mut made = self.made();
        match alias.building {
            None => made.number = None,
            Some(building) if made.number == Some(building.number) => {}
            Some(building) => {
                made.begin(building.number);
                drop(made);
                self.spawn(super::rebuild::follow(self.clone(), building.number));
            }
        }
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
        let (mut alias, _) = Alias::read(&self.0.parts.store).await?;
        if let Some(building) = alias.building {
            return Err(Refused::NotNow(format!(
                "generation {} is in the making already; switch to it or cancel it first",
                building.number
            )));
        }
        if let Some(former) = alias.former {
            // Three folds at once are more memory than anybody counted on.
            alias = self.change(&alias, |alias| alias.former = None).await?;
            self.remove(former).await?;
        }
        let building = Building { number: alias.next, rate_per_s: rate, differences: None };
        let store = self.0.parts.store.of(building.number);
        self.remove_state_of_next(&alias).await?;
        // First the tables: whoever reads of the generation begins with it.
        store.setup(&table_names(building.number)).await?;
        self.change(&alias, |alias| {
            alias.building = Some(building);
            alias.next = building.number + 1;
        })
        .await?;
        self.agree().await?;
        Ok(())
    }

    /// What may lie where the next generation is to fold, unless another request has begun with that one.
    async fn remove_state_of_next(&self, alias: &Alias) -> Result<(), Refused> {
        // Nobody begins to fold anything here meanwhile.
        let _agreeing = self.0.agreeing.lock().await;
        let (now, _) = Alias::read(&self.0.parts.store).await?;
        if !now.names_the_same(alias) {
            return Err(changed_meanwhile(&now));
        }
        Ok(self.0.parts.remove_state(alias.next)?)
    }

    /// Changes what the alias names, as it was `read`. Another process may have done so since: what was asked for may
    /// mean something else by now.
    pub(super) async fn change(&self, read: &Alias, change: impl Fn(&mut Alias)) -> Result<Alias, Refused> {
        match Alias::change(&self.0.parts.store, |now| now.names_the_same(read), change).await? {
            Changed::Done(alias) => Ok(alias),
            Changed::Refused(found) => Err(changed_meanwhile(&found)),
        }
    }

    /// Drops the one in the making.
    pub(super) async fn cancel(&self) -> Result<(), Refused> {
        let _one = self.0.one.lock().await;
        let (alias, _) = Alias::read(&self.0.parts.store).await?;
        let Some(building) = alias.building else {
            return Err(Refused::NotNow("no generation is in the making".to_owned()));
        };
        self.change(&alias, |alias| alias.building = None).await?;
        self.remove(building.number).await
    }

    /// Drops the former one.
    pub(super) async fn drop_former(&self) -> Result<(), Refused> {
        let _one = self.0.one.lock().await;
        let (alias, _) = Alias::read(&self.0.parts.store).await?;
        let Some(former) = alias.former else {
            return Err(Refused::NotNow("there is no former generation".to_owned()));
        };
        self.change(&alias, |alias| alias.former = None).await?;
        self.remove(former).await
    }

    /// Of a generation that the alias names no more: its workers end, outputs leave from another, rows and state go.
    async fn remove(&self, generation: u32) -> Result<(), Refused> {
        self.agree().await?;
        refuse_named(&self.0.parts, generation).await?;
        let (reply, gone) = tokio::sync::oneshot::channel();
        let generations = self.clone();
        self.spawn(async move {
            generations.left_by_all(generation).await;
            let outcome = drop_of(&generations.0.parts, generation).await;
            if let Err(refused) = &outcome {
                let error = refused.text();
                tracing::warn!(generation, error, "a dropped generation is not cleared away; the next start goes on");
            }
            // Nobody waits any more where there is much to drop.
            drop(reply.send(outcome));
        });
        match tokio::time::timeout(DROP_WAIT_MAX, gone).await {
            Ok(Ok(outcome)) => outcome,
            // It goes on, or the process ends and the next one goes on.
            Ok(Err(_)) | Err(_) => Ok(()),
        }
    }

    /// Waits for workers elsewhere, but not for ever: they find no tables and end.
    async fn left_by_all(&self, generation: u32) {
        for _ in 0..LEAVE_LOOKS_MAX {
            match self.members(generation).await {
                Ok(Some(members)) if members.is_empty() => return,
                Ok(_) | Err(_) => tokio::time::sleep(LEAVE_LOOK_EVERY).await,
            }
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
        let is_expected = self.is_other_fold(alias.live) || !self.is_followed(alias.live).await;
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
        if !self.is_followed(former).await && !force {
            return Err(Refused::NotNow(format!(
                "generation {former} follows the log no more, so answers would go back to where it stopped; force it if that is wanted"
            )));
        }
        self.turn(alias, former, |alias| alias.former = Some(alias.live)).await
    }

    pub(super) fn is_running(&self, generation: u32) -> bool {
        self.fleets().get(&generation).is_some_and(Fleet::is_running)
    }

    /// Whether anybody folds a generation: this process, or all of its partitions by others.
    pub(super) async fn is_followed(&self, generation: u32) -> bool {
        if self.is_running(generation) {
            return true;
        }
        let (log, partitions) = (self.0.parts.log.clone(), self.0.parts.partitions());
        let asked = tokio::task::spawn_blocking(move || log.owners(generation)).await;
        // Who cannot be asked may well fold it.
        let Some(owners) = asked.ok().and_then(Result::ok) else { return true };
        (0..partitions).all(|p| owners.contains_key(&Partition(p)))
    }

    /// Who is in the group of a generation, with partitions or without; `None`: nobody knows the group now.
    pub(super) async fn members(&self, generation: u32) -> Result<Option<BTreeSet<String>>, Error> {
        let log = self.0.parts.log.clone();
        let asked = tokio::task::spawn_blocking(move || log.members(generation)).await;
        Ok(asked.map_err(|_| Error::Panicked)??)
    }

    pub(super) fn is_other_fold(&self, generation: u32) -> bool {
        self.fleets().get(&generation).is_some_and(Fleet::is_other_fold)
    }

    /// How far a generation is, if it is or was folded in this process.
    pub(super) fn progress_of(&self, generation: u32) -> Option<Progress> {
        self.fleets().get(&generation).map(|fleet| fleet.progress.clone())
    }

    /// How far the live one is.
    pub(super) fn progress(&self) -> Progress {
        self.progress_of(self.now().number).unwrap_or_else(|| self.0.first.clone())
    }

    /// How often those who wait for rows look: other processes may ask the same store.
    pub(super) fn look_every(&self) -> Duration {
        if self.0.parts.store.is_shared() { super::agree::IDLE } else { super::LOOK_EVERY }
    }

    /// The partitions of the live one that this process folds.
    pub(super) fn owned(&self) -> Vec<Partition> {
        let progress = self.progress();
        let owned = progress.iter().filter(|(_, one)| one.is_owned.load(Ordering::Acquire));
        owned.map(|(partition, _)| partition).collect()
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

    pub(super) fn fleets(&self) -> MutexGuard<'_, BTreeMap<u32, Fleet>> {
        self.0.fleets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a process that was killed left of generations that the alias does not name.
async fn clear_away(generations: Generations) {
    let _one = generations.0.one.lock().await;
    if let Err(refused) = generations.clear().await {
        let error = refused.text();
        tracing::warn!(error, "a dropped generation is not cleared away, trying again later");
    }
}

impl Generations {
    async fn clear(&self) -> Result<(), Refused> {
        let parts = &self.0.parts;
        // Now, and not as of the start: one may have been begun meanwhile.
        let (alias, _) = Alias::read(&parts.store).await?;
        let mut left = parts.store.generations().await?;
        let below = std::fs::read_dir(parts.state_dir()).into_iter().flatten().flatten();
        let named = |entry: std::fs::DirEntry| entry.file_name().to_str()?.strip_prefix('g')?.parse::<u32>().ok();
        left.extend(below.filter_map(named));
        // Another process makes tables before the alias names them.
        let may_be_new = |generation: u32| parts.store.is_shared() && generation >= alias.next;
        left.retain(|generation| !alias.all().contains(generation) && !may_be_new(*generation));
        for generation in left {
            drop_of(parts, generation).await?;
        }
        Ok(())
    }
}

/// Rows and state. What the alias does not name it never names again: numbers are not given twice.
async fn drop_of(parts: &Parts, generation: u32) -> Result<(), Refused> {
    refuse_named(parts, generation).await?;
    parts.store.of(generation).drop_generation().await?;
    super::snapshots::forget(parts, generation).await;
    Ok(parts.remove_state(generation)?)
}

async fn refuse_named(parts: &Parts, generation: u32) -> Result<(), Refused> {
    let (alias, _) = Alias::read(&parts.store).await?;
    if alias.all().contains(&generation) {
        return Err(Refused::NotNow(format!(
            "generation {generation} is not dropped, it is in use: {alias}; `tributary projections stats` tells more"
        )));
    }
    Ok(())
}

fn changed_meanwhile(found: &Alias) -> Refused {
    Refused::NotNow(format!(
        "another request has changed the generations meanwhile: {found}; ask again if more is to be done"
    ))
}

pub(super) fn table_names(generation: u32) -> Vec<Table> {
    let name = |table: &crate::project::tables::Table| format!("{}_g{generation}", table.name);
    crate::project::tables::ALL.iter().map(|table| Table { id: table.id, name: name(table) }).collect()
}
