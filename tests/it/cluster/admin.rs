//! What an operator, or an accident, does to topics and groups.

use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use rdkafka::topic_partition_list::Offset;
use scylla::client::session_builder::SessionBuilder;
use tributary::clock::Clock;
use tributary::consume::Stream;
use tributary::consume::kafka::Settings;
use tributary::ids::{Next, Partition};

use super::place::{PATIENCE, Place};

fn admin(kafka: &Settings) -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", &kafka.brokers).create().unwrap()
}

/// Asks until it is done: a broker or a full processor may not answer in time. `already` says that an earlier try was heard.
async fn until_done(
    mut ask: impl AsyncFnMut() -> KafkaResult<Vec<Result<String, (String, RDKafkaErrorCode)>>>,
    already: RDKafkaErrorCode,
) {
    let clock = Clock::system();
    let mut has_asked = false;
    loop {
        let done = ask().await;
        let is_done = |one: &Result<String, (String, RDKafkaErrorCode)>| match one {
            Ok(_) => true,
            Err((_, code)) => has_asked && *code == already,
        };
        if done.as_ref().is_ok_and(|all| all.iter().all(is_done)) {
            return;
        }
        assert!(clock.monotonic() < PATIENCE, "{done:?}");
        has_asked = true;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

pub async fn delete_events(place: &Place) {
    let (admin, topic) = (admin(&place.kafka), place.kafka.topic(Stream::Events));
    let ask = async || admin.delete_topics(&[&topic], &AdminOptions::new()).await;
    until_done(ask, RDKafkaErrorCode::UnknownTopicOrPartition).await;
}

pub async fn grow_events(place: &Place, partitions: usize) {
    let (admin, topic) = (admin(&place.kafka), place.kafka.topic(Stream::Events));
    let ask = async || admin.create_partitions(&[NewPartitions::new(&topic, partitions)], &AdminOptions::new()).await;
    until_done(ask, RDKafkaErrorCode::InvalidPartitions).await;
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

/// Its committed offsets go with it. Nobody may be in it: who left is out once the coordinator has heard of it.
pub async fn delete_group(place: &Place) {
    let admin = admin(&place.kafka);
    let ask = async || admin.delete_groups(&[&place.kafka.group], &AdminOptions::new()).await;
    until_done(ask, RDKafkaErrorCode::GroupIdNotFound).await;
}
