//! The sums of a creator's and a member's minutes, quarter hours and days, and the rows that show them.
//!
//! The newest slot of each is open: it stands in the record that a click touches anyway. Once a newer one begins it
//! is closed and moves to a Cold map; what comes late for a closed one is added to it there.

use bytemuck::Zeroable;

use super::Turn;
use super::booking::Booked;
use super::calendar::key_month;
use super::records::{
    Counts, Day, Member, MemberDay, MemberDayKey, MemberKey, NO_SLOT, OpenDay, OpenSlot, Slot, SlotCounts, SlotKey,
};
use super::state::FOR_EVER;
use crate::ids::Millis;
use crate::keep::Cold;

/// Length of the slots from which local hours and days are put together.
pub(super) const QUARTER: i64 = 15 * Millis::MINUTE;

impl Counts {
    pub(super) const fn add(&mut self, delta: &Self) {
        self.clicks_total += delta.clicks_total;
        self.clicks_human += delta.clicks_human;
        self.clicks_unique += delta.clicks_unique;
        self.clicks_shared += delta.clicks_shared;
        self.shares += delta.shares;
        self.signups += delta.signups;
        self.orders += delta.orders;
        self.customers += delta.customers;
        self.referrals += delta.referrals;
        self.signups_credited += delta.signups_credited;
    }
}

impl SlotCounts {
    /// A delta is of one event, and there are fewer than 2³¹ of them in a minute, or of a member in a day.
    pub(super) fn add(&mut self, delta: &Counts) {
        let add = |sum: &mut i32, by: i64| *sum = sum.saturating_add(i32::try_from(by).unwrap_or_default());
        add(&mut self.clicks_total, delta.clicks_total);
        add(&mut self.clicks_human, delta.clicks_human);
        add(&mut self.clicks_unique, delta.clicks_unique);
        add(&mut self.clicks_shared, delta.clicks_shared);
        add(&mut self.shares, delta.shares);
        add(&mut self.signups, delta.signups);
        add(&mut self.orders, delta.orders);
        add(&mut self.customers, delta.customers);
        add(&mut self.referrals, delta.referrals);
        add(&mut self.signups_credited, delta.signups_credited);
    }
}

impl From<SlotCounts> for Counts {
    fn from(counts: SlotCounts) -> Self {
        Self {
            clicks_total: i64::from(counts.clicks_total),
            clicks_human: i64::from(counts.clicks_human),
            clicks_unique: i64::from(counts.clicks_unique),
            clicks_shared: i64::from(counts.clicks_shared),
            shares: i64::from(counts.shares),
            signups: i64::from(counts.signups),
            orders: i64::from(counts.orders),
            customers: i64::from(counts.customers),
            referrals: i64::from(counts.referrals),
            signups_credited: i64::from(counts.signups_credited),
        }
    }
}

impl OpenSlot {
    pub(super) fn none() -> Self {
        Self { slot: NO_SLOT, sums: Slot::zeroed() }
    }

    /// The sums of `slot`, which becomes the open one if it is newer.
    pub(super) fn at<'a>(&'a mut self, closed: &'a mut Cold<SlotKey, Slot>, creator: u32, slot: i32) -> &'a mut Slot {
        if slot < self.slot {
            return closed.entry(&SlotKey { creator, slot }, Millis(0), FOR_EVER);
        }
        if slot > self.slot {
            if self.slot != NO_SLOT {
                closed.put(&SlotKey { creator, slot: self.slot }, self.sums, Millis(0));
            }
            *self = Self { slot, sums: Slot::zeroed() };
        }
        &mut self.sums
    }
}

impl OpenDay {
    pub(super) fn none() -> Self {
        Self { sums: Day::zeroed(), day: NO_SLOT, pad: 0 }
    }

    /// The sums of `day`, which becomes the open one if it is newer.
    pub(super) fn at<'a>(&'a mut self, closed: &'a mut Cold<SlotKey, Day>, creator: u32, day: i32) -> &'a mut Day {
        if day < self.day {
            return closed.entry(&SlotKey { creator, slot: day }, Millis(0), FOR_EVER);
        }
        if day > self.day {
            if self.day != NO_SLOT {
                closed.put(&SlotKey { creator, slot: self.day }, self.sums, Millis(0));
            }
            *self = Self { sums: Day::zeroed(), day, pad: 0 };
        }
        &mut self.sums
    }
}

impl Member {
    /// The sums of `key.day`, which becomes the open day if it is newer.
    fn at<'a>(&'a mut self, closed: &'a mut Cold<MemberDayKey, MemberDay>, key: MemberDayKey) -> &'a mut MemberDay {
        if key.day < self.day {
            return closed.entry(&key, Millis(0), FOR_EVER);
        }
        if key.day > self.day {
            if self.day != NO_SLOT {
                closed.put(&MemberDayKey { day: self.day, ..key }, self.of_day, Millis(0));
            }
            (self.day, self.of_day) = (key.day, MemberDay::zeroed());
        }
        &mut self.of_day
    }
}

impl Turn<'_> {
    /// Counts of the creator.
    pub(super) fn count_creator(&mut self, booked: Booked, delta: &Counts) {
        let t = booked.t;
        self.count_group(t, booked.group, delta);
        self.is_head_touched = true;
        let (c, head, state) = (self.c, &mut self.head, &mut *self.state);
        head.counts.add(delta);
        head.minute.at(&mut state.minutes, c, slot_of(t, Millis::MINUTE)).counts.add(delta);
        head.quarter.at(&mut state.quarters, c, slot_of(t, QUARTER)).counts.add(delta);
        head.day.at(&mut state.days, c, slot_of(t, Millis::DAY)).counts.add(delta);
    }

    /// Counts of a member.
    pub(super) fn count_member(&mut self, n: u32, booked: Booked, delta: &Counts) {
        let t = booked.t;
        self.score_counts(n, booked, delta);
        let active = |member: &mut Member| {
            member.counts.add(delta);
            member.active_at = member.active_at.max(t.0);
        };
        self.member_day_mut(n, t, active).counts.add(delta);
    }

    /// The member, its row marked.
    pub(super) fn member_mut(&mut self, n: u32) -> &mut Member {
        let key = MemberKey { creator: self.c, n };
        let member = self.state.members.get_mut(&key, FOR_EVER).expect("ordinals are given out with the member");
        self.effects.fast.touch_member(key, member, self.at);
        member
    }

    pub(super) fn member(&self, n: u32) -> &Member {
        self.reading().member(n)
    }

    /// Changes the member and gives its sums of the UTC day of `t`, by one look-up; the member's row is marked, and
    /// the day's if that is sealed.
    pub(super) fn member_day_mut(&mut self, n: u32, t: Millis, change: impl FnOnce(&mut Member)) -> &mut MemberDay {
        let day = slot_of(t, Millis::DAY);
        let key = MemberDayKey { creator: self.c, n, day };
        if i64::from(day) < self.head.sealed_to {
            self.effects.slow.member_days.insert(key, self.at);
        }
        let member_key = MemberKey { creator: self.c, n };
        let member = self.state.members.get_mut(&member_key, FOR_EVER).expect("ordinals are given out with the member");
        self.effects.fast.touch_member(member_key, member, self.at);
        change(member);
        let sums = member.at(&mut self.state.member_days, key);
        if sums.listed == 0 {
            sums.listed = 1;
            self.is_head_touched = true;
            let day = self.head.day.at(&mut self.state.days, self.c, day);
            sums.next = std::mem::replace(&mut day.members, n + 1);
        }
        sums
    }

    /// Marks the rows that show the instant `t`: its hour, and the day and month once they are sealed.
    pub(super) fn touch_series(&mut self, t: Millis) {
        let (slow, at) = (&mut self.effects.slow, self.at);
        let hour = (self.c, t.0.div_euclid(Millis::HOUR));
        slow.hours.insert(hour, at);
        let day = t.0.div_euclid(Millis::DAY);
        if day >= self.head.sealed_to {
            slow.hour_groups.insert(hour, at);
        } else {
            slow.days.insert((self.c, day), at);
            slow.months.insert((self.c, key_month(day)), at);
        }
    }

    /// Days that the watermark has passed: their rows and their members' are written once, now.
    pub(super) fn seal_days(&mut self) {
        let to = self.watermark().0.div_euclid(Millis::DAY);
        let from = self.creator().sealed_to;
        if to <= from {
            return;
        }
        for day in from..to {
            let Ok(slot) = i32::try_from(day) else { break };
            let Some(sums) = self.state.day_of(self.c, &self.head, slot) else { continue };
            self.effects.slow.days.insert((self.c, day), self.at);
            self.seal_groups(slot);
            self.effects.slow.months.insert((self.c, key_month(day)), self.at);
            self.touch_members_of(slot, sums.members);
        }
        self.creator_mut().sealed_to = to;
    }

    fn touch_members_of(&mut self, day: i32, mut next: u32) {
        while let Some(n) = next.checked_sub(1) {
            let key = MemberDayKey { creator: self.c, n, day };
            self.effects.slow.member_days.insert(key, self.at);
            next = self.state.member_day_of(key).map_or(0, |sums| sums.next);
        }
    }
}

/// Minutes, quarter hours or days since 1970. Times of events lie between 2000 and 2100, so every slot fits.
pub(super) fn slot_of(t: Millis, step: i64) -> i32 {
    i32::try_from(t.0.div_euclid(step)).unwrap_or_default()
}
