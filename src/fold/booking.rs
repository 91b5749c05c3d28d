//! Money of a creator and its members: purses of all time, and of the slots and days in which it moved.

use super::Turn;
use super::records::{CurrencyCode, Purse, PurseKey};
use super::state::FOR_EVER;
use super::sums::{QUARTER, slot_of};
use crate::ids::{Currency, Millis};

/// Whose purse.
pub(super) mod scope {
    pub(in crate::fold) const CREATOR: u32 = 1;
    pub(in crate::fold) const MEMBER: u32 = 2;
    pub(in crate::fold) const MINUTE: u32 = 3;
    pub(in crate::fold) const QUARTER: u32 = 4;
    pub(in crate::fold) const DAY: u32 = 5;
    pub(in crate::fold) const MEMBER_DAY: u32 = 6;
    /// A combination's quarter hour.
    pub(in crate::fold) const COMBO: u32 = 20;
}

/// A change of money at one instant. Series keep what moved; balances are of all time only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Movement {
    pub(super) gross: i128,
    pub(super) refunded: i128,
    /// What of gross and refunded is blocked.
    pub(super) blocked: i128,
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

impl Movement {
    /// The same, given (1) or taken back (−1).
    pub(super) fn times(self, sign: i64) -> Self {
        let sign = i128::from(sign);
        Self {
            gross: self.gross * sign,
            refunded: self.refunded * sign,
            blocked: self.blocked * sign,
            earned: self.earned * sign,
            reversed: self.reversed * sign,
            paid: self.paid * sign,
        }
    }

    /// All of its revenue is blocked.
    pub(super) const fn with_blocked(self) -> Self {
        Self { blocked: self.gross - self.refunded, ..self }
    }

    /// All-time purses: what is paid stands in the balance.
    const fn add_to(&self, purse: &mut Purse) {
        purse.gross += self.gross;
        purse.refunded += self.refunded;
        purse.blocked += self.blocked;
        purse.earned += self.earned;
        purse.reversed += self.reversed;
    }

    pub(super) const fn add_to_series(&self, purse: &mut Purse) {
        self.add_to(purse);
        purse.paid += self.paid;
    }
}

impl Balance {
    pub(super) const fn minus(self, other: Self) -> Self {
        Self {
            held: self.held - other.held,
            approved: self.approved - other.approved,
            paid: self.paid - other.paid,
            carry: self.carry - other.carry,
        }
    }

    const fn add_to(&self, purse: &mut Purse) {
        purse.held += self.held;
        purse.approved += self.approved;
        purse.paid += self.paid;
        purse.carry += self.carry;
    }
}

/// When and where a change is booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Booked {
    /// The instant on which series show it.
    pub(super) t: Millis,
    /// Days since 1970 on the creator's calendar, as it was when what this belongs to was booked first: it tells
    /// the periods in which that began.
    pub(super) day: i32,
    /// Its combination of dimensions, see `groups`.
    pub(super) group: u32,
}

impl Turn<'_> {
    /// Money of the creator.
    pub(super) fn book_creator(&mut self, booked: Booked, currency: CurrencyCode, moved: &Movement) {
        let t = booked.t;
        moved.add_to(self.creator_purse(currency));
        self.book_group(t, booked.group, currency, moved);
        let (c, head, state) = (self.c, &mut self.head, &mut *self.state);
        let (minute, quarter, day) = (slot_of(t, Millis::MINUTE), slot_of(t, QUARTER), slot_of(t, Millis::DAY));
        let purses = [
            (scope::MINUTE, minute, &mut head.minute.at(&mut state.minutes, c, minute).purses),
            (scope::QUARTER, quarter, &mut head.quarter.at(&mut state.quarters, c, quarter).purses),
            (scope::DAY, day, &mut head.day.at(&mut state.days, c, day).purses),
        ];
        for (kind, slot, head) in purses {
            let key = PurseKey { creator: c, kind, a: slot.cast_unsigned(), b: 0, currency: currency.0 };
            let purse = state.series_purses.entry(&key, t, FOR_EVER);
            purse.enlist(head, currency);
            moved.add_to_series(purse);
        }
    }

    /// Money of a member.
    pub(super) fn book_member(&mut self, n: u32, booked: Booked, currency: CurrencyCode, moved: &Movement) {
        let t = booked.t;
        self.score_money(n, booked, currency, moved);
        moved.add_to(self.member_purse(n, currency));
        let mut head = self.member_day_mut(n, t, |_| {}).purses;
        let b = slot_of(t, Millis::DAY).cast_unsigned();
        let key = PurseKey { creator: self.c, kind: scope::MEMBER_DAY, a: n, b, currency: currency.0 };
        let purse = self.state.series_purses.entry(&key, t, FOR_EVER);
        moved.add_to_series(purse);
        if purse.enlist(&mut head, currency) {
            self.member_day_mut(n, t, |_| {}).purses = head;
        }
    }

    /// What a commission's net stands as: of member and creator, all-time.
    pub(super) fn balance(&mut self, n: u32, currency: CurrencyCode, change: &Balance) {
        change.add_to(self.creator_purse(currency));
        change.add_to(self.member_purse(n, currency));
    }

    fn creator_purse(&mut self, currency: CurrencyCode) -> &mut Purse {
        let key = PurseKey::all_time(self.c, scope::CREATOR, 0, currency);
        self.is_head_touched = true;
        let purse = self.state.purses.entry(&key, Millis(0), FOR_EVER);
        purse.enlist(&mut self.head.purses, currency);
        purse
    }

    fn member_purse(&mut self, n: u32, currency: CurrencyCode) -> &mut Purse {
        let key = PurseKey::all_time(self.c, scope::MEMBER, n, currency);
        let mut head = self.member_mut(n).purses;
        if self.state.purses.entry(&key, Millis(0), FOR_EVER).enlist(&mut head, currency) {
            self.member_mut(n).purses = head;
        }
        self.state.purses.entry(&key, Millis(0), FOR_EVER)
    }
}

impl Purse {
    /// Puts a new purse at the head of its scope's list; `false` if it is there already.
    pub(super) const fn enlist(&mut self, head: &mut CurrencyCode, currency: CurrencyCode) -> bool {
        if self.listed == 1 {
            return false;
        }
        (self.listed, self.next) = (1, *head);
        *head = currency;
        true
    }
}

impl PurseKey {
    pub(super) const fn all_time(creator: u32, kind: u32, a: u32, currency: CurrencyCode) -> Self {
        Self { creator, kind, a, b: 0, currency: currency.0 }
    }
}

/// The code of a currency that a record names, or the creator's.
pub(super) fn currency_or(named: Option<Currency>, default: CurrencyCode) -> CurrencyCode {
    named.map_or(default, CurrencyCode::from)
}
