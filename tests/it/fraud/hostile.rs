//! What anybody may send: any text as user agent, any token, amount and time. It is refused or judged, never a panic, and
//! what is kept of it is bounded.

use proptest::prelude::*;
use proptest::strategy::Union;
use serde_json::{Map, Value, json};
use tributary::decode::{Scratch, from_json};
use tributary::ids::Millis;

use super::caps::assert_within_caps;
use super::tale::{DAY, FOUNDED, HOUR};
use crate::fold::seed::fixed;
use crate::fold::sums;
use crate::fold::world::{Flush, World};

/// Longer than any text may be.
const LONG: usize = 1 << 20;

/// User agents: none, empty, of control and other odd characters, made to be slow, and far too long.
fn agents() -> impl Strategy<Value = Value> {
    const ODD: [&str; 10] =
        ["", " ", "\u{0}", "\u{202e}tob", "\u{feff}", "a\u{0}curl/8", "💥", "ﬀ", "(((((((((((((((", "\\u0000"];
    const SLOW: [&str; 11] =
        ["a", "bot", "bo", "a/1.1 ", "; a", "mozilla/5.0 (a/1.1 ", "(", "[[", ".*", "(a+)+$", "Googlebo"];
    prop_oneof![
        1 => Just(Value::Null),
        4 => any::<String>().prop_map(Value::from),
        2 => proptest::sample::select(&ODD[..]).prop_map(Value::from),
        2 => (proptest::sample::select(&SLOW[..]), 1_usize..4_096).prop_map(|(part, bytes)| part.repeat(bytes / part.len()).into()),
        1 => Just(Value::from("a".repeat(LONG))),
        1 => prop_oneof![Just(json!(17)), Just(json!([])), Just(json!({"a": 1}))],
    ]
}

/// Any 128 bits; and what is none.
fn tokens() -> impl Strategy<Value = Value> {
    prop_oneof![
        2 => Just(Value::Null),
        6 => any::<u128>().prop_map(|n| json!(format!("{n:032x}"))),
        3 => (0_u8..3).prop_map(|n| json!(format!("{n:032x}"))),
        1 => Just(json!("f".repeat(32))),
        1 => any::<u128>().prop_map(|n| json!(format!("{n:032X}"))),
        1 => "[0-9a-g]{0,40}".prop_map(Value::from),
        1 => Just(json!("127.0.0.1")),
        1 => any::<i64>().prop_map(Value::from),
    ]
}

fn amounts() -> impl Strategy<Value = Value> {
    const ENDS: [i64; 7] = [i64::MAX, -i64::MAX, i64::MIN, i64::MAX - 1, 0, 1, -1];
    prop_oneof![
        3 => proptest::sample::select(&ENDS[..]).prop_map(Value::from),
        2 => any::<i64>().prop_map(Value::from),
        3 => (0_i64..1_000).prop_map(Value::from),
        1 => Just(Value::Null),
        1 => prop_oneof![Just(json!(1e300)), Just(json!("17")), Just(json!(u64::MAX)), Just(json!(0.5))],
    ]
}

/// Of an event that comes at `at`.
fn times(at: i64) -> impl Strategy<Value = Value> {
    let ends = [i64::MIN, i64::MAX, 0, -1, 946_684_800_000, 946_684_799_999, 4_102_444_799_999, 4_102_444_800_000];
    Union::new_weighted(vec![
        (10, Just(json!(at)).boxed()),
        (3, (-2 * DAY..HOUR).prop_map(move |skew| json!(at + skew)).boxed()),
        (2, proptest::sample::select(ends.to_vec()).prop_map(Value::from).boxed()),
        (1, any::<i64>().prop_map(Value::from).boxed()),
        (1, Just(json!("9999-12-31T23:59:59Z")).boxed()),
    ])
}

/// One event: its kind and fields by number, and what is odd of it.
fn steps() -> impl Strategy<Value = Vec<(u8, i64, Value)>> {
    let step = (any::<u8>(), 0_i64..HOUR, agents(), proptest::array::uniform4(tokens()), amounts(), any::<u8>());
    let step = step.prop_flat_map(|(kind, gap, agent, tokens, amount, n)| {
        times(0).prop_map(move |skew| (kind, gap, event(kind, n, &agent, &tokens, &amount, &skew)))
    });
    proptest::collection::vec(step, 1..80)
}

fn event(
    kind: u8,
    n: u8,
    agent: &Value,
    [ip, device, other, network]: &[Value; 4],
    amount: &Value,
    skew: &Value,
) -> Value {
    let known = format!("p{}", n % 8);
    let event = match kind % 8 {
        0..=2 => json!({
            "type": "Click", "click_id": format!("k{n}"), "member_id": "ann", "user_agent": agent, "ip_token": ip,
            "device_token": device, "ip56_token": network,
        }),
        3 => json!({
            "type": "Sighting", "member_id": "ann", "ip_token": ip, "device_token": device, "email_token": other,
            "payout_token": network,
        }),
        4..=5 => json!({
            "type": "Conversion", "conversion_id": known, "kind": "purchase", "click_id": format!("k{n}"),
            "customer_id": format!("u{}", n % 3), "amount": amount, "ip_token": ip, "device_token": device,
            "email_token": other, "payment_token": network,
        }),
        6 => json!({
            "type": "Conversion", "conversion_id": format!("r{n}"), "kind": if n.is_multiple_of(2) { "refund" } else { "chargeback" },
            "original_id": known, "amount": amount,
        }),
        _ => json!({
            "type": "Review", "subject_type": if n.is_multiple_of(2) { "click" } else { "conversion" },
            "subject_id": if n.is_multiple_of(2) { format!("k{n}") } else { known }, "verdict": "block", "label": "fraud",
            "reason": "seen", "actor": "ops", "expires_at": amount,
        }),
    };
    let mut event = event;
    event["occurred_at"] = skew.clone();
    event
}

/// Its time is a skew unless it is far off already.
fn dated(event: &mut Map<String, Value>, at: i64) {
    let skew = event.get("occurred_at").and_then(Value::as_i64);
    if let Some(skew) = skew.filter(|skew| skew.unsigned_abs() <= 3 * DAY.unsigned_abs()) {
        event.insert("occurred_at".to_owned(), json!(at + skew));
    }
}

proptest! {
    #![proptest_config(fixed(60))]

    #[test]
    fn whatever_is_sent_is_refused_or_judged(steps in steps()) {
        let mut world = World::alone(Flush::AtTheEnd);
        let founded = r#"{"type":"Creator","event_id":"c","creator_id":"c","occurred_at":1767225600000,"name":"Club","currency":"EUR","time_zone":"UTC","commission":{"source":"derived","rate_bp":1000,"hold_days":14}}"#;
        world.apply(founded, Millis(FOUNDED));
        world.apply(r#"{"type":"Member","event_id":"m","creator_id":"c","occurred_at":1767225600000,"member_id":"ann"}"#, Millis(FOUNDED));
        let (mut at, mut read) = (FOUNDED, 2);
        for (n, (_, gap, mut event)) in steps.into_iter().enumerate() {
            at += gap;
            let fields = event.as_object_mut().unwrap();
            dated(fields, at);
            fields.retain(|_, value| !value.is_null());
            fields.insert("event_id".to_owned(), json!(format!("e{n}")));
            fields.insert("creator_id".to_owned(), json!("c"));
            let text = event.to_string();
            if from_json(text.as_bytes(), &mut Scratch::default()).is_ok() {
                world.apply(&text, Millis(at));
                read += 1;
            }
        }
        world.flush();
        prop_assert_eq!(world.read, read);
        sums::check(&world);
        assert_within_caps(&mut world.state);
    }
}

/// A text that is too long is refused before anything looks at it; the longest that is not is looked at.
#[test]
fn a_user_agent_has_a_length() {
    let click = |agent: &str| {
        let event = json!({
            "type": "Click", "event_id": "e", "creator_id": "c", "occurred_at": FOUNDED, "click_id": "k", "member_id": "ann",
            "user_agent": agent,
        });
        from_json(event.to_string().as_bytes(), &mut Scratch::default()).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(click(&"(a+)+$".repeat(600)), Ok(()));
    assert!(click(&"a".repeat(4_097)).is_err());
    assert!(click(&"a".repeat(LONG)).is_err());
    // Half of a surrogate pair.
    let broken = r#"{"type":"Click","event_id":"e","creator_id":"c","occurred_at":1767225600000,"click_id":"k","member_id":"ann","user_agent":"\ud83d"}"#;
    assert!(from_json(broken.as_bytes(), &mut Scratch::default()).is_err());
}
