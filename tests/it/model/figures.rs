//! Figures from the whole history: every movement on its own instant, then sums over them (SEMANTICS §9).

use std::collections::BTreeMap;

use tributary::ids::Currency;
use tributary::project::totals::{Counts, Money, Totals};

use super::commissions::{Change, part};
use super::history::{Conversion, Creator, Credit};

/// Something to count or to add, of the creator or of one of its members.
#[derive(Clone, Debug)]
pub(crate) struct Booking {
    /// `None`: the creator's own.
    pub(crate) member: Option<usize>,
    pub(crate) t: i64,
    pub(crate) what: Totals,
}

/// What is counted, and of whom.
#[derive(Default)]
struct Bookings(Vec<Booking>);

impl Bookings {
    fn count(&mut self, member: Option<usize>, t: i64, counts: Counts) {
        self.0.push(Booking { member, t, what: Totals { counts, money: Vec::new() } });
    }

    fn money(&mut self, member: Option<usize>, t: i64, currency: Currency, money: Money) {
        if money != Money::default() {
            self.0.push(Booking {
                member,
                t,
                what: Totals { counts: Counts::default(), money: vec![(currency, money)] },
            });
        }
    }
}

impl<'a> Creator<'a> {
    /// All movements of a creator and its members, on their instants.
    pub(crate) fn bookings(&self) -> Vec<Booking> {
        let mut bookings = Bookings::default();
        self.book_traffic(&mut bookings);
        for c in (0..self.conversions.len()).filter(|c| self.conversions[*c].is_order()) {
            self.book_order(c, &mut bookings);
        }
        self.book_firsts(&mut bookings);
        for commission in &self.commissions {
            let is_blocked = self.is_commission_blocked(commission);
            let (_, changes) = self.follow(commission);
            for (t, change) in changes {
                let money = match change {
                    Change::Paid(amount) => Money { commission_paid: amount, ..Money::default() },
                    Change::Earned(_) | Change::Reversed(_) if is_blocked => Money::default(),
                    Change::Earned(amount) => Money { commission_earned: amount, ..Money::default() },
                    Change::Reversed(amount) => Money { commission_reversed: amount, ..Money::default() },
                };
                for scope in [None, Some(commission.member)] {
                    bookings.money(scope, t, commission.currency, money);
                }
            }
        }
        bookings.0
    }

    fn book_traffic(&self, bookings: &mut Bookings) {
        for share in &self.shares {
            for scope in [None, Some(share.member)] {
                bookings.count(scope, share.t, Counts { shares: 1, ..Counts::default() });
            }
        }
        for click in &self.clicks {
            let counts = Counts {
                clicks_total: 1,
                clicks_human: i64::from(click.human),
                clicks_unique: i64::from(click.unique),
                clicks_shared: i64::from(click.shared),
                ..Counts::default()
            };
            for scope in [None, Some(click.member)] {
                bookings.count(scope, click.t, counts);
            }
        }
    }

    /// The order's money and what was taken of it; blocked, it is nobody's and marked beside the creator's revenue.
    fn book_order(&self, c: usize, bookings: &mut Bookings) {
        let order = &self.conversions[c];
        let is_blocked = self.is_blocked(order.id());
        let counted = Counts { orders: 1, ..Counts::default() };
        if !is_blocked {
            bookings.count(None, order.t, counted);
            if let Some(primary) = order.credit.primary() {
                bookings.count(Some(primary), order.t, counted);
            }
        }
        let gross = |amount: i128| Money { revenue_gross: amount, ..Money::default() };
        let refunded = |amount: i128| Money { revenue_refunded: amount, ..Money::default() };
        let blocked = |amount: i128| Money { revenue_blocked: amount, ..Money::default() };
        let members = if is_blocked { &[] } else { order.credit.members() };
        let amount = i128::from(order.amount);
        bookings.money(None, order.t, order.currency, gross(amount));
        if is_blocked {
            bookings.money(None, order.t, order.currency, blocked(amount));
        }
        for (place, member) in members.iter().enumerate() {
            bookings.money(Some(*member), order.t, order.currency, gross(part(amount, place, members.len())));
        }
        let mut total = 0;
        for moved in self.moves_of(c) {
            let taken = i128::from(moved.taken());
            bookings.money(None, moved.t, order.currency, refunded(taken));
            if is_blocked {
                bookings.money(None, moved.t, order.currency, blocked(-taken));
            }
            for (place, member) in members.iter().enumerate() {
                let share = part(total + taken, place, members.len()) - part(total, place, members.len());
                bookings.money(Some(*member), moved.t, order.currency, refunded(share));
            }
            total += taken;
        }
    }

    /// Signups, customers and referrals: once a customer, at its first.
    fn book_firsts(&self, bookings: &mut Bookings) {
        let mut customers: BTreeMap<(bool, &str), Vec<usize>> = BTreeMap::new();
        for (c, conversion) in self.conversions.iter().enumerate().filter(|(_, conversion)| conversion.is_sale()) {
            // Without a customer it is one of its own.
            let customer =
                conversion.stated.customer_id.map_or((false, conversion.id()), |customer| (true, customer.0));
            customers.entry(customer).or_default().push(c);
        }
        for sales in customers.values_mut() {
            sales.sort_by_key(|c| self.conversions[*c].place());
            let all = || sales.iter().map(|c| (*c, &self.conversions[*c]));
            let credited = |sale: &Conversion<'a>| sale.credit.primary().filter(|_| !self.is_blocked(sale.id()));
            if let Some((_, first)) = all().find(|(_, sale)| !sale.is_order()) {
                let signups_credited = i64::from(credited(first).is_some());
                let counts = Counts { signups: 1, signups_credited, ..Counts::default() };
                bookings.count(None, first.t, counts);
                credited(first).into_iter().for_each(|m| bookings.count(Some(m), first.t, counts));
            }
            let is_live =
                |c: usize, sale: &Conversion<'a>| sale.is_order() && self.left(c) > 0 && !self.is_blocked(sale.id());
            if let Some((_, first)) = all().find(|(c, sale)| is_live(*c, sale)) {
                let counts = Counts { customers: 1, ..Counts::default() };
                bookings.count(None, first.t, counts);
                credited(first).into_iter().for_each(|m| bookings.count(Some(m), first.t, counts));
            }
            if let Some(first) = all().next().map(|(_, sale)| sale)
                && let Some(primary) = credited(first)
            {
                let counts = Counts { referrals: 1, ..Counts::default() };
                bookings.count(None, first.t, counts);
                bookings.count(Some(primary), first.t, counts);
            }
        }
    }

    /// All-time totals of the creator or a member: what moved, and where commissions stand now.
    pub(crate) fn totals(&self, bookings: &[Booking], member: Option<usize>) -> Totals {
        let mut totals = Totals::default();
        bookings.iter().filter(|booking| booking.member == member).for_each(|booking| totals.add(&booking.what));
        for commission in self.commissions.iter().filter(|commission| member.is_none_or(|m| commission.member == m)) {
            let (standing, _) = self.follow(commission);
            let net = if self.is_commission_blocked(commission) { 0 } else { standing.net() };
            let money = totals.money_mut(commission.currency);
            match self.state_of(commission, &standing) {
                "held" => money.commission_held += net,
                "approved" => money.commission_approved += net,
                "paid" => money.commission_carry += net - standing.paid.unwrap_or_default(),
                _ => {}
            }
        }
        clean(totals)
    }

    /// Sums by `length` of the creator or a member; slots in which nothing stands are left out.
    pub(crate) fn series(bookings: &[Booking], member: Option<usize>, length: i64) -> BTreeMap<i64, Totals> {
        let mut slots: BTreeMap<i64, Totals> = BTreeMap::new();
        for booking in bookings.iter().filter(|booking| booking.member == member) {
            slots.entry(booking.t.div_euclid(length)).or_default().add(&booking.what);
        }
        slots.into_iter().map(|(slot, totals)| (slot, clean(totals))).filter(|(_, totals)| !totals.is_zero()).collect()
    }
}

/// Without currencies in which nothing stands.
pub(crate) fn clean(mut totals: Totals) -> Totals {
    totals.money.retain(|(_, money)| *money != Money::default());
    totals
}

/// As a conversion's row says it: primary member, click, word.
pub(crate) fn credit_of<'a>(credit: &Credit<'a>) -> (Option<usize>, Option<&'a str>, &'static str) {
    match credit {
        Credit::NotApplicable => (None, None, "not_applicable"),
        Credit::Waiting(_) => (None, None, "waiting"),
        Credit::Nobody(why) => (None, None, why),
        Credit::To { members, how, click } => (members.last().copied(), *click, how),
    }
}
