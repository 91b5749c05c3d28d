//! Adversarial scripts: few ids, all kinds of events, in orders, at times and with amounts that no programme has.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tributary::ids::Millis;

/// 2026-01-01T00:00Z.
const START: i64 = 1_767_225_600_000;

/// One event, as numbers that shrink.
#[derive(Debug, Clone)]
pub(crate) struct Draw {
    kind: u8,
    /// Which ids, amounts and settings it names.
    picks: [u8; 8],
    /// Since the one before it came.
    gap: u8,
    /// How much earlier than it came it happened.
    late: u8,
    /// Takes the event id of one before it.
    again: u8,
}

/// What a script may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Temper {
    /// What the books of the simulator keep: the creator first, every conversion with a customer.
    Tame,
    /// Anything well formed.
    Wild,
}

pub(crate) fn draws(most: usize) -> impl Strategy<Value = Vec<Draw>> {
    let draw = (any::<u8>(), any::<[u8; 8]>(), any::<u8>(), any::<u8>(), any::<u8>());
    let draw = draw.prop_map(|(kind, picks, gap, late, again)| Draw { kind, picks, gap, late, again });
    proptest::collection::vec(draw, 1..most)
}

fn pick<T: Copy>(from: &[T], n: u8) -> T {
    from[usize::from(n) % from.len()]
}

const MEMBERS: [&str; 5] = ["m0", "m1", "m2", "👩\u{200d}👧", "m3"];
const CODES: [&str; 8] = ["a", "A", " a ", "b", "B", "ß", "\u{a0}b", "c"];
const CUSTOMERS: [&str; 4] = ["u0", "u1", "u2", "u\u{0}\u{202e}"];
const CLICKS: [&str; 6] = ["k0", "k1", "k2", "k3", "k4", "undefined"];
const CONVERSIONS: [&str; 8] = ["p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7"];
const COMMISSIONS: [&str; 7] = ["x0", "x1", "x2", "x3", "auto:p0:m0", "auto:p1:m1", "auto:p2:m0"];
const CURRENCIES: [Option<&str>; 8] = [None, None, None, None, None, Some("EUR"), Some("JPY"), Some("XTS")];
const TOKENS: [&str; 2] = ["00000000000000000000000000000001", "00000000000000000000000000000002"];
const TAME: [i64; 10] = [0, 1, -1, 333, 1000, 1005, -500, 4_290_000_001, 7, 250];
const HUGE: [i64; 6] = [i64::MAX, -i64::MAX, i64::MAX - 1, 1 << 62, 3, -(1 << 62)];
const GAPS: [i64; 10] = [0, 1, 1_000, 60_000, 60_000, 1_200_000, 10_800_000, 86_400_000, 777_600_000, 3_456_000_000];
const LATE: [i64; 16] = [
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    60_000,
    14_400_000,
    172_800_000,
    2_678_400_000,
    5_270_400_000,
    -240_000,
    -1_200_000,
    -90_000_000,
    86_400_000,
];
const EDGES: [i64; 6] =
    [946_684_800_000, 946_684_799_999, 4_102_444_799_999, 4_102_444_800_000, 0, -62_135_596_800_000];

/// The events of a script, with the log's timestamps.
pub(crate) fn events(draws: &[Draw], temper: Temper, creator: &str) -> Vec<(String, Millis)> {
    let mut arrival = START;
    let mut events = Vec::new();
    for (n, draw) in draws.iter().enumerate() {
        arrival += pick(&GAPS, draw.gap);
        let mut occurred = arrival - pick(&LATE, draw.late);
        if temper == Temper::Wild && draw.late == 255 && draw.again < 100 {
            occurred = pick(&EDGES, draw.gap);
        }
        let body = if temper == Temper::Tame && n == 0 { creator_record(draw, temper) } else { body(draw, temper) };
        let mut event = body;
        let id = if temper == Temper::Wild && draw.again >= 250 { usize::from(draw.picks[7]) % (n + 1) } else { n };
        event.insert("event_id".to_owned(), json!(format!("e{id}")));
        event.insert("creator_id".to_owned(), json!(creator));
        event.insert("occurred_at".to_owned(), json!(occurred));
        events.push((Value::Object(event).to_string(), Millis(arrival)));
    }
    events
}

fn body(draw: &Draw, temper: Temper) -> Map<String, Value> {
    match draw.kind % 32 {
        0 => creator_record(draw, temper),
        1..=4 => member(draw),
        5 => record("Sighting", [("member_id", member_id(draw))]),
        6 => share(draw),
        7..=11 => click(draw),
        12..=13 => conversion(draw, temper, "signup"),
        14..=16 => conversion(draw, temper, "purchase"),
        17..=18 => conversion(draw, temper, "renewal"),
        19..=21 => conversion(draw, temper, "refund"),
        22 => conversion(draw, temper, "chargeback"),
        23 => conversion(draw, temper, "chargeback_reversed"),
        24..=25 => commission(draw, temper, "earned"),
        26 => commission(draw, temper, "adjusted"),
        27 => commission(draw, temper, "reversed"),
        28 => commission(draw, temper, "approved"),
        29 => commission(draw, temper, "paid"),
        30 => record("Tick", []),
        _ => record(
            "Erasure",
            [("subject_type", json!("member")), ("subject_id", member_id(draw)), ("actor", json!("o"))],
        ),
    }
}

fn record<const N: usize>(kind: &str, fields: [(&str, Value); N]) -> Map<String, Value> {
    let mut event = Map::new();
    event.insert("type".to_owned(), json!(kind));
    fields
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .for_each(|(name, value)| drop(event.insert(name.to_owned(), value)));
    event
}

fn member_id(draw: &Draw) -> Value {
    json!(pick(&MEMBERS, draw.picks[0]))
}

/// One time in `of`, else nothing.
fn maybe(value: &str, n: u8, of: u8) -> Value {
    if n.is_multiple_of(of) { json!(value) } else { Value::Null }
}

fn amount(draw: &Draw, temper: Temper) -> i64 {
    if temper == Temper::Wild && draw.again < 60 { pick(&HUGE, draw.picks[5]) } else { pick(&TAME, draw.picks[5]) }
}

fn creator_record(draw: &Draw, temper: Temper) -> Map<String, Value> {
    let zones: &[&str] = match temper {
        Temper::Tame => &["UTC", "Europe/Berlin", "America/St_Johns"],
        Temper::Wild => &["UTC", "Europe/Berlin", "America/St_Johns", "Mars/Base", "Pacific/Apia"],
    };
    let windows = [0_i64, 3_600_000, 2_592_000_000, 5_184_000_000, 315_360_000_000];
    let rates = if temper == Temper::Wild { [0, 1_000_000, 3_333] } else { [0, 1_000, 3_333] };
    let flat = if temper == Temper::Wild && draw.again < 60 { i64::MAX } else { i64::from(draw.picks[6]) };
    let on: &[&str] = if draw.picks[2].is_multiple_of(3) { &["signup", "purchase"] } else { &[] };
    let attribution = json!({
        "precedence": pick(&["coupon_first", "click_first"], draw.picks[3]),
        "signup_window_ms": pick(&windows, draw.picks[4]),
        "purchase_window_ms": pick(&windows, draw.picks[5]),
    });
    let commission = json!({
        "source": pick(&["producer", "derived"], draw.picks[1]),
        "rate_bp": pick(&rates, draw.picks[6]),
        "flat_amount": flat,
        "hold_days": pick(&[0, 1, 14, 3_650], draw.picks[7]),
        "on": on,
    });
    record(
        "Creator",
        [
            ("name", json!("Club")),
            ("currency", json!(pick(&["EUR", "EUR", "JPY"], draw.picks[0]))),
            ("time_zone", json!(pick(zones, draw.picks[2]))),
            ("attribution", attribution),
            ("commission", commission),
        ],
    )
}

fn member(draw: &Draw) -> Map<String, Value> {
    let coupons: &[&str] = &[pick(&CODES, draw.picks[2]), pick(&CODES, draw.picks[3])];
    let status = pick(&["active", "suspended", "removed", "active", "", "", ""], draw.picks[4]);
    record(
        "Member",
        [
            ("member_id", member_id(draw)),
            ("referral_code", maybe(pick(&CODES, draw.picks[1]), draw.picks[5], 2)),
            ("coupons", if draw.picks[6].is_multiple_of(4) { json!(coupons) } else { Value::Null }),
            ("status", if status.is_empty() { Value::Null } else { json!(status) }),
        ],
    )
}

fn share(draw: &Draw) -> Map<String, Value> {
    let id = format!("s{}", draw.picks[1] % 4);
    record(
        "Share",
        [
            ("share_id", json!(id)),
            ("member_id", member_id(draw)),
            ("platform", json!("x")),
            ("share_type", json!("link")),
        ],
    )
}

fn click(draw: &Draw) -> Map<String, Value> {
    let by_code = draw.picks[2].is_multiple_of(3);
    record(
        "Click",
        [
            ("click_id", json!(pick(&CLICKS, draw.picks[1]))),
            ("member_id", if by_code { Value::Null } else { member_id(draw) }),
            ("referral_code", if by_code { json!(pick(&CODES, draw.picks[3])) } else { Value::Null }),
            ("device_token", maybe(pick(&TOKENS, draw.picks[4]), draw.picks[5], 3)),
            ("ip_token", maybe(pick(&TOKENS, draw.picks[4]), draw.picks[6], 3)),
            ("method", maybe("HEAD", draw.picks[7], 7)),
            ("share_id", maybe("s1", draw.picks[7], 2)),
        ],
    )
}

fn conversion(draw: &Draw, temper: Temper, kind: &str) -> Map<String, Value> {
    let is_order = matches!(kind, "purchase" | "renewal");
    let refers = matches!(kind, "refund" | "chargeback" | "chargeback_reversed");
    let has_customer = temper == Temper::Tame || !draw.picks[2].is_multiple_of(5);
    let has_amount = is_order || !draw.picks[6].is_multiple_of(3);
    record(
        "Conversion",
        [
            ("conversion_id", json!(pick(&CONVERSIONS, draw.picks[0]))),
            ("kind", json!(kind)),
            ("original_id", if refers { json!(pick(&CONVERSIONS, draw.picks[1])) } else { Value::Null }),
            ("customer_id", if has_customer { json!(pick(&CUSTOMERS, draw.picks[2])) } else { Value::Null }),
            ("click_id", maybe(pick(&CLICKS, draw.picks[3]), draw.picks[4], 2)),
            ("referral_code", maybe(pick(&CODES, draw.picks[4]), draw.picks[3], 2)),
            ("coupon", maybe(pick(&CODES, draw.picks[6]), draw.picks[7], 4)),
            ("amount", if has_amount { json!(amount(draw, temper)) } else { Value::Null }),
            ("currency", json!(pick(&CURRENCIES, draw.picks[7]))),
        ],
    )
}

fn commission(draw: &Draw, temper: Temper, kind: &str) -> Map<String, Value> {
    let stated = matches!(kind, "earned" | "adjusted" | "reversed");
    let has_amount = stated || draw.picks[6].is_multiple_of(2);
    // A producer knows whose commission it is. What waits for a member first and for `earned` then is served in the
    // order in which it came to wait for `earned`, which another member's arrival could change.
    let whose = if temper == Temper::Tame { draw.picks[1] % 7 } else { draw.picks[0] };
    record(
        "Commission",
        [
            ("commission_id", json!(pick(&COMMISSIONS, draw.picks[1]))),
            ("kind", json!(kind)),
            ("member_id", json!(pick(&MEMBERS, whose))),
            ("conversion_id", maybe(pick(&CONVERSIONS, draw.picks[2]), draw.picks[3] % 4 + 1, 2)),
            ("amount", if has_amount { json!(amount(draw, temper)) } else { Value::Null }),
            ("currency", json!(pick(&CURRENCIES, draw.picks[7]))),
        ],
    )
}
