//! Records to measure with: the simulator's, encoded beforehand.

use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use bytes::Bytes;
use tributary::append::Outgoing;
use tributary::append::partition::partition_of;
use tributary::consume::Stream;
use tributary::event::Event;
use tributary::ids::Millis;
use tributary::simulate::{Pace, SIGNUPS_PERMILLE, Simulation, Spec};

/// Encoded records in one arena.
#[derive(Default)]
pub struct Encoded {
    arena: Vec<u8>,
    records: Vec<(Millis, usize, usize, usize)>,
}

/// 2026-01-05T00:00Z.
pub const START: Millis = Millis(1_767_571_200_000);

pub fn spec(creators: u32, members: u32, events: u64) -> Spec {
    let pace = Pace::History { days: 30 };
    Spec { creators, members, events, seed: 1, start: START, pace, signups_permille: SIGNUPS_PERMILLE }
}

impl Encoded {
    pub fn of(spec: &Spec) -> Self {
        let mut encoded = Self::default();
        for record in Simulation::new(spec) {
            let event = record.event();
            let start = encoded.arena.len();
            encoded.arena.extend_from_slice(event.creator_id.0.as_bytes());
            let key_end = encoded.arena.len();
            tributary::schema::encode(&event, &mut encoded.arena);
            encoded.records.push((record.arrival, start, key_end, encoded.arena.len()));
        }
        encoded
    }

    pub fn iter(&self) -> impl Iterator<Item = (Millis, &[u8], &[u8])> {
        self.records
            .iter()
            .map(|(at, start, key_end, end)| (*at, &self.arena[*start..*key_end], &self.arena[*key_end..*end]))
    }

    /// So many at a time.
    pub fn chunks(&self, size: usize) -> impl Iterator<Item = impl Iterator<Item = (Millis, &[u8], &[u8])>> {
        self.records.chunks(size).map(|chunk| {
            chunk
                .iter()
                .map(|(at, start, key_end, end)| (*at, &self.arena[*start..*key_end], &self.arena[*key_end..*end]))
        })
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }
}

pub fn outgoing((timestamp, key, value): (Millis, &[u8], &[u8]), partitions: u32) -> Outgoing {
    let partition = partition_of(key, partitions);
    let (key, value) = (Bytes::copy_from_slice(key), Bytes::copy_from_slice(value));
    Outgoing { stream: Stream::Events, partition, timestamp, key, value }
}

pub fn of_event(event: &Event<'_>, timestamp: Millis, partitions: u32) -> Outgoing {
    let mut value = Vec::new();
    tributary::schema::encode(event, &mut value);
    outgoing((timestamp, event.creator_id.0.as_bytes(), &value), partitions)
}

/// The programme of a million members and ten million clicks, or a part of it.
fn large(events: u64) -> Spec {
    spec(100, u32::try_from(events * 10 / 114).unwrap(), events)
}

/// Writes the records of [`large`] to standard output, for [`Elsewhere`]: time, lengths of key and value, key, value.
pub fn write_records(events: u64) {
    let mut out = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    let mut value = Vec::new();
    for record in Simulation::new(&large(events)) {
        let event = record.event();
        value.clear();
        tributary::schema::encode(&event, &mut value);
        let key = event.creator_id.0.as_bytes();
        out.write_all(&record.arrival.0.to_le_bytes()).unwrap();
        for part in [key, &value] {
            out.write_all(&u32::try_from(part.len()).unwrap().to_le_bytes()).unwrap();
        }
        out.write_all(key).unwrap();
        out.write_all(&value).unwrap();
    }
    out.flush().unwrap();
}

/// Records made in a process of their own, so that what the simulator keeps is not counted here.
pub struct Elsewhere {
    process: Child,
    from: BufReader<ChildStdout>,
}

impl Elsewhere {
    pub fn large(events: u64) -> Self {
        let exe = std::env::current_exe().unwrap();
        let args = ["records".to_owned(), events.to_string()];
        let mut process = Command::new(exe).args(args).stdout(Stdio::piped()).spawn().unwrap();
        let from = BufReader::with_capacity(1 << 16, process.stdout.take().unwrap());
        Self { process, from }
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.from.read_exact(&mut bytes).unwrap();
        bytes
    }

    fn length(&mut self) -> usize {
        u32::from_le_bytes(self.bytes(4).try_into().unwrap()) as usize
    }
}

impl Iterator for Elsewhere {
    type Item = Outgoing;

    fn next(&mut self) -> Option<Outgoing> {
        if self.from.fill_buf().unwrap().is_empty() {
            assert!(self.process.wait().unwrap().success());
            return None;
        }
        let timestamp = i64::from_le_bytes(self.bytes(8).try_into().unwrap());
        let (key, value) = (self.length(), self.length());
        let (key, value) = (self.bytes(key), self.bytes(value));
        Some(outgoing((Millis(timestamp), &key, &value), 4))
    }
}
