//! What members are owed (SEMANTICS §8): what was said of it, and what follows from that.

use tributary::event::{self, CommissionKind, ConversionKind, MemberStatus, PaymentType};

use super::history::{Awaited, Commission, Creator, DAY, Record, Said};
use super::record::{Outcome, Stop, comes_once, statement};

/// Where a commission stands after all that was said of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) earned: i128,
    pub(crate) reversed: i128,
    /// Σ of the take-backs that were stated.
    pub(crate) stated: i128,
    pub(crate) paid: Option<i128>,
}

impl Standing {
    pub(crate) const fn net(&self) -> i128 {
        self.earned - self.reversed
    }
}

/// A change of a commission, on the instant on which it is booked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    Earned(i128),
    Reversed(i128),
    Paid(i128),
}

impl<'a> Creator<'a> {
    pub(crate) fn commission_record(&mut self, record: &Record<'a>, stated: &event::Commission<'a>) -> Outcome<'a> {
        let member = self.member(stated.member_id.0).ok_or(Stop::Park(Awaited::Member(stated.member_id.0)))?;
        if stated.kind == CommissionKind::Earned {
            return self.earned(record, stated, member);
        }
        let id = stated.commission_id.0;
        let x = self.commission(id).ok_or_else(|| Stop::Park(Awaited::Commission(id.to_owned())))?;
        if stated.currency.is_some_and(|currency| currency != self.commissions[x].currency) {
            return Err(Stop::Dead("currency_mismatch"));
        }
        let amount = i128::from(stated.amount.unwrap_or(0));
        let said = match stated.kind {
            CommissionKind::Earned => Said::Earned(amount),
            CommissionKind::Adjusted => Said::Adjusted(amount),
            CommissionKind::Reversed => Said::Reversed(amount.abs()),
            CommissionKind::Approved => {
                self.commissions[x].is_approved = true;
                Said::Adjusted(0)
            }
            CommissionKind::Paid => {
                self.commissions[x].paid_at = Some(stated.paid_at.map_or(record.t, |at| at.0));
                Said::Paid(stated.amount)
            }
        };
        let order = self.next_order();
        let commission = &mut self.commissions[x];
        commission.said.push((order, record.t, said));
        if comes_once(stated.kind) {
            commission.stated.push((stated.kind, statement(stated)));
        }
        Ok(())
    }

    fn earned(&mut self, record: &Record<'a>, stated: &event::Commission<'a>, member: usize) -> Outcome<'a> {
        let id = stated.commission_id.0;
        if (self.is_derived() && stated.conversion_id.is_some()) || id.starts_with("auto:") {
            return Err(Stop::Dead("commission_is_derived"));
        }
        let order = self.next_order();
        self.commissions.push(Commission {
            id: id.to_owned(),
            member,
            conversion_id: stated.conversion_id.map(|id| id.0),
            t: record.t,
            currency: stated.currency.unwrap_or(self.settings().currency),
            payment_type: stated.payment_type,
            matures_at: None,
            paid_at: None,
            is_approved: false,
            said: vec![(order, record.t, Said::Earned(i128::from(stated.amount.expect("earned has an amount"))))],
            stated: vec![(stated.kind, statement(stated))],
        });
        self.arrive(Awaited::Commission(id.to_owned()));
        Ok(())
    }

    /// The commissions of a credited conversion, where they are derived.
    pub(crate) fn derive(&mut self, c: usize) {
        let conversion = self.conversions[c].clone();
        if !conversion.terms.derives {
            return;
        }
        let rate = i128::from(conversion.amount) * i128::from(conversion.terms.rate_bp);
        let total = round(rate, 10_000) + i128::from(conversion.terms.flat);
        let members = conversion.credit.members();
        for (place, member) in members.iter().enumerate() {
            let id = format!("auto:{}:{}", conversion.id(), self.members[*member].id);
            let order = self.next_order();
            let said = Said::Earned(part(total, place, members.len()));
            self.commissions.push(Commission {
                id: id.clone(),
                member: *member,
                conversion_id: Some(conversion.id()),
                t: conversion.t,
                currency: conversion.currency,
                payment_type: conversion.stated.payment_type.or(match conversion.kind() {
                    ConversionKind::Purchase => Some(PaymentType::Initial),
                    ConversionKind::Renewal => Some(PaymentType::Recurring),
                    ConversionKind::Signup
                    | ConversionKind::Refund
                    | ConversionKind::Chargeback
                    | ConversionKind::ChargebackReversed => None,
                }),
                matures_at: Some(conversion.t + conversion.terms.hold_days * DAY),
                paid_at: None,
                is_approved: false,
                said: vec![(order, conversion.t, said)],
                stated: Vec::new(),
            });
            self.arrive(Awaited::Commission(id));
        }
    }

    /// Goes through all that was said of the commission and all moves of its order, in the order of application; what
    /// moved before the commission was made follows it at once.
    pub(crate) fn follow(&self, commission: &Commission<'a>) -> (Standing, Vec<(i64, Change)>) {
        let order = commission.conversion_id.and_then(|id| self.conversion(id));
        let order = order.filter(|order| self.conversions[*order].is_order());
        let sale = order.map_or(0, |order| i128::from(self.conversions[order].amount));
        let mut steps: Vec<(usize, i64, Result<Said, i128>)> =
            commission.said.iter().map(|(place, t, said)| (*place, *t, Ok(*said))).collect();
        let made = commission.said[0].0;
        if let Some(order) = order {
            let moves = self.moves_of(order);
            steps.extend(moves.map(|moved| (moved.order.max(made), moved.t, Err(i128::from(moved.taken())))));
        }
        steps.sort_by_key(|(place, _, _)| *place);
        let (mut standing, mut moved) = (Standing::default(), 0);
        let mut changes = Vec::new();
        for (_, t, step) in steps {
            match step {
                Err(taken) => moved += taken,
                Ok(Said::Earned(amount) | Said::Adjusted(amount)) => {
                    standing.earned += amount;
                    changes.push((t, Change::Earned(amount)));
                }
                Ok(Said::Reversed(amount)) => standing.stated += amount,
                Ok(Said::Paid(amount)) => {
                    let paid = amount.map_or_else(|| standing.net(), i128::from);
                    standing.paid = Some(paid);
                    changes.push((t, Change::Paid(paid)));
                }
            }
            let reversed = reversed(standing.earned, sale, moved, standing.stated);
            // Nothing is taken back before there was something.
            changes.push((t.max(commission.t), Change::Reversed(reversed - standing.reversed)));
            standing.reversed = reversed;
        }
        (standing, changes)
    }

    /// (state, as the row says it)
    pub(crate) fn state_of(&self, commission: &Commission<'a>, standing: &Standing) -> &'static str {
        if standing.paid.is_some() {
            "paid"
        } else if self.is_commission_blocked(commission) {
            "blocked"
        } else if standing.net() == 0 {
            "reversed"
        } else if self.is_in_review(commission) || self.members[commission.member].status != MemberStatus::Active {
            "held"
        } else if commission.is_approved || commission.matures_at.is_some_and(|at| at <= self.watermark()) {
            "approved"
        } else {
            "held"
        }
    }
}

/// `min(E, max(round(E·R/S), Σ stated))` if E > 0, else 0.
fn reversed(earned: i128, sale: i128, moved: i128, stated: i128) -> i128 {
    if earned <= 0 {
        return 0;
    }
    let share = if sale > 0 && moved > 0 {
        // E·R may be wider than 128 bits: whole sales first, then what remains.
        earned / sale * moved + round(earned % sale * moved, sale)
    } else {
        0
    };
    earned.min(share.max(stated))
}

/// Nearest, halves away from zero.
fn round(a: i128, b: i128) -> i128 {
    let (whole, rest) = (a.unsigned_abs() / b.unsigned_abs(), a.unsigned_abs() % b.unsigned_abs());
    let rounded = whole + u128::from(rest >= b.unsigned_abs() - rest);
    i128::try_from(rounded).unwrap() * a.signum() * b.signum()
}

/// The part of the member at `place` of `n`: by cumulative floor of the magnitude.
pub(crate) fn part(amount: i128, place: usize, n: usize) -> i128 {
    let (place, n) = (u128::try_from(place).unwrap(), u128::try_from(n).unwrap());
    let upto = |i: u128| amount.unsigned_abs() * i / n;
    i128::try_from(upto(place + 1) - upto(place)).unwrap() * amount.signum()
}
