//! Server-sent events.

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::body::Incoming;
use serde_json::{Value, json};
use std::time::Duration;
use tributary::web::Limits;

use super::client::{empty, open, request};
use super::reads::{creator, member};
use super::server::{Server, limits};

async fn piece(body: &mut Incoming) -> Bytes {
    let frame = tokio::time::timeout(Duration::from_secs(20), body.frame()).await.expect("nothing came");
    frame.expect("the stream ended").unwrap().into_data().unwrap()
}

fn data(event: &Bytes) -> Value {
    let text = std::str::from_utf8(event).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap_or_else(|| panic!("{text}"));
    serde_json::from_str(line).unwrap()
}

#[tokio::test]
async fn a_listener_hears_at_once_and_then_of_every_change() {
    let mut server = Server::start(Limits { live_every: Duration::from_millis(5), ..limits() }).await;
    server.engine.start().unwrap();
    let token = server.fill(&json!([creator("acme", "EUR"), member("acme", "ann")])).await;
    server.get_at("/v1/creators/acme", &token).await.ok();
    let answer = open(server.addr, request("GET", "/v1/creators/acme/live").body(empty()).unwrap()).await;
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut body = answer.into_body();
    let first = piece(&mut body).await;
    assert!(first.starts_with(b"retry: 2000\nevent: creator\n"), "{first:?}");
    assert_eq!(data(&first)["data"]["members"], 1);
    let changed = |told: &Value| -> Vec<String> { serde_json::from_value(told["changed"].clone()).unwrap() };
    let all = changed(&data(&first));
    assert!(["creator", "member", "conversion", "hour", "day"].iter().all(|name| all.iter().any(|it| it == name)));
    server.fill(&json!([member("acme", "bob")])).await;
    let (mut fast, mut slow) = (false, false);
    loop {
        let told = data(&piece(&mut body).await);
        let changed = changed(&told);
        assert!(!changed.is_empty(), "nothing is told for nothing");
        fast |= changed.contains(&"member".to_owned());
        slow |= changed.contains(&"hour".to_owned());
        if told["data"]["members"] == 2 && told["series_complete"] == true {
            assert!(fast && slow, "both the members and the sums over time have changed");
            break;
        }
    }
    drop(body);
    server.stop().await;
}

#[tokio::test]
async fn a_quiet_line_is_kept_warm() {
    let mut server = Server::start(Limits { heartbeat_every: Duration::from_millis(20), ..limits() }).await;
    server.engine.start().unwrap();
    let token = server.fill(&json!([creator("acme", "EUR")])).await;
    server.get_at("/v1/creators/acme", &token).await.ok();
    let mut body = open(server.addr, request("GET", "/v1/creators/acme/live").body(empty()).unwrap()).await.into_body();
    while piece(&mut body).await != ": up\n\n" {}
    drop(body);
    server.stop().await;
}

#[tokio::test]
async fn listeners_beyond_the_limit_are_a_503_until_one_leaves() {
    let mut server = Server::start(Limits { live_max: 1, ..limits() }).await;
    server.engine.start().unwrap();
    let token = server.fill(&json!([creator("acme", "EUR")])).await;
    server.get_at("/v1/creators/acme", &token).await.ok();
    let live = || request("GET", "/v1/creators/acme/live").body(empty()).unwrap();
    let first = open(server.addr, live()).await;
    assert_eq!(first.status(), StatusCode::OK);
    let second = server.get("/v1/creators/acme/live").await;
    assert_eq!((second.problem().as_str(), second.header("retry-after")), ("overloaded", "5"));
    drop(first);
    while open(server.addr, live()).await.status() != StatusCode::OK {
        tokio::task::yield_now().await;
    }
    server.stop().await;
}
