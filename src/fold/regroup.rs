//! An order that is credited by a click takes over that click's dimensions, with all that was booked of it before.

use super::Turn;
use super::booking::Movement;
use super::firsts::First;
use super::records::{Conversion, Counts};
use super::state::FOR_EVER;
use crate::ids::Millis;
use crate::keep::Id128;

impl Turn<'_> {
    pub(super) fn regroup(&mut self, id: Id128, click: Id128) {
        let Some(click) = self.state.clicks.get(&click, self.floor()) else { return };
        let before = self.conversion_at(id);
        let group = self.group_with_click(before.group, click.group);
        if group == before.group {
            return;
        }
        self.book_in_group(id, &before, -1);
        self.change_conversion(id, |conversion| conversion.group = group);
        self.book_in_group(id, &Conversion { group, ..before }, 1);
        self.regroup_commissions(id, group);
    }

    /// What the creator has of a conversion, but for a referral: that is counted once it is credited.
    fn book_in_group(&mut self, id: Id128, conversion: &Conversion, sign: i64) {
        let (t, group) = (Millis(conversion.t), conversion.group);
        let customer = self.state.customers.get(&conversion.customer, FOR_EVER);
        for first in [First::Signup, First::Order] {
            if customer.is_some_and(|mut customer| *first.of(&mut customer) == id) {
                self.count_group(t, group, &first.counts(sign));
            }
        }
        if !conversion.is_order() {
            return;
        }
        let orders = if conversion.blocked == 0 { sign } else { 0 };
        self.count_group(t, group, &Counts { orders, ..Counts::default() });
        let mut steps = vec![(t, Movement { gross: i128::from(conversion.amount), ..Movement::default() })];
        steps.extend(self.moves_of(conversion).into_iter().map(|step| {
            let refunded = i128::from(step.taken);
            (step.t, Movement { refunded, ..Movement::default() })
        }));
        for (t, moved) in steps {
            let moved = if conversion.blocked == 1 { moved.with_blocked() } else { moved };
            self.book_group(t, group, conversion.currency, &moved.times(sign));
        }
    }
}
