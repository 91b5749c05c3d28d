//! Creators, members, their codes (SEMANTICS §4).

use super::attribute::model;
use super::booking::currency_or;
use super::effects::{Named, TouchedName};
use super::records::{Activity, Member as Record, MemberKey, NO_SLOT, Name, Text};
use super::state::FOR_EVER;
use super::{Refusal, Stop, Turn, kind, refuse, zone};
use crate::event::{
    AttributionModel, CommissionSource, ConversionKind, Creator, Member, MemberStatus, Precedence, Sighting,
};
use crate::ids::{Code, CreatorId, MemberId, Millis};
use crate::keep::Id128;

/// Attribution window, if the creator sets none.
const WINDOW: i64 = 30 * Millis::DAY;

/// `Member::status` in the record.
pub(super) mod status {
    pub(in crate::fold) const ACTIVE: u8 = 0;
    pub(in crate::fold) const SUSPENDED: u8 = 1;
    pub(in crate::fold) const REMOVED: u8 = 2;
}

impl Turn<'_> {
    /// Replaces the settings from here on; orders keep theirs.
    pub(super) fn creator_record(&mut self, id: CreatorId<'_>, stated: &Creator<'_>) -> Result<(), Stop> {
        if !zone::exists(stated.time_zone) {
            return Err(refuse("invalid_time_zone", format!("{:?} is not an IANA time zone", stated.time_zone)));
        }
        let attribution = stated.attribution;
        let creator = self.creator_mut();
        creator.known = 1;
        creator.currency = stated.currency.into();
        creator.model = match attribution.and_then(|policy| policy.model) {
            None | Some(AttributionModel::Last) => model::LAST,
            Some(AttributionModel::First) => model::FIRST,
            Some(AttributionModel::Linear) => model::LINEAR,
        };
        creator.precedence = match attribution.and_then(|policy| policy.precedence) {
            None | Some(Precedence::CouponFirst) => 0,
            Some(Precedence::ClickFirst) => 1,
        };
        creator.signup_window = attribution.and_then(|policy| policy.signup_window_ms).unwrap_or(WINDOW);
        creator.purchase_window = attribution.and_then(|policy| policy.purchase_window_ms).unwrap_or(WINDOW);
        let commission = stated.commission.as_ref();
        creator.source = match commission.and_then(|policy| policy.source) {
            None | Some(CommissionSource::Producer) => 0,
            Some(CommissionSource::Derived) => 1,
        };
        creator.rate_bp = commission.and_then(|policy| policy.rate_bp).unwrap_or(0);
        creator.flat_amount = commission.and_then(|policy| policy.flat_amount).unwrap_or(0);
        creator.hold_days = commission.and_then(|policy| policy.hold_days).unwrap_or(0);
        let review = stated.review.as_ref();
        let due_days = review.and_then(|policy| policy.due_days).unwrap_or(0);
        creator.due_days = u32::try_from(due_days).unwrap_or_default();
        creator.on_due = super::judge::on_due(review.and_then(|policy| policy.on_due));
        creator.earns_on = earning_kinds(commission.map_or(&[], |policy| policy.on.as_slice()));
        let profile = self.state.creator_profiles.entry(&self.c, Millis(0), FOR_EVER);
        profile.name = Text::new(stated.name);
        profile.zone = Text::new(stated.time_zone);
        self.fold.calendars.forget(self.c);
        self.keep_pairs(&stated.breakdown_pairs);
        self.arrive(self.state.hash_key.id(kind::CREATOR, 0, id.0.as_bytes()));
        Ok(())
    }

    /// Changes only the fields it carries.
    pub(super) fn member_record(&mut self, stated: &Member<'_>) -> Result<(), Stop> {
        let n = match self.find_member(stated.member_id) {
            Some(n) => n,
            None => {
                self.arrive(self.id(kind::MEMBER, stated.member_id.0));
                self.new_member(stated.member_id)
            }
        };
        let t = self.t.0;
        let member = self.member_mut(n);
        member.active_at = member.active_at.max(t);
        let before = self.profile(n).joined_at;
        self.describe(n, stated);
        self.joined(n, before);
        if let Some(code) = stated.referral_code
            && self.claim_code(n, code)
        {
            self.change_profile(n, |profile| profile.code = Text::new(code.0.trim()));
        }
        for coupon in &stated.coupons {
            self.claim_code(n, *coupon);
        }
        if let Some(status) = stated.status {
            self.set_status(n, status);
        }
        Ok(())
    }

    fn describe(&mut self, n: u32, stated: &Member<'_>) {
        self.change_profile(n, |profile| {
            if let Some(user_id) = stated.user_id {
                profile.user_id = Text::new(user_id);
            }
            if let Some(username) = stated.username {
                profile.username = Text::new(username);
            }
            if let Some(joined_at) = stated.joined_at {
                profile.joined_at = joined_at.0;
            }
        });
    }

    /// What an authenticated member was seen with is its own.
    pub(super) fn sighting(&mut self, stated: &Sighting<'_>) -> Result<(), Stop> {
        let n = self.member_or_park(stated.member_id)?;
        let t = self.t.0;
        let member = self.member_mut(n);
        member.active_at = member.active_at.max(t);
        self.keep_own(n, stated);
        Ok(())
    }

    pub(super) fn find_member(&self, id: MemberId<'_>) -> Option<u32> {
        self.state.names.get(&self.id(kind::MEMBER, id.0), FOR_EVER).map(|name| name.n)
    }

    pub(super) fn member_or_park(&self, id: MemberId<'_>) -> Result<u32, Stop> {
        self.find_member(id).ok_or_else(|| Stop::Park(self.id(kind::MEMBER, id.0)))
    }

    /// The member who holds, or ever held, a code or coupon.
    pub(super) fn holder(&self, code: Id128) -> Option<u32> {
        self.state.names.get(&code, FOR_EVER).map(|name| name.n)
    }

    fn new_member(&mut self, id: MemberId<'_>) -> u32 {
        let t = self.t;
        let creator = self.creator_mut();
        let n = creator.members;
        creator.members += 1;
        creator.members_active += 1;
        let is_large_now = creator.members == super::boards::SMALL + 1;
        let key = MemberKey { creator: self.c, n };
        let record: &mut Record = self.state.members.entry(&key, t, FOR_EVER);
        record.active_at = t.0;
        record.status = status::ACTIVE;
        record.day = NO_SLOT;
        record.activity = Activity::none();
        self.change_profile(n, |profile| (profile.id, profile.joined_at) = (Text::new(id.0), t.0));
        let name = self.id(kind::MEMBER, id.0);
        self.state.names.put(&name, Name { n }, t);
        self.touch_name(Named::Member(n), id.0.to_owned());
        if is_large_now {
            self.effects.slow.boards.made.push((self.c, self.at));
        }
        n
    }

    /// `false`: it is another member's, and stays so; the rest of the record applies.
    fn claim_code(&mut self, n: u32, code: Code<'_>) -> bool {
        let id = self.code_id(code);
        match self.holder(id) {
            Some(holder) if holder == n => true,
            Some(holder) => {
                let holder = self.profile(holder).id;
                let message = format!("the code {:?} is {:?}'s and stays so", code.0.trim(), holder.as_str());
                self.letter(Refusal { class: "code_taken", message });
                false
            }
            None => {
                self.state.names.put(&id, Name { n }, self.t);
                self.touch_name(Named::Code(n), code.0.trim().to_ascii_lowercase());
                self.arrive(id);
                true
            }
        }
    }

    pub(super) fn touch_name(&mut self, to: Named, text: String) {
        self.effects.fast.names.push(TouchedName { creator: self.c, text, to, at: self.at });
    }

    fn set_status(&mut self, n: u32, stated: MemberStatus) {
        let now = match stated {
            MemberStatus::Active => status::ACTIVE,
            MemberStatus::Suspended => status::SUSPENDED,
            MemberStatus::Removed => status::REMOVED,
        };
        let before = std::mem::replace(&mut self.member_mut(n).status, now);
        if before == now {
            return;
        }
        let creator = self.creator_mut();
        if now == status::ACTIVE {
            creator.members_active += 1;
        } else if before == status::ACTIVE {
            creator.members_active -= 1;
        }
        self.restate_commissions(n);
        self.restand(n);
    }
}

/// Bit i: conversions of kind i earn; by default purchases and renewals.
fn earning_kinds(on: &[ConversionKind]) -> u8 {
    let default = [ConversionKind::Purchase, ConversionKind::Renewal];
    let kinds = if on.is_empty() { &default } else { on };
    kinds.iter().fold(0, |bits, kind| bits | super::orders::bit(*kind))
}

/// The creator's currency stands in for one that is not named.
impl Turn<'_> {
    pub(super) fn currency(&self, named: Option<crate::ids::Currency>) -> super::records::CurrencyCode {
        currency_or(named, self.creator().currency)
    }
}
