//! Giving a conversion to a member, and a customer's first conversions (SEMANTICS §6, §9).

use super::attribute::{Credit, Outcome};
use super::booking::Movement;
use super::records::{Awaited, Conversion, Counts, Customer, CustomerOrderKey, NO_ID, NONE};
use super::state::FOR_EVER;
use super::timers::Due;
use super::{Turn, kind};
use crate::ids::Millis;
use crate::keep::Id128;

/// Credit waits this long for a click or code that is not known yet.
const WAIT: i64 = Millis::DAY;

/// What a conversion is to its customer; each is counted once a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    /// Of all: credited, it makes a referral.
    Conversion,
    Signup,
    /// With money left: it makes a customer.
    Order,
}

impl First {
    const fn of(self, customer: &mut Customer) -> &mut Id128 {
        match self {
            Self::Conversion => &mut customer.first,
            Self::Signup => &mut customer.first_signup,
            Self::Order => &mut customer.first_order,
        }
    }

    const fn counts(self, sign: i64) -> Counts {
        let mut counts = Counts {
            clicks_total: 0,
            clicks_human: 0,
            clicks_unique: 0,
            clicks_shared: 0,
            shares: 0,
            signups: 0,
            orders: 0,
            customers: 0,
            referrals: 0,
        };
        match self {
            Self::Conversion => counts.referrals = sign,
            Self::Signup => counts.signups = sign,
            Self::Order => counts.customers = sign,
        }
        counts
    }
}

impl Turn<'_> {
    /// Attributes a conversion that has no credit yet.
    pub(super) fn try_credit(&mut self, id: Id128, skip_unknown: bool) {
        let conversion = self.conversion_at(id);
        match self.attribute(&conversion, skip_unknown) {
            Outcome::To { n, how } => self.credit(id, n, how),
            Outcome::Wait(awaited) => self.wait(id, awaited),
            Outcome::Nobody(reason) => self.set_credit(id, NONE, reason),
        }
    }

    fn set_credit(&mut self, id: Id128, n: u32, credit: Credit) {
        if let Some(conversion) = self.state.conversions.get_mut(&id, FOR_EVER) {
            conversion.n = n;
            conversion.credit = credit.number();
        }
        self.touch_conversion(id);
    }

    /// Until `awaited` arrives, a day at most from when it first waited.
    fn wait(&mut self, id: Id128, awaited: Id128) {
        let was_waiting = self.conversion_at(id).credit == Credit::Waiting.number();
        self.set_credit(id, NONE, Credit::Waiting);
        if !was_waiting {
            self.set_timer(Millis(self.creator().clock.saturating_add(WAIT)), Due::Credit, id);
        }
        let list: &mut Awaited = self.state.awaited.entry(&awaited, self.t, FOR_EVER);
        let last = std::mem::replace(&mut list.conversions_last, id);
        if last == NO_ID {
            list.conversions = id;
        } else if let Some(last) = self.state.conversions.get_mut(&last, FOR_EVER) {
            last.next_waiting = id;
        }
        if let Some(conversion) = self.state.conversions.get_mut(&id, FOR_EVER) {
            conversion.next_waiting = NO_ID;
        }
    }

    /// What they waited for has come: each is tried again, oldest first.
    pub(super) fn retry_waiting(&mut self, mut id: Id128) {
        while id != NO_ID {
            let conversion = self.conversion_at(id);
            if conversion.credit == Credit::Waiting.number() {
                self.try_credit(id, false);
            }
            id = conversion.next_waiting;
        }
    }

    pub(super) fn credit_overdue(&mut self, id: Id128) {
        if self.conversion_at(id).credit == Credit::Waiting.number() {
            self.try_credit(id, true);
        }
    }

    /// Books what the member missed while the credit was open, each on its own instant.
    fn credit(&mut self, id: Id128, n: u32, how: Credit) {
        self.set_credit(id, n, how);
        let conversion = self.conversion_at(id);
        let t = Millis(conversion.t);
        // A signup counts nothing by itself, yet the member was active.
        let orders = i64::from(conversion.is_order());
        self.count_member(n, conversion.booked(t), &Counts { orders, ..Counts::default() });
        self.active(n, conversion.day, 1);
        if conversion.is_order() {
            let gross = Movement { gross: i128::from(conversion.amount), ..Movement::default() };
            self.book_member(n, conversion.booked(t), conversion.currency, &gross);
            for movement in self.moves_of(&conversion) {
                let moved = Movement { refunded: i128::from(movement.taken), ..Movement::default() };
                self.book_member(n, conversion.booked(movement.t), conversion.currency, &moved);
            }
        }
        self.credit_firsts(id, &conversion);
        self.derive(id);
    }

    /// The counts that the conversion carries for its customer now go to the member too.
    fn credit_firsts(&mut self, id: Id128, conversion: &Conversion) {
        let Some(mut customer) = self.state.customers.get(&conversion.customer, FOR_EVER) else { return };
        for first in [First::Conversion, First::Signup, First::Order] {
            if *first.of(&mut customer) == id {
                let delta = first.counts(1);
                if first == First::Conversion {
                    self.count_creator(conversion.booked(Millis(conversion.t)), &delta);
                }
                self.count_member(conversion.n, conversion.booked(Millis(conversion.t)), &delta);
            }
        }
    }

    /// Takes the conversion into its customer's history. Without a customer there is none.
    pub(super) fn enlist(&mut self, id: Id128, conversion: &Conversion) {
        if conversion.customer == NO_ID {
            return;
        }
        let customer = self.state.customers.entry(&conversion.customer, self.t, FOR_EVER);
        let place = customer.orders;
        if conversion.is_order() {
            customer.orders += 1;
        }
        self.offer(First::Conversion, id, conversion);
        if conversion.kind == super::orders::number(crate::event::ConversionKind::Signup) {
            self.offer(First::Signup, id, conversion);
        }
        if conversion.is_order() {
            let key = CustomerOrderKey { customer: conversion.customer, page: place / PAGE };
            let page = self.state.customer_orders.entry(&key, self.t, FOR_EVER);
            let slot = usize::try_from(place % PAGE).unwrap_or_default();
            if let Some(slot) = page.ids.get_mut(slot) {
                *slot = id;
            }
        }
        if conversion.is_live_order() {
            self.offer(First::Order, id, conversion);
        }
    }

    /// An order's money changed: is it still, or again, its customer's first?
    pub(super) fn recount_customer(&mut self, id: Id128) {
        let order = self.conversion_at(id);
        let Some(customer) = self.state.customers.get(&order.customer, FOR_EVER) else { return };
        if order.is_live_order() {
            self.offer(First::Order, id, &order);
        } else if customer.first_order == id {
            let next = self.first_live_order(order.customer, customer.orders);
            self.set_first(First::Order, order.customer, next);
        }
    }

    fn first_live_order(&self, customer: Id128, orders: u32) -> Id128 {
        let mut best: Option<(Id128, Conversion)> = None;
        for page in 0..orders.div_ceil(PAGE) {
            let key = CustomerOrderKey { customer, page };
            let Some(page) = self.state.customer_orders.get(&key, FOR_EVER) else { continue };
            for id in page.ids.into_iter().filter(|id| *id != NO_ID) {
                let order = self.conversion_at(id);
                if order.is_live_order()
                    && best.is_none_or(|(best_id, best)| self.is_before((order.t, id), (best.t, best_id)))
                {
                    best = Some((id, order));
                }
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
        let (booked, delta) = (conversion.booked(Millis(conversion.t)), first.counts(sign));
        let is_credited = conversion.n != NONE;
        if is_credited || first != First::Conversion {
            self.count_creator(booked, &delta);
        }
        if is_credited {
            self.count_member(conversion.n, booked, &delta);
        }
    }
}

/// Orders in one page of a customer's list.
const PAGE: u32 = 16;

/// The id that a chargeback's reversal waits for when it names the order.
impl Turn<'_> {
    pub(super) fn chargeback_of(&self, order: Id128) -> Id128 {
        self.state.hash_key.id(kind::CHARGEBACK_OF, self.c, &order.0)
    }
}
