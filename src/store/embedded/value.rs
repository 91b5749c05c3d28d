//! A row's value as bytes: `at u64 | kind u8 | …`, little-endian, and which of two wins.
//!
//! Kinds: 0 a tombstone, then its number u64; 1 a row, then its bytes; 2 a row that expires, then when i64, then its
//! bytes.

use bytes::Bytes;

use crate::ids::{Millis, Next};
use crate::project::key::{Key, Row};

const TOMBSTONE: u8 = 0;
const LASTING: u8 = 1;
const EXPIRING: u8 = 2;

/// A stored value, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stored<'a> {
    pub(super) at: Next,
    pub(super) content: Content<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content<'a> {
    /// With its place in the list of tombstones to be purged.
    Tombstone(u64),
    Live {
        expires: Option<Millis>,
        bytes: &'a [u8],
    },
}

impl<'a> Stored<'a> {
    pub(super) fn of(row: &'a Row, tombstone: u64) -> Self {
        let content = match &row.value {
            None => Content::Tombstone(tombstone),
            Some(bytes) => Content::Live { expires: row.expires, bytes },
        };
        Self { at: row.at, content }
    }

    /// Whether this one is kept where `other` stands. Equals need no write.
    pub(super) fn beats(&self, other: &Stored<'_>) -> bool {
        self.rank() > other.rank()
    }

    /// Greater `at` first; then a tombstone; then larger bytes; of equal bytes the one that lasts longer.
    fn rank(&self) -> (Next, bool, &[u8], bool, Option<Millis>) {
        match self.content {
            Content::Tombstone(_) => (self.at, true, &[], true, None),
            Content::Live { expires, bytes } => (self.at, false, bytes, expires.is_none(), expires),
        }
    }

    pub(super) fn encode(&self, into: &mut Vec<u8>) {
        into.clear();
        into.extend_from_slice(&self.at.0.to_le_bytes());
        match self.content {
            Content::Tombstone(number) => {
                into.push(TOMBSTONE);
                into.extend_from_slice(&number.to_le_bytes());
            }
            Content::Live { expires: None, bytes } => {
                into.push(LASTING);
                into.extend_from_slice(bytes);
            }
            Content::Live { expires: Some(expires), bytes } => {
                into.push(EXPIRING);
                into.extend_from_slice(&expires.0.to_le_bytes());
                into.extend_from_slice(bytes);
            }
        }
    }

    /// `None` unless the bytes are of [`Stored::encode`].
    pub(super) fn decode(bytes: &'a [u8]) -> Option<Self> {
        let (at, rest) = bytes.split_first_chunk()?;
        let (kind, rest) = rest.split_first()?;
        let content = match *kind {
            TOMBSTONE => Content::Tombstone(u64::from_le_bytes(rest.try_into().ok()?)),
            LASTING => Content::Live { expires: None, bytes: rest },
            EXPIRING => {
                let (expires, bytes) = rest.split_first_chunk()?;
                Content::Live { expires: Some(Millis(i64::from_le_bytes(*expires))), bytes }
            }
            _ => return None,
        };
        Some(Self { at: Next(u64::from_le_bytes(*at)), content })
    }

    /// The row; `None` for a tombstone.
    pub(super) fn row(&self, key: Key) -> Option<Row> {
        match self.content {
            Content::Tombstone(_) => None,
            Content::Live { expires, bytes } => {
                Some(Row { key, at: self.at, value: Some(Bytes::copy_from_slice(bytes)), expires })
            }
        }
    }
}
