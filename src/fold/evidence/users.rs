//! Who uses an address, a device, an e-mail, a means of payment: members by sightings, customers by conversions.

use bytemuck::Zeroable;

use super::life;
use crate::fold::Turn;
use crate::fold::fraud::span;
use crate::fold::reading::{Reading, Would};
use crate::fold::records::{NO_ID, ShortList};
use crate::ids::Millis;
use crate::keep::Id128;

/// A token is that of many when so many used it of late: five are a household, an office is more.
pub(super) const MANY: usize = 6;

impl Turn<'_> {
    /// Was used by; what is late tells nothing of now.
    pub(super) fn use_token(&mut self, token: Id128, user: Id128) {
        if self.is_late() {
            return;
        }
        let t = self.t;
        let floor = self.kept_from(life::TOKEN_USERS);
        let list: &mut ShortList = self.state.token_users.entry(&token, t, floor);
        list.touch(user, t.0);
    }

    /// The person is forgotten.
    pub(super) fn leave_token(&mut self, token: Id128, user: Id128) {
        let floor = self.kept_from(life::TOKEN_USERS);
        if let Some(list) = self.state.token_users.get_mut(&token, floor) {
            list.remove(user);
        }
    }
}

impl Reading<'_> {
    pub(super) fn users_of(&self, token: Id128) -> Option<ShortList> {
        let list = self.state.token_users.get(&token, self.kept_from(life::TOKEN_USERS));
        self.joined(list, token)
    }

    /// With the one who would be one more.
    fn joined(&self, list: Option<ShortList>, token: Id128) -> Option<ShortList> {
        match self.would {
            Some(would) if !self.is_late() && would.actor.tokens().any(|own| own == token) => would.touch(list, self.t),
            Some(_) | None => list,
        }
    }

    /// Many used the address within the 30 days before `t`.
    pub(in crate::fold) fn is_shared_ip(&self, token: Id128, t: Millis) -> bool {
        self.is_of_many(token, t, span::OWN_IP)
    }

    /// Many used the device within the 90 days before `t`.
    pub(in crate::fold) fn is_crowded_device(&self, token: Id128, t: Millis) -> bool {
        self.is_of_many(token, t, span::OWN_DEVICE)
    }

    fn is_of_many(&self, token: Id128, t: Millis, within: u64) -> bool {
        let since = t.0.saturating_sub_unsigned(within);
        self.users_of(token).and_then(|users| users.kth(MANY)).is_some_and(|sixth| sixth >= since)
    }
}

impl Would {
    /// The customer as one who was just seen.
    pub(super) fn touch(&self, list: Option<ShortList>, t: Millis) -> Option<ShortList> {
        if self.customer == NO_ID {
            return list;
        }
        let mut list = list.unwrap_or_else(ShortList::zeroed);
        list.touch(self.customer, t.0);
        Some(list)
    }
}
