//! Deny and allow lists of members and customers.

use super::Turn;
use crate::event::{ListEntry, ListKey, ListKind};
use crate::fold::evidence::{known, member_of_user, member_user};
use crate::fold::fraud::{Cause, DecidedBy, Verdict};
use crate::fold::reading::Reading;
use crate::fold::records::{Listed, NO_ID, NONE};
use crate::fold::state::FOR_EVER;
use crate::fold::timers::Due;
use crate::fold::{Stop, kind};
use crate::ids::{MemberId, Millis};
use crate::keep::Id128;

impl Turn<'_> {
    /// An entry replaces the one before it. What was scored before and is not paid is judged anew.
    pub(in crate::fold) fn list_entry(&mut self, stated: &ListEntry<'_>) -> Result<(), Stop> {
        let subject = match stated.key {
            ListKey::Member => {
                let n = self.member_or_park(MemberId(stated.value))?;
                self.member_mut(n).fraud |= known::LISTED;
                member_user(n)
            }
            ListKey::Customer => self.id(kind::CUSTOMER, stated.value),
        };
        let until = stated.expires_at.unwrap_or(Millis(i64::MAX));
        let is_active = stated.active && until > self.watermark();
        let entry = Listed { until: until.0, active: u32::from(is_active), pad: 0 };
        let key = self.reading().list_key(stated.list, subject);
        self.state.listed.put(&key, entry, self.t);
        self.creator_mut().lists = 1;
        if is_active && until.0 < i64::MAX {
            self.set_timer(until, Due::List, subject);
        }
        self.judge_listed(subject);
        Ok(())
    }

    /// An entry may have expired.
    pub(in crate::fold) fn list_due(&mut self, subject: Id128) {
        let watermark = self.watermark().0;
        let mut is_over = false;
        for list in [ListKind::Deny, ListKind::Allow] {
            let key = self.reading().list_key(list, subject);
            if let Some(entry) = self.state.listed.get_mut(&key, FOR_EVER)
                && entry.active == 1
                && entry.until <= watermark
            {
                entry.active = 0;
                is_over = true;
            }
        }
        if is_over {
            self.judge_listed(subject);
        }
    }

    fn judge_listed(&mut self, subject: Id128) {
        match member_of_user(subject) {
            Some(n) => self.judge_open(n, Cause::List, &Self::judge_commission),
            None => self.judge_customer(subject, NO_ID, Cause::List),
        }
    }
}

impl Reading<'_> {
    /// What the lists say of a member or its customer.
    pub(super) fn listed(&self, n: u32, customer: Id128) -> Option<(Verdict, DecidedBy)> {
        if self.head.lists == 0 {
            return None;
        }
        // What is over leaves the list when the clock moves, which a record that has not come has not done yet.
        let over = self.would.map_or(i64::MIN, |_| self.watermark().0);
        let member = (n != NONE && self.member(n).fraud & known::LISTED != 0).then(|| member_user(n));
        let subjects = [member, (customer != NO_ID).then_some(customer)];
        let is_on = |list: ListKind| {
            subjects.iter().flatten().any(|subject| {
                let entry = self.state.listed.get(&self.list_key(list, *subject), FOR_EVER);
                entry.is_some_and(|entry| entry.active == 1 && entry.until > over)
            })
        };
        if is_on(ListKind::Deny) {
            Some((Verdict::Block, DecidedBy::DenyList))
        } else if is_on(ListKind::Allow) {
            Some((Verdict::Approve, DecidedBy::AllowList))
        } else {
            None
        }
    }

    fn list_key(&self, list: ListKind, subject: Id128) -> Id128 {
        let number = match list {
            ListKind::Deny => 1,
            ListKind::Allow => 2,
        };
        let mut bytes = [0_u8; 17];
        bytes.iter_mut().zip(subject.0.into_iter().chain([number])).for_each(|(place, byte)| *place = byte);
        self.state.hash_key.id(kind::LISTED, self.c, &bytes)
    }
}
