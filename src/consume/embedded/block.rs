//! Records of one append and partition, packed: one row of the engine holds many.
//!
//! `count u32 | (timestamp i64 | key length u32 | value length u32 | key | value)* | XXH3 u64`, little-endian; the sum
//! covers the place too, so that a block found under another key is refused.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::consume::Stream;
use crate::ids::{Millis, Next, Partition};

const COUNT_BYTES: usize = 4;
const HEAD_BYTES: usize = 16;
const SUM_BYTES: usize = 8;

/// Where a block stands: its first record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) stream: Stream,
    pub(crate) partition: Partition,
    pub(crate) first: Next,
}

impl Place {
    fn seed(self) -> u64 {
        let mut bytes = [0; 16];
        let parts = [u64::from(self.partition.0).to_le_bytes(), self.first.0.to_le_bytes()];
        for (to, from) in bytes.iter_mut().zip(parts.as_flattened()) {
            *to = *from;
        }
        xxh3_64_with_seed(&bytes, u64::from(self.stream.number()))
    }
}

/// Packs records.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    count: u32,
}

impl Writer {
    pub(crate) fn push(&mut self, timestamp: Millis, key: &[u8], value: &[u8]) {
        if self.bytes.is_empty() {
            self.bytes.extend_from_slice(&[0; COUNT_BYTES]);
        }
        self.count += 1;
        self.bytes.extend_from_slice(&timestamp.0.to_le_bytes());
        self.bytes.extend_from_slice(&length(key).to_le_bytes());
        self.bytes.extend_from_slice(&length(value).to_le_bytes());
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
    }

    pub(crate) const fn count(&self) -> u32 {
        self.count
    }

    /// The size of the block with another record of `bytes` in keys and value.
    pub(crate) const fn size_with(&self, bytes: usize) -> usize {
        self.bytes.len() + COUNT_BYTES + HEAD_BYTES + SUM_BYTES + bytes
    }

    /// The finished block; the writer is empty again.
    pub(crate) fn finish(&mut self, place: Place) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.bytes);
        for (to, from) in bytes.iter_mut().zip(std::mem::take(&mut self.count).to_le_bytes()) {
            *to = from;
        }
        let sum = xxh3_64_with_seed(&bytes, place.seed());
        bytes.extend_from_slice(&sum.to_le_bytes());
        bytes
    }
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("a record is far below 4 GiB: the sink refuses larger ones")
}

/// A record in its block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packed<'a> {
    pub(crate) timestamp: Millis,
    pub(crate) key: &'a [u8],
    pub(crate) value: &'a [u8],
}

/// A block whose sum was right.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    count: u32,
}

impl<'a> Reader<'a> {
    /// `None` when the bytes are not what was written at `place`.
    pub(crate) fn open(place: Place, bytes: &'a [u8]) -> Option<Self> {
        let (body, sum) = bytes.split_last_chunk::<SUM_BYTES>()?;
        if xxh3_64_with_seed(body, place.seed()) != u64::from_le_bytes(*sum) {
            return None;
        }
        let (count, rest) = body.split_first_chunk::<COUNT_BYTES>()?;
        Some(Self { rest, count: u32::from_le_bytes(*count) })
    }

    pub(crate) const fn records(&self) -> u32 {
        self.count
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Packed<'a>;

    fn next(&mut self) -> Option<Packed<'a>> {
        let (timestamp, rest) = self.rest.split_first_chunk::<8>()?;
        let (key, rest) = rest.split_first_chunk::<4>()?;
        let (value, rest) = rest.split_first_chunk::<4>()?;
        let (key, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*key)).ok()?)?;
        let (value, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*value)).ok()?)?;
        self.rest = rest;
        Some(Packed { timestamp: Millis(i64::from_le_bytes(*timestamp)), key, value })
    }
}
