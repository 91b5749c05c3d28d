//! On which days a member was active: streaks, active members, retention (SEMANTICS §9).

use super::Turn;

impl Turn<'_> {
    /// A share, a human click or a credited conversion on the creator's `day`; `by` is −1 where it is taken back.
    pub(super) const fn active(&mut self, _n: u32, _day: i32, _by: i64) {}
}
