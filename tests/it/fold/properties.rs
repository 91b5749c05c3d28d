//! What holds of any log, however strange: every case is a script of up to 200 events over few ids.

use proptest::prelude::*;
use serde_json::json;
use tributary::fold::fraud::Rule;
use tributary::ids::Millis;

use super::scripts::{Draw, Temper, draws, events};
use super::seed::{Events, Outcome, fixed, fresh, hold};
use super::story::{ALL, rows_text, run};
use super::sums;
use super::world::{Flush, World};
use crate::model::compare::applied_where;

const SHORT: u32 = 200;
const LONG: u32 = 20_000;
const MOST: usize = 200;

fn wild(draws: &[Draw]) -> Events {
    events(draws, Temper::Wild, "c")
}

fn tame(draws: &[Draw]) -> Events {
    events(draws, Temper::Tame, "c")
}

/// Nothing is dropped, nothing panics, sums are sums, however large the amounts and odd the times.
fn sums_hold(draws: Vec<Draw>) -> Outcome {
    let events = events(&draws, Temper::Wild, "c");
    let world = run_alone(&events, Flush::EveryEvent);
    sums::check(&world);
    let at_once = run_alone(&events, Flush::AtTheEnd);
    prop_assert_eq!(rows_text(&world, ALL, "c"), rows_text(&at_once, ALL, "c"));
    Ok(())
}

/// The books are not made for amounts near the ends of 64 bits.
fn run_alone(events: &[(String, Millis)], flush: Flush) -> World {
    let mut world = World::alone(flush);
    events.iter().for_each(|(event, timestamp)| world.apply(event, *timestamp));
    world.flush();
    world
}

/// The books know no rules of fraud: none counts anything.
fn no_points() -> String {
    let points: serde_json::Map<_, _> = Rule::ALL.iter().map(|rule| (rule.id().to_owned(), json!(0))).collect();
    json!({
        "type": "RuleSet", "event_id": "rules", "creator_id": "c", "occurred_at": 1_767_139_200_000_i64,
        "rule_set_id": "quiet", "definition": json!({"points": points}).to_string(),
    })
    .to_string()
}

fn books_agree(draws: Vec<Draw>) -> Outcome {
    let mut events = events(&draws, Temper::Tame, "c");
    let creator = 1.min(events.len());
    events.insert(creator, (no_points(), events[0].1));
    let world = run(&events, Flush::AtTheEnd);
    sums::check(&world);
    sums::check_books(&world);
    Ok(())
}

/// What was applied, at once or after it had waited, may come again at any later place: no row changes. What still
/// waits may not: each of two that are the same waits its own time, and the second may be served when the first has
/// given up.
fn duplicates_change_nothing((draws, places): (Vec<Draw>, Vec<(usize, usize)>)) -> Outcome {
    let events = events(&draws, Temper::Wild, "c");
    let applied: Vec<(usize, usize)> = applied_where(&events).into_iter().collect();
    let mut again = events.clone();
    for (which, to) in places {
        let Some(&(from, at)) = applied.get(which % applied.len().max(1)) else { return Ok(()) };
        let to = at + 1 + to % (events.len() - at);
        // Behind where it was applied, whatever was put in between: the events after `to` are the last of the list.
        let place = again.len() - (events.len() - to);
        let timestamp = again[place - 1].1;
        again.insert(place, (events[from].0.clone(), timestamp));
    }
    let (once, twice) = (run_alone(&events, Flush::AtTheEnd), run_alone(&again, Flush::AtTheEnd));
    let shown = || again.iter().map(|(event, at)| format!("{} {event}\n", at.0)).collect::<String>();
    prop_assert_eq!(rows_text(&once, ALL, "c"), rows_text(&twice, ALL, "c"), "with what came again:\n{}", shown());
    prop_assert_eq!(once.tally.applied, twice.tally.applied, "with what came again:\n{}", shown());
    Ok(())
}

/// Rows of one creator do not know who else lives in the partition.
fn creators_are_strangers((ours, theirs, first): (Vec<Draw>, Vec<Draw>, bool)) -> Outcome {
    let ours = events(&ours, Temper::Wild, "c");
    let theirs = events(&theirs, Temper::Wild, "d");
    let mut mixed = Vec::new();
    let (mut a, mut b) = (ours.iter(), theirs.iter());
    if first {
        mixed.extend(b.next().cloned());
    }
    loop {
        let (mine, other) = (a.next(), b.next());
        if mine.is_none() && other.is_none() {
            break;
        }
        mixed.extend(mine.into_iter().chain(other).cloned());
    }
    let (alone, together) = (run_alone(&ours, Flush::AtTheEnd), run_alone(&mixed, Flush::AtTheEnd));
    prop_assert_eq!(rows_text(&alone, ALL, "c"), rows_text(&together, ALL, "c"));
    Ok(())
}

/// A restart forgets all that is not state: no row changes.
fn caches_decide_nothing((draws, places): (Vec<Draw>, Vec<usize>)) -> Outcome {
    let events = events(&draws, Temper::Wild, "c");
    let mut world = World::alone(Flush::AtTheEnd);
    for (n, (event, timestamp)) in events.iter().enumerate() {
        if places.iter().any(|place| place % events.len() == n) {
            world.forget_caches();
        }
        world.apply(event, *timestamp);
    }
    world.flush();
    let never = run_alone(&events, Flush::AtTheEnd);
    let differ: Vec<_> = never.rows.iter().filter(|(key, row)| world.rows.get(*key) != Some(row)).collect();
    prop_assert!(differ.is_empty() && never.rows.len() == world.rows.len(), "{:?}", differ);
    Ok(())
}

#[test]
fn what_a_restart_forgets_changes_no_row() {
    let places = proptest::collection::vec(any::<usize>(), 1..4);
    hold(fixed(SHORT), (draws(MOST), places), |script| wild(&script.0), caches_decide_nothing);
}

#[test]
fn sums_hold_of_any_script() {
    hold(fixed(SHORT), draws(MOST), |draws| wild(draws), sums_hold);
}

#[test]
fn the_books_kept_from_the_semantics_agree() {
    hold(fixed(SHORT), draws(MOST), |draws| tame(draws), books_agree);
}

#[test]
fn duplicates_change_no_row() {
    let places = proptest::collection::vec((any::<usize>(), any::<usize>()), 1..20);
    hold(fixed(SHORT), (draws(MOST), places), |script| wild(&script.0), duplicates_change_nothing);
}

#[test]
fn other_creators_change_no_row() {
    hold(fixed(SHORT), (draws(MOST), draws(MOST), any::<bool>()), |script| wild(&script.0), creators_are_strangers);
}

#[test]
#[ignore = "minutes: many scripts"]
fn any_law_holds_of_many_scripts() {
    hold(fresh(LONG), draws(MOST), |draws| wild(draws), sums_hold);
    hold(fresh(LONG), draws(MOST), |draws| tame(draws), books_agree);
    let places = proptest::collection::vec((any::<usize>(), any::<usize>()), 1..20);
    hold(fresh(LONG), (draws(MOST), places), |script| wild(&script.0), duplicates_change_nothing);
    hold(fresh(LONG), (draws(MOST), draws(MOST), any::<bool>()), |script| wild(&script.0), creators_are_strangers);
    let places = proptest::collection::vec(any::<usize>(), 1..4);
    hold(fresh(LONG), (draws(MOST), places), |script| wild(&script.0), caches_decide_nothing);
}
