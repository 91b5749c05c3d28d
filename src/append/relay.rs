//! Records of a topic that is not the log, made records of it: read as strictly as the intake reads, in Avro or as JSON,
//! and placed by their creator, whatever key they had. What is no event becomes a dead letter, with its bytes.

use super::Outgoing;
use super::letter::TOO_LARGE;
use super::partition::partition_of;
use crate::consume::Record;
use crate::decode::json::{self, Scratch};
use crate::decode::{Decoder, Place};
use crate::event::{Body, Event};
use crate::schema::DeadLetter;

/// Bytes of a record of the log at most, in whichever engine.
const RECORD_BYTES_MAX: usize = super::kafka::RECORD_BYTES_MAX;

/// Why a record is no event that may come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// As dead letters carry it.
    pub class: &'static str,
    pub reason: String,
}

/// The event of a record, on its way into a log of `partitions`.
pub fn place(decoder: &Decoder, record: &Record<'_>, topic: &str, partitions: u32) -> Result<Outgoing, Refusal> {
    let mut scratch = Scratch::default();
    let event = read(decoder, record, topic, &mut scratch)?;
    let refuse = |class, reason| Err(Refusal { class, reason });
    if matches!(event.body, Body::Tick) {
        return refuse("reserved", "`Tick` is made by the service itself".to_owned());
    }
    let placed = Outgoing::of_event(&event, record.timestamp, partitions);
    let bytes = placed.key.len() + placed.value.len();
    if bytes > RECORD_BYTES_MAX {
        return refuse(TOO_LARGE, format!("the event takes {bytes} bytes; the log takes {RECORD_BYTES_MAX}"));
    }
    Ok(placed)
}

fn read<'a>(
    decoder: &Decoder,
    record: &Record<'a>,
    topic: &str,
    scratch: &'a mut Scratch,
) -> Result<Event<'a>, Refusal> {
    // No framing begins so.
    if record.value.trim_ascii_start().starts_with(b"{") {
        let event = json::from_json(record.value, scratch);
        return event.map_err(|error| Refusal { class: error.class(), reason: error.to_string() });
    }
    let at = Place { topic, partition: record.partition, offset: record.offset };
    let event = decoder.decode_of_any_key(record.value, at);
    event.map_err(|error| Refusal { class: error.class(), reason: error.reason() })
}

/// The dead letter of a refused record, in a log of `partitions`.
pub fn letter(record: &Record<'_>, topic: &str, refusal: &Refusal, partitions: u32) -> Outgoing {
    let letter = DeadLetter {
        topic,
        partition: record.partition,
        offset: record.offset,
        timestamp: record.timestamp,
        class: refusal.class,
        message: &refusal.reason,
        key: record.key,
        value: record.value,
    };
    Outgoing::of_letter(&letter, record.timestamp, partition_of(record.key, partitions))
}
