//! Behind the last record of a partition there may be what no reader is given: marks of transactions, and what was
//! aborted. The end of the log counts it, so who waits for the end would wait for ever.
//!
//! Once a partition has told that it is at its end, and its end is asked and lies further on, it is sought once more
//! where it stood: if it tells then, without a record, that it is at its end, there is nothing in between.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rdkafka::Message;
use rdkafka::message::BorrowedMessage;

use crate::ids::{Next, Partition};

/// How often the end is asked of partitions that stand at it.
const EVERY: Duration = Duration::from_secs(1);

/// How far partitions are, seen from their ends.
#[derive(Debug, Default)]
pub(super) struct Tail(BTreeMap<Partition, Place>, Duration);

#[derive(Debug)]
struct Place {
    /// Everything below was given.
    next: Next,
    is_at_end: bool,
    /// The end as it was asked, before the partition was sought again.
    probed: Option<Next>,
}

impl Tail {
    pub(super) fn sought(&mut self, partition: Partition, next: Next) {
        let place = self.0.entry(partition).or_insert(Place { next, is_at_end: false, probed: None });
        if place.next != next {
            *place = Place { next, is_at_end: false, probed: None };
        }
    }

    pub(super) fn forget(&mut self, partition: Partition) {
        self.0.remove(&partition);
    }

    pub(super) fn read(&mut self, message: &BorrowedMessage<'_>) {
        let (Ok(partition), Ok(offset)) = (u32::try_from(message.partition()), u64::try_from(message.offset())) else {
            return;
        };
        if let Some(place) = self.0.get_mut(&Partition(partition)) {
            *place = Place { next: Next(offset + 1), is_at_end: false, probed: None };
        }
    }

    /// The partition tells that it is at its end: what that says of it.
    pub(super) fn ended(&mut self, partition: i32) -> Option<(Partition, Next)> {
        let partition = Partition(u32::try_from(partition).ok()?);
        let place = self.0.get_mut(&partition)?;
        place.is_at_end = true;
        let end = place.probed.take()?;
        place.next = end;
        Some((partition, end))
    }

    /// The same while nobody can be told: it is looked at again.
    pub(super) fn unheard(&mut self, partition: i32) {
        let partition = u32::try_from(partition).ok().map(Partition);
        if let Some(place) = partition.and_then(|partition| self.0.get_mut(&partition)) {
            (place.is_at_end, place.probed) = (true, None);
        }
    }

    /// Those whose ends are to be asked now, with how far they are.
    pub(super) fn due(&mut self, now: Duration, live: &BTreeSet<Partition>) -> Vec<(Partition, Next)> {
        if now < self.1 + EVERY {
            return Vec::new();
        }
        self.1 = now;
        let stands = |(partition, place): (&Partition, &Place)| {
            let is_due = place.is_at_end && place.probed.is_none() && live.contains(partition);
            is_due.then_some((*partition, place.next))
        };
        self.0.iter().filter_map(stands).collect()
    }

    /// It is sought again where it stands, the end having been `end`.
    pub(super) fn probe(&mut self, partition: Partition, end: Next) {
        if let Some(place) = self.0.get_mut(&partition) {
            (place.probed, place.is_at_end) = (Some(end), false);
        }
    }
}
