//! §4 Creator and members.

use std::rc::Rc;

use super::waiting::{Awaited, key};
use super::{Book, Stop};
use crate::event::{CommissionPolicy, CommissionSource, ConversionKind, Creator, Member, MemberStatus, Precedence};
use crate::ids::{Currency, Millis};
use crate::project::totals::Totals;

const WINDOW_DEFAULT: i64 = 30 * Millis::DAY;

/// What a Creator record says, as far as the books need it.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) currency: Currency,
    pub(super) zone: jiff::tz::TimeZone,
    pub(super) terms: Rc<Terms>,
}

/// §4: what an order keeps of the settings.
#[derive(Debug)]
pub(super) struct Terms {
    pub(super) currency: Currency,
    pub(super) click_first: bool,
    pub(super) signup_window_ms: i64,
    pub(super) purchase_window_ms: i64,
    /// Rate, flat amount, days of hold and kinds of a derived commission.
    pub(super) derived: Option<Derived>,
}

#[derive(Debug)]
pub(super) struct Derived {
    pub(super) rate_bp: i64,
    pub(super) flat_amount: i64,
    pub(super) hold_ms: i64,
    pub(super) on: Vec<ConversionKind>,
}

#[derive(Debug)]
pub(super) struct MemberBook {
    pub(super) id: String,
    pub(super) status: MemberStatus,
    /// Counts of clicks and shares, and booked commissions; the rest is added at the end.
    pub(super) totals: Totals,
    /// §10: latest `t` of a movement of the earnings in the creator's currency.
    pub(super) reached_at: Millis,
}

/// §4: compared trimmed and without ASCII case.
pub(super) fn normal(code: &str) -> String {
    code.trim().to_ascii_lowercase()
}

impl Settings {
    pub(super) fn longest_window_ms(&self) -> i64 {
        self.terms.signup_window_ms.max(self.terms.purchase_window_ms)
    }
}

fn derived(policy: &CommissionPolicy) -> Option<Derived> {
    (policy.source == Some(CommissionSource::Derived)).then(|| Derived {
        rate_bp: policy.rate_bp.unwrap_or_default(),
        flat_amount: policy.flat_amount.unwrap_or_default(),
        hold_ms: policy.hold_days.unwrap_or_default() * Millis::DAY,
        on: if policy.on.is_empty() {
            vec![ConversionKind::Purchase, ConversionKind::Renewal]
        } else {
            policy.on.clone()
        },
    })
}

impl Book {
    /// §4: the record replaces the settings from here on.
    pub(super) fn apply_creator(&mut self, creator: &Creator<'_>) {
        let policy = creator.attribution.as_ref();
        let terms = Terms {
            currency: creator.currency,
            click_first: policy.and_then(|policy| policy.precedence) == Some(Precedence::ClickFirst),
            signup_window_ms: policy.and_then(|policy| policy.signup_window_ms).unwrap_or(WINDOW_DEFAULT),
            purchase_window_ms: policy.and_then(|policy| policy.purchase_window_ms).unwrap_or(WINDOW_DEFAULT),
            derived: creator.commission.as_ref().and_then(derived),
        };
        let zone = jiff::tz::TimeZone::get(creator.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
        self.settings = Some(Settings { currency: creator.currency, zone, terms: Rc::new(terms) });
        self.arrived.push_back(Awaited::Creator);
    }

    pub(super) fn settings(&self) -> &Settings {
        self.settings.as_ref().expect("what comes before its Creator is parked")
    }

    /// §4: only the fields it carries.
    pub(super) fn apply_member(&mut self, member: &Member<'_>) {
        let place = self.member_by_id.get(member.member_id.0).copied().unwrap_or_else(|| self.join(member));
        for code in member.referral_code.iter().chain(&member.coupons) {
            self.claim_code(place, code.0);
        }
        if let (Some(status), Some(book)) = (member.status, self.members.get_mut(place)) {
            book.status = status;
        }
    }

    fn join(&mut self, member: &Member<'_>) -> usize {
        let id = member.member_id.0;
        let place = self.members.len();
        self.members.push(MemberBook {
            id: id.to_owned(),
            status: MemberStatus::Active,
            totals: Totals::default(),
            reached_at: Millis::default(),
        });
        self.member_by_id.insert(id.to_owned(), place);
        self.arrived.push_back(Awaited::Member(key(8, id)));
        place
    }

    /// §4: a code once held stays that member's.
    fn claim_code(&mut self, member: usize, code: &str) {
        let code = normal(code);
        match self.codes.get(&code) {
            Some(holder) if *holder == member => {}
            Some(_) => *self.tally.remarks.entry("code_taken").or_default() += 1,
            None => {
                self.arrived.push_back(Awaited::Code(key(9, &code)));
                self.codes.insert(code, member);
            }
        }
    }

    /// §3: what refers to a member we do not know waits.
    pub(super) fn member(&self, id: &str) -> Result<usize, Stop> {
        self.member_by_id.get(id).copied().ok_or_else(|| Stop::Park(Awaited::Member(key(8, id))))
    }

    pub(super) fn member_of_code(&self, code: &str) -> Result<usize, Stop> {
        let code = normal(code);
        self.codes.get(&code).copied().ok_or_else(|| Stop::Park(Awaited::Code(key(9, &code))))
    }

    pub(super) fn member_book(&mut self, place: usize) -> &mut MemberBook {
        self.members.get_mut(place).expect("members are never dropped")
    }

    /// §4: `removed` gets no new credit.
    pub(super) fn may_be_credited(&self, place: usize) -> bool {
        self.members.get(place).is_some_and(|member| member.status != MemberStatus::Removed)
    }
}
