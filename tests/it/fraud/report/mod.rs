//! How much of the fraud of labelled traffic the rules find, and whom of the honest they hit: `docs/FRAUD-REPORT.md`.

mod count;
mod paper;
mod play;
mod sample;

use count::{Counts, Part};
use play::Lane;
use tributary::simulate::labelled::Spec;

/// A fifth of what the report measures, of two of its seeds.
fn few(seed: u64) -> Spec {
    Spec { days: 60, agents: 600, ..sample::held_out(seed) }
}

/// The bounds are what the report says, with room for so small a sample.
#[test]
fn the_default_rules_find_fraud_and_leave_the_honest_alone() {
    let counts = Counts::of([100, 101].map(few), &[Lane::Guarded]);
    let fraud = counts.sum(|key| key.part == Part::Money && key.group.is_fraud());
    let honest = counts.sum(|key| key.part == Part::Money && !key.group.is_fraud());
    println!("{fraud:?} {honest:?}");
    assert!(fraud.all > 1_000 && honest.all > 2_000, "there is something to be found");
    let precision = fraud.blocked * 1_000 / (fraud.blocked + honest.blocked);
    assert!(precision >= 980, "{precision} of a thousand that are blocked are fraud");
    let recall = fraud.stopped * 1_000 / fraud.all;
    assert!(recall >= 700, "{recall} of a thousand of fraud are at review or worse");
    let held = honest.stopped * 1_000 / honest.all;
    assert!(held <= 10, "{held} of a thousand of the honest are at review or worse");
}

#[test]
#[ignore = "a quarter of an hour: traffic of twenty seeds; writes docs/FRAUD-REPORT.md"]
fn measured_on_seeds_and_families_that_were_held_out() {
    let tuned = Counts::of(sample::TUNING_SEEDS.map(sample::tuning), &Lane::ALL);
    let held_out = Counts::of(sample::HELD_OUT_SEEDS.map(sample::held_out), &Lane::ALL);
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/FRAUD-REPORT.md");
    std::fs::write(path, paper::report(&tuned, &held_out)).unwrap();
}

/// What one may look at while guards are fitted.
#[test]
#[ignore = "minutes: the tuning seeds alone, to the terminal"]
fn measured_on_what_may_be_fitted_to() {
    let tuned = Counts::of(sample::TUNING_SEEDS.map(sample::tuning), &Lane::ALL);
    println!("{}", paper::tables(&tuned));
}
