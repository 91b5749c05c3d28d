//! §7 Orders, and what is taken back of them.

use std::rc::Rc;

use super::credit::Credit;
use super::people::Terms;
use super::waiting::{Awaited, Key, key};
use super::{Book, Stop};
use crate::event::{Conversion, ConversionKind};
use crate::ids::{Currency, Millis};

#[derive(Debug)]
pub(super) struct ConversionBook {
    pub(super) id: Box<str>,
    pub(super) key: Key,
    pub(super) kind: ConversionKind,
    pub(super) t: Millis,
    /// The customer; one without an id is nobody else's.
    pub(super) customer: Key,
    pub(super) amount: i128,
    pub(super) currency: Currency,
    pub(super) terms: Rc<Terms>,
    pub(super) credit: Credit,
    /// What refunds and chargebacks took of an order, in log order; a reversed chargeback gives back.
    pub(super) moves: Vec<(Millis, i128)>,
    /// Of a refund or chargeback: the order, and what it took.
    took: Option<(usize, i128)>,
    /// Of a chargeback: whether it was reversed.
    reversed: bool,
    /// Of an order: its chargebacks, in log order.
    chargebacks: Vec<usize>,
}

impl ConversionBook {
    /// R = Σ moves.
    pub(super) fn moved(&self) -> i128 {
        self.moves.iter().map(|(_, taken)| taken).sum()
    }
}

impl Book {
    pub(super) fn conversion(&self, place: usize) -> &ConversionBook {
        self.conversions.get(place).expect("conversions are never dropped")
    }

    pub(super) fn conversion_mut(&mut self, place: usize) -> &mut ConversionBook {
        self.conversions.get_mut(place).expect("conversions are never dropped")
    }

    pub(super) fn apply_conversion(&mut self, t: Millis, conversion: &Conversion<'_>) -> Result<(), Stop> {
        match conversion.kind {
            ConversionKind::Signup => self.open(t, conversion),
            ConversionKind::Purchase | ConversionKind::Renewal => self.open_order(t, conversion),
            ConversionKind::Refund | ConversionKind::Chargeback => self.take(t, conversion)?,
            ConversionKind::ChargebackReversed => self.give_back(t, conversion)?,
        }
        Ok(())
    }

    fn open_order(&mut self, t: Millis, conversion: &Conversion<'_>) {
        let amount = i128::from(conversion.amount.unwrap_or_default());
        let currency = conversion.currency.unwrap_or(self.settings().currency);
        self.book(t, currency, |money| money.revenue_gross += amount);
        self.totals.counts.orders += 1;
        self.day(t).counts.orders += 1;
        self.open(t, conversion);
    }

    fn open(&mut self, t: Millis, conversion: &Conversion<'_>) {
        let place = self.enter(t, conversion, None);
        self.conversion_mut(place).credit = Credit::Waiting;
        self.open_credit(place, conversion);
    }

    fn enter(&mut self, t: Millis, conversion: &Conversion<'_>, took: Option<(usize, i128)>) -> usize {
        let (id, place) = (key(4, conversion.conversion_id.0), self.conversions.len());
        self.conversions.push(ConversionBook {
            id: conversion.conversion_id.0.into(),
            key: id,
            kind: conversion.kind,
            t,
            customer: conversion.customer_id.map_or(id, |customer| key(10, customer.0)),
            amount: i128::from(conversion.amount.unwrap_or_default()),
            currency: conversion.currency.unwrap_or(self.settings().currency),
            terms: Rc::clone(&self.settings().terms),
            credit: Credit::Nobody,
            moves: Vec::new(),
            took,
            reversed: false,
            chargebacks: Vec::new(),
        });
        self.conversion_by_id.insert(id, place);
        self.arrived.push_back(Awaited::Conversion(id));
        place
    }

    /// §3: what refers to a conversion we do not know waits.
    fn target(&self, conversion: &Conversion<'_>) -> Result<usize, Stop> {
        let id = key(4, conversion.original_id.map_or("", |id| id.0));
        self.conversion_by_id.get(&id).copied().ok_or(Stop::Park(Awaited::Conversion(id)))
    }

    /// §7: a refund or chargeback takes at most what is left.
    fn take(&mut self, t: Millis, conversion: &Conversion<'_>) -> Result<(), Stop> {
        let place = self.target(conversion)?;
        let order = self.conversion(place);
        if !is_order(order.kind) {
            return Err(Stop::Dead("not_refundable"));
        }
        if conversion.currency.is_some_and(|currency| currency != order.currency) {
            return Err(Stop::Dead("currency_mismatch"));
        }
        let left = (order.amount - order.moved()).max(0);
        if left == 0 {
            return Err(Stop::Dead("over_refund"));
        }
        let wanted = conversion.amount.map_or(left, |amount| i128::from(amount).abs());
        if wanted > left {
            *self.tally.remarks.entry("over_refund").or_default() += 1;
        }
        let taken = wanted.min(left);
        let entry = self.enter(t, conversion, Some((place, taken)));
        if conversion.kind == ConversionKind::Chargeback {
            self.conversion_mut(place).chargebacks.push(entry);
            self.arrived.push_back(Awaited::ChargebackOf(self.conversion(place).key));
        }
        self.shift(t, place, taken);
        Ok(())
    }

    /// §7: restores what the chargeback took.
    fn give_back(&mut self, t: Millis, conversion: &Conversion<'_>) -> Result<(), Stop> {
        let named = self.target(conversion)?;
        let chargeback = self.open_chargeback(named)?;
        let (order, taken) = self.conversion(chargeback).took.ok_or(Stop::Dead("not_refundable"))?;
        self.conversion_mut(chargeback).reversed = true;
        self.enter(t, conversion, None);
        self.shift(t, order, -taken);
        Ok(())
    }

    /// §7: the chargeback itself, or the order's latest open one.
    fn open_chargeback(&self, named: usize) -> Result<usize, Stop> {
        let target = self.conversion(named);
        match target.kind {
            ConversionKind::Chargeback if !target.reversed => Ok(named),
            ConversionKind::Purchase | ConversionKind::Renewal => {
                let open = target.chargebacks.iter().copied().filter(|place| !self.conversion(*place).reversed);
                let latest = open.max_by_key(|place| (self.conversion(*place).t, &self.conversion(*place).id));
                latest.ok_or(Stop::Park(Awaited::ChargebackOf(target.key)))
            }
            ConversionKind::Chargeback | ConversionKind::Signup | ConversionKind::Refund => {
                Err(Stop::Dead("not_refundable"))
            }
            ConversionKind::ChargebackReversed => Err(Stop::Dead("not_refundable")),
        }
    }

    /// Σ moves changes by `taken`, on the record's own `t`; commissions follow.
    fn shift(&mut self, t: Millis, order: usize, taken: i128) {
        let (currency, id) = (self.conversion(order).currency, self.conversion(order).key);
        self.conversion_mut(order).moves.push((t, taken));
        self.book(t, currency, |money| money.revenue_refunded += taken);
        for commission in self.commissions_of.get(&id).cloned().unwrap_or_default() {
            self.reverse(t, commission, self.conversion(order).moved());
        }
    }
}

pub(super) const fn is_order(kind: ConversionKind) -> bool {
    match kind {
        ConversionKind::Purchase | ConversionKind::Renewal => true,
        ConversionKind::Signup | ConversionKind::Refund => false,
        ConversionKind::Chargeback | ConversionKind::ChargebackReversed => false,
    }
}
