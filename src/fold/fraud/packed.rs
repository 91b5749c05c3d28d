//! Decisions that wait for their rows, each in as many bytes as it says something in.
//!
//! As a value a decision is mostly room for texts that are seldom long and answers that are seldom given: whoever is
//! behind gathers a hundred thousand of them.

use super::{Decision, Subject};
use crate::event::Bots;

/// Where the next one may not fit, another piece begins: nothing moves when there are more.
const PIECE_BYTES: usize = 64 << 10;
const DECISION_BYTES_MAX: usize = 4 << 10;

/// Decisions in the order in which they came.
#[derive(Debug, Default)]
pub struct Packed {
    pieces: Vec<Vec<u8>>,
    len: usize,
}

impl Packed {
    pub(in crate::fold) fn push(&mut self, decision: &Decision) {
        let has_room = |piece: &Vec<u8>| piece.len() + DECISION_BYTES_MAX <= PIECE_BYTES;
        let last = self.pieces.pop_if(|last| has_room(last)).unwrap_or_else(|| Vec::with_capacity(PIECE_BYTES));
        let piece = postcard::to_extend(decision, last).expect("texts and numbers can be written");
        self.pieces.push(piece);
        self.len += 1;
    }

    pub const fn len(&self) -> usize {
        self.len
    }

    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn iter(&self) -> impl Iterator<Item = Decision> {
        self.pieces.iter().flat_map(|piece| {
            let mut rest = piece.as_slice();
            std::iter::from_fn(move || {
                let (decision, behind) = next(rest)?;
                rest = behind;
                Some(decision)
            })
        })
    }

    /// Those of another behind its own.
    pub fn append(&mut self, other: Self) {
        self.pieces.extend(other.pieces);
        self.len += other.len;
    }
}

fn next(bytes: &[u8]) -> Option<(Decision, &[u8])> {
    if bytes.is_empty() {
        return None;
    }
    let (decision, rest) = postcard::take_from_bytes::<Decision>(bytes).expect("it was written by the same program");
    let bot_lists = (decision.subject == Subject::Click).then_some(Bots::VERSION);
    Some((Decision { bot_lists, ..decision }, rest))
}
