//! What reading alone takes: the client of Kafka, and what decoding adds.

use std::hint::black_box;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use tributary::consume::Stream;
use tributary::decode::{Decoder, Place as At};
use tributary::ids::Partition;

use crate::machine;
use crate::place::{FILLED, PARTITIONS, Place, unique};
use crate::report::figure;
use crate::services::Used;

const TIMEOUT: Duration = Duration::from_secs(30);

pub fn run(decodes: bool) {
    let place = Place::of(FILLED, &unique("bare"));
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &place.kafka.brokers).set("group.id", &place.kafka.group);
    config.set("enable.auto.commit", "false");
    let consumer: BaseConsumer = config.create().unwrap();
    let topic = place.kafka.topic(Stream::Events);
    let (mut list, mut events) = (TopicPartitionList::new(), 0);
    for p in 0..i32::try_from(PARTITIONS).unwrap() {
        list.add_partition_offset(&topic, p, Offset::Beginning).unwrap();
        let (low, high) = consumer.fetch_watermarks(&topic, p, TIMEOUT).unwrap();
        events += u64::try_from(high - low).unwrap();
    }
    let others = Used::now();
    let (start, cpu, own) = (Instant::now(), machine::cpu(), machine::cpu_of_thread());
    consumer.assign(&list).unwrap();
    let (decoder, mut read) = (Decoder::new(), 0);
    while read < events {
        let message = consumer.poll(TIMEOUT).expect("the topic has more").unwrap();
        if decodes {
            let partition = Partition(u32::try_from(message.partition()).unwrap());
            let offset = tributary::ids::Offset(u64::try_from(message.offset()).unwrap());
            let (key, value) = (message.key().unwrap_or_default(), message.payload().unwrap_or_default());
            black_box(decoder.decode(value, key, At { topic: &topic, partition, offset }).unwrap());
        }
        read += 1;
    }
    let (took, used, own) = (start.elapsed(), machine::cpu() - cpu, machine::cpu_of_thread() - own);
    let what = if decodes { "read with rdkafka and decoded, no more" } else { "read with rdkafka, no more" };
    let (rate, million) = (read as f64 / took.as_secs_f64(), |used: Duration| used.as_secs_f64() * 1e6 / read as f64);
    let (used, own) = (million(used), million(own));
    figure(what, format!("{rate:.0} events/s, {used:.2} CPU-s per million, {own:.2} of them of who reads"), "");
    Used::tell_since(&others, what, read);
}
