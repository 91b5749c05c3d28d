//! How long after its append an event can be queried in Cassandra, and its output read, at a steady 5,000 events a second.
//!
//! The first third is left out: engines that have just started compile their own code meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use tributary::append::Outgoing;
use tributary::consume::Stream;
use tributary::ids::Partition;

use crate::machine;
use crate::place::{PARTITIONS, Place, Rows, append, unique};
use crate::programme::{Encoded, START, outgoing, spec};
use crate::report::figure;
use crate::services::Used;
use crate::watch::{Watcher, percentiles};

const RATE: usize = 5_000;
/// Appends a second.
const TICKS: usize = 100;
/// What is no event, and so becomes an output: one in an append.
const GARBAGE: &str = "no event ";

pub async fn run(events: u64) {
    let records = Encoded::of(&spec(20, 20_000, events));
    let name = unique("live");
    let place = Place::of(&name, &name);
    place.set_up(Rows::Cassandra).await;
    let dir = tempfile::tempdir_in(".").unwrap();
    let mut program = place.open(Rows::Cassandra, dir.path(), |_| {}).await;
    program.start().unwrap();
    program.caught_up().await.unwrap();
    let watcher = Watcher::start(program.store.clone(), Duration::from_millis(20));
    let letters = Letters::start(&place);
    let (others, start, cpu) = (Used::now(), Instant::now(), machine::cpu());
    let (mut rows, mut outputs) = (Vec::new(), Vec::new());
    let mut tick = tokio::time::interval(Duration::from_secs(1) / u32::try_from(TICKS).unwrap());
    for (n, chunk) in records.chunks(RATE / TICKS).enumerate() {
        tick.tick().await;
        let mut some: Vec<_> = chunk.map(|record| outgoing(record, PARTITIONS)).collect();
        some.push(garbage(n));
        let asked = Instant::now();
        outputs.push(asked);
        rows.extend(append(&program, some).await.into_iter().map(|(partition, offset)| (partition, offset, asked)));
    }
    let (rate, used) = (records.len() as f64 / start.elapsed().as_secs_f64(), machine::cpu() - cpu);
    program.caught_up().await.unwrap();
    Used::tell_since(&others, "live", events);
    let million = used.as_secs_f64() * 1e6 / records.len() as f64;
    figure("live: CPU-seconds per million, appends and this measure included", format!("{million:.2}"), "");
    let warm = rows.split_off(rows.len() / 3);
    let waits = watcher.waits(&warm).await;
    figure(
        &format!("append → queryable in Cassandra at {rate:.0} events/s, p50 and p99"),
        percentiles(waits),
        "p99 ≤ 500 ms",
    );
    let arrived = letters.stop(outputs.len());
    let warm = outputs.iter().enumerate().skip(outputs.len() / 3);
    let waits = warm.map(|(n, asked)| arrived[&n].saturating_duration_since(*asked)).collect();
    figure("append → output read with read_committed, p50 and p99", percentiles(waits), "p99 ≤ 200 ms");
    program.stop().await.unwrap();
}

fn garbage(n: usize) -> Outgoing {
    let value = Bytes::from(format!("{GARBAGE}{n};"));
    let partition = Partition(u32::try_from(n).unwrap() % PARTITIONS);
    Outgoing { stream: Stream::Events, partition, timestamp: START, key: Bytes::from_static(b"c"), value }
}

/// Reads dead letters as they become visible.
struct Letters {
    count: Arc<std::sync::atomic::AtomicUsize>,
    stop: Arc<AtomicBool>,
    reading: std::thread::JoinHandle<BTreeMap<usize, Instant>>,
}

impl Letters {
    fn start(place: &Place) -> Self {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &place.kafka.brokers).set("group.id", "letters");
        config.set("isolation.level", "read_committed").set("fetch.wait.max.ms", "100");
        let consumer: BaseConsumer = config.create().unwrap();
        let mut all = TopicPartitionList::new();
        for p in 0..i32::try_from(PARTITIONS).unwrap() {
            all.add_partition_offset(&place.kafka.topic(Stream::DeadLetters), p, Offset::Beginning).unwrap();
        }
        consumer.assign(&all).unwrap();
        let (count, stop) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let (counted, stopped) = (Arc::clone(&count), Arc::clone(&stop));
        let reading = std::thread::spawn(move || read(&consumer, &counted, &stopped));
        Self { count, stop, reading }
    }

    /// When each arrived, once there are so many.
    fn stop(self, count: usize) -> BTreeMap<usize, Instant> {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.count.load(Ordering::Relaxed) < count {
            assert!(Instant::now() < deadline, "outputs are missing");
            std::thread::sleep(Duration::from_millis(10));
        }
        self.stop.store(true, Ordering::Relaxed);
        self.reading.join().unwrap()
    }
}

fn read(
    consumer: &BaseConsumer,
    count: &std::sync::atomic::AtomicUsize,
    stop: &AtomicBool,
) -> BTreeMap<usize, Instant> {
    let mut arrived = BTreeMap::new();
    while !stop.load(Ordering::Relaxed) {
        let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) else { continue };
        let text = String::from_utf8_lossy(message.payload().unwrap_or_default()).into_owned();
        let number = text.split(GARBAGE).last().and_then(|rest| rest.split(';').next()?.parse().ok());
        // The programme has some of its own.
        let Some(number) = number else { continue };
        arrived.entry(number).or_insert_with(Instant::now);
        count.store(arrived.len(), Ordering::Relaxed);
    }
    arrived
}
