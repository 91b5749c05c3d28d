//! What an operator, or an accident, does to topics and groups.

use rdkafka::TopicPartitionList;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::topic_partition_list::Offset;
use scylla::client::session_builder::SessionBuilder;
use tributary::consume::Stream;
use tributary::consume::kafka::Settings;
use tributary::ids::{Next, Partition};

use super::place::Place;

fn admin(kafka: &Settings) -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", &kafka.brokers).create().unwrap()
}

pub async fn delete_events(place: &Place) {
    let topic = place.kafka.topic(Stream::Events);
    let done = admin(&place.kafka).delete_topics(&[&topic], &AdminOptions::new()).await.unwrap();
    assert!(done.iter().all(Result::is_ok), "{done:?}");
}

pub async fn grow_events(place: &Place, partitions: usize) {
    let topic = place.kafka.topic(Stream::Events);
    let more = NewPartitions::new(&topic, partitions);
    let done = admin(&place.kafka).create_partitions(&[more], &AdminOptions::new()).await.unwrap();
    assert!(done.iter().all(Result::is_ok), "{done:?}");
}

pub async fn delete_records(place: &Place, partition: Partition, before: Next) {
    delete_records_of(&place.kafka, partition, before).await;
}

/// As it would be typed into cqlsh, with `KS` for the keyspace.
pub async fn cql(place: &Place, statement: &str) {
    let session = SessionBuilder::new().known_nodes(&place.cql.nodes).build().await.unwrap();
    session.query_unpaged(statement.replace("KS", &place.cql.keyspace).as_str(), ()).await.unwrap();
}

/// As retention does it.
pub async fn delete_records_of(kafka: &Settings, partition: Partition, before: Next) {
    let mut list = TopicPartitionList::new();
    let (number, offset) = (i32::try_from(partition.0).unwrap(), i64::try_from(before.0).unwrap());
    list.add_partition_offset(&kafka.topic(Stream::Events), number, Offset::Offset(offset)).unwrap();
    admin(kafka).delete_records(&list, &AdminOptions::new()).await.unwrap();
}

/// Its committed offsets go with it. Nobody may be in it.
pub async fn delete_group(place: &Place) {
    let done = admin(&place.kafka).delete_groups(&[&place.kafka.group], &AdminOptions::new()).await.unwrap();
    assert!(done.iter().all(Result::is_ok), "{done:?}");
}
