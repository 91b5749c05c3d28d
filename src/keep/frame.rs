//! One record of the journal: a head of 64 bytes and a compressed body.

use xxhash_rust::xxh3::xxh3_64;

use super::bytes::{Bytes, count32, size};
use crate::ids::Next;

pub(super) const HEAD_BYTES: usize = 64;
const MAGIC: [u8; 4] = *b"TrF1";
/// The hash covers all bytes from here on.
const HASHED_FROM: usize = 16;

/// What a frame is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// What changed up to `next`.
    State,
    /// Carries `released` when there is nothing to write.
    Mark,
    /// Written at open: the state frames after frame `needed` and before this one are void.
    Cut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: Kind,
    /// Consecutive over all frames and files, from 1.
    pub(super) seq: u64,
    pub(super) next: Next,
    /// Rows and outputs of events below it are out.
    pub(super) released: Next,
    /// The oldest frame that a load up to this one needs.
    pub(super) needed: u64,
    pub(super) schema: u64,
}

/// A whole frame, hash verified.
pub(super) struct Frame<'a> {
    pub(super) head: Head,
    /// Bytes of the body when unpacked.
    raw: usize,
    packed: &'a [u8],
}

impl Frame<'_> {
    pub(super) const fn bytes(&self) -> usize {
        HEAD_BYTES + self.packed.len()
    }

    /// The body, in `room`, which grows as needed. `None`: it is not what a writer makes.
    pub(super) fn body<'a>(&self, room: &'a mut Vec<u8>) -> Option<&'a [u8]> {
        if room.len() < self.raw {
            room.resize(self.raw, 0);
        }
        let body = room.get_mut(..self.raw)?;
        let length = lz4_flex::block::decompress_into(self.packed, body).ok()?;
        (length == self.raw).then_some(body)
    }
}

/// The bytes of a frame.
pub(super) fn encode(head: &Head, body: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; HEAD_BYTES];
    if !body.is_empty() {
        let room = lz4_flex::block::get_maximum_output_size(body.len());
        frame.resize(HEAD_BYTES + room, 0);
        let to = frame.get_mut(HEAD_BYTES..).expect("resized above");
        let packed = lz4_flex::block::compress_into(body, to).expect("room for the worst case");
        frame.truncate(HEAD_BYTES + packed);
    }
    let packed = count32(frame.len() - HEAD_BYTES);
    let kind: u32 = match head.kind {
        Kind::State => 1,
        Kind::Mark => 2,
        Kind::Cut => 3,
    };
    let mut bytes = Vec::with_capacity(HEAD_BYTES);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&packed.to_le_bytes());
    bytes.extend_from_slice(&[0; 8]);
    bytes.extend_from_slice(&count32(body.len()).to_le_bytes());
    bytes.extend_from_slice(&kind.to_le_bytes());
    for word in [head.seq, head.next.0, head.released.0, head.needed, head.schema] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    frame.get_mut(..HEAD_BYTES).expect("begins with the head").copy_from_slice(&bytes);
    let hash = xxh3_64(frame.get(HASHED_FROM..).expect("longer than a head"));
    frame.get_mut(8..HASHED_FROM).expect("longer than a head").copy_from_slice(&hash.to_le_bytes());
    frame
}

/// The frame that `bytes` begin with; `None` if there is no whole and undamaged one.
pub(super) fn decode(bytes: &[u8]) -> Option<Frame<'_>> {
    let mut head = Bytes(bytes);
    if head.take(MAGIC.len())? != MAGIC {
        return None;
    }
    let packed = size(u64::from(head.pod::<u32>()?));
    let hash: u64 = head.pod()?;
    let whole = bytes.get(..HEAD_BYTES.checked_add(packed)?)?;
    if xxh3_64(whole.get(HASHED_FROM..)?) != hash {
        return None;
    }
    let raw = size(u64::from(head.pod::<u32>()?));
    let kind = kind(head.pod()?)?;
    let (seq, next, released) = (head.pod()?, Next(head.pod()?), Next(head.pod()?));
    let head = Head { kind, seq, next, released, needed: head.pod()?, schema: head.pod()? };
    Some(Frame { head, raw, packed: whole.get(HEAD_BYTES..)? })
}

/// Whether a whole frame begins anywhere in `bytes`.
pub(super) fn any(bytes: &[u8]) -> bool {
    let begins = |at: &usize| bytes.get(*at..).is_some_and(|b| b.starts_with(&MAGIC) && decode(b).is_some());
    (0..bytes.len()).any(|at| begins(&at))
}

const fn kind(code: u32) -> Option<Kind> {
    match code {
        1 => Some(Kind::State),
        2 => Some(Kind::Mark),
        3 => Some(Kind::Cut),
        _ => None,
    }
}
