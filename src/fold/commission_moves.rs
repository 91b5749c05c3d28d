//! What moved of a commission and when: kept, because a verdict takes all of it back on the instants on which it
//! was booked, and an order's dimensions may come later than its commission.

use super::Turn;
use super::booking::{Booked, Movement};
use super::records::{Commission, CommissionMove, CommissionMoveKey, NO_ID};
use super::state::FOR_EVER;
use crate::ids::Millis;
use crate::keep::Id128;

impl Turn<'_> {
    /// Keeps what moved at `t` of a commission, and books what of it counts.
    pub(super) fn book_commission(&mut self, id: Id128, t: Millis, moved: &Movement) {
        let Some(record) = self.state.commissions.get_mut(&id, FOR_EVER) else { return };
        let key = CommissionMoveKey { commission: id, i: record.moves };
        record.moves += 1;
        let record = *record;
        let kept = CommissionMove { t: t.0, earned: moved.earned, reversed: moved.reversed, paid: moved.paid, pad: 0 };
        self.state.commission_moves.put(&key, kept, self.t);
        let counted = kept.counted(record.blocked == 1);
        if counted != Movement::default() {
            let booked = Booked { t, day: record.day, group: record.group };
            self.book_creator(booked, record.currency, &counted);
            self.book_member(record.n, booked, record.currency, &counted);
        }
    }

    /// Takes what was earned and reversed out of all figures (`sign` −1), or puts it back.
    pub(super) fn book_withheld(&mut self, id: Id128, record: &Commission, sign: i64) {
        for step in self.moves_of_commission(id, record) {
            let moved = Movement { paid: 0, ..step.counted(false) }.times(sign);
            if moved != Movement::default() {
                let booked = Booked { t: Millis(step.t), day: record.day, group: record.group };
                self.book_creator(booked, record.currency, &moved);
                self.book_member(record.n, booked, record.currency, &moved);
            }
        }
    }

    /// The commissions of a conversion follow it to its combination of dimensions; their rows show the order.
    pub(super) fn regroup_commissions(&mut self, conversion: Id128, group: u32) {
        let mut id = self.first_commission(conversion);
        while id != NO_ID {
            let Some(record) = self.state.commissions.get(&id, FOR_EVER) else { return };
            for step in self.moves_of_commission(id, &record) {
                let (t, counted) = (Millis(step.t), step.counted(record.blocked == 1));
                self.book_group(t, record.group, record.currency, &counted.times(-1));
                self.book_group(t, group, record.currency, &counted);
            }
            if let Some(record) = self.state.commissions.get_mut(&id, FOR_EVER) {
                record.group = group;
            }
            self.effects.fast.commissions.insert(id, self.at);
            id = record.next_of_conversion;
        }
    }

    pub(super) fn first_commission(&self, conversion: Id128) -> Id128 {
        self.state.conversion_commissions.get(&conversion, FOR_EVER).map_or(NO_ID, |head| head.first)
    }

    fn moves_of_commission(&self, id: Id128, record: &Commission) -> Vec<CommissionMove> {
        let key = |i| CommissionMoveKey { commission: id, i };
        (0..record.moves).filter_map(|i| self.state.commission_moves.get(&key(i), FOR_EVER)).collect()
    }
}

impl CommissionMove {
    /// Of a blocked commission nothing counts but what was paid.
    fn counted(&self, is_blocked: bool) -> Movement {
        let paid = Movement { paid: self.paid, ..Movement::default() };
        if is_blocked { paid } else { Movement { earned: self.earned, reversed: self.reversed, ..paid } }
    }
}
