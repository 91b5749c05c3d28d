//! What every `Source`, `Sink` and `Publish` promises. An engine's tests call these with a [`Lab`] of their own.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use tributary::append::{self, Appended, Outgoing, Sink, Stream};
use tributary::consume::{self, Batch, Limits, Polled, Source};
use tributary::ids::{Millis, Next, Offset, Partition};
use tributary::publish::Publish;

/// A fresh log of four partitions, and doors into it.
pub trait Lab {
    type Source: Source<Member = <Self::Sink as Publish>::Member> + 'static;
    type Sink: Sink + Publish;

    fn sink(&self) -> Self::Sink;
    /// All partitions, once the one before is dropped.
    fn source(&self) -> Self::Source;
    /// As after a restart of everything that can be restarted. No door may be open.
    fn restart(&mut self);
}

pub const PARTITIONS: u32 = 4;

/// Polls that may bring nothing before a test gives up.
const POLLS_MAX: usize = 2_000;

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub fn event(partition: u32, key: &str, value: impl Into<Vec<u8>>) -> Outgoing {
    Outgoing {
        stream: Stream::Events,
        partition: Partition(partition),
        timestamp: Millis(1_700_000_000_000),
        key: Bytes::copy_from_slice(key.as_bytes()),
        value: Bytes::from(value.into()),
    }
}

/// Polls until the partitions are assigned, and seeks all to `from`.
pub fn join(source: &mut impl Source, from: Next) -> Vec<Partition> {
    let mut batch = Batch::default();
    for _ in 0..POLLS_MAX {
        if let Polled::Assigned(partitions) = source.poll(&Limits::default(), &mut batch).unwrap() {
            for &partition in &partitions {
                source.seek(partition, from).unwrap();
            }
            return partitions;
        }
    }
    panic!("no partition was assigned");
}

/// The next `count` records as (partition, offset, value), and nothing more.
pub fn take(source: &mut impl Source, limits: &Limits, count: usize) -> Vec<(u32, u64, Vec<u8>)> {
    let mut batch = Batch::default();
    let mut all = Vec::new();
    for _ in 0..POLLS_MAX {
        assert_eq!(source.poll(limits, &mut batch).unwrap(), Polled::Records);
        all.extend(batch.iter().map(|r| (r.partition.0, r.offset.0, r.value.to_vec())));
        if all.len() >= count {
            break;
        }
    }
    let more = Limits { wait_max: Duration::from_millis(1), ..*limits };
    source.poll(&more, &mut batch).unwrap();
    assert_eq!((all.len(), batch.len()), (count, 0), "records read, and more behind them");
    all
}

fn by_partition(records: Vec<(u32, u64, Vec<u8>)>) -> BTreeMap<u32, Vec<(u64, Vec<u8>)>> {
    let mut map: BTreeMap<u32, Vec<_>> = BTreeMap::new();
    for (partition, offset, value) in records {
        map.entry(partition).or_default().push((offset, value));
    }
    map
}

/// Records come back whole: key, value, timestamp, also empty ones and ones of odd bytes.
pub fn what_goes_in_comes_out(lab: &mut impl Lab) {
    let records = vec![
        event(0, "a", "1"),
        event(0, "", ""),
        Outgoing { timestamp: Millis(5), ..event(0, "\0\u{ffff}", vec![0, 255, 0]) },
        event(0, "big", vec![7; 300_000]),
    ];
    block_on(lab.sink().append(records.clone())).unwrap();
    let mut source = lab.source();
    join(&mut source, Next(0));
    let mut batch = Batch::default();
    let mut found = Vec::new();
    while found.len() < records.len() {
        source.poll(&Limits::default(), &mut batch).unwrap();
        found.extend(batch.iter().map(|r| (r.timestamp, r.key.to_vec(), r.value.to_vec())));
    }
    let expected: Vec<_> = records.iter().map(|r| (r.timestamp, r.key.to_vec(), r.value.to_vec())).collect();
    assert_eq!(found, expected);
}

/// In each partition the order of the appends, no gap and no double, whatever the sizes of calls and polls.
pub fn order_without_gap_or_double(lab: &mut impl Lab) {
    let sink = lab.sink();
    let mut value = 0_u32;
    for size in [1, 7, 40, 1, 300, 2] {
        let call: Vec<_> = (0..size)
            .map(|i| {
                value += 1;
                event(i % PARTITIONS, "k", value.to_le_bytes())
            })
            .collect();
        let places = block_on(sink.append(call.clone())).unwrap();
        let partitions: Vec<_> = places.iter().map(|place| place.partition).collect();
        assert_eq!(partitions, call.iter().map(|record| record.partition).collect::<Vec<_>>());
    }
    for records_max in [1, 3, 4_096] {
        let mut source = lab.source();
        join(&mut source, Next(0));
        let limits = Limits { records_max, ..Limits::default() };
        for (partition, records) in by_partition(take(&mut source, &limits, 351)) {
            let offsets: Vec<_> = records.iter().map(|(offset, _)| *offset).collect();
            assert_eq!(offsets, (0..records.len() as u64).collect::<Vec<_>>(), "partition {partition}");
            let values: Vec<_> = records.iter().map(|(_, v)| u32::from_le_bytes(v[..].try_into().unwrap())).collect();
            assert!(values.is_sorted(), "partition {partition} by {records_max}");
        }
    }
}

/// From any offset on, also twice, also backwards; at the end there is nothing.
pub fn seek(lab: &mut impl Lab) {
    let records: Vec<_> = (0..500_u32).map(|i| event(1, "k", i.to_le_bytes())).collect();
    for call in records.chunks(37) {
        block_on(lab.sink().append(call.to_vec())).unwrap();
    }
    let mut source = lab.source();
    join(&mut source, Next(0));
    for from in [499, 0, 36, 37, 38, 250, 250, 500] {
        source.seek(Partition(1), Next(from)).unwrap();
        let found: Vec<_> =
            take(&mut source, &Limits::default(), 500 - from as usize).into_iter().map(|(_, o, _)| o).collect();
        assert_eq!(found, (from..500).collect::<Vec<_>>());
    }
}

/// Bounds follow the appends.
pub fn bounds(lab: &mut impl Lab) {
    let mut source = lab.source();
    join(&mut source, Next(0));
    let mut ends = || {
        (0..PARTITIONS).map(|p| source.bounds(Partition(p)).unwrap()).map(|b| (b.start.0, b.end.0)).collect::<Vec<_>>()
    };
    assert_eq!(ends(), [(0, 0); 4]);
    block_on(lab.sink().append(vec![event(0, "", "x"), event(2, "", "x"), event(0, "", "x")])).unwrap();
    assert_eq!(ends(), [(0, 2), (0, 0), (0, 1), (0, 0)]);
}

/// A position that the log has not is an error with the range that it has, never a silent skip.
pub fn out_of_range(lab: &mut impl Lab) {
    block_on(lab.sink().append(vec![event(0, "", "x"), event(0, "", "y")])).unwrap();
    let mut source = lab.source();
    join(&mut source, Next(0));
    // An engine may find it at the seek or at the poll behind it.
    let mut batch = Batch::default();
    let found = source
        .seek(Partition(0), Next(3))
        .and_then(|()| (0..POLLS_MAX).try_for_each(|_| source.poll(&Limits::default(), &mut batch).map(drop)));
    let why = found.as_ref().map_err(ToString::to_string);
    // Only a gap that begins before the log can be jumped over.
    assert!(why.is_err_and(|why| why.contains("projections rebuild") && !why.contains("accept-gap")), "{found:?}");
    let Err(consume::Error::OutOfRange { partition, wanted, bounds, .. }) = found else { panic!("{found:?}") };
    assert_eq!((partition, wanted, bounds.start, bounds.end), (Partition(0), Next(3), Next(0), Next(2)));
}

/// What was acknowledged is there after a restart, at the same places, E too, and appends go on behind it.
pub fn restart_keeps_all(lab: &mut impl Lab) {
    let records: Vec<_> = (0..100_u32).map(|i| event(i % 3, "k", i.to_le_bytes())).collect();
    let places = block_on(lab.sink().append(records.clone())).unwrap();
    let mut source = lab.source();
    join(&mut source, Next(0));
    block_on(lab.sink().emit(&source.member(), Partition(1), vec![], Next(7))).unwrap();
    drop(source);
    lab.restart();
    let mut source = lab.source();
    join(&mut source, Next(0));
    let found: BTreeMap<_, _> =
        take(&mut source, &Limits::default(), 100).into_iter().map(|(p, o, v)| ((p, o), v)).collect();
    for (place, record) in places.iter().zip(&records) {
        assert_eq!(found.get(&(place.partition.0, place.offset.0)).unwrap()[..], record.value[..]);
    }
    assert_eq!(source.committed(Partition(1)).unwrap(), Some(Next(7)));
    assert_eq!(source.committed(Partition(0)).unwrap(), None);
    let place = block_on(lab.sink().append(vec![event(0, "", "x")])).unwrap();
    assert_eq!(place, [Appended { partition: Partition(0), offset: Offset(34) }]);
}

/// Who takes no records for now is told of changes all the same, and afterwards misses none and gets none twice.
pub fn nothing_is_taken_and_nothing_lost_while_no_records_are_asked_for(lab: &mut impl Lab) {
    let records = |from: u32| (from..from + 50).map(|i| event(i % PARTITIONS, "k", i.to_le_bytes())).collect();
    block_on(lab.sink().append(records(0))).unwrap();
    let mut source = lab.source();
    join(&mut source, Next(0));
    take(&mut source, &Limits::default(), 50);
    block_on(lab.sink().append(records(50))).unwrap();
    ask_for_nothing(&mut source);
    let mut values: Vec<_> = take(&mut source, &Limits::default(), 50).into_iter().map(|(_, _, value)| value).collect();
    values.sort_unstable_by_key(|value| u32::from_le_bytes(value[..].try_into().unwrap()));
    assert_eq!(values, (50..100_u32).map(|i| i.to_le_bytes().to_vec()).collect::<Vec<_>>());
}

/// For longer than an engine goes on fetching for somebody who takes nothing.
pub fn ask_for_nothing(source: &mut impl Source) {
    let mut batch = Batch::default();
    let none = Limits { records_max: 0, wait_max: Duration::ZERO, ..Limits::default() };
    let clock = tributary::clock::Clock::system();
    while clock.monotonic() < Duration::from_millis(800) {
        assert_eq!(source.poll(&none, &mut batch).unwrap(), Polled::Records);
        assert!(batch.is_empty());
        thread::yield_now();
    }
}

/// Who is sought while nothing is asked for, and asked for at once afterwards, holds up no other.
pub fn a_seek_while_no_records_are_asked_for_holds_up_nobody(lab: &mut impl Lab) {
    let records = |from: u32| (from..from + 40).map(|i| event(i % PARTITIONS, "k", i.to_le_bytes())).collect();
    block_on(lab.sink().append(records(0))).unwrap();
    let mut source = lab.source();
    join(&mut source, Next(0));
    take(&mut source, &Limits::default(), 40);
    ask_for_nothing(&mut source);
    block_on(lab.sink().append(records(40))).unwrap();
    source.seek(Partition(0), Next(5)).unwrap();
    let counts: Vec<_> = by_partition(take(&mut source, &Limits::default(), 45))
        .into_iter()
        .map(|(partition, records)| (partition, records.len(), records[0].0))
        .collect();
    assert_eq!(counts, [(0, 15, 5), (1, 10, 10), (2, 10, 10), (3, 10, 10)]);
}

/// Many appenders at once: every call's records are all there, in the call's order, once, where the answer said.
pub fn concurrent_appenders(lab: &mut impl Lab) {
    const THREADS: u32 = 8;
    const CALLS: u32 = 20;
    let placed: BTreeMap<(u32, u64), Vec<u8>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let sink = lab.sink();
                scope.spawn(move || {
                    let mut placed = Vec::new();
                    for call in 0..CALLS {
                        let text = |i: u32| format!("{thread}.{call}.{i}");
                        let records: Vec<_> = (0..5).map(|i| event(i % 2, "k", text(i))).collect();
                        let places = block_on(sink.append(records.clone())).unwrap();
                        for pair in [[0, 2], [2, 4], [1, 3]] {
                            assert!(places[pair[0]].offset < places[pair[1]].offset, "the call's order");
                        }
                        let values = records.into_iter().map(|record| record.value.to_vec());
                        placed.extend(places.into_iter().map(|p| (p.partition.0, p.offset.0)).zip(values));
                    }
                    placed
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let mut source = lab.source();
    join(&mut source, Next(0));
    let count = (THREADS * CALLS * 5) as usize;
    assert_eq!(placed.len(), count, "no two records in one place");
    for (partition, offset, value) in take(&mut source, &Limits::default(), count) {
        assert_eq!(placed.get(&(partition, offset)), Some(&value));
    }
}

/// A call that is refused for one of its records appends none.
pub fn what_is_refused_beforehand_appends_nothing(lab: &mut impl Lab) {
    let sink = lab.sink();
    let refused = block_on(sink.append(vec![event(0, "", "x"), event(PARTITIONS, "", "y")]));
    assert!(matches!(refused, Err(append::Error::NoPartition { partition: Partition(PARTITIONS), .. })), "{refused:?}");
    let refused = block_on(sink.append(vec![event(0, "", "x"), event(1, "", vec![0; 64 << 20])]));
    assert!(matches!(refused, Err(append::Error::TooLarge { .. })), "{refused:?}");
    let mut source = lab.source();
    join(&mut source, Next(0));
    for partition in 0..PARTITIONS {
        assert_eq!(source.bounds(Partition(partition)).unwrap().end, Next(0));
    }
}

/// `emit` moves E, may repeat it, never moves it back; what is refused leaves no output behind.
pub fn emit_moves_e_forward_only(lab: &mut impl Lab) {
    let sink = lab.sink();
    block_on(sink.append((0..10).map(|_| event(2, "", "x")).collect())).unwrap();
    let mut source = lab.source();
    join(&mut source, Next(0));
    let (ticks, member) = (|count: usize| vec![event(3, "", "tick"); count], source.member());
    assert_eq!(source.committed(Partition(2)).unwrap(), None);
    block_on(sink.emit(&member, Partition(2), ticks(2), Next(4))).unwrap();
    block_on(sink.emit(&member, Partition(2), ticks(0), Next(4))).unwrap();
    assert_eq!(source.committed(Partition(2)).unwrap(), Some(Next(4)));
    let refused = block_on(sink.emit(&member, Partition(2), ticks(5), Next(3)));
    let Err(append::Error::Backwards { partition, committed, wanted }) = refused else { panic!("{refused:?}") };
    assert_eq!((partition, committed, wanted), (Partition(2), Next(4), Next(3)));
    assert_eq!(source.committed(Partition(2)).unwrap(), Some(Next(4)));
    let outputs = take(&mut source, &Limits::default(), 12).into_iter().filter(|(partition, ..)| *partition == 3);
    assert_eq!(outputs.count(), 2, "no output of a refused call");
}

/// A poll that waits is woken by an append, long before its time is over.
pub fn an_append_wakes_a_waiting_poll(lab: &mut impl Lab) {
    let mut source = lab.source();
    let sink = lab.sink();
    join(&mut source, Next(0));
    let (ready, go) = mpsc::channel();
    let reader = thread::spawn(move || {
        let mut batch = Batch::default();
        ready.send(()).unwrap();
        let limits = Limits { wait_max: Duration::from_secs(3_600), ..Limits::default() };
        source.poll(&limits, &mut batch).unwrap();
        batch.len()
    });
    go.recv().unwrap();
    block_on(sink.append(vec![event(1, "", "x")])).unwrap();
    assert_eq!(reader.join().unwrap(), 1);
}

/// A poll brings no more than asked for, yet always the first record, however large.
pub fn limits_are_kept(lab: &mut impl Lab) {
    let records: Vec<_> = (0..100).map(|i| event(i % PARTITIONS, "", vec![0; 1_000])).collect();
    block_on(lab.sink().append(records)).unwrap();
    let mut source = lab.source();
    let mut batch = Batch::default();
    let partitions = join(&mut source, Next(0));
    for (records_max, bytes_max, most) in [(10, 1 << 20, 10), (1_000, 5_500, 5), (1_000, 10, 1), (1, 1 << 20, 1)] {
        for partition in &partitions {
            source.seek(*partition, Next(0)).unwrap();
        }
        let mut seen = 0;
        while seen < 100 {
            let limits = Limits { records_max, bytes_max, ..Limits::default() };
            source.poll(&limits, &mut batch).unwrap();
            assert!(batch.len() <= most, "{} records for {records_max}, {bytes_max}", batch.len());
            seen += batch.len();
        }
    }
}
