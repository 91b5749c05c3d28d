//! Values of members on boards, by metric, window and period (SEMANTICS §10).

use super::Turn;
use super::booking::{Booked, Movement};
use super::records::{Counts, CurrencyCode};

impl Turn<'_> {
    /// Counts that a member gained or lost.
    pub(super) const fn score_counts(&mut self, _n: u32, _booked: Booked, _delta: &Counts) {}

    /// Money that a member gained or lost; boards take the creator's currency alone.
    pub(super) const fn score_money(&mut self, _n: u32, _booked: Booked, _currency: CurrencyCode, _moved: &Movement) {}

    /// The member became active, or ceased to be: only active ones stand on boards.
    pub(super) const fn restand(&mut self, _n: u32) {}
}
