//! Traffic of which the truth is known: what its records and labels promise.

mod dial;
mod labels;
mod people;
mod records;

use tributary::ids::Millis;
use tributary::simulate::labelled::{Cohort, Family, Labelled, Spec, Strength, Traffic};

/// Six weeks of five programmes with everybody in them.
pub(crate) fn spec(seed: u64) -> Spec {
    Spec {
        seed,
        start: Millis(1_767_225_600_000),
        days: 42,
        creators: 5,
        agents: 800,
        fraud_permille: 80,
        strength: None,
        cohorts: Cohort::ALL.to_vec(),
        families: Family::ALL.to_vec(),
    }
}

/// Many cheats of one family, as careful as that, among the few honest that there have to be.
fn cheats(family: Family, strength: u8) -> Vec<Labelled> {
    let spec = Spec {
        days: 70,
        agents: 3_000,
        fraud_permille: 200,
        strength: Strength::new(strength),
        cohorts: vec![Cohort::Ordinary],
        families: vec![family],
        ..spec(6)
    };
    Traffic::new(&spec).collect()
}
