//! A worker at work: its tasks, and one step after the other.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use super::copies::{Copies, With};
use super::open::{self, Opened};
use super::outlet::Ack;
use super::restore::{self, Restore, Restores};
use super::seeded::Bug;
use super::standing::Standing;
use super::task::{Task, Way};
use super::{Error, Outputs, Worker};
use crate::append::Sink;
use crate::consume::{Batch, Limits, Polled, Source};
use crate::fold::warm::AHEAD;
use crate::ids::Partition;
use crate::publish::Publish;
use crate::store::Store;
use crate::telemetry::with_causes;

/// A hand-over that takes longer is left to replay.
const HAND_OVER_MAX: Duration = Duration::from_secs(30);
/// Whose polls were full is behind for so long.
const BEHIND_FOR: Duration = Duration::from_millis(250);
/// Who was asked something looks again this soon, for so long: the next question may come at any time.
const LOOK_AGAIN: Duration = Duration::from_millis(2);
const ASKED_FOR: Duration = Duration::from_secs(10);
/// A partition whose log or rows cannot be asked is tried again after this.
const START_AGAIN: Duration = Duration::from_secs(1);

/// Nothing but [`Running::step`] makes it go on.
pub struct Running<S, K: Publish, T> {
    worker: Worker<S, K, T>,
    /// By partition.
    tasks: Vec<Option<Task<K, T>>>,
    /// Ours, but not started yet: when to try again.
    unstarted: BTreeMap<Partition, Duration>,
    batch: Batch,
    /// When a poll last brought as much as it could.
    full_at: Option<Duration>,
    /// Whether that was just now.
    is_behind: bool,
    /// When a task was last asked something while it had nothing else to do.
    asked_at: Option<Duration>,
    sender: Sender<Ack>,
    acks: Receiver<Ack>,
    /// Tasks started so far.
    started: u64,
    /// What is handed over now.
    leaving: Option<Leaving>,
    /// Ours, and given up while outputs were on their way: whose they are. What becomes of them is waited for, because E
    /// says nothing before.
    draining: BTreeMap<Partition, u64>,
    /// Ours, but their state is being fetched.
    restores: Restores,
    /// Of our states, for others.
    copies: Copies,
}

/// A hand-over under way.
struct Leaving {
    /// None: all of them.
    only: Option<Vec<Partition>>,
    /// Of whose outputs it is not known whether they are out: replay will tell.
    given_up: Vec<Partition>,
    deadline: Duration,
}

impl Leaving {
    fn has(&self, partition: Partition) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(&partition))
    }

    fn waits_for(&self, partition: Partition) -> bool {
        self.has(partition) && !self.given_up.contains(&partition)
    }
}

impl<S: Source<Member = K::Member>, K: Sink + Publish, T: Store> Running<S, K, T> {
    pub fn new(worker: Worker<S, K, T>) -> Self {
        let (sender, acks) = std::sync::mpsc::channel();
        let (tasks, unstarted, batch) = (Vec::new(), BTreeMap::new(), Batch::default());
        Self {
            worker,
            tasks,
            unstarted,
            batch,
            full_at: None,
            is_behind: false,
            asked_at: None,
            sender,
            acks,
            started: 0,
            leaving: None,
            draining: BTreeMap::new(),
            restores: Restores::default(),
            copies: Copies::default(),
        }
    }

    /// Reads some, folds it, and lets out what is due; or hands over a little further what leaves. It waits for the
    /// log, or for an acknowledgement, no longer than `pace.poll.wait_max`. An error needs an operator.
    pub fn step(&mut self) -> Result<(), Error> {
        let now = self.worker.clock.monotonic();
        self.answer(now);
        if self.leaving.is_some() {
            return self.leave_on();
        }
        self.start_again(now)?;
        self.start_restored()?;
        self.observe_outputs(now)?;
        for task in self.tasks.iter_mut().flatten() {
            task.stop_at = self.worker.fence.stop_at(self.worker.generation, task.partition, task.position());
        }
        let limits = self.wait_if_full(now)?;
        match self.worker.source.poll(&limits, &mut self.batch)? {
            Polled::Records => {
                self.worker.share.spend(self.batch.len());
                self.apply()?;
            }
            Polled::Assigned(partitions) => {
                self.renew();
                let partitions = self.without_survivors(partitions)?;
                self.start(&partitions)?;
            }
            Polled::Revoked(partitions) => {
                self.batch.clear();
                // The group is in its next generation already, and gives nobody what leaves before that is answered.
                self.renew();
                self.leave(Some(partitions));
                return self.leave_on();
            }
            Polled::Lost(partitions) => {
                if !self.worker.seeded.has(Bug::RejoinedZombie) {
                    self.drop_tasks(&partitions);
                    self.copies.forget(&partitions, &self.worker.progress);
                }
                self.renew();
            }
        }
        while let Ok(ack) = self.acks.try_recv() {
            self.acknowledge(ack)?;
        }
        if limits.records_max > 0 {
            let is_full = self.batch.len() >= limits.records_max || self.batch.bytes() >= limits.bytes_max;
            let now = self.worker.clock.monotonic();
            self.full_at = if is_full { Some(now) } else { self.full_at };
            // A log far away hands out less now and then, although it has more.
            self.is_behind = self.full_at.is_some_and(|at| now < at + BEHIND_FOR);
        }
        self.turn()?;
        self.copy()
    }

    /// Everything folded is written, out and committed, unless that takes too long: replay does it again.
    pub fn hand_over(&mut self) -> Result<(), Error> {
        self.leave(None);
        while self.leaving.is_some() {
            self.leave_on()?;
        }
        Ok(())
    }

    /// Copies the committed state of a partition into `dir`, an empty folder on the disk of the state; `false`: there is
    /// none yet, or the partition is not ours.
    pub fn snapshot(&mut self, partition: Partition, dir: &Path) -> Result<bool, Error> {
        self.task(partition).map_or(Ok(false), |task| task.snapshot(dir))
    }

    /// Drops the tasks, and returns when nothing holds log and store any more: their files are free for the next owner.
    pub fn end(mut self) {
        let ours: Vec<Partition> = self.tasks.iter().flatten().map(|task| task.partition).collect();
        self.drop_tasks(&ours);
        self.restores.end();
        self.copies.end();
        self.worker.runtime.block_on(self.worker.outlets.shutdown());
    }

    /// Answers some of those who wait for a task.
    fn answer(&mut self, now: Duration) {
        let is_asked = answer_some(&mut self.tasks);
        self.asked_at = if is_asked { Some(now) } else { self.asked_at };
    }

    /// How long may be waited for the log, or for anybody else.
    fn wait_max(&self, now: Duration) -> Duration {
        let wait_max = self.worker.pace.poll.wait_max;
        let is_asked = self.asked_at.is_some_and(|at| now < at + ASKED_FOR);
        if is_asked { wait_max.min(LOOK_AGAIN) } else { wait_max }
    }

    /// The limits of the next poll. Back-pressure: nothing more is read until something is out.
    fn wait_if_full(&mut self, now: Duration) -> Result<Limits, Error> {
        let mut limits = Limits { wait_max: self.wait_max(now), ..self.worker.pace.poll };
        let owned = self.tasks.iter().flatten().count();
        if let Some(granted) = self.worker.share.grant(now, owned) {
            limits.records_max = limits.records_max.min(granted);
        }
        let pace = &self.worker.pace;
        let is_held = owned > 0 && self.tasks.iter().flatten().all(Task::is_at_fence);
        if is_held || limits.records_max == 0 || self.tasks.iter().flatten().any(|task| task.is_full(pace)) {
            if let Ok(ack) = self.acks.recv_timeout(limits.wait_max) {
                self.acknowledge(ack)?;
            }
            return Ok(Limits { records_max: 0, wait_max: Duration::ZERO, ..limits });
        }
        Ok(limits)
    }

    fn turn(&mut self) -> Result<(), Error> {
        let now = self.worker.clock.monotonic();
        let mut is_answered = true;
        let is_behind = self.is_behind;
        // All at once: they share a transaction.
        let emits = self.tasks.iter().flatten().any(|task| task.wants_emit(now, is_behind, &self.worker.pace));
        for place in 0..self.tasks.len() {
            for way in Way::ALL {
                // Each may take a while, and somebody may wait for an answer.
                self.answer(now);
                if let Some(Some(task)) = self.tasks.get_mut(place) {
                    task.turn(way, now, (is_behind, emits), &self.worker.pace)?;
                }
            }
            let Some(Some(task)) = self.tasks.get_mut(place) else { continue };
            if task.is_at_fence() && task.settle(now) {
                self.worker.fence.settle(self.worker.generation, task.partition, task.position());
            }
            if let Some(after) = self.worker.pace.tick.filter(|_| is_answered && task.wants_tick(now)) {
                match answered(self.worker.source.bounds(task.partition))? {
                    Some(bounds) => task.tick(now, bounds.end, after),
                    // Others may be led by the same broker, and each question waits.
                    None => is_answered = false,
                }
            }
        }
        Ok(())
    }

    /// Where another generation puts outputs out, how far it is: what is out need not be kept, and P may follow. Who
    /// puts them out from now on has to know how far the former one came, and asks until it is told.
    fn observe_outputs(&mut self, now: Duration) -> Result<(), Error> {
        let worker = &mut self.worker;
        let is_ours = worker.emission.is(worker.generation);
        let Outputs { is_ours: was_ours, looked_at, is_told } = worker.outputs;
        let is_due = now >= looked_at + worker.pace.emit_idle;
        let is_news = is_ours != was_ours;
        if !is_news && (!is_due || (is_ours && is_told)) {
            return Ok(());
        }
        let mut is_told = true;
        for task in self.tasks.iter_mut().flatten() {
            // Each question waits, and one coordinator answers them all.
            let emitted = if is_told { answered(worker.source.committed(task.partition))? } else { None };
            is_told = emitted.is_some();
            if is_told || !is_ours {
                task.observe_outputs(emitted.flatten().unwrap_or_default(), is_ours);
            }
        }
        worker.outputs =
            Outputs { is_ours, looked_at: now, is_told: is_told || worker.seeded.has(Bug::EmissionMissed) };
        Ok(())
    }

    /// Who keeps a partition through a change of the group has had it all the time, and goes on in the name of the
    /// present generation; what was handed out before goes out in the former one's, or not at all.
    fn renew(&mut self) {
        for task in self.tasks.iter_mut().flatten() {
            task.member = self.worker.source.member();
        }
    }

    /// START: state from disk, position at P, outputs below E suppressed. What cannot be asked now is tried again.
    fn start(&mut self, partitions: &[Partition]) -> Result<(), Error> {
        // The former ones' files must be closed before they are opened again.
        self.drop_tasks(partitions);
        let mut standings = BTreeMap::new();
        for partition in partitions {
            if self.restores.has(*partition) {
                // Given up, but the thread has not noticed yet.
                self.unstarted.insert(*partition, self.worker.clock.monotonic() + START_AGAIN);
                continue;
            }
            match Standing::of(&mut self.worker, *partition) {
                Ok(standing) => drop(standings.insert(*partition, standing)),
                Err(error) => self.unless_later(*partition, error)?,
            }
        }
        let ready: Vec<Partition> = standings.keys().copied().collect();
        let place = open::Place::of(&self.worker);
        for (partition, opened) in open::open_all(&place, &ready) {
            let standing = standings.get(&partition).expect("opened because it stands");
            match opened {
                Ok(opened) => {
                    if let Err(error) = self.start_or_restore(&place, opened, standing) {
                        self.unless_later(partition, error)?;
                    }
                }
                Err(error) => self.unless_later(partition, error)?,
            }
        }
        Ok(())
    }

    /// What may pass is tried again after a while.
    fn unless_later(&mut self, partition: Partition, error: Error) -> Result<(), Error> {
        if !error.is_transient() {
            return Err(error);
        }
        tracing::warn!(partition = partition.0, error = %with_causes(&error), "not started, trying again");
        self.worker.progress.set_struggling(true);
        self.unstarted.insert(partition, self.worker.clock.monotonic() + START_AGAIN);
        Ok(())
    }

    /// With the state that is there, unless the snapshot store is worth asking.
    fn start_or_restore(&mut self, place: &open::Place, opened: Opened, standing: &Standing) -> Result<(), Error> {
        let snapshots = self.worker.snapshots.as_ref();
        let wanted = snapshots.and_then(|snapshots| restore::wanted(place, &opened, standing, snapshots.worth));
        let Some((snapshots, wanted)) = snapshots.zip(wanted) else { return self.begin(opened, standing) };
        let (archive, place, runtime) = (snapshots.archive.clone(), place.clone(), self.worker.runtime.clone());
        self.restores.ask(Restore { archive, place, opened, wanted, runtime });
        Ok(())
    }

    /// Those whose state has come, or has not.
    fn start_restored(&mut self) -> Result<(), Error> {
        while let Some((partition, opened)) = self.restores.next() {
            // As of now: meanwhile an operator may have accepted a gap.
            let standing = opened.and_then(|opened| Ok((opened, Standing::of(&mut self.worker, partition)?)));
            if let Err(error) = standing.and_then(|(opened, standing)| self.begin(opened, &standing)) {
                self.unless_later(partition, error)?;
            }
        }
        Ok(())
    }

    fn begin(&mut self, opened: Opened, standing: &Standing) -> Result<(), Error> {
        let place = usize::try_from(opened.partition.0).unwrap_or_default();
        if self.tasks.len() <= place {
            self.tasks.resize_with(place + 1, || None);
        }
        self.started += 1;
        let started = Task::start(&mut self.worker, opened, standing, (&self.sender, self.started))?;
        *self.tasks.get_mut(place).expect("resized above") = Some(started);
        Ok(())
    }

    /// Copies of our states go on a little further.
    fn copy(&mut self) -> Result<(), Error> {
        let Some(snapshots) = &self.worker.snapshots else { return Ok(()) };
        if !self.copies.is_time(self.worker.clock.monotonic()) {
            return Ok(());
        }
        let (place, worker) = (open::Place::of(&self.worker), &self.worker);
        let with = With {
            snapshots,
            place: &place,
            clock: &worker.clock,
            progress: &worker.progress,
            runtime: &worker.runtime,
            partitions: worker.source.topic().partitions,
        };
        self.copies.turn(&mut self.tasks, &with)
    }

    /// All of them, unless a fault lets tasks outlive the loss of their partitions.
    fn without_survivors(&mut self, mut partitions: Vec<Partition>) -> Result<Vec<Partition>, Error> {
        if self.worker.seeded.has(Bug::RejoinedZombie) {
            for task in self.tasks.iter().flatten().filter(|task| partitions.contains(&task.partition)) {
                self.worker.source.seek(task.partition, task.position())?;
            }
            partitions.retain(|partition| self.task(*partition).is_none());
        }
        Ok(partitions)
    }

    fn start_again(&mut self, now: Duration) -> Result<(), Error> {
        let due = |(partition, at): (&Partition, &Duration)| (now >= *at).then_some(*partition);
        let due: Vec<Partition> = self.unstarted.iter().filter_map(due).collect();
        if due.is_empty() {
            return Ok(());
        }
        self.start(&due)?;
        if self.unstarted.is_empty() {
            self.worker.progress.set_struggling(false);
        }
        Ok(())
    }

    fn drop_tasks(&mut self, partitions: &[Partition]) {
        for p in partitions {
            self.unstarted.remove(p);
            self.draining.remove(p);
            self.restores.cancel(*p);
            let place = usize::try_from(p.0).unwrap_or_default();
            if let Some(slot) = self.tasks.get_mut(place) {
                *slot = None;
            }
            if let Some(progress) = self.worker.progress.of(*p) {
                progress.is_owned.store(false, Ordering::Release);
            }
        }
    }

    fn task(&mut self, partition: Partition) -> Option<&mut Task<K, T>> {
        self.tasks.get_mut(usize::try_from(partition.0).ok()?)?.as_mut()
    }

    fn apply(&mut self) -> Result<(), Error> {
        if self.worker.schemas.missing(&self.batch).is_some() {
            let (stop, runtime) = (Arc::clone(&self.worker.stop), self.worker.runtime.clone());
            let goes_on = || !stop.load(Ordering::Relaxed);
            if !runtime.block_on(self.worker.schemas.learn(&self.batch, goes_on)) {
                // Told to stop: who comes next reads it.
                return Ok(());
            }
        }
        let mut run = Vec::with_capacity(AHEAD);
        let mut records = self.batch.iter().peekable();
        while let Some(record) = records.next() {
            run.push(record);
            if run.len() < AHEAD && records.peek().is_some_and(|next| next.partition == record.partition) {
                continue;
            }
            let task = usize::try_from(record.partition.0).ok().and_then(|place| self.tasks.get_mut(place));
            if let Some(Some(task)) = task {
                task.apply(&self.worker.schemas.decoder, &run)?;
                answer_some(&mut self.tasks);
            }
            run.clear();
        }
        drop(records);
        for (partition, next) in self.batch.reached() {
            let task = usize::try_from(partition.0).ok().and_then(|place| self.tasks.get_mut(place));
            if let Some(Some(task)) = task {
                task.advance(*next);
            }
        }
        let mut again = Vec::new();
        for task in self.tasks.iter_mut().flatten() {
            if let Err(error) = task.end_batch() {
                tracing::error!(partition = task.partition.0, error = %error, "state is damaged: opening it again");
                again.push(task.partition);
            } else if task.is_at_fence() && self.batch.goes_beyond(task.partition, task.position()) {
                // What was read beyond it is read again.
                let sought = self.worker.source.seek(task.partition, task.position());
                if answered(sought)?.is_none() {
                    again.push(task.partition);
                }
            }
        }
        self.open_again(&again)
    }

    /// Tasks whose state or log cannot be read start again, once what they sent has an outcome: outputs that go out behind the
    /// look at E would go out twice.
    fn open_again(&mut self, again: &[Partition]) -> Result<(), Error> {
        let mut ready = Vec::new();
        for partition in again {
            match self.task(*partition).and_then(|task| task.sending()) {
                Some(incarnation) if !self.worker.seeded.has(Bug::ReopenedMeanwhile) => {
                    self.drop_tasks(&[*partition]);
                    self.draining.insert(*partition, incarnation);
                }
                Some(_) | None => ready.push(*partition),
            }
        }
        self.start(&ready)
    }

    /// As if a read of the partition's state had failed.
    #[cfg(feature = "seeded-bugs")]
    pub fn lose_state(&mut self, partition: Partition) -> Result<(), Error> {
        if self.task(partition).is_some() && self.leaving.is_none() { self.open_again(&[partition]) } else { Ok(()) }
    }

    fn acknowledge(&mut self, ack: Ack) -> Result<(), Error> {
        let is_of_emit = !matches!(ack, Ack::Flushed { .. });
        if is_of_emit && self.draining.get(&ack.partition()) == Some(&ack.task()) {
            return self.start(&[ack.partition()]);
        }
        let Some(task) = self.task(ack.partition()) else { return Ok(()) };
        if task.acknowledge(&ack) {
            return Ok(());
        }
        // The outcome of an emit is unknown: what is committed says what happened.
        self.start(&[ack.partition()])
    }

    /// From the next step on tasks are handed over: all, or those of some partitions.
    fn leave(&mut self, only: Option<Vec<Partition>>) {
        let deadline = self.worker.clock.monotonic() + HAND_OVER_MAX;
        self.leaving = Some(Leaving { only, given_up: Vec::new(), deadline });
    }

    /// Flush, emit, commit, release, within a deadline; missing it is safe, replay does it again. Nothing is read
    /// meanwhile.
    fn leave_on(&mut self) -> Result<(), Error> {
        let Some(mut leaving) = self.leaving.take() else { return Ok(()) };
        let now = self.worker.clock.monotonic();
        // Whoever has it next needs the files.
        let mut all_done = !self.restores.give_up(|partition| leaving.has(partition));
        for task in self.tasks.iter_mut().flatten().filter(|task| leaving.waits_for(task.partition)) {
            all_done &= task.finish(now)?;
        }
        if all_done || now >= leaving.deadline {
            return self.part(leaving);
        }
        if let Ok(ack) = self.acks.recv_timeout(self.worker.pace.poll.wait_max) {
            if !leaving.has(ack.partition()) {
                self.acknowledge(ack)?;
            } else if self.task(ack.partition()).is_some_and(|task| !task.acknowledge(&ack)) {
                leaving.given_up.push(ack.partition());
            }
        }
        self.leaving = Some(leaving);
        Ok(())
    }

    /// The end of a hand-over, whatever was reached.
    fn part(&mut self, leaving: Leaving) -> Result<(), Error> {
        let worker = &mut self.worker;
        for task in self.tasks.iter_mut().flatten().filter(|task| leaving.has(task.partition)) {
            if !worker.emission.is(worker.generation)
                && let Some(emitted) = answered(worker.source.committed(task.partition))?
            {
                task.observe_outputs(emitted.unwrap_or_default(), false);
            }
            task.close()?;
        }
        if let Some(partitions) = leaving.only.filter(|_| !self.worker.seeded.has(Bug::RejoinedZombie)) {
            self.drop_tasks(&partitions);
            self.copies.forget(&partitions, &self.worker.progress);
        }
        Ok(())
    }
}

/// Each task answers some of those who wait for it; whether there were any.
fn answer_some<K: Sink + Publish, T: Store>(tasks: &mut [Option<Task<K, T>>]) -> bool {
    let mut is_asked = false;
    for task in tasks.iter_mut().flatten() {
        is_asked |= task.answer();
    }
    is_asked
}

/// `None`: it does not answer now.
fn answered<A>(asked: Result<A, crate::consume::Error>) -> Result<Option<A>, crate::consume::Error> {
    match asked {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_transient() => Ok(None),
        Err(error) => Err(error),
    }
}
