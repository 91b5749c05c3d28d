//! What is measured, and what of it rules may be fitted to.
//!
//! Guards and predicates of `guarded-v1` are fitted by looking at [`TUNING_SEEDS`], where the families of [`HELD_OUT`]
//! are left out, and at nothing else. [`HELD_OUT_SEEDS`] are looked at when that is done, and nothing is changed by
//! what they say.

use std::ops::Range;

use tributary::ids::Millis;
use tributary::simulate::labelled::{Cohort, Family, Spec};

pub(super) const TUNING_SEEDS: Range<u64> = 0..10;
pub(super) const HELD_OUT_SEEDS: Range<u64> = 100..110;
/// Every third of the list of families, whatever it is: chosen before there was a figure of any.
pub(super) const HELD_OUT: [Family; 4] =
    [Family::SelfSecondDevice, Family::BotJittered, Family::BuyAndReturn, Family::LowAndSlow];

/// A quarter of a year of five programmes.
pub(super) fn held_out(seed: u64) -> Spec {
    Spec {
        seed,
        start: Millis(1_767_225_600_000),
        days: 90,
        creators: 5,
        agents: 2_000,
        fraud_permille: 60,
        strength: None,
        cohorts: Cohort::ALL.to_vec(),
        families: Family::ALL.to_vec(),
    }
}

pub(super) fn tuning(seed: u64) -> Spec {
    let families = Family::ALL.into_iter().filter(|family| !HELD_OUT.contains(family)).collect();
    Spec { families, ..held_out(seed) }
}
