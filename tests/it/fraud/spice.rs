//! Adversarial scripts with what the rules of fraud look at: few tokens, machines, lists, reviews.

use serde_json::{Value, json};
use tributary::ids::Millis;

use crate::fold::scripts::{Draw, Temper, events};

const TOKENS: [&str; 3] =
    ["00000000000000000000000000000001", "00000000000000000000000000000002", "00000000000000000000000000000003"];
const AGENTS: [Option<&str>; 4] =
    [None, Some("curl/8.5.0"), Some("WhatsApp/2.23.20.0"), Some("Mozilla/5.0 (X11) Firefox/125.0")];

/// What stands in the place of `CANDIDATE`, which everything else comes behind.
pub(crate) fn with_candidate(script: &[(String, Millis)], candidate: &Value) -> Vec<(String, Millis)> {
    let Some((first, at)) = script.first() else { return Vec::new() };
    let first: Value = serde_json::from_str(first).unwrap();
    let mut event = json!({ "type": "RuleSet", "event_id": "candidate", "occurred_at": at.0 });
    event["creator_id"] = first["creator_id"].clone();
    let fields = candidate.as_object().unwrap().clone();
    event.as_object_mut().unwrap().extend(fields);
    [(event.to_string(), *at)].into_iter().chain(script.iter().cloned()).collect()
}

/// The events of a script in which the rules find something.
pub(crate) fn spiced(draws: &[Draw], creator: &str) -> Vec<(String, Millis)> {
    let mut all = Vec::new();
    for (n, (event, at)) in events(draws, Temper::Wild, creator).into_iter().enumerate() {
        let mut event: Value = serde_json::from_str(&event).unwrap();
        let pick = |of: usize| TOKENS[(n / of) % TOKENS.len()];
        match event["type"].as_str().unwrap() {
            "Sighting" => {
                event["device_token"] = json!(pick(1));
                event["ip_token"] = json!(pick(2));
                event["payout_token"] = json!(pick(3));
            }
            "Conversion" => {
                event["device_token"] = json!(pick(2));
                event["ip_token"] = json!(pick(1));
                event["payment_token"] = json!(pick(4));
            }
            "Click" => event["user_agent"] = json!(AGENTS[n % AGENTS.len()]),
            _ => {}
        }
        if event["user_agent"].is_null() {
            event.as_object_mut().unwrap().remove("user_agent");
        }
        all.push((event.to_string(), at));
        if let Some(said) = said(n, creator, at) {
            all.push((said.to_string(), at));
        }
        if n % 9 == 4 {
            all.extend(burst(n, creator, at));
        }
    }
    all
}

/// Clicks of one member, one behind the other, from an address and some devices.
fn burst(n: usize, creator: &str, at: Millis) -> impl Iterator<Item = (String, Millis)> {
    let gaps = [2_000, 9_000, 40_000, 700_000];
    // Now and then more than a window holds for the rules in force.
    let clicks = if n % 45 == 40 { 60 } else { 3 + n as i64 % 9 };
    (0..clicks).map(move |i| {
        let t = at.0 + i * gaps[n % gaps.len()] + i * i % 7;
        let click = json!({
            "type": "Click", "event_id": format!("burst{n}-{i}"), "creator_id": creator, "occurred_at": t,
            "click_id": format!("b{n}-{i}"), "member_id": "m0", "ip_token": TOKENS[n / 5 % 2],
            "device_token": TOKENS[(n / 3 + i as usize) % TOKENS.len()], "user_agent": AGENTS[3],
        });
        (click.to_string(), Millis(t))
    })
}

/// A list entry or a review now and then.
fn said(n: usize, creator: &str, at: Millis) -> Option<Value> {
    let list = ["deny", "allow"][n / 17 % 2];
    let verdict = ["block", "approve"][n / 11 % 2];
    let mut said = match n % 22 {
        5 => json!({"type": "ListEntry", "list": list, "key": "member", "value": "m1", "active": n % 4 < 2}),
        9 => {
            json!({"type": "ListEntry", "list": list, "key": "customer", "value": "u1", "active": !n.is_multiple_of(4)})
        }
        13 => json!({"type": "Review", "subject_type": "click", "subject_id": format!("k{}", n % 5)}),
        17 => json!({"type": "Review", "subject_type": "conversion", "subject_id": format!("p{}", n % 8)}),
        20 => json!({"type": "Review", "subject_type": "commission", "subject_id": format!("x{}", n % 4)}),
        _ => return None,
    };
    if said["type"] == "Review" {
        said["verdict"] = json!(verdict);
        said["label"] = json!("unsure");
        said["reason"] = json!("seen");
    }
    said["actor"] = json!("ops");
    said["event_id"] = json!(format!("said{n}"));
    said["creator_id"] = json!(creator);
    said["occurred_at"] = json!(at.0);
    Some(said)
}
