//! `POST /v1/events`.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::client::{request, send};
use super::server::{Server, limits};

fn creator(id: &str) -> Value {
    json!({"type": "Creator", "event_id": format!("make-{id}"), "creator_id": id, "occurred_at": 1_767_571_200_000_i64,
           "name": "Acme", "currency": "EUR", "time_zone": "Europe/Berlin"})
}

fn share(event_id: &str) -> Value {
    json!({"type": "Share", "event_id": event_id, "creator_id": "acme", "occurred_at": "2026-01-05T10:00:00Z",
           "share_id": format!("s-{event_id}"), "member_id": "ann", "platform": "x", "share_type": "link"})
}

#[tokio::test]
async fn one_event_is_accepted_with_its_position_and_a_token() {
    let server = Server::start(limits()).await;
    let answer = server.post("/v1/events", creator("acme").to_string()).await.ok();
    assert_eq!(answer["accepted"], 1);
    assert_eq!(answer["results"][0]["event_id"], "make-acme");
    assert_eq!(answer["results"][0]["status"], "accepted");
    assert_eq!(answer["results"][0]["position"], answer["token"]);
    let bounds = server.engine.ends();
    assert_eq!(bounds.iter().map(|(_, end)| end.0).sum::<u64>(), 1, "it is in the log");
    server.stop().await;
}

#[tokio::test]
async fn a_batch_is_answered_item_by_item_in_its_order() {
    let server = Server::start(limits()).await;
    let mut mistyped = share("e2");
    mistyped["ammount"] = json!(5);
    let batch = json!([creator("acme"), mistyped, share("e3"), {"type": "Nonsense", "event_id": "e4"}, 17]);
    let answer = server.post("/v1/events", batch.to_string()).await.ok();
    let status: Vec<_> = answer["results"].as_array().unwrap().iter().map(|item| item["status"].clone()).collect();
    assert_eq!(status, ["accepted", "rejected", "accepted", "rejected", "rejected"]);
    assert!(answer["results"][1]["reason"].as_str().unwrap().contains("ammount"), "{answer}");
    assert_eq!(answer["results"][1]["event_id"], "e2");
    assert_eq!(answer["results"][3]["event_id"], "e4");
    assert_eq!((&answer["accepted"], &answer["rejected"]), (&json!(2), &json!(3)));
    server.stop().await;
}

#[tokio::test]
async fn an_equal_event_sent_again_is_a_duplicate_and_a_different_one_is_for_the_fold() {
    let server = Server::start(limits()).await;
    let first = server.post("/v1/events", creator("acme").to_string()).await.ok();
    let again = server.post("/v1/events", creator("acme").to_string()).await.ok();
    assert_eq!(again["results"][0]["status"], "duplicate");
    assert_eq!(again["token"], first["token"], "the retry still gets a token that covers its event");
    let mut other = creator("acme");
    other["name"] = json!("Other");
    let other = server.post("/v1/events", other.to_string()).await.ok();
    assert_eq!(other["results"][0]["status"], "accepted");
    let twice = server.post("/v1/events", json!([share("e1"), share("e1")]).to_string()).await.ok();
    assert_eq!(twice["results"][1]["status"], "duplicate");
    assert_eq!(server.engine.ends().iter().map(|(_, end)| end.0).sum::<u64>(), 3);
    server.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_every_item_is_a_422_that_still_says_so_per_item() {
    let server = Server::start(limits()).await;
    let answer = server.post("/v1/events", "[{\"event_id\": \"x\"}]").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.problem(), "all-rejected");
    assert_eq!(answer.json()["results"][0]["status"], "rejected");
    assert_eq!(answer.json()["results"][0]["event_id"], "x");
    server.stop().await;
}

#[tokio::test]
async fn each_kind_of_bad_event_is_rejected_with_its_reason() {
    let server = Server::start(limits()).await;
    let bad = |change: &dyn Fn(&mut Value)| {
        let mut event = creator("acme");
        change(&mut event);
        event
    };
    let long = "x".repeat(65);
    let cases = [
        ("event_id", bad(&|e| e["event_id"] = json!(""))),
        ("event_id", bad(&|e| e["event_id"] = json!(long))),
        ("creator_id", bad(&|e| drop(e.as_object_mut().unwrap().remove("creator_id")))),
        ("type", bad(&|e| e["type"] = json!("Creatr"))),
        ("type", bad(&|e| drop(e.as_object_mut().unwrap().remove("type")))),
        ("occurred_at", bad(&|e| e["occurred_at"] = json!("yesterday"))),
        ("currency", bad(&|e| e["currency"] = json!("eur"))),
        ("name", bad(&|e| e["name"] = json!(5))),
        ("nmae", bad(&|e| e["nmae"] = json!("Acme"))),
        ("breakdown_pairs", bad(&|e| e["breakdown_pairs"] = json!(["a"]))),
        ("attributes", bad(&|e| e["attributes"] = json!({"note": "x".repeat(10_001)}))),
        ("Tick", json!({"type": "Tick", "event_id": "t", "creator_id": "acme", "occurred_at": 1_767_571_200_000_i64})),
    ];
    for (word, event) in cases {
        let answer = server.post("/v1/events", event.to_string()).await;
        assert_eq!(answer.problem(), "all-rejected", "{event}");
        let reason = answer.json()["results"][0]["reason"].as_str().unwrap().to_owned();
        assert!(reason.contains(word), "{word} is not named: {reason}");
    }
    assert_eq!(server.engine.ends().iter().map(|(_, end)| end.0).sum::<u64>(), 0);
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_is_no_list_of_events_is_refused_as_a_whole() {
    let server = Server::start(limits()).await;
    for body in ["", "   ", "17", "\"x\"", "[", "[{]", "[]", "[1] 2", "null"] {
        let answer = server.post("/v1/events", body).await;
        assert_eq!((answer.status, answer.problem()), (StatusCode::BAD_REQUEST, "invalid-body".to_owned()), "{body:?}");
    }
    // One object that does not read is one item that was rejected.
    assert_eq!(server.post("/v1/events", "{").await.problem(), "all-rejected");
    let too_many = vec![creator("acme"); 1_001];
    assert_eq!(server.post("/v1/events", json!(too_many).to_string()).await.problem(), "too-many-items");
    server.stop().await;
}

#[tokio::test]
async fn only_json_is_taken_so_that_no_form_of_another_site_gets_in() {
    let server = Server::start(limits()).await;
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""] {
        let request = request("POST", "/v1/events").header("content-type", content_type);
        let answer = send(server.addr, request.body(creator("acme").to_string().into()).unwrap()).await;
        assert_eq!(answer.problem(), "media-type", "{content_type}");
    }
    let request = request("POST", "/v1/events").header("content-type", "Application/JSON; charset=utf-8");
    let answer = send(server.addr, request.body(creator("acme").to_string().into()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    server.stop().await;
}

#[tokio::test]
async fn the_intake_stamps_when_it_received_an_event() {
    let server = Server::start(limits()).await;
    let mut event = creator("acme");
    event["received_at"] = json!(5);
    server.fill(&json!([event])).await;
    let place = server.engine.ends().into_iter().find(|(_, end)| end.0 == 1).unwrap().0;
    let mut batch = tributary::consume::Batch::default();
    server
        .engine
        .log
        .file()
        .unwrap()
        .read(tributary::consume::Stream::Events, place, tributary::ids::Next(0), &Default::default(), &mut batch)
        .unwrap();
    let record = batch.iter().next().unwrap();
    assert_eq!(record.key, b"acme");
    let now = server.engine.clock.now();
    assert!(now.0 - record.timestamp.0 < 60_000);
    let at = tributary::decode::Place { topic: "events", partition: place, offset: record.offset };
    let event = tributary::decode::Decoder::new().decode(record.value, record.key, at).unwrap();
    assert_eq!(event.received_at, Some(record.timestamp));
    server.stop().await;
}
