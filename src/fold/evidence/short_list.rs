//! Lists of the sixteen that were seen last.
//!
//! Of two that were seen at once the one that the log has later is the newer: ids are hashes with a key of the store's own,
//! and what they are ordered by would differ from one generation to the next.

use crate::fold::records::{SHORT_LIST, SeenAt, ShortList};
use crate::keep::Id128;

/// What became of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// It is in it, and nothing gave way.
    All,
    /// This gave way: the least recent, which may be the new one.
    But(Id128),
}

impl ShortList {
    /// Newest first.
    pub(in crate::fold) fn iter(&self) -> impl DoubleEndedIterator<Item = &SeenAt> {
        self.seen.iter().take(usize::try_from(self.len).unwrap_or(SHORT_LIST))
    }

    /// Seen at `t`, or later if that is known already.
    pub(super) fn touch(&mut self, id: Id128, t: i64) -> Kept {
        let known = self.iter().find(|seen| seen.id == id).map(|seen| seen.t);
        if known.is_some_and(|known| known >= t) {
            return Kept::All;
        }
        self.remove(id);
        let new = SeenAt { id, t };
        let place = self.iter().take_while(|seen| seen.t > t).count();
        let len = usize::try_from(self.len).unwrap_or(SHORT_LIST);
        let gone = if len == SHORT_LIST {
            self.truncated = 1;
            if place == SHORT_LIST {
                return Kept::But(id);
            }
            self.seen.last().map_or(Kept::All, |last| Kept::But(last.id))
        } else {
            self.len += 1;
            Kept::All
        };
        if let Some(tail) = self.seen.get_mut(place..) {
            tail.rotate_right(1);
            tail.iter_mut().take(1).for_each(|place| *place = new);
        }
        gone
    }

    pub(super) fn remove(&mut self, id: Id128) -> bool {
        let Some(place) = self.iter().position(|seen| seen.id == id) else { return false };
        if let Some(tail) = self.seen.get_mut(place..) {
            tail.rotate_left(1);
        }
        self.len -= 1;
        if let Some(last) = self.seen.get_mut(usize::try_from(self.len).unwrap_or(SHORT_LIST)) {
            *last = bytemuck::Zeroable::zeroed();
        }
        true
    }

    /// How many were seen since `t`.
    pub(super) fn since(&self, t: i64) -> u32 {
        u32::try_from(self.iter().filter(|seen| seen.t >= t).count()).unwrap_or(u32::MAX)
    }

    /// When the `k`th most recent was seen, counted from 1.
    pub(super) fn kth(&self, k: usize) -> Option<i64> {
        self.iter().nth(k.saturating_sub(1)).map(|seen| seen.t)
    }
}
