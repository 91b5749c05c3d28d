//! §8 Commissions.

use super::orders::{ConversionBook, is_order};
use super::waiting::{Awaited, Key, key};
use super::{Book, Stop};
use crate::event::{Commission, CommissionKind, MemberStatus};
use crate::ids::{Currency, Millis};
use crate::project::totals::Money;

#[derive(Debug)]
pub(super) struct CommissionBook {
    pub(super) member: usize,
    /// The conversion it is for; `None`: a bonus.
    conversion: Option<Key>,
    pub(super) currency: Currency,
    t: Millis,
    /// E: earned, and all that was adjusted.
    earned: i128,
    /// Σ stated take-backs.
    stated: i128,
    reversed: i128,
    approved: bool,
    paid: Option<i128>,
    /// When a derived one is past its hold.
    matures_at: Option<Millis>,
}

/// §8: halves away from zero.
fn round(dividend: i128, divisor: i128) -> i128 {
    let twice = 2 * dividend.abs() + divisor.abs();
    let magnitude = twice / (2 * divisor.abs());
    if (dividend < 0) == (divisor < 0) { magnitude } else { -magnitude }
}

impl Book {
    pub(super) fn apply_commission(&mut self, t: Millis, commission: &Commission<'_>) -> Result<(), Stop> {
        let member = self.member(commission.member_id.0)?;
        let id = key(5, commission.commission_id.0);
        let amount = commission.amount.map(i128::from);
        if commission.kind == CommissionKind::Earned {
            return self.earn(t, member, id, commission);
        }
        let place = *self.commission_by_id.get(&id).ok_or(Stop::Park(Awaited::Commission(id)))?;
        if commission.currency.is_some_and(|currency| currency != self.commission(place).currency) {
            return Err(Stop::Dead("currency_mismatch"));
        }
        match commission.kind {
            CommissionKind::Earned => {}
            CommissionKind::Adjusted => self.adjust(t, place, amount.unwrap_or_default()),
            CommissionKind::Reversed => {
                self.commission_mut(place).stated += amount.unwrap_or_default().abs();
                self.reverse(t, place, self.moved(place));
            }
            CommissionKind::Approved => self.commission_mut(place).approved = true,
            CommissionKind::Paid => self.pay(t, place, amount),
        }
        Ok(())
    }

    fn commission(&self, place: usize) -> &CommissionBook {
        self.commissions.get(place).expect("commissions are never dropped")
    }

    fn commission_mut(&mut self, place: usize) -> &mut CommissionBook {
        self.commissions.get_mut(place).expect("commissions are never dropped")
    }

    /// §8: where commissions are derived, only a bonus can be stated.
    fn earn(&mut self, t: Millis, member: usize, id: Key, commission: &Commission<'_>) -> Result<(), Stop> {
        // The ids of derived ones are theirs alone.
        if commission.commission_id.0.starts_with("auto:") {
            return Err(Stop::Dead("commission_is_derived"));
        }
        if commission.conversion_id.is_some() && self.settings().terms.derived.is_some() {
            return Err(Stop::Dead("commission_is_derived"));
        }
        let made = CommissionBook {
            member,
            conversion: commission.conversion_id.map(|id| key(4, id.0)),
            currency: commission.currency.unwrap_or(self.settings().currency),
            t,
            earned: i128::from(commission.amount.unwrap_or_default()),
            stated: 0,
            reversed: 0,
            approved: false,
            paid: None,
            matures_at: None,
        };
        self.make(id, made);
        Ok(())
    }

    /// §8: once credit is settled, the rate on the amount, and the flat amount in the creator's currency.
    pub(super) fn derive_commission(&mut self, conversion: usize, member: usize) {
        let order = self.conversion(conversion);
        let Some(terms) = order.terms.derived.as_ref().filter(|terms| terms.on.contains(&order.kind)) else { return };
        let flat = if order.currency == order.terms.currency { i128::from(terms.flat_amount) } else { 0 };
        let made = CommissionBook {
            member,
            conversion: Some(order.key),
            currency: order.currency,
            t: order.t,
            earned: round(order.amount * i128::from(terms.rate_bp), 10_000) + flat,
            stated: 0,
            reversed: 0,
            approved: false,
            paid: None,
            matures_at: Some(Millis(order.t.0 + terms.hold_ms)),
        };
        let member_id = self.members.get(member).map_or("", |member| member.id.as_str());
        let id = format!("auto:{}:{member_id}", order.id);
        self.make(key(5, &id), made);
    }

    fn make(&mut self, id: Key, made: CommissionBook) {
        let (place, t, earned) = (self.commissions.len(), made.t, made.earned);
        if let Some(conversion) = made.conversion {
            self.commissions_of.entry(conversion).or_default().push(place);
        }
        self.commissions.push(made);
        self.commission_by_id.insert(id, place);
        self.arrived.push_back(Awaited::Commission(id));
        self.book_commission(t, place, earned, |money| money.commission_earned += earned);
        // Refunds that came before it still book on their own `t`.
        let moves = self.order_of(place).map(|order| order.moves.clone()).unwrap_or_default();
        let mut moved = 0;
        for (t, taken) in moves {
            moved += taken;
            self.reverse(t, place, moved);
        }
    }

    /// The order it is for, if that is known and is one.
    fn order_of(&self, place: usize) -> Option<&ConversionBook> {
        let id = self.commission(place).conversion?;
        let order = self.conversion(*self.conversion_by_id.get(&id)?);
        is_order(order.kind).then_some(order)
    }

    fn moved(&self, place: usize) -> i128 {
        self.order_of(place).map(ConversionBook::moved).unwrap_or_default()
    }

    fn adjust(&mut self, t: Millis, place: usize, change: i128) {
        self.commission_mut(place).earned += change;
        self.book_commission(t, place, change, |money| money.commission_earned += change);
        self.reverse(t, place, self.moved(place));
    }

    /// §8: books the change of `reversed` on the record's own `t`, never before the commission's.
    pub(super) fn reverse(&mut self, t: Millis, place: usize, moved: i128) {
        let due = self.reversed_due(place, moved);
        let commission = self.commission_mut(place);
        let change = due - commission.reversed;
        commission.reversed = due;
        let t = t.max(commission.t);
        if change != 0 {
            self.book_commission(t, place, -change, |money| money.commission_reversed += change);
        }
    }

    /// §8: reversed = min(E, max(round(E·R/S), Σ stated)) if E > 0, else 0.
    fn reversed_due(&self, place: usize, moved: i128) -> i128 {
        let commission = self.commission(place);
        if commission.earned <= 0 {
            return 0;
        }
        let amount = self.order_of(place).map_or(0, |order| order.amount);
        let share = if amount == 0 { 0 } else { round(commission.earned * moved, amount) };
        share.max(commission.stated).min(commission.earned)
    }

    fn pay(&mut self, t: Millis, place: usize, amount: Option<i128>) {
        let commission = self.commission_mut(place);
        let amount = amount.unwrap_or(commission.earned - commission.reversed);
        commission.paid = Some(amount);
        self.book_commission(t, place, 0, |money| money.commission_paid += amount);
    }

    /// On the creator, its day and the member; `net` is what the member's earnings move by.
    fn book_commission(&mut self, t: Millis, place: usize, net: i128, entry: impl Fn(&mut Money)) {
        let (member, currency) = (self.commission(place).member, self.commission(place).currency);
        let own = self.settings().currency;
        self.book(t, currency, &entry);
        let book = self.member_book(member);
        entry(book.totals.money_mut(currency));
        if currency == own && net != 0 {
            book.reached_at = book.reached_at.max(t);
        }
    }

    /// §8 State, at the end of the log: net = held + approved + paid + carry.
    pub(super) fn standing(&self, commission: &CommissionBook) -> Money {
        let net = commission.earned - commission.reversed;
        let active = self.members.get(commission.member).is_some_and(|member| member.status == MemberStatus::Active);
        let matured = commission.matures_at.is_some_and(|due| self.watermark().is_some_and(|now| now >= due.0));
        let mut money = Money::default();
        if let Some(paid) = commission.paid {
            money.commission_carry = net - paid;
        } else if active && (commission.approved || matured) {
            money.commission_approved = net;
        } else {
            money.commission_held = net;
        }
        money
    }
}
