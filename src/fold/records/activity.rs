//! On which days members were active, and how many.

use bytemuck::{Pod, Zeroable};

/// A member's days of activity, on its creator's calendar. Older weeks than the newest are in `State::active_weeks`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Activity {
    /// The newest week in which it was ever active, see `activity::week_of`; `NO_SLOT` before the first.
    pub week: i32,
    pub of_week: ActiveWeek,
    /// The oldest day on which it was ever active.
    pub first: i32,
    /// The newest month in which it was ever active, in months since year 0, and its active days.
    pub month: i32,
    pub of_month: i32,
    /// The last run of active days: the day on which it ends, `NO_SLOT` without one, and its length.
    pub end: i32,
    pub length: i32,
    /// Length of the longest run.
    pub best: i32,
    /// The month of joining under which it counts in cohorts; `NO_SLOT` before it is first booked.
    pub joined: i32,
}

/// Activities of each day of a week, Monday first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Pod, Zeroable)]
#[repr(C)]
pub struct ActiveWeek {
    pub days: [i32; 7],
}

/// What members are counted under.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct ActiveKey {
    pub creator: u32,
    /// See `activity::kind`.
    pub kind: u32,
    /// The period, or the month of joining.
    pub period: i32,
    /// In a cohort, months since joining; −1 for those who joined.
    pub age: i32,
}

/// How many members.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Tally {
    pub members: i64,
}
