//! A customer's conversions, and which of them are its firsts (SEMANTICS §9: signups, customers, referrals).

use super::Turn;
use super::orders::number;
use super::records::{Conversion, Counts, Customer, NO_ID};
use super::state::FOR_EVER;
use crate::event::ConversionKind;
use crate::ids::Millis;
use crate::keep::Id128;

/// What a conversion is to its customer; each is counted once a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum First {
    /// Of all: credited, it makes a referral.
    Conversion,
    Signup,
    /// With money left: it makes a customer.
    Order,
}

impl First {
    pub(super) const ALL: [Self; 3] = [Self::Conversion, Self::Signup, Self::Order];

    pub(super) const fn of(self, customer: &mut Customer) -> &mut Id128 {
        match self {
            Self::Conversion => &mut customer.first,
            Self::Signup => &mut customer.first_signup,
            Self::Order => &mut customer.first_order,
        }
    }

    /// Whoever it is credited to.
    pub(super) fn counts(self, sign: i64) -> Counts {
        match self {
            Self::Conversion => Counts { referrals: sign, ..Counts::default() },
            Self::Signup => Counts { signups: sign, ..Counts::default() },
            Self::Order => Counts { customers: sign, ..Counts::default() },
        }
    }

    /// What being credited adds to it for the creator.
    pub(super) fn counts_if_credited(self, sign: i64) -> Counts {
        match self {
            Self::Conversion => self.counts(sign),
            Self::Signup => Counts { signups_credited: sign, ..Counts::default() },
            Self::Order => Counts::default(),
        }
    }

    /// All that the member has of it.
    pub(super) fn counts_of_member(self, sign: i64) -> Counts {
        match self {
            Self::Signup => Counts { signups_credited: sign, ..self.counts(sign) },
            Self::Conversion | Self::Order => self.counts(sign),
        }
    }
}

impl Turn<'_> {
    /// Takes the conversion into its customer's history.
    pub(super) fn enlist(&mut self, id: Id128, conversion: &Conversion) {
        let customer = self.state.customers.entry(&conversion.customer, self.t, FOR_EVER);
        customer.uncredited += 1;
        let before = std::mem::replace(&mut customer.newest, id);
        if let Some(record) = self.state.conversions.get_mut(&id, FOR_EVER) {
            record.prev_of_customer = before;
        }
        self.offer(First::Conversion, id, conversion);
        if conversion.kind == number(ConversionKind::Signup) {
            self.offer(First::Signup, id, conversion);
        }
        if conversion.is_live_order() {
            self.offer(First::Order, id, conversion);
        }
    }

    /// All conversions of a customer, in the order of the log.
    pub(super) fn conversions_of(&self, customer: &Customer) -> Vec<Id128> {
        self.newest_conversions_of(customer, usize::MAX)
    }

    /// The newest `most` of them, in the order of the log.
    pub(super) fn newest_conversions_of(&self, customer: &Customer, most: usize) -> Vec<Id128> {
        let mut ids = Vec::new();
        let mut id = customer.newest;
        while id != NO_ID && ids.len() < most {
            ids.push(id);
            id = self.conversion_at(id).prev_of_customer;
        }
        ids.reverse();
        ids
    }

    /// An order's money or verdict changed: is it still, or again, its customer's first?
    pub(super) fn recount_customer(&mut self, id: Id128) {
        let order = self.conversion_at(id);
        let Some(customer) = self.state.customers.get(&order.customer, FOR_EVER) else { return };
        if order.is_live_order() {
            self.offer(First::Order, id, &order);
        } else if customer.first_order == id {
            let next = self.first_live_order(&customer);
            self.set_first(First::Order, order.customer, next);
        }
    }

    fn first_live_order(&self, customer: &Customer) -> Id128 {
        let mut best: Option<(Id128, Conversion)> = None;
        for id in self.conversions_of(customer) {
            let order = self.conversion_at(id);
            if order.is_live_order()
                && best.is_none_or(|(best_id, best)| self.is_before((order.t, id), (best.t, best_id)))
            {
                best = Some((id, order));
            }
        }
        best.map_or(NO_ID, |(id, _)| id)
    }

    /// Makes the conversion its customer's first of the kind if it is before the one that is.
    fn offer(&mut self, first: First, id: Id128, conversion: &Conversion) {
        let Some(mut customer) = self.state.customers.get(&conversion.customer, FOR_EVER) else { return };
        let now = *first.of(&mut customer);
        if now == NO_ID || (now != id && self.is_before((conversion.t, id), (self.conversion_at(now).t, now))) {
            self.set_first(first, conversion.customer, id);
        }
    }

    fn set_first(&mut self, first: First, customer: Id128, to: Id128) {
        let Some(record) = self.state.customers.get_mut(&customer, FOR_EVER) else { return };
        let from = std::mem::replace(first.of(record), to);
        self.count_first(first, from, -1);
        self.count_first(first, to, 1);
    }

    fn count_first(&mut self, first: First, id: Id128, sign: i64) {
        if id == NO_ID {
            return;
        }
        let conversion = self.conversion_at(id);
        let booked = conversion.booked(Millis(conversion.t));
        let is_credited = conversion.counts_for_members();
        let mut delta = if first == First::Conversion { Counts::default() } else { first.counts(sign) };
        if is_credited {
            delta.add(&first.counts_if_credited(sign));
            self.count_member(conversion.n, booked, &first.counts_of_member(sign));
        }
        if delta != Counts::default() {
            self.count_creator(booked, &delta);
        }
    }
}
