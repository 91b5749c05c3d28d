//! A record of the log, as whoever folds it takes it.

use crate::append::partition::partition_of;
use crate::consume::{self, Batch, Limits, Polled, Record, Source};
use crate::decode::{self, Decoder, Place};
use crate::event::Event;
use crate::ids::{Next, Partition};

/// Why a record is not folded here.
pub(super) enum Refused {
    /// A creator's event under another key, or in another partition than that creator's: in the order of its own
    /// partition it must be folded, and nowhere else.
    Misrouted {
        creator_id: String,
    },
    Unreadable(decode::Error),
}

/// The event of a record in a log of `partitions`.
pub(super) fn read<'a>(
    decoder: &Decoder,
    record: &Record<'a>,
    at: Place<'_>,
    partitions: u32,
) -> Result<Event<'a>, Refused> {
    match decoder.decode(record.value, record.key, at) {
        Ok(event) if partition_of(record.key, partitions) == record.partition => Ok(event),
        Ok(event) => Err(Refused::Misrouted { creator_id: event.creator_id.0.to_owned() }),
        Err(error) => Err(match error.misrouted() {
            Some(creator_id) => Refused::Misrouted { creator_id: creator_id.to_owned() },
            None => Refused::Unreadable(error),
        }),
    }
}

/// Has the source hand out nothing but what stands in `partition` from `from` on.
pub(super) fn only<S: Source>(source: &mut S, partition: Partition, from: Next) -> Result<(), consume::Error> {
    let mut batch = Batch::default();
    while let Polled::Records = source.poll(&Limits::default(), &mut batch)? {}
    for p in (0..source.topic().partitions).map(Partition) {
        let to = if p == partition { from } else { source.bounds(p)?.end };
        source.seek(p, to)?;
    }
    Ok(())
}
