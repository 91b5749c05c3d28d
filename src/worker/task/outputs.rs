//! What leaves a task for the log: decisions, dead letters, and records that belong elsewhere.

use bytes::Bytes;

use super::Task;
use crate::append::kafka::RECORD_BYTES_MAX;
use crate::append::letter::TOO_LARGE;
use crate::append::partition::partition_of;
use crate::append::{Outgoing, Sink, Stream};
use crate::consume::Record;
use crate::decode;
use crate::event::Event;
use crate::fold::Origin;
use crate::fold::effects::Letter;
use crate::ids::Next;
use crate::publish::Publish;
use crate::schema::DeadLetter;
use crate::store::Store;
use crate::telemetry::with_causes;
use crate::worker::Error;
use crate::worker::read::Refused;
use crate::worker::seeded::{self, Bug};

impl<K: Sink + Publish, T: Store> Task<K, T> {
    /// Once more, under the key and in the partition where it belongs. Of replayed records that is done already.
    pub(super) fn put_right(&mut self, record: &Record<'_>, creator_id: String) {
        self.effects.tally.misrouted += 1;
        let Some(trigger) = self.trigger(record.offset.next(), std::slice::from_ref(record)) else { return };
        let key = Bytes::from(creator_id);
        let outgoing = Outgoing {
            stream: Stream::Events,
            partition: partition_of(&key, self.partitions),
            timestamp: record.timestamp,
            key,
            value: Bytes::copy_from_slice(record.value),
        };
        self.outputs.push((trigger, outgoing));
    }

    /// For tests: an output of the newest event, behind those of the events before it.
    pub(super) fn tell(&mut self, records: &[Record<'_>], events: &mut Vec<(Event<'_>, Origin)>) {
        self.fold.apply_all(&mut self.state, &mut self.effects, events);
        self.write_outputs(records);
        if let Some((event, origin)) = events.last()
            && let Some(trigger) = self.trigger(origin.offset.next(), records)
            && let Some(outgoing) = seeded::told(&self.state, event, *origin, self.partition)
        {
            self.outputs.push((trigger, outgoing));
        }
        events.clear();
    }

    /// What was decided of the records in hand, and which were refused: each in the order of those who caused it.
    pub(super) fn write_outputs(&mut self, records: &[Record<'_>]) {
        self.write_letters(records);
        self.write_decisions(records);
    }

    fn write_decisions(&mut self, records: &[Record<'_>]) {
        if self.effects.decisions.is_empty() {
            return;
        }
        let mut decisions = std::mem::take(&mut self.effects.decisions);
        for decision in &decisions {
            let Some(trigger) = self.trigger(decision.at, records) else { continue };
            let place = records.partition_point(|record| record.offset.next() < decision.at);
            let record = records.get(place).expect("a decision is made for a record in hand");
            self.outputs.push((trigger, self.decisions.record(decision, self.partition, record.timestamp)));
        }
        decisions.clear();
        // Its room is needed again.
        self.effects.decisions = decisions;
    }

    fn write_letters(&mut self, records: &[Record<'_>]) {
        for letter in std::mem::take(&mut self.effects.letters) {
            let record = records.iter().find(|record| record.offset.next() == letter.trigger);
            let record = record.expect("a letter is written for a record in hand");
            if let Some(trigger) = self.trigger(letter.trigger, records) {
                self.dead_letter(&letter, record, trigger);
            }
        }
    }

    /// Which event an output goes with; `None` when that is replayed: it is out already.
    fn trigger(&self, of: Next, records: &[Record<'_>]) -> Option<Next> {
        let last = records.last().filter(|_| self.seeded.has(Bug::TriggerOfBatch));
        let of = last.map_or(of, |last| last.offset.next());
        (of > self.suppress_to || self.seeded.has(Bug::NoSuppression)).then_some(of)
    }

    pub(super) fn refuse(&mut self, record: &Record<'_>, class: &'static str, message: String) {
        self.effects.tally.dead += 1;
        let (offset, timestamp, trigger) = (record.offset, record.timestamp, record.offset.next());
        self.effects.letters.push(Letter { class, message, offset, timestamp, trigger, parked: None });
    }

    fn dead_letter(&mut self, letter: &Letter, record: &Record<'_>, trigger: Next) {
        let value = letter.parked.as_deref().map_or_else(|| record.value.to_vec(), encode_parked);
        let letter = DeadLetter {
            topic: &self.topic,
            partition: self.partition,
            offset: letter.offset,
            timestamp: letter.timestamp,
            class: letter.class,
            message: &letter.message,
            key: record.key,
            value: &value,
        };
        let outgoing = Outgoing::of_letter(&letter, record.timestamp, self.partition);
        self.outputs.push((trigger, outgoing));
    }
}

/// As it would have stood in the log; a driver of dead letters can send it again.
fn encode_parked(parked: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Ok(event) = postcard::from_bytes::<crate::event::Event<'_>>(parked) {
        crate::schema::encode(&event, &mut bytes);
    }
    bytes
}

/// Whether a record can be put into the log once more, under its creator.
pub(super) fn fits(creator_id: &str, record: &Record<'_>) -> bool {
    creator_id.len() + record.value.len() <= RECORD_BYTES_MAX
}

/// Class and message of the letter of what is not folded.
pub(super) fn reason(refused: Refused) -> Result<(&'static str, String), Error> {
    match refused {
        Refused::Unreadable(error) if error.verdict() == decode::Verdict::Halt => Err(Error::Unreadable(error)),
        Refused::Unreadable(error) => Ok((error.class(), with_causes(&error))),
        Refused::Misrouted { creator_id } => {
            let text = "it stands under another key than its creator's, or in another partition, and is too large to be put right";
            Ok((TOO_LARGE, format!("{text}: {creator_id}")))
        }
    }
}
