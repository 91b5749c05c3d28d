//! Series, totals and funnels of any zone, against sums over the events themselves.

use std::collections::BTreeMap;

use hyper::StatusCode;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::server::Server;
use super::year::{DAY, Entry, MEMBERS, MINUTE, QUARTER, Year, add_up, at, begin, end};

type Sums = BTreeMap<(String, Option<String>), i128>;

/// The period of an instant, by what the clock of the zone says then.
fn label(zone: &TimeZone, interval: &str, t: i64) -> String {
    let stamp = Timestamp::from_millisecond(t).unwrap();
    let local = zone.to_datetime(stamp);
    let date = local.date();
    match interval {
        // Which hour it is; where it began is for the answer to say.
        "hour" => format!("{date} {} {}", local.hour(), zone.to_offset(stamp).seconds()),
        "minute" => format!("{date} {} {} {}", local.hour(), local.minute(), zone.to_offset(stamp).seconds()),
        "day" => date.to_string(),
        "week" => format!("{}-W{:02}", date.iso_week_date().year(), date.iso_week_date().week()),
        "month" => date.strftime("%Y-%m").to_string(),
        "quarter" => format!("{}-Q{}", date.year(), (date.month() + 2) / 3),
        "year" => date.year().to_string(),
        other => panic!("{other}"),
    }
}

/// The periods of a range in order, found by walking through it, each with where it begins in the range.
fn periods(zone: &TimeZone, interval: &str, (from, to): (i64, i64)) -> Vec<(String, i64)> {
    let step = if interval == "minute" { MINUTE } else { QUARTER };
    let mut periods: Vec<(String, i64)> = Vec::new();
    for t in (from..to).step_by(usize::try_from(step).unwrap()) {
        let label = label(zone, interval, t);
        if periods.last().is_none_or(|(last, _)| *last != label) {
            periods.push((label, t));
        }
    }
    periods
}

/// The sums of each bucket of an answer; metrics of 0 are left out.
fn answered(answer: &Value) -> Vec<Sums> {
    let starts = answer["data"]["starts"].as_array().unwrap();
    let mut sums = vec![Sums::new(); starts.len()];
    for line in answer["data"]["series"].as_array().unwrap() {
        let metric = line["metric"].as_str().unwrap();
        let currency = line["currency"].as_str().map(str::to_owned);
        let values = line["values"].as_array().unwrap();
        assert_eq!(values.len(), starts.len());
        for (sums, value) in sums.iter_mut().zip(values) {
            let Some(value) = value.as_i64() else { continue };
            if value != 0 {
                sums.insert((metric.to_owned(), currency.clone()), i128::from(value));
            }
        }
    }
    sums
}

/// One series answered over HTTP, compared bucket by bucket.
pub async fn check(server: &Server, path: &str, query: (&str, &str, (i64, i64)), books: &[&Entry]) {
    let (tz, interval, range) = query;
    let zone = TimeZone::get(tz).unwrap();
    let metrics = "clicks_total,clicks_human,clicks_unique,shares,signups,orders,customers,referrals,revenue_gross,\
                   revenue_refunded,revenue_net,commission_earned,commission_reversed,commission_net,commission_paid";
    let query = format!("from={}&to={}&tz={tz}&interval={interval}&metric={metrics}", range.0, range.1);
    let answer = server.get(&format!("{path}?{query}")).await.ok();
    let periods = periods(&zone, interval, range);
    let starts: Vec<i64> =
        answer["data"]["starts"].as_array().unwrap().iter().map(|start| at(start.as_str().unwrap())).collect();
    let expected: Vec<i64> = periods.iter().map(|(_, start)| *start).collect();
    assert_eq!(starts, expected, "{path} {query}");
    let inside = |entry: &&&Entry| range.0 <= entry.t && entry.t < range.1;
    let mut by_label: BTreeMap<String, Vec<&Entry>> = BTreeMap::new();
    for entry in books.iter().filter(inside) {
        by_label.entry(label(&zone, interval, entry.t)).or_default().push(entry);
    }
    let sums = answered(&answer);
    for ((label, start), sums) in periods.iter().zip(&sums) {
        let of_label = by_label.remove(label).unwrap_or_default();
        assert_eq!(*sums, add_up(of_label.into_iter()), "{path} {query}: {label} from {start}");
    }
    assert!(by_label.is_empty(), "{path} {query}: in no bucket: {by_label:?}");
    let mut all = Sums::new();
    sums.into_iter().flatten().for_each(|(metric, value)| *all.entry(metric).or_default() += value);
    all.retain(|_, sum| *sum != 0);
    assert_eq!(all, add_up(books.iter().filter(inside).copied()), "{path} {query}: buckets add up to the range");
}

/// Ranges that begin and end with periods of the zone, and ranges that cut them.
fn ranges(tz: &str) -> Vec<(&'static str, (i64, i64))> {
    let zone = TimeZone::get(tz).unwrap();
    let midnight = |year: i16, month: i8, day: i8| {
        let date = jiff::civil::Date::new(year, month, day).unwrap();
        zone.to_timestamp(date.at(0, 0, 0, 0)).unwrap().as_millisecond()
    };
    let year = (midnight(2023, 1, 1), midnight(2024, 1, 1));
    let all = (begin().div_euclid(DAY) * DAY, end().div_euclid(DAY) * DAY + DAY);
    let cut = (at("2023-02-13T21:45:00Z"), at("2023-11-20T10:15:00Z"));
    let mut ranges: Vec<_> = ["day", "week", "month", "quarter", "year"]
        .into_iter()
        .flat_map(|interval| [year, all, cut].map(|range| (interval, range)))
        .collect();
    for month in 1..=12 {
        let next = if month == 12 { year.1 } else { midnight(2023, month + 1, 1) };
        ranges.push(("hour", (midnight(2023, month, 1), next)));
        ranges.push(("hour", (midnight(2023, month, 11) + QUARTER, midnight(2023, month, 17) - QUARTER)));
    }
    // The days not sealed yet.
    ranges.push(("hour", (end().div_euclid(DAY) * DAY - 3 * DAY, end().div_euclid(DAY) * DAY + DAY)));
    ranges
}

/// Minutes around every change of the clock.
fn minutes(tz: &str) -> Vec<(i64, i64)> {
    let zone = TimeZone::get(tz).unwrap();
    let from = Timestamp::from_millisecond(begin()).unwrap();
    let changes = zone.following(from).map(|change| change.timestamp().as_millisecond());
    let mut around: Vec<_> = changes.take_while(|t| *t < end()).map(|t| (t - 97 * MINUTE, t + 93 * MINUTE)).collect();
    around.push((at("2023-12-31T12:00:00Z"), at("2024-01-01T12:00:00Z")));
    around
}

async fn a_year_in(tz: &str, seed: u64) {
    let mut year = Year::of("acme", tz, seed);
    let server = Server::whole().await;
    let token = year.fill(&server).await;
    server.get_at("/v1/creators/acme/timeseries", &token).await.ok();
    let path = "/v1/creators/acme/timeseries";
    let check_all = async |books: &[Entry]| {
        let books: Vec<&Entry> = books.iter().collect();
        for (interval, range) in ranges(tz) {
            check(&server, path, (tz, interval, range), &books).await;
        }
        // Another zone than the creator's.
        check(&server, path, ("Asia/Kathmandu", "day", (begin(), end().div_euclid(DAY) * DAY)), &books).await;
    };
    check_all(&year.books).await;
    let books: Vec<&Entry> = year.books.iter().collect();
    for range in minutes(tz) {
        check(&server, path, (tz, "minute", range), &books).await;
    }

    // What comes late mends days that are over.
    let sent = year.events.len();
    for month in 1..=12 {
        let edge = at(&format!("2023-{month:02}-15T00:00:00Z"));
        for t in [edge - 1, edge, edge + QUARTER - 1, edge + DAY / 2] {
            year.sale(t, MEMBERS[0]);
        }
    }
    let late: Vec<Value> = year.events.drain(sent..).map(|(_, event)| event).collect();
    let token = server.fill(&json!(late)).await;
    server.get_at(path, &token).await.ok();
    check_all(&year.books).await;

    // More than 400 days on, quarter hours stand in the rows of the days alone.
    let later = json!({"type": "Member", "event_id": "later", "creator_id": "acme", "occurred_at": end() + 402 * DAY,
                       "member_id": "cid", "username": "Cid"});
    let token = server.fill(&json!([later])).await;
    server.get_at(path, &token).await.ok();
    check_all(&year.books).await;
    assert!(server.engine.purge().await.unwrap() > 0);
    check_all(&year.books).await;
    server.stop().await;
}

#[tokio::test]
async fn a_year_in_new_york_is_what_its_events_add_up_to() {
    a_year_in("America/New_York", 1).await;
}

#[tokio::test]
async fn a_year_in_kolkata_is_what_its_events_add_up_to() {
    a_year_in("Asia/Kolkata", 2).await;
}

#[tokio::test]
async fn a_year_on_lord_howe_is_what_its_events_add_up_to() {
    a_year_in("Australia/Lord_Howe", 3).await;
}

#[tokio::test]
async fn a_year_in_casablanca_is_what_its_events_add_up_to() {
    a_year_in("Africa/Casablanca", 4).await;
}

fn sum_of(books: &[Entry], (from, to): (i64, i64), metric: &str, currency: Option<&str>) -> i128 {
    let sums = add_up(books.iter().filter(|entry| from <= entry.t && entry.t < to));
    sums.get(&(metric.to_owned(), currency.map(str::to_owned))).copied().unwrap_or_default()
}

/// Six decimals, halves away from zero.
fn ratio(part: i128, whole: i128) -> Value {
    assert!(part >= 0 && whole >= 0, "{part} / {whole}");
    if whole == 0 {
        return Value::Null;
    }
    let scaled = (part * 2_000_000 + whole) / (whole * 2);
    serde_json::from_str(&format!("{}.{:06}", scaled / 1_000_000, scaled % 1_000_000)).unwrap()
}

#[tokio::test]
async fn totals_growth_rates_and_funnel_are_what_the_events_add_up_to() {
    let year = Year::of("acme", "America/New_York", 5);
    let books = &year.books;
    let server = Server::whole().await;
    let token = year.fill(&server).await;
    server.get_at("/v1/creators/acme/funnel", &token).await.ok();
    // March, whose second Sunday has 23 hours: the span before is as long in time.
    let (from, to) = (at("2023-03-01T05:00:00Z"), at("2023-04-01T04:00:00Z"));
    let earlier = (from - (to - from), from);
    let answer = server.get("/v1/creators/acme/analytics?from=2023-03-01&to=2023-04-01&compare=previous").await.ok();
    let data = &answer["data"];
    assert_eq!((&data["tz"], &data["from"]), (&json!("America/New_York"), &json!("2023-03-01T05:00:00Z")));
    assert_eq!(
        (&data["to"], &data["before"]["from"]),
        (&json!("2023-04-01T04:00:00Z"), &json!("2023-01-29T06:00:00Z"))
    );
    assert_eq!((&data["before"]["to"], &data["before"]["complete"]), (&data["from"], &json!(true)));
    for metric in ["clicks_total", "clicks_human", "shares", "signups", "orders", "customers", "referrals"] {
        let (now, before) = (sum_of(books, (from, to), metric, None), sum_of(books, earlier, metric, None));
        assert_eq!(data["figures"]["counts"][metric], json!(i64::try_from(now).unwrap()), "{metric}");
        assert_eq!(data["before"]["figures"]["counts"][metric], json!(i64::try_from(before).unwrap()), "{metric}");
        assert_eq!(data["growth"]["counts"][metric], ratio(now, before), "{metric}");
    }
    for (place, currency) in ["EUR", "JPY"].into_iter().enumerate() {
        let money = &data["figures"]["money"][place];
        assert_eq!(money["currency"], currency);
        let of = |metric: &str| sum_of(books, (from, to), metric, Some(currency));
        for metric in ["revenue_gross", "revenue_refunded", "revenue_net", "commission_net", "commission_paid"] {
            assert_eq!(money[metric], json!(i64::try_from(of(metric)).unwrap()), "{metric} {currency}");
            let before = sum_of(books, earlier, metric, Some(currency));
            assert_eq!(data["growth"]["money"][place][metric], ratio(of(metric), before), "{metric} {currency}");
        }
        let count = |metric: &str| sum_of(books, (from, to), metric, None);
        assert_eq!(money["epc"], ratio(of("commission_net"), count("clicks_human")));
        assert_eq!(money["rpc"], ratio(of("revenue_net"), count("clicks_human")));
        assert_eq!(money["ltv_net"], ratio(of("revenue_net"), count("customers")));
    }
    let stages = ["shares", "clicks_human", "clicks_unique", "signups", "customers"];
    let counts = stages.map(|stage| sum_of(books, (from, to), stage, None));
    let funnel = server.get("/v1/creators/acme/funnel?from=2023-03-01&to=2023-04-01").await.ok();
    for (place, stage) in stages.into_iter().enumerate() {
        let previous = if place == 0 { Value::Null } else { ratio(counts[place], counts[place - 1]) };
        let expected = json!({"stage": stage, "count": i64::try_from(counts[place]).unwrap(), "of_previous": previous});
        assert_eq!(funnel["data"]["stages"][place], expected);
        assert_eq!(data["funnel"][place], expected);
    }
    server.stop().await;
}

#[tokio::test]
async fn growth_says_nothing_where_the_span_before_is_not_covered() {
    let year = Year::of("acme", "UTC", 6);
    let server = Server::whole().await;
    let token = year.fill(&server).await;
    // Coverage starts on the 28th of December.
    let path = "/v1/creators/acme/analytics?from=2023-01-05&to=2023-02-05";
    let data = server.get_at(path, &token).await.ok()["data"].clone();
    assert_eq!(data["before"]["complete"], false);
    let growth = data["growth"]["counts"].as_object().unwrap();
    assert!(growth.len() > 5 && growth.values().all(Value::is_null), "{growth:?}");
    for money in data["growth"]["money"].as_array().unwrap() {
        assert_eq!(money["revenue_net"], Value::Null);
    }
    let alone = server.get(&format!("{path}&compare=none")).await.ok();
    assert_eq!((&alone["data"]["before"], &alone["data"]["growth"]), (&Value::Null, &Value::Null));
    let unknown = server.get(&format!("{path}&compare=year")).await;
    assert_eq!((unknown.status, unknown.json()["parameter"].clone()), (StatusCode::BAD_REQUEST, json!("compare")));
    server.stop().await;
}

#[tokio::test]
async fn a_clock_that_changed_inside_a_quarter_hour_is_told_by_minutes_or_not_at_all() {
    let server = Server::whole().await;
    // At 00:01 on the 7th of November 2010 it was 23:01 again.
    let sale = |id: &str, t: &str| {
        json!({"type": "Conversion", "event_id": id, "creator_id": "acme", "occurred_at": t, "conversion_id": id,
               "kind": "purchase", "customer_id": id, "amount": 100, "currency": "EUR"})
    };
    let head = |id: &str, t: &str| {
        json!({"type": "Creator", "event_id": id, "creator_id": "acme", "occurred_at": t, "name": "Acme",
               "currency": "EUR", "time_zone": "America/St_Johns"})
    };
    let token = server
        .fill(&json!([
            head("a", "2010-11-01T00:00:00Z"),
            sale("p1", "2010-11-07T02:30:59.999Z"),
            sale("p2", "2010-11-07T02:31:00Z"),
            sale("p3", "2010-11-07T03:30:00Z"),
            head("b", "2010-11-09T00:00:00Z"),
        ]))
        .await;
    let path = "/v1/creators/acme/timeseries?from=2010-11-07T01:30:00Z&to=2010-11-07T04:30:00Z&metric=orders";
    let hours = server.get_at(&format!("{path}&interval=hour"), &token).await.ok();
    let labels: Vec<&Value> =
        hours["data"]["buckets"].as_array().unwrap().iter().map(|bucket| &bucket["label"]).collect();
    let expected =
        ["2010-11-06T23:00-02:30", "2010-11-07T00:00-02:30", "2010-11-06T23:01-03:30", "2010-11-07T00:00-03:30"];
    assert_eq!(labels, expected);
    assert_eq!(hours["data"]["series"][0]["values"], json!([0, 1, 1, 1]));

    let token = server.fill(&json!([head("c", "2012-01-01T00:00:00Z")])).await;
    let refused = server.get_at(&format!("{path}&interval=hour"), &token).await;
    assert_eq!((refused.status, refused.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "not-kept"));
    assert_eq!(refused.json()["kept"], json!(["day", "week", "month", "quarter", "year"]));
    let days = server.get(&format!("{path}&interval=day")).await.ok();
    assert_eq!(days["data"]["series"][0]["values"], json!([0, 3]), "the 7th had begun when the clock went back");
    server.stop().await;
}
