//! Combinations of dimensions (platform, country, …): what breakdowns are made of.

use super::Turn;
use super::booking::Movement;
use super::records::{Counts, CurrencyCode, Share as ShareRecord};
use crate::event::{Click, Conversion, Share};
use crate::ids::Millis;

/// The combination in which nothing is known.
pub(super) const NO_GROUP: u32 = 0;

impl Turn<'_> {
    pub(super) const fn group_of_share(&mut self, _share: &Share<'_>) -> u32 {
        NO_GROUP
    }

    /// What a click does not say of itself, its share may.
    pub(super) const fn group_of_click(&mut self, _click: &Click<'_>, _share: Option<ShareRecord>) -> u32 {
        NO_GROUP
    }

    /// A conversion's own dimensions (plan, payment type), with those of its credited click.
    pub(super) const fn group_of_conversion(&mut self, _stated: &Conversion<'_>) -> u32 {
        NO_GROUP
    }

    /// The combination of `order`, with the dimensions of the click in `click`.
    pub(super) const fn group_with_click(&mut self, order: u32, _click: u32) -> u32 {
        order
    }

    pub(super) const fn count_group(&mut self, _t: Millis, _group: u32, _delta: &Counts) {}

    pub(super) const fn book_group(&mut self, _t: Millis, _group: u32, _currency: CurrencyCode, _moved: &Movement) {}
}
