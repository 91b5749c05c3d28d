//! Whose customer is it already? (SEMANTICS §6, stage owner)

use super::Turn;
use super::attribute::model;
use super::records::{Conversion, Customer, NO_ID, NONE, Text};
use super::state::FOR_EVER;
use crate::keep::Id128;

/// The credited conversion that makes the customer somebody's.
pub(super) struct Owner {
    pub(super) id: Id128,
    t: i64,
    text: Text,
    /// Whom it was credited to, in that order, without members removed since.
    pub(super) members: Vec<u32>,
}

impl Owner {
    /// All of them share under the linear model; else it is the primary's.
    pub(super) fn taken_by(mut self, model: u8) -> Vec<u32> {
        let primary = self.members.len().saturating_sub(1);
        if model == model::LINEAR { self.members } else { self.members.split_off(primary) }
    }

    /// By time, then by id.
    pub(super) fn is_before(&self, t: i64, id: &Text) -> bool {
        (self.t, self.text.as_str()) < (t, id.as_str())
    }
}

impl Turn<'_> {
    pub(super) fn owner(&self, id: Id128, conversion: &Conversion) -> Option<Owner> {
        let (owner_id, owner) = self.owning(id, conversion)?;
        let members = self.credited(owner_id, &owner).into_iter().filter(|n| self.is_creditable(*n)).collect();
        Some(Owner { id: owner_id, t: owner.t, text: self.conversion_name(owner_id), members })
    }

    /// What a renewal renews, else the customer's earliest (model first) or latest credited conversion by then.
    pub(super) fn owning(&self, id: Id128, conversion: &Conversion) -> Option<(Id128, Conversion)> {
        if conversion.kind() == crate::event::ConversionKind::Renewal
            && let Some(original) = self.credited_conversion(conversion.original)
            && conversion.original != id
        {
            return Some((conversion.original, original));
        }
        let customer = self.state.customers.get(&conversion.customer, FOR_EVER)?;
        if conversion.model == model::FIRST {
            let earliest = self.credited_conversion(customer.owner_first)?;
            return (earliest.t <= conversion.t).then_some((customer.owner_first, earliest));
        }
        let latest = self.credited_conversion(customer.owner_last)?;
        if latest.t <= conversion.t {
            return Some((customer.owner_last, latest));
        }
        self.latest_credited(&customer, conversion.t)
    }

    fn credited_conversion(&self, id: Id128) -> Option<Conversion> {
        if id == NO_ID {
            return None;
        }
        self.state.conversions.get(&id, FOR_EVER).filter(|found| found.n != NONE && found.creator == self.c)
    }

    /// For what came late: the customer has credited conversions after it.
    fn latest_credited(&self, customer: &Customer, t: i64) -> Option<(Id128, Conversion)> {
        let mut latest: Option<(Id128, Conversion)> = None;
        for other in self.conversions_of(customer) {
            let Some(found) = self.credited_conversion(other).filter(|found| found.t <= t) else { continue };
            if latest.as_ref().is_none_or(|(best_id, best)| self.is_before((best.t, *best_id), (found.t, other))) {
                latest = Some((other, found));
            }
        }
        latest
    }

    /// The customer owns one conversion more.
    pub(super) fn own(&mut self, id: Id128, conversion: &Conversion) {
        let Some(customer) = self.state.customers.get(&conversion.customer, FOR_EVER) else { return };
        let key = (conversion.t, id);
        let is_first = customer.owner_first == NO_ID || self.is_before(key, self.key_of(customer.owner_first));
        let is_last = customer.owner_last == NO_ID || self.is_before(self.key_of(customer.owner_last), key);
        if let Some(customer) = self.state.customers.get_mut(&conversion.customer, FOR_EVER) {
            customer.uncredited = customer.uncredited.saturating_sub(1);
            if is_first {
                customer.owner_first = id;
            }
            if is_last {
                customer.owner_last = id;
            }
        }
    }

    fn key_of(&self, id: Id128) -> (i64, Id128) {
        (self.conversion_at(id).t, id)
    }
}
