//! Dead letters on their way into the log: they fit into it, whatever the records were.

use bytes::Bytes;

use super::{Outgoing, Stream};
use crate::ids::{Millis, Partition};
use crate::schema::DeadLetter;

/// The class of a letter that holds only the beginning of its record.
pub const TOO_LARGE: &str = "too_large";
/// The class of a letter that holds nothing of its record, as that may have raw fields.
pub const WITHHELD: &str = "withheld";
/// Bytes of a letter's key, message and value at most; together, and with what stands around them, less than any engine takes.
const KEY_BYTES_MAX: usize = 16 << 10;
const MESSAGE_BYTES_MAX: usize = 16 << 10;
const VALUE_BYTES_MAX: usize = 900_000;

impl Outgoing {
    /// A dead letter on its way into `partition`. One that would be too large for the log is cut, and says so.
    pub fn of_letter(letter: &DeadLetter<'_>, timestamp: Millis, partition: Partition) -> Self {
        let mut value = Vec::new();
        let key = beginning(letter.key, KEY_BYTES_MAX);
        let cut = DeadLetter { key, value: beginning(letter.value, VALUE_BYTES_MAX), ..*letter };
        if cut == *letter && letter.message.len() <= MESSAGE_BYTES_MAX {
            letter.encode(&mut value);
        } else {
            let is_whole = cut == *letter;
            let said = text(letter.message, MESSAGE_BYTES_MAX);
            let sizes = (letter.key.len(), letter.value.len(), cut.value.len());
            let message = format!(
                "{}: {said}; the record has a key of {} bytes and a value of {}: the first {} of it are here, all of it stands where it stood",
                letter.class, sizes.0, sizes.1, sizes.2
            );
            let (class, message) = if is_whole { (letter.class, said) } else { (TOO_LARGE, message.as_str()) };
            DeadLetter { class, message, ..cut }.encode(&mut value);
        }
        let key = Bytes::copy_from_slice(key);
        Self { stream: Stream::DeadLetters, partition, timestamp, key, value: Bytes::from(value) }
    }
}

fn beginning(bytes: &[u8], max: usize) -> &[u8] {
    bytes.get(..max).unwrap_or(bytes)
}

fn text(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or(text)
}
