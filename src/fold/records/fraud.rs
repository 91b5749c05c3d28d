//! What is remembered for fraud: clicks of late, own tokens, who uses a token, what was taken back, who was judged how.

use bytemuck::{Pod, Zeroable};

use super::Text;
use crate::keep::Id128;

/// Clicks that a window holds itself; older ones are in pages.
pub const WINDOW_RECENT: usize = 4;
/// Clicks of a page of a window.
pub const WINDOW_PAGE: usize = 8;

/// A member's clicks by one address, device or network, ascending by time.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Window {
    /// The newest ones.
    pub recent: [WindowClick; WINDOW_RECENT],
    /// Places in pages: from `first` up to `end`.
    pub first: u32,
    pub end: u32,
    /// How many of `recent` there are.
    pub len: u16,
    /// In which list of the member's windows it stands; see `evidence::windows`.
    pub span: u8,
    pub pad: u8,
    /// The minute of event time in which it was told last that there are too many, or `NO_SLOT`.
    pub told: i32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct WindowClick {
    pub t: i64,
    /// Part of a hash of the device; 0 is none.
    pub device: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct WindowPage {
    pub clicks: [WindowClick; WINDOW_PAGE],
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct WindowPageKey {
    pub window: Id128,
    pub page: u32,
}

/// Windows of a page of a member's list of them.
pub const WINDOW_KEYS: usize = 8;

/// Which windows a member has, in the order in which they were made.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct WindowKeys {
    pub windows: [Id128; WINDOW_KEYS],
}

/// How many windows of a member were touched last on the present day, and on the day before.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct WindowCounts {
    pub now: u16,
    pub before: u16,
}

/// Part of a member's list of something.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct MemberPageKey {
    pub creator: u32,
    pub n: u32,
    pub page: u32,
}

/// When a token was last seen with its member.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct OwnToken {
    pub t: i64,
}

/// Users, tokens or events of a list that is kept short: the least recent one gives way.
pub const SHORT_LIST: usize = 16;

/// Who was seen, newest first, the later in the log before the earlier.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct ShortList {
    pub seen: [SeenAt; SHORT_LIST],
    pub len: u32,
    /// Something gave way.
    pub truncated: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct SeenAt {
    pub id: Id128,
    pub t: i64,
}

/// Tokens and user of one who converted, hashed; `NO_ID` is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Actor {
    pub ip: Id128,
    pub device: Id128,
    pub email: Id128,
    pub payment: Id128,
    pub user: Id128,
}

/// Days of a page of orders.
pub const ORDER_DAYS: usize = 16;
pub const ORDER_DAYS_I64: i64 = 16;

/// What became of the orders of each of some UTC days, by the order's day, and what was brought on it.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct OrderDays {
    pub days: [OrderDay; ORDER_DAYS],
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Pod, Zeroable)]
#[repr(C)]
pub struct OrderDay {
    pub orders: u32,
    /// With a chargeback that stands.
    pub chargebacks: u32,
    /// With a refund.
    pub refunds: u32,
    /// With one soon after its commission became payable.
    pub early_refunds: u32,
    /// Signups and orders that were credited; how many of them one person or a machine made; and how many came too soon.
    pub conversions: u32,
    pub made: u32,
    pub rushed: u32,
    pub pad: u32,
}

/// A member's, or with `NONE` all of the creator's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct OrderDaysKey {
    pub creator: u32,
    pub n: u32,
    /// UTC days since 1970 by `ORDER_DAYS`.
    pub page: i32,
}

/// What a member's commissions have in common.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct MemberFraud {
    /// The means of payment, and the device, by which most customers of the member came of late; `NO_ID` is none.
    pub payment: Id128,
    pub device: Id128,
    /// Questions about the member that were answered with yes when all of its open commissions were last looked at.
    pub fired: u32,
    pub pad: u32,
}

/// Events of a page of a creator's newest ones.
pub const TAG_PAGE: usize = 32;
pub const TAG_PAGE_EVENTS: u64 = 32;

/// By which address and device the creator's events came; 0 is none.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct TagPage {
    pub tags: [Tag; TAG_PAGE],
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord, Pod, Zeroable)]
#[repr(C)]
pub struct Tag {
    pub ip: u32,
    pub device: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct CreatorPageKey {
    pub creator: u32,
    pub page: u32,
}

/// Addresses by which so much of a creator's traffic comes that they tell nobody apart; 0 is none.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Proxies {
    pub ips: [u32; 20],
}

/// Answers of the self and click rules, as they were when their subject was scored.
pub const FROZEN: usize = 14;

#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Frozen {
    /// One a question of `judge::frozen::QUESTIONS`.
    pub answers: [u8; 16],
    pub evidence: [FrozenEvidence; FROZEN],
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct FrozenEvidence {
    pub observed: u64,
    pub threshold: u64,
    pub window: u64,
}

/// The newest decision on a subject.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Judged {
    pub id: Id128,
    /// When a review that nobody makes is due; of a click until when a reviewer's word holds. `i64::MAX` is never.
    pub due: i64,
    pub revision: u32,
    /// Bit i: question i was answered with yes.
    pub fired: u32,
    pub raw: u32,
    pub score: u8,
    pub verdict: u8,
    /// What the score alone says.
    pub scored: u8,
    /// Who or what decided over the score.
    pub by: u8,
    /// What the policy said on the due date; 0 is nothing.
    pub on_due: u8,
    pub pad: [u8; 7],
}

/// An entry of a list; absent and `active` 0 are the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Listed {
    pub until: i64,
    pub active: u32,
    pub pad: u32,
}

/// A creator's own rule set; its definition is in pages.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct RulesHead {
    pub id: Text,
    pub version: Text,
    pub pad: [u8; 2],
    pub len: u32,
}

/// The candidate that runs beside a creator's rules, or ran last.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct ShadowHead {
    /// Its definition is in pages of its own.
    pub rules: RulesHead,
    /// As `Creator::rules`.
    pub chosen: u32,
    /// How many there were before it: what those remembered is not its.
    pub epoch: u32,
}

/// What each of two rule sets sees of a window that is kept for both: its newest clicks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct ShadowWindow {
    pub live: u32,
    pub shadow: u32,
    /// As `Window::told`, of the shadow.
    pub told: i32,
    /// Whose `shadow` and `told` are.
    pub epoch: u32,
}

/// Questions about a member that a shadow answered with yes when all of its open commissions were last looked at.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct ShadowMember {
    pub fired: u32,
}

/// Bytes of a page of a definition.
pub const DEFINITION_PAGE: usize = 1_000;

#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct DefinitionPage {
    pub bytes: [u8; DEFINITION_PAGE],
}

/// How a click was judged, if there is anything to be said of it.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct ClickJudged {
    pub frozen: Frozen,
    pub judged: Judged,
}
