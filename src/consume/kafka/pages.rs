//! Any stream of the log, read a stretch at a time and outside of any group: for commands that look.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset as At, TopicPartitionList};

use super::changes::Quiet;
use super::offsets::number;
use super::source::record;
use super::{Kafka, REQUEST_MAX, describe, ends, failed};
use crate::clock::Clock;
use crate::consume::{Batch, Bounds, Error, Limits, Stream};
use crate::ids::{Next, Partition};

/// How long the library is waited for at a time.
const POLL: Duration = Duration::from_millis(100);

/// Reads what is committed, from wherever it is asked for.
pub struct Pages {
    consumer: BaseConsumer<Quiet>,
    log: Kafka,
    stream: Stream,
    clock: Clock,
    /// What the library brings next, if nothing else is asked for.
    ahead: Option<(Partition, Next)>,
}

impl Pages {
    pub(super) fn open(log: Kafka, stream: Stream) -> Result<Self, Error> {
        let mut config = log.settings().reader();
        config
            // Never committed and never joined: the library wants a name.
            .set("group.id", format!("{}-reader", log.settings().group))
            .set("enable.partition.eof", "true")
            .set("queued.max.messages.kbytes", "8192");
        let consumer = config.create_with_context(Quiet).map_err(|error| failed(log.settings(), &error))?;
        Ok(Self { consumer, log, stream, clock: Clock::system(), ahead: None })
    }

    /// The readable range of a partition.
    pub fn bounds(&self, partition: Partition) -> Result<Bounds, Error> {
        ends::bounds_of(&self.consumer, &self.log, self.stream, partition)
    }

    /// Adds to `into` the records of a partition from `from` on and below `until`, until a limit is reached. Returns
    /// where to read on: `until` where nothing is left below it.
    pub fn read(
        &mut self,
        partition: Partition,
        (from, until): (Next, Next),
        limits: &Limits,
        into: &mut Batch,
    ) -> Result<Next, Error> {
        let mut is_fresh = self.ahead.take() != Some((partition, from));
        if is_fresh {
            self.assign(partition, from)?;
        }
        let topic = self.log.name_of(self.stream);
        let (mut next, mut said) = (from, "no answer in time".to_owned());
        let mut patience = self.clock.monotonic() + REQUEST_MAX * 2;
        while next < until {
            if into.len() >= limits.records_max || into.bytes() >= limits.bytes_max {
                self.ahead = Some((partition, next));
                return Ok(next);
            }
            match self.consumer.poll(POLL) {
                Some(Ok(message)) => {
                    let record = record(&message);
                    next = record.offset.next();
                    if next > until {
                        return Ok(until);
                    }
                    into.push(record);
                    patience = self.clock.monotonic() + REQUEST_MAX * 2;
                }
                Some(Err(KafkaError::PartitionEOF(of))) => {
                    // What was told before `until` was known may be an end of then; and a leader that has just become one
                    // may not know yet how far the log goes, and tells of an end before it.
                    if is_fresh && describe::fetched_end(&self.consumer, &topic, of) >= Some(until) {
                        return Ok(until);
                    }
                    said = format!("it ends before {}, which it has reached already", until.0);
                    self.assign(partition, next)?;
                    is_fresh = true;
                }
                Some(Err(error)) => said = error.to_string(),
                None => {}
            }
            if self.clock.monotonic() > patience {
                return Err(Error::Unavailable { topic, what: said });
            }
        }
        self.ahead = Some((partition, next));
        Ok(next)
    }

    fn assign(&self, partition: Partition, from: Next) -> Result<(), Error> {
        let mut list = TopicPartitionList::new();
        let offset = At::Offset(i64::try_from(from.0).unwrap_or(i64::MAX));
        list.add_partition_offset(&self.log.name_of(self.stream), number(partition), offset)
            .and_then(|()| self.consumer.assign(&list))
            .map_err(|error| failed(self.log.settings(), &error))
    }
}
