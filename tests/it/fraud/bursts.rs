//! Clicks in the stream: bots, velocity and timing, each at its limit and with what silences it.

use serde_json::{Value, json};
use tributary::fold::fraud::Question;

use super::tale::{DAY, FIREFOX, FOUNDED, HOUR, MINUTE, SECOND, Tale, token};

const NOON: i64 = FOUNDED + 10 * DAY;
const IP: u64 = 1;

#[test]
fn a_bot_is_told_by_what_it_says_and_a_machine_that_looks_for_people_is_not_held_against_the_member() {
    let told = [
        (json!({"user_agent": FIREFOX}), "no"),
        (json!({"user_agent": FIREFOX, "method": "HEAD"}), "yes 1/1"),
        (json!({"user_agent": ""}), "yes 1/1"),
        (json!({}), "unknown user_agent"),
        (json!({"user_agent": "curl/8.5.0"}), "yes 1/1"),
        (json!({"user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}), "yes 1/1"),
        (json!({"user_agent": "WhatsApp/2.23.20.0"}), "no"),
        (json!({"user_agent": FIREFOX, "purpose": "prefetch"}), "no"),
        (json!({"user_agent": "Mozilla/5.0 (compatible; Barracuda Sentinel)"}), "no"),
        (
            json!({"user_agent": "Mozilla/5.0 (Linux; Android 9; CUBOT_X19) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/74.0 Mobile Safari/537.36"}),
            "no",
        ),
    ];
    let mut tale = Tale::new();
    for (n, (fields, said)) in told.into_iter().enumerate() {
        let mut click = json!({"click_id": format!("k{n}"), "member_id": "ann"});
        click.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        tale.tell(NOON + i64::try_from(n).unwrap() * MINUTE, "Click", click);
        assert_eq!(tale.answer(&format!("k{n}"), Question::DeclaredBot), said, "{fields}");
    }
}

/// So many clicks of Ann, so far apart; what is asked of them one by one is told as it was answered.
fn clicks(tale: &mut Tale, from: i64, count: u64, apart: i64, tokens: impl Fn(u64) -> Value) {
    for n in 1..=count {
        let t = from + i64::try_from(n).unwrap() * apart;
        tale.click(t, &format!("k{n}"), "ann", tokens(n));
    }
}

#[test]
fn more_clicks_than_a_person_makes_are_told_at_the_first_one_over() {
    let asked = [
        ("ip_token", Question::ClicksOfIpInMinute, 10, SECOND),
        ("device_token", Question::ClicksOfDeviceInMinute, 10, SECOND),
        ("ip56_token", Question::ClicksOfNetworkInMinute, 100, SECOND / 2),
        ("ip_token", Question::ClicksOfIpInHour, 60, 50 * SECOND),
    ];
    for (field, question, limit, apart) in asked {
        let mut tale = Tale::new();
        clicks(&mut tale, NOON, limit + 1, apart, |_| json!({field: token(IP)}));
        assert_eq!(tale.answer(&format!("k{limit}"), question), "no", "{question:?}");
        let over = format!("yes {}/{limit}", limit + 1);
        assert_eq!(tale.answer(&format!("k{}", limit + 1), question), over, "{question:?}");
    }
}

#[test]
fn clicks_that_are_spread_over_members_addresses_or_time_are_nobodys_storm() {
    let mut tale = Tale::new();
    for n in 0..40 {
        let member = if n % 2 == 0 { "ann" } else { "bob" };
        tale.click(NOON + n * 4 * SECOND, &format!("k{n}"), member, json!({"ip_token": token(IP)}));
        assert_eq!(tale.answer(&format!("k{n}"), Question::ClicksOfIpInMinute), "no");
    }
}

/// Six people buy by one address; then somebody clicks by it, by so many devices in turn.
fn on_a_shared_address(people: u64, count: u64, apart: i64, devices: u64) -> Tale {
    let mut tale = Tale::new();
    for n in 0..people {
        let customer = format!("c{n}");
        tale.sale(NOON - HOUR, &format!("o{n}"), ("BOB", &customer), json!({"ip_token": token(IP)}));
    }
    clicks(&mut tale, NOON, count, apart, |n| json!({"ip_token": token(IP), "device_token": token(100 + n % devices)}));
    tale
}

#[test]
fn a_shared_address_carries_as_many_times_the_clicks_as_there_are_devices_and_20_times_at_most() {
    let minute = Question::ClicksOfIpInMinute;
    let tale = on_a_shared_address(6, 31, SECOND, 3);
    assert_eq!(tale.answer("k10", minute), "no");
    assert_eq!(tale.answer("k11", minute), "but shared_ip");
    assert_eq!(tale.answer("k30", minute), "but shared_ip");
    assert_eq!(tale.answer("k31", minute), "yes 31/30");
    // Of five people it is a household's.
    assert_eq!(on_a_shared_address(5, 11, SECOND, 3).answer("k11", minute), "yes 11/10");
    let tale = on_a_shared_address(6, 201, SECOND / 4, 25);
    assert_eq!(tale.answer("k200", minute), "but shared_ip");
    assert_eq!(tale.answer("k201", minute), "yes 201/200");
    let hour = Question::ClicksOfIpInHour;
    let tale = on_a_shared_address(6, 181, 15 * SECOND, 3);
    assert_eq!(tale.answer("k60", hour), "no");
    assert_eq!(tale.answer("k61", hour), "but shared_ip");
    assert_eq!(tale.answer("k180", hour), "but shared_ip");
    assert_eq!(tale.answer("k181", hour), "yes 181/180");
}

#[test]
fn what_comes_too_late_enters_no_window() {
    let mut tale = Tale::new();
    tale.tell(NOON + HOUR, "Tick", json!({}));
    for n in 0..40 {
        let click =
            json!({"click_id": format!("k{n}"), "member_id": "ann", "user_agent": FIREFOX, "ip_token": token(IP)});
        tale.tell_late(NOON + n, NOON + HOUR, "Click", click);
        assert_eq!(tale.answer(&format!("k{n}"), Question::ClicksOfIpInMinute), "unknown window");
    }
    assert_eq!(tale.world.state.windows.len(), 0);
}

#[test]
fn gaps_of_a_machine_are_told_at_the_21st_click_and_a_pause_of_a_day_begins_them_anew() {
    let by_device = |_| json!({"device_token": token(2)});
    let mut tale = Tale::new();
    clicks(&mut tale, NOON, 21, MINUTE, by_device);
    assert_eq!(tale.answer("k20", Question::RegularGaps), "unknown clicks");
    assert_eq!(tale.answer("k21", Question::RegularGaps), "yes 0/30");
    let jittered = |percent: i64| {
        let mut tale = Tale::new();
        let mut t = NOON;
        for n in 0..21 {
            t += MINUTE * (100 + if n % 2 == 0 { percent } else { -percent }) / 100;
            tale.click(t, &format!("k{n}"), "ann", json!({"ip_token": token(IP)}));
        }
        tale.answer("k20", Question::RegularGaps)
    };
    assert_eq!((jittered(29), jittered(31)), ("yes 29/30".to_owned(), "no".to_owned()));
    for (pause, said) in [(DAY - 1, "no"), (DAY, "unknown clicks")] {
        let mut tale = Tale::new();
        clicks(&mut tale, NOON, 21, MINUTE, by_device);
        tale.click(NOON + 21 * MINUTE + pause, "back", "ann", by_device(0));
        assert_eq!(tale.answer("back", Question::RegularGaps), said, "after {pause} ms");
    }
}

#[test]
fn a_conversion_takes_a_person_some_seconds() {
    for (kind, least) in [("purchase", 5_000), ("signup", 2_000)] {
        for (before, is_hasty) in [(0, true), (least - 1, true), (least, false)] {
            let mut tale = Tale::new();
            tale.click(NOON, "k", "ann", json!({}));
            let made = json!({"conversion_id": "p", "kind": kind, "click_id": "k", "customer_id": "u", "amount": 100});
            tale.tell(NOON + before, "Conversion", made);
            let said = if is_hasty { format!("yes {before}/{least}") } else { "no".to_owned() };
            assert_eq!(tale.answer("p", Question::HastyConversion), said, "{kind} {before} ms after its click");
        }
    }
    let mut tale = Tale::new();
    tale.sale(NOON, "by_code", ("ANN", "u"), json!({}));
    assert_eq!(tale.answer("by_code", Question::HastyConversion), "unknown click");
}

/// Bob's click, then Ann's, then a sale, all by one device unless Bob's is another's.
fn stuffed(between: i64, before: i64, rival: u64) -> Tale {
    let mut tale = Tale::new();
    tale.click(NOON, "bobs", "bob", json!({"device_token": token(rival)}));
    tale.click(NOON + between, "anns", "ann", json!({"device_token": token(1)}));
    let sale = json!({
        "conversion_id": "p", "kind": "purchase", "customer_id": "u", "amount": 100, "device_token": token(1),
    });
    tale.tell(NOON + between + before, "Conversion", sale);
    tale
}

#[test]
fn a_click_that_comes_just_in_time_to_win_another_s_sale_is_told() {
    let late = |before, rival| stuffed(HOUR, before, rival).answer("p", Question::LateClick);
    assert_eq!((late(10_000, 1), late(10_001, 1)), ("yes 10000/10000".to_owned(), "no".to_owned()));
    assert_eq!(late(10_000, 2), "no", "nobody else brought this actor");
    let behind = |between, rival| stuffed(between, HOUR, rival).answer("p", Question::ClickBehindAnother);
    assert_eq!((behind(5_000, 1), behind(5_001, 1)), ("yes 5000/5000".to_owned(), "no".to_owned()));
    assert_eq!(behind(5_000, 2), "no", "nobody else brought this actor");
}

#[test]
fn a_sale_inherits_what_its_click_fired() {
    let mut tale = Tale::new();
    clicks(&mut tale, NOON, 11, SECOND, |_| json!({"ip_token": token(IP)}));
    let bot = json!({"click_id": "bot", "member_id": "ann", "user_agent": "curl/8.5.0"});
    tale.tell(NOON + MINUTE, "Click", bot);
    let sale = |id: &str, click: &str| json!({"conversion_id": id, "kind": "purchase", "click_id": click, "customer_id": id, "amount": 100});
    tale.tell(NOON + HOUR, "Conversion", sale("p", "k11"));
    tale.tell(NOON + HOUR, "Conversion", sale("q", "bot"));
    tale.tell(NOON + HOUR, "Conversion", sale("r", "k10"));
    let fired = |subject: &str| tale.answer(subject, Question::ClicksOfIpInMinute);
    assert_eq!([fired("p"), fired("r")], ["yes 11/10", "no"]);
    assert_eq!(tale.answer("q", Question::DeclaredBot), "yes 1/1");
    assert_eq!(tale.answer("auto:q:ann", Question::DeclaredBot), "yes 1/1");
}
