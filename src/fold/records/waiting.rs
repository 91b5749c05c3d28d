//! Timers, and what waits for something that has not come.

use bytemuck::{Pod, Zeroable};

use crate::keep::Id128;

/// A timer: fires once the creator's watermark reaches `due`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Timer {
    pub due: i64,
    /// The next timer of the same hour.
    pub next: u64,
    /// A conversion, a commission, or in its first eight bytes the number of a parked record.
    pub subject: Id128,
    pub kind: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct SeqKey {
    pub creator: u32,
    pub page: u32,
    pub seq: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct HourKey {
    pub creator: u32,
    pub hour: i32,
}

/// The timers of one hour: a list of timer numbers plus one; 0 ends it.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct TimerHour {
    pub first: u64,
}

/// What waits for one id: parked records and conversions, each a list; 0 and `NO_ID` end them.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Awaited {
    pub first: u64,
    pub last: u64,
    pub conversions: Id128,
    pub conversions_last: Id128,
}

/// A record that waits for what it refers to; its bytes stand in pages.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Parked {
    pub awaited: Id128,
    /// The number of the next record that waits for the same id, plus one.
    pub next: u64,
    pub prev: u64,
    /// Offset and log timestamp of the record.
    pub offset: u64,
    pub timestamp: i64,
    /// The creator's clock when it began to wait.
    pub since: i64,
    pub len: u32,
    pub pages: u32,
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct ParkedPage {
    pub bytes: [u8; 1000],
}
