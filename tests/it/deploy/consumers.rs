//! The example consumers pay nothing twice and nothing that is blocked, whatever comes twice or out of order.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use expect_test::{expect, expect_file};
use serde_json::{Value, json};

use crate::services;
use crate::worker::decisions::decided_of;

#[path = "../../../deploy/examples/rust/payouts.rs"]
mod payouts;

use payouts::Payouts;

/// 2026-01-05T00:00Z.
const START: i64 = 1_767_571_200_000;
const HOUR: i64 = 3_600_000;
const OWN_DEVICE: &str = "000000000000000000000000000000d1";

fn event(kind: &str, id: &str, hours: i64, fields: Value) -> Value {
    let mut event = json!({"type": kind, "event_id": id, "creator_id": "acme", "occurred_at": START + hours * HOUR});
    event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    event
}

fn sale(id: &str, hours: i64, device: &str) -> Value {
    let fields = json!({"conversion_id": id, "kind": "purchase", "customer_id": format!("customer-{id}"), "amount": 1_000,
                        "referral_code": "ann", "device_token": device});
    event("Conversion", &format!("o-{id}"), hours, fields)
}

fn review(id: &str, hours: i64, verdict: &str) -> Value {
    let fields = json!({"subject_type": "conversion", "subject_id": id, "verdict": verdict, "label": "unsure",
                        "reason": "looked at", "actor": "a person"});
    event("Review", &format!("r-{id}"), hours, fields)
}

fn denied(id: &str, hours: i64, active: bool) -> Value {
    let fields = json!({"list": "deny", "key": "customer", "value": format!("customer-{id}"), "active": active});
    event("ListEntry", &format!("l-{id}-{active}"), hours, fields)
}

/// Of five sales one is clean, two wait for a reviewer, one is denied and allowed again, one is charged back.
fn story() -> Vec<Value> {
    let commission = json!({"source": "derived", "rate_bp": 1_000});
    let head = json!({"name": "Acme", "currency": "EUR", "time_zone": "UTC", "commission": commission});
    let chargeback = json!({"conversion_id": "back", "kind": "chargeback", "original_id": "charged"});
    vec![
        event("Creator", "c", 0, head),
        event("Member", "m", 0, json!({"member_id": "ann", "referral_code": "ann"})),
        event("Sighting", "s", 0, json!({"member_id": "ann", "device_token": OWN_DEVICE})),
        sale("clean", 1, "000000000000000000000000000000d2"),
        sale("released", 2, OWN_DEVICE),
        sale("blocked", 3, OWN_DEVICE),
        sale("denied", 4, "000000000000000000000000000000d3"),
        sale("charged", 5, "000000000000000000000000000000d4"),
        review("released", 6, "approve"),
        review("blocked", 7, "block"),
        denied("denied", 8, true),
        event("Conversion", "b", 9, chargeback),
        denied("denied", 10, false),
    ]
}

/// Each twice, and at the end all once more, the newest first.
fn at_least_once(decisions: &[Value]) -> Vec<Value> {
    let twice = decisions.iter().flat_map(|decision| [decision, decision]);
    twice.chain(decisions.iter().rev()).cloned().collect()
}

/// `pay auto:clean:ann`.
fn line(order: &Value) -> String {
    format!("{} {}", order["move"].as_str().unwrap(), order["commission_id"].as_str().unwrap())
}

/// Nothing is paid twice; what a newest decision blocks was not paid, or is owed back.
fn check(orders: &[Value], decisions: &[Value]) {
    let mut paid: BTreeMap<&str, usize> = BTreeMap::new();
    let mut last: BTreeMap<&str, &str> = BTreeMap::new();
    for order in orders {
        let (what, commission) = (order["move"].as_str().unwrap(), order["commission_id"].as_str().unwrap());
        *paid.entry(commission).or_default() += usize::from(what == "pay");
        last.insert(commission, what);
    }
    assert!(paid.values().all(|times| *times <= 1), "{paid:?}");
    for decision in decisions.iter().filter(|decision| decision["subject"]["type"] == "commission") {
        let id = decision["subject"]["id"].as_str().unwrap();
        let newest = decisions.iter().rfind(|other| other["subject"] == decision["subject"]).unwrap();
        if newest["verdict"] == "block" {
            assert!(["cancel", "claw_back"].contains(&last[id]), "{id}: {last:?}");
        }
    }
}

/// As the file of the examples has them: written when they happened.
fn recorded(mut decision: Value) -> Value {
    decision["processing_time"] = decision["event_time"].clone();
    decision
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payouts_follow_the_newest_decision_and_leave_once() {
    let decisions: Vec<Value> = decided_of(&story()).await.into_iter().map(recorded).collect();
    let text: String = decisions.iter().map(|decision| format!("{decision}\n")).collect();
    expect_file!["../../../deploy/examples/decisions.ndjson"].assert_eq(&text);

    let mut payouts = Payouts::default();
    let all = at_least_once(&decisions);
    all.iter().for_each(|decision| payouts.decided(&serde_json::from_value(decision.clone()).unwrap(), i64::MAX));
    let orders: Vec<Value> = payouts.orders.iter().map(|order| serde_json::to_value(order).unwrap()).collect();
    let lines: Vec<String> = orders.iter().map(line).collect();
    expect![[r#"
        pay auto:clean:ann
        hold auto:released:ann
        hold auto:blocked:ann
        pay auto:denied:ann
        pay auto:charged:ann
        pay auto:released:ann
        cancel auto:blocked:ann
        claw_back auto:denied:ann
        suspend auto:charged:ann
        settle auto:denied:ann"#]]
    .assert_eq(&lines.join("\n"));
    check(&orders, &decisions);

    let dir = tempfile::tempdir().unwrap();
    let Some(told) = by_python(dir.path(), &all) else {
        return services::not_tested("there is no python3 for the example consumer");
    };
    assert_eq!(told.iter().map(line).collect::<Vec<_>>(), lines, "both examples do the same");
    check(&told, &decisions);
    assert_eq!(by_python(dir.path(), &all).unwrap(), [json!(null); 0], "started again it has nothing left to do");
}

/// A candidate that would block what is paid, and pay what is blocked.
fn shadow() -> Value {
    let points = json!({"self.same_device": 0, "abuse.chargeback": 100});
    let definition = json!({ "points": points }).to_string();
    event("RuleSet", "shadow", 0, json!({"rule_set_id": "bold", "mode": "shadow", "definition": definition}))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_shadow_says_moves_no_money() {
    let mut story = story();
    let without = decided_of(&story).await;
    story.insert(1, shadow());
    let with = decided_of(&story).await;
    let says = |id: &str| {
        let newest = with.iter().rfind(|it| it["mode"] == "shadow" && it["subject"]["id"] == id).unwrap();
        newest["verdict"].as_str().unwrap().to_owned()
    };
    assert_eq!([says("auto:charged:ann"), says("auto:released:ann")], ["block", "approve"]);
    assert_eq!(with.iter().filter(|it| it["mode"] != "shadow").count(), without.len());

    let dir = tempfile::tempdir().unwrap();
    let (told, expected) = (orders(&with), orders(&without));
    assert_eq!(told, expected);
    let Some(told) = by_python(dir.path(), &with) else {
        return services::not_tested("there is no python3 for the example consumer");
    };
    assert_eq!(told.iter().map(line).collect::<Vec<_>>(), expected, "both examples do the same");
}

fn orders(decisions: &[Value]) -> Vec<String> {
    let mut payouts = Payouts::default();
    decisions.iter().for_each(|decision| payouts.decided(&serde_json::from_value(decision.clone()).unwrap(), i64::MAX));
    payouts.orders.iter().map(|order| line(&serde_json::to_value(order).unwrap())).collect()
}

/// What the Python example tells of these decisions; `None`: there is no Python.
fn by_python(dir: &Path, decisions: &[Value]) -> Option<Vec<Value>> {
    let file = dir.join("decisions.ndjson");
    std::fs::write(&file, decisions.iter().map(|decision| format!("{decision}\n")).collect::<String>()).unwrap();
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/examples/python/payouts.py");
    let mut command = Command::new("python3");
    command.arg(program).arg("--state").arg(dir.join("payouts.db")).arg("--file").arg(&file);
    let output = command.args(["--now", "4102444800000"]).output().ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    Some(lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}
