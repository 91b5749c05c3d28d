//! What holds of any script: the fold and the model write the same rows.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};
use tributary::ids::Millis;

use super::compare::{Events, differences};
use super::draw::{Script, scripts};
use super::told::told;
use crate::fold::story;

const SHORT: u32 = 500;
const LONG: u32 = 20_000;
const MOST: usize = 200;

/// Kinds that the fold does not know yet.
const WITHOUT: &[&str] = &["review", "erasure"];

/// The smallest script found that breaks the law is shown as a story.
fn hold<S: Strategy>(cases: u32, script: S, law: impl Fn(&S::Value) -> Result<(), String>, show: impl Fn(&S::Value) -> Events) {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    let tried = TestRunner::new(config).run(&script, |script| law(&script).map_err(TestCaseError::fail));
    match tried {
        Ok(()) => {}
        Err(TestError::Fail(why, script)) => panic!("{why}\n{}", told(&show(&script))),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

fn agree(script: &Script) -> Result<(), String> {
    let found = differences(&script.events(WITHOUT));
    if found.is_empty() { Ok(()) } else { Err(found) }
}

#[test]
fn the_fold_and_the_model_write_the_same_rows() {
    hold(SHORT, scripts(MOST), agree, |script| script.events(WITHOUT));
}

#[test]
#[ignore = "minutes: many scripts"]
fn the_fold_and_the_model_write_the_same_rows_of_many_scripts() {
    hold(LONG, scripts(MOST), agree, |script| script.events(WITHOUT));
}

#[test]
fn a_script_that_is_shown_reads_back_as_itself() {
    hold(50, scripts(MOST), |script| {
        let events = script.events(&[]);
        let value = |events: &[(String, Millis)]| -> Vec<(serde_json::Value, Millis)> {
            events.iter().map(|(event, at)| (serde_json::from_str(event).unwrap(), *at)).collect()
        };
        let read = story::events(&told(&events));
        if value(&read) == value(&events) { Ok(()) } else { Err("it reads back as another".to_owned()) }
    }, |script| script.events(&[]));
}
