//! One partition under one owner: its state, what is touched, and how far everything is.

mod outputs;
mod snapshot;

use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::append::{Outgoing, Sink};
use crate::consume::{Record, Source};
use crate::decode::{self, Decoder};
use crate::fold::effects::Effects;
use crate::fold::state::State;
use crate::fold::{Fold, Origin};
use crate::ids::{Millis, Next, Partition};
use crate::keep::{Intake, Store as Keep};
use crate::project::rows::AppliedRow;
use crate::project::words::Words;
use crate::project::{boards, build, tables};
use crate::publish::Publish;
use crate::store::{Row, Store};
use crate::telemetry::Progress;

use super::decision::Encoder;
use super::open::Opened;
use super::outlet::{self, Ack, Emit, Flush, Owner};
use super::questions::Seat;
use super::read::{Refused, read};
use super::seeded::{AtStart, Bug, Seeded};
use super::standing::Standing;
use super::ticks::{self, Ticks};
use super::{Error, Pace, Worker};

/// So many outputs leave at once, however far behind: they are kept in memory, and all are in one transaction.
const OUTPUTS_DUE: usize = 16_384;
/// So many are kept at most, some hundred bytes each: then nothing more is folded until some are out.
const OUTPUTS_MAX: usize = 4 * OUTPUTS_DUE;
/// So many questions are answered at a time: folding goes on, however much is asked.
const ANSWERS_MAX: usize = 16;

/// A partition's fold and its ways out.
pub(super) struct Task<K: Publish, T> {
    pub(super) partition: Partition,
    /// In whose name outputs go out: who was assigned the partition, and had it ever since.
    pub(super) member: K::Member,
    /// Tells incarnations apart: an acknowledgement for a former one is none for this.
    pub(super) incarnation: u64,
    state: State,
    keep: Keep,
    fold: Fold,
    words: Words,
    effects: Effects,
    /// Each with the event that caused it.
    outputs: Vec<(Next, Outgoing)>,
    decisions: Encoder,
    /// Whether they leave from here; if not they are kept until another generation has put them out.
    is_emitter: bool,
    /// E is moved once even if there is nothing to move it by: the group that did before will be forgotten.
    claims: bool,
    /// Nothing from there on is applied.
    pub(super) stop_at: Option<Next>,
    /// Everything below is folded.
    position: Next,
    /// Events from before it are replayed: their outputs are out.
    suppress_to: Next,
    record_time: Millis,
    emitted: Next,
    fast_acked: Next,
    slow_acked: Next,
    framed: Next,
    flushes: mpsc::Sender<Flush>,
    emits: mpsc::Sender<Emit<K::Member>>,
    is_flushing: bool,
    is_emitting: bool,
    last: Last,
    ticks: Ticks,
    progress: Progress,
    seat: Seat,
    topic: String,
    /// Of the topic.
    partitions: u32,
    seeded: Seeded,
    /// What seeded faults want to know of the start.
    at_start: AtStart,
    engines: std::marker::PhantomData<fn(K, T)>,
}

/// What leaves in turn.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    Rows,
    Outputs,
    State,
}

impl Way {
    pub(super) const ALL: [Self; 3] = [Self::Rows, Self::Outputs, Self::State];
}

/// When things last left, on the monotonic clock.
#[derive(Debug, Clone, Copy)]
struct Last {
    fast: Duration,
    slow: Duration,
    emit: Duration,
    commit: Duration,
}

impl<K: Sink + Publish, T: Store> Task<K, T> {
    /// PROTOCOL's START.
    pub(super) fn start<S: Source<Member = K::Member>>(
        worker: &mut Worker<S, K, T>,
        opened: Opened,
        standing: &Standing,
        (acks, incarnation): (&Sender<Ack>, u64),
    ) -> Result<Self, Error> {
        let Opened { partition, state, keep, position } = opened;
        let (position, Standing { emitted, bounds, rows, .. }) = standing.of_state(position)?;
        let position = worker.seeded.position(position, emitted);
        worker.source.seek(partition, position)?;
        let now = worker.clock.monotonic();
        let owner = Owner {
            partition,
            task: incarnation,
            acks: acks.clone(),
            progress: worker.progress.clone(),
            clock: worker.clock.clone(),
            seeded: worker.seeded,
        };
        let (flushes, flush_jobs) = mpsc::channel(1);
        let (emits, emit_jobs) = mpsc::channel(1);
        worker.outlets.spawn_on(outlet::flush_all(worker.store.clone(), flush_jobs, owner.clone()), &worker.runtime);
        worker.outlets.spawn_on(outlet::emit_all(worker.sink.clone(), emit_jobs, owner.clone()), &worker.runtime);
        let (tick_sender, tick_jobs) = mpsc::channel(1);
        worker.outlets.spawn_on(ticks::append_all(worker.sink.clone(), tick_jobs, partition), &worker.runtime);
        let seat = worker.questions.list(worker.generation, partition);
        tracing::info!(partition = partition.0, position = position.0, emitted = emitted.0, "partition started");
        // Rows are due as soon as it is live: what was appended meanwhile has waited long enough.
        let lately = now.saturating_sub(worker.pace.slow);
        let task = Self {
            partition,
            member: worker.source.member(),
            incarnation,
            at_start: worker.seeded.at_start(&state, (rows, bounds.end)),
            state,
            keep,
            fold: Fold::with(worker.bots.clone()),
            words: Words::default(),
            effects: Effects::from(position),
            outputs: Vec::new(),
            decisions: Encoder::new(owner.clock.clone()),
            is_emitter: standing.is_emitter,
            claims: standing.claims,
            stop_at: None,
            position,
            suppress_to: emitted,
            record_time: Millis(0),
            emitted,
            fast_acked: position,
            slow_acked: position,
            framed: position,
            flushes,
            emits,
            is_flushing: false,
            is_emitting: false,
            last: Last { fast: lately, slow: lately, emit: now, commit: now },
            ticks: Ticks::new(partition, owner.clock.clone(), tick_sender),
            progress: owner.progress,
            seat,
            topic: worker.source.topic().name.clone(),
            partitions: worker.source.topic().partitions,
            seeded: owner.seeded,
            engines: std::marker::PhantomData,
        };
        task.report_start();
        Ok(task)
    }

    fn report_start(&self) {
        self.report();
        if let Some(progress) = self.progress.of(self.partition) {
            progress.started.store(self.position.0, Ordering::Relaxed);
        }
    }

    /// FOLD: some records of the partition, in order.
    pub(super) fn apply(&mut self, decoder: &Decoder, records: &[Record<'_>]) -> Result<(), Error> {
        let mut events = Vec::with_capacity(records.len());
        let stop_at = self.stop_at;
        let beyond = |record: &Record<'_>| stop_at.is_some_and(|stop| record.offset.next() > stop);
        let taken = records.split(beyond).next().unwrap_or_default();
        let is_cut = taken.len() < records.len();
        let records = taken;
        for record in records {
            assert!(record.offset.next() > self.position, "the log goes backwards at {}", record.offset.0);
            let at = decode::Place { topic: &self.topic, partition: record.partition, offset: record.offset };
            self.effects.tally.read += 1;
            let is_left_out = self.seeded.has(Bug::SuppressedNotFolded) && record.offset.next() <= self.suppress_to;
            match read(decoder, record, at, self.partitions) {
                _ if is_left_out => {}
                Ok(event) => {
                    let is_told = self.seeded.tells_of(&event);
                    events.push((event, Origin { offset: record.offset, timestamp: record.timestamp }));
                    if is_told {
                        self.tell(records, &mut events);
                    }
                }
                Err(Refused::Misrouted { creator_id }) if outputs::fits(&creator_id, record) => {
                    self.put_right(record, creator_id);
                }
                Err(refused) => {
                    // Its letter comes after those of the records before it.
                    self.fold.apply_all(&mut self.state, &mut self.effects, &events);
                    events.clear();
                    let (class, message) = outputs::reason(refused)?;
                    self.refuse(record, class, message);
                }
            }
            self.position = record.offset.next();
            self.record_time = record.timestamp;
        }
        self.fold.apply_all(&mut self.state, &mut self.effects, &events);
        self.write_outputs(records);
        if is_cut && !self.seeded.has(Bug::ForgottenAtFence) {
            // The next one is beyond the fence, so there is none before it.
            self.position = self.position.max(stop_at.unwrap_or_default());
        }
        Ok(())
    }

    /// Answers some of those who wait; whether there were any. Everything up to the position is folded.
    pub(super) fn answer(&mut self) -> bool {
        answer_some(&mut self.seat, (&self.fold, &self.state), self.position)
    }

    /// Nothing of ours stands between the last record and `to`: marks of transactions, or what was never committed.
    pub(super) fn advance(&mut self, to: Next) {
        let to = self.stop_at.map_or(to, |stop| stop.min(to));
        self.position = self.position.max(to);
    }

    /// After a batch: a damaged read drops what was made of it.
    pub(super) fn end_batch(&mut self) -> Result<(), crate::keep::Error> {
        let tally = std::mem::take(&mut self.effects.tally);
        self.state.add_tally(&tally);
        self.keep.tick(&mut self.state)?;
        self.report();
        Ok(())
    }

    /// More would go too far ahead of what is out.
    pub(super) fn is_full(&self, pace: &Pace) -> bool {
        let touched = self.effects.fast.len() + self.effects.slow.len();
        let waiting = touched.max(self.outputs.len());
        let is_over = waiting > pace.rows_max.saturating_mul(2) || self.outputs.len() >= OUTPUTS_MAX;
        is_over || self.keep.intake() != Intake::Open
    }

    /// Everything below is folded.
    pub(super) const fn position(&self) -> Next {
        self.position
    }

    /// Who sent outputs of which nothing is known yet.
    pub(super) fn sending(&self) -> Option<u64> {
        self.is_emitting.then_some(self.incarnation)
    }

    pub(super) fn is_at_fence(&self) -> bool {
        self.stop_at.is_some_and(|stop| self.position >= stop)
    }

    /// Writes all that is touched; `true` once it is there.
    pub(super) fn settle(&mut self, now: Duration) -> bool {
        let is_written = self.fast_acked.min(self.slow_acked) >= self.position;
        if !is_written && !self.is_flushing {
            self.flush(now, true);
        }
        is_written
    }

    /// E, and whether it is this task that moves it from here on.
    pub(super) fn observe_outputs(&mut self, emitted: Next, is_ours: bool) {
        self.claims |= is_ours && !self.is_emitter;
        self.is_emitter = is_ours;
        if !self.is_emitting {
            self.emitted = self.emitted.max(emitted);
            self.suppress_to = self.suppress_to.max(emitted);
            self.outputs.retain(|(trigger, _)| *trigger > emitted);
        }
    }

    /// Whether outputs are due, or else E alone. Who is behind takes its time: a transaction costs the brokers the same
    /// whatever is in it.
    pub(super) fn wants_emit(&self, now: Duration, is_behind: bool, pace: &Pace) -> bool {
        let every = if is_behind || self.outputs.is_empty() { pace.emit_idle } else { pace.emit };
        self.may_emit() && (self.outputs.len() >= OUTPUTS_DUE || now >= self.last.emit + every)
    }

    fn may_emit(&self) -> bool {
        self.is_emitter && !self.is_emitting && (self.emitted < self.position || self.claims_e())
    }

    /// What is due leaves by this way; outputs if `emits`.
    pub(super) fn turn(
        &mut self,
        way: Way,
        now: Duration,
        (is_behind, emits): (bool, bool),
        pace: &Pace,
    ) -> Result<(), Error> {
        match way {
            Way::Rows => {
                if let Intake::Full { map, entities, limit } = self.keep.intake() {
                    return Err(Error::MapFull { partition: self.partition, map, entities, limit });
                }
                self.flush_due(now, is_behind, pace);
            }
            Way::Outputs if emits && self.may_emit() => self.emit(now),
            Way::Outputs => {}
            Way::State => {
                if self.framed < self.position && (self.keep.due() || now >= self.last.commit + pace.commit) {
                    self.commit(now)?;
                }
                self.release();
            }
        }
        Ok(())
    }

    fn flush_due(&mut self, now: Duration, is_behind: bool, pace: &Pace) {
        let (fast, slow) = if is_behind { (pace.catching_up, pace.catching_up) } else { (pace.fast, pace.slow) };
        let touched = self.effects.fast.len() + self.effects.slow.len();
        let slow_due = now >= self.last.slow + slow || touched >= pace.rows_max;
        let fast_due = now >= self.last.fast + fast || slow_due;
        if fast_due && !self.is_flushing && self.fast_acked < self.position {
            self.flush(now, slow_due);
        } else if slow_due && !self.is_flushing && self.slow_acked < self.position {
            self.flush(now, true);
        }
    }

    /// What is out is folded here too, so that E can be said again.
    fn claims_e(&self) -> bool {
        self.claims && self.position >= self.emitted && self.position > Next(0)
    }

    /// Who puts outputs out appends them too; other generations find them in the log.
    pub(super) fn wants_tick(&mut self, now: Duration) -> bool {
        self.is_emitter && self.ticks.take_turn(now)
    }

    /// Once everything up to where the log ended at the last look is folded, and what was folded before is not folded
    /// again. Where records come all the time, nobody is ever at the end that was asked just now.
    pub(super) fn tick(&mut self, now: Duration, end: Next, after: Duration) {
        if self.position >= self.ticks.end_before(end).max(self.suppress_to) {
            self.ticks.look(&self.state, now, after);
        }
    }

    /// ROWS: everything touched; slow tables too if they are due.
    fn flush(&mut self, now: Duration, with_slow: bool) {
        let fast = self.effects.take_fast(self.position);
        let mut rows = build::fast(&self.state, &fast, self.partition);
        self.last.fast = now;
        let slow_to = if with_slow {
            let slow = self.effects.take_slow();
            let (state, fold, seat, position) = (&self.state, &self.fold, &mut self.seat, self.position);
            // Nobody who asks waits for all of it.
            let between = || {
                answer_some(seat, (fold, state), position);
            };
            let caches = (&mut self.words, &fold.quarters);
            rows.extend(build::slow_in_parts(state, caches, &slow, self.partition, between));
            let place = (self.partition, self.position);
            rows.extend(boards::rows(&self.state, &mut self.fold.ranks, &slow, place));
            self.last.slow = now;
            self.position
        } else {
            self.slow_acked
        };
        rows.push(self.applied_row(slow_to));
        self.spoil(&mut rows, now);
        // One is in flight at most, so there is room. If the runtime is gone nothing is acknowledged any more, P stays
        // where it is, and the next start makes these rows again.
        let sent = self.flushes.try_send(Flush { rows, fast: self.position, slow: slow_to });
        self.is_flushing = !matches!(sent, Err(mpsc::error::TrySendError::Full(_)));
        assert!(self.is_flushing, "one flush in flight");
        if self.seeded.has(Bug::CleanAtSend) {
            (self.fast_acked, self.slow_acked) = (self.position, slow_to);
        }
    }

    fn spoil(&self, rows: &mut Vec<Row>, now: Duration) {
        if self.seeded.has(Bug::ClockStamp) {
            let stamp = Next(u64::try_from(now.as_millis()).unwrap_or(u64::MAX));
            rows.iter_mut().for_each(|row| row.at = stamp);
        }
        if self.seeded.has(Bug::DeleteCoalesced) {
            rows.retain(|row| row.value.is_some());
        }
        if self.seeded.has(Bug::RelativeRows) {
            self.at_start.take_from(rows);
        }
    }

    fn applied_row(&self, slow: Next) -> Row {
        let value =
            AppliedRow { fast: self.position, slow, record_time: self.record_time, committed: self.keep.durable() };
        let key = tables::applied(self.partition);
        Row { key, at: self.position, value: Some(value.encode()), expires: None }
    }

    /// EMIT: outputs and E in one transaction.
    fn emit(&mut self, now: Duration) {
        let outputs = std::mem::take(&mut self.outputs).into_iter().map(|(_, outgoing)| outgoing);
        let outputs = if self.seeded.has(Bug::OutputsReversed) { outputs.rev().collect() } else { outputs.collect() };
        self.last.emit = now;
        self.claims = false;
        let emit = Emit { owner: self.member.clone(), outputs, position: self.position.max(self.at_start.fetched) };
        self.is_emitting = self.emits.try_send(emit).is_ok();
        if self.seeded.has(Bug::EmittedAtSend) {
            self.emitted = self.position;
        }
    }

    fn commit(&mut self, now: Duration) -> Result<(), Error> {
        self.last.commit = now;
        self.state.free_expired(&mut self.keep);
        let partition = self.partition;
        self.keep.commit(&mut self.state, self.position).map_err(|source| Error::State { partition, source })?;
        self.framed = self.position;
        if self.seeded.has(Bug::DirtyLost) {
            drop((self.effects.take_fast(self.position), self.effects.take_slow()));
        }
        metrics::counter!(crate::telemetry::STATE_COMMITS).increment(1);
        Ok(())
    }

    /// COMMIT follows what is out: rows acknowledged and outputs emitted.
    fn release(&mut self) {
        let has = |bug| self.seeded.has(bug);
        let slow = if has(Bug::ReleasedBeforeSlow) { self.fast_acked } else { self.slow_acked };
        let rows = if has(Bug::LocalBeforeRows) { self.position } else { self.fast_acked.min(slow) };
        let rows = rows.max(self.at_start.written);
        let emitted = if has(Bug::LocalBeforeTxn) { self.position } else { self.emitted };
        self.keep.release(rows.min(emitted));
        if let Some(progress) = self.progress.of(self.partition) {
            progress.committed.store(self.keep.durable().0, Ordering::Relaxed);
        }
    }

    /// `false`: the outcome is unknown and the task must start again.
    pub(super) fn acknowledge(&mut self, ack: &Ack) -> bool {
        if ack.task() != self.incarnation {
            return true;
        }
        match ack {
            Ack::Flushed { fast, slow, .. } => {
                self.is_flushing = false;
                (self.fast_acked, self.slow_acked) = (*fast, *slow);
                if self.seeded.has(Bug::AckCleansAll) {
                    drop((self.effects.take_fast(self.position), self.effects.take_slow()));
                    (self.fast_acked, self.slow_acked) = (self.position, self.position);
                }
                if let Some(progress) = self.progress.of(self.partition) {
                    progress.rows.store(fast.min(slow).0, Ordering::Release);
                }
                true
            }
            Ack::Emitted { position, .. } => {
                self.is_emitting = false;
                self.emitted = *position;
                self.report();
                true
            }
            Ack::EmitUnknown { .. } => false,
        }
    }

    /// Sends what is left; `true` once all of it is out.
    pub(super) fn finish(&mut self, now: Duration) -> Result<bool, Error> {
        if !self.is_flushing && self.fast_acked.min(self.slow_acked) < self.position {
            self.flush(now, true);
        }
        if self.is_emitter && !self.is_emitting && self.emitted < self.position {
            self.emit(now);
        }
        if self.framed < self.position {
            self.commit(now)?;
        }
        let is_out = !self.is_emitter || self.emitted >= self.position;
        Ok(is_out && self.fast_acked.min(self.slow_acked) >= self.position)
    }

    /// The last frames and what is released are on disk when it returns.
    pub(super) fn close(&mut self) -> Result<(), Error> {
        self.release();
        let partition = self.partition;
        self.keep.flush().map_err(|source| Error::State { partition, source })?;
        self.release();
        Ok(())
    }

    fn report(&self) {
        let Some(progress) = self.progress.of(self.partition) else { return };
        let tally = self.state.tally();
        progress.is_owned.store(true, Ordering::Release);
        progress.position.store(self.position.0, Ordering::Relaxed);
        progress.emitted.store(self.emitted.0, Ordering::Relaxed);
        progress.read.store(tally.read, Ordering::Relaxed);
        progress.misrouted.store(tally.misrouted, Ordering::Relaxed);
        progress.applied.store(tally.applied, Ordering::Relaxed);
        progress.duplicate.store(tally.duplicate, Ordering::Relaxed);
        progress.parked.store(tally.parked, Ordering::Relaxed);
        progress.dead.store(tally.dead, Ordering::Relaxed);
        progress.record_time.store(self.record_time.0, Ordering::Relaxed);
        progress.rows.fetch_max(self.fast_acked.min(self.slow_acked).0, Ordering::Release);
    }
}

fn answer_some(seat: &mut Seat, (fold, state): (&Fold, &State), position: Next) -> bool {
    let mut answered = 0;
    while answered < ANSWERS_MAX
        && let Some(question) = seat.next()
    {
        question.answer(|asked| fold.preview(state, asked, position));
        answered += 1;
    }
    answered > 0
}
