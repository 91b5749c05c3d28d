//! Records of a topic that is not the log, made records of it: read as strictly as the intake reads, in Avro or as JSON,
//! and placed by their creator, whatever key they had. What is no event becomes a dead letter, with its bytes; without
//! them if they may have raw fields, which are kept nowhere.

use super::Outgoing;
use super::letter::{TOO_LARGE, WITHHELD};
use super::partition::partition_of;
use super::tokenize::tokenize;
use crate::consume::Record;
use crate::decode::json::{self, Scratch};
use crate::decode::{Decoder, Place};
use crate::event::{Body, Event};
use crate::schema::{CONFLUENT, DeadLetter, SINGLE_OBJECT};
use crate::tokens::{Keys, RawField};

/// Bytes of a record of the log at most, in whichever engine.
const RECORD_BYTES_MAX: usize = super::kafka::RECORD_BYTES_MAX;

/// Why a record is no event that may come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// As dead letters carry it.
    pub class: &'static str,
    pub reason: String,
}

/// The event of a record, on its way into a log of `partitions`. Without `keys` raw fields are refused.
pub fn place(
    decoder: &Decoder,
    record: &Record<'_>,
    topic: &str,
    partitions: u32,
    keys: Option<&Keys>,
) -> Result<Outgoing, Refusal> {
    let mut scratch = Scratch::default();
    let event = read(decoder, record, topic, &mut scratch, keys)?;
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
    keys: Option<&Keys>,
) -> Result<Event<'a>, Refusal> {
    if is_json(record) {
        let refuse = |error: json::Error| Refusal { class: error.class(), reason: error.to_string() };
        let (mut event, raw) = json::read(record.value, scratch).map_err(refuse)?;
        tokenize(&mut event, raw, keys).map_err(refuse)?;
        return Ok(event);
    }
    let at = Place { topic, partition: record.partition, offset: record.offset };
    let event = decoder.decode_of_any_key(record.value, at);
    event.map_err(|error| Refusal { class: error.class(), reason: error.reason() })
}

/// No framing begins so.
fn is_json(record: &Record<'_>) -> bool {
    record.value.trim_ascii_start().starts_with(b"{")
}

/// Whether a raw field's name stands somewhere in a record that is not framed, and so may be JSON of whatever shape. Of one
/// that cannot be read nobody knows more.
fn has_raw_field(record: &Record<'_>) -> bool {
    let is_named = |field: &RawField| {
        let name = format!("\"{}\"", field.name());
        record.value.windows(name.len()).any(|window| window == name.as_bytes())
    };
    let is_framed = matches!(record.value, [CONFLUENT, ..]) || record.value.starts_with(&SINGLE_OBJECT);
    !is_framed && RawField::ALL.iter().any(is_named)
}

/// The dead letter of a refused record, in a log of `partitions`.
pub fn letter(record: &Record<'_>, topic: &str, refusal: &Refusal, partitions: u32) -> Outgoing {
    let message =
        format!("{}: {}; its bytes, which name a raw field, stay where they are", refusal.class, refusal.reason);
    let (class, message, value) = match has_raw_field(record) {
        true => (WITHHELD, message.as_str(), [].as_slice()),
        false => (refusal.class, refusal.reason.as_str(), record.value),
    };
    let letter = DeadLetter {
        topic,
        partition: record.partition,
        offset: record.offset,
        timestamp: record.timestamp,
        class,
        message,
        key: record.key,
        value,
    };
    Outgoing::of_letter(&letter, record.timestamp, partition_of(record.key, partitions))
}
