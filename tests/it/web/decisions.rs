//! What was decided can be asked for, and what waits is reviewed.

use serde_json::{Value, json};

use super::reads::{creator, event, member};
use super::server::Server;

/// 2026-01-05T00:00Z.
const START: i64 = 1_767_571_200_000;
const HOUR: i64 = 3_600_000;
const OWN_DEVICE: &str = "000000000000000000000000000000d1";

fn sale(id: &str, at: i64, device: &str) -> Value {
    let fields = json!({"conversion_id": id, "kind": "purchase", "customer_id": format!("customer-{id}"), "amount": 1_000,
                        "referral_code": "acme-ann", "device_token": device});
    event("Conversion", "acme", &format!("o-{id}"), at, fields)
}

/// Two sales from the member's own device, one from another's.
pub fn suspicious() -> Value {
    let sighting = json!({"member_id": "ann", "device_token": OWN_DEVICE});
    json!([
        creator("acme", "EUR"),
        member("acme", "ann"),
        event("Sighting", "acme", "s-ann", START + HOUR, sighting),
        sale("p1", START + 2 * HOUR, OWN_DEVICE),
        sale("p2", START + 3 * HOUR, OWN_DEVICE),
        sale("p3", START + 4 * HOUR, "000000000000000000000000000000d2"),
    ])
}

async fn told() -> (Server, String) {
    let server = Server::whole().await;
    let token = server.fill(&suspicious()).await;
    (server, token)
}

/// A line for each: the subject, the revision, the verdict and who made it, and the rules that fire.
fn lines(answer: &Value) -> String {
    let one = |row: &Value| {
        let rules: Vec<&str> =
            row["reasons"].as_array().unwrap().iter().map(|reason| reason["rule_id"].as_str().unwrap()).collect();
        let word = |name: &str| row[name].as_str().unwrap();
        let (subject, id) = (word("subject_type"), word("subject_id"));
        let (verdict, by) = (word("verdict"), word("decided_by"));
        format!("{subject} {id} #{}: {verdict} by {by}, {} {}", row["revision"], row["score"], rules.join(" "))
    };
    answer["data"].as_array().unwrap().iter().map(one).collect::<Vec<_>>().join("\n")
}

fn token(answer: &Value) -> &str {
    answer["data"]["token"].as_str().unwrap()
}

#[tokio::test]
async fn what_waits_is_listed_and_leaves_the_list_when_somebody_has_decided() {
    let (server, before) = told().await;
    let reviews = "/v1/creators/acme/reviews";
    let open = server.get_at(reviews, &before).await.ok();
    expect_test::expect![[r"
        conversion p1 #1: review by score, 50 self.same_device
        commission auto:p1:ann #1: review by score, 50 self.same_device
        conversion p2 #1: review by score, 50 self.same_device
        commission auto:p2:ann #1: review by score, 50 self.same_device"]]
    .assert_eq(&lines(&open));
    assert_eq!((&open["data"][0]["due_at"], &open["data"][0]["recommended_action"]), (&Value::Null, &json!("hold")));
    // By its decision, and by its name: its commissions follow it.
    let first = open["data"][0]["decision_id"].as_str().unwrap();
    let said = json!({"verdict": "approve", "reason": "a shop of their own"}).to_string();
    let said = server.post(&format!("{reviews}/{first}"), said).await.ok();
    let rest = server.get_at(reviews, token(&said)).await.ok();
    expect_test::expect![[r"
        conversion p2 #1: review by score, 50 self.same_device
        commission auto:p2:ann #1: review by score, 50 self.same_device"]]
    .assert_eq(&lines(&rest));
    let said = json!({"verdict": "block", "reason": "no customer", "label": "fraud"}).to_string();
    let said = server.post(&format!("{reviews}/conversion:p2"), said).await.ok();
    assert_eq!(server.get_at(reviews, token(&said)).await.ok()["data"], json!([]));
    let all = "/v1/creators/acme/decisions?subject_type=commission&subject_id=";
    expect_test::expect![[r"
        commission auto:p2:ann #1: review by score, 50 self.same_device
        commission auto:p2:ann #2: block by review, 50 self.same_device"]]
    .assert_eq(&lines(&server.get(&format!("{all}auto:p2:ann")).await.ok()));
    let explained = server.get("/v1/creators/acme/commissions/auto:p2:ann/explain").await.ok();
    assert_eq!(
        (&explained["data"]["blocked"], &explained["data"]["commission"]["state"]),
        (&json!(true), &json!("blocked"))
    );
    server.stop().await;
}

#[tokio::test]
async fn an_explanation_tells_who_decided_and_what_is_held() {
    let (server, token) = told().await;
    let explained = server.get_at("/v1/creators/acme/commissions/auto:p1:ann/explain", &token).await.ok();
    let checks = |of: &Value| {
        let checks = of["checks"].as_array().unwrap().iter();
        checks.map(|check| format!("{}: {}: {}", check["check"], check["outcome"], check["text"])).collect::<Vec<_>>()
    };
    let decision = &explained["data"]["decision"];
    expect_test::expect![[r#"
        "review": "not_applied": "nobody has reviewed it"
        "deny_list": "not_applied": "neither member nor customer is on the deny list"
        "allow_list": "not_applied": "neither member nor customer is on the allow list"
        "due_date": "not_applied": "no due date has decided it"
        "score": "applied": "50, medium: self.same_device 50 (same_device: 3600000 of 7776000000); 14 questions could not be answered"
        "held": "applied": "what it earns is held until somebody has looked, or a due date decides""#]]
    .assert_eq(&checks(decision).join("\n"));
    assert_eq!((&decision["verdict"], decision["revisions"].as_array().map(Vec::len)), (&json!("review"), Some(1)));
    assert!(checks(&explained["data"]).iter().any(|line| line.contains("until somebody has reviewed it")));
    let clean = server.get("/v1/creators/acme/conversions/p3/explain").await.ok();
    assert_eq!(clean["data"]["decision"]["verdict"], "approve");
    server.stop().await;
}

#[tokio::test]
async fn an_entry_of_a_list_decides_over_what_is_not_paid() {
    let (server, before) = told().await;
    server.get_at("/v1/creators/acme", &before).await.ok();
    let entry = json!({"list": "deny", "key": "member", "value": "ann"}).to_string();
    let said = server.post("/v1/creators/acme/lists", entry).await.ok();
    let path = "/v1/creators/acme/decisions?verdict=block&member=ann";
    let found = server.get_at(path, token(&said)).await.ok();
    assert_eq!(found["data"].as_array().map(Vec::len), Some(6), "{found}");
    assert!(found["data"].as_array().unwrap().iter().all(|row| row["decided_by"] == "deny_list"), "{found}");
    server.stop().await;
}

#[tokio::test]
async fn decisions_are_listed_page_by_page_and_each_once() {
    let (server, token) = told().await;
    let whole = server.get_at("/v1/creators/acme/decisions", &token).await.ok();
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server.get(&format!("/v1/creators/acme/decisions?limit=1{cursor}")).await.ok();
        found.extend(page["data"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(json!(found), whole["data"]);
    assert_eq!(found.len(), 6);
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server.get(&format!("/v1/creators/acme/reviews?limit=3{cursor}")).await.ok();
        found.extend(page["data"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(json!(found), server.get("/v1/creators/acme/reviews").await.ok()["data"]);
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_reviewed_is_refused_with_the_reason() {
    let (server, token) = told().await;
    server.get_at("/v1/creators/acme", &token).await.ok();
    let good = json!({"verdict": "approve", "reason": "r"});
    let unknown = "0".repeat(32);
    for (path, body, status, kind) in [
        ("reviews/conversion:none", good.clone(), 404, "unknown-conversion"),
        ("reviews/commission:none", good.clone(), 404, "unknown-commission"),
        (&format!("reviews/{unknown}"), good.clone(), 404, "unknown-review"),
        ("reviews/p1", good.clone(), 400, "invalid-parameter"),
        ("reviews/conversion:p1", json!({"verdict": "maybe", "reason": "r"}), 400, "invalid-body"),
        ("reviews/conversion:p1", json!({"verdict": "approve"}), 400, "invalid-body"),
        ("reviews/conversion:p1", json!({"verdict": "approve", "reason": "r", "x": 1}), 400, "invalid-body"),
        ("lists", json!({"list": "grey", "key": "member", "value": "ann"}), 400, "invalid-body"),
    ] {
        let answer = server.post(&format!("/v1/creators/acme/{path}"), body.to_string()).await;
        assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (status, kind), "{path} {body}");
    }
    let strange =
        ["decisions?verdict=maybe", "decisions?subject_type=shop", "decisions?subject_id=p1", "reviews?cursor=00"];
    for path in strange {
        let answer = server.get(&format!("/v1/creators/acme/{path}")).await;
        assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (400, "invalid-parameter"), "{path}");
    }
    server.stop().await;
}
