//! What projections read of combinations.

use bytemuck::Zeroable;

use super::dimension::{Axis, Dimension};
use super::{NONE, OTHER, Quarters};
use crate::fold::booking::scope;
use crate::fold::records::{Combo, ComboKey, ComboSlot, GroupDay, OrdinalKey, PAIRS, PurseKey, SlotKey, Text};
use crate::fold::state::{FOR_EVER, State};
use crate::fold::views::Sums;

/// A combination's sums of one quarter hour.
pub struct ComboSums {
    pub combo: u32,
    /// Bit i: it reads `(other)` on the i-th axis of its day.
    pub others: u32,
    pub sums: Sums,
}

/// The dimensions, then the pairs; `None` where a creator has fewer pairs.
pub fn axes(pairs: &[u8; PAIRS]) -> impl Iterator<Item = Option<Axis>> {
    let dimensions = Dimension::ALL.into_iter().map(|dimension| Some(Axis::one(dimension)));
    dimensions.chain(pairs.map(Axis::of_part))
}

/// The values of a combination on an axis; the second is none where the axis is one dimension.
pub fn value_of(combo: &Combo, axis: Axis) -> (u32, u32) {
    let of = |dimension: Dimension| combo.values.get(dimension.place()).copied().unwrap_or(NONE);
    (of(axis.a), axis.b.map_or(NONE, of))
}

/// What a combination is counted under on an axis: its values, or other for each.
pub fn group_of(combo: &Combo, axis: Axis, is_other: bool) -> (u32, u32) {
    match (is_other, axis.b) {
        (false, _) => value_of(combo, axis),
        (true, None) => (OTHER, NONE),
        (true, Some(_)) => (OTHER, OTHER),
    }
}

impl State {
    /// The values of a combination.
    pub fn combo(&self, creator: u32, combo: u32) -> Combo {
        self.combos.get(&OrdinalKey { creator, n: combo }, FOR_EVER).unwrap_or_else(Combo::zeroed)
    }

    /// The text of a value.
    pub fn value_text(&self, creator: u32, value: u32) -> Option<Text> {
        self.value_texts.get(&OrdinalKey { creator, n: value }, FOR_EVER)
    }

    /// What is known of the breakdowns of a UTC day; `None` before its first figure.
    pub fn group_day(&self, creator: u32, day: i32) -> Option<GroupDay> {
        self.group_days.get(&SlotKey { creator, slot: day }, FOR_EVER)
    }

    /// Whether a combination has figures in a quarter hour.
    pub fn has_combos(&self, creator: u32, quarter: i32) -> bool {
        self.combo_lists.contains(&SlotKey { creator, slot: quarter }, FOR_EVER)
    }

    /// The pairs that days are given from now on.
    pub fn pairs(&self, creator: u32) -> Vec<Axis> {
        let head = self.group_heads.peek(&creator, FOR_EVER);
        head.into_iter().flat_map(|head| head.pairs).filter_map(Axis::of_part).collect()
    }

    /// All combinations that have figures in a quarter hour, in no particular order; the empty one is not among them.
    pub fn combos_of_quarter(&self, lately: &Quarters, creator: u32, quarter: i32) -> Vec<ComboSums> {
        if let Some(cells) = lately.of(creator, quarter) {
            return cells.iter().map(|(combo, slot)| self.combo_sums(creator, (*combo, quarter), slot)).collect();
        }
        let list = self.combo_lists.get(&SlotKey { creator, slot: quarter }, FOR_EVER);
        let (mut next, mut found) = (list.map_or(0, |list| list.first), Vec::new());
        while let Some(combo) = next.checked_sub(1) {
            let Some(slot) = self.combo_slots.get(&ComboKey { creator, combo, slot: quarter }, FOR_EVER) else { break };
            found.push(self.combo_sums(creator, (combo, quarter), &slot));
            next = slot.next;
        }
        found
    }

    fn combo_sums(&self, creator: u32, (combo, quarter): (u32, i32), slot: &ComboSlot) -> ComboSums {
        let b = quarter.cast_unsigned();
        let first = PurseKey { creator, kind: scope::COMBO, a: combo, b, currency: [0; 4] };
        let sums = Sums { counts: slot.counts.into(), purses: self.series(first, slot.purses) };
        ComboSums { combo, others: slot.others, sums }
    }
}
