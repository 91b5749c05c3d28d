//! The member's own addresses, devices, e-mails and means of payout: from authenticated sightings alone.

use super::short_list::Kept;
use super::{What, known};
use crate::event::Sighting;
use crate::fold::reading::Reading;
use crate::fold::records::{MemberPageKey, NO_ID, OwnToken, ShortList};
use crate::fold::state::FOR_EVER;
use crate::fold::{Turn, kind};
use crate::ids::Millis;
use crate::keep::Id128;

impl Turn<'_> {
    /// What a member was seen with.
    pub(in crate::fold) fn keep_own(&mut self, n: u32, stated: &Sighting<'_>) {
        let ip = self.token(What::Ip, stated.ip_token);
        let device = self.token(What::Device, stated.device_token);
        let seen = [
            (What::Ip, ip, known::IP),
            (What::Device, device, known::DEVICE),
            (What::Email, self.token(What::Email, stated.email_token), known::EMAIL),
            (What::Payment, self.token(What::Payment, stated.payout_token), known::PAYOUT),
            (What::Place, self.place(ip, device), 0),
        ];
        for (what, token, bit) in seen {
            if token != NO_ID {
                self.keep_own_token(n, (what, token), bit);
                self.use_token(token, member_user(n));
            }
        }
        self.tag(ip, device);
    }

    /// A device at an address on the day of the record.
    fn place(&self, ip: Id128, device: Id128) -> Id128 {
        if ip == NO_ID || device == NO_ID {
            return NO_ID;
        }
        let day = self.t.0.div_euclid(Millis::DAY);
        let mut bytes = [0_u8; 40];
        let text = ip.0.into_iter().chain(device.0).chain(day.to_le_bytes());
        bytes.iter_mut().zip(text).for_each(|(place, byte)| *place = byte);
        self.state.hash_key.id(kind::PLACE, self.c, &bytes)
    }

    fn keep_own_token(&mut self, n: u32, (what, token): (What, Id128), bit: u8) {
        let t = self.t;
        let key = self.reading().own_list_key(n, what);
        let list: &mut ShortList = self.state.own_lists.entry(&key, t, FOR_EVER);
        let kept = list.touch(token, t.0);
        let mut bits = bit;
        if let Kept::But(gone) = kept {
            bits |= known::TRUNCATED;
            let gone = self.reading().own_key(n, what, gone);
            self.state.own_tokens.remove(&gone);
        }
        if kept != Kept::But(token) {
            let key = self.reading().own_key(n, what, token);
            let own: &mut OwnToken = self.state.own_tokens.entry(&key, t, FOR_EVER);
            // Zero is before every time that a record may have.
            own.t = own.t.max(t.0);
        }
        if self.member(n).fraud & bits != bits {
            self.member_mut(n).fraud |= bits;
        }
    }

    /// Nothing that a member was seen with stays (SEMANTICS §12).
    pub(in crate::fold) fn forget_own(&mut self, n: u32) {
        for what in [What::Ip, What::Device, What::Email, What::Payment, What::Place] {
            let Some(list) = self.reading().own_list(n, what) else { continue };
            for seen in list.iter() {
                let key = self.reading().own_key(n, what, seen.id);
                self.state.own_tokens.remove(&key);
                self.leave_token(seen.id, member_user(n));
            }
            let key = self.reading().own_list_key(n, what);
            self.state.own_lists.remove(&key);
        }
        let all = known::IP | known::DEVICE | known::EMAIL | known::PAYOUT;
        self.member_mut(n).fraud &= !all;
    }
}

impl Reading<'_> {
    pub(super) fn own_list_key(&self, n: u32, what: What) -> MemberPageKey {
        MemberPageKey { creator: self.c, n, page: u32::from(what.number()) }
    }

    fn own_key(&self, n: u32, what: What, token: Id128) -> Id128 {
        self.key_of_token(kind::OWN, what, n, &token.0)
    }

    /// When the member was last seen with it.
    pub(in crate::fold) fn own_since(&self, n: u32, what: What, token: Id128) -> Option<i64> {
        if !self.has_own(n, what) {
            return None;
        }
        self.state.own_tokens.get(&self.own_key(n, what, token), FOR_EVER).map(|own| own.t)
    }

    /// Whether the member was ever seen with such a token.
    fn has_own(&self, n: u32, what: What) -> bool {
        let bits = match what {
            What::Ip => known::IP,
            What::Device => known::DEVICE,
            What::Email => known::EMAIL,
            What::Payment => known::PAYOUT,
            What::Place => known::IP | known::DEVICE,
            What::Conversion => 0,
            What::Network | What::User => return false,
        };
        self.member(n).fraud & bits == bits
    }

    /// The member's tokens of a kind, newest first.
    pub(in crate::fold) fn own_list(&self, n: u32, what: What) -> Option<ShortList> {
        if !self.has_own(n, what) {
            return None;
        }
        self.state.own_lists.get(&self.own_list_key(n, what), FOR_EVER)
    }
}

/// A member among the users of a token. Customers stand there by the hash of their id, which ends like this one by
/// a chance of one in 2^96.
pub(in crate::fold) fn member_user(n: u32) -> Id128 {
    let mut id = Id128(*b"    ~a member~~~");
    id.0.iter_mut().zip(n.to_le_bytes()).for_each(|(place, byte)| *place = byte);
    id
}

/// The member, if it is one.
pub(in crate::fold) fn member_of_user(user: Id128) -> Option<u32> {
    let Id128([a, b, c, d, ..]) = user;
    let n = u32::from_le_bytes([a, b, c, d]);
    (member_user(n) == user).then_some(n)
}
