//! Reviews and explanations through the server that holds the folder.

use std::time::Duration;

use super::Shell;
use super::serve::Server;

/// A sale from the member's own device.
const EVENTS: &str = r#"{"type":"Creator","event_id":"c","creator_id":"acme","occurred_at":1767571200000,"name":"Acme","currency":"EUR","time_zone":"UTC","commission":{"source":"derived","rate_bp":1000}}
{"type":"Member","event_id":"m","creator_id":"acme","occurred_at":1767571201000,"member_id":"ann","referral_code":"ann"}
{"type":"Sighting","event_id":"s","creator_id":"acme","occurred_at":1767571202000,"member_id":"ann","device_token":"000000000000000000000000000000d1"}
{"type":"Conversion","event_id":"o","creator_id":"acme","occurred_at":1767571203000,"conversion_id":"sale 1","kind":"purchase","customer_id":"u","amount":1000,"referral_code":"ann","device_token":"000000000000000000000000000000d1"}
"#;

/// Rows follow within a moment; before there is a creator nothing can be listed.
fn wait_for(shell: &Shell, expected: usize) {
    for _ in 0..200 {
        let ran = shell.run(&["reviews", "list", "acme", "--json"]);
        let found = serde_json::from_str(&ran.out).unwrap_or(serde_json::Value::Null);
        if found["reviews"].as_array().is_some_and(|open| open.len() == expected) {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
    panic!("there are not {expected}");
}

#[test]
fn what_waits_is_listed_explained_and_decided() {
    let shell = Shell::new();
    shell.run(&["reviews", "list", "acme"]).assert_code(1).assert_error(&["no server holds", "tributary run"]);
    let server = Server::start(&shell);
    shell.write("events.ndjson", EVENTS);
    shell.run(&["import", "events.ndjson"]).assert_code(0);
    wait_for(&shell, 2);
    let shown = shell.run(&["reviews", "list", "acme"]).out;
    assert!(shown.contains("conversion:sale 1  self.same_device 50"), "{shown}");
    let told = shell.run(&["explain", "commission", "acme", "auto:sale 1:ann"]).assert_code(0).out.clone();
    assert!(told.contains("verdict: review") && told.contains("held until somebody has looked"), "{told}");
    let said = ["reviews", "approve", "acme", "conversion:sale 1", "--reason", "a gift", "--label", "unsure"];
    assert_eq!(shell.json(0, &said)["data"]["status"], "accepted");
    wait_for(&shell, 0);
    let told = shell.run(&["explain", "conversion", "acme", "sale 1"]).out;
    assert!(told.contains("verdict: approve") && told.contains("approve by review"), "{told}");
    shell.run(&["reviews", "block", "acme", "nonsense", "--reason", "r"]).assert_code(1);
    assert_eq!(server.stop(), Some(0));
}
