//! Why a conversion is whose it is, and a commission what it is.

use serde_json::{Value, json};

use super::reads::{creator, event, member};
use super::server::Server;

/// 2026-01-05T00:00Z.
const START: i64 = 1_767_571_200_000;
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

fn conversion(id: &str, kind: &str, at: i64, fields: Value) -> Value {
    let mut conversion =
        event("Conversion", "acme", &format!("o-{id}"), at, json!({"conversion_id": id, "kind": kind}));
    conversion.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    conversion
}

async fn told() -> (Server, String) {
    let server = Server::whole().await;
    let click = json!({"click_id": "k1", "member_id": "ann", "device_token": "00000000000000000000000000000001"});
    let token = server
        .fill(&json!([
            creator("acme", "EUR"),
            member("acme", "ann"),
            member("acme", "bob"),
            event("Click", "acme", "e-k1", START + HOUR, click),
            conversion(
                "p1",
                "purchase",
                START + 40 * DAY,
                json!({"customer_id": "u1", "amount": 1_000, "click_id": "k1", "coupon": "SALE", "referral_code": "acme-bob"})
            ),
            conversion("r1", "refund", START + 41 * DAY, json!({"original_id": "p1", "amount": 400})),
            conversion("n1", "renewal", START + 50 * DAY, json!({"customer_id": "u1", "amount": 1_000})),
        ]))
        .await;
    (server, token)
}

fn lines(answer: &Value) -> Vec<String> {
    let checks = answer["data"]["checks"].as_array().unwrap();
    checks.iter().map(|check| format!("{}: {}: {}", check["check"], check["outcome"], check["text"])).collect()
}

#[tokio::test]
async fn the_checks_of_a_conversion_stand_in_their_order_with_what_came_of_each() {
    let (server, token) = told().await;
    let answer = server.get_at("/v1/creators/acme/conversions/p1/explain", &token).await.ok();
    expect_test::expect![[r#"
        "coupon": "failed": "the coupon \"SALE\" is nobody's: a plain discount"
        "click": "failed": "the click \"k1\" is 39 d 23 h before it, outside the window of 30 d"
        "code": "won": "the code \"acme-bob\" is bob's"
        "visitor": "not_reached": "an earlier stage decided"
        "owner": "not_reached": "an earlier stage decided""#]]
    .assert_eq(&lines(&answer).join("\n"));
    let credited = json!([{"member_id": "bob", "primary": true, "amount": 1_000, "refunded": 400}]);
    assert_eq!((&answer["data"]["credited"], &answer["data"]["model"]), (&credited, &json!("last")));
    let answer = server.get("/v1/creators/acme/conversions/n1/explain").await.ok();
    expect_test::expect![[r#"
        "coupon": "not_reached": "a renewal of a customer who is somebody's asks for nothing else"
        "click": "not_reached": "a renewal of a customer who is somebody's asks for nothing else"
        "code": "not_reached": "a renewal of a customer who is somebody's asks for nothing else"
        "visitor": "not_reached": "a renewal of a customer who is somebody's asks for nothing else"
        "owner": "won": "the customer, credited since \"p1\", is bob's""#]]
    .assert_eq(&lines(&answer).join("\n"));
    let answer = server.get("/v1/creators/acme/conversions/r1/explain").await.ok();
    expect_test::expect![[r#""order": "applied": "this refund took 400 EUR of \"p1\"; the credit is that order's""#]]
        .assert_eq(&lines(&answer).join("\n"));
    server.stop().await;
}

#[tokio::test]
async fn a_commission_tells_how_it_came_to_what_it_is() {
    let (server, token) = told().await;
    let answer = server.get_at("/v1/creators/acme/commissions/auto:p1:bob/explain", &token).await.ok();
    expect_test::expect![[r#"
        "earned": "applied": "derived from the conversion \"p1\": 100 EUR"
        "reversed": "applied": "400 of the order's 1000 was taken back, 0 was stated as taken back; the larger counts, no more than was earned: 40"
        "paid": "not_applied": "it was not paid"
        "verdict": "not_applied": "no verdict stands against it"
        "net": "not_applied": "60 is left of it"
        "member": "not_applied": "the member \"bob\" is active"
        "approval": "applied": "its hold ended on 2026-02-14T00:00:00Z""#]].assert_eq(&lines(&answer).join("\n"));
    let figures = &answer["data"]["figures"];
    assert_eq!((&figures["earned"], &figures["reversed"], &figures["net"]), (&json!(100), &json!(40), &json!(60)));
    server.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_a_404_that_says_so() {
    let (server, token) = told().await;
    let answer = server.get_at("/v1/creators/acme/conversions/none/explain", &token).await;
    assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (404, "unknown-conversion"));
    let answer = server.get("/v1/creators/acme/commissions/none/explain").await;
    assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (404, "unknown-commission"));
    server.stop().await;
}
