//! Counts and money of a scope: a creator, a member, a minute, a quarter hour, a day.

use bytemuck::{Pod, Zeroable};

use super::CurrencyCode;

/// What is counted of a scope; see `project::totals::Counts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub struct Counts {
    pub clicks_total: i64,
    pub clicks_human: i64,
    pub clicks_unique: i64,
    pub clicks_shared: i64,
    pub shares: i64,
    pub signups: i64,
    pub orders: i64,
    pub customers: i64,
    pub referrals: i64,
    pub signups_credited: i64,
}

/// The same of a scope that ends: a minute, a quarter hour, a member's day. Narrow, because there are many.
#[derive(Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub struct SlotCounts {
    pub clicks_total: i32,
    pub clicks_human: i32,
    pub clicks_unique: i32,
    pub clicks_shared: i32,
    pub shares: i32,
    pub signups: i32,
    pub orders: i32,
    pub customers: i32,
    pub referrals: i32,
    pub signups_credited: i32,
}

/// Money of a scope in one currency; the purses of a scope are a list.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Purse {
    pub gross: i128,
    pub refunded: i128,
    pub blocked: i128,
    pub earned: i128,
    pub reversed: i128,
    pub held: i128,
    pub approved: i128,
    pub paid: i128,
    pub carry: i128,
    /// The scope's purse made before this one.
    pub next: CurrencyCode,
    /// In that list already.
    pub listed: u32,
    pub pad: [u8; 8],
}

/// Whose money: `kind` of scope, and its ordinal and day, or minute, as `a` and `b`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct PurseKey {
    pub creator: u32,
    pub kind: u32,
    pub a: u32,
    pub b: u32,
    pub currency: [u8; 4],
}

/// A member's sums of one UTC day.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct MemberDay {
    pub counts: SlotCounts,
    /// The next member active on that day, plus one: a list that starts in `Day::members`.
    pub next: u32,
    pub purses: CurrencyCode,
    /// In that list already.
    pub listed: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct MemberDayKey {
    pub creator: u32,
    pub n: u32,
    pub day: i32,
}

/// A creator's sums of one UTC day.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Day {
    pub counts: Counts,
    /// Head of the list of members active on that day, plus one; 0 is none.
    pub members: u32,
    pub purses: CurrencyCode,
}

/// The day still under way; `NO_SLOT` before the first.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct OpenDay {
    pub sums: Day,
    pub day: i32,
    pub pad: u32,
}

/// The minute or quarter hour still under way; `NO_SLOT` before the first.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct OpenSlot {
    pub slot: i32,
    pub sums: Slot,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct SlotKey {
    pub creator: u32,
    /// Days, quarter hours or minutes since 1970.
    pub slot: i32,
}

/// A creator's counts of one UTC minute or quarter hour.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Slot {
    pub counts: SlotCounts,
    pub purses: CurrencyCode,
}
