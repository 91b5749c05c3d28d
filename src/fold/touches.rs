//! Clicks and shares one by one, in the order of the log: what lists of them show.

use super::Turn;
use super::records::{SeqKey, Text, Touch};
use crate::ids::Millis;

impl Turn<'_> {
    /// Takes a click or share in; its place.
    pub(super) fn enter_touch(&mut self, touch: Touch) -> u64 {
        let creator = self.creator_mut();
        let seq = creator.touches;
        creator.touches += 1;
        self.state.touches.put(&SeqKey { creator: self.c, page: 0, seq }, touch, self.t);
        seq
    }

    /// The id of the click or share at a place, unless it is forgotten.
    pub(super) fn touch_id(&self, seq: u64) -> Option<Text> {
        self.state.touches.get(&SeqKey { creator: self.c, page: 0, seq }, self.floor()).map(|touch| touch.id)
    }
}

impl Touch {
    pub(super) const fn new(id: Text, t: Millis, n: u32) -> Self {
        Self { t: t.0, n, id, pad: [0; 3] }
    }
}
