//! What became of orders: of a member and of all the creator's by the order's UTC day, of a customer one by one.

use super::{What, life};
use crate::event::ConversionKind;
use crate::fold::fraud::{CustomerHistory, span};
use crate::fold::reading::Reading;
use crate::fold::records::{
    Conversion, NO_ID, NONE, ORDER_DAYS, ORDER_DAYS_I64, OrderDay, OrderDays, OrderDaysKey, ShortList,
};
use crate::fold::state::FOR_EVER;
use crate::fold::{Turn, kind};
use crate::ids::Millis;
use crate::keep::Id128;

/// `Conversion::history`, bit by bit.
mod flag {
    pub(super) const REFUNDED: u8 = 1;
    /// A refund came soon after the commission became payable.
    pub(super) const EARLY: u8 = 1 << 1;
}

/// Lists of a customer.
#[derive(Debug, Clone, Copy)]
enum Moves {
    /// Chargebacks that stand.
    Chargebacks,
    Refunds,
    RefundedOrders,
}

impl Turn<'_> {
    /// An order counts for the creator when it comes.
    pub(in crate::fold) fn count_order(&mut self, record: &Conversion) {
        if record.is_order() {
            self.count_orders(NONE, record.t, (OrderDay::default(), of_order(record)));
        }
    }

    /// ... and for its members when it is credited, with all that has happened to it since.
    pub(in crate::fold) fn count_credited_order(&mut self, id: Id128, record: &Conversion) {
        if record.is_order() {
            for n in self.credited(id, record) {
                self.count_orders(n, record.t, (OrderDay::default(), of_order(record)));
            }
        }
    }

    /// A refund, a chargeback or its reversal was booked; `id` is its own, that of a reversal the chargeback's.
    pub(in crate::fold) fn count_move(&mut self, order_id: Id128, id: Id128, moved: &Conversion) {
        let before = self.conversion_at(order_id);
        let mut after = before;
        match moved.kind() {
            ConversionKind::Refund => {
                after.history |= flag::REFUNDED;
                if is_early(&before, moved.t) {
                    after.history |= flag::EARLY;
                }
            }
            ConversionKind::Chargeback => after.chargebacks = before.chargebacks.saturating_add(1),
            ConversionKind::ChargebackReversed => after.chargebacks = before.chargebacks.saturating_sub(1),
            ConversionKind::Signup | ConversionKind::Purchase | ConversionKind::Renewal => return,
        }
        if let Some(order) = self.state.conversions.get_mut(&order_id, FOR_EVER) {
            (order.history, order.chargebacks) = (after.history, after.chargebacks);
        }
        let change = (of_order(&before), of_order(&after));
        if change.0 != change.1 {
            self.count_orders(NONE, before.t, change);
            if before.n != NONE {
                for n in self.credited(order_id, &before) {
                    self.count_orders(n, before.t, change);
                }
            }
        }
        self.count_customer_move(order_id, id, (&before, moved));
    }

    pub(super) fn count_orders(&mut self, n: u32, t: i64, (before, after): (OrderDay, OrderDay)) {
        let day = t.div_euclid(Millis::DAY);
        let (page, slot) = (day.div_euclid(ORDER_DAYS_I64), day.rem_euclid(ORDER_DAYS_I64));
        let key = OrderDaysKey { creator: self.c, n, page: i32::try_from(page).unwrap_or_default() };
        let floor = self.kept_from(life::ORDER_DAYS);
        let record: &mut OrderDays = self.state.order_days.entry(&key, self.t, floor);
        let slot = usize::try_from(slot).unwrap_or_default();
        let Some(place) = record.days.get_mut(slot) else { return };
        let moved = |sum: u32, before: u32, after: u32| sum.saturating_add(after).saturating_sub(before);
        place.orders = moved(place.orders, before.orders, after.orders);
        place.chargebacks = moved(place.chargebacks, before.chargebacks, after.chargebacks);
        place.refunds = moved(place.refunds, before.refunds, after.refunds);
        place.early_refunds = moved(place.early_refunds, before.early_refunds, after.early_refunds);
        place.conversions = moved(place.conversions, before.conversions, after.conversions);
        place.made = moved(place.made, before.made, after.made);
        place.rushed = moved(place.rushed, before.rushed, after.rushed);
    }

    fn count_customer_move(&mut self, order_id: Id128, id: Id128, (order, moved): (&Conversion, &Conversion)) {
        let t = moved.t;
        match moved.kind() {
            ConversionKind::Chargeback => self.customer_list(order.customer, Moves::Chargebacks, |list| {
                list.touch(id, t);
            }),
            ConversionKind::ChargebackReversed => self.customer_list(order.customer, Moves::Chargebacks, |list| {
                list.remove(id);
            }),
            ConversionKind::Refund => {
                self.customer_list(order.customer, Moves::Refunds, |list| {
                    list.touch(id, t);
                });
                self.customer_list(order.customer, Moves::RefundedOrders, |list| {
                    list.touch(order_id, t);
                });
            }
            ConversionKind::Signup | ConversionKind::Purchase | ConversionKind::Renewal => {}
        }
    }

    fn customer_list(&mut self, customer: Id128, moves: Moves, change: impl FnOnce(&mut ShortList)) {
        let key = self.reading().customer_key(customer, moves);
        let floor = self.kept_from(life::CUSTOMER_MOVES);
        change(self.state.customer_moves.entry(&key, self.t, floor));
    }
}

impl Reading<'_> {
    /// Sums over the UTC day of `t` and those before it that each of `within` reaches, the furthest of them first.
    pub(in crate::fold) fn orders_within<const SPANS: usize>(
        &self,
        n: u32,
        t: Millis,
        within: [u64; SPANS],
    ) -> [OrderDay; SPANS] {
        let day_of = |t: i64| t.div_euclid(Millis::DAY);
        let last = day_of(t.0);
        let mut sums = within.map(|within| (day_of(t.0.saturating_sub_unsigned(within)), OrderDay::default()));
        let first = sums.first().map_or(last, |(first, _)| *first);
        for page in first.div_euclid(ORDER_DAYS_I64)..=last.div_euclid(ORDER_DAYS_I64) {
            let key = OrderDaysKey { creator: self.c, n, page: i32::try_from(page).unwrap_or_default() };
            let Some(record) = self.state.order_days.get(&key, self.kept_from(life::ORDER_DAYS)) else { continue };
            for (day, of_day) in (page * ORDER_DAYS_I64..).zip(record.days) {
                for (_, sum) in sums.iter_mut().filter(|(first, _)| (*first..=last).contains(&day)) {
                    sum.orders += of_day.orders;
                    sum.chargebacks += of_day.chargebacks;
                    sum.refunds += of_day.refunds;
                    sum.early_refunds += of_day.early_refunds;
                    sum.conversions += of_day.conversions;
                    sum.made += of_day.made;
                    sum.rushed += of_day.rushed;
                }
            }
        }
        sums.map(|(_, sum)| sum)
    }

    fn customer_key(&self, customer: Id128, moves: Moves) -> Id128 {
        let number = match moves {
            Moves::Chargebacks => 1,
            Moves::Refunds => 2,
            Moves::RefundedOrders => 3,
        };
        self.key_of_token(kind::CUSTOMER_MOVES, What::User, number, &customer.0)
    }

    /// What became of a customer's orders by `t`.
    pub(in crate::fold) fn customer_history(&self, customer: Id128, t: Millis) -> CustomerHistory {
        let count = |moves: Moves, within: u64| {
            let list = self
                .state
                .customer_moves
                .get(&self.customer_key(customer, moves), self.kept_from(life::CUSTOMER_MOVES));
            list.map_or(0, |list| list.since(t.0.saturating_sub_unsigned(within)))
        };
        let refunds = count(Moves::Refunds, span::REFUNDS);
        let chargebacks = count(Moves::Chargebacks, span::CUSTOMER_CHARGEBACKS);
        CustomerHistory {
            chargebacks,
            refunds,
            refunded_orders: count(Moves::RefundedOrders, span::REFUNDS),
            // Asked only where something was taken back.
            orders: if refunds + chargebacks > 0 { self.orders_of(customer, t) } else { 0 },
            is_charged_back: false,
        }
    }

    /// A customer's orders of the 90 days before `t`, of the newest hundred.
    fn orders_of(&self, customer: Id128, t: Millis) -> u32 {
        let since = t.0.saturating_sub_unsigned(span::REFUNDS);
        let mut id = self.state.customers.get(&customer, FOR_EVER).map_or(NO_ID, |customer| customer.newest);
        let mut orders = self.would.map_or(0, |would| u32::from(would.is_order));
        for _ in 0..ORDERS_MAX {
            let Some(conversion) = self.state.conversions.get(&id, FOR_EVER).filter(|_| id != NO_ID) else { break };
            orders += u32::from(conversion.is_order() && (since..=t.0).contains(&conversion.t));
            id = conversion.prev_of_customer;
        }
        orders
    }
}

/// Of one customer so many are looked at.
const ORDERS_MAX: usize = 100;

/// What an order is in the sums of its day.
fn of_order(order: &Conversion) -> OrderDay {
    OrderDay {
        orders: 1,
        chargebacks: u32::from(order.chargebacks > 0),
        refunds: u32::from(order.history & flag::REFUNDED != 0),
        early_refunds: u32::from(order.history & flag::EARLY != 0),
        ..OrderDay::default()
    }
}

/// Whether a refund at `t` came soon after the order's commission became payable; it does only after some days.
fn is_early(order: &Conversion, t: i64) -> bool {
    let payable = order.t.saturating_add(order.hold_days.saturating_mul(Millis::DAY));
    let until = payable.saturating_add_unsigned(span::EARLY_REFUND);
    order.hold_days > 0 && (payable..=until).contains(&t)
}

const _: () = assert!(ORDER_DAYS == 16 && ORDER_DAYS_I64 == 16);
