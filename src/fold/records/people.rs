//! A partition, its creators and their members.

use bytemuck::{Pod, Zeroable};

use super::{Activity, BoardClock, Counts, CurrencyCode, MemberDay, OpenDay, OpenSlot, Text, WindowCounts};
use crate::keep::Id128;

/// Ordinals given out in this partition, and what became of its records so far.
#[derive(Clone, Copy, Default, Pod, Zeroable)]
#[repr(C)]
pub struct Partition {
    pub read: i64,
    pub misrouted: i64,
    pub applied: i64,
    pub duplicate: i64,
    pub parked: i64,
    pub dead: i64,
    pub creators: u32,
    pub pad: u32,
}

/// A creator: settings, clock, totals. Made at the first record that names it, `known` from its own record on.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Creator {
    /// Greatest event time of the admitted records.
    pub clock: i64,
    /// Clicks and shares before it are forgotten.
    pub floor: i64,
    /// Event time of the first record admitted.
    pub coverage_start: i64,
    /// UTC days before it are sealed.
    pub sealed_to: i64,
    /// No timer is due before.
    pub next_due: i64,
    pub signup_window: i64,
    pub purchase_window: i64,
    pub rate_bp: i64,
    pub flat_amount: i64,
    pub hold_days: i64,
    /// Events of which it is known by which address they came.
    pub tags: u64,
    pub counts: Counts,
    /// Sums of the newest UTC day; older ones are in `State::days`.
    pub day: OpenDay,
    /// Next number for a timer or a parked record.
    pub seq: u64,
    /// The next click's or share's place, see `touches`.
    pub touches: u64,
    /// Members given out; the next one's ordinal.
    pub members: u32,
    pub members_active: u32,
    pub parked: u32,
    /// Timers set and not yet fired.
    pub timers: u32,
    /// Sums of the newest minute and quarter hour; older ones are in `State::minutes` and `State::quarters`.
    pub minute: OpenSlot,
    pub quarter: OpenSlot,
    pub currency: CurrencyCode,
    pub purses: CurrencyCode,
    pub model: u8,
    pub precedence: u8,
    pub source: u8,
    /// Bit i: conversions of kind i earn derived commissions.
    pub earns_on: u8,
    pub known: u8,
    /// See `judge::rules`.
    pub rules: u8,
    /// What becomes of a review that nobody makes; see `judge::due`.
    pub on_due: u8,
    /// Some member or customer stands, or stood, on a list.
    pub lists: u8,
    pub boards: BoardClock,
    /// Days until a review is due; 0 is never.
    pub due_days: u32,
    /// There are addresses that tell nobody apart.
    pub proxies: u16,
    /// Whether a candidate runs beside the rules, or ran; see `judge::shadow`.
    pub shadow: u16,
}

/// The texts of a creator; apart, because no event but its own needs them.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct CreatorProfile {
    pub id: Text,
    pub name: Text,
    pub zone: Text,
}

/// A member's ordinal, by the hash of its id or of a code.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Name {
    pub n: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct MemberKey {
    pub creator: u32,
    pub n: u32,
}

/// What moves of a member.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Member {
    pub active_at: i64,
    /// The `at` of its row: one past the event that last touched it.
    pub at: u64,
    pub counts: Counts,
    /// The member's newest commission: head of the list through `Commission::prev_of_member`.
    pub commissions: Id128,
    /// The oldest and the newest that is not paid: ends of the list through `Commission::next_open`.
    pub open_first: Id128,
    pub open_last: Id128,
    /// The newest UTC day on which it was active, and its sums; older ones are in `State::member_days`.
    pub day: i32,
    pub of_day: MemberDay,
    pub purses: CurrencyCode,
    pub status: u8,
    /// Bit i: it has, or had, a figure of metric i.
    pub scored: u8,
    /// See `evidence::known`.
    pub fraud: u8,
    /// The day of the newest of its windows, see `evidence::windows`.
    pub windows_span: u8,
    /// The place of its newest click or share, plus one; 0 is none.
    pub touch: u64,
    pub activity: Activity,
    pub windows: WindowCounts,
}

/// Bytes for the texts of a profile that is kept in RAM.
const PROFILE_BYTES: usize = 83;

/// Joining and texts of a member, one behind the other: id, user id, name, code. Apart, because no click needs them.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct ShortProfile {
    pub joined_at: i64,
    pub lens: [u8; 4],
    /// The texts are in `State::long_profiles`.
    pub is_long: u8,
    pub bytes: [u8; PROFILE_BYTES],
}

/// Texts that are too long together.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct LongProfile {
    pub id: Text,
    pub user_id: Text,
    pub username: Text,
    pub code: Text,
}
