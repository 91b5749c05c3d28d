//! A topic that is not the log, read as a member of a group. What the group has committed is where its members go on, so
//! nothing is committed here before somebody says that it is done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::admin::AdminClient;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset as At, TopicPartitionList};

use super::changes::Quiet;
use super::offsets::number;
use super::source::record;
use super::{Settings, describe};
use crate::clock::Clock;
use crate::consume::{Batch, Error, Limits, Topic};
use crate::ids::{Next, Partition};

/// Reads what is committed, from the first record that there is, or from where the group was.
pub struct Foreign {
    consumer: BaseConsumer<Told>,
    topic: Topic,
    /// Partitions of which all was read that was there at some time since the start.
    ended: BTreeSet<Partition>,
    clock: Clock,
}

impl Foreign {
    /// Joins `group` at the brokers of `settings`; the topic must be there.
    pub fn join(settings: &Settings, topic: &str, group: &str) -> Result<Self, Error> {
        let unavailable = |error: KafkaError| Error::Unavailable { topic: topic.to_owned(), what: error.to_string() };
        let admin: AdminClient<Quiet> = settings.client().create_with_context(Quiet).map_err(unavailable)?;
        let described = describe::describe(&admin, settings, topic)?;
        let mut config = settings.reader();
        config
            .set("group.id", group)
            .set("session.timeout.ms", settings.session_timeout.as_millis().to_string())
            .set("auto.offset.reset", "earliest")
            .set("enable.partition.eof", "true");
        let consumer: BaseConsumer<Told> = config.create_with_context(Told::default()).map_err(unavailable)?;
        consumer.subscribe(&[topic]).map_err(unavailable)?;
        Ok(Self { consumer, topic: described, ended: BTreeSet::new(), clock: Clock::system() })
    }

    pub const fn topic(&self) -> &Topic {
        &self.topic
    }

    /// Clears `into` and fills it; one record may go beyond the limit of bytes. Waits at most `limits.wait_max` for the
    /// first.
    pub fn poll(&mut self, limits: &Limits, into: &mut Batch) -> Result<(), Error> {
        into.clear();
        let until = self.clock.monotonic() + limits.wait_max;
        while into.len() < limits.records_max && into.bytes() < limits.bytes_max {
            let wait = if into.is_empty() { until.saturating_sub(self.clock.monotonic()) } else { Duration::ZERO };
            match self.consumer.poll(wait) {
                Some(Ok(message)) => into.push(record(&message)),
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    self.ended.extend(u32::try_from(partition).ok().map(Partition));
                }
                Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => {
                    return Err(Error::Engine { file: self.topic.name.clone(), source: Box::new(error) });
                }
                Some(Err(error)) => tracing::warn!(error = %error, topic = self.topic.name, "reading, trying again"),
                None if !into.is_empty() || self.clock.monotonic() >= until => break,
                None => {}
            }
        }
        Ok(())
    }

    /// The group goes on behind the records of `done`. What is not committed is read again, by whoever has it then.
    pub fn commit(&self, done: &Batch) -> Result<(), Error> {
        let mut ends: BTreeMap<Partition, Next> = BTreeMap::new();
        for record in done.iter() {
            let end = ends.entry(record.partition).or_default();
            *end = record.offset.next().max(*end);
        }
        let mut list = TopicPartitionList::new();
        let failed = |error: KafkaError| Error::Unavailable { topic: self.topic.name.clone(), what: error.to_string() };
        for (partition, end) in ends {
            let offset = At::Offset(i64::try_from(end.0).unwrap_or(i64::MAX));
            list.add_partition_offset(&self.topic.name, number(partition), offset).map_err(failed)?;
        }
        self.consumer.commit(&list, CommitMode::Sync).map_err(failed)
    }

    /// Whether all is read that was there, at some time since the start, in the partitions that are ours. Where others of
    /// the group have all of them, that is so once the group has said it.
    pub fn is_at_end(&self) -> bool {
        if !self.consumer.context().is_assigned.load(Ordering::Acquire) {
            return false;
        }
        let Ok(ours) = self.consumer.assignment() else { return false };
        let has_ended = |partition: i32| u32::try_from(partition).is_ok_and(|p| self.ended.contains(&Partition(p)));
        ours.elements().iter().all(|element| has_ended(element.partition()))
    }
}

/// Whether the group has told what is ours, be it nothing, and has not taken it back.
#[derive(Debug, Default)]
struct Told {
    is_assigned: AtomicBool,
}

impl ClientContext for Told {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        Quiet.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        Quiet.error(error, reason);
    }
}

impl ConsumerContext for Told {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, _: &Rebalance<'_>) {
        self.is_assigned.store(false, Ordering::Release);
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        self.is_assigned.store(matches!(rebalance, Rebalance::Assign(_)), Ordering::Release);
    }
}
