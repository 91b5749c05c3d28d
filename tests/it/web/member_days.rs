//! A member's series: its UTC days, the one that is not over included.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http_body_util::Full;
use hyper::StatusCode;
use hyper::body::Bytes;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::client::{request, send};
use super::reads::{creator, member};
use super::server::Server;
use super::year::{DAY, Entry, MEMBERS, Year, at, begin, end};
use super::zones::check;

#[tokio::test]
async fn a_member_s_days_are_what_its_events_add_up_to_the_open_one_included() {
    let year = Year::of("acme", "America/New_York", 7);
    let server = Server::whole().await;
    let token = year.fill(&server).await;
    server.get_at("/v1/creators/acme/members/ann/timeseries", &token).await.ok();
    let midnight = |t: i64| t.div_euclid(DAY) * DAY;
    let all = (midnight(begin()), midnight(end()) + DAY);
    let spans = [all, (at("2023-03-09T00:00:00Z"), at("2023-11-20T00:00:00Z")), (midnight(end()) - 3 * DAY, all.1)];
    for member in MEMBERS {
        let books: Vec<&Entry> = year.books.iter().filter(|entry| entry.member == member).collect();
        assert!(books.iter().any(|entry| entry.t >= midnight(end())), "{member} did something on the open day");
        let path = format!("/v1/creators/acme/members/{member}/timeseries");
        for interval in ["day", "week", "month", "quarter", "year"] {
            for range in spans {
                check(&server, &path, ("UTC", interval, range), &books).await;
            }
        }
        // A zone whose days are UTC's.
        check(&server, &path, ("Africa/Abidjan", "day", all), &books).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn a_member_s_days_of_another_zone_are_refused_with_what_can_be_asked() {
    let server = Server::whole().await;
    let token = Year::of("acme", "America/New_York", 8).fill(&server).await;
    let path = "/v1/creators/acme/members/ann/timeseries";
    server.get_at(path, &token).await.ok();
    let range = "from=2023-03-01&to=2023-04-01";
    for (query, kept) in [
        (format!("{range}&tz=America/New_York"), json!(["tz=UTC"])),
        (format!("{range}&tz=Asia/Kolkata&interval=week"), json!(["tz=UTC"])),
        (format!("{range}&interval=hour"), json!(["day", "week", "month", "quarter", "year"])),
        (format!("{range}&interval=minute"), json!(["day", "week", "month", "quarter", "year"])),
    ] {
        let answer = server.get(&format!("{path}?{query}")).await;
        assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "not-kept"));
        assert_eq!(answer.json()["kept"], kept, "{query}");
    }
    let off = server.get(&format!("{path}?from=2023-03-01T06:00:00Z&to=2023-04-01")).await;
    assert_eq!((off.status, off.problem().as_str()), (StatusCode::BAD_REQUEST, "unaligned-bound"));
    assert_eq!(off.json()["nearest"], json!(["2023-03-01T00:00:00Z", "2023-03-02T00:00:00Z"]));
    assert_eq!(server.get("/v1/creators/acme/members/eve/timeseries").await.problem(), "unknown-member");
    server.stop().await;
}

/// Clicks, some for days that are over, one batch after the other until told to stop.
async fn pour(addr: std::net::SocketAddr, start: i64, stop: Arc<AtomicBool>) {
    for batch in 0_i64.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let clicks: Vec<Value> = (0..5)
            .map(|i| {
                let id = format!("k{batch}-{i}");
                let late = if i == 0 { DAY * (1 + batch % 3) } else { 0 };
                json!({"type": "Click", "event_id": id, "creator_id": "acme", "click_id": id, "member_id": "ann",
                       "occurred_at": start + batch * 1_000 - late, "user_agent": "Mozilla/5.0 Firefox/130.0"})
            })
            .collect();
        let body = Full::new(Bytes::from(json!(clicks).to_string()));
        let answer =
            send(addr, request("POST", "/v1/events").header("content-type", "application/json").body(body).unwrap());
        assert_eq!(answer.await.status, StatusCode::OK);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_member_changes_all_the_time_its_days_add_up_to_what_it_had_in_between() {
    let server = Server::whole().await;
    let start = at("2026-01-10T12:00:00Z");
    let token = server.fill(&json!([creator("acme", "EUR"), member("acme", "ann")])).await;
    server.get_at("/v1/creators/acme", &token).await.ok();
    let stop = Arc::new(AtomicBool::new(false));
    let mut pouring = JoinSet::new();
    pouring.spawn(pour(server.addr, start, Arc::clone(&stop)));
    let stats = async || {
        let answer = server.get("/v1/creators/acme/members/ann/stats").await.ok();
        answer["data"]["figures"]["counts"]["clicks_total"].as_i64().unwrap()
    };
    let path = "/v1/creators/acme/members/ann/timeseries?from=2026-01-05&to=2026-01-12&metric=clicks_total";
    let days = async || server.get(path).await.ok()["data"]["series"][0]["values"].as_array().unwrap().clone();
    let mut told = 0;
    while told < 10 {
        let before = stats().await;
        let values = days().await;
        // Null: it changed each time that it was looked at.
        if values.iter().any(Value::is_null) {
            continue;
        }
        let sum: i64 = values.iter().map(|value| value.as_i64().unwrap()).sum();
        let after = stats().await;
        assert!((before..=after).contains(&sum), "{before} <= {sum} <= {after}: {values:?}");
        told += 1;
    }
    stop.store(true, Ordering::Relaxed);
    pouring.join_next().await.unwrap().unwrap();
    server.engine.caught_up().await.unwrap();
    let values = days().await;
    assert!(values.iter().all(Value::is_i64), "a member at rest is known whole: {values:?}");
    server.stop().await;
}

#[tokio::test]
async fn two_open_days_cannot_be_told_apart_until_the_watermark_has_passed_midnight() {
    let server = Server::whole().await;
    let click = |id: &str, t: &str| {
        json!({"type": "Click", "event_id": id, "creator_id": "acme", "click_id": id, "member_id": "ann",
               "occurred_at": t, "user_agent": "Mozilla/5.0 Firefox/130.0"})
    };
    let path = "/v1/creators/acme/members/ann/timeseries?from=2026-01-05&to=2026-01-09&metric=clicks_total";
    let values = async |token: &str, interval: &str| {
        let answer = server.get_at(&format!("{path}&interval={interval}"), token).await.ok();
        answer["data"]["series"][0]["values"].clone()
    };
    let head = json!([creator("acme", "EUR"), member("acme", "ann"), click("1", "2026-01-06T10:00:00Z")]);
    server.fill(&head).await;
    let token = server.fill(&json!([click("2", "2026-01-07T23:59:59Z"), click("3", "2026-01-08T00:05:00Z")])).await;
    assert_eq!(values(&token, "day").await, json!([0, 1, null, null]));
    assert_eq!(values(&token, "week").await, json!([3]));
    let token = server.fill(&json!([click("4", "2026-01-08T00:10:00Z")])).await;
    assert_eq!(values(&token, "day").await, json!([0, 1, 1, 2]));
    server.stop().await;
}
