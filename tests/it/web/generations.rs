//! Switching between generations under a client that asks all the time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::StatusCode;
use serde_json::{Value, json};
use tributary::append::partition::partition_of;
use tributary::ids::Next;
use tributary::project::rows::CreatorRow;
use tributary::project::tables;
use tributary::run::Rows;
use tributary::store::live::{Generation, Switch};
use tributary::store::{Row, Store};
use tributary::web::App;
use tributary::web::keys::Scope;

use super::admin::pour;
use super::client::{empty, open, request, send};
use super::keys::Locked;
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
        // Both generations follow what is poured in, however slow the machine is.
        position_wait_max: Duration::from_secs(120),
        request_wait_max: Duration::from_secs(120),
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_one_creator_sees_no_other_in_whichever_generation_is_live() {
    let locked = Locked::whole().await;
    let all = locked.key(&[Scope::Read, Scope::Write, Scope::Admin], None).await;
    let own = locked.key(&[Scope::Read], Some(&["acme"])).await;
    let told = json!([creator("acme", "EUR"), member("acme", "ann"), creator("other", "EUR"), member("other", "bob")]);
    locked.fill(&told, &all).await;
    locked.server.engine.caught_up().await.unwrap();
    let generations = "/admin/projections/generations";
    let change = async |what: &str| {
        let path = format!("/admin/projections/{what}");
        locked.ask("POST", &path, all.reveal(), "{}").await.ok()["live"].as_u64().unwrap()
    };
    assert_eq!(change("rebuild").await, 1);
    loop {
        let status = locked.get(generations, &all).await.ok();
        if status["generations"][1]["state"] == "ready" {
            break;
        }
        // A key may ask so many times a second.
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    for live in [2, 1] {
        assert_eq!(change(if live == 2 { "switch" } else { "rollback" }).await, live);
        assert_eq!(locked.get("/v1/creators/acme/members/ann/stats", &own).await.status, StatusCode::OK);
        let creators = locked.get("/v1/creators", &own).await.ok();
        assert_eq!(creators["data"].as_array().unwrap().len(), 1, "{creators}");
        assert_eq!(creators["data"][0]["creator_id"], "acme");
        for path in ["/v1/creators/other", "/v1/creators/other/live", "/v1/creators/other/members/bob/stats"] {
            assert_eq!(locked.get(path, &own).await.problem(), "unknown-creator", "{path}");
        }
    }
    assert_eq!(locked.get(generations, &own).await.problem(), "forbidden");
    locked.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_that_follow_the_log_no_more_are_answered_as_they_stand_without_waiting() {
    let limits = tributary::web::Limits {
        // Nobody waits so long: an answer that waited would not come.
        position_wait_max: Duration::from_secs(3_600),
        request_wait_max: Duration::from_secs(3_600),
        ..limits()
    };
    let frozen = |app: &mut App<Rows, tributary::run::Sink>| {
        app.live = Switch::new(Generation::new(1, app.store.clone(), true)).live();
    };
    let mut server = Server::start_with(limits, frozen).await;
    server.engine.start().unwrap();
    server.fill(&json!([creator("acme", "EUR"), member("acme", "ann")])).await;
    server.engine.caught_up().await.unwrap();
    // The last flush wrote what follows fast, and died before what follows slowly.
    let store = &server.engine.store;
    let key = tables::creator(partition_of(b"acme", server.engine.log.topic().partitions), "acme");
    let found = store.get(std::slice::from_ref(&key)).await.unwrap().remove(0).unwrap();
    let head = CreatorRow { at: Next(found.at.0 + 9), ..CreatorRow::decode(&found.value.unwrap()).unwrap() };
    store.write(vec![Row { key, at: head.at, value: Some(head.encode()), expires: None }]).await.unwrap();

    let path =
        "/v1/creators/acme/members/ann/timeseries?from=2026-01-05T00:00:00Z&to=2026-01-06T00:00:00Z&interval=day";
    let answer = tokio::time::timeout(Duration::from_secs(60), server.get(path)).await.expect("it waits for nothing");
    assert_eq!(answer.ok()["meta"]["stale"], true);
    server.stop().await;
}
