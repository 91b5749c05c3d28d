//! Behind the last record of a partition there may be what no reader is given: marks of transactions, and what was
//! aborted. The end of the log counts it, so who waits for the end would wait for ever.
//!
//! Once a partition has told that it is at its end, and its end is asked and lies further on, it is sought once more
//! where it stood: if it tells then, without a record, that it is at its end, there is nothing in between.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rdkafka::Message;
use rdkafka::message::BorrowedMessage;

use crate::ids::{Next, Offset, Partition};

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

    /// `false`: it was given before, or nobody sought its partition.
    pub(super) fn read(&mut self, message: &BorrowedMessage<'_>) -> bool {
        let (Ok(partition), Ok(offset)) = (u32::try_from(message.partition()), u64::try_from(message.offset())) else {
            return false;
        };
        self.given(Partition(partition), Offset(offset))
    }

    fn given(&mut self, partition: Partition, offset: Offset) -> bool {
        let Some(place) = self.0.get_mut(&partition).filter(|place| offset.next() > place.next) else { return false };
        *place = Place { next: offset.next(), is_at_end: false, probed: None };
        true
    }

    /// How far those are that are fetched.
    pub(super) fn places(&self, live: &BTreeSet<Partition>) -> Vec<(Partition, Next)> {
        let is_live = |(partition, _): &(&Partition, &Place)| live.contains(partition);
        self.0.iter().filter(is_live).map(|(partition, place)| (*partition, place.next)).collect()
    }

    /// The partition tells that it is at its end, and with what it told the log went as far as `fetched`: what that says
    /// of it. A leader that has just become one may not know yet how far the log goes, and tells of an end before it.
    pub(super) fn ended(&mut self, partition: i32, fetched: Option<Next>) -> Option<(Partition, Next)> {
        let partition = Partition(u32::try_from(partition).ok()?);
        let place = self.0.get_mut(&partition)?;
        place.is_at_end = true;
        let end = place.probed.take().filter(|end| fetched >= Some(*end))?;
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::Tail;
    use crate::ids::{Next, Offset, Partition};

    const P: Partition = Partition(0);

    fn at(next: u64) -> Tail {
        let mut tail = Tail::default();
        tail.sought(P, Next(next));
        tail
    }

    #[test]
    fn what_comes_twice_is_given_once_and_what_is_sought_again_comes_again() {
        let mut tail = at(5);
        assert!(tail.given(P, Offset(5)));
        assert!(!tail.given(P, Offset(5)));
        assert!(tail.given(P, Offset(9)));
        assert!(!tail.given(Partition(1), Offset(0)));
        tail.sought(P, Next(5));
        assert!(tail.given(P, Offset(5)));
    }

    #[test]
    fn an_end_is_reached_once_it_is_told_by_who_knows_of_it() {
        let (mut tail, live) = (at(5), BTreeSet::from([P]));
        assert_eq!(tail.ended(0, Some(Next(5))), None);
        assert_eq!(tail.due(Duration::from_secs(2), &live), [(P, Next(5))]);
        tail.probe(P, Next(7));
        assert_eq!(tail.ended(0, Some(Next(5))), None, "a new leader that is behind");
        tail.probe(P, Next(7));
        assert_eq!(tail.ended(0, None), None);
        tail.probe(P, Next(7));
        assert_eq!(tail.ended(0, Some(Next(8))), Some((P, Next(7))));
        assert_eq!(tail.places(&live), [(P, Next(7))]);
    }
}
