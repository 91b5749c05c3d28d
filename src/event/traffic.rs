//! Shares and the clicks on them.

use serde::{Deserialize, Serialize};

use crate::ids::{ClickId, Code, MemberId, ShareId, Token};

/// A member made a link, a code or a message to pass on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share<'a> {
    #[serde(borrow)]
    pub share_id: ShareId<'a>,
    pub member_id: MemberId<'a>,
    pub platform: &'a str,
    pub share_type: ShareType,
    pub template_id: Option<&'a str>,
    pub locale: Option<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ShareType {
    Link,
    Qr,
    Message,
}

/// Somebody, or something, followed a member's link. One of `member_id` and `referral_code` is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Click<'a> {
    #[serde(borrow)]
    pub click_id: ClickId<'a>,
    pub member_id: Option<MemberId<'a>>,
    pub referral_code: Option<Code<'a>>,
    pub share_id: Option<ShareId<'a>>,
    pub platform: Option<&'a str>,
    pub ip_token: Option<Token>,
    /// The token of the surrounding IPv6 /56.
    pub ip56_token: Option<Token>,
    pub device_token: Option<Token>,
    pub user_agent: Option<&'a str>,
    /// HTTP method of the request.
    pub method: Option<&'a str>,
    /// The request's `Purpose` or `Sec-Purpose` header.
    pub purpose: Option<&'a str>,
    pub referrer: Option<&'a str>,
    pub utm_source: Option<&'a str>,
    pub utm_medium: Option<&'a str>,
    pub utm_campaign: Option<&'a str>,
    pub utm_term: Option<&'a str>,
    pub utm_content: Option<&'a str>,
    /// ISO 3166 alpha-2.
    pub country: Option<&'a str>,
    pub device_class: Option<&'a str>,
}
