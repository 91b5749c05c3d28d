//! A script in the notation of the stories, ready to be pasted as a test.

use serde_json::{Map, Value};
use tributary::ids::Millis;

/// One line an event. Event ids that a story gives anyway are left out, and so is `c`.
pub(crate) fn told(events: &[(String, Millis)]) -> String {
    let lines = events.iter().enumerate().map(|(n, (event, arrival))| line(n, event, *arrival));
    lines.collect::<Vec<_>>().join("\n")
}

fn line(n: usize, event: &str, arrival: Millis) -> String {
    let event: Map<String, Value> = serde_json::from_str(event).unwrap();
    let occurred = event["occurred_at"].as_i64().unwrap();
    let mut words = vec![instant(occurred), event["type"].as_str().unwrap().to_owned()];
    for (name, value) in &event {
        let is_given = match name.as_str() {
            "type" | "occurred_at" => true,
            "creator_id" => value == "c",
            "event_id" => *value == format!("e{n}"),
            _ => false,
        };
        if !is_given {
            words.push(format!("{name}={}", value_text(value)));
        }
    }
    if arrival.0 != occurred {
        words.push(format!("@{}", instant(arrival.0)));
    }
    words.join(" ")
}

/// Text is written as it is where it reads back as that.
fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) if is_plain(text) => text.clone(),
        other => other.to_string(),
    }
}

fn is_plain(text: &str) -> bool {
    let odd = |letter: char| letter.is_whitespace() || letter.is_control() || "\"{}[]\\".contains(letter);
    !text.is_empty() && !text.contains(odd) && serde_json::from_str::<Value>(text).is_err()
}

fn instant(t: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(t).unwrap().to_string();
    at.trim_end_matches('Z').replace('T', " ")
}
