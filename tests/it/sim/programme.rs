//! What is in the log, and what a plain fold makes of it: one record after the other, no batch, no restart.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, OnceLock};

use bytes::Bytes;
use tributary::append::Outgoing;
use tributary::append::partition::partition_of;
use tributary::clock::Clock;
use tributary::consume::Stream;
use tributary::decode::{Decoder, Place};
use tributary::event::Bots;
use tributary::fold::effects::{Effects, Letter};
use tributary::fold::state::State;
use tributary::fold::{Fold, Origin};
use tributary::ids::{Millis, Next, Offset, Partition};
use tributary::keep::{HashKey, Maps};
use tributary::project::key::{Col, Key, Row};
use tributary::project::tables::{self, Class};
use tributary::project::words::Words;
use tributary::project::{boards, build};
use tributary::schema::DeadLetter;
use tributary::simulate::{Pace, Simulation, Spec};
use tributary::telemetry::with_causes;
use tributary::worker::decision::Encoder;
use tributary::worker::seeded;
use xxhash_rust::xxh3::xxh3_128;

use super::random::Random;

pub(super) const PARTITIONS: u32 = 2;
/// 2026-01-05T00:00Z, a Monday.
pub(super) const START: Millis = Millis(1_767_571_200_000);
/// Of the hashes of every state, here and on the nodes' disks.
pub(super) const SECRET: [u8; 16] = *b"a simulated one.";
/// Logs that seeds take turns with: each is folded plainly once.
const LOGS: usize = 6;
const EVENTS: u64 = 220;

/// Of all nodes of all worlds: thousands of folds are made.
pub(super) static BOTS: LazyLock<Bots> = LazyLock::new(Bots::default);
pub(super) static DECODER: LazyLock<Arc<Decoder>> = LazyLock::new(|| Arc::new(Decoder::new()));

/// A record of the log.
pub(super) struct Entry {
    pub(super) offset: Offset,
    pub(super) timestamp: Millis,
    pub(super) key: Bytes,
    pub(super) value: Bytes,
}

/// An output as it stands in its topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Output {
    pub(super) key: Bytes,
    pub(super) value: Bytes,
}

/// Bytes by which rows are told apart, and sorted.
pub(super) type RowKey = Vec<u8>;

/// One partition of the log and everything that follows from it.
#[derive(Default)]
pub(super) struct Truth {
    pub(super) entries: Vec<Entry>,
    pub(super) outputs: BTreeMap<&'static str, Vec<Output>>,
    /// Live rows at the end.
    pub(super) rows: BTreeMap<RowKey, Bytes>,
    /// When each row changed.
    pub(super) changes: BTreeMap<RowKey, (Class, Vec<Next>)>,
    /// Of the state at each position.
    pub(super) digests: BTreeMap<Next, u128>,
}

impl Truth {
    /// Everything is folded.
    pub(super) fn end(&self) -> Next {
        self.entries.last().map_or(Next(0), |entry| entry.offset.next())
    }
}

pub(super) struct Programme(pub(super) Vec<Truth>);

impl Programme {
    pub(super) fn of(seed: u64) -> &'static Self {
        static MADE: [OnceLock<Programme>; LOGS] = [const { OnceLock::new() }; LOGS];
        let number = usize::try_from(seed).unwrap() % LOGS;
        MADE[number].get_or_init(|| Self::make(u64::try_from(number).unwrap()))
    }

    pub(super) fn truth(&self, partition: Partition) -> &Truth {
        &self.0[partition.0 as usize]
    }

    fn make(number: u64) -> Self {
        let spec = Spec {
            creators: 4,
            members: 16,
            events: EVENTS,
            seed: 100 + number,
            start: START,
            pace: Pace::History { days: 30 },
            signups_permille: 500,
        };
        let mut random = Random::new(number);
        let mut programme = Self((0..PARTITIONS).map(|_| Truth::default()).collect());
        let mut offsets = [0_u64; PARTITIONS as usize];
        let mut put = |partition: Partition, timestamp, key: Bytes, value: Vec<u8>, random: &mut Random| {
            let next = &mut offsets[partition.0 as usize];
            // Markers of transactions take offsets too, and are never handed out.
            *next += u64::from(random.percent(15)) + u64::from(random.percent(5));
            let entry = Entry { offset: Offset(*next), timestamp, key, value: Bytes::from(value) };
            programme.0[partition.0 as usize].entries.push(entry);
            *next += 1;
        };
        for record in Simulation::new(&spec) {
            let event = record.event();
            let mut value = Vec::new();
            tributary::schema::encode(&event, &mut value);
            let key = Bytes::copy_from_slice(event.creator_id.0.as_bytes());
            let partition = partition_of(&key, PARTITIONS);
            put(partition, record.arrival, key, value, &mut random);
            if random.percent(8) {
                let garbage = format!("garbage {}", random.below(1_000)).into_bytes();
                let partition = Partition(u32::from(random.percent(50)));
                put(partition, record.arrival, Bytes::from_static(b"?"), garbage, &mut random);
            }
        }
        for (partition, truth) in (0..).map(Partition).zip(&mut programme.0) {
            Plain::new(partition).fold(truth);
        }
        programme
    }
}

/// The fold without a worker.
struct Plain {
    partition: Partition,
    state: State,
    fold: Fold,
    effects: Effects,
    words: Words,
    decisions: Encoder,
    rows: BTreeMap<RowKey, Row>,
}

impl Plain {
    fn new(partition: Partition) -> Self {
        let mut state = State::default();
        state.set_hash_key(HashKey::new(SECRET));
        let effects = Effects::from(Next(0));
        let decisions = Encoder::new(Clock::fixed(START));
        let (fold, words) = (Fold::with(BOTS.clone()), Words::default());
        Self { partition, state, fold, effects, words, decisions, rows: BTreeMap::new() }
    }

    fn fold(mut self, truth: &mut Truth) {
        truth.digests.insert(Next(0), digest(&mut self.state));
        let entries = std::mem::take(&mut truth.entries);
        for entry in &entries {
            self.one(entry, truth);
            truth.digests.insert(entry.offset.next(), digest(&mut self.state));
            let changed = self.flush(entry.offset.next());
            for row in changed {
                let class = tables::ALL.iter().find(|table| table.id == row.key.part.table).unwrap().class;
                let changes = truth.changes.entry(row_key(&row.key)).or_insert_with(|| (class, Vec::new()));
                changes.1.push(row.at);
            }
        }
        truth.entries = entries;
        let live = self.rows.into_iter().filter_map(|(key, row)| Some((key, row.value?)));
        truth.rows = live.collect();
    }

    fn one(&mut self, entry: &Entry, truth: &mut Truth) {
        let topic = Stream::Events.name();
        let place = Place { topic, partition: self.partition, offset: entry.offset };
        let mut told = None;
        self.effects.tally.read += 1;
        match DECODER.decode(&entry.value, &entry.key, place) {
            Ok(event) => {
                let origin = Origin { offset: entry.offset, timestamp: entry.timestamp };
                self.fold.apply(&mut self.state, &mut self.effects, &event, origin);
                told = seeded::told(&self.state, &event, origin, self.partition);
            }
            Err(error) => {
                self.effects.tally.dead += 1;
                self.effects.letters.push(Letter {
                    class: error.class(),
                    message: with_causes(&error),
                    offset: entry.offset,
                    timestamp: entry.timestamp,
                    trigger: entry.offset.next(),
                    parked: None,
                });
            }
        }
        for letter in std::mem::take(&mut self.effects.letters) {
            let value = letter.parked.as_deref().map_or_else(|| entry.value.to_vec(), as_sent);
            let mut bytes = Vec::new();
            let partition = self.partition;
            let Letter { offset, timestamp, class, ref message, .. } = letter;
            let key = &entry.key[..];
            DeadLetter { topic, partition, offset, timestamp, class, message, key, value: &value }.encode(&mut bytes);
            let output = Output { key: entry.key.clone(), value: Bytes::from(bytes) };
            truth.outputs.entry(Stream::DeadLetters.name()).or_default().push(output);
        }
        let decided = std::mem::take(&mut self.effects.decisions);
        let decided = decided.iter().map(|made| self.decisions.record(made, self.partition, entry.timestamp));
        for Outgoing { key, value, .. } in decided.chain(told) {
            truth.outputs.entry(Stream::Decisions.name()).or_default().push(Output { key, value });
        }
        let tally = std::mem::take(&mut self.effects.tally);
        self.state.add_tally(&tally);
    }

    /// Makes the rows of what was touched, and gives them.
    fn flush(&mut self, position: Next) -> Vec<Row> {
        let fast = build::fast(&self.state, &self.effects.take_fast(position), self.partition);
        let touched = self.effects.take_slow();
        let slow = build::slow(&self.state, (&mut self.words, &self.fold.quarters), &touched, self.partition);
        let boards = boards::rows(&self.state, &mut self.fold.ranks, &touched, (self.partition, position));
        let rows: Vec<Row> = fast.into_iter().chain(slow).chain(boards).collect();
        for row in &rows {
            let key = row_key(&row.key);
            if self.rows.get(&key).is_none_or(|old| beats(row, old)) {
                self.rows.insert(key, row.clone());
            }
        }
        rows
    }
}

/// Whether a row takes the place of another: the promise of every store.
pub(super) fn beats(new: &Row, old: &Row) -> bool {
    let rank = |row: &Row| (row.at, row.value.is_none());
    rank(new) > rank(old) || (rank(new) == rank(old) && new.value > old.value)
}

pub(super) fn is_applied(row: &Row) -> bool {
    row.key.part.table == tables::APPLIED.id
}

pub(super) fn row_key(key: &Key) -> RowKey {
    let part = key.part;
    let mut bytes = format!("{}.{}.{}.{}", part.table.0, part.p.0, part.shard, part.month).into_bytes();
    for col in &key.cols.0 {
        match col {
            Col::Int(n) | Col::IntDesc(n) => bytes.extend_from_slice(format!(" {n}").as_bytes()),
            Col::Text(text) => bytes.extend_from_slice(format!(" {text:?}").as_bytes()),
        }
    }
    bytes
}

/// One number for all that a state knows.
pub(super) fn digest(state: &mut State) -> u128 {
    let (mut sum, mut buffer) = (0_u128, Vec::new());
    state.visit(&mut |name, map| {
        map.each(&mut |key, time, value| {
            buffer.clear();
            buffer.extend_from_slice(name.as_bytes());
            buffer.extend_from_slice(key);
            buffer.extend_from_slice(&time.0.to_le_bytes());
            buffer.extend_from_slice(value);
            sum = sum.wrapping_add(xxh3_128(&buffer));
        });
    });
    sum
}

/// A parked record as a producer would have sent it.
fn as_sent(parked: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Ok(event) = postcard::from_bytes::<tributary::event::Event<'_>>(parked) {
        tributary::schema::encode(&event, &mut bytes);
    }
    bytes
}
