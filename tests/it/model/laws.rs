//! What holds of any script: the fold and the model write the same rows.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use super::compare::{Events, differences};
use super::draw::{Script, scripts};
use super::smallest::smallest;
use super::told::told;
use crate::fold::story;

const SHORT: u32 = 500;
const LONG: u32 = 20_000;
const MOST: usize = 200;

/// Kinds that the fold does not know yet.
const WITHOUT: &[&str] = &["review", "erasure"];

/// Which scripts are tried: the same ones at each run, or others.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Seed {
    Fixed(u8),
    Fresh,
}

/// The smallest script found that breaks the law is shown as a story. `law` says what is wrong, or nothing.
pub(crate) fn hold(cases: u32, seed: Seed, events: impl Fn(&Script) -> Events, law: impl Fn(&Events) -> String) {
    // What is found is made smaller event by event, which proptest cannot know of.
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 64, ..Config::default() };
    let mut runner = match seed {
        Seed::Fixed(n) => {
            TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[n; 32]))
        }
        Seed::Fresh => TestRunner::new(config),
    };
    let tried = runner.run(&scripts(MOST), |script| {
        let wrong = law(&events(&script));
        if wrong.is_empty() { Ok(()) } else { Err(TestCaseError::fail(wrong)) }
    });
    match tried {
        Ok(()) => {}
        Err(TestError::Fail(_, script)) => {
            let events = smallest(events(&script), |events| !law(events).is_empty());
            panic!("{}\n{}\n", law(&events), told(&events));
        }
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

fn known(script: &Script) -> Events {
    script.events(WITHOUT)
}

fn agree(events: &Events) -> String {
    differences(events)
}

#[test]
fn the_fold_and_the_model_write_the_same_rows() {
    hold(SHORT, Seed::Fixed(1), known, agree);
}

#[test]
#[ignore = "minutes: many scripts"]
fn the_fold_and_the_model_write_the_same_rows_of_many_scripts() {
    hold(LONG, Seed::Fresh, known, agree);
}

#[test]
fn a_script_that_is_shown_reads_back_as_itself() {
    let value = |events: &Events| -> Vec<(serde_json::Value, tributary::ids::Millis)> {
        events.iter().map(|(event, at)| (serde_json::from_str(event).unwrap(), *at)).collect()
    };
    let law = |events: &Events| {
        let read = story::events(&told(events));
        if value(&read) == value(events) { String::new() } else { "it reads back as another".to_owned() }
    };
    hold(50, Seed::Fixed(2), |script| script.events(&[]), law);
}
