//! Adversarial scripts: few ids that collide, all kinds of events, at the edges of days and of summer time.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tributary::ids::Millis;

use super::compare::Events;

/// One event, as numbers that shrink to the plainest.
#[derive(Debug, Clone)]
pub(crate) struct Draw {
    kind: u8,
    /// Which ids, amounts and settings it names.
    picks: [u8; 10],
    /// Since the one before it came.
    gap: u8,
    /// How much earlier than it came it happened.
    late: u8,
    /// Whether it repeats an earlier one, and how far back that is.
    again: u8,
    back: u8,
}

/// A whole script: where it begins, what it dwells on, and its events.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    start: u8,
    focus: u8,
    /// Settings of the creator that the script may begin with; `None`: it begins with anything.
    prelude: Option<[u8; 10]>,
    /// Amounts near the ends of 64 bits.
    huge: u8,
    draws: Vec<Draw>,
}

pub(crate) fn scripts(most: usize) -> impl Strategy<Value = Script> {
    let draw = (any::<u8>(), any::<[u8; 10]>(), any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>());
    let draw = draw.prop_map(|(kind, picks, gap, late, again, back)| Draw { kind, picks, gap, late, again, back });
    let prelude = proptest::option::weighted(0.85, any::<[u8; 10]>());
    let head = (any::<u8>(), any::<u8>(), prelude, any::<u8>());
    (head, proptest::collection::vec(draw, 1..most)).prop_map(|((start, focus, prelude, huge), draws)| Script {
        start,
        focus,
        prelude,
        huge,
        draws,
    })
}

fn pick<T: Copy>(from: &[T], n: u8) -> T {
    from[usize::from(n) % from.len()]
}

/// Millisecond stamps of instants around which days and offsets change.
const STARTS: [i64; 8] = [
    1_767_225_600_000, // 2026-01-01T00:00Z
    1_772_950_800_000, // 2026-03-08T06:20Z, before New York's clocks go forward
    1_793_510_400_000, // 2026-11-01T05:20Z, before they go back
    1_775_313_000_000, // 2026-04-04T14:30Z, before Lord Howe's go back by half an hour
    1_771_120_200_000, // 2026-02-15T01:50Z, before Casablanca's for Ramadan
    1_774_144_200_000, // 2026-03-22T01:50Z, and after it
    1_767_205_500_000, // 2025-12-31T18:25Z, five minutes before midnight in Kolkata
    1_767_225_300_000, // five minutes before midnight in UTC, and the year's end
];
const ZONES: [&str; 6] =
    ["UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Casablanca", "Mars/Base"];
const MEMBERS: [&str; 5] = ["m0", "m1", "m2", "👩\u{200d}👧", "m3"];
const CODES: [&str; 8] = ["a", "b", "A", " a ", "B", "ß", "\u{a0}b", "c"];
const CUSTOMERS: [&str; 4] = ["u0", "u1", "u2", "u\u{0}\u{202e}"];
const CLICKS: [&str; 8] = ["k0", "k1", "k2", "k3", "k4", "k5", "k6", "undefined"];
const CONVERSIONS: [&str; 10] = ["p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9"];
const COMMISSIONS: [&str; 8] = ["x0", "x1", "x2", "x3", "auto:p0:m0", "auto:p1:m1", "auto:p2:m0", "auto:p3:m1"];
const CURRENCIES: [Option<&str>; 10] =
    [None, None, None, None, None, None, Some("EUR"), Some("JPY"), Some("BHD"), Some("XTS")];
const TOKENS: [&str; 3] =
    ["00000000000000000000000000000001", "00000000000000000000000000000002", "00000000000000000000000000000003"];
const AMOUNTS: [i64; 12] = [1000, 333, 1, 0, 1005, -1, -500, 4_290_000_001, 7, 250, 100, 10];
const HUGE: [i64; 6] = [i64::MAX, -i64::MAX, i64::MAX - 1, 1 << 62, 3, -(1 << 62)];
const MINUTE: i64 = 60_000;
const DAY: i64 = 86_400_000;
const SHORT_GAPS: [i64; 8] = [0, 1, 1_000, MINUTE, 4 * MINUTE, 11 * MINUTE, 20 * MINUTE, 59 * MINUTE];
const LONG_GAPS: [i64; 8] =
    [3 * 60 * MINUTE, 12 * 60 * MINUTE, DAY - 1, DAY, DAY + 10 * MINUTE, 9 * DAY, 31 * DAY, 46 * DAY];
const LATE: [i64; 13] = [
    MINUTE,
    MINUTE,
    15 * MINUTE,
    240 * MINUTE,
    240 * MINUTE,
    DAY,
    2 * DAY,
    31 * DAY,
    61 * DAY,
    -4 * MINUTE,
    -6 * MINUTE,
    -20 * MINUTE,
    -DAY,
];
const EDGES: [i64; 6] =
    [946_684_800_000, 946_684_799_999, 4_102_444_799_999, 4_102_444_800_000, 0, -62_135_596_800_000];

/// Kinds and how often they come, by what the script dwells on.
const ALL: &[(&str, u16)] = &[
    ("creator", 2),
    ("member", 12),
    ("sighting", 2),
    ("share", 6),
    ("click", 16),
    ("signup", 6),
    ("purchase", 12),
    ("renewal", 6),
    ("refund", 8),
    ("chargeback", 4),
    ("chargeback_reversed", 4),
    ("earned", 6),
    ("adjusted", 3),
    ("reversed", 3),
    ("approved", 3),
    ("paid", 3),
    ("review", 6),
    ("tick", 3),
    ("erasure", 2),
];
const CREDIT: &[(&str, u16)] = &[
    ("creator", 2),
    ("member", 10),
    ("click", 30),
    ("signup", 10),
    ("purchase", 20),
    ("renewal", 12),
    ("refund", 5),
    ("review", 3),
    ("tick", 4),
    ("erasure", 2),
];
const MONEY: &[(&str, u16)] = &[
    ("creator", 2),
    ("member", 6),
    ("signup", 2),
    ("purchase", 16),
    ("renewal", 4),
    ("refund", 16),
    ("chargeback", 8),
    ("chargeback_reversed", 8),
    ("earned", 12),
    ("adjusted", 5),
    ("reversed", 5),
    ("approved", 5),
    ("paid", 5),
    ("review", 8),
    ("tick", 4),
];

impl Script {
    /// Leaves out what the fold cannot do yet, or what a law cannot bear.
    pub(crate) fn events(&self, without: &[&str]) -> Events {
        let crowd = self.focus >= 224;
        let mut maker = Maker { huge: self.huge >= 224, crowd, arrival: pick(&STARTS, self.start), events: Vec::new() };
        if let Some(picks) = self.prelude {
            maker.begin(picks);
        }
        let table = if crowd { CREDIT } else { pick(&[ALL, CREDIT, MONEY, ALL], self.focus) };
        for draw in &self.draws {
            let kind = kind_of(table, draw.kind);
            if !without.contains(&kind) {
                maker.add(draw, kind);
            }
        }
        maker.events.into_iter().map(|(event, at)| (Value::Object(event).to_string(), Millis(at))).collect()
    }
}

fn kind_of(table: &[(&'static str, u16)], n: u8) -> &'static str {
    let all: u16 = table.iter().map(|(_, often)| often).sum();
    // 0 is the last of the table, so that a shrunk script is of Ticks.
    let mut place = (255 - u16::from(n)) * all / 256;
    for (kind, often) in table {
        if place < *often {
            return kind;
        }
        place -= often;
    }
    "tick"
}

/// The script as it grows.
struct Maker {
    huge: bool,
    /// One visitor makes all the clicks: more than are kept of it.
    crowd: bool,
    arrival: i64,
    events: Vec<(Map<String, Value>, i64)>,
}

impl Maker {
    /// A creator and two members with a code each.
    fn begin(&mut self, picks: [u8; 10]) {
        let mut first = self.creator(&picks);
        first.insert("time_zone".to_owned(), json!(pick(&ZONES[..5], picks[2])));
        let member = |n: &str, code: &str| {
            record("Member", [("member_id", json!(n)), ("referral_code", json!(code)), ("status", Value::Null)])
        };
        for event in [first, member("m0", "a"), member("m1", "b")] {
            self.push(event, self.arrival);
        }
    }

    fn push(&mut self, mut event: Map<String, Value>, occurred: i64) {
        let n = self.events.len();
        if self.crowd && matches!(event["type"].as_str(), Some("Click" | "Conversion")) {
            event.remove("device_token");
            event.insert("ip_token".to_owned(), json!(TOKENS[0]));
        }
        event.entry("event_id").or_insert(json!(format!("e{n}")));
        event.entry("creator_id").or_insert(json!("c"));
        event.insert("occurred_at".to_owned(), json!(occurred));
        self.events.push((event, self.arrival));
    }

    fn add(&mut self, draw: &Draw, kind: &str) {
        self.arrival += match draw.gap {
            0..=207 => pick(&SHORT_GAPS, draw.gap),
            208..=251 => pick(&LONG_GAPS[..5], draw.gap),
            252..=255 => pick(&LONG_GAPS, draw.gap),
        };
        let mut occurred = self.arrival;
        if draw.late >= 160 {
            occurred -= pick(&LATE, draw.late);
        }
        if draw.late == 255 {
            occurred = pick(&EDGES, draw.gap);
        }
        let earlier = self.events.len().checked_sub(1 + usize::from(draw.back) % 32);
        let earlier = earlier.and_then(|place| self.events.get(place)).map(|(event, _)| event.clone());
        match (draw.again, earlier) {
            // Sent again as it was.
            (246..=255, Some(event)) => {
                let occurred = event["occurred_at"].as_i64().unwrap();
                self.push(event, occurred);
            }
            // The same fact under a new event id.
            (238..=245, Some(mut event)) => {
                event.remove("event_id");
                self.push(event, occurred);
            }
            // Another fact under a known event id.
            (234..=237, Some(event)) => {
                let mut other = self.body(draw, kind);
                other.insert("event_id".to_owned(), event["event_id"].clone());
                self.push(other, occurred);
            }
            _ => {
                let mut event = self.body(draw, kind);
                if draw.again == 233 {
                    event.insert("creator_id".to_owned(), json!("d"));
                }
                if draw.again == 232 {
                    event.insert("received_at".to_owned(), json!(self.arrival - 10 * MINUTE));
                }
                self.push(event, occurred);
            }
        }
    }

    fn body(&self, draw: &Draw, kind: &str) -> Map<String, Value> {
        match kind {
            "creator" => self.creator(&draw.picks),
            "member" => member(draw, self.arrival),
            "sighting" => record("Sighting", [("member_id", member_id(draw))]),
            "share" => share(draw),
            "click" => click(draw),
            "earned" | "adjusted" | "reversed" | "approved" | "paid" => self.commission(draw, kind),
            "review" => self.review(draw),
            "erasure" => erasure(draw),
            "tick" => record("Tick", []),
            kind => self.conversion(draw, kind),
        }
    }

    fn amount(&self, n: u8) -> i64 {
        if self.huge && n >= 160 { pick(&HUGE, n) } else { pick(&AMOUNTS, n) }
    }

    fn creator(&self, picks: &[u8; 10]) -> Map<String, Value> {
        let windows = [2_592_000_000_i64, 3_600_000, 600_000, 86_400_000, 0, 5_184_000_000, 315_360_000_000];
        let attribution = json!({
            "model": pick(&["last", "first", "linear"], picks[8]),
            "precedence": pick(&["coupon_first", "click_first"], picks[3]),
            "signup_window_ms": pick(&windows, picks[4]),
            "purchase_window_ms": pick(&windows, picks[5]),
        });
        let on: &[&str] = if picks[9] >= 170 { &["signup", "purchase"] } else { &[] };
        let commission = json!({
            "source": pick(&["producer", "derived"], picks[1]),
            "rate_bp": if self.huge { pick(&[0, 1_000_000, 3_333], picks[6]) } else { pick(&[1_000, 3_333, 0], picks[6]) },
            "flat_amount": if self.huge && picks[9] >= 128 { i64::MAX } else { i64::from(picks[6]) },
            "hold_days": pick(&[14, 0, 1, 3_650], picks[7]),
            "on": on,
        });
        record(
            "Creator",
            [
                ("name", json!("Club")),
                ("currency", json!(pick(&["EUR", "EUR", "EUR", "JPY"], picks[0]))),
                ("time_zone", json!(pick(&ZONES, picks[2]))),
                ("attribution", attribution),
                ("commission", commission),
            ],
        )
    }

    fn conversion(&self, draw: &Draw, kind: &str) -> Map<String, Value> {
        let p = &draw.picks;
        let is_order = matches!(kind, "purchase" | "renewal");
        let refers =
            matches!(kind, "refund" | "chargeback" | "chargeback_reversed") || (kind == "renewal" && p[1] >= 128);
        let has_amount = is_order || p[6] >= 60;
        let is_credited = is_order || kind == "signup";
        let maybe_sale = |value: &str, n: u8, from: u8| if is_credited { maybe(value, n, from) } else { Value::Null };
        record(
            "Conversion",
            [
                ("conversion_id", json!(conversion_id(kind, p[0]))),
                ("kind", json!(kind)),
                ("original_id", if refers { json!(original_id(kind, p[1])) } else { Value::Null }),
                ("customer_id", if p[2] < 224 { json!(pick(&CUSTOMERS, p[2])) } else { Value::Null }),
                ("click_id", maybe_sale(pick(&CLICKS, p[3]), p[3], 120)),
                ("referral_code", maybe_sale(pick(&CODES, p[4]), p[4], 190)),
                ("coupon", maybe_sale(pick(&CODES, p[7]), p[7], 225)),
                ("device_token", maybe_sale(pick(&TOKENS, p[8]), p[8], 128)),
                ("ip_token", maybe_sale(pick(&TOKENS, p[9]), p[9], 128)),
                ("amount", if has_amount { json!(self.amount(p[6])) } else { Value::Null }),
                ("currency", json!(pick(&CURRENCIES, p[5]))),
                ("payment_type", maybe_sale(pick(&["initial", "recurring"], p[5]), p[5], 230)),
            ],
        )
    }

    fn commission(&self, draw: &Draw, kind: &str) -> Map<String, Value> {
        let p = &draw.picks;
        let stated = matches!(kind, "earned" | "adjusted" | "reversed");
        record(
            "Commission",
            [
                ("commission_id", json!(pick(&COMMISSIONS, p[1]))),
                ("kind", json!(kind)),
                ("member_id", json!(if p[0] < 200 { pick(&MEMBERS, p[1]) } else { pick(&MEMBERS, p[0]) })),
                ("conversion_id", maybe(pick(&CONVERSIONS, p[2]), p[3], 100)),
                ("amount", if stated || p[6] >= 128 { json!(self.amount(p[6])) } else { Value::Null }),
                ("currency", json!(pick(&CURRENCIES, p[5]))),
                ("paid_at", if p[7] >= 200 { json!(self.arrival - 5 * MINUTE) } else { Value::Null }),
            ],
        )
    }

    fn review(&self, draw: &Draw) -> Map<String, Value> {
        let p = &draw.picks;
        let (kind, id) = match p[0] {
            0..=120 => ("conversion", pick(&CONVERSIONS, p[1])),
            121..=235 => ("commission", pick(&COMMISSIONS, p[1])),
            236..=255 => ("click", pick(&CLICKS, p[1])),
        };
        let expires = [self.arrival + DAY, self.arrival + 30 * MINUTE, self.arrival - DAY];
        record(
            "Review",
            [
                ("subject_type", json!(kind)),
                ("subject_id", json!(id)),
                ("verdict", json!(if p[2] < 170 { "block" } else { "approve" })),
                ("label", json!("unsure")),
                ("reason", json!("r")),
                ("actor", json!("o")),
                ("expires_at", if p[3] >= 128 { json!(pick(&expires, p[3])) } else { Value::Null }),
            ],
        )
    }
}

fn record<const N: usize>(kind: &str, fields: [(&str, Value); N]) -> Map<String, Value> {
    let mut event = Map::new();
    event.insert("type".to_owned(), json!(kind));
    for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_null()) {
        event.insert(name.to_owned(), value);
    }
    event
}

/// Sales share few ids, so that they are referred to and collide; what refers has more.
fn conversion_id(kind: &str, n: u8) -> String {
    match (kind, n) {
        (_, 0..=7) => pick(&CONVERSIONS, n).to_owned(),
        ("refund", _) => format!("r{}", n % 60),
        ("chargeback", _) => format!("b{}", n % 12),
        ("chargeback_reversed", _) => format!("w{}", n % 30),
        (_, 8..=127) => pick(&CONVERSIONS, n).to_owned(),
        (_, 128..=255) => format!("p{}", n % 60),
    }
}

fn original_id(kind: &str, n: u8) -> String {
    match (kind, n) {
        ("chargeback_reversed", 0..=127) => format!("b{}", n % 12),
        (_, 250..=255) => format!("r{}", n % 60),
        _ => pick(&CONVERSIONS, n).to_owned(),
    }
}

fn member_id(draw: &Draw) -> Value {
    json!(pick(&MEMBERS, draw.picks[0]))
}

/// Only for greater numbers: what shrinks loses its fields.
fn maybe(value: &str, n: u8, from: u8) -> Value {
    if n >= from { json!(value) } else { Value::Null }
}

fn member(draw: &Draw, arrival: i64) -> Map<String, Value> {
    let p = &draw.picks;
    let coupons = [pick(&CODES, p[2]), pick(&CODES, p[3])];
    record(
        "Member",
        [
            ("member_id", member_id(draw)),
            ("user_id", maybe("q-1", p[7], 220)),
            ("username", maybe(pick(&["Ann", "\u{202e}Bo\u{301}b"], p[8]), p[8], 200)),
            ("referral_code", maybe(pick(&CODES, p[1]), p[5], 128)),
            ("coupons", if p[6] >= 192 { json!(coupons) } else { Value::Null }),
            ("joined_at", if p[9] >= 200 { json!(arrival - pick(&LONG_GAPS, p[9])) } else { Value::Null }),
            ("status", maybe(pick(&["suspended", "removed", "active"], p[4]), p[4], 128)),
        ],
    )
}

fn share(draw: &Draw) -> Map<String, Value> {
    record(
        "Share",
        [
            ("share_id", json!(format!("s{}", draw.picks[1] % 6))),
            ("member_id", member_id(draw)),
            ("platform", json!(pick(&["x", "x", "mail"], draw.picks[2]))),
            ("share_type", json!("link")),
        ],
    )
}

fn click(draw: &Draw) -> Map<String, Value> {
    let p = &draw.picks;
    // More ids than conversions name, or most would be duplicates.
    let id = if p[1] < 120 { pick(&CLICKS, p[1]).to_owned() } else { format!("k{}", p[1]) };
    let by_code = p[2] >= 170;
    record(
        "Click",
        [
            ("click_id", json!(id)),
            ("member_id", if by_code && p[2] < 250 { Value::Null } else { member_id(draw) }),
            ("referral_code", if by_code { json!(pick(&CODES, p[3])) } else { Value::Null }),
            ("device_token", maybe(pick(&TOKENS, p[4]), p[5], 150)),
            ("ip_token", maybe(pick(&TOKENS, p[8]), p[6], 100)),
            ("method", maybe("HEAD", p[7], 235)),
            ("share_id", maybe("s1", p[9], 150)),
        ],
    )
}

fn erasure(draw: &Draw) -> Map<String, Value> {
    let (kind, id) = if draw.picks[1] < 100 {
        ("member", member_id(draw))
    } else {
        ("customer", json!(pick(&CUSTOMERS, draw.picks[0])))
    };
    record("Erasure", [("subject_type", json!(kind)), ("subject_id", id), ("actor", json!("o"))])
}
