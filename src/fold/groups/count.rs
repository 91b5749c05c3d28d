//! The sums of combinations, quarter hour by quarter hour, and which of a day's values read `(other)`.

use hashbrown::{HashMap, HashSet};

use super::dimension::DIMENSIONS;
use super::view::{axes, value_of};
use super::{LATE, NO_GROUP};
use crate::fold::Turn;
use crate::fold::booking::{Movement, scope};
use crate::fold::records::{
    AdmittedKey, ComboKey, ComboSlot, Counts, CurrencyCode, GroupDay, Mark, PAIRS, PurseKey, SlotKey,
};
use crate::fold::state::FOR_EVER;
use crate::fold::sums::{QUARTER, slot_of};
use crate::ids::Millis;

/// Distinct values of a dimension that a day keeps apart.
const VALUES_MAX: u16 = 256;
/// The same of a pair.
const PAIR_VALUES_MAX: u16 = 512;

/// What some days have admitted, as far as it was asked for lately. A cache: it decides nothing.
#[derive(Debug, Default)]
pub(in crate::fold) struct Days {
    by_day: HashMap<(u32, i32), Admissions>,
}

#[derive(Debug, Default)]
struct Admissions {
    /// Where a combination reads `(other)`.
    combos: HashMap<u32, u32>,
    /// Values that were admitted, by place of the axis.
    values: HashSet<(usize, u32, u32)>,
}

/// Days remembered at once; beyond, the cache starts anew.
const DAYS_MAX: usize = 256;

impl Days {
    fn of(&mut self, creator: u32, day: i32) -> &mut Admissions {
        if self.by_day.len() >= DAYS_MAX && !self.by_day.contains_key(&(creator, day)) {
            self.by_day.clear();
        }
        self.by_day.entry((creator, day)).or_default()
    }
}

impl Turn<'_> {
    /// Counts of the creator, by what they have in common.
    pub(in crate::fold) fn count_group(&mut self, t: Millis, group: u32, delta: &Counts) {
        self.touch_series(t);
        if group != NO_GROUP {
            self.change_slot(t, group, |slot| slot.counts.add(delta));
        }
    }

    /// Money of the creator, by what it has in common.
    pub(in crate::fold) fn book_group(&mut self, t: Millis, group: u32, currency: CurrencyCode, moved: &Movement) {
        self.touch_series(t);
        if group == NO_GROUP {
            return;
        }
        let b = self.group_slot(t).cast_unsigned();
        let key = PurseKey { creator: self.c, kind: scope::COMBO, a: group, b, currency: currency.0 };
        let mut purse = self.state.series_purses.get(&key, FOR_EVER).unwrap_or_else(bytemuck::Zeroable::zeroed);
        moved.add_to_series(&mut purse);
        self.change_slot(t, group, |slot| purse.enlist(&mut slot.purses, currency));
        self.state.series_purses.put(&key, purse, t);
    }

    /// Of a combination that is not the empty one.
    fn change_slot<T>(&mut self, t: Millis, combo: u32, change: impl FnOnce(&mut ComboSlot) -> T) {
        let key = ComboKey { creator: self.c, combo, slot: self.group_slot(t) };
        if key.slot >= LATE {
            self.change_sealed(slot_of(t, Millis::DAY));
        }
        let slot = self.state.combo_slots.entry(&key, Millis(0), FOR_EVER);
        change(slot);
        if slot.listed == 0 {
            return self.enlist_combo(key, slot_of(t, Millis::DAY));
        }
        self.fold.quarters.changed(key, *slot, false);
    }

    /// Where the instant is counted: its quarter hour, and once that is sealed, what came late of it.
    fn group_slot(&self, t: Millis) -> i32 {
        let is_sealed = t.0.div_euclid(Millis::DAY) < self.head.sealed_to;
        slot_of(t, QUARTER) + if is_sealed { LATE } else { 0 }
    }

    /// The day is over: its breakdowns are written, and then no more.
    pub(in crate::fold) fn seal_groups(&mut self, day: i32) {
        if self.state.group_days.contains(&SlotKey { creator: self.c, slot: day }, FOR_EVER) {
            self.mark_changed(day);
            self.effects.slow.day_groups.insert((self.c, i64::from(day)), self.at);
        }
    }

    fn change_sealed(&mut self, day: i32) {
        self.mark_changed(day);
        self.effects.slow.late_groups.insert((self.c, i64::from(day)), self.at);
    }

    fn mark_changed(&mut self, day: i32) {
        let changed = GroupDay { changed: self.at.0, ..self.group_day(day) };
        self.state.group_days.put(&SlotKey { creator: self.c, slot: day }, changed, Millis(0));
    }

    /// The combination's first figure of the quarter hour.
    fn enlist_combo(&mut self, key: ComboKey, day: i32) {
        let others = self.others_of(key.combo, day);
        let list = self.state.combo_lists.entry(&SlotKey { creator: self.c, slot: key.slot }, Millis(0), FOR_EVER);
        list.count += 1;
        let (listed, next) = (list.count, std::mem::replace(&mut list.first, key.combo + 1));
        let slot = self.state.combo_slots.entry(&key, Millis(0), FOR_EVER);
        (slot.listed, slot.next, slot.others) = (listed, next, others);
        self.fold.quarters.changed(key, *slot, listed == 1);
    }

    /// Where the combination reads `(other)` on that day. What the day did not admit it never will, so this is the
    /// same at every later figure.
    fn others_of(&mut self, combo: u32, day: i32) -> u32 {
        if let Some(others) = self.fold.days.of(self.c, day).combos.get(&combo) {
            return *others;
        }
        let others = self.admit_values(combo, day);
        self.fold.days.of(self.c, day).combos.insert(combo, others);
        others
    }

    fn admit_values(&mut self, combo: u32, day: i32) -> u32 {
        let values = self.combo_values(combo);
        let before = self.group_day(day);
        let (mut of_day, mut others) = (before, 0);
        let admissions = self.fold.days.of(self.c, day);
        for (place, axis) in axes(&before.pairs).enumerate() {
            let Some(axis) = axis else { continue };
            let (a, b) = value_of(&values, axis);
            // None and other are no values of their own.
            if a <= super::OTHER && b <= super::OTHER || admissions.values.contains(&(place, a, b)) {
                continue;
            }
            let key = AdmittedKey { creator: self.c, day, axis: u32::from(axis.part()), a, b };
            let mut is_admitted = self.state.admitted.contains(&key, FOR_EVER);
            let most = if place < DIMENSIONS { VALUES_MAX } else { PAIR_VALUES_MAX };
            if let Some(admitted) = of_day.admitted.get_mut(place).filter(|admitted| !is_admitted && **admitted < most)
            {
                *admitted += 1;
                self.state.admitted.put(&key, Mark { pad: 0 }, Millis(0));
                is_admitted = true;
            }
            if is_admitted {
                admissions.values.insert((place, a, b));
            } else {
                others |= 1 << place;
            }
        }
        if of_day != before || others == 0 && before.admitted == [0; DIMENSIONS + PAIRS] {
            self.state.group_days.put(&SlotKey { creator: self.c, slot: day }, of_day, Millis(0));
        }
        others
    }

    /// A day keeps the pairs that were in force at its first figure.
    fn group_day(&self, day: i32) -> GroupDay {
        self.state.group_days.get(&SlotKey { creator: self.c, slot: day }, FOR_EVER).unwrap_or_else(|| {
            let pairs = self.state.group_heads.peek(&self.c, FOR_EVER).map_or([0; PAIRS], |head| head.pairs);
            GroupDay { admitted: [0; DIMENSIONS + PAIRS], pairs, pad: [0; 4], changed: 0 }
        })
    }
}
