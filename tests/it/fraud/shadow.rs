//! A candidate beside the rules in force: what it says, and that nothing follows of it.

use std::collections::HashSet;
use std::fmt::Write as _;

use expect_test::expect;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tributary::fold::fraud::{Decision, Mode};
use tributary::ids::Millis;

use super::spice::{spiced, with_candidate};
use crate::fold::scripts::{Draw, draws};
use crate::fold::story::{ALL, club, deriving, events, rows_text, text};
use crate::fold::world::{Flush, World};

const A: &str = "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";

/// Another opinion about almost everything.
const OTHER: &str = r#"{"points": {"self.same_device": 90, "click.bot": 35, "click.velocity": 40, "click.timing": 71,
    "abuse.refund": 80, "abuse.chargeback": 20, "abuse.multi_account": 31}, "thresholds": {"clicks_ip_minute": 1,
    "clicks_ip_hour": 90, "clicks_device_minute": 2, "gaps_mean_min": 0, "hasty_purchase": 600000, "member_refunds": 1,
    "customer_refunds": 1, "customer_refunds_orders": 1, "shared_customers": 2}, "guards": {"proxy": false}}"#;
/// A little of everything, so that it fires often, in force.
const NERVOUS: &str = r#"{"thresholds": {"clicks_ip_minute": 2, "clicks_ip_hour": 3, "clicks_device_minute": 1,
    "member_refunds": 1, "shared_customers": 2}}"#;

#[test]
fn a_shadow_says_what_it_would_decide_and_nothing_follows() {
    deriving(
        &r#"
01-02 08:00 RuleSet rule_set_id=strict version=v2 mode=shadow definition="{\"points\":{\"self.same_device\":90}}"
01-02 09:00 Sighting member_id=ann device_token=$
01-02 10:00 Click click_id=k1 member_id=ann device_token=$ user_agent="Mozilla/5.0 (X11) Firefox/125.0"
01-02 11:00 Conversion conversion_id=p1 kind=purchase click_id=k1 customer_id=u1 amount=1000 device_token=$
01-03 09:00 RuleSet rule_set_id=strict mode=off
01-03 11:00 Conversion conversion_id=b1 kind=chargeback original_id=p1 amount=400
        "#
        .replace('$', A),
        "decisions:clicks decisions commissions conversions",
        expect![[r#"
            shadow: click k1 /1: block 90 (exclude_click); same_device 3600000/7776000000
            click k1 /1: review 50 (none); same_device 3600000/7776000000
            shadow: conversion p1 /1: block 90 (reverse); same_device 7200000/7776000000
            conversion p1 /1: review 50 (hold); same_device 7200000/7776000000
            shadow: commission auto:p1:ann /1: block 90 (reverse); same_device 7200000/7776000000
            commission auto:p1:ann /1: review 50 (hold); same_device 7200000/7776000000
            commission auto:p1:ann /2: block 120 (reverse); same_device 7200000/7776000000, customer_chargebacks 1/1; was review 50, evidence
            01-02 11:00 auto:p1:ann ann for p1: 150 EUR earned, 60 reversed, initial, blocked
            01-02 11:00 p1 purchase 1000 EUR by u1, 400 taken back → ann: click
            01-03 11:00 b1 chargeback 400 EUR of p1
            = 9 read: 9 applied
        "#]],
    );
}

#[test]
fn a_shadow_revises_by_what_it_said_and_not_by_what_was_decided() {
    club(
        r#"
01-02 08:00 RuleSet rule_set_id=mild mode=shadow definition="{\"points\":{\"abuse.chargeback\":30}}"
01-02 11:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-02 12:00 Commission commission_id=q1 kind=earned member_id=ann conversion_id=p1 amount=100
01-05 11:00 Conversion conversion_id=b1 kind=chargeback original_id=p1 amount=400
01-06 12:00 Review subject_type=commission subject_id=q1 verdict=approve label=not_fraud reason=known actor=ops
        "#,
        "decisions commissions",
        expect![[r#"
            shadow: conversion p1 /1: approve 0 (none)
            conversion p1 /1: approve 0 (none)
            shadow: commission q1 /1: approve 0 (none)
            commission q1 /1: approve 0 (none)
            shadow: commission q1 /2: approve 30 (none); customer_chargebacks 1/1; was approve 0, evidence
            commission q1 /2: review 70 (hold); customer_chargebacks 1/1; was approve 0, evidence
            shadow: commission q1 /3: approve 30 (none) by review; customer_chargebacks 1/1; was approve 30, review
            commission q1 /3: approve 70 (release) by review; customer_chargebacks 1/1; was review 70, review
            01-02 12:00 q1 ann for p1: 100 EUR earned, 40 reversed, held
            = 8 read: 8 applied
        "#]],
    );
}

#[test]
fn storms_are_told_once_a_minute_by_the_shadow_s_own_limits() {
    let clicks: String = (0..14)
        .map(|n| format!("01-02 10:00:{n:02} Click click_id=k{n} member_id=ann device_token={A} user_agent=\"Mozilla/5.0 (X11) Firefox/125.0\"\n"))
        .collect();
    let shadow = r#"
01-02 08:00 RuleSet rule_set_id=calm mode=shadow definition="{\"thresholds\":{\"clicks_device_minute\":12}}"
    "#;
    club(
        &format!("{shadow}{clicks}"),
        "decisions:clicks",
        expect![[r#"
        shadow: click k0 /1: approve 0 (none)
        click k0 /1: approve 0 (none)
        shadow: click k1 /1: approve 0 (exclude_click)
        click k1 /1: approve 0 (exclude_click)
        shadow: click k2 /1: approve 0 (exclude_click)
        click k2 /1: approve 0 (exclude_click)
        shadow: click k3 /1: approve 0 (exclude_click)
        click k3 /1: approve 0 (exclude_click)
        shadow: click k4 /1: approve 0 (exclude_click)
        click k4 /1: approve 0 (exclude_click)
        shadow: click k5 /1: approve 0 (exclude_click)
        click k5 /1: approve 0 (exclude_click)
        shadow: click k6 /1: approve 0 (exclude_click)
        click k6 /1: approve 0 (exclude_click)
        shadow: click k7 /1: approve 0 (exclude_click)
        click k7 /1: approve 0 (exclude_click)
        shadow: click k8 /1: approve 0 (exclude_click)
        click k8 /1: approve 0 (exclude_click)
        shadow: click k9 /1: approve 0 (exclude_click)
        click k9 /1: approve 0 (exclude_click)
        shadow: click k10 /1: approve 0 (exclude_click)
        click k10 /1: approve 25 (exclude_click); clicks_device_60s 11/10
        shadow: click k11 /1: approve 0 (exclude_click)
        shadow: click k12 /1: approve 25 (exclude_click); clicks_device_60s 13/12
        = 18 read: 18 applied
    "#]],
    );
}

#[test]
fn what_cannot_run_beside_the_rules_is_refused_and_what_went_live_ends() {
    let story = r#"
01-01 00:00 Creator name=Club currency=EUR time_zone=UTC
01-01 00:00 Member member_id=ann
01-02 10:00 RuleSet rule_set_id=guarded-v1 mode=shadow
01-02 10:01 RuleSet rule_set_id=other mode=shadow
01-02 10:02 RuleSet rule_set_id= mode=off
01-02 10:03 RuleSet rule_set_id=seed-v1 mode=shadow
01-02 10:04 RuleSet rule_set_id=other mode=off
01-02 10:05 Click click_id=k1 member_id=ann user_agent="curl/8.5.0"
01-02 10:06 RuleSet rule_set_id=seed-v1 mode=live
01-02 10:07 Click click_id=k2 member_id=ann user_agent="curl/8.5.0"
01-02 10:08 RuleSet rule_set_id=guarded-v1
01-02 10:09 Click click_id=k3 member_id=ann user_agent="curl/8.5.0"
    "#;
    let world = play(&events(story), None);
    expect![[r#"
        shadow: click k1 /1: approve 30 (exclude_click); declared_bot 1/1
        click k1 /1: approve 30 (exclude_click); declared_bot 1/1
        click k2 /1: approve 30 (exclude_click); declared_bot 1/1
        click k3 /1: approve 30 (exclude_click); declared_bot 1/1
        ! invalid_rule_set #2: "guarded-v1", version "1", decides already: a candidate needs a name or a version of its own
        ! invalid_rule_set #3: "other" is not shipped, so it needs a definition
        ! invalid_rule_set #6: "seed-v1" runs beside the rules, and not "other"
        = 12 read: 9 applied, 3 dead
    "#]].assert_eq(&text(&world, "decisions:clicks", "c"));
}

fn play(events: &[(String, Millis)], forget_every: Option<usize>) -> World {
    let mut world = World::alone(Flush::AtTheEnd);
    for (n, (event, at)) in events.iter().enumerate() {
        if forget_every.is_some_and(|every| n % every == 0) {
            world.forget_caches();
        }
        world.apply(event, *at);
    }
    world.flush();
    world
}

/// The first that differs is told, and not all of them.
fn same(left: &[String], right: &[String]) {
    left.iter().zip(right).for_each(|(left, right)| assert_eq!(left, right));
    assert_eq!(left.len(), right.len());
}

fn is_shadow(decision: &&Decision) -> bool {
    decision.mode == Mode::Shadow
}

/// All of a decision.
fn whole(decision: &Decision) -> String {
    format!("{decision:?}")
}

/// All but its ids, by what it was decided, and its mode. A click of which nothing was noted has no id to be named by
/// a later revision, so whether there is one is left out as well.
fn said(decision: &Decision) -> String {
    let mut text = format!("{} {} /{}", decision.subject.name(), decision.subject_id.as_str(), decision.revision);
    let by = (decision.verdict, decision.decided_by, decision.action, decision.disposition, decision.bot);
    let when = (decision.event_time, decision.watermark, decision.is_late, decision.matures_at, decision.at);
    let whose = (&decision.member, &decision.customer, &decision.click, &decision.order, decision.is_truncated);
    let before = decision.previous.map(|it| (it.verdict, it.score, it.band, it.fired, it.cause));
    let trigger = (&decision.trigger.event_id, decision.trigger.offset);
    write!(text, " {by:?} {when:?} {whose:?} {before:?} {trigger:?} {:?}", decision.assessment).unwrap();
    text
}

fn rule_set(definition: &str, mode: Option<&str>) -> Value {
    match mode {
        Some(mode) => json!({"rule_set_id": "other", "version": "7", "definition": definition, "mode": mode}),
        None => json!({"rule_set_id": "other", "version": "7", "definition": definition}),
    }
}

fn none() -> Value {
    json!({"rule_set_id": "", "mode": "off"})
}

/// Rows and live decisions are those of a log without it, in all their parts, also after it ended.
fn a_shadow_changes_nothing(script: &[(String, Millis)]) {
    let with = with_candidate(script, &rule_set(OTHER, Some("shadow")));
    let without = with_candidate(script, &none());
    let over = with.len() * 2 / 3;
    let mut ended = with.clone();
    let off = json!({"type": "RuleSet", "event_id": "over", "occurred_at": with[over - 1].1.0, "creator_id": "c",
        "rule_set_id": "other", "mode": "off"});
    ended.insert(over, (off.to_string(), with[over - 1].1));
    let mut as_ended = ended.clone();
    as_ended[0] = without[0].clone();
    as_ended[over].0 = as_ended[over].0.replace("\"other\"", "\"\"");
    for (with, without) in [(&with, &without), (&ended, &as_ended)] {
        let (with, without) = (play(with, None), play(without, None));
        let live = |world: &World| -> Vec<String> {
            world.decisions.iter().filter(|decision| !is_shadow(decision)).map(whole).collect()
        };
        same(&live(&with), &live(&without));
        assert_eq!(rows_text(&with, ALL, "c"), rows_text(&without, ALL, "c"));
        assert_eq!(with.rows, without.rows);
        assert_eq!((with.tally, with.letters.len()), (without.tally, without.letters.len()));
    }
}

/// It runs from before the first subject on, and no policy decides on due dates: then it says what it would decide.
fn a_shadow_says_what_it_would_decide(script: &[(String, Millis)]) {
    let beside = play(&with_candidate(script, &rule_set(OTHER, Some("shadow"))), None);
    let in_force = play(&with_candidate(script, &rule_set(OTHER, None)), None);
    let beside: Vec<String> = beside.decisions.iter().filter(is_shadow).map(said).collect();
    let in_force: Vec<String> = in_force.decisions.iter().map(said).collect();
    same(&beside, &in_force);
}

/// Whatever is not kept is made again.
fn caches_decide_nothing(script: &[(String, Millis)]) {
    let log = with_candidate(script, &rule_set(OTHER, Some("shadow")));
    let (once, again) = (play(&log, None), play(&log, Some(7)));
    let all = |world: &World| -> Vec<String> { world.decisions.iter().map(whole).collect() };
    same(&all(&once), &all(&again));
    // An id that is forgotten may be another's, whose first decision is then by an event of its own.
    let (shadow, live): (Vec<&Decision>, Vec<&Decision>) = once.decisions.iter().partition(is_shadow);
    let ids: HashSet<[u8; 16]> = live.iter().map(|decision| decision.id.0).collect();
    assert!(shadow.iter().all(|decision| !ids.contains(&decision.id.0)));
}

fn hold(cases: u32, law: impl Fn(&[(String, Millis)])) {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let script = |draws: &[Draw]| {
        let script = spiced(draws, "c");
        if draws.len().is_multiple_of(2) { script } else { with_live(&script) }
    };
    let outcome = TestRunner::new(config).run(&draws(200), |draws| {
        law(&script(&draws));
        Ok(())
    });
    outcome.unwrap_or_else(|why| panic!("{why}"));
}

/// Under rules that fire more often than the shipped ones.
fn with_live(script: &[(String, Millis)]) -> Vec<(String, Millis)> {
    let mut all = with_candidate(script, &json!({"rule_set_id": "nervous", "definition": NERVOUS}));
    all[0].0 = all[0].0.replace("\"candidate\"", "\"live\"");
    all
}

#[test]
fn rows_and_decisions_are_as_without_a_shadow() {
    hold(100, a_shadow_changes_nothing);
}

#[test]
fn a_shadow_says_what_would_be_decided_if_it_were_in_force() {
    hold(100, |script| {
        // The candidate itself is what is in force there.
        let first = &script[0].0;
        let script = if first.contains("nervous") { &script[1..] } else { script };
        a_shadow_says_what_it_would_decide(script);
    });
}

#[test]
fn a_replay_says_the_same_by_ids_of_its_own() {
    hold(60, caches_decide_nothing);
}

#[test]
#[ignore = "minutes: many scripts"]
fn all_of_it_holds_of_many_scripts() {
    hold(5_000, a_shadow_changes_nothing);
    hold(5_000, |script| {
        a_shadow_says_what_it_would_decide(if script[0].0.contains("nervous") { &script[1..] } else { script })
    });
    hold(5_000, caches_decide_nothing);
}

#[test]
fn where_no_shadow_ran_none_has_any_state() {
    let script = spiced_long();
    let state = |events: &[(String, Millis)]| {
        let state = play(events, None).state;
        [state.shadow_windows.len(), state.shadow_clicks.len(), state.shadow_frozen.len(), state.shadow_judged.len()]
    };
    assert_eq!(state(&with_candidate(&script, &none())), [0; 4]);
    let with = state(&with_candidate(&script, &rule_set(OTHER, Some("shadow"))));
    assert!(with.iter().all(|len| *len > 0), "{with:?}");
}

/// Long enough that everything happens once.
fn spiced_long() -> Vec<(String, Millis)> {
    use proptest::strategy::ValueTree;
    let mut runner = TestRunner::deterministic();
    let mut all = Vec::new();
    while all.len() < 1_500 {
        all =
            spiced(&proptest::collection::vec(draws(2), 1_500).new_tree(&mut runner).unwrap().current().concat(), "c");
    }
    all
}
