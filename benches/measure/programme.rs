//! Records to measure with: the simulator's, encoded beforehand.

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
