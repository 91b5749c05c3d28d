//! Breakdowns: what shares, clicks and orders have in common, and the sums of each combination (SEMANTICS §9).
//!
//! A record is given the ordinal of the *combination* of all its values once. Sums are kept of a combination and a
//! quarter hour: a click costs one look-up for its combination and one for its sums, however many dimensions there
//! are. Breakdowns by one dimension or two are added up from them when a row is built.

mod combine;
mod count;
pub mod dimension;
mod quarters;
mod values;
pub mod view;

pub(super) use combine::Combos;
pub(super) use count::Days;
pub use quarters::Quarters;

/// What is counted once a day is sealed stands apart, under its quarter hour and this: so the breakdowns of a sealed day
/// are written once, and what came late beside them, by itself.
pub const LATE: i32 = 1 << 24;
/// The combination in which nothing is known.
pub const NO_GROUP: u32 = 0;
/// The value of a dimension that is not known: `(none)`.
pub const NONE: u32 = 0;
/// What came after a day had its fill of values: `(other)`.
pub const OTHER: u32 = 1;
