//! Lists, page by page: each entry once, in order, whatever comes in meanwhile.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::reads::{creator, member};
use super::server::Server;
use super::year::{Year, at, end};

async fn told() -> (Server, Year) {
    let year = Year::of("acme", "America/New_York", 10);
    let server = Server::whole().await;
    let token = year.fill(&server).await;
    server.get_at("/v1/creators/acme/timeseries", &token).await.ok();
    (server, year)
}

/// All entries of a list, page by page.
async fn pages(server: &Server, path: &str, limit: usize) -> Vec<Value> {
    let (mut entries, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = server.get(&format!("{path}limit={limit}{cursor}")).await.ok();
        let page = answer["data"].as_array().unwrap();
        assert!(page.len() <= limit);
        entries.extend(page.iter().cloned());
        let Some(next) = answer["next"].as_str() else { return entries };
        cursor = format!("&cursor={next}");
    }
}

fn ids(entries: &[Value], id: &str) -> Vec<String> {
    entries.iter().map(|entry| entry[id].as_str().unwrap().to_owned()).collect()
}

/// Of the sales that were sent: the id of each with its time, newest first.
fn sales(year: &Year, kinds: &[&str]) -> Vec<(i64, String)> {
    let of_kind =
        |event: &&Value| kinds.iter().any(|kind| event["kind"] == *kind) && event["conversion_id"].is_string();
    let all = year.events.iter().map(|(_, event)| event).filter(of_kind);
    let mut sales: Vec<(i64, String)> = all
        .map(|event| (event["occurred_at"].as_i64().unwrap(), event["conversion_id"].as_str().unwrap().to_owned()))
        .collect();
    sales.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    sales
}

#[tokio::test]
async fn conversions_are_listed_newest_first_between_any_bounds() {
    let (server, year) = told().await;
    let all = sales(&year, &["signup", "purchase", "refund"]);
    let found = ids(&pages(&server, "/v1/creators/acme/conversions?", 37).await, "conversion_id");
    assert_eq!(found, all.iter().map(|(_, id)| id.clone()).collect::<Vec<_>>());
    // A day of the zone, and bounds to the millisecond.
    let sale = &all[all.len() / 2];
    for (query, from, to) in [
        ("from=2023-03-12&to=2023-05-01", at("2023-03-12T05:00:00Z"), at("2023-05-01T04:00:00Z")),
        ("from=2023-03-12&to=2023-05-01&tz=UTC", at("2023-03-12T00:00:00Z"), at("2023-05-01T00:00:00Z")),
        (&format!("from={}&to={}", sale.0, sale.0 + 1), sale.0, sale.0 + 1),
        (&format!("from={}", sale.0), sale.0, i64::MAX),
        (&format!("to={}", sale.0), 0, sale.0),
        ("from=1990-01-01&to=1991-01-01", 0, 0),
    ] {
        let found = ids(&pages(&server, &format!("/v1/creators/acme/conversions?{query}&"), 7).await, "conversion_id");
        let inside = all.iter().filter(|(t, _)| from <= *t && *t < to);
        assert_eq!(found, inside.map(|(_, id)| id.clone()).collect::<Vec<_>>(), "{query}");
    }
    server.stop().await;
}

#[tokio::test]
async fn commissions_are_listed_by_type_state_and_time() {
    let (server, year) = told().await;
    let all = sales(&year, &["purchase"]);
    let path = "/v1/creators/acme/commissions?";
    for limit in [3, 50, 1_000] {
        let found = ids(&pages(&server, path, limit).await, "conversion_id");
        assert_eq!(found, all.iter().map(|(_, id)| id.clone()).collect::<Vec<_>>(), "by {limit}");
    }
    let paid: Vec<&Value> =
        year.events.iter().map(|(_, event)| event).filter(|event| event["kind"] == "paid").collect();
    let found = pages(&server, &format!("{path}state=paid&"), 5).await;
    assert_eq!(found.len(), paid.len());
    assert!(found.iter().all(|entry| entry["state"] == "paid" && entry["paid_at"].is_string()));
    let held = pages(&server, &format!("{path}state=approved&"), 5).await;
    let approved = pages(&server, &format!("{path}state=held&"), 5).await;
    assert_eq!(held.len() + approved.len() + paid.len(), all.len(), "each stands somewhere");
    let initial = pages(&server, &format!("{path}payment_type=initial&from=2023-06-01&to=2023-07-01&"), 4).await;
    let june = at("2023-06-01T04:00:00Z")..at("2023-07-01T04:00:00Z");
    assert_eq!(initial.len(), all.iter().filter(|(t, _)| june.contains(t)).count());
    assert_eq!(pages(&server, &format!("{path}payment_type=recurring&"), 5).await, [] as [Value; 0]);
    for (query, parameter) in [("state=lost", "state"), ("payment_type=first", "payment_type")] {
        let answer = server.get(&format!("{path}{query}")).await;
        assert_eq!((answer.status, answer.json()["parameter"].clone()), (StatusCode::BAD_REQUEST, json!(parameter)));
    }
    server.stop().await;
}

#[tokio::test]
async fn commissions_of_all_types_come_in_one_order() {
    let server = Server::whole().await;
    let mut events = vec![creator("acme", "EUR"), member("acme", "ann")];
    let start = at("2026-01-06T00:00:00Z");
    // The producer states them.
    events[0]["commission"] = json!({"source": "producer"});
    for i in 0..60_i64 {
        // Many at the same instant: the id decides.
        let mut event = json!({"type": "Commission", "event_id": format!("o{i}"), "creator_id": "acme",
            "occurred_at": start + i / 7 * 86_400_000, "commission_id": format!("p{i:02}"), "kind": "earned",
            "member_id": "ann", "amount": 50, "currency": "EUR"});
        match i % 3 {
            0 => event["payment_type"] = json!("initial"),
            1 => event["payment_type"] = json!("recurring"),
            _ => {}
        }
        events.push(event);
    }
    let token = server.fill(&json!(events)).await;
    let path = "/v1/creators/acme/commissions?";
    server.get_at("/v1/creators/acme", &token).await.ok();
    let mut expected: Vec<i64> = (0..60).collect();
    expected.sort_by_key(|i| (-(i / 7), *i));
    let named = |all: Vec<i64>| -> Vec<String> { all.into_iter().map(|i| format!("p{i:02}")).collect() };
    for limit in [1, 4, 7, 60] {
        assert_eq!(ids(&pages(&server, path, limit).await, "commission_id"), named(expected.clone()), "by {limit}");
    }
    for (rest, name) in ["initial", "recurring", "unknown"].into_iter().enumerate() {
        let found = ids(&pages(&server, &format!("{path}payment_type={name}&"), 4).await, "commission_id");
        let of_type = expected.iter().copied().filter(|i| usize::try_from(i % 3).unwrap() == rest);
        assert_eq!(found, named(of_type.collect()), "{name}");
    }
    server.stop().await;
}

#[tokio::test]
async fn what_comes_in_between_two_pages_moves_nothing() {
    let (server, mut year) = told().await;
    let path = "/v1/creators/acme/conversions?limit=10";
    let first = server.get(path).await.ok();
    let before = ids(&pages(&server, "/v1/creators/acme/conversions?", 1_000).await, "conversion_id");
    let sent = year.events.len();
    for i in 0..15 {
        year.sale(end() - i * 1_000, "ann");
    }
    let new: Vec<Value> = year.events.drain(sent..).map(|(_, event)| event).collect();
    let token = server.fill(&json!(new)).await;
    server.get_at("/v1/creators/acme", &token).await.ok();
    let second = server.get(&format!("{path}&cursor={}", first["next"].as_str().unwrap())).await.ok();
    let both = [
        ids(first["data"].as_array().unwrap(), "conversion_id"),
        ids(second["data"].as_array().unwrap(), "conversion_id"),
    ];
    assert_eq!(both.concat(), before[..20]);
    server.stop().await;
}

#[tokio::test]
async fn a_cursor_of_another_list_or_order_or_none_at_all_is_a_400() {
    let (server, _) = told().await;
    let next = |path: &str| {
        let (server, path) = (&server, format!("/v1/creators/acme/{path}limit=1"));
        async move { server.get(&path).await.ok()["next"].as_str().unwrap().to_owned() }
    };
    let conversions = next("conversions?").await;
    let clicks = next("members?sort=clicks&").await;
    let joined = next("members?").await;
    for (path, cursor) in [
        ("commissions?", conversions.as_str()),
        ("members/ann/commissions?", &conversions),
        ("members?", &clicks),
        ("members?sort=earnings&", &clicks),
        ("members?sort=clicks&order=asc&", &clicks),
        ("members?order=desc&", &joined),
        ("conversions?", "00"),
        ("conversions?", "abc"),
        ("conversions?", "f0ff"),
        ("conversions?", &conversions[..conversions.len() - 1]),
        ("conversions?", "zz"),
    ] {
        let answer = server.get(&format!("/v1/creators/acme/{path}cursor={cursor}")).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (StatusCode::BAD_REQUEST, "invalid-parameter"),
            "{path}"
        );
        assert_eq!(answer.json()["parameter"], "cursor", "{path} {cursor}");
    }
    assert_eq!(server.get(&format!("/v1/creators?cursor={joined}")).await.json()["parameter"], "cursor");
    server.stop().await;
}
