//! Breakdowns, lists of clicks and shares, cohorts and streaks, answered from what was sent in.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::server::Server;

/// 2026-01-05T00:00Z, a Monday.
const START: i64 = 1_767_571_200_000;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

fn event(kind: &str, id: &str, at: i64, fields: Value) -> Value {
    let mut event = json!({"type": kind, "event_id": id, "creator_id": "acme", "occurred_at": at});
    event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    event
}

fn club() -> Vec<Value> {
    vec![
        event("Creator", "c", START, json!({"name": "Acme", "currency": "EUR", "time_zone": "UTC"})),
        event("Member", "m1", START, json!({"member_id": "ann", "referral_code": "ANN"})),
        event("Member", "m2", START, json!({"member_id": "bob", "referral_code": "BOB"})),
    ]
}

fn click(id: &str, member: &str, at: i64, fields: Value) -> Value {
    let mut click = event("Click", &format!("e-{id}"), at, fields);
    click["click_id"] = json!(id);
    click["member_id"] = json!(member);
    click
}

fn signup(id: &str, at: i64, fields: Value) -> Value {
    let mut conversion = event("Conversion", &format!("e-{id}"), at, fields);
    conversion["conversion_id"] = json!(id);
    conversion["customer_id"] = json!(format!("customer-{id}"));
    conversion["kind"] = json!("signup");
    conversion
}

fn purchase(id: &str, at: i64, amount: i64, fields: Value) -> Value {
    let mut order = signup(id, at, fields);
    order["kind"] = json!("purchase");
    order["amount"] = json!(amount);
    order
}

/// Two days, the second of them not over.
fn story() -> Value {
    let mut events = club();
    events.extend([
        click("k1", "ann", START + HOUR, json!({"platform": "X", "country": "de"})),
        click("k2", "ann", START + HOUR + 14 * MINUTE, json!({"platform": "x", "country": "us"})),
        click("k3", "bob", START + HOUR + 15 * MINUTE, json!({"platform": "web"})),
        click("k4", "bob", START + 2 * HOUR, json!({})),
        purchase("p1", START + 3 * HOUR, 1_000, json!({"click_id": "k1", "plan": "pro"})),
        purchase("p2", START + 3 * HOUR, 500, json!({"currency": "JPY"})),
        click("k5", "bob", START + DAY + HOUR, json!({"platform": "x"})),
    ]);
    Value::Array(events)
}

async fn told(events: &Value) -> (Server, String) {
    let server = Server::whole().await;
    let token = server.fill(events).await;
    (server, token)
}

/// Each group with one of its counts.
fn groups(answer: &Value, count: &str) -> Vec<(Vec<String>, i64)> {
    let groups = answer["data"]["groups"].as_array().unwrap();
    groups
        .iter()
        .map(|group| {
            let values = group["values"].as_array().unwrap();
            let values = values.iter().map(|value| value.as_str().unwrap().to_owned()).collect();
            (values, group["figures"]["counts"][count].as_i64().unwrap())
        })
        .collect()
}

fn named(groups: &[(&str, i64)]) -> Vec<(Vec<String>, i64)> {
    groups.iter().map(|(values, count)| (values.split(' ').map(str::to_owned).collect(), *count)).collect()
}

#[tokio::test]
async fn a_breakdown_holds_every_group_and_they_sum_to_the_total() {
    let (server, token) = told(&story()).await;
    let path = "/v1/creators/acme/breakdown";
    let range = format!("from={START}&to={}", START + 2 * DAY);
    let answer = server.get_at(&format!("{path}?by=platform&{range}"), &token).await.ok();
    assert_eq!(groups(&answer, "clicks_human"), named(&[("x", 3), ("(none)", 1), ("web", 1)]));
    assert_eq!(groups(&answer, "orders"), named(&[("x", 1), ("(none)", 1), ("web", 0)]));
    assert_eq!(answer["data"]["total"]["counts"]["clicks_human"], 5);
    let x = &answer["data"]["groups"][0]["figures"]["money"];
    assert_eq!((&x[0]["currency"], &x[0]["revenue_net"]), (&json!("EUR"), &json!(1_000)));
    // Money in another currency stands apart, with the group it is of.
    let none = &answer["data"]["groups"][1]["figures"]["money"];
    assert_eq!((&none[1]["currency"], &none[1]["revenue_net"]), (&json!("JPY"), &json!(500)));

    let by = |by: &str| format!("{path}?by={by}&{range}&metric=orders");
    let answer = server.get_at(&by("plan"), &token).await.ok();
    assert_eq!(groups(&answer, "orders"), named(&[("(none)", 1), ("pro", 1)]));
    // In the order asked for, whichever way the pair is kept.
    let answer = server.get_at(&by("country,platform"), &token).await.ok();
    assert_eq!(answer["data"]["by"], json!(["country", "platform"]));
    let expected = named(&[("(none) (none)", 1), ("DE x", 1), ("(none) web", 0), ("(none) x", 0), ("US x", 0)]);
    assert_eq!(groups(&answer, "orders"), expected);
    server.stop().await;
}

#[tokio::test]
async fn a_breakdown_ends_at_its_bounds_inside_days_that_are_over_and_others() {
    let (server, token) = told(&story()).await;
    let ask = |from: i64, to: i64| {
        let path = format!("/v1/creators/acme/breakdown?by=platform&from={from}&to={to}");
        let (server, token) = (&server, token.clone());
        async move { server.get_at(&path, &token).await }
    };
    let quarter = ask(START + HOUR, START + HOUR + 15 * MINUTE).await.ok();
    assert_eq!(groups(&quarter, "clicks_human"), named(&[("x", 2)]));
    let rest = ask(START + HOUR + 15 * MINUTE, START + DAY + HOUR).await.ok();
    assert_eq!(groups(&rest, "clicks_human"), named(&[("(none)", 1), ("web", 1), ("x", 0)]));
    // An order's quarter hour, without the clicks of its platform.
    assert_eq!(rest["data"]["total"]["counts"]["clicks_human"], 2);
    let open = ask(START + DAY, START + DAY + 2 * HOUR).await.ok();
    assert_eq!(groups(&open, "clicks_human"), named(&[("x", 1)]));
    let long = ask(START - 300 * DAY, START + 30 * DAY).await.ok();
    assert_eq!(groups(&long, "clicks_human"), named(&[("x", 3), ("(none)", 1), ("web", 1)]));
    let path = "/v1/creators/acme/breakdown?from=2026-01-05&to=2026-01-06&tz=Asia/Kolkata";
    let local = server.get_at(path, &token).await.ok();
    assert_eq!(groups(&local, "clicks_human"), named(&[("x", 2), ("(none)", 1), ("web", 1)]));
    assert_eq!(
        (&local["data"]["from"], &local["data"]["to"]),
        (&json!("2026-01-04T18:30:00Z"), &json!("2026-01-05T18:30:00Z"))
    );
    let off = ask(START + MINUTE, START + DAY).await;
    assert_eq!((off.status, off.problem().as_str()), (StatusCode::BAD_REQUEST, "unaligned-bound"));
    assert_eq!(ask(START, START + 367 * DAY).await.problem(), "range-too-large");
    server.stop().await;
}

#[tokio::test]
async fn groups_come_in_pages_the_greatest_first() {
    let (server, token) = told(&story()).await;
    let path = format!("/v1/creators/acme/breakdown?by=platform&from={START}&to={}&limit=1", START + 2 * DAY);
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = server.get_at(&format!("{path}{cursor}"), &token).await.ok();
        assert_eq!(answer["data"]["count"], 3);
        seen.extend(groups(&answer, "clicks_human"));
        let Some(next) = answer["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, named(&[("x", 3), ("(none)", 1), ("web", 1)]));
    assert_eq!(server.get(&format!("{path}&cursor=61")).await.problem(), "invalid-parameter");
    assert_eq!(server.get("/v1/creators/acme/breakdown?metric=height").await.problem(), "not-kept");
    server.stop().await;
}

#[tokio::test]
async fn what_is_not_kept_is_refused_with_what_is() {
    let mut events = club();
    let pairs = json!({"name": "Acme", "currency": "EUR", "time_zone": "UTC", "breakdown_pairs": ["plan,country"]});
    events.push(click("k1", "ann", START + HOUR, json!({"platform": "x"})));
    events.push(event("Creator", "c2", START + 2 * HOUR, pairs));
    events.push(click("k2", "ann", START + DAY + HOUR, json!({"country": "DE"})));
    let (server, token) = told(&Value::Array(events)).await;
    let ask = |by: &str, from: i64, to: i64| {
        let path = format!("/v1/creators/acme/breakdown?by={by}&from={from}&to={to}");
        let (server, token) = (&server, token.clone());
        async move { server.get_at(&path, &token).await }
    };
    for by in ["moon", "platform,plan", "platform,platform", "platform,country,plan"] {
        let refused = ask(by, START, START + DAY).await;
        assert_eq!((refused.status, refused.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "not-kept"));
        let kept = refused.json()["kept"].clone();
        let kept: Vec<&str> = kept.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        assert_eq!(kept.len(), 15, "{kept:?}");
        assert!(kept.contains(&"country,plan") && kept.contains(&"utm_content") && kept.contains(&"member"));
    }
    // Kept from the second day on: a zero must not stand for the first.
    let first = ask("country,plan", START, START + 2 * DAY).await;
    assert_eq!(first.problem(), "not-kept");
    assert!(first.json()["detail"].as_str().unwrap().contains("2026-01-05T00:00:00Z"), "{:?}", first.json());
    let second = ask("plan,country", START + DAY, START + 2 * DAY).await.ok();
    assert_eq!(groups(&second, "clicks_human"), named(&[("(none) DE", 1)]));
    server.stop().await;
}

#[tokio::test]
async fn by_member_it_is_whole_days_that_are_over() {
    let (server, token) = told(&story()).await;
    let ask = |from: i64, to: i64| {
        let path = format!("/v1/creators/acme/breakdown?by=member&metric=orders&from={from}&to={to}");
        let (server, token) = (&server, token.clone());
        async move { server.get_at(&path, &token).await }
    };
    let answer = ask(START, START + DAY).await.ok();
    assert_eq!(groups(&answer, "orders"), named(&[("(none)", 1), ("ann", 1), ("bob", 0)]));
    assert_eq!(groups(&answer, "clicks_human"), named(&[("(none)", 0), ("ann", 2), ("bob", 2)]));
    assert_eq!(answer["data"]["groups"][0]["figures"]["money"][1]["revenue_net"], 500);
    let lately = server.get_at("/v1/creators/acme/breakdown?by=member&metric=orders", &token).await.ok();
    assert_eq!(
        (&lately["data"]["to"], &lately["data"]["groups"]),
        (&json!("2026-01-06T00:00:00Z"), &answer["data"]["groups"])
    );
    let open = ask(START, START + 2 * DAY).await;
    assert_eq!(open.problem(), "not-kept");
    assert!(open.json()["detail"].as_str().unwrap().contains("up to 2026-01-06T00:00:00Z"), "{:?}", open.json());
    assert_eq!(ask(START + HOUR, START + DAY).await.problem(), "not-kept");
    server.stop().await;
}

#[tokio::test]
async fn what_comes_late_for_a_day_that_is_over_is_in_its_breakdowns() {
    let mut events = club();
    events.extend([
        click("k1", "ann", START + HOUR, json!({"platform": "x"})),
        purchase("p1", START + HOUR, 1_000, json!({"click_id": "late", "referral_code": "BOB"})),
        purchase("p2", START + 2 * HOUR, 500, json!({"plan": "pro"})),
        click("next", "ann", START + DAY + HOUR, json!({})),
    ]);
    let (server, token) = told(&Value::Array(events)).await;
    let ask = |by: &str, from: i64, to: i64, token: &str| {
        let path = format!("/v1/creators/acme/breakdown?by={by}&metric=orders&from={from}&to={to}");
        let (server, token) = (&server, token.to_owned());
        async move { server.get_at(&path, &token).await.ok() }
    };
    let before = ask("platform", START, START + DAY, &token).await;
    assert_eq!(groups(&before, "orders"), named(&[("(none)", 2), ("x", 0)]));
    // The first order takes over its click's values; the second is taken back; a click has a value of its own.
    let refund = json!({"kind": "refund", "original_id": "p2"});
    let mut refund = event("Conversion", "r", START + DAY + HOUR, refund);
    refund["conversion_id"] = json!("r2");
    let late = json!([
        click("late", "ann", START + HOUR - 1, json!({"platform": "web", "country": "de"})),
        click("k3", "bob", START + HOUR + MINUTE, json!({"platform": "x"})),
        refund,
    ]);
    let token = server.fill(&late).await;
    let after = ask("platform", START, START + DAY, &token).await;
    assert_eq!(groups(&after, "orders"), named(&[("(none)", 1), ("web", 1), ("x", 0)]));
    assert_eq!(groups(&after, "clicks_human"), named(&[("(none)", 0), ("web", 1), ("x", 2)]));
    assert_eq!(groups(&after, "customers"), named(&[("(none)", 0), ("web", 1), ("x", 0)]));
    // What is left of the first order where it was is nothing.
    let country = ask("country", START + HOUR, START + HOUR + 15 * MINUTE, &token).await;
    assert_eq!(groups(&country, "orders"), named(&[("DE", 1), ("(none)", 0)]));
    assert_eq!(groups(&country, "clicks_human"), named(&[("DE", 0), ("(none)", 2)]));
    let pair = ask("platform,country", START, START + DAY, &token).await;
    assert_eq!(groups(&pair, "orders"), named(&[("(none) (none)", 1), ("web DE", 1), ("x (none)", 0)]));
    let mut found = Vec::new();
    server.engine.verify(|difference| found.push(difference), |_, _| {}).await.unwrap();
    assert_eq!(found, []);
    server.stop().await;
}

#[tokio::test]
async fn a_breakdown_that_outgrows_its_row_is_read_and_compared_part_by_part() {
    let mut events = club();
    for n in 0..700 {
        let country = if n % 2 == 0 { "DE" } else { "US" };
        let fields = json!({"utm_source": format!("source-{n:03}"), "utm_content": format!("content-{}", n % 200),
                            "platform": format!("p{}", n % 30), "country": country});
        events.push(click(&format!("k{n}"), "ann", START + HOUR + i64::from(n) * 1_000, fields));
    }
    events.push(click("next", "ann", START + DAY + HOUR, json!({"platform": "x"})));
    let (server, token) = told(&Value::Array(events)).await;
    let ask = |by: &str, from: i64, to: i64| {
        let path = format!("/v1/creators/acme/breakdown?by={by}&from={from}&to={to}&limit=1000");
        let (server, token) = (&server, token.clone());
        async move { groups(&server.get_at(&path, &token).await.ok(), "clicks_human") }
    };
    for (from, to) in [(START, START + DAY), (START + HOUR, START + 2 * HOUR)] {
        let sources = ask("utm_source", from, to).await;
        assert_eq!((sources.len(), sources[0].clone()), (257, named(&[("(other)", 444)]).remove(0)));
        let platforms = ask("platform,country", from, to).await;
        assert_eq!(platforms.iter().map(|(_, count)| count).sum::<i64>(), 700);
        assert_eq!(platforms.len(), 30);
    }
    // Two of four quarter hours, from a row that holds them all.
    let half = ask("platform", START + HOUR, START + HOUR + 15 * MINUTE).await;
    assert_eq!(half.iter().map(|(_, count)| count).sum::<i64>(), 700);
    let mut found = Vec::new();
    server.engine.verify(|difference| found.push(difference), |_, _| {}).await.unwrap();
    assert_eq!(found, []);
    server.stop().await;
}

#[tokio::test]
async fn a_member_s_clicks_and_shares_are_listed_newest_first() {
    let mut events = club();
    let share = json!({"share_id": "s1", "member_id": "ann", "platform": "x", "share_type": "qr",
                       "template_id": "hello"});
    events.push(event("Share", "s", START + MINUTE, share));
    for n in 0..300_i64 {
        let member = if n % 3 == 0 { "ann" } else { "bob" };
        let method = if n == 3 { "HEAD" } else { "GET" };
        let fields = json!({"share_id": "s1", "method": method});
        events.push(click(&format!("k{n}"), member, START + HOUR + n * 1_000, fields));
    }
    let (server, token) = told(&Value::Array(events)).await;
    let path = "/v1/creators/acme/members/ann";
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = server.get_at(&format!("{path}/clicks?limit=30{cursor}"), &token).await.ok();
        seen.extend(answer["data"].as_array().unwrap().clone());
        let Some(next) = answer["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let ids: Vec<String> = seen.iter().map(|click| click["click_id"].as_str().unwrap().to_owned()).collect();
    let expected: Vec<String> = (0..300).rev().filter(|n| n % 3 == 0).map(|n| format!("k{n}")).collect();
    assert_eq!(ids, expected);
    let oldest = json!({"click_id": "k0", "clicked_at": "2026-01-05T01:00:00Z", "expires_at": "2026-02-19T01:00:00Z",
        "disposition": "countable", "platform": "x", "share_id": "s1", "template_id": "hello"});
    assert_eq!(seen[99], oldest);
    assert_eq!(seen[98]["disposition"], "excluded_bot");
    let shares = server.get(&format!("{path}/shares")).await.ok();
    let share = json!({"share_id": "s1", "shared_at": "2026-01-05T00:01:00Z", "expires_at": "2026-02-19T00:01:00Z",
        "platform": "x", "template_id": "hello"});
    assert_eq!((&shares["data"], &shares["next"]), (&json!([share]), &Value::Null));

    // Another's place is no cursor here.
    let theirs = server.get("/v1/creators/acme/members/bob/clicks?limit=1").await.ok();
    let theirs = theirs["next"].as_str().unwrap();
    assert_eq!(server.get(&format!("{path}/clicks?cursor={theirs}")).await.problem(), "invalid-parameter");
    assert_eq!(server.get("/v1/creators/acme/members/nobody/clicks").await.problem(), "unknown-member");

    // Half of them are older than 45 days by then.
    let later = START + HOUR + 150_000 + 45 * DAY;
    let token = server.fill(&json!([purchase("p", later, 1, json!({}))])).await;
    let left = server.get_at(&format!("{path}/clicks?limit=1000"), &token).await.ok();
    assert_eq!(left["data"].as_array().unwrap().len(), 50);
    assert_eq!(server.get(&format!("{path}/shares")).await.ok()["data"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn retention_is_by_month_of_joining_and_a_streak_by_days_on_end() {
    let mut events = club();
    events.extend([
        click("k1", "ann", START, json!({})),
        click("k2", "ann", START + DAY, json!({})),
        signup("s1", START + HOUR, json!({"click_id": "k1"})),
        signup("s2", START + HOUR, json!({"referral_code": "ANN"})),
        signup("s3", START + HOUR, json!({})),
        click("k3", "ann", START + 30 * DAY, json!({})),
        click("k4", "bob", START + 60 * DAY, json!({})),
    ]);
    let (server, token) = told(&Value::Array(events)).await;
    let cohorts = server.get_at("/v1/creators/acme/cohorts", &token).await;
    assert!(String::from_utf8_lossy(&cohorts.bytes).contains("\"retention\":0.500000"));
    let expected = json!([{"joined_in": "2026-01", "members": 2, "ages": [
        {"age": 0, "active": 1, "retention": 0.5},
        {"age": 1, "active": 1, "retention": 0.5},
        {"age": 2, "active": 1, "retention": 0.5},
    ]}]);
    assert_eq!(cohorts.ok()["data"]["cohorts"], expected);
    // Of three signups two are credited, to one active member.
    for (span, members, k_factor) in [
        ("from=2026-01-01&to=2026-02-01", json!(1), json!(2.0)),
        ("from=2026-04-01&to=2026-05-01", json!(0), json!(null)),
        ("from=2026-01-01&to=2026-02-02", json!(null), json!(null)),
    ] {
        let analytics = server.get(&format!("/v1/creators/acme/analytics?{span}&compare=none")).await.ok();
        let data = &analytics["data"];
        assert_eq!((&data["active_members"], &data["k_factor"]), (&members, &k_factor), "{span}");
        assert!(data["signups_credited"].is_i64());
    }
    let stats = |member: &str| {
        let path = format!("/v1/creators/acme/members/{member}/stats");
        let server = &server;
        async move { server.get(&path).await.ok()["data"]["streak"].clone() }
    };
    assert_eq!(stats("ann").await, json!({"current": 0, "best": 2}));
    let now = server.engine.clock.now().0;
    let token = server.fill(&json!([click("today", "bob", now, json!({}))])).await;
    server.get_at("/v1/creators/acme", &token).await.ok();
    assert_eq!(stats("bob").await, json!({"current": 1, "best": 1}));
    server.stop().await;
}
