//! Keys as bytes that sort as the rows do, and back.
//!
//! `table u16 | partition u32 | shard u16 | month u16`, big-endian, then per column a tag and its bytes: integers with
//! the sign bit flipped, descending ones inverted, texts with `00` written `00 ff` and `00 00` behind them. No
//! column's bytes are a prefix of another's, so a prefix of the columns is a prefix of the bytes.

use crate::ids::Partition;
use crate::project::key::{Bound, Col, Cols, Key, Part, Range, TableId};

const INT: u8 = 1;
const INT_DESC: u8 = 2;
const TEXT: u8 = 3;
const SIGN: u64 = 1 << 63;

/// The bytes of a key.
pub(crate) fn encode(key: &Key) -> Vec<u8> {
    encode_prefix(key.part, &key.cols)
}

/// The key, unless the bytes are not of [`encode`].
pub(crate) fn decode(bytes: &[u8]) -> Option<Key> {
    let (table, rest) = bytes.split_first_chunk()?;
    let (p, rest) = rest.split_first_chunk()?;
    let (shard, rest) = rest.split_first_chunk()?;
    let (month, mut rest) = rest.split_first_chunk()?;
    let part = Part {
        table: TableId(u16::from_be_bytes(*table)),
        p: Partition(u32::from_be_bytes(*p)),
        shard: u16::from_be_bytes(*shard),
        month: u16::from_be_bytes(*month),
    };
    let mut cols = Vec::new();
    while let Some((tag, after)) = rest.split_first() {
        let (col, after) = decode_col(*tag, after)?;
        cols.push(col);
        rest = after;
    }
    Some(Key { part, cols: Cols(cols) })
}

/// The first byte string in the range, and the first behind it; `None`: there is none behind.
pub(crate) fn range(range: &Range) -> (Vec<u8>, Option<Vec<u8>>) {
    let whole = || encode_prefix(range.part, &Cols::default());
    let from = match &range.from {
        Bound::Unbounded => Some(whole()),
        Bound::Included(cols) => Some(encode_prefix(range.part, cols)),
        Bound::Excluded(cols) => behind(encode_prefix(range.part, cols)),
    };
    let to = match &range.to {
        Bound::Unbounded => behind(whole()),
        Bound::Included(cols) => behind(encode_prefix(range.part, cols)),
        Bound::Excluded(cols) => Some(encode_prefix(range.part, cols)),
    };
    // Only a prefix of nothing but ff has nothing behind it; as a lower end it leaves an empty range.
    from.map_or_else(|| (Vec::new(), Some(Vec::new())), |from| (from, to))
}

fn encode_prefix(part: Part, cols: &Cols) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(48);
    bytes.extend_from_slice(&part.table.0.to_be_bytes());
    bytes.extend_from_slice(&part.p.0.to_be_bytes());
    bytes.extend_from_slice(&part.shard.to_be_bytes());
    bytes.extend_from_slice(&part.month.to_be_bytes());
    for col in &cols.0 {
        match col {
            Col::Int(value) => {
                bytes.push(INT);
                bytes.extend_from_slice(&(value.cast_unsigned() ^ SIGN).to_be_bytes());
            }
            Col::IntDesc(value) => {
                bytes.push(INT_DESC);
                bytes.extend_from_slice(&(!(value.cast_unsigned() ^ SIGN)).to_be_bytes());
            }
            Col::Text(text) => {
                bytes.push(TEXT);
                for byte in text.bytes() {
                    bytes.push(byte);
                    if byte == 0 {
                        bytes.push(0xff);
                    }
                }
                bytes.extend_from_slice(&[0, 0]);
            }
        }
    }
    bytes
}

/// The first byte string that sorts behind all that begin with `prefix`.
fn behind(mut prefix: Vec<u8>) -> Option<Vec<u8>> {
    while let Some(last) = prefix.pop() {
        if let Some(next) = last.checked_add(1) {
            prefix.push(next);
            return Some(prefix);
        }
    }
    None
}

fn decode_col(tag: u8, bytes: &[u8]) -> Option<(Col, &[u8])> {
    match tag {
        INT => {
            let (value, rest) = bytes.split_first_chunk()?;
            Some((Col::Int((u64::from_be_bytes(*value) ^ SIGN).cast_signed()), rest))
        }
        INT_DESC => {
            let (value, rest) = bytes.split_first_chunk()?;
            Some((Col::IntDesc((!u64::from_be_bytes(*value) ^ SIGN).cast_signed()), rest))
        }
        TEXT => decode_text(bytes),
        _ => None,
    }
}

fn decode_text(mut bytes: &[u8]) -> Option<(Col, &[u8])> {
    let mut text = Vec::new();
    loop {
        let (byte, rest) = bytes.split_first()?;
        bytes = rest;
        if *byte == 0 {
            let (mark, rest) = bytes.split_first()?;
            bytes = rest;
            match mark {
                0 => return Some((Col::Text(String::from_utf8(text).ok()?), bytes)),
                0xff => {}
                _ => return None,
            }
        }
        text.push(*byte);
    }
}
