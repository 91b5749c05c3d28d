//! The smallest part of a script that still breaks a law.

use serde_json::{Map, Value, json};

use super::compare::Events;

/// Leaves out events, then fields, as long as the law stays broken.
pub(crate) fn smallest(mut events: Events, is_broken: impl Fn(&Events) -> bool) -> Events {
    loop {
        let before = events.len();
        let mut size = (events.len() / 2).max(1);
        loop {
            let mut from = 0;
            while from < events.len() {
                let mut fewer = events.clone();
                fewer.drain(from..(from + size).min(fewer.len()));
                if is_broken(&fewer) {
                    events = fewer;
                } else {
                    from += size;
                }
            }
            if size == 1 {
                break;
            }
            size /= 2;
        }
        plainer(&mut events, &is_broken);
        if events.len() == before {
            return events;
        }
    }
}

/// Fields that make no difference go, and event ids become those that a story gives.
fn plainer(events: &mut Events, is_broken: &impl Fn(&Events) -> bool) {
    for place in 0..events.len() {
        let Ok(Value::Object(event)) = serde_json::from_str::<Value>(&events[place].0) else { return };
        let optional = event.keys().filter(|name| !is_needed(name));
        for name in optional.cloned().collect::<Vec<_>>() {
            attempt(events, place, is_broken, |event| drop(event.remove(&name)));
        }
        attempt(events, place, is_broken, |event| {
            drop(event.insert("event_id".to_owned(), json!(format!("e{place}"))))
        });
    }
}

fn attempt(
    events: &mut Events,
    place: usize,
    is_broken: &impl Fn(&Events) -> bool,
    change: impl Fn(&mut Map<String, Value>),
) {
    let mut other = events.clone();
    let Ok(Value::Object(mut event)) = serde_json::from_str::<Value>(&other[place].0) else { return };
    change(&mut event);
    other[place].0 = Value::Object(event).to_string();
    if is_broken(&other) {
        *events = other;
    }
}

/// Without these an event is not well formed.
fn is_needed(name: &str) -> bool {
    [
        "type",
        "event_id",
        "creator_id",
        "occurred_at",
        "name",
        "currency",
        "time_zone",
        "member_id",
        "share_id",
        "platform",
        "share_type",
        "click_id",
        "referral_code",
        "conversion_id",
        "kind",
        "original_id",
        "amount",
        "commission_id",
        "subject_type",
        "subject_id",
        "verdict",
        "label",
        "reason",
        "actor",
    ]
    .contains(&name)
}
