//! Events told one by one, at so many milliseconds after the start.

use serde_json::{Value, json};
use tributary::append::Outgoing;
use tributary::decode::json::{Scratch, from_json};

use super::programme::START;

fn event(kind: &str, creator: &str, id: &str, after: i64, fields: Value) -> String {
    let mut event = json!({"type": kind, "event_id": id, "creator_id": creator, "occurred_at": START.0 + after});
    event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    event.to_string()
}

pub(crate) fn creator(id: &str, after: i64) -> String {
    event("Creator", id, &format!("c-{id}"), after, json!({"name": id, "currency": "EUR", "time_zone": "UTC"}))
}

pub(crate) fn member(creator: &str, id: &str, after: i64) -> String {
    let fields = json!({"member_id": id, "referral_code": format!("{creator}-{id}")});
    event("Member", creator, &format!("m-{id}"), after, fields)
}

pub(crate) fn purchase(creator: &str, id: &str, member: &str, after: i64) -> String {
    let fields = json!({"conversion_id": id, "kind": "purchase", "referral_code": format!("{creator}-{member}"),
                        "customer_id": format!("customer-{id}"), "amount": 1_000, "currency": "EUR"});
    event("Conversion", creator, id, after, fields)
}

pub(crate) fn click(creator: &str, id: &str, member: &str, after: i64) -> String {
    event("Click", creator, &format!("k-{id}"), after, json!({"click_id": id, "member_id": member, "platform": "x"}))
}

/// As a producer sends it when it happens.
pub(crate) fn outgoing(json: &str, partitions: u32) -> Outgoing {
    let mut scratch = Scratch::default();
    let event = from_json(json.as_bytes(), &mut scratch).unwrap_or_else(|error| panic!("{error}: {json}"));
    Outgoing::of_event(&event, event.occurred_at, partitions)
}
