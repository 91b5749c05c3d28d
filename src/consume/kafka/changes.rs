//! What the client library has to tell: changes of the assignment, which wait until the worker is ready for them, and its
//! log.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{DeliveryResult, ProducerContext};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;

use super::source::Member;
use crate::ids::Partition;

/// Tells its log to ours.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        told(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        failed(&error, reason);
    }
}

impl ConsumerContext for Quiet {}

impl ProducerContext for Quiet {
    type DeliveryOpaque = ();

    /// What was not delivered fails its transaction.
    fn delivery(&self, _result: &DeliveryResult<'_>, (): ()) {}
}

/// That a partition is read to its end is asked for, and no failure.
fn failed(error: &KafkaError, reason: &str) {
    if !matches!(error, KafkaError::Global(RDKafkaErrorCode::PartitionEOF)) {
        tracing::warn!(error = %error, reason, "kafka");
    }
}

fn told(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
            tracing::warn!(facility, message, "kafka");
        }
        RDKafkaLogLevel::Warning | RDKafkaLogLevel::Notice => tracing::info!(facility, message, "kafka"),
        RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => tracing::debug!(facility, message, "kafka"),
    }
}

/// A change of the assignment. The group waits until it is answered.
#[derive(Debug, Clone)]
pub(super) enum Change {
    /// With who we are from here on, as long as nothing else is told.
    Assign(Vec<Partition>, Member),
    Revoke(Vec<Partition>, Member),
    Lost(Vec<Partition>, Member),
}

/// Collects the changes. Once it is closing it answers them itself.
#[derive(Debug, Default)]
pub(super) struct Changes {
    waiting: Mutex<VecDeque<Change>>,
    is_closing: AtomicBool,
}

impl Changes {
    pub(super) fn take(&self) -> Option<Change> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    pub(super) fn close(&self) {
        self.is_closing.store(true, Ordering::Release);
    }
}

impl ClientContext for Changes {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        told(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        failed(&error, reason);
    }
}

impl ConsumerContext for Changes {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, code: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let is_assigned = code == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if self.is_closing.load(Ordering::Acquire) {
            // All was handed over, or is lost, and nothing is fetched any more.
            let none = TopicPartitionList::new();
            let answered =
                if is_assigned { consumer.incremental_assign(&none) } else { consumer.incremental_unassign(&none) };
            if let Err(error) = answered {
                tracing::debug!(error = %error, "leaving the group");
            }
            return;
        }
        let partition = |n: i32| u32::try_from(n).ok().map(Partition);
        let partitions: Vec<_> = list.elements().iter().filter_map(|element| partition(element.partition())).collect();
        let member = Member::of(consumer.group_metadata());
        let change = match (is_assigned, consumer.assignment_lost()) {
            (true, _) => Change::Assign(partitions, member),
            (false, true) => Change::Lost(partitions, member),
            (false, false) => Change::Revoke(partitions, member),
        };
        tracing::info!(change = ?change, "the group changes");
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(change);
    }
}
