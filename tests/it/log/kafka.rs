//! The log in a real Kafka keeps the contract.

use rdkafka::mocking::MockCluster;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use tributary::append::kafka::KafkaSink;
use tributary::append::{self, Sink};
use tributary::clock::Clock;
use tributary::consume::kafka::setup::{self, Wanted};
use tributary::consume::kafka::{Kafka as Log, KafkaSource, Settings};
use tributary::consume::{Batch, Error, Limits, Polled, Source, Stream, Topic};
use tributary::ids::{Next, Partition};
use tributary::publish::kafka::KafkaPublisher;
use tributary::telemetry::with_causes;

use super::contract::{self, Lab, PARTITIONS, ask_for_nothing, block_on, event, join, take};
use crate::cluster::admin;
use crate::services;

/// Topics and a group of its own, at the brokers of the tests.
struct Kafka {
    log: Log,
}

impl Kafka {
    fn new() -> Option<Self> {
        let settings = settings(&services::kafka()?);
        let wanted = Stream::ALL.map(|stream| Wanted {
            name: settings.topic(stream),
            partitions: PARTITIONS,
            replication: 1,
            // The events of the tests are old.
            settings: vec![("retention.ms".to_owned(), "-1".to_owned())],
        });
        block_on(setup::setup(&settings, &wanted)).unwrap();
        Some(Self { log: Log::open(settings).unwrap() })
    }
}

fn settings(brokers: &str) -> Settings {
    let name = services::unique("log");
    let mut settings = Settings::new(brokers);
    settings.topic_prefix = format!("{name}.");
    settings.group = name.clone();
    settings.transactional = name;
    settings
}

impl Lab for Kafka {
    type Source = KafkaSource;
    type Sink = KafkaPublisher;

    fn sink(&self) -> KafkaPublisher {
        KafkaPublisher::new(KafkaSink::new(self.log.clone()).unwrap(), 1, 0).unwrap()
    }

    fn source(&self) -> KafkaSource {
        self.log.source(1, 0).unwrap()
    }

    fn restart(&mut self) {
        self.log = Log::open(self.log.settings().clone()).unwrap();
    }
}

#[test]
fn what_goes_in_comes_out() {
    if let Some(mut lab) = Kafka::new() {
        contract::what_goes_in_comes_out(&mut lab);
    }
}

#[test]
fn order_without_gap_or_double() {
    if let Some(mut lab) = Kafka::new() {
        contract::order_without_gap_or_double(&mut lab);
    }
}

#[test]
fn seek() {
    if let Some(mut lab) = Kafka::new() {
        contract::seek(&mut lab);
    }
}

#[test]
fn bounds() {
    if let Some(mut lab) = Kafka::new() {
        contract::bounds(&mut lab);
    }
}

#[test]
fn out_of_range() {
    if let Some(mut lab) = Kafka::new() {
        contract::out_of_range(&mut lab);
    }
}

#[test]
fn restart_keeps_all() {
    if let Some(mut lab) = Kafka::new() {
        contract::restart_keeps_all(&mut lab);
    }
}

#[test]
fn nothing_is_taken_and_nothing_lost_while_no_records_are_asked_for() {
    if let Some(mut lab) = Kafka::new() {
        contract::nothing_is_taken_and_nothing_lost_while_no_records_are_asked_for(&mut lab);
    }
}

#[test]
fn a_seek_while_no_records_are_asked_for_holds_up_nobody() {
    if let Some(mut lab) = Kafka::new() {
        contract::a_seek_while_no_records_are_asked_for_holds_up_nobody(&mut lab);
    }
}

#[test]
fn concurrent_appenders() {
    if let Some(mut lab) = Kafka::new() {
        contract::concurrent_appenders(&mut lab);
    }
}

#[test]
fn what_is_refused_beforehand_appends_nothing() {
    if let Some(mut lab) = Kafka::new() {
        contract::what_is_refused_beforehand_appends_nothing(&mut lab);
    }
}

#[test]
fn emit_moves_e_forward_only() {
    if let Some(mut lab) = Kafka::new() {
        contract::emit_moves_e_forward_only(&mut lab);
    }
}

#[test]
fn an_append_wakes_a_waiting_poll() {
    if let Some(mut lab) = Kafka::new() {
        contract::an_append_wakes_a_waiting_poll(&mut lab);
    }
}

#[test]
fn limits_are_kept() {
    if let Some(mut lab) = Kafka::new() {
        contract::limits_are_kept(&mut lab);
    }
}

/// Ten records more in partition 1.
fn append_ten(lab: &Kafka) {
    block_on(lab.sink().append((0..10_u32).map(|i| event(1, "k", i.to_le_bytes())).collect())).unwrap();
}

/// As retention does it, behind the back of whoever reads.
fn delete_before(lab: &Kafka, to: Next) {
    block_on(admin::delete_records_of(lab.log.settings(), Partition(1), to));
}

/// Polled on, it gives no record, and ends for want of `from` where the log holds `to` to `end`.
fn assert_gap(source: &mut KafkaSource, (from, to, end): (u64, u64, u64)) {
    let (mut batch, clock) = (Batch::default(), Clock::system());
    let error = loop {
        match source.poll(&Limits::default(), &mut batch) {
            Ok(polled) => assert_eq!((polled, batch.len()), (Polled::Records, 0), "nothing is skipped"),
            Err(error) => break error,
        }
        assert!(clock.monotonic() < services::PATIENCE, "it goes on");
    };
    let Error::OutOfRange { partition, wanted, bounds, .. } = &error else { panic!("{error:?}") };
    assert_eq!((*partition, wanted.0, bounds.start.0, bounds.end.0), (Partition(1), from, to, end));
    let why = with_causes(&error);
    let command = format!("`tributary accept-gap --partition 1 --to {to}`");
    for part in [&format!("[1] has no offset {from}"), &format!("holds {to} to {end}"), &command] {
        assert!(why.contains(part), "no {part:?} in: {why}");
    }
}

#[test]
fn records_that_are_gone_before_they_are_fetched_are_named_and_not_skipped() {
    let Some(lab) = Kafka::new() else { return };
    append_ten(&lab);
    let mut source = lab.source();
    join(&mut source, Next(0));
    delete_before(&lab, Next(6));
    assert_gap(&mut source, (0, 6, 10));
}

#[test]
fn records_that_are_gone_while_none_are_asked_for_are_named_and_not_skipped() {
    let Some(lab) = Kafka::new() else { return };
    append_ten(&lab);
    let mut source = lab.source();
    join(&mut source, Next(0));
    take(&mut source, &Limits::default(), 10);
    // From here on nothing is fetched.
    ask_for_nothing(&mut source);
    append_ten(&lab);
    delete_before(&lab, Next(15));
    assert_gap(&mut source, (10, 15, 20));
}

/// Polls both in turn until `is_done` with what each was told last, and why one ended.
fn poll_both(sources: &mut [KafkaSource; 2], mut is_done: impl FnMut(usize, &Result<Polled, Error>) -> bool) {
    let (mut batch, clock) = (Batch::default(), Clock::system());
    while clock.monotonic() < services::PATIENCE * 2 {
        for (n, source) in sources.iter_mut().enumerate() {
            if is_done(n, &source.poll(&Limits::default(), &mut batch)) {
                return;
            }
        }
    }
    panic!("not done");
}

/// A stalled coordinator does it to a single member: it takes up a join that was given up beside the next one.
#[test]
fn whose_name_in_the_group_was_taken_loses_all_and_joins_again_and_of_two_of_a_name_one_ends() {
    let Some(lab) = Kafka::new() else { return };
    let mut settings = lab.log.settings().clone();
    settings.instance = "one".to_owned();
    let log = Log::open(settings).unwrap();
    let all =
        |polled: &Result<Polled, Error>| matches!(polled, Ok(Polled::Assigned(p)) if p.len() == PARTITIONS as usize);
    let first = log.source(1, 0).unwrap();
    // Its neighbour is of another group until it takes the name.
    let mut both = [first, log.source(2, 0).unwrap()];
    poll_both(&mut both, |n, polled| n == 0 && all(polled));
    both[1] = log.source(1, 0).unwrap();
    let (mut lost, mut back) = (0, 0);
    let mut why = None;
    poll_both(&mut both, |_, polled| {
        match polled {
            Ok(Polled::Lost(partitions)) => lost += usize::from(!partitions.is_empty()),
            Err(error) => why = Some(with_causes(error)),
            polled => back += usize::from(lost > 0 && all(polled)),
        }
        why.is_some()
    });
    assert!(lost >= 1 && back >= 1, "lost {lost} times, back {back} times");
    let why = why.unwrap();
    assert!(why.contains("another process has the same `kafka.instance`"), "{why}");
}

/// What no real broker can be made to say at will, the library's own broker says.
#[test]
fn a_producer_that_failed_for_good_is_made_anew_for_all_who_share_it() {
    let brokers = MockCluster::new(1).unwrap();
    let settings = settings(&brokers.bootstrap_servers());
    let topic = Topic { name: settings.topic(Stream::Events), id: [0; 16], partitions: PARTITIONS };
    brokers.create_topic(&topic.name, i32::try_from(PARTITIONS).unwrap(), 1).unwrap();
    let sink = KafkaSink::new(Log::known(settings, topic).unwrap()).unwrap();
    let other = sink.clone();
    let append = |sink: &KafkaSink, value: &str| block_on(sink.append(vec![contract::event(0, "k", value)]));
    append(&sink, "before").unwrap();

    let lost = RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
    brokers.request_errors(RDKafkaApiKey::Produce, &[lost]);
    let failed = append(&sink, "failed");
    assert!(matches!(failed, Err(append::Error::Engine { .. })), "{failed:?}");
    append(&other, "behind").unwrap();
    append(&sink, "and so on").unwrap();
}
