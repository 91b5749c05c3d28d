//! A person's data is removed; ids, counts and money stay (SEMANTICS §12).

use super::records::{NO_ID, Text};
use super::state::FOR_EVER;
use super::{Stop, Turn, kind, refuse};
use crate::event::{Erasure, ErasureSubject};
use crate::ids::MemberId;

impl Turn<'_> {
    pub(super) fn erase(&mut self, stated: &Erasure<'_>) -> Result<(), Stop> {
        let unknown = |what: &str| {
            refuse("unknown_subject", format!("there is no {what} {:?}: nothing was erased", stated.subject_id))
        };
        match stated.subject_type {
            ErasureSubject::Member => {
                let n = self.find_member(MemberId(stated.subject_id)).ok_or_else(|| unknown("member"))?;
                self.forget_own(n);
                self.change_profile(n, |profile| (profile.user_id, profile.username) = (Text::new(""), Text::new("")));
            }
            ErasureSubject::Customer => {
                let id = self.id(kind::CUSTOMER, stated.subject_id);
                let customer = self.state.customers.get(&id, FOR_EVER).ok_or_else(|| unknown("customer"))?;
                for conversion in self.conversions_of(&customer) {
                    self.change_conversion(conversion, |conversion| conversion.visitor = NO_ID);
                    self.forget_actor(conversion, id);
                }
            }
        }
        Ok(())
    }
}
