//! A year of a programme, at random and at hostile instants, and books of it that are kept from the events alone.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::server::Server;

pub const MINUTE: i64 = 60_000;
pub const QUARTER: i64 = 15 * MINUTE;
pub const DAY: i64 = 96 * QUARTER;
pub const MEMBERS: [&str; 3] = ["ann", "bob", "cid"];

pub fn at(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

/// The year and a little on both sides.
pub fn begin() -> i64 {
    at("2022-12-31T00:00:00Z")
}

pub fn end() -> i64 {
    at("2024-01-02T13:07:00Z")
}

/// What one event adds to the figures named, at its instant, of the member, if it is credited to one.
#[derive(Debug, Clone)]
pub struct Entry {
    pub t: i64,
    pub member: &'static str,
    /// By metric, and currency where it is money.
    pub adds: Vec<(&'static str, Option<&'static str>, i128)>,
}

/// A creator's events in the order in which they are sent, and its books.
pub struct Year {
    creator: String,
    pub events: Vec<(i64, Value)>,
    pub books: Vec<Entry>,
    random: ChaCha8Rng,
}

impl Year {
    pub fn of(creator: &str, zone: &str, seed: u64) -> Self {
        let mut year = Self {
            creator: creator.to_owned(),
            events: Vec::new(),
            books: Vec::new(),
            random: ChaCha8Rng::seed_from_u64(seed),
        };
        let commission = json!({"source": "derived", "rate_bp": 1_000});
        let head = json!({"name": creator, "currency": "EUR", "time_zone": zone, "commission": commission});
        year.send("Creator", begin() - 3 * DAY, head);
        for member in MEMBERS {
            year.send("Member", begin() - 3 * DAY, json!({"member_id": member, "referral_code": member}));
        }
        let mut instants = hostile(zone);
        instants.extend((0..350).map(|_| year.random.random_range(begin()..end())));
        for t in instants {
            year.happen(t);
        }
        // Everybody does something on the last day, which is not over when the year ends.
        for member in MEMBERS {
            year.click(end() - MINUTE, member);
            year.sale(end() - 1, member);
        }
        year.events.sort_by_key(|(t, _)| *t);
        year
    }

    fn send(&mut self, kind: &str, t: i64, fields: Value) {
        let id = format!("e{}", self.events.len());
        let mut event = json!({"type": kind, "event_id": id, "creator_id": self.creator, "occurred_at": t});
        event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        self.events.push((t, event));
    }

    /// One thing, whatever it is, at `t`.
    fn happen(&mut self, t: i64) {
        let member = MEMBERS[self.random.random_range(0..MEMBERS.len())];
        match self.random.random_range(0..10) {
            0 => {
                let id = format!("s{}", self.events.len());
                let fields = json!({"share_id": id, "member_id": member, "platform": "x", "share_type": "link"});
                self.send("Share", t, fields);
                self.book(t, member, vec![("shares", None, 1)]);
            }
            1 => self.signup(t, member),
            2..=5 => self.sale(t, member),
            _ => self.click(t, member),
        }
    }

    fn click(&mut self, t: i64, member: &'static str) {
        let is_bot = self.random.random_bool(0.2);
        let agent = if is_bot { "Googlebot/2.1" } else { "Mozilla/5.0 (X11; Linux) Firefox/130.0" };
        let id = format!("k{}", self.events.len());
        self.send("Click", t, json!({"click_id": id, "member_id": member, "user_agent": agent}));
        let human = i128::from(!is_bot);
        let adds = vec![("clicks_total", None, 1), ("clicks_human", None, human), ("clicks_unique", None, human)];
        self.book(t, member, adds);
    }

    fn signup(&mut self, t: i64, member: &'static str) {
        let id = format!("u{}", self.events.len());
        let fields = json!({"conversion_id": id, "kind": "signup", "referral_code": member, "customer_id": id});
        self.send("Conversion", t, fields);
        self.book(t, member, vec![("signups", None, 1), ("referrals", None, 1)]);
    }

    /// A sale of a new customer; some are refunded in part, or their commission is paid, at some later time.
    pub fn sale(&mut self, t: i64, member: &'static str) {
        let id = format!("p{}", self.events.len());
        let currency = if self.random.random_bool(0.3) { "JPY" } else { "EUR" };
        let amount = self.random.random_range(1..100_i64) * 1_000;
        let fields = json!({"conversion_id": id, "kind": "purchase", "referral_code": member, "customer_id": id,
                            "amount": amount, "currency": currency});
        self.send("Conversion", t, fields);
        let amount_wide = i128::from(amount);
        let adds = vec![
            ("orders", None, 1),
            ("customers", None, 1),
            ("referrals", None, 1),
            ("revenue_gross", Some(currency), amount_wide),
            ("revenue_net", Some(currency), amount_wide),
            ("commission_earned", Some(currency), amount_wide / 10),
            ("commission_net", Some(currency), amount_wide / 10),
        ];
        self.book(t, member, adds);
        let later = t + self.random.random_range(0..40 * DAY);
        if later >= end() {
            return;
        }
        if self.random.random_bool(0.4) {
            let back = i128::from(amount / 1_000) * 300;
            let fields = json!({"conversion_id": format!("r{id}"), "kind": "refund", "original_id": id,
                                "amount": i64::try_from(back).unwrap(), "currency": currency});
            self.send("Conversion", later, fields);
            let adds = vec![
                ("revenue_refunded", Some(currency), back),
                ("revenue_net", Some(currency), -back),
                ("commission_reversed", Some(currency), back / 10),
                ("commission_net", Some(currency), -back / 10),
            ];
            self.book(later, member, adds);
        } else if self.random.random_bool(0.3) {
            let fields = json!({"commission_id": format!("auto:{id}:{member}"), "kind": "paid", "member_id": member,
                                "amount": amount / 10, "currency": currency});
            self.send("Commission", later, fields);
            self.book(later, member, vec![("commission_paid", Some(currency), amount_wide / 10)]);
        }
    }

    fn book(&mut self, t: i64, member: &'static str, adds: Vec<(&'static str, Option<&'static str>, i128)>) {
        self.books.push(Entry { t, member, adds });
    }

    /// Sends all events in order; the token of the last.
    pub async fn fill(&self, server: &Server) -> String {
        let mut token = String::new();
        for batch in self.events.chunks(500) {
            let batch: Vec<&Value> = batch.iter().map(|(_, event)| event).collect();
            token = server.fill(&json!(batch)).await;
        }
        token
    }
}

/// Instants at which calendars go wrong: around every change of the clock, midnights, the ends of months and years.
fn hostile(zone: &str) -> Vec<i64> {
    let zone = TimeZone::get(zone).unwrap();
    let (from, to) = (Timestamp::from_millisecond(begin()).unwrap(), Timestamp::from_millisecond(end()).unwrap());
    let changes = zone.following(from).map(|change| change.timestamp()).take_while(|t| *t < to);
    let mut edges: Vec<i64> = changes.map(Timestamp::as_millisecond).collect();
    for edge in edges.clone() {
        edges.extend([-90, -60, -30, -15, 15, 30, 60, 90].map(|minutes| edge + minutes * MINUTE));
    }
    for month in 1..=12 {
        let date = jiff::civil::Date::new(2023, month, 1).unwrap();
        edges.push(zone.to_timestamp(date.at(0, 0, 0, 0)).unwrap().as_millisecond());
        edges.push(jiff::tz::Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).unwrap().as_millisecond());
    }
    let new_year = jiff::civil::Date::new(2024, 1, 1).unwrap();
    edges.push(zone.to_timestamp(new_year.at(0, 0, 0, 0)).unwrap().as_millisecond());
    edges.into_iter().flat_map(|edge| [edge - 1, edge, edge + 1]).collect()
}

/// What `adds` come to, by metric and currency; those of 0 are left out.
pub fn add_up<'e>(entries: impl Iterator<Item = &'e Entry>) -> BTreeMap<(String, Option<String>), i128> {
    let mut sums = BTreeMap::new();
    for (metric, currency, value) in entries.flat_map(|entry| &entry.adds) {
        *sums.entry(((*metric).to_owned(), currency.map(str::to_owned))).or_default() += value;
    }
    sums.retain(|_, sum| *sum != 0);
    sums
}
