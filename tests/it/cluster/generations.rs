//! A generation made anew by several processes, and who of them does what is asked of one.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use rdkafka::Message;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use tributary::append::{Outgoing, Sink};
use tributary::clock::Clock;
use tributary::consume::Stream;
use tributary::ids::{Next, Partition};
use tributary::run::Program;
use tributary::store::Doors;
use tributary::web::{Ask, GenerationStatus, Refusal, Role, State, Status};

use super::place::{PATIENCE, Place, append, places, records};
use crate::worker::dump::{assert_same, dump_of};
use crate::worker::programme::{START, spec};

/// Asked again while processes have too little of a processor to come together in time.
pub(super) async fn ask(program: &Program, ask: Ask) -> Status {
    let clock = Clock::system();
    loop {
        match program.generations()(ask).await {
            Ok(status) => return status,
            Err(Refusal::NotNow(text)) if text.ends_with("try again") && clock.monotonic() < PATIENCE => {}
            Err(refusal) => panic!("{ask:?}: {refusal:?}"),
        }
    }
}

pub(super) fn one(status: &Status, role: Role) -> Option<&GenerationStatus> {
    status.generations.iter().find(|one| one.role == role)
}

pub(super) async fn until(program: &Program, what: &str, will_do: impl Fn(&Status) -> bool) -> Status {
    let clock = Clock::system();
    loop {
        let status = ask(program, Ask::Status).await;
        if will_do(&status) {
            return status;
        }
        assert!(clock.monotonic() < PATIENCE, "{what}: {status:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// No event at all: it becomes a dead letter.
fn garbage(n: u32) -> Outgoing {
    let value = Bytes::from(format!("no event {n}"));
    let (stream, partition) = (Stream::Events, Partition(n % 4));
    Outgoing { stream, partition, timestamp: START, key: Bytes::from_static(b"c"), value }
}

/// What is in the dead-letter topic and committed, as long as it takes until there are `count`, and a while longer.
fn letters(place: &Place, count: usize) -> Vec<Vec<u8>> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &place.kafka.brokers).set("group.id", "letters");
    config.set("auto.offset.reset", "earliest").set("isolation.level", "read_committed");
    let consumer: BaseConsumer = config.create().unwrap();
    let topic = place.kafka.topic(Stream::DeadLetters);
    let mut all = rdkafka::TopicPartitionList::new();
    for p in 0..4 {
        all.add_partition_offset(&topic, p, rdkafka::Offset::Beginning).unwrap();
    }
    consumer.assign(&all).unwrap();
    let (clock, mut found) = (Clock::system(), Vec::new());
    let mut last = Duration::ZERO;
    while found.len() < count || clock.monotonic() < last + Duration::from_secs(3) {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => {
                found.push(message.payload().unwrap().to_vec());
                last = clock.monotonic();
            }
            Some(Err(_)) | None => assert!(clock.monotonic() < PATIENCE, "{} of {count} letters", found.len()),
        }
    }
    found
}

fn of_garbage(letters: &[Vec<u8>]) -> Vec<Vec<u8>> {
    letters.iter().filter(|letter| letter.windows(9).any(|window| window == b"no event ")).cloned().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_generation_is_made_compared_switched_to_and_dropped_by_processes_that_share_it() {
    let Some(place) = Place::new().await else { return };
    let dirs = [(); 4].map(|()| tempfile::tempdir().unwrap());
    let all = records(&spec(6, 100, 4_000, 13), 4);
    let mut chunks = all.chunks(1_000);
    let mut sent = 0;
    let mut send = async |program: &Program| {
        append(program, chunks.next().unwrap()).await;
        let some: Vec<_> = (sent..sent + 20).map(garbage).collect();
        sent += 20;
        program.sink.append(some).await.unwrap();
        sent
    };

    let (mut one_process, mut other) = (place.process(&dirs[0]).await, place.process(&dirs[1]).await);
    one_process.start().unwrap();
    other.start().unwrap();
    // Whom it is asked of folds nothing.
    let asked = place.process(&dirs[2]).await;
    asked.watch();
    send(&asked).await;
    let made = ask(&asked, Ask::Rebuild { rate: Some(100_000) }).await;
    assert_eq!((made.live, one(&made, Role::Building).unwrap().generation), (1, 2));
    send(&asked).await;
    let is_ready = |status: &Status| one(status, Role::Building).is_some_and(|one| one.state == State::Ready);
    let status = until(&asked, "compared", is_ready).await;
    assert_eq!(one(&status, Role::Building).unwrap().differences, Some(0), "{status:?}");

    assert_eq!(ask(&asked, Ask::Switch { force: false }).await.live, 2);
    let readers = [one_process.live(), other.live(), asked.live()];
    let numbers = || readers.iter().map(|live| live.now().number).collect::<Vec<u32>>();
    let clock = Clock::system();
    while numbers() != [2, 2, 2] {
        assert!(clock.monotonic() < PATIENCE, "everywhere, soon after the switch: {:?}", numbers());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(readers.iter().all(|live| !live.now().is_frozen));

    // One of them goes while both generations are followed, and one comes that was not there.
    send(&asked).await;
    one_process.stop().await.unwrap();
    let mut third = place.process(&dirs[3]).await;
    third.start().unwrap();
    assert_eq!(third.live().now().number, 2);
    let follows = |status: &Status| status.generations.iter().all(|one| one.position == one.log_end);
    until(&asked, "both follow", follows).await;
    let (old, new) = (asked.store.of(1), asked.store.of(2));
    assert_same(&dump_of(&new, 4).await, &dump_of(&old, 4).await, "the new generation and the old");

    // Outputs leave from the former one until it is dropped, then from the other, and each but once.
    ask(&asked, Ask::Drop).await;
    let sent = send(&asked).await;
    until(&asked, "the rest", |status| status.generations.len() == 1 && follows(status)).await;
    let found = of_garbage(&letters(&place, usize::try_from(sent).unwrap()));
    let once: BTreeSet<_> = found.iter().collect();
    assert_eq!((found.len(), once.len()), (usize::try_from(sent).unwrap(), usize::try_from(sent).unwrap()));
    let clock = Clock::system();
    while asked.store.generations().await.unwrap() != [2] {
        assert!(clock.monotonic() < PATIENCE, "tables of the former one are still there");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let places = places(&asked).await;
    assert!(places.iter().all(|place| place.emitted > Next(0) && place.emitted <= place.end), "{places:?}");
    let mut differences = Vec::new();
    asked.verify(|difference| differences.push(difference), |_, _| {}).await.unwrap();
    assert_eq!(differences, []);
    for process in [other, third, asked] {
        process.stop().await.unwrap();
    }
}
