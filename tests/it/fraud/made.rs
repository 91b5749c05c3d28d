//! What a member brings, weighed together: habits that no single sale shows.

use serde_json::{Value, json};
use tributary::fold::fraud::Question;

use super::tale::{DAY, FOUNDED, HOUR, SECOND, Tale, token};

const NOON: i64 = FOUNDED + 12 * HOUR;

fn by_device(device: u64) -> Value {
    json!({"device_token": token(device)})
}

/// Two customers of Ann's a device: the second of each pair was made.
fn pairs(tale: &mut Tale, count: u64) {
    for n in 0..count {
        for (customer, after) in [(format!("a{n}"), 0), (format!("b{n}"), HOUR / 2)] {
            let t = NOON + i64::try_from(n).unwrap() * HOUR + after;
            tale.sale(t, &customer, ("ANN", &customer), by_device(n));
        }
    }
}

fn verdicts(tale: &Tale, subjects: &[&str]) -> Vec<&'static str> {
    subjects.iter().map(|subject| tale.decision(subject).verdict.name()).collect()
}

#[test]
fn customers_who_come_in_pairs_by_one_device_are_chance_seven_times_and_a_habit_from_the_eighth() {
    let mut tale = Tale::new();
    pairs(&mut tale, 7);
    assert_eq!(verdicts(&tale, &["a0", "b6"]), ["approve", "approve"]);
    let mut tale = Tale::new();
    pairs(&mut tale, 8);
    // The ones before are looked at again: sixteen sales, and all commissions that are not paid.
    assert_eq!(verdicts(&tale, &["a0", "b0", "auto:a0:ann", "a7", "b7", "auto:b7:ann"]), ["review"; 6]);
    assert_eq!(tale.answer("a0", Question::MadeCustomers), "yes 8/8");
    // Whoever comes next, by a device of his own.
    tale.sale(NOON + DAY, "c", ("ANN", "c"), by_device(99));
    assert_eq!(tale.answer("c", Question::MadeCustomers), "yes 8/8");
    // It says nothing of another member.
    tale.sale(NOON + DAY, "d", ("BOB", "d"), by_device(98));
    assert_eq!(verdicts(&tale, &["c", "d"]), ["review", "approve"]);
}

#[test]
fn of_a_member_who_is_found_out_the_newest_sixteen_sales_are_looked_at_again_and_all_open_commissions() {
    let mut tale = Tale::new();
    for n in 0..3 {
        let id = format!("h{n}");
        tale.sale(NOON - DAY + n * HOUR, &id, ("ANN", &id), by_device(50 + n.unsigned_abs()));
    }
    pairs(&mut tale, 8);
    assert_eq!(verdicts(&tale, &["h0", "h2", "a0"]), ["approve", "approve", "review"]);
    assert_eq!(verdicts(&tale, &["auto:h0:ann", "auto:h2:ann"]), ["review"; 2]);
}

#[test]
fn what_honest_customers_outweigh_is_no_habit_and_is_released() {
    let mut tale = Tale::new();
    pairs(&mut tale, 8);
    for n in 0..40_u64 {
        let id = format!("h{n}");
        tale.sale(NOON + DAY + i64::try_from(n).unwrap() * HOUR, &id, ("ANN", &id), by_device(50 + n));
    }
    assert_eq!(tale.answer("h39", Question::MadeCustomers), "no");
    assert_eq!(verdicts(&tale, &["h39", "h35", "auto:b7:ann", "auto:h0:ann"]), ["approve"; 4]);
}

#[test]
fn one_order_at_the_member_s_own_place_is_a_sister_s_and_a_habit_is_held() {
    let mut tale = Tale::new();
    let home = json!({"device_token": token(1), "ip_token": token(2), "email_token": token(3)});
    let own = json!({"member_id": "ann", "device_token": token(1), "ip_token": token(2), "email_token": token(4)});
    tale.tell(FOUNDED, "Sighting", own);
    for n in 0..9 {
        let id = format!("p{n}");
        tale.sale(NOON + n * DAY, &id, ("ANN", "sister"), home.clone());
        let is_held = n == 8;
        assert_eq!(tale.decision(&id).verdict.name(), if is_held { "review" } else { "approve" }, "{id}");
    }
    assert_eq!(tale.answer("p0", Question::MadeCustomers), "yes 8/8");
}

#[test]
fn the_first_guests_at_a_counter_go_free_once_it_is_known_for_one() {
    let mut tale = Tale::new();
    tale.tell(FOUNDED, "Sighting", json!({"member_id": "ann", "device_token": token(1)}));
    for n in 0..4 {
        let id = format!("p{n}");
        tale.sale(NOON + n * HOUR, &id, ("ANN", &id), by_device(1));
        assert_eq!(tale.decision(&id).verdict.name(), "review", "nobody knows the account, and it is Ann's device");
    }
    tale.sale(NOON + 5 * HOUR, "p4", ("ANN", "p4"), by_device(1));
    assert_eq!(tale.answer("p0", Question::SameDevice), "but crowded_device");
    assert_eq!(verdicts(&tale, &["p0", "p3", "p4", "auto:p0:ann", "auto:p3:ann"]), ["approve"; 5]);
}

#[test]
fn a_member_whose_customers_decide_within_two_minutes_of_their_click_is_held_from_the_fifth_on() {
    let mut tale = Tale::new();
    for n in 0..20 {
        let id = format!("o{n}");
        tale.sale(NOON + n * HOUR, &id, ("BOB", &id), json!({}));
    }
    for n in 0..5 {
        let (click, sale) = (format!("k{n}"), format!("p{n}"));
        let t = NOON + DAY + n * HOUR;
        tale.click(t, &click, "ann", json!({}));
        // At two minutes to the millisecond nobody is in haste.
        let after = if n == 0 { 119_999 } else { 30 * SECOND };
        let by_click = json!({
            "conversion_id": sale, "kind": "purchase", "click_id": click, "customer_id": sale, "amount": 1_000,
        });
        tale.tell(t + after, "Conversion", by_click);
        assert_eq!(tale.decision(&sale).verdict.name(), if n == 4 { "review" } else { "approve" });
    }
    assert_eq!(tale.answer("p0", Question::RushedCustomers), "yes 5/5");
    assert_eq!(verdicts(&tale, &["p0", "auto:p0:ann"]), ["review"; 2]);
}
