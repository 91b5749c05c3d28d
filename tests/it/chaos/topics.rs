//! What is really in the topics, as a consumer sees it that reads only what is committed.

use std::time::Duration;

use bytes::Bytes;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tributary::append::Outgoing;
use tributary::clock::Clock;
use tributary::consume::Stream;
use tributary::consume::kafka::Settings;
use tributary::ids::{Millis, Partition};

/// The longest silence of the brokers.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// A record with its place.
pub(super) struct Found {
    pub(super) offset: u64,
    pub(super) record: Outgoing,
}

/// Each partition from its beginning to the end that it has now.
pub(super) fn read(kafka: &Settings, stream: Stream, partitions: u32) -> Vec<Vec<Found>> {
    (0..partitions).map(Partition).map(|partition| read_partition(kafka, stream, partition)).collect()
}

fn read_partition(kafka: &Settings, stream: Stream, partition: Partition) -> Vec<Found> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &kafka.brokers)
        .set("group.id", "chaos-reader")
        .set("enable.auto.commit", "false")
        .set("isolation.level", "read_committed")
        .set("enable.partition.eof", "true")
        .create()
        .unwrap();
    let mut list = TopicPartitionList::new();
    let number = i32::try_from(partition.0).unwrap();
    list.add_partition_offset(&kafka.topic(stream), number, Offset::Beginning).unwrap();
    consumer.assign(&list).unwrap();
    let (mut found, clock, mut heard) = (Vec::new(), Clock::system(), Duration::ZERO);
    loop {
        match consumer.poll(Duration::from_millis(200)) {
            Some(Ok(message)) => {
                heard = clock.monotonic();
                let bytes = |bytes: Option<&[u8]>| Bytes::copy_from_slice(bytes.unwrap_or_default());
                let timestamp = Millis(message.timestamp().to_millis().expect("brokers stamp every record"));
                let (key, value) = (bytes(message.key()), bytes(message.payload()));
                let record = Outgoing { stream, partition, timestamp, key, value };
                found.push(Found { offset: u64::try_from(message.offset()).unwrap(), record });
            }
            Some(Err(KafkaError::PartitionEOF(_))) => return found,
            // It connects again by itself.
            Some(Err(_)) | None => {
                assert!(clock.monotonic() - heard < SILENCE_MAX, "{}[{}] does not answer", stream.name(), partition.0);
            }
        }
    }
}
