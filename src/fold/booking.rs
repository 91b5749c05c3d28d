//! Adding to the sums of a scope, and marking the rows that show them.

use super::Turn;
use super::records::{
    Counts, CurrencyCode, Day, MemberDay, MemberDayKey, MemberKey, Profile, Purse, PurseKey, SlotKey,
};
use super::state::FOR_EVER;
use crate::ids::{Currency, Millis};

/// Whose purse.
pub(super) mod scope {
    pub(in crate::fold) const CREATOR: u32 = 1;
    pub(in crate::fold) const MEMBER: u32 = 2;
    pub(in crate::fold) const MINUTE: u32 = 3;
    pub(in crate::fold) const QUARTER: u32 = 4;
    pub(in crate::fold) const DAY: u32 = 5;
    pub(in crate::fold) const MEMBER_DAY: u32 = 6;
}

const QUARTER: i64 = 15 * Millis::MINUTE;

/// A change of money at one instant. Series keep what moved; balances are of all time only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Movement {
    pub(super) gross: i128,
    pub(super) refunded: i128,
    pub(super) earned: i128,
    pub(super) reversed: i128,
    pub(super) paid: i128,
}

/// A change of what is held, approved and owed back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Balance {
    pub(super) held: i128,
    pub(super) approved: i128,
    pub(super) paid: i128,
    pub(super) carry: i128,
}

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
    }
}

impl Movement {
    /// All-time purses: what is paid stands in the balance.
    const fn add_to(&self, purse: &mut Purse) {
        purse.gross += self.gross;
        purse.refunded += self.refunded;
        purse.earned += self.earned;
        purse.reversed += self.reversed;
    }

    const fn add_to_series(&self, purse: &mut Purse) {
        self.add_to(purse);
        purse.paid += self.paid;
    }
}

impl Balance {
    pub(super) const fn minus(self) -> Self {
        Self { held: -self.held, approved: -self.approved, paid: -self.paid, carry: -self.carry }
    }

    const fn add_to(&self, purse: &mut Purse) {
        purse.held += self.held;
        purse.approved += self.approved;
        purse.paid += self.paid;
        purse.carry += self.carry;
    }
}

impl Turn<'_> {
    /// Counts of the creator, on the instant `t`.
    pub(super) fn count_creator(&mut self, t: Millis, delta: &Counts) {
        self.creator_mut().counts.add(delta);
        let c = self.c;
        let minute = slot(c, t, Millis::MINUTE);
        self.state.minutes.entry(&minute, t, FOR_EVER).counts.add(delta);
        self.state.quarters.entry(&slot(c, t, QUARTER), t, FOR_EVER).counts.add(delta);
        self.state.days.entry(&slot(c, t, Millis::DAY), t, FOR_EVER).counts.add(delta);
        self.touch_series(t);
    }

    /// Counts of a member, on the instant `t`.
    pub(super) fn count_member(&mut self, n: u32, t: Millis, delta: &Counts) {
        let member = self.member_mut(n);
        member.counts.add(delta);
        member.active_at = member.active_at.max(t.0);
        self.open_member_day(n, t).counts.add(delta);
    }

    /// Money of the creator that moved at `t`.
    pub(super) fn book_creator(&mut self, t: Millis, currency: CurrencyCode, moved: &Movement) {
        let c = self.c;
        // The slots must stand before their purses hang on them.
        self.count_creator(t, &Counts::default());
        let mut head = self.creator().purses;
        moved.add_to(self.purse(PurseKey::all_time(c, scope::CREATOR, 0, currency), &mut head));
        self.creator_mut().purses = head;
        for (kind, step) in [(scope::MINUTE, Millis::MINUTE), (scope::QUARTER, QUARTER), (scope::DAY, Millis::DAY)] {
            self.book_slot(t, currency, moved, kind, step);
        }
    }

    fn book_slot(&mut self, t: Millis, currency: CurrencyCode, moved: &Movement, kind: u32, step: i64) {
        let key = slot(self.c, t, step);
        let a = key.slot.cast_unsigned();
        let purse_key = PurseKey { creator: self.c, kind, a, b: 0, currency: currency.0 };
        let state = &mut *self.state;
        let head = match kind {
            scope::MINUTE => state.minutes.get_mut(&key, FOR_EVER).map(|slot| &mut slot.purses),
            scope::QUARTER => state.quarters.get_mut(&key, FOR_EVER).map(|slot| &mut slot.purses),
            _ => state.days.get_mut(&key, FOR_EVER).map(|day: &mut Day| &mut day.purses),
        };
        let Some(head) = head else { return };
        let is_new = !state.series_purses.contains(&purse_key, FOR_EVER);
        let purse = state.series_purses.entry(&purse_key, t, FOR_EVER);
        if is_new {
            purse.next = std::mem::replace(head, currency);
        }
        moved.add_to_series(purse);
    }

    /// Money of a member that moved at `t`.
    pub(super) fn book_member(&mut self, n: u32, t: Millis, currency: CurrencyCode, moved: &Movement) {
        let mut head = self.member_mut(n).purses;
        moved.add_to(self.purse(PurseKey::all_time(self.c, scope::MEMBER, n, currency), &mut head));
        self.member_mut(n).purses = head;
        self.open_member_day(n, t);
        let key = MemberDayKey { creator: self.c, n, day: slot(self.c, t, Millis::DAY).slot };
        let b = key.day.cast_unsigned();
        let purse_key = PurseKey { creator: self.c, kind: scope::MEMBER_DAY, a: n, b, currency: currency.0 };
        let is_new = !self.state.series_purses.contains(&purse_key, FOR_EVER);
        let purse = self.state.series_purses.entry(&purse_key, t, FOR_EVER);
        moved.add_to_series(purse);
        if is_new && let Some(sums) = self.state.member_days.get_mut(&key, FOR_EVER) {
            purse.next = std::mem::replace(&mut sums.purses, currency);
        }
    }

    /// What a commission's net stands as: of member and creator, all-time.
    pub(super) fn balance(&mut self, n: u32, currency: CurrencyCode, change: &Balance) {
        let mut head = self.creator().purses;
        change.add_to(self.purse(PurseKey::all_time(self.c, scope::CREATOR, 0, currency), &mut head));
        self.creator_mut().purses = head;
        let mut head = self.member_mut(n).purses;
        change.add_to(self.purse(PurseKey::all_time(self.c, scope::MEMBER, n, currency), &mut head));
        self.member_mut(n).purses = head;
    }

    fn purse(&mut self, key: PurseKey, head: &mut CurrencyCode) -> &mut Purse {
        let is_new = !self.state.purses.contains(&key, FOR_EVER);
        let purse = self.state.purses.entry(&key, Millis(0), FOR_EVER);
        if is_new {
            purse.next = std::mem::replace(head, CurrencyCode(key.currency));
        }
        purse
    }

    pub(super) fn member_mut(&mut self, n: u32) -> &mut super::records::Member {
        let key = MemberKey { creator: self.c, n };
        self.effects.fast.members.insert(key, self.at);
        self.state.members.get_mut(&key, FOR_EVER).expect("ordinals are given out with the member")
    }

    pub(super) fn member(&self, n: u32) -> &super::records::Member {
        let key = MemberKey { creator: self.c, n };
        self.state.members.peek(&key, FOR_EVER).expect("ordinals are given out with the member")
    }

    pub(super) fn profile(&self, n: u32) -> &Profile {
        let key = MemberKey { creator: self.c, n };
        self.state.profiles.peek(&key, FOR_EVER).expect("ordinals are given out with the member")
    }

    pub(super) fn profile_mut(&mut self, n: u32) -> &mut Profile {
        let key = MemberKey { creator: self.c, n };
        self.effects.fast.members.insert(key, self.at);
        self.state.profiles.get_mut(&key, FOR_EVER).expect("ordinals are given out with the member")
    }

    /// The member's sums of the UTC day of `t`; listed with the day's members, and marked if the day is sealed.
    fn open_member_day(&mut self, n: u32, t: Millis) -> &mut MemberDay {
        let day_key = slot(self.c, t, Millis::DAY);
        let key = MemberDayKey { creator: self.c, n, day: day_key.slot };
        if i64::from(key.day) < self.head.sealed_to {
            self.effects.slow.member_days.insert(key, self.at);
        }
        let sums = self.state.member_days.entry(&key, t, FOR_EVER);
        if sums.listed == 0 {
            sums.listed = 1;
            let day = self.state.days.entry(&day_key, t, FOR_EVER);
            sums.next = std::mem::replace(&mut day.members, n + 1);
        }
        sums
    }

    /// Marks the rows that show the instant `t`: its hour, and the day and month once they are sealed.
    fn touch_series(&mut self, t: Millis) {
        let (slow, at) = (&mut self.effects.slow, self.at);
        slow.hours.insert((self.c, t.0.div_euclid(Millis::HOUR)), at);
        let day = t.0.div_euclid(Millis::DAY);
        if day < self.head.sealed_to {
            slow.days.insert((self.c, day), at);
            slow.months.insert((self.c, month_of_day(day)), at);
        }
    }

    /// Days that the watermark has passed: their rows and their members' are written once, now.
    pub(super) fn seal_days(&mut self) {
        let to = self.watermark().0.div_euclid(Millis::DAY);
        let from = self.creator().sealed_to;
        for day in from..to {
            let Ok(slot) = i32::try_from(day) else { break };
            let Some(sums) = self.state.days.get(&SlotKey { creator: self.c, slot }, FOR_EVER) else { continue };
            self.effects.slow.days.insert((self.c, day), self.at);
            self.effects.slow.months.insert((self.c, month_of_day(day)), self.at);
            self.touch_members_of(slot, sums.members);
        }
        self.creator_mut().sealed_to = from.max(to);
    }

    fn touch_members_of(&mut self, day: i32, mut next: u32) {
        while let Some(n) = next.checked_sub(1) {
            let key = MemberDayKey { creator: self.c, n, day };
            self.effects.slow.member_days.insert(key, self.at);
            next = self.state.member_days.get(&key, FOR_EVER).map_or(0, |sums| sums.next);
        }
    }
}

impl PurseKey {
    pub(super) const fn all_time(creator: u32, kind: u32, a: u32, currency: CurrencyCode) -> Self {
        Self { creator, kind, a, b: 0, currency: currency.0 }
    }
}

/// Times of events lie between 2000 and 2100, so every slot fits.
pub(super) fn slot(creator: u32, t: Millis, step: i64) -> SlotKey {
    SlotKey { creator, slot: i32::try_from(t.0.div_euclid(step)).unwrap_or_default() }
}

/// Months since year 0 of a UTC day.
pub(super) fn month_of_day(day: i64) -> u16 {
    let at = jiff::Timestamp::from_millisecond(day * Millis::DAY).unwrap_or_default();
    let date = jiff::tz::Offset::UTC.to_datetime(at);
    u16::try_from(i32::from(date.year()) * 12 + i32::from(date.month()) - 1).unwrap_or_default()
}

/// The code of a currency that a record names, or the creator's.
pub(super) fn currency_or(named: Option<Currency>, default: CurrencyCode) -> CurrencyCode {
    named.map_or(default, CurrencyCode::from)
}
