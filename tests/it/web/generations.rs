//! Switching between generations under a client that asks all the time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::StatusCode;
use serde_json::{Value, json};

use super::admin::pour;
use super::client::{empty, open, request, send};
use super::reads::{creator, member};
use super::server::{Server, limits};

/// `0.17~3.4` as numbers.
fn places(position: &str) -> Vec<(u32, u64)> {
    let pair = |pair: &str| {
        let (partition, next) = pair.split_once('.').unwrap();
        (partition.parse().unwrap(), next.parse().unwrap())
    };
    position.split('~').map(pair).collect()
}

/// What of the figures may only grow.
fn growing(answer: &Value) -> Vec<u64> {
    let one = &answer["data"];
    let figure = |name: &str| one[name].as_u64().unwrap_or_default();
    let position = places(answer["meta"]["as_of"]["position"].as_str().unwrap());
    let mut all: Vec<u64> = position.into_iter().map(|(_, next)| next).collect();
    let figures = &one["figures"]["counts"];
    all.extend(["clicks_total", "shares", "orders"].map(|name| figures[name].as_u64().unwrap_or_default()));
    all.push(figure("members"));
    all
}

/// Asks in a tight loop until told to stop; how often. Every answer is a 200 and none goes back.
async fn poll(addr: SocketAddr, path: String, stop: Arc<AtomicBool>) -> u64 {
    let (mut asked, mut before) = (0, Vec::new());
    while !stop.load(Ordering::Relaxed) {
        let answer = send(addr, request("GET", &path).body(empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {:?}", answer.bytes);
        let now = growing(&answer.json());
        let is_behind = before.iter().zip(&now).any(|(before, now): (&u64, &u64)| now < before);
        assert!(!is_behind, "{path} went back from {before:?} to {now:?}");
        before = now;
        asked += 1;
    }
    asked
}

/// Listens until told to stop; how many events. None goes back.
async fn listen(addr: SocketAddr, path: String, stop: Arc<AtomicBool>) -> u64 {
    let mut body = open(addr, request("GET", &path).body(empty()).unwrap()).await.into_body();
    let (mut heard, mut before) = (0, Vec::new());
    while !stop.load(Ordering::Relaxed) {
        let frame = tokio::time::timeout(Duration::from_secs(60), body.frame()).await.expect("nothing came");
        let bytes = frame.expect("the stream ended").unwrap().into_data().unwrap();
        let text = std::str::from_utf8(&bytes).unwrap();
        let Some(data) = text.lines().find_map(|line| line.strip_prefix("data: ")) else { continue };
        let now = growing(&serde_json::from_str(data).unwrap());
        let is_behind = before.iter().zip(&now).any(|(before, now): (&u64, &u64)| now < before);
        assert!(!is_behind, "{path} went back from {before:?} to {now:?}");
        before = now;
        heard += 1;
    }
    heard
}

async fn made(server: &Server) -> Value {
    loop {
        let status = server.get("/admin/projections/generations").await.ok();
        let all = status["generations"].as_array().unwrap().clone();
        let found = all.into_iter().find(|one| one["role"] == "building").expect("one is in the making");
        assert_eq!(found["why"], Value::Null, "{found}");
        if found["state"] == "ready" {
            return found;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_asks_all_the_time_sees_no_error_and_never_goes_back_through_switch_and_rollback() {
    let limits = tributary::web::Limits {
        live_every: Duration::from_millis(5),
        heartbeat_every: Duration::from_millis(50),
        ..limits()
    };
    let mut server = Server::start(limits).await;
    server.engine.start().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let mut pouring = tokio::task::JoinSet::new();
    pouring.spawn(pour(server.addr, Arc::clone(&stop)));
    let first = loop {
        let creators = server.get("/v1/creators").await.ok();
        if let Some(id) = creators["data"][0]["creator_id"].as_str() {
            break id.to_owned();
        }
    };
    let mut asking = tokio::task::JoinSet::new();
    asking.spawn(poll(server.addr, format!("/v1/creators/{first}"), Arc::clone(&stop)));
    asking.spawn(poll(server.addr, "/v1/creators".to_owned(), Arc::clone(&stop)));
    asking.spawn(listen(server.addr, format!("/v1/creators/{first}/live"), Arc::clone(&stop)));

    assert_eq!(server.post("/admin/projections/rebuild", "{}").await.ok()["live"], 1);
    assert_eq!(server.post("/admin/projections/rebuild", "{}").await.problem(), "not-now");
    assert_eq!(made(&server).await["differences"], 0);
    assert_eq!(server.post("/admin/projections/switch", "{}").await.ok()["live"], 2);
    for live in [1, 2, 1, 2] {
        // What was sent in before the switch is found behind it.
        let token = server.fill(&json!([creator("acme", "EUR"), member("acme", &format!("m{live}"))])).await;
        assert_eq!(server.post("/admin/projections/rollback", "{}").await.ok()["live"], live);
        server.get_at(&format!("/v1/creators/acme/members/m{live}/stats"), &token).await.ok();
    }
    let health = server.get("/health").await.ok();
    let roles: Vec<_> =
        health["projections"]["generations"].as_array().unwrap().iter().map(|one| &one["role"]).collect();
    assert_eq!(roles, ["live", "former"]);
    stop.store(true, Ordering::Relaxed);
    pouring.join_all().await;
    for count in asking.join_all().await {
        assert!(count > 5, "{count}");
    }
    let told = server.post("/admin/projections/verify", "{}").await;
    assert!(std::str::from_utf8(&told.bytes).unwrap().contains(r#""verified":{"differences":0"#), "{:?}", told.bytes);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_done_is_a_409_that_says_what_to_do_first() {
    let server = Server::whole().await;
    for (path, part) in [
        ("/admin/projections/cancel", "no generation is in the making"),
        ("/admin/projections/switch", "`tributary projections rebuild` begins one"),
        ("/admin/projections/rollback", "no former generation"),
        ("/admin/projections/drop", "no former generation"),
    ] {
        let answer = server.post(path, "{}").await;
        assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::CONFLICT, "not-now"), "{path}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(part), "{path}: {:?}", answer.bytes);
        let plain = request("POST", path).body(empty()).unwrap();
        assert_eq!(send(server.addr, plain).await.problem(), "media-type", "{path}");
        assert_eq!(server.post(path, r#"{"quick":true}"#).await.problem(), "invalid-body", "{path}");
        assert_eq!(server.get(path).await.problem(), "method-not-allowed", "{path}");
    }
    assert_eq!(server.post("/admin/projections/compare", "{}").await.problem(), "invalid-body");
    let told = server.post("/admin/projections/compare", r#"{"generation":7}"#).await;
    assert!(std::str::from_utf8(&told.bytes).unwrap().contains("cannot be compared with the live one"));
    server.stop().await;
}
