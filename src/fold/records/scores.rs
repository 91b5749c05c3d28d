//! What boards rank members by (SEMANTICS §10).

use bytemuck::{Pod, Zeroable};

use super::SlotKey;

/// A member's figure: `measure` as [`crate::fold::boards::Measure`] numbers it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Pod, Zeroable)]
#[repr(C)]
pub struct ScoreKey {
    pub creator: u32,
    pub n: u32,
    pub measure: u32,
}

/// The value of a window and the greatest instant of a booking into it; 0: there was none.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Cell {
    pub value: i64,
    pub reached: i64,
}

/// A figure of one member on one local day.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct DayCell {
    pub cell: Cell,
    /// The next figure with anything on that day: a list that starts in `State::score_lists`.
    pub next: ScoreLink,
    /// Of which rolling windows it is part now, see `fold::scores`.
    pub counted: u8,
    pub pad: [u8; 7],
}

/// A figure of the same creator; `n` is one more than the member's ordinal, and 0 ends a list.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct ScoreLink {
    pub n: u32,
    pub measure: u32,
}

/// A figure of a member in every window. Periods are those of the newest day booked and the two before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Score {
    pub all: Cell,
    pub days: [DayCell; 3],
    pub weeks: [Cell; 3],
    pub months: [Cell; 3],
    /// Complete days before the day up to which the creator is swept.
    pub seven: Cell,
    pub thirty: Cell,
    /// One past the event that last changed it; 0: it is new.
    pub at: u64,
    /// The newest day booked.
    pub day: i32,
    /// The day up to which the creator was swept, or was being swept, when a rolling window last changed.
    pub rolled: i32,
    /// Days that are part of the rolling windows.
    pub in_seven: u16,
    pub in_thirty: u16,
    /// The member is not active: it stands on no board.
    pub off: u8,
    pub pad: [u8; 3],
}

/// A day that has left `Score::days`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct ScoreDayKey {
    pub score: ScoreKey,
    pub day: i32,
}

/// How far a creator's boards are.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct BoardClock {
    /// The newest local day of the clock or of a booking; it never falls.
    pub today: i32,
    /// Rolling windows hold the days before this one; under way as long as `phase` is not 0.
    pub swept: i32,
    /// See `fold::scores::sweep`.
    pub phase: u32,
    /// Where the sweep goes on.
    pub link: ScoreLink,
    pub pad: u32,
}

impl ScoreKey {
    pub const fn day(self, day: i32) -> ScoreDayKey {
        ScoreDayKey { score: self, day }
    }

    /// The list of figures with anything on `day`.
    pub const fn list(self, day: i32) -> SlotKey {
        SlotKey { creator: self.creator, slot: day }
    }
}
