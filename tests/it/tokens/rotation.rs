//! A new secret comes into force: what matches, what does not, and what is never taken for a conflict.

use serde_json::{Value, json};

use super::{Desk, OURS, read_back, shown};

fn event(kind: &str, id: &str, fields: &Value) -> String {
    let mut event = json!({"type": kind, "event_id": id, "creator_id": "acme", "occurred_at": "2026-01-05T10:00:00Z"});
    event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    format!("{event}\n")
}

fn click(id: &str) -> String {
    event("Click", id, &json!({"click_id": id, "member_id": "ann", "ip": "81.2.69.142", "device": "fp-7c1b9e"}))
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_two_epochs_differ_and_an_event_sent_again_stays_a_duplicate() {
    let desk = Desk::new();
    let creator = event("Creator", "e0", &json!({"name": "Acme", "currency": "EUR", "time_zone": "UTC"}));
    let member = event("Member", "e1", &json!({"member_id": "ann"}));
    desk.write("one.ndjson", &[creator, member, click("c1")].concat());
    desk.json(0, &["import", "one.ndjson"]);
    let before = desk.json(0, &["tokens", "of", "ip", "81.2.69.142"])["tokens"][0]["ip_token"].clone();

    let rotated = desk.json(0, &["tokens", "rotate"]);
    assert_eq!(rotated["epoch"], 2);
    let shown = desk.json(0, &["tokens", "show"]);
    assert_eq!((&shown["epochs"][0]["epoch"], &shown["epochs"][1]["epoch"]), (&json!(2), &json!(1)));
    assert_eq!(shown["epochs"][0]["check"], rotated["check"]);
    let after = desk.json(0, &["tokens", "of", "ip", "81.2.69.142"])["tokens"][0]["ip_token"].clone();
    let old = desk.json(0, &["tokens", "of", "--epoch", "1", "ip", "81.2.69.142"])["tokens"][0]["ip_token"].clone();
    assert!(before == old && before != after, "what was made before can still be found");

    // The first click comes again, now with tokens of the new epoch, and another with it.
    desk.write("two.ndjson", &[click("c1"), click("c2")].concat());
    desk.json(0, &["import", "two.ndjson"]);
    assert_eq!(desk.json(0, &["dlq", "list"])["dead_letters"].as_array().map(Vec::len), Some(0), "no conflict");
    assert_eq!(desk.json(0, &["projections", "verify"])["differences"], 0);
    let mut tokens = Vec::new();
    for record in read_back(&desk.path("data")).await {
        if record["type"] == "Click" {
            tokens.push((record["click_id"].clone(), record["ip_token"].clone()));
        }
    }
    let expected = [(json!("c1"), before), (json!("c1"), after.clone()), (json!("c2"), after)];
    assert_eq!(tokens, expected);

    // Only the one before is kept.
    assert_eq!(desk.json(0, &["tokens", "rotate"])["epoch"], 3);
    let gone = desk.run(&["tokens", "of", "--epoch", "1", "ip", "81.2.69.142"]);
    assert!(super::shown(&gone).contains("epoch 1 is not kept"), "{}", super::shown(&gone));
}

#[test]
fn what_is_not_ours_to_change_is_said() {
    let desk = Desk::new();
    let none = desk.run(&["tokens", "rotate"]);
    assert!(shown(&none).contains("there is no secret"), "{}", shown(&none));
    let output = desk.command(&["tokens", "rotate"]).env("TRIBUTARY_TOKENS_SECRET", OURS).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(shown(&output).contains("TRIBUTARY_TOKENS_SECRET") && !shown(&output).contains(OURS), "{}", shown(&output));
    let lines = format!("2 {}\n1 {OURS}\n", "f".repeat(32));
    let output = desk.command(&["tokens", "show", "--json"]).env("TRIBUTARY_TOKENS_SECRET", lines).output().unwrap();
    assert_eq!(super::json_of(0, &output)["epochs"][1]["check"], "6b0d6c76");
}
