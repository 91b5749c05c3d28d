//! A worker's view of the events in Kafka: as a member of a group, or alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerGroupMetadata};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::topic_partition_list::{Offset as At, TopicPartitionList};

use super::changes::{Change, Changes};
use super::describe;
use super::ends;
use super::offsets::{Offsets, number};
use super::tail::Tail;
use super::{Kafka, failed};
use crate::clock::Clock;
use crate::consume::{Batch, Bounds, Error, Limits, Polled, Record, Source, Topic};
use crate::ids::{Millis, Next, Offset, Partition};

/// How often the topic is looked at: whether it is the same one still.
const CHECK_EVERY: Duration = Duration::from_secs(10);
/// A static member can lose its name to itself: its join is given up while the coordinator stalls, and taken up later
/// beside the next one. So it joins again; but not so often within that time, for then there is another of its name.
const FENCED_MAX: usize = 3;
const FENCED_WITHIN: Duration = Duration::from_secs(300);
/// Members learn of a change of their group from an answer to this: while one has handed a partition over, and the next
/// has not heard of it yet, it stands still.
const HEARTBEAT_MS_MAX: u128 = 500;
/// Who takes no records for so long has the library fetch none.
const PAUSE_AFTER: Duration = Duration::from_millis(500);

/// Who a reader is in its group, as of one assignment. None for who reads alone.
#[derive(Clone, Default)]
pub struct Member(Option<Arc<ConsumerGroupMetadata>>);

impl Member {
    pub(super) fn of(metadata: Option<ConsumerGroupMetadata>) -> Self {
        Self(metadata.map(Arc::new))
    }

    pub(crate) fn metadata(&self) -> Option<&ConsumerGroupMetadata> {
        self.0.as_deref()
    }

    /// Whether both are of one assignment.
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}

impl std::fmt::Debug for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Member")
    }
}

/// Reads the partitions that the group assigns, each from where it was sought.
pub struct KafkaSource {
    consumer: BaseConsumer<Changes>,
    log: Kafka,
    offsets: Offsets,
    member: Member,
    /// Ours by the assignment, whether fetched or not.
    ours: BTreeSet<Partition>,
    /// Fetched.
    live: BTreeSet<Partition>,
    /// To be fetched from here with the next poll.
    sought: BTreeMap<Partition, Next>,
    /// Told of, to be answered with the next poll: by then all is handed over.
    leaving: Option<Vec<Partition>>,
    /// Read, but too large for the batch before.
    carried: VecDeque<Carried>,
    /// Since when no records were taken, and whether fetching is paused for it.
    held: Option<(Duration, bool)>,
    checked: Duration,
    tail: Tail,
    clock: Clock,
    /// To join again with; none for who reads alone.
    joining: Option<ClientConfig>,
    /// When another took our name.
    fenced: Vec<Duration>,
    /// Ours until our name was taken: to be told of.
    lost: Option<Vec<Partition>>,
    is_announced: bool,
}

struct Carried {
    partition: Partition,
    offset: Offset,
    timestamp: Millis,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl KafkaSource {
    pub(super) fn join(log: Kafka, generation: u32, worker: u32) -> Result<Self, Error> {
        let settings = log.settings();
        let session = settings.session_timeout.as_millis();
        let mut config = settings.reader();
        config
            .set("group.id", settings.group_of(generation))
            .set("enable.partition.eof", "true")
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("session.timeout.ms", session.to_string())
            .set("heartbeat.interval.ms", (session / 4).clamp(100, HEARTBEAT_MS_MAX).to_string());
        if !settings.instance.is_empty() {
            config.set("group.instance.id", format!("{}-{worker}", settings.instance));
        }
        let consumer = joined(&log, &config)?;
        Ok(Self::new(log, consumer, Some(config)))
    }

    pub(super) fn alone(log: Kafka) -> Result<Self, Error> {
        let mut config = log.settings().reader();
        // Never committed and never joined: the library wants a name.
        config.set("group.id", format!("{}-reader", log.settings().group)).set("enable.partition.eof", "true");
        let partitions = (0..log.topic().partitions).map(Partition);
        let consumer = config.create_with_context(Changes::default()).map_err(|e| failed(log.settings(), &e))?;
        let mut source = Self::new(log, consumer, None);
        source.ours.extend(partitions);
        Ok(source)
    }

    fn new(log: Kafka, consumer: BaseConsumer<Changes>, joining: Option<ClientConfig>) -> Self {
        Self {
            consumer,
            offsets: Offsets::new(log.clone()),
            log,
            member: Member::default(),
            ours: BTreeSet::new(),
            live: BTreeSet::new(),
            sought: BTreeMap::new(),
            leaving: None,
            carried: VecDeque::new(),
            held: None,
            checked: Duration::ZERO,
            tail: Tail::default(),
            clock: Clock::system(),
            joining,
            fenced: Vec::new(),
            lost: None,
            is_announced: false,
        }
    }

    fn failed(&self, error: &KafkaError) -> Error {
        failed(self.log.settings(), error)
    }

    /// What was told of with the last poll is answered: the group goes on.
    fn leave(&mut self) -> Result<(), Error> {
        let Some(leaving) = self.leaving.take() else { return Ok(()) };
        let gone: Vec<_> = leaving.into_iter().filter(|partition| self.live.remove(partition)).collect();
        self.unassign(&gone)
    }

    fn unassign(&self, partitions: &[Partition]) -> Result<(), Error> {
        self.consumer.incremental_unassign(&self.list(partitions)).map_err(|error| self.failed(&error))
    }

    fn list(&self, partitions: &[Partition]) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition(&self.log.topic().name, number(*partition));
        }
        list
    }

    /// The next change, for the worker.
    fn change(&mut self) -> Result<Option<Polled>, Error> {
        if self.joining.is_none() && !self.is_announced {
            self.is_announced = true;
            return Ok(Some(Polled::Assigned(self.ours.iter().copied().collect())));
        }
        if let Some(lost) = self.lost.take() {
            return Ok(Some(Polled::Lost(lost)));
        }
        let Some(change) = self.consumer.context().take() else { return Ok(None) };
        Ok(Some(match change {
            Change::Assign(partitions, member) => {
                self.member = member;
                self.ours.extend(&partitions);
                // The group goes on at once; each is fetched from where it is sought.
                self.consumer.incremental_assign(&TopicPartitionList::new()).map_err(|error| self.failed(&error))?;
                Polled::Assigned(partitions)
            }
            Change::Revoke(partitions, member) => {
                self.forget(&partitions, member);
                Polled::Revoked(partitions)
            }
            Change::Lost(partitions, member) => {
                self.forget(&partitions, member);
                Polled::Lost(partitions)
            }
        }))
    }

    fn forget(&mut self, partitions: &[Partition], member: Member) {
        // Outputs of what is handed over go out in the name of who had it: the tasks hold that.
        self.member = member;
        for partition in partitions {
            self.tail.forget(*partition);
            self.ours.remove(partition);
            self.sought.remove(partition);
        }
        self.carried.retain(|carried| !partitions.contains(&carried.partition));
        self.leaving = Some(partitions.to_vec());
    }

    /// Begins to fetch what was sought.
    fn fetch(&mut self) -> Result<(), Error> {
        if self.sought.is_empty() {
            return Ok(());
        }
        // The library keeps a pause beyond an assignment. It starts what is assigned a little later, and would drop that
        // start if it were told of a pause or of its end meanwhile: so this is first, and the next pause not at once.
        self.resume()?;
        self.held = self.held.map(|_| (self.clock.monotonic(), false));
        let again: Vec<_> = self.sought.keys().copied().filter(|partition| self.live.contains(partition)).collect();
        if !again.is_empty() {
            self.unassign(&again)?;
        }
        let mut list = TopicPartitionList::new();
        for (partition, next) in &self.sought {
            let offset = At::Offset(i64::try_from(next.0).unwrap_or(i64::MAX));
            list.add_partition_offset(&self.log.topic().name, number(*partition), offset)
                .map_err(|e| self.failed(&e))?;
        }
        self.consumer.incremental_assign(&list).map_err(|error| self.failed(&error))?;
        for (partition, next) in std::mem::take(&mut self.sought) {
            self.live.insert(partition);
            self.tail.sought(partition, next);
        }
        Ok(())
    }

    fn check(&mut self) -> Result<(), Error> {
        let now = self.clock.monotonic();
        if now < self.checked + CHECK_EVERY {
            return Ok(());
        }
        self.checked = now;
        self.check_now()
    }

    /// Whether it is the same topic, as far as that can be asked.
    fn check_now(&self) -> Result<(), Error> {
        match self.log.check() {
            Err(error) if error.is_transient() => Ok(()),
            outcome => outcome,
        }
    }

    /// Takes no records for now, and stays a member.
    fn hold(&mut self) -> Result<(), Error> {
        let now = self.clock.monotonic();
        let (since, is_paused) = *self.held.get_or_insert((now, false));
        if now < since + PAUSE_AFTER {
            return Ok(());
        }
        if !is_paused {
            let live: Vec<_> = self.live.iter().copied().collect();
            self.consumer.pause(&self.list(&live)).map_err(|error| self.failed(&error))?;
            self.held = Some((since, true));
        }
        // Nothing is fetched: what comes was on its way.
        match self.consumer.poll(Duration::ZERO) {
            Some(Ok(message)) if self.tail.read(&message) => self.carried.push_back(Carried::of(&message)),
            Some(Ok(_)) => {}
            Some(Err(KafkaError::PartitionEOF(partition))) => self.tail.unheard(partition),
            Some(Err(error)) if is_fenced(&error) => self.join_again(&error)?,
            Some(Err(error)) => self.explain(&error)?,
            None => {}
        }
        Ok(())
    }

    /// Nothing is ours any more; a new member has our name.
    fn join_again(&mut self, error: &KafkaError) -> Result<(), Error> {
        let now = self.clock.monotonic();
        self.fenced.retain(|at| now < *at + FENCED_WITHIN);
        self.fenced.push(now);
        let Some(config) = self.joining.as_ref().filter(|_| self.fenced.len() <= FENCED_MAX) else {
            return self.explain(error);
        };
        tracing::warn!(error = %error, "our name in the group was taken, joining again");
        let consumer = joined(&self.log, config)?;
        self.part();
        self.consumer = consumer;
        self.member = Member::default();
        self.lost = Some(std::mem::take(&mut self.ours).into_iter().collect());
        self.sought.clear();
        self.carried.clear();
        self.tail = Tail::default();
        (self.leaving, self.held) = (None, None);
        Ok(())
    }

    /// Before the client is let go: the library asks once more for an answer to everything.
    fn part(&mut self) {
        self.consumer.context().close();
        let live: Vec<_> = std::mem::take(&mut self.live).into_iter().collect();
        if let Err(error) = self.unassign(&live) {
            tracing::debug!(error = %error, "leaving the group");
        }
    }

    fn go_on(&mut self) -> Result<(), Error> {
        if let Some((_, true)) = self.held.take() { self.resume() } else { Ok(()) }
    }

    fn resume(&self) -> Result<(), Error> {
        let live: Vec<_> = self.live.iter().chain(self.sought.keys()).copied().collect();
        self.consumer.resume(&self.list(&live)).map_err(|error| self.failed(&error))
    }

    /// Where a partition stands at its end and yet not: see [`Tail`].
    fn look_behind(&mut self) -> Result<(), Error> {
        for (partition, next) in self.tail.due(self.clock.monotonic(), &self.live) {
            match ends::bounds(&self.consumer, &self.log, partition) {
                Ok(bounds) if bounds.end > next => {
                    self.tail.probe(partition, bounds.end);
                    self.sought.insert(partition, next);
                }
                Ok(_) => {}
                // The others may be asked of the same broker.
                Err(error) if error.is_transient() => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn read(&mut self, limits: &Limits, into: &mut Batch) -> Result<(), Error> {
        while let Some(carried) = self.carried.front() {
            if !fits(into, carried.key.len() + carried.value.len(), limits) {
                return Ok(());
            }
            into.push(carried.record());
            self.carried.pop_front();
        }
        let until = self.clock.monotonic() + limits.wait_max;
        while into.len() < limits.records_max && into.bytes() < limits.bytes_max {
            let left = if into.is_empty() { until.saturating_sub(self.clock.monotonic()) } else { Duration::ZERO };
            let wait = in_whole_ms(left);
            match self.consumer.poll(wait) {
                // What is fetched anew around a pause of the library's own may come twice.
                Some(Ok(message)) if !self.tail.read(&message) => {}
                Some(Ok(message)) => {
                    let bytes = message.key_len() + message.payload_len();
                    if !fits(into, bytes, limits) {
                        self.carried.push_back(Carried::of(&message));
                        break;
                    }
                    into.push(record(&message));
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    let fetched = describe::fetched_end(&self.consumer, &self.log.topic().name, partition);
                    if let Some((partition, next)) = self.tail.ended(partition, fetched) {
                        into.reach(partition, next);
                        break;
                    }
                }
                Some(Err(error)) if is_fenced(&error) => {
                    // What was read of partitions that are lost is not to be folded.
                    into.clear();
                    return self.join_again(&error);
                }
                Some(Err(error)) => self.explain(&error)?,
                None if into.is_empty() && self.consumer.context().is_empty() && self.clock.monotonic() < until => {}
                None => break,
            }
        }
        Ok(())
    }

    /// Whether an error needs an operator.
    fn explain(&mut self, error: &KafkaError) -> Result<(), Error> {
        if matches!(error, KafkaError::MessageConsumptionFatal(_)) {
            let why = if is_fenced(error) {
                "another process has the same `kafka.instance`: give each its own"
            } else {
                "this process can read no more: restart it"
            };
            let source = format!("{error}: {why}");
            return Err(Error::Engine { file: self.log.topic().name.clone(), source: source.into() });
        }
        let code = error.rdkafka_error_code();
        if code == Some(RDKafkaErrorCode::AutoOffsetReset) {
            // The library fetches that partition no more, and does not say which it is.
            for (partition, wanted) in self.tail.places(&self.live) {
                match ends::bounds(&self.consumer, &self.log, partition) {
                    Ok(bounds) if wanted < bounds.start || wanted > bounds.end => {
                        // Of another topic that is no wonder.
                        self.check_now()?;
                        return Err(self.out_of_range(partition, wanted, bounds));
                    }
                    Err(error) if !error.is_transient() => return Err(error),
                    Ok(_) | Err(_) => drop(self.sought.insert(partition, wanted)),
                }
            }
        }
        if matches!(code, Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic)) {
            return self.check_now();
        }
        tracing::warn!(error = %error, "reading the log, trying again");
        Ok(())
    }

    fn out_of_range(&self, partition: Partition, wanted: Next, bounds: Bounds) -> Error {
        Error::OutOfRange { topic: self.log.topic().name.clone(), partition, wanted, bounds }
    }
}

impl Source for KafkaSource {
    type Member = Member;

    fn topic(&self) -> &Topic {
        self.log.topic()
    }

    fn member(&self) -> Member {
        self.member.clone()
    }

    fn poll(&mut self, limits: &Limits, into: &mut Batch) -> Result<Polled, Error> {
        into.clear();
        self.leave()?;
        self.check()?;
        if let Some(change) = self.change()? {
            return Ok(change);
        }
        self.fetch()?;
        if limits.records_max == 0 {
            self.hold()?;
        } else {
            self.go_on()?;
            self.read(limits, into)?;
            if into.is_empty() && into.reached().is_empty() {
                self.look_behind()?;
            }
        }
        Ok(Polled::Records)
    }

    fn seek(&mut self, partition: Partition, to: Next) -> Result<(), Error> {
        let bounds = self.bounds(partition)?;
        if to < bounds.start || to > bounds.end {
            self.log.check()?;
            return Err(self.out_of_range(partition, to, bounds));
        }
        self.carried.retain(|carried| carried.partition != partition);
        if self.ours.contains(&partition) {
            self.sought.insert(partition, to);
        }
        Ok(())
    }

    fn bounds(&mut self, partition: Partition) -> Result<Bounds, Error> {
        ends::bounds(&self.consumer, &self.log, partition)
    }

    fn committed(&mut self, partition: Partition) -> Result<Option<Next>, Error> {
        self.offsets.committed(partition)
    }
}

impl Drop for KafkaSource {
    fn drop(&mut self) {
        self.part();
    }
}

/// A new member, which has subscribed.
fn joined(log: &Kafka, config: &ClientConfig) -> Result<BaseConsumer<Changes>, Error> {
    let failed = |error| failed(log.settings(), &error);
    let consumer: BaseConsumer<Changes> = config.create_with_context(Changes::default()).map_err(failed)?;
    consumer.subscribe(&[&log.topic().name]).map_err(failed)?;
    Ok(consumer)
}

fn is_fenced(error: &KafkaError) -> bool {
    matches!(error, KafkaError::MessageConsumptionFatal(RDKafkaErrorCode::FencedInstanceId))
}

impl Carried {
    fn of(message: &BorrowedMessage<'_>) -> Self {
        let Record { partition, offset, timestamp, key, value } = record(message);
        Self { partition, offset, timestamp, key: key.to_vec(), value: value.to_vec() }
    }

    fn record(&self) -> Record<'_> {
        let Self { partition, offset, timestamp, key, value } = self;
        Record { partition: *partition, offset: *offset, timestamp: *timestamp, key, value }
    }
}

/// The library waits for whole milliseconds, and spins through what is left of one.
fn in_whole_ms(wait: Duration) -> Duration {
    Duration::from_micros(u64::try_from(wait.as_micros()).unwrap_or(u64::MAX).next_multiple_of(1_000))
}

fn fits(into: &Batch, bytes: usize, limits: &Limits) -> bool {
    into.is_empty() || (into.len() < limits.records_max && into.bytes() + bytes <= limits.bytes_max)
}

pub(super) fn record<'a>(message: &'a BorrowedMessage<'_>) -> Record<'a> {
    Record {
        partition: Partition(u32::try_from(message.partition()).unwrap_or_default()),
        offset: Offset(u64::try_from(message.offset()).unwrap_or_default()),
        timestamp: Millis(message.timestamp().to_millis().unwrap_or_default()),
        key: message.key().unwrap_or_default(),
        value: message.payload().unwrap_or_default(),
    }
}
