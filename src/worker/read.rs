//! A record of the log, as whoever folds it takes it.

use crate::append::partition::partition_of;
use crate::consume::Record;
use crate::decode::{self, Decoder, Place};
use crate::event::Event;

/// What a record is.
pub(super) enum Read<'a> {
    Event(Event<'a>),
    /// A creator's event under another key, or in another partition than that creator's: in the order of its own
    /// partition it must be folded, and nowhere else.
    Misrouted {
        creator_id: String,
    },
    Not(decode::Error),
}

/// Reads a record of a log of `partitions`.
pub(super) fn read<'a>(decoder: &Decoder, record: &Record<'a>, at: Place<'_>, partitions: u32) -> Read<'a> {
    match decoder.decode(record.value, record.key, at) {
        Ok(event) if partition_of(record.key, partitions) == record.partition => Read::Event(event),
        Ok(event) => Read::Misrouted { creator_id: event.creator_id.0.to_owned() },
        Err(error) => match error.misrouted() {
            Some(creator_id) => Read::Misrouted { creator_id: creator_id.to_owned() },
            None => Read::Not(error),
        },
    }
}
