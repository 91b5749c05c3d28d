//! Questions, answered from what was sent in.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::server::Server;

/// 2026-01-05T00:00Z, a Monday.
const START: i64 = 1_767_571_200_000;
const HOUR: i64 = 3_600_000;

pub fn event(kind: &str, creator: &str, id: &str, at: i64, fields: Value) -> Value {
    let mut event = json!({"type": kind, "event_id": id, "creator_id": creator, "occurred_at": at});
    event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    event
}

pub fn creator(id: &str, currency: &str) -> Value {
    let commission = json!({"source": "derived", "rate_bp": 1_000});
    let fields =
        json!({"name": format!("The {id}"), "currency": currency, "time_zone": "UTC", "commission": commission});
    event("Creator", id, &format!("c-{id}"), START, fields)
}

pub fn member(creator: &str, id: &str) -> Value {
    let fields = json!({"member_id": id, "username": id.to_uppercase(), "referral_code": format!("{creator}-{id}")});
    event("Member", creator, &format!("m-{id}"), START + 1_000, fields)
}

fn click(id: &str, member: &str, at: i64) -> Value {
    let fields = json!({"click_id": id, "member_id": member, "user_agent": "Mozilla/5.0 (X11; Linux) Firefox/130.0"});
    event("Click", "acme", &format!("k-{id}"), at, fields)
}

fn purchase(id: &str, member: &str, at: i64, amount: i64, currency: &str) -> Value {
    let fields = json!({"conversion_id": id, "kind": "purchase", "referral_code": format!("acme-{member}"),
                        "customer_id": format!("customer-{id}"), "amount": amount, "currency": currency});
    event("Conversion", "acme", &format!("o-{id}"), at, fields)
}

/// Three members; ann and bob earn the same, cid nothing. Two days.
fn story() -> Value {
    json!([
        creator("acme", "EUR"),
        member("acme", "ann"),
        member("acme", "bob"),
        member("acme", "cid"),
        click("1", "ann", START + HOUR),
        click("2", "ann", START + 2 * HOUR),
        click("3", "bob", START + 2 * HOUR + 60_000),
        purchase("p1", "ann", START + 3 * HOUR, 10_000, "EUR"),
        purchase("p2", "bob", START + 3 * HOUR, 10_000, "EUR"),
        purchase("p3", "bob", START + 26 * HOUR, 500, "JPY"),
    ])
}

async fn told() -> (Server, String) {
    let server = Server::whole().await;
    let token = server.fill(&story()).await;
    (server, token)
}

#[tokio::test]
async fn what_was_sent_is_in_the_answer_that_waits_for_its_token() {
    let (server, token) = told().await;
    let answer = server.get_at("/v1/creators/acme/members/ann/stats", &token).await.ok();
    let counts = &answer["data"]["figures"]["counts"];
    assert_eq!((&counts["clicks_human"], &counts["orders"]), (&json!(2), &json!(1)));
    let money = &answer["data"]["figures"]["money"][0];
    assert_eq!(money["currency"], "EUR");
    assert_eq!((&money["revenue_net"], &money["commission_net"]), (&json!(10_000), &json!(1_000)));
    assert_eq!(answer["data"]["rank"], json!({"rank": 1, "tied": 2, "ranked": 2}));
    assert_eq!(answer["meta"]["complete"], true, "{answer}");
    assert_eq!(answer["meta"]["lag_ms"], 0);
    assert_eq!(answer["meta"]["coverage_start"], "2026-01-05T00:00:00Z");
    assert_eq!(answer["meta"]["as_of"]["watermark"], "2026-01-06T01:50:00Z");
    server.stop().await;
}

#[tokio::test]
async fn rates_have_six_decimals_and_are_null_for_a_divisor_of_zero() {
    let (server, token) = told().await;
    let ann = server.get_at("/v1/creators/acme/members/ann/stats", &token).await;
    assert!(String::from_utf8_lossy(&ann.bytes).contains("\"conversion_rate\":0.500000"), "{:?}", ann.bytes);
    let cid = server.get("/v1/creators/acme/members/cid/stats").await.ok();
    assert_eq!(cid["data"]["figures"]["rates"]["conversion_rate"], Value::Null);
    assert_eq!(cid["data"]["rank"], Value::Null);
    server.stop().await;
}

#[tokio::test]
async fn currencies_stand_apart_the_creator_s_own_first() {
    let (server, token) = told().await;
    let answer = server.get_at("/v1/creators/acme", &token).await.ok();
    let money = answer["data"]["figures"]["money"].as_array().unwrap();
    let seen: Vec<_> =
        money.iter().map(|each| (&each["currency"], &each["revenue_net"], &each["minor_digits"])).collect();
    assert_eq!(seen, [(&json!("EUR"), &json!(20_000), &json!(2)), (&json!("JPY"), &json!(500), &json!(0))]);
    server.stop().await;
}

#[tokio::test]
async fn many_members_are_asked_for_at_once_and_the_unknown_are_named() {
    let (server, token) = told().await;
    server.get_at("/v1/creators/acme", &token).await.ok();
    let path = "/v1/creators/acme/members/stats";
    let answer = server.post(path, r#"{"member_ids": ["cid", "nobody", "ann", "cid"]}"#).await.ok();
    let ids: Vec<_> = answer["data"]["members"].as_array().unwrap().iter().map(|each| &each["member_id"]).collect();
    assert_eq!(ids, ["cid", "ann"]);
    assert_eq!(answer["data"]["unknown"], json!(["nobody"]));
    let too_many = json!({"member_ids": vec!["x"; 1_001]});
    assert_eq!(server.post(path, too_many.to_string()).await.problem(), "too-many-items");
    assert_eq!(server.post(path, r#"{"members": []}"#).await.problem(), "invalid-body");
    assert_eq!(server.post(path, r#"{"member_ids": [""]}"#).await.problem(), "invalid-parameter");
    server.stop().await;
}

/// All ids of a list, page by page.
async fn pages(server: &Server, path: &str, id: &str) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = server.get(&format!("{path}&limit=2{cursor}")).await.ok();
        let page = answer["data"].as_array().unwrap();
        assert!(page.len() <= 2);
        ids.extend(page.iter().map(|each| each[id].as_str().unwrap().to_owned()));
        let Some(next) = answer["next"].as_str() else { return ids };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn lists_come_in_pages_each_member_once_in_every_order() {
    let (server, token) = told().await;
    server.get_at("/v1/creators/acme", &token).await.ok();
    for (query, expected) in [
        ("sort=created_at", ["ann", "bob", "cid"]),
        ("order=desc", ["cid", "bob", "ann"]),
        ("sort=earnings", ["ann", "bob", "cid"]),
        ("sort=clicks", ["ann", "bob", "cid"]),
        ("sort=clicks&order=asc", ["cid", "bob", "ann"]),
        ("sort=referrals&order=asc", ["cid", "ann", "bob"]),
    ] {
        let path = format!("/v1/creators/acme/members?{query}");
        assert_eq!(pages(&server, &path, "member_id").await, expected, "{query}");
    }
    let answer = server.get("/v1/creators/acme/members?sort=height").await;
    assert_eq!(answer.problem(), "not-kept");
    assert_eq!(answer.json()["kept"], json!(["created_at", "earnings", "referrals", "clicks"]));
    server.stop().await;
}

#[tokio::test]
async fn creators_are_listed_across_partitions_each_once() {
    let server = Server::whole().await;
    let names: Vec<String> = (0..7).map(|i| format!("creator-{i}")).collect();
    let token = server.fill(&names.iter().map(|name| creator(name, "EUR")).collect()).await;
    server.get_at("/v1/creators", &token).await.ok();
    let mut listed = pages(&server, "/v1/creators?", "creator_id").await;
    listed.sort();
    assert_eq!(listed, names);
    server.stop().await;
}

#[tokio::test]
async fn equals_share_a_rank_and_only_those_above_zero_are_ranked() {
    let (server, token) = told().await;
    let answer = server.get_at("/v1/creators/acme/leaderboard", &token).await.ok();
    let entries = answer["data"]["entries"].as_array().unwrap();
    let seen: Vec<_> = entries.iter().map(|each| (&each["rank"], &each["tied"], &each["value"])).collect();
    assert_eq!(seen, [(&json!(1), &json!(2), &json!(1_000)), (&json!(1), &json!(2), &json!(1_000))]);
    assert_eq!(entries[0]["member"]["username"], "ANN");
    assert_eq!(answer["data"]["currency"], "EUR");
    let clicks = server.get("/v1/creators/acme/leaderboard?metric=clicks&limit=1").await.ok();
    assert_eq!((&clicks["data"]["entries"][0]["value"], &clicks["data"]["ranked"]), (&json!(2), &json!(2)));
    for (query, kept) in [("metric=height", json!("earnings")), ("window=year", json!("all"))] {
        let answer = server.get(&format!("/v1/creators/acme/leaderboard?{query}")).await;
        assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "not-kept"));
        assert_eq!(answer.json()["kept"][0], kept);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_removed_member_leaves_the_board() {
    let (server, _) = told().await;
    let removed =
        event("Member", "acme", "m-bob-2", START + 27 * HOUR, json!({"member_id": "bob", "status": "removed"}));
    let token = server.fill(&json!([removed])).await;
    let answer = server.get_at("/v1/creators/acme/leaderboard", &token).await.ok();
    assert_eq!(answer["data"]["ranked"], 1);
    server.stop().await;
}

#[tokio::test]
async fn commissions_are_listed_by_member_and_conversions_newest_first() {
    let (server, token) = told().await;
    let path = "/v1/creators/acme/members/bob/commissions";
    let answer = server.get_at(path, &token).await.ok();
    let data = answer["data"].as_array().unwrap();
    let seen: Vec<_> = data.iter().map(|each| (&each["conversion_id"], &each["net"], &each["currency"])).collect();
    let (yen, euro) = ((json!("p3"), json!(50), json!("JPY")), (json!("p2"), json!(1_000), json!("EUR")));
    assert_eq!(seen, [(&yen.0, &yen.1, &yen.2), (&euro.0, &euro.1, &euro.2)]);
    assert_eq!(server.get(&format!("{path}?paid=true")).await.ok()["data"], json!([]));
    assert_eq!(server.get(&format!("{path}?paid=maybe")).await.problem(), "invalid-parameter");
    let all = pages(&server, "/v1/creators/acme/conversions?", "conversion_id").await;
    assert_eq!(all[0], "p3");
    assert_eq!(all.len(), 3);
    server.stop().await;
}

fn values<'a>(answer: &'a Value, metric: &str, currency: Option<&str>) -> &'a Value {
    let lines = answer["data"]["series"].as_array().unwrap();
    let line = lines.iter().find(|line| line["metric"] == metric && line["currency"].as_str() == currency);
    &line.unwrap_or_else(|| panic!("no {metric} {currency:?} in {answer}"))["values"]
}

#[tokio::test]
async fn series_are_the_same_by_minute_hour_and_day_and_end_at_their_bounds() {
    let (server, token) = told().await;
    let at = |path: String| {
        let (server, token) = (&server, token.clone());
        async move { server.get_at(&format!("/v1/creators/acme/timeseries?{path}"), &token).await }
    };
    let day = at("from=2026-01-05T00:00:00Z&to=2026-01-07T00:00:00Z&interval=day".to_owned()).await.ok();
    assert_eq!(day["data"]["starts"], json!(["2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z"]));
    assert_eq!(values(&day, "clicks_human", None), &json!([3, 0]));
    assert_eq!(values(&day, "revenue_net", Some("EUR")), &json!([20_000, 0]));
    assert_eq!(values(&day, "revenue_net", Some("JPY")), &json!([0, 500]));
    let hour = at(format!("from={START}&to={}&interval=hour&metric=clicks_human", START + 4 * HOUR)).await.ok();
    assert_eq!(values(&hour, "clicks_human", None), &json!([0, 1, 2, 0]));
    assert_eq!(hour["data"]["series"].as_array().unwrap().len(), 1);
    let (from, to) = (START + 2 * HOUR, START + 2 * HOUR + 120_000);
    let minute = at(format!("from={from}&to={to}&interval=minute&metric=clicks_human")).await.ok();
    assert_eq!(values(&minute, "clicks_human", None), &json!([1, 1]));
    // A bound inside an hour cuts it: the second click lies at 02:00, the third at 02:01.
    let edge = at(format!("from={}&to={}&interval=day&metric=clicks_human", START + HOUR / 4, from)).await.ok();
    assert_eq!(values(&edge, "clicks_human", None), &json!([1]));
    let month = at("from=2025-12-15T00:00:00Z&to=2026-02-01T00:00:00Z&interval=month".to_owned()).await.ok();
    assert_eq!(month["data"]["starts"], json!(["2025-12-15T00:00:00Z", "2026-01-01T00:00:00Z"]));
    assert_eq!(values(&month, "clicks_human", None), &json!([0, 3]));
    server.stop().await;
}

#[tokio::test]
async fn an_hour_that_has_expired_is_told_by_its_day_and_its_minutes_no_more() {
    const OLD: i64 = START - 402 * 24 * HOUR;
    let server = Server::whole().await;
    let fields = json!({"name": "Acme", "currency": "EUR", "time_zone": "UTC"});
    let ann = json!({"member_id": "ann", "referral_code": "acme-ann"});
    let events = json!([
        event("Creator", "acme", "c", OLD, fields),
        event("Member", "acme", "m", OLD, ann),
        click("1", "ann", OLD + HOUR),
        click("2", "ann", OLD + 2 * HOUR),
    ]);
    let path = |interval: &str| {
        let to = OLD + 3 * HOUR;
        format!("/v1/creators/acme/timeseries?from={OLD}&to={to}&interval={interval}&metric=clicks_human")
    };
    let token = server.fill(&events).await;
    for (interval, expected) in [("hour", json!([0, 1, 1])), ("day", json!([2]))] {
        let answer = server.get_at(&path(interval), &token).await.ok();
        assert_eq!(values(&answer, "clicks_human", None), &expected);
    }
    // The rows are still there: it is the creator's own time that tells what has expired.
    let token = server.fill(&json!([purchase("p", "ann", START, 100, "EUR")])).await;
    for purged in [0, 3] {
        for (interval, expected) in [("hour", json!([0, 1, 1])), ("day", json!([2]))] {
            let answer = server.get_at(&path(interval), &token).await.ok();
            assert_eq!(values(&answer, "clicks_human", None), &expected, "by {interval}, {purged} purged");
        }
        let minutes = server.get(&path("minute")).await;
        assert_eq!((minutes.status, minutes.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "not-kept"));
        assert_eq!(minutes.json()["kept"], json!(["hour", "day", "week", "month", "quarter", "year"]));
        assert!(minutes.json()["detail"].as_str().unwrap().contains("ask by hour"));
        assert_eq!(server.engine.purge().await.unwrap(), 3 - purged, "two hours, and the page of their clicks");
    }
    server.stop().await;
}

#[tokio::test]
async fn bounds_off_the_grid_and_spans_too_long_are_refused_with_what_would_do() {
    let (server, token) = told().await;
    server.get_at("/v1/creators/acme", &token).await.ok();
    let ask = |query: &str| {
        let path = format!("/v1/creators/acme/timeseries?{query}");
        let server = &server;
        async move { server.get(&path).await }
    };
    let off = ask("from=2026-01-05T00:07:00Z&to=2026-01-06T00:00:00Z").await;
    assert_eq!((off.status, off.problem().as_str()), (StatusCode::BAD_REQUEST, "unaligned-bound"));
    assert_eq!(off.json()["nearest"], json!(["2026-01-05T00:00:00Z", "2026-01-05T00:15:00Z"]));
    assert_eq!(
        ask("from=2026-01-05T00:07:30Z&to=2026-01-05T01:00:00Z&interval=minute").await.problem(),
        "unaligned-bound"
    );
    assert_eq!(ask("from=2026-01-05T00:07:00Z&to=2026-01-05T01:00:00Z&interval=minute").await.status, StatusCode::OK);
    assert_eq!(ask("from=2026-01-06T00:00:00Z&to=2026-01-05T00:00:00Z").await.problem(), "invalid-parameter");
    assert_eq!(ask("from=yesterday").await.problem(), "invalid-parameter");
    let long = ask("from=2024-01-01T00:00:00Z&to=2026-01-01T00:00:00Z&interval=hour").await;
    assert_eq!((long.status, long.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "range-too-large"));
    assert!(long.json()["detail"].as_str().unwrap().contains("31 days"));
    assert_eq!(ask("interval=fortnight").await.problem(), "not-kept");
    assert_eq!(ask("metric=height").await.problem(), "not-kept");
    server.stop().await;
}

#[tokio::test]
async fn analytics_compare_with_the_equally_long_span_before() {
    let (server, token) = told().await;
    let path = "/v1/creators/acme/analytics?from=2026-01-06T00:00:00Z&to=2026-01-07T00:00:00Z";
    let answer = server.get_at(path, &token).await.ok();
    let data = &answer["data"];
    assert_eq!(data["before"]["from"], "2026-01-05T00:00:00Z");
    assert_eq!(data["figures"]["counts"]["orders"], 1);
    assert_eq!(data["before"]["figures"]["counts"]["orders"], 2);
    assert_eq!(data["growth"]["counts"]["orders"], 0.5);
    assert_eq!(data["growth"]["counts"]["shares"], Value::Null);
    assert_eq!(data["growth"]["money"][0]["revenue_net"], 0.0);
    assert_eq!(
        data["growth"]["money"][1],
        json!({"currency": "JPY", "revenue_gross": null, "revenue_refunded": null,
        "revenue_blocked": null, "revenue_net": null, "commission_earned": null, "commission_reversed": null,
        "commission_net": null, "commission_paid": null})
    );
    let stages: Vec<_> = data["funnel"].as_array().unwrap().iter().map(|stage| &stage["stage"]).collect();
    assert_eq!(stages, ["shares", "clicks_human", "clicks_unique", "signups", "customers"]);
    server.stop().await;
}
