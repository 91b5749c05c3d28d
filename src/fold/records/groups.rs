//! Breakdowns: values, their combinations, and the sums of those.

use bytemuck::{Pod, Zeroable};

use super::{CurrencyCode, SlotCounts};
use crate::fold::groups::dimension::DIMENSIONS;

/// Most pairs of dimensions kept of a day.
pub const PAIRS: usize = crate::event::BREAKDOWN_PAIRS_MAX;

/// A creator's ordinals of values and combinations, and the pairs in force.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct GroupHead {
    /// Values given out so far, those that stand for none and other included.
    pub values: u32,
    /// Combinations given out so far, the empty one included.
    pub combos: u32,
    /// Parts of the pairs as `Axis` numbers them, 0 where there is none. All 0 before the creator's own record.
    pub pairs: [u8; PAIRS],
    pub pad: [u8; 2],
}

/// Something of a creator, by its ordinal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct OrdinalKey {
    pub creator: u32,
    pub n: u32,
}

/// Which value each dimension has, in the order of `Dimension::ALL`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Combo {
    pub values: [u32; DIMENSIONS],
}

/// A combination in a quarter hour.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct ComboKey {
    pub creator: u32,
    pub combo: u32,
    /// Quarter hours since 1970; beyond [`LATE`](crate::fold::groups::LATE): what came once its day was sealed.
    pub slot: i32,
}

/// A combination's sums of one quarter hour.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct ComboSlot {
    pub counts: SlotCounts,
    /// The next combination of the quarter hour, plus one; 0 ends the list.
    pub next: u32,
    pub purses: CurrencyCode,
    /// Bit i is set where it reads `(other)` on the i-th axis of its day.
    pub others: u32,
    /// Its number in the list, from 1; 0: it is not in it yet.
    pub listed: u32,
}

/// The list of a quarter hour's combinations: the newest, plus one, and how many they are.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct ComboList {
    pub first: u32,
    pub count: u32,
}

/// What a UTC day has admitted, and the pairs that are kept of it.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct GroupDay {
    /// Distinct values so far, of each axis: the dimensions, then the pairs.
    pub admitted: [u16; DIMENSIONS + PAIRS],
    /// As in [`GroupHead`].
    pub pairs: [u8; PAIRS],
    pub pad: [u8; 4],
    /// The event that sealed the day, or the last one since that changed its breakdowns; 0 before.
    pub changed: u64,
}

/// A value, or two, that a day has admitted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct AdmittedKey {
    pub creator: u32,
    pub day: i32,
    pub axis: u32,
    pub a: u32,
    pub b: u32,
}
