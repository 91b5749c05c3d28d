//! What an operator, or an accident, does to topics and groups.

use rdkafka::TopicPartitionList;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::topic_partition_list::Offset;
use tributary::consume::Stream;
use tributary::ids::{Next, Partition};

use super::place::Place;

fn admin(place: &Place) -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", &place.kafka.brokers).create().unwrap()
}

pub async fn delete_events(place: &Place) {
    let topic = place.kafka.topic(Stream::Events);
    let done = admin(place).delete_topics(&[&topic], &AdminOptions::new()).await.unwrap();
    assert!(done.iter().all(Result::is_ok), "{done:?}");
}

pub async fn grow_events(place: &Place, partitions: usize) {
    let topic = place.kafka.topic(Stream::Events);
    let more = NewPartitions::new(&topic, partitions);
    let done = admin(place).create_partitions(&[more], &AdminOptions::new()).await.unwrap();
    assert!(done.iter().all(Result::is_ok), "{done:?}");
}

/// As retention does it.
pub async fn delete_records(place: &Place, partition: Partition, before: Next) {
    let mut list = TopicPartitionList::new();
    let (number, offset) = (i32::try_from(partition.0).unwrap(), i64::try_from(before.0).unwrap());
    list.add_partition_offset(&place.kafka.topic(Stream::Events), number, Offset::Offset(offset)).unwrap();
    admin(place).delete_records(&list, &AdminOptions::new()).await.unwrap();
}

/// Its committed offsets go with it. Nobody may be in it.
pub async fn delete_group(place: &Place) {
    let done = admin(place).delete_groups(&[&place.kafka.group], &AdminOptions::new()).await.unwrap();
    assert!(done.iter().all(Result::is_ok), "{done:?}");
}
