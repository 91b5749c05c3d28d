//! Looking at the projections while the server writes them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http_body_util::BodyExt;
use hyper::StatusCode;
use serde_json::{Value, json};
use tributary::ids::Millis;
use tributary::project::tables;
use tributary::simulate::{Pace, Simulation, Spec};
use tributary::store::{Row, Store};

use super::client::{Answer, empty, open, request, send};
use super::reads::{creator, member};
use super::server::{Server, limits};

/// All lines of an answer.
fn lines(answer: &Answer) -> Vec<Value> {
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/x-ndjson"));
    let text = std::str::from_utf8(&answer.bytes).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn verify(server: &Server) -> Vec<Value> {
    lines(&server.post("/admin/projections/verify", "{}").await)
}

/// Posts a programme over and over, each time another one, until told to stop. How many events were taken.
pub async fn pour(addr: std::net::SocketAddr, stop: Arc<AtomicBool>) -> u64 {
    let mut taken = 0;
    for seed in 0.. {
        let pace = Pace::History { days: 20 };
        let spec = Spec {
            creators: 4,
            members: 40,
            events: 5_000,
            seed,
            start: Millis(1_767_571_200_000),
            pace,
            signups_permille: 200,
        };
        let records: Vec<_> = Simulation::new(&spec).collect();
        for chunk in records.chunks(200) {
            let mut body = Vec::from(*b"[");
            for record in chunk {
                tributary::schema::to_json(&record.event(), &mut body);
                body.push(b',');
            }
            body.pop();
            body.push(b']');
            let post = request("POST", "/v1/events").header("content-type", "application/json");
            let answer = send(addr, post.body(bytes::Bytes::from(body).into()).unwrap()).await.ok();
            taken += answer["accepted"].as_u64().unwrap();
            // No faster than it is applied, however slow the machine is.
            let applied = request("GET", "/v1/creators").header("x-min-position", answer["token"].as_str().unwrap());
            drop(send(addr, applied.body(bytes::Bytes::new().into()).unwrap()).await);
            if stop.load(Ordering::Relaxed) {
                return taken;
            }
        }
    }
    taken
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_is_what_the_log_says_while_events_pour_in() {
    let server = Server::whole().await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut pouring = tokio::task::JoinSet::new();
    pouring.spawn(pour(server.addr, Arc::clone(&stop)));
    let ends = || server.engine.ends().iter().map(|(_, end)| end.0).sum::<u64>();
    while ends() < 2_000 {
        tokio::task::yield_now().await;
    }
    for _ in 0..3 {
        let (before, told) = (ends(), verify(&server).await);
        let last = told.last().unwrap();
        assert_eq!(last["verified"]["differences"], 0, "{told:?}");
        assert!(last["verified"]["rows"].as_u64().unwrap() > 100, "{last}");
        assert!(told.iter().any(|line| line["progress"]["done"].is_u64()), "{told:?}");
        assert!(ends() > before, "events came in meanwhile");
    }
    stop.store(true, Ordering::Relaxed);
    let taken = pouring.join_next().await.unwrap().unwrap();
    assert_eq!(ends(), taken);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_is_wrong_is_told_and_counted() {
    let server = Server::whole().await;
    let token = server.fill(&json!([creator("acme", "EUR"), member("acme", "ann")])).await;
    server.get_at("/v1/creators/acme", &token).await.ok();
    let p = tributary::append::partition::partition_of(b"acme", server.engine.log.topic().partitions);
    let stored = server.engine.store.get(&[tables::member(p, "acme", 0)]).await.unwrap();
    let right = stored[0].clone().expect("ann is stored");
    let mut value = right.value.clone().unwrap().to_vec();
    *value.last_mut().unwrap() += 1;
    server.engine.store.write(vec![Row { value: Some(value.into()), ..right }]).await.unwrap();

    let told = verify(&server).await;
    let found: Vec<&Value> = told.iter().filter_map(|line| line.get("difference")).collect();
    assert_eq!((found.len(), &found[0]["table"]), (1, &json!("member")), "{told:?}");
    assert!(found[0]["key"].as_str().unwrap().contains("acme"));
    assert_eq!(told.last().unwrap()["verified"]["differences"], 1);
    server.stop().await;
}

#[tokio::test]
async fn rows_are_counted_by_table() {
    let server = Server::whole().await;
    let token = server.fill(&json!([creator("acme", "EUR"), member("acme", "ann"), member("acme", "bob")])).await;
    server.get_at("/v1/creators/acme", &token).await.ok();
    let told = lines(&server.get("/admin/projections/stats").await);
    let tables = told.last().unwrap()["counted"]["tables"].as_array().unwrap().clone();
    let rows = |name: &str| tables.iter().find(|table| table["table"] == name).unwrap()["rows"].clone();
    assert_eq!((rows("creator"), rows("member")), (json!(1), json!(2)));
    server.stop().await;
}

#[tokio::test]
async fn a_second_look_is_a_409_that_says_so() {
    let server = Server::start_with(limits(), |app| app.looks = Arc::new(|_| None)).await;
    for answer in [server.post("/admin/projections/verify", "{}").await, server.get("/admin/projections/stats").await] {
        assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::CONFLICT, "already-running"));
    }
    server.stop().await;
}

#[tokio::test]
async fn a_look_is_cut_off_when_the_server_stops() {
    let (lines, receiver) = tokio::sync::mpsc::channel(1);
    let receiver = std::sync::Mutex::new(Some(receiver));
    let looks = move |_| receiver.lock().unwrap().take();
    let server = Server::start_with(limits(), |app| app.looks = Arc::new(looks)).await;
    let looking = open(server.addr, request("GET", "/admin/projections/stats").body(empty()).unwrap()).await;
    assert_eq!(looking.status(), StatusCode::OK);
    server.stop().await;
    assert_eq!(looking.into_body().collect().await.unwrap().to_bytes(), "", "it was ended, not broken off");
    lines.closed().await;
}

#[tokio::test]
async fn a_look_ends_when_its_reader_goes_away() {
    let (lines, receiver) = tokio::sync::mpsc::channel(1);
    let receiver = std::sync::Mutex::new(Some(receiver));
    let looks = move |_| receiver.lock().unwrap().take();
    let server = Server::start_with(limits(), |app| app.looks = Arc::new(looks)).await;
    let looking = open(server.addr, request("GET", "/admin/projections/stats").body(empty()).unwrap()).await;
    drop(looking);
    lines.closed().await;
    server.stop().await;
}

#[tokio::test]
async fn comparing_is_asked_for_in_json_so_that_no_other_site_can() {
    let server = Server::start(limits()).await;
    let plain = request("POST", "/admin/projections/verify").body(empty()).unwrap();
    assert_eq!(send(server.addr, plain).await.problem(), "media-type");
    assert_eq!(server.post("/admin/projections/verify", r#"{"fast": true}"#).await.problem(), "invalid-body");
    assert_eq!(server.get("/admin/projections/verify").await.problem(), "method-not-allowed");
    server.stop().await;
}
