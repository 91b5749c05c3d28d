//! One person behind several accounts: members that share what only one person has, customers that share what they pay
//! with.
//!
//! The edges are the lists themselves: of what a member was seen with, and of who was seen with it. A cluster is walked
//! when it is asked for, so that it splits again as soon as what held it together is too old, or turns out to be
//! everybody's.

use super::own::member_of_user;
use super::users::MANY;
use super::{What, life};
use crate::fold::fraud::{Accounts, span};
use crate::fold::reading::Reading;
use crate::fold::records::{Actor, Conversion, MemberFraud, MemberKey, NO_ID, ShortList};
use crate::fold::state::FOR_EVER;
use crate::fold::{Turn, kind};
use crate::ids::Millis;
use crate::keep::Id128;

/// An edge counts for so long.
const EDGE: i64 = 180 * Millis::DAY;
/// Members of a cluster.
const CLUSTER_MAX: usize = 64;

impl Reading<'_> {
    /// What is known at `t` of the accounts around a member, and of who acted, if anybody did.
    pub(in crate::fold) fn accounts(&self, n: u32, actor: &Actor, t: Millis) -> Accounts {
        let mut fraud = self.member_fraud(n);
        if let Some(would) = self.would {
            fraud.payment = self.more_customers(n, would.actor.payment, fraud.payment, t);
            fraud.device = self.more_customers(n, would.actor.device, fraud.device, t);
        }
        let device = fraud.device;
        let (with_payment, with_device) = (self.customers_by(n, fraud.payment, t), self.customers_by(n, device, t));
        let by =
            |own: Id128, busiest: Id128, known: u32| if own == busiest { known } else { self.customers_by(n, own, t) };
        Accounts {
            members: u32::try_from(self.cluster(n, t).len()).unwrap_or(u32::MAX),
            with_payment,
            with_device,
            is_device_crowded: device != NO_ID && self.is_crowded_device(device, t),
            with_own_payment: by(actor.payment, fraud.payment, with_payment),
            with_own_device: by(actor.device, device, with_device),
            is_at_member: self.is_at_member(n, actor, t),
        }
    }

    /// By a device of the member's own, whenever it was seen with it, or from an address where it was seen of late.
    fn is_at_member(&self, n: u32, actor: &Actor, t: Millis) -> bool {
        let since = t.0.saturating_sub_unsigned(span::OWN_IP);
        let is_own_device = actor.device != NO_ID && self.own_since(n, What::Device, actor.device).is_some();
        let ip = if actor.ip == NO_ID { None } else { self.own_since(n, What::Ip, actor.ip) };
        is_own_device || ip.is_some_and(|seen| seen >= since)
    }

    pub(in crate::fold) fn member_fraud(&self, n: u32) -> MemberFraud {
        let none = MemberFraud { payment: NO_ID, device: NO_ID, fired: 0, pad: 0 };
        self.state.member_frauds.get(&MemberKey { creator: self.c, n }, FOR_EVER).unwrap_or(none)
    }

    /// Members who shared an e-mail, a means of payout, or a device at one address on one day with it, or with one who
    /// did, itself among them. What more than five accounts share tells nothing of one of them.
    fn cluster(&self, n: u32, t: Millis) -> Vec<u32> {
        let since = t.0.saturating_sub(EDGE);
        let mut members = vec![n];
        let mut next = 0;
        while let Some(member) = members.get(next).copied()
            && members.len() < CLUSTER_MAX
        {
            next += 1;
            for what in [What::Payment, What::Email, What::Place] {
                let Some(own) = self.own_list(member, what) else { continue };
                for token in own.iter().filter(|seen| seen.t >= since) {
                    let Some(users) = self.users_of(token.id) else { continue };
                    if users.kth(MANY).is_some_and(|sixth| sixth >= since) {
                        continue;
                    }
                    for other in users.iter().filter(|seen| seen.t >= since).filter_map(|seen| member_of_user(seen.id))
                    {
                        if !members.contains(&other) && members.len() < CLUSTER_MAX {
                            members.push(other);
                        }
                    }
                }
            }
        }
        members
    }

    /// By which of two tokens more customers came, the first if as many.
    fn more_customers(&self, n: u32, token: Id128, most: Id128, t: Millis) -> Id128 {
        let is_more = token != NO_ID && self.customers_by(n, token, t) >= self.customers_by(n, most, t);
        if is_more { token } else { most }
    }

    /// How many customers of the member came by a token within the 30 days before `t`.
    fn customers_by(&self, n: u32, token: Id128, t: Millis) -> u32 {
        if token == NO_ID {
            return 0;
        }
        let key = self.key_of_token(kind::CUSTOMERS_BY, What::User, n, &token.0);
        let list = self.state.customers_by.get(&key, self.kept_from(life::CUSTOMERS_BY));
        let would = self.would.filter(|would| [would.actor.payment, would.actor.device].contains(&token));
        let list = would.map_or(list, |would| would.touch(list, self.t));
        list.map_or(0, |list| list.since(t.0.saturating_sub_unsigned(span::SHARED_CUSTOMERS)))
    }
}

impl Turn<'_> {
    pub(in crate::fold) fn change_member_fraud(&mut self, n: u32, change: impl FnOnce(&mut MemberFraud)) {
        change(self.state.member_frauds.entry(&MemberKey { creator: self.c, n }, self.t, FOR_EVER));
    }

    /// A customer came to the member by the tokens of a conversion.
    pub(in crate::fold) fn count_customer(&mut self, n: u32, id: Id128, conversion: &Conversion) {
        let (t, actor) = (Millis(conversion.t), self.actor(id));
        for (what, token) in [(What::Payment, actor.payment), (What::Device, actor.device)] {
            if token == NO_ID {
                continue;
            }
            let key = self.key_of_token(kind::CUSTOMERS_BY, What::User, n, &token.0);
            let floor = self.kept_from(life::CUSTOMERS_BY);
            let list: &mut ShortList = self.state.customers_by.entry(&key, t, floor);
            list.touch(conversion.customer, t.0);
            let fraud = self.reading().member_fraud(n);
            let most = if what == What::Payment { fraud.payment } else { fraud.device };
            if self.reading().more_customers(n, token, most, t) != most {
                self.change_member_fraud(n, |fraud| {
                    let place = if what == What::Payment { &mut fraud.payment } else { &mut fraud.device };
                    *place = token;
                });
            }
        }
    }

    /// A customer of the member is forgotten: it came by no token, and what nobody else came by is not known.
    pub(super) fn forget_customer(&mut self, n: u32, customer: Id128, actor: &Actor) {
        for token in [actor.payment, actor.device].into_iter().filter(|token| *token != NO_ID) {
            let key = self.key_of_token(kind::CUSTOMERS_BY, What::User, n, &token.0);
            let floor = self.kept_from(life::CUSTOMERS_BY);
            let left = self.state.customers_by.get_mut(&key, floor).is_some_and(|list| {
                list.remove(customer);
                list.len > 0
            });
            if left {
                continue;
            }
            self.state.customers_by.remove(&key);
            let fraud = self.reading().member_fraud(n);
            if fraud.payment == token || fraud.device == token {
                let unless_it = |known: Id128| if known == token { NO_ID } else { known };
                self.change_member_fraud(n, |fraud| {
                    (fraud.payment, fraud.device) = (unless_it(fraud.payment), unless_it(fraud.device));
                });
            }
        }
    }
}
