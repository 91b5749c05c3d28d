//! Dead letters in a real Kafka.

use std::time::Duration;

use bytes::Bytes;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::util::Timeout;
use tributary::append::Outgoing;
use tributary::clock::Clock;
use tributary::consume::kafka::Kafka;
use tributary::consume::{Batch, Limits, Stream};
use tributary::ids::{Millis, Next, Offset, Partition};
use tributary::run::Log;
use tributary::run::letters::{Chosen, Letters, Redriven, Wanted};

use super::place::{PATIENCE, Place, append, caught_up, places, records};
use crate::worker::programme::spec;

async fn log(place: &Place) -> Log {
    let kafka = place.kafka.clone();
    tokio::task::spawn_blocking(move || Log::connect(kafka).unwrap()).await.unwrap()
}

fn letters(log: &Log) -> Letters {
    Letters::open(log.clone(), None, Clock::system()).unwrap()
}

fn garbage(partition: u32, number: u32) -> Outgoing {
    Outgoing {
        stream: Stream::Events,
        partition: Partition(partition),
        timestamp: Millis(0),
        key: Bytes::from_static(b"somebody"),
        value: Bytes::from(format!("garbage {number}")),
    }
}

const ALL: Wanted = Wanted { partition: None, from: None, class: None, limit: 10_000 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letters_between_the_marks_of_transactions_are_all_found_newest_first_and_redriven() {
    let Some(place) = Place::new().await else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut process = place.process(&dir).await;
    process.start().unwrap();
    // More than one stretch, in many transactions.
    for round in 0..6 {
        let part: Vec<_> = (0..400).map(|n| garbage(n % 2, round * 400 + n)).collect();
        let ends = append(&process, &part).await;
        caught_up(&process, &ends).await;
    }
    process.stop().await.unwrap();

    let log = log(&place).await;
    let mut letters = letters(&log);
    let listed = tokio::task::block_in_place(|| letters.list(&ALL)).unwrap();
    let mut sources: Vec<_> = listed.iter().map(|one| (one.source.partition, one.source.offset)).collect();
    sources.sort_unstable();
    let expected: Vec<_> = (0..2).flat_map(|p| (0..1_200).map(move |o| (Partition(p), Offset(o)))).collect();
    assert_eq!(sources, expected, "every one of them, once");
    assert!(listed.is_sorted_by_key(|one| std::cmp::Reverse(one.at)), "newest first");

    let few = Wanted { partition: Some(Partition(1)), limit: 3, ..ALL };
    let newest = tokio::task::block_in_place(|| letters.list(&few)).unwrap();
    assert_eq!(newest.iter().map(|one| one.source.offset.0).collect::<Vec<_>>(), [1_199, 1_198, 1_197]);
    let from = Wanted { from: Some(Next(newest[1].offset.0)), ..few };
    let oldest = tokio::task::block_in_place(|| letters.list(&from)).unwrap();
    assert_eq!(oldest.iter().map(|one| one.source.offset.0).collect::<Vec<_>>(), [1_198, 1_199]);
    assert_eq!(letters.show(Partition(1), newest[0].offset).await.unwrap().unwrap().value, b"garbage 2399");

    let sink = log.sink().unwrap();
    let mut told = Vec::new();
    let chosen = Chosen::These(Partition(1), vec![newest[0].offset]);
    letters.redrive(&chosen, Some(&sink), |_, became| told.push(became.clone())).await.unwrap();
    let [Redriven::Appended(Some((partition, offset)))] = told[..] else { panic!("{told:?}") };
    let mut batch = Batch::default();
    let mut events = Kafka::open(place.kafka.clone()).unwrap().pages(Stream::Events).unwrap();
    let range = (Next(offset.0), offset.next());
    tokio::task::block_in_place(|| events.read(partition, range, &Limits::default(), &mut batch)).unwrap();
    let found: Vec<_> = batch.iter().map(|record| (record.key, record.value)).collect();
    assert_eq!(found, [(&b"somebody"[..], &b"garbage 2399"[..])], "key and payload as they were");
}

/// Java's producers send up to a mebibyte, which with all that a letter says is more than the log takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_is_too_large_for_a_letter_is_cut_and_holds_nobody_up() {
    let Some(place) = Place::new().await else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut process = place.process(&dir).await;
    process.start().unwrap();
    let mut config = rdkafka::ClientConfig::new();
    config.set("bootstrap.servers", &place.kafka.brokers).set("message.max.bytes", "1048500");
    let producer: FutureProducer = config.create().unwrap();
    let (topic, value) = (place.kafka.topic(Stream::Events), vec![b'x'; 1_048_000]);
    let record = FutureRecord::to(&topic).partition(0).key("somebody").payload(&value);
    producer.send(record, Timeout::After(Duration::from_secs(30))).await.unwrap();
    let ends = append(&process, &records(&spec(6, 60, 400, 5), 4)).await;
    tokio::time::timeout(PATIENCE, caught_up(&process, &ends)).await.unwrap();
    // E moves with its letter.
    let is_out = async {
        while places(&process).await[0].emitted < Next(1) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, is_out).await.expect("E moves");
    process.stop().await.unwrap();
    let log = log(&place).await;
    let large = Wanted { class: Some("too_large".to_owned()), ..ALL };
    let listed = tokio::task::block_in_place(|| letters(&log).list(&large)).unwrap();
    let [letter] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!((letter.source.partition, letter.source.offset), (Partition(0), Offset(0)));
    assert!(letter.message.starts_with("undecodable: ") && letter.message.contains("1048000"), "{}", letter.message);
    let mut told = Vec::new();
    let sink = log.sink().unwrap();
    let chosen = Chosen::Class("too_large".to_owned());
    letters(&log).redrive(&chosen, Some(&sink), |_, became| told.push(became.clone())).await.unwrap();
    assert!(matches!(&told[..], [Redriven::Left(_)]), "a part of a record is not appended: {told:?}");
}
