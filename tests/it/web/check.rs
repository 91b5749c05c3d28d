//! `POST /v1/fraud/check`: what would be decided, told in time whatever happens.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use serde_json::{Value, json};
use tributary::web::keys::Scope;
use tributary::web::{Answering, Fallback, NotHere, Policy};

use super::decisions::suspicious;
use super::keys::Locked;
use super::reads::{creator, event, member};
use super::server::{Server, limits};

const PATH: &str = "/v1/fraud/check";
const OWN: &str = "000000000000000000000000000000d1";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux) Firefox/130.0";
/// Nothing timed decides.
const PATIENT: Policy = Policy { deadline: Duration::from_secs(60), fallback: Fallback::ApproveWithHold };

/// With a worker, and time enough.
async fn patient() -> Server {
    let mut server = Server::start_with(limits(), |app| app.checks.policy = PATIENT).await;
    server.engine.start().unwrap();
    server
}

async fn told(events: &Value) -> Server {
    let server = patient().await;
    let token = server.fill(events).await;
    server.get_at("/v1/creators/acme", &token).await.ok();
    server
}

async fn check(server: &Server, body: &Value) -> Value {
    server.post(PATH, body.to_string()).await.ok()["data"].take()
}

fn codes(checked: &Value, list: &str) -> Vec<String> {
    let code = |one: &Value| one["evidence"]["code"].as_str().or(one["code"].as_str()).unwrap().to_owned();
    checked[list].as_array().unwrap().iter().map(code).collect()
}

#[tokio::test]
async fn a_sale_is_judged_before_it_comes_as_it_is_when_it_has_come() {
    let server = told(&suspicious()).await;
    let asked = json!({"creator_id": "acme", "referral_code": "acme-ann", "customer_id": "customer-p4", "amount": 1_000,
        "device_token": OWN, "occurred_at": "2026-01-05T05:00:00Z"});
    let checked = check(&server, &asked).await;
    assert_eq!(checked["mode"], "preview");
    // Own device; that she is the third customer who came with it is what a guest of the member's is too.
    assert_eq!(
        (&checked["verdict"], &checked["band"], &checked["score"]),
        (&json!("review"), &json!("medium"), &json!(50))
    );
    assert_eq!((&checked["recommended_action"], &checked["decided_by"]), (&json!("hold"), &json!("score")));
    assert_eq!((&checked["member_id"], &checked["customer_id"]), (&json!("ann"), &json!("customer-p4")));
    assert_eq!((&checked["override"], &checked["reason"]), (&Value::Null, &Value::Null));
    assert_eq!(codes(&checked, "reasons"), ["same_device"]);
    assert_eq!(codes(&checked, "suppressed"), ["shared_device"]);
    assert_eq!(checked["checks"]["self_referral"], 50);
    assert_eq!(checked["rule_set"]["id"], "guarded-v1");
    assert_eq!(checked["rule_set"]["hash"].as_str().unwrap().len(), 64);
    let as_of = &checked["as_of"];
    assert_eq!(as_of["position"], format!("{}.{}", as_of["partition"], as_of["next"]));
    assert_eq!(as_of["watermark"], "2026-01-05T03:50:00Z");

    // The same when it comes, in the words of a decision.
    let mut sale = asked.clone();
    sale["conversion_id"] = json!("p4");
    sale["kind"] = json!("purchase");
    let fields = sale.as_object().unwrap().clone();
    let sale = event("Conversion", "acme", "o-p4", 1_767_589_200_000, Value::Object(fields));
    let token = server.fill(&json!([sale])).await;
    let path = "/v1/creators/acme/decisions?subject_type=conversion&subject_id=p4";
    let decided = server.get_at(path, &token).await.ok()["data"][0].take();
    for same in [
        "verdict",
        "band",
        "score",
        "raw_score",
        "recommended_action",
        "decided_by",
        "reasons",
        "suppressed",
        "not_evaluated",
        "event_time",
        "late",
    ] {
        assert_eq!(checked[same], decided[same], "{same}");
    }
    assert_eq!(checked["checks"], decided["checks"]);
    server.stop().await;
}

#[tokio::test]
async fn a_click_is_judged_and_nothing_of_it_is_kept() {
    let server = told(&json!([creator("acme", "EUR"), member("acme", "ann")])).await;
    let before = server.get("/v1/creators/acme/members/ann/stats").await.ok()["data"].take();
    let asked = json!({"creator_id": "acme", "member_id": "ann", "occurred_at": "2026-01-07T00:00:00Z",
        "click": {"user_agent": FIREFOX, "device_token": OWN}});
    let mut answers = Vec::new();
    for _ in 0..30 {
        answers.push(check(&server, &asked).await);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "as often as it is asked");
    assert_eq!((&answers[0]["subject_type"], &answers[0]["disposition"]), (&json!("click"), &json!("countable")));
    assert_eq!((&answers[0]["verdict"], &answers[0]["score"]), (&json!("approve"), &json!(0)));
    assert_eq!(answers[0]["checks"]["commission_abuse"], Value::Null, "it was not asked");
    assert!(codes(&answers[0], "not_evaluated").contains(&"clicks_ip_60s".to_owned()));
    let mut bot = asked.clone();
    bot["click"]["user_agent"] = json!("Googlebot/2.1");
    let bot = check(&server, &bot).await;
    assert_eq!((&bot["disposition"], &bot["recommended_action"]), (&json!("excluded_bot"), &json!("exclude_click")));
    assert_eq!(bot["reasons"][0]["evidence"]["match_kind"], "declared");
    assert_eq!(server.get("/v1/creators/acme/members/ann/stats").await.ok()["data"].take(), before);
    assert_eq!(server.get("/v1/creators/acme/decisions").await.ok()["data"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn lists_decide_and_an_unknown_member_is_never_clean() {
    let mut events = suspicious();
    let entry = json!({"list": "deny", "key": "customer", "value": "mallory", "actor": "ops"});
    events.as_array_mut().unwrap().push(event("ListEntry", "acme", "l1", 1_767_589_200_000, entry));
    let server = told(&events).await;
    let denied =
        check(&server, &json!({"creator_id": "acme", "member_id": "ann", "customer_id": "mallory", "amount": 5})).await;
    assert_eq!((&denied["verdict"], &denied["override"]), (&json!("block"), &json!("deny_list")));
    assert_eq!((&denied["decided_by"], &denied["recommended_action"]), (&json!("deny_list"), &json!("reverse")));
    let unknown =
        check(&server, &json!({"creator_id": "acme", "member_id": "zoe", "customer_id": "x", "amount": 5})).await;
    assert_eq!((&unknown["reason"], &unknown["decided_by"]), (&json!("unknown_member"), &json!("fallback")));
    assert_eq!((&unknown["verdict"], &unknown["recommended_action"]), (&json!("approve"), &json!("hold")));
    assert_eq!(unknown["member_id"], Value::Null);
    assert!(codes(&unknown, "not_evaluated").contains(&"same_device".to_owned()));
    let alone = check(&server, &json!({"creator_id": "acme", "member_id": "ann"})).await;
    assert_eq!((&alone["verdict"], &alone["reason"]), (&json!("approve"), &Value::Null));
    assert!(codes(&alone, "not_evaluated").contains(&"same_device".to_owned()), "nobody is said to have come");
    server.stop().await;
}

#[tokio::test]
async fn a_wrong_body_is_told_what_is_wrong_with_it() {
    let server = told(&json!([creator("acme", "EUR"), member("acme", "ann")])).await;
    let good = json!({"creator_id": "acme", "member_id": "ann"});
    for (field, value, words) in [
        ("member_id", Value::Null, "`member_id`, or by a `referral_code`"),
        ("referral_code", json!("acme-ann"), "not by both"),
        ("member_id", json!(""), "1 to 64 bytes"),
        ("memberid", json!("ann"), "unknown field `memberid`"),
        ("kind", json!("refund"), "signup, purchase, renewal"),
        ("amount", json!("5"), "invalid type"),
        ("currency", json!("euro"), "currency"),
        ("ip_token", json!("10.0.0.1"), "ip_token"),
        ("ip", json!("10.0.0.1"), "ip"),
        ("occurred_at", json!("yesterday"), "occurred_at"),
        ("occurred_at", json!("2099-01-01T00:00:00Z"), "24 h"),
        ("click", json!({"useragent": "x"}), "unknown field `useragent`"),
        ("click", json!({"device_token": "d1"}), "`click`: "),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let answer = server.post(PATH, body.to_string()).await;
        assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::BAD_REQUEST, "invalid-body"), "{body}");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(words), "{body}: {detail}");
    }
    for (body, status) in [
        ("[]".to_owned(), StatusCode::BAD_REQUEST),
        (format!(r#"{{"creator_id":"{}"}}"#, "x".repeat(70_000)), StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        assert_eq!(server.post(PATH, body).await.status, status);
    }
    let of_nobody = json!({"creator_id": "nobody", "member_id": "ann"}).to_string();
    let mut status = StatusCode::OK;
    // As long as its partition has not begun, nobody is known to have it, and the settings answer.
    for _ in 0..1_000 {
        status = server.post(PATH, of_nobody.clone()).await.status;
        if status != StatusCode::OK {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(status, StatusCode::NOT_FOUND);
    server.stop().await;
}

/// Of a server whose questions go to `here`, and nowhere else.
async fn answered(here: impl Fn() -> Result<Answering, NotHere> + Send + Sync + 'static, policy: Policy) -> Value {
    let server = Server::start_with(limits(), |app| {
        app.checks.here = Arc::new(move |_, _| here());
        app.checks.policy = policy;
    });
    let server = server.await;
    let answer = check(&server, &json!({"creator_id": "acme", "member_id": "ann"})).await;
    server.stop().await;
    answer
}

#[tokio::test]
async fn where_nobody_answers_the_settings_do_and_say_why() {
    let at_once = |fallback| Policy { deadline: Duration::from_millis(1), fallback };
    for (fallback, verdict, action) in [
        (Fallback::ApproveWithHold, "approve", "hold"),
        (Fallback::Approve, "approve", "none"),
        (Fallback::Review, "review", "hold"),
        (Fallback::Block, "block", "reverse"),
    ] {
        let answer = answered(|| Ok(Box::pin(std::future::pending()) as Answering), at_once(fallback)).await;
        assert_eq!((&answer["verdict"], &answer["recommended_action"]), (&json!(verdict), &json!(action)));
        assert_eq!((&answer["reason"], &answer["decided_by"]), (&json!("deadline"), &json!("fallback")));
        assert_eq!(
            (&answer["score"], &answer["as_of"], &answer["mode"]),
            (&Value::Null, &Value::Null, &json!("preview"))
        );
    }
    let reason = |answer: Value| answer["reason"].as_str().unwrap().to_owned();
    assert_eq!(reason(answered(|| Err(NotHere::Busy), PATIENT).await), "busy");
    assert_eq!(reason(answered(|| Err(NotHere::Elsewhere), PATIENT).await), "no_owner");
    assert_eq!(reason(answered(|| Ok(Box::pin(std::future::ready(None)) as Answering), PATIENT).await), "no_owner");
}

/// Has no state, and is told that `owner` has it.
async fn beside(owner: SocketAddr) -> Server {
    let beside = Server::start_with(limits(), |app| {
        app.checks.here = Arc::new(|_, _| Err(NotHere::Elsewhere));
        app.checks.owner = Arc::new(move |_, _| Box::pin(std::future::ready(Some(owner))));
        app.checks.policy = PATIENT;
    });
    beside.await
}

#[tokio::test]
async fn a_question_is_passed_on_once_and_the_answer_is_the_owners() {
    let owner = told(&suspicious()).await;
    let beside_owner = beside(owner.addr).await;
    let asked = json!({"creator_id": "acme", "member_id": "ann", "customer_id": "customer-p4", "amount": 1_000,
        "device_token": OWN, "occurred_at": 1_767_589_200_000_i64});
    assert_eq!(check(&beside_owner, &asked).await, check(&owner, &asked).await);
    let unknown = beside_owner.post(PATH, json!({"creator_id": "nobody", "member_id": "ann"}).to_string()).await;
    assert_eq!((unknown.status, unknown.problem().as_str()), (StatusCode::NOT_FOUND, "unknown-creator"));
    // Two that each take the other for the owner do not ask each other for ever.
    let lost = beside(beside_owner.addr).await;
    assert_eq!(check(&lost, &asked).await["reason"], "no_owner");
    let gone = owner.addr;
    owner.stop().await;
    let nobody = beside(gone).await;
    assert_eq!(check(&nobody, &asked).await["reason"], "unreachable");
    for server in [beside_owner, lost, nobody] {
        server.stop().await;
    }
}

#[tokio::test]
async fn a_key_that_reads_the_creator_may_ask() {
    let locked = Locked::whole().await;
    let writer = locked.key(&[Scope::Write], None).await;
    let events = json!([creator("acme", "EUR"), member("acme", "ann")]);
    locked.fill(&events, &writer).await;
    let body = json!({"creator_id": "acme", "member_id": "ann"}).to_string();
    let reader = locked.key(&[Scope::Read], Some(&["acme"])).await;
    let stranger = locked.key(&[Scope::Read], Some(&["other"])).await;
    locked.server.engine.caught_up().await.unwrap();
    assert_eq!(locked.ask("POST", PATH, reader.reveal(), &body).await.status, StatusCode::OK);
    assert_eq!(locked.ask("POST", PATH, writer.reveal(), &body).await.status, StatusCode::FORBIDDEN);
    let foreign = locked.ask("POST", PATH, stranger.reveal(), &body).await;
    assert_eq!((foreign.status, foreign.problem().as_str()), (StatusCode::NOT_FOUND, "unknown-creator"));
    assert_eq!(locked.server.post(PATH, body).await.status, StatusCode::UNAUTHORIZED);
    locked.server.stop().await;
}
