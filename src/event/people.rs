//! Creators, their settings, their members, and authenticated observations of members.

use serde::{Deserialize, Serialize};

use crate::ids::{Code, Currency, MemberId, Token};

/// A creator's settings; replaces the former ones from its position on. Absent means the default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Creator<'a> {
    #[serde(borrow)]
    pub name: &'a str,
    pub currency: Currency,
    /// IANA name, as written by the producer.
    pub time_zone: &'a str,
    pub attribution: Option<AttributionPolicy>,
    pub commission: Option<CommissionPolicy>,
    pub review: Option<ReviewPolicy>,
    /// `platform,country`: dimensions kept together.
    pub breakdown_pairs: Vec<&'a str>,
    pub link_base: Option<&'a str>,
    pub landing_url: Option<&'a str>,
    pub click_cookie: Option<bool>,
    pub embed_origins: Vec<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributionPolicy {
    pub model: Option<AttributionModel>,
    pub precedence: Option<Precedence>,
    /// Default 30 days.
    pub signup_window_ms: Option<i64>,
    /// Default 30 days.
    pub purchase_window_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttributionModel {
    Last,
    First,
    Linear,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Precedence {
    CouponFirst,
    ClickFirst,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommissionPolicy {
    pub source: Option<CommissionSource>,
    /// Basis points of the order's amount: 1,000 is 10 %.
    pub rate_bp: Option<i64>,
    /// Minor units of the creator's currency, on top.
    pub flat_amount: Option<i64>,
    /// The conversion kinds that earn; empty means purchase and renewal.
    pub on: Vec<super::ConversionKind>,
    pub hold_days: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CommissionSource {
    /// Only Commission records make one.
    Producer,
    /// The fold makes one for each credited order.
    Derived,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewPolicy {
    pub due_days: Option<i64>,
    pub on_due: Option<OnDue>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnDue {
    Hold,
    Release,
    Reject,
}

/// Changes only the fields it carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member<'a> {
    #[serde(borrow)]
    pub member_id: MemberId<'a>,
    pub user_id: Option<&'a str>,
    pub username: Option<&'a str>,
    pub referral_code: Option<Code<'a>>,
    pub coupons: Vec<Code<'a>>,
    pub joined_at: Option<crate::ids::Millis>,
    pub status: Option<MemberStatus>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MemberStatus {
    Active,
    /// Credited, but held.
    Suspended,
    /// No new credit.
    Removed,
}

/// An authenticated observation of a member: the only source of the member's own tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting<'a> {
    #[serde(borrow)]
    pub member_id: MemberId<'a>,
    pub ip_token: Option<Token>,
    pub ip56_token: Option<Token>,
    pub device_token: Option<Token>,
    pub email_token: Option<Token>,
    pub payout_token: Option<Token>,
}
