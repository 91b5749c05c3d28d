//! What is known of a creator, read and never changed: by a record on its way, and by a question about one that has not
//! come (`judge::preview`).

use super::Turn;
use super::profiles::Profile;
use super::records::{Actor, Creator, Member, MemberKey, Proxies, ShortProfile, Text};
use super::state::{FOR_EVER, State};
use super::time::LATENESS;
use crate::ids::Millis;
use crate::keep::Id128;

/// One creator's part of the state, at one time.
#[derive(Clone, Copy)]
pub(super) struct Reading<'s> {
    pub(super) state: &'s State,
    /// Ordinal of the creator.
    pub(super) c: u32,
    pub(super) head: &'s Creator,
    /// The record's own time, clamped.
    pub(super) t: Millis,
    /// Read as if this had been remembered already.
    pub(super) would: Option<&'s Would>,
}

/// What a record that has not come would leave behind.
pub(super) struct Would {
    /// By what the customer came; nobody, if the record is a click.
    pub(super) actor: Actor,
    pub(super) customer: Id128,
    /// It has ordered before.
    pub(super) comes_again: bool,
    /// It is a signup or an order; it is an order; a robot's click brought it.
    pub(super) is_conversion: bool,
    pub(super) is_order: bool,
    pub(super) is_machine: bool,
    /// Addresses that would tell nobody apart, if the record is one of those at which they are looked for.
    pub(super) proxies: Option<Proxies>,
}

impl Turn<'_> {
    pub(super) const fn reading(&self) -> Reading<'_> {
        Reading { state: &*self.state, c: self.c, head: &self.head, t: self.t, would: None }
    }
}

impl<'s> Reading<'s> {
    /// As `Turn::watermark`.
    pub(super) const fn watermark(&self) -> Millis {
        Millis(self.head.clock.saturating_sub(LATENESS))
    }

    /// As `Turn::is_late`.
    pub(super) const fn is_late(&self) -> bool {
        self.t.0 < self.watermark().0
    }

    pub(super) fn member(&self, n: u32) -> &'s Member {
        let key = MemberKey { creator: self.c, n };
        self.state.members.peek(&key, FOR_EVER).expect("ordinals are given out with the member")
    }

    /// Of its texts the one that is asked for with every click.
    pub(super) fn id_of_member(&self, n: u32) -> Text {
        let short = self.state.profiles.peek(&MemberKey { creator: self.c, n }, FOR_EVER);
        short.and_then(ShortProfile::id).unwrap_or_else(|| self.profile(n).id)
    }

    pub(super) fn profile(&self, n: u32) -> Profile {
        // Ordinals are given out with the member; a damaged read poisons the store, whose `tick` drops what was made of it.
        self.state.profile(MemberKey { creator: self.c, n }).unwrap_or_else(Profile::empty)
    }
}
