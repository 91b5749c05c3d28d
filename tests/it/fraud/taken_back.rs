//! Chargebacks, refunds and many accounts of one person in the stream, each at its limit and with what silences it.

use serde_json::json;
use tributary::fold::fraud::Question;

use super::tale::{DAY, FOUNDED, HOUR, MINUTE, Tale, token};

const NOON: i64 = FOUNDED + 10 * DAY;

/// So many sales of Ann's, a minute apart and each to another customer.
fn sales(tale: &mut Tale, code: &str, count: u32) {
    for n in 0..count {
        let id = format!("{code}{n}");
        tale.sale(NOON + i64::from(n) * MINUTE, &id, (code, &format!("u{id}")), json!({}));
    }
}

#[test]
fn three_chargebacks_are_a_pattern_where_they_are_surely_above_one_percent() {
    for (some, all, said) in [(3, 100, "yes 3/3"), (3, 150, "no"), (10, 600, "no"), (2, 2, "no"), (3, 3, "yes 3/3")] {
        let mut tale = Tale::new();
        sales(&mut tale, "ANN", all);
        for n in 0..some {
            tale.taken_back(NOON + DAY, "chargeback", &format!("ANN{n}"), 1_000);
        }
        let last = format!("auto:ANN{}:ann", some - 1);
        assert_eq!(tale.answer(&last, Question::MemberChargebacks), said, "{some} of {all}");
        assert_eq!(tale.answer(&last, Question::CustomerChargebacks), "yes 1/1");
    }
}

#[test]
fn a_member_s_chargebacks_count_for_180_days_and_not_if_they_are_won() {
    let after = |days: i64, is_won: bool| {
        let mut tale = Tale::new();
        sales(&mut tale, "ANN", 3);
        for n in 0..3 {
            tale.taken_back(NOON + DAY, "chargeback", &format!("ANN{n}"), 1_000);
        }
        if is_won {
            tale.taken_back(NOON + 2 * DAY, "chargeback_reversed", "ANN2", 1_000);
        }
        tale.sale(NOON + days * DAY, "p", ("ANN", "new"), json!({}));
        tale.answer("auto:p:ann", Question::MemberChargebacks)
    };
    assert_eq!([after(180, false), after(182, false), after(180, true)], ["yes 3/3", "no", "no"]);
}

#[test]
fn five_refunds_are_a_pattern_where_they_are_surely_above_a_fifth_and_twice_what_is_usual() {
    for (some, all, of_bob, said) in [
        (8, 20, 60, "yes 8/5"),
        (5, 15, 60, "no"),
        (4, 4, 60, "no"),
        (5, 5, 60, "yes 5/5"),
        // With nobody else, what the member has is what is usual.
        (8, 20, 0, "no"),
        (8, 20, 40, "no"),
    ] {
        let mut tale = Tale::held_for(0);
        sales(&mut tale, "BOB", of_bob);
        sales(&mut tale, "ANN", all);
        for n in 0..some {
            tale.taken_back(NOON + DAY, "refund", &format!("ANN{n}"), 400);
        }
        let last = format!("auto:ANN{}:ann", some - 1);
        assert_eq!(tale.answer(&last, Question::MemberRefunds), said, "{some} of {all}, beside {of_bob}");
    }
}

#[test]
fn three_refunds_soon_after_the_pay_day_are_a_pattern_where_there_is_one() {
    let refunded = |hold_days: u32, after: i64| {
        let mut tale = Tale::held_for(hold_days);
        sales(&mut tale, "ANN", 3);
        for n in 0..3 {
            let t = NOON + i64::from(n) * MINUTE + i64::from(hold_days) * DAY + after;
            tale.taken_back(t, "refund", &format!("ANN{n}"), 400);
        }
        tale.answer("auto:ANN2:ann", Question::EarlyRefunds)
    };
    assert_eq!([refunded(14, 0), refunded(14, 72 * HOUR)], ["yes 3/3", "yes 3/3"]);
    assert_eq!([refunded(14, -1), refunded(14, 72 * HOUR + 1)], ["no", "no"]);
    assert_eq!(refunded(0, HOUR), "unknown hold_days");
}

#[test]
fn a_customer_s_chargeback_counts_for_365_days() {
    for (late, said) in [(0, "yes 1/1"), (1, "no")] {
        let mut tale = Tale::new();
        tale.sale(NOON, "p", ("ANN", "u"), json!({}));
        tale.taken_back(NOON + DAY, "chargeback", "p", 1_000);
        tale.sale(NOON + 366 * DAY + late, "q", ("BOB", "u"), json!({}));
        assert_eq!(tale.answer("auto:q:bob", Question::CustomerChargebacks), said);
    }
}

#[test]
fn three_refunds_of_a_customer_count_if_they_are_of_two_orders_and_of_90_days() {
    for (of, after, said) in [
        (["p", "p", "q"].as_slice(), 0, "yes 3/3"),
        (&["p", "p", "p"], 0, "no"),
        (&["p", "q"], 0, "no"),
        (&["p", "p", "q"], 90 * DAY, "yes 3/3"),
        (&["p", "p", "q"], 90 * DAY + 1, "no"),
    ] {
        let mut tale = literal();
        tale.sale(NOON, "p", ("ANN", "u"), json!({}));
        tale.sale(NOON, "q", ("ANN", "u"), json!({}));
        of.iter().for_each(|of| tale.taken_back(NOON + DAY, "refund", of, 100));
        tale.sale(NOON + DAY + after, "next", ("BOB", "u"), json!({}));
        assert_eq!(tale.answer("auto:next:bob", Question::CustomerRefunds), said, "{of:?}, {after} ms later");
    }
}

/// Members who were seen with one token, Ann the last of them; then a sale of hers.
fn cluster(fields: &serde_json::Value, others: u32, after: i64) -> String {
    let mut tale = Tale::new();
    for n in 0..others {
        tale.tell(FOUNDED, "Member", json!({"member_id": format!("m{n}")}));
    }
    for member in (0..others).map(|n| format!("m{n}")).chain(["ann".to_owned()]) {
        let mut sighting = fields.clone();
        sighting.as_object_mut().unwrap().insert("member_id".to_owned(), json!(member));
        tale.tell(NOON, "Sighting", sighting);
    }
    tale.sale(NOON + after, "p", ("ANN", "u"), json!({}));
    tale.answer("p", Question::ClusterAccounts)
}

#[test]
fn accounts_are_one_person_s_by_what_only_one_person_has() {
    for (fields, said) in [
        (json!({"payout_token": token(1)}), "yes 2/2"),
        (json!({"email_token": token(1)}), "yes 2/2"),
        (json!({"ip_token": token(1), "device_token": token(2)}), "yes 2/2"),
        (json!({"device_token": token(2)}), "no"),
        (json!({"ip_token": token(1)}), "no"),
    ] {
        assert_eq!(cluster(&fields, 1, HOUR), said, "{fields}");
    }
}

#[test]
fn what_more_than_five_accounts_have_is_nobody_s_and_an_edge_is_over_after_180_days() {
    let payout = json!({"payout_token": token(1)});
    assert_eq!([cluster(&payout, 4, HOUR), cluster(&payout, 5, HOUR)], ["yes 5/2", "no"]);
    assert_eq!([cluster(&payout, 1, 180 * DAY), cluster(&payout, 1, 180 * DAY + 1)], ["yes 2/2", "no"]);
}

/// A tale in which no guard stands for anybody.
fn literal() -> Tale {
    let mut tale = Tale::new();
    tale.tell(FOUNDED, "RuleSet", json!({"rule_set_id": "seed-v1"}));
    tale
}

/// Customers of Ann's come by one token; the last of them after a while.
fn by_one(mut tale: Tale, field: &str, (customers, others): (u32, u32), after: i64) -> Tale {
    for n in 0..others {
        tale.sale(NOON, &format!("o{n}"), ("BOB", &format!("c{n}")), json!({field: token(1)}));
    }
    for n in 1..=customers {
        let t = NOON + if n == customers { after } else { 0 };
        tale.sale(t, &format!("p{n}"), ("ANN", &format!("u{n}")), json!({field: token(1)}));
    }
    tale
}

#[test]
fn three_customers_of_one_card_or_device_within_30_days_are_one_person() {
    for (field, question) in [("payment_token", Question::SharedPayment), ("device_token", Question::SharedDevice)] {
        assert_eq!(by_one(literal(), field, (2, 0), HOUR).answer("p2", question), "no");
        assert_eq!(by_one(literal(), field, (3, 0), 30 * DAY).answer("p3", question), "yes 3/3");
        assert_eq!(by_one(literal(), field, (3, 0), 30 * DAY + 1).answer("p3", question), "no");
    }
    // However many of other members' come by it too.
    assert_eq!(by_one(Tale::new(), "device_token", (2, 3), HOUR).answer("p2", Question::SharedDevice), "no");
    assert_eq!(by_one(Tale::new(), "device_token", (3, 3), HOUR).answer("p3", Question::SharedDevice), "yes 3/3");
    assert_eq!(by_one(Tale::new(), "payment_token", (3, 3), HOUR).answer("p3", Question::SharedPayment), "yes 3/3");
}

#[test]
fn customers_of_several_members_are_no_ring_of_one_of_them() {
    let tale = by_one(Tale::new(), "payment_token", (2, 5), HOUR);
    assert_eq!(tale.answer("p2", Question::SharedPayment), "no");
    assert_eq!(tale.answer("o4", Question::SharedPayment), "yes 5/3");
}

/// More than are looked at again: which they are.
#[test]
fn a_chargeback_scores_the_customer_s_newest_thousand_orders_again() {
    let mut tale = literal();
    let orders = 1_100;
    for n in 0..orders {
        tale.sale(NOON + i64::from(n), &format!("p{n}"), ("ANN", "u"), json!({}));
    }
    let before = tale.world.decisions.len();
    tale.taken_back(NOON + HOUR, "chargeback", "p0", 100);
    let again: Vec<_> = tale.world.decisions[before..].iter().map(|d| d.subject_id.as_str().to_owned()).collect();
    let newest = (orders - 1_000..orders).map(|n| format!("auto:p{n}:ann"));
    assert_eq!(again, ["auto:p0:ann".to_owned()].into_iter().chain(newest).collect::<Vec<_>>());
}

#[test]
fn a_chargeback_scores_all_orders_of_a_customer_who_has_fewer() {
    let mut tale = literal();
    for n in 0..999 {
        tale.sale(NOON + i64::from(n), &format!("p{n}"), ("ANN", "u"), json!({}));
    }
    let before = tale.world.decisions.len();
    tale.taken_back(NOON + HOUR, "chargeback", "p500", 100);
    let again: Vec<_> = tale.world.decisions[before..].iter().map(|d| d.subject_id.as_str().to_owned()).collect();
    let others = (0..999).filter(|n| *n != 500).map(|n| format!("auto:p{n}:ann"));
    assert_eq!(again, ["auto:p500:ann".to_owned()].into_iter().chain(others).collect::<Vec<_>>());
}
