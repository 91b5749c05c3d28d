//! That the scripts get somewhere: every word that rows and letters may hold comes up.

use std::collections::BTreeMap;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::compare::expected;
use super::draw::scripts;

const SCRIPTS: usize = 300;
const WORDS: &[&str] = &[
    "by coupon",
    "by click",
    "by code",
    "by visitor",
    "by owner",
    "by waiting",
    "by no_touch",
    "by window_expired",
    "by member_removed",
    "by click_after",
    "by unknown_click",
    "by unknown_code",
    "by unknown_coupon",
    "held",
    "approved",
    "paid",
    "reversed",
    "blocked",
    "carry",
    "suspended",
    "removed",
    "absurd_time",
    "too_late",
    "conflict",
    "unresolved",
    "code_taken",
    "invalid_time_zone",
    "over_refund",
    "currency_mismatch",
    "not_refundable",
    "commission_is_derived",
    "unknown_subject",
];

#[test]
fn every_word_comes_up_in_scripts() {
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]));
    let strategy = scripts(200);
    let mut found: BTreeMap<&str, usize> = WORDS.iter().map(|word| (*word, 0)).collect();
    for _ in 0..SCRIPTS {
        let script = strategy.new_tree(&mut runner).unwrap().current();
        let rows = expected(&script.events(&[]));
        for (word, n) in &mut found {
            *n += usize::from(rows.values().any(|text| text.contains(word)));
        }
    }
    println!("scripts of {SCRIPTS} in which each comes up: {found:#?}");
    let rare: Vec<_> = found.iter().filter(|(_, n)| **n < SCRIPTS / 50).collect();
    assert!(rare.is_empty(), "hardly ever in a script: {rare:?}");
}
