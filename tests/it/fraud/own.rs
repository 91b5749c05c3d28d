//! Self-referral in the stream: where it fires, and each thing that silences it.

use serde_json::json;
use tributary::fold::fraud::{Question, Verdict};

use super::tale::{DAY, FOUNDED, HOUR, Tale, token};

const NOON: i64 = FOUNDED + 100 * DAY;
const IP: u64 = 1;
const DEVICE: u64 = 2;

/// Others convert by Ann's address or device some days before she is seen there and somebody buys by it. She and the
/// buyer are users of it too.
fn own_purchase(field: &str, others: u64, days_before: i64) -> Tale {
    let mut tale = Tale::new();
    for n in 0..others {
        let t = NOON - days_before * DAY + i64::try_from(n).unwrap();
        let fields = json!({"conversion_id": format!("o{n}"), "kind": "signup", "customer_id": format!("c{n}")});
        let mut fields = fields.as_object().unwrap().clone();
        fields.insert(field.to_owned(), json!(token(7)));
        tale.tell(t, "Conversion", fields.into());
    }
    let own =
        |extra| serde_json::Value::Object([(field.to_owned(), json!(token(7)))].into_iter().chain(extra).collect());
    tale.tell(NOON, "Sighting", own(Some(("member_id".to_owned(), json!("ann")))));
    tale.sale(NOON + HOUR, "p", ("ANN", "u"), own(None));
    tale
}

#[test]
fn an_own_address_tells_until_six_use_it_within_30_days() {
    for (others, days_before, said) in [
        (0, 1, "yes"),
        (3, 1, "yes"),
        (4, 1, "but shared_ip"),
        (4, 29, "but shared_ip"),
        (4, 31, "yes"),
        (40, 31, "yes"),
    ] {
        let answer = own_purchase("ip_token", others, days_before).answer("p", Question::SameIp);
        assert!(answer.starts_with(said), "{others} others {days_before} days before: {answer}");
    }
}

#[test]
fn an_own_device_tells_until_six_use_it_within_90_days() {
    for (others, days_before, said) in
        [(0, 1, "yes"), (3, 1, "yes"), (4, 1, "but crowded_device"), (4, 89, "but crowded_device"), (4, 91, "yes")]
    {
        let answer = own_purchase("device_token", others, days_before).answer("p", Question::SameDevice);
        assert!(answer.starts_with(said), "{others} others {days_before} days before: {answer}");
    }
}

#[test]
fn what_a_guard_silences_is_no_points_and_one_by_one_it_is_a_review() {
    let verdict = |tale: Tale| (tale.decision("p").assessment.score.raw, tale.decision("p").verdict);
    assert_eq!(verdict(own_purchase("ip_token", 3, 1)), (40, Verdict::Review));
    assert_eq!(verdict(own_purchase("ip_token", 4, 1)), (0, Verdict::Approve));
    assert_eq!(verdict(own_purchase("device_token", 3, 1)), (50, Verdict::Review));
    assert_eq!(verdict(own_purchase("device_token", 4, 1)), (0, Verdict::Approve));
}

#[test]
fn an_own_address_is_forgotten_after_30_days_and_a_device_after_90() {
    for (field, question, days) in [("ip_token", Question::SameIp, 30), ("device_token", Question::SameDevice, 90)] {
        for (late, said) in [(0, "yes"), (1, "no")] {
            let mut tale = Tale::new();
            tale.tell(NOON, "Sighting", json!({"member_id": "ann", field: token(7)}));
            tale.sale(NOON + days * DAY + late, "p", ("ANN", "u"), json!({field: token(7)}));
            assert!(tale.answer("p", question).starts_with(said), "{field} {late} ms behind {days} days");
        }
    }
}

#[test]
fn a_click_shows_nothing_of_whose_a_device_is() {
    let mut tale = Tale::new();
    tale.click(NOON, "k", "ann", json!({"device_token": token(DEVICE), "ip_token": token(IP)}));
    tale.sale(NOON + HOUR, "p", ("ANN", "u"), json!({"device_token": token(DEVICE), "ip_token": token(IP)}));
    assert_eq!(tale.answer("p", Question::SameDevice), "unknown member_devices");
    assert_eq!(tale.answer("p", Question::SameIp), "unknown member_ips");
}

#[test]
fn the_member_is_known_by_user_id_e_mail_and_means_of_payout() {
    let mut tale = Tale::new();
    tale.tell(NOON, "Member", json!({"member_id": "ann", "user_id": "user-1"}));
    tale.tell(NOON, "Sighting", json!({"member_id": "ann", "email_token": token(3), "payout_token": token(4)}));
    let mine = json!({"user_id": "user-1", "email_token": token(3), "payment_token": token(4)});
    tale.sale(NOON + HOUR, "mine", ("ANN", "u"), mine);
    let other = json!({"user_id": "user-2", "email_token": token(5), "payment_token": token(6)});
    tale.sale(NOON + 2 * HOUR, "theirs", ("ANN", "v"), other);
    tale.sale(NOON + 3 * HOUR, "unsaid", ("ANN", "w"), json!({}));
    tale.sale(NOON + 4 * HOUR, "of_bob", ("BOB", "x"), json!({"user_id": "user-2", "email_token": token(3)}));
    for (question, missing, of_bob) in [
        (Question::SameUserId, "unknown actor_user", "unknown member_user"),
        (Question::SameEmail, "unknown actor_email", "unknown member_email"),
        (Question::SamePayout, "unknown actor_payment", "unknown actor_payment"),
    ] {
        assert_eq!(tale.answer("mine", question), "yes 1/1");
        assert_eq!(tale.answer("theirs", question), "no");
        assert_eq!(tale.answer("unsaid", question), missing);
        assert_eq!(tale.answer("of_bob", question), of_bob);
    }
}

#[test]
fn a_reseller_who_may_buy_for_itself_is_on_the_allow_list_and_the_reasons_are_told_all_the_same() {
    let sold = |is_allowed: bool, rules: &str| {
        let mut tale = Tale::new();
        tale.tell(NOON, "RuleSet", json!({"rule_set_id": rules}));
        tale.tell(NOON, "Sighting", json!({"member_id": "ann", "device_token": token(DEVICE), "ip_token": token(IP)}));
        tale.tell(NOON, "ListEntry", json!({"list": "allow", "key": "member", "value": "ann", "active": is_allowed}));
        tale.sale(NOON + HOUR, "p", ("ANN", "u"), json!({"device_token": token(DEVICE), "ip_token": token(IP)}));
        let decision = tale.decision("p");
        (decision.verdict, decision.decided_by.name(), decision.assessment.score.raw)
    };
    for rules in ["guarded-v1", "seed-v1"] {
        assert_eq!(sold(true, rules), (Verdict::Approve, "allow_list", 90));
        assert_eq!(sold(false, rules), (Verdict::Block, "score", 90));
    }
}

/// Clicks of which every `nth` comes by one address, by so many devices.
fn traffic(tale: &mut Tale, from: i64, clicks: u64, (nth, devices): (u64, u64)) -> i64 {
    let mut t = from;
    for n in 0..clicks {
        t += 30_000;
        let (ip, device) = if n % nth == 0 { (IP, n / nth % devices) } else { (1_000_000 + n, n) };
        let tokens = json!({"ip_token": token(ip), "device_token": token(10_000 + device)});
        tale.click(t, &format!("t{t}"), "bob", tokens);
    }
    t
}

fn bought(tale: &mut Tale, t: i64, id: &str) -> String {
    tale.tell(t, "Sighting", json!({"member_id": "ann", "ip_token": token(IP)}));
    tale.sale(t + 1, id, ("ANN", "u"), json!({"ip_token": token(IP)}));
    let answer = tale.answer(id, Question::SameIp);
    answer.split(' ').next().unwrap().to_owned() + if answer.ends_with("proxy_ip") { " proxy" } else { "" }
}

#[test]
fn an_address_with_a_fifth_of_the_traffic_is_no_evidence_until_it_is_below_a_twentieth() {
    let mut tale = Tale::new();
    assert_eq!(bought(&mut tale, NOON, "before"), "yes");
    let t = traffic(&mut tale, NOON + 1, 1_024, (4, 300));
    assert_eq!(bought(&mut tale, t + 1, "a_quarter"), "unknown proxy");
    // So are all that look at the address: velocity by it and by its network, and gaps where there is no device.
    let by_ip = json!({"ip_token": token(IP), "ip56_token": token(99)});
    tale.click(t + 10, "by_ip", "ann", by_ip);
    for question in [Question::ClicksOfIpInMinute, Question::ClicksOfIpInHour, Question::ClicksOfNetworkInMinute] {
        assert_eq!(tale.answer("by_ip", question), "unknown proxy_ip");
    }
    assert_eq!(tale.answer("by_ip", Question::ClicksOfDeviceInMinute), "unknown actor_device");
    let t = traffic(&mut tale, t + 20, 1_088, (20, 300));
    assert_eq!(bought(&mut tale, t + 1, "a_twentieth"), "unknown proxy");
    let t = traffic(&mut tale, t + 20, 1_088, (23, 300));
    assert_eq!(bought(&mut tale, t + 1, "less"), "yes");
}

#[test]
fn a_fifth_of_the_traffic_by_few_devices_is_a_household_and_without_guards_nothing_is_a_proxy() {
    for (devices, said) in [(19, "yes"), (20, "unknown proxy")] {
        let mut tale = Tale::new();
        let t = traffic(&mut tale, NOON, 1_024, (4, devices));
        assert_eq!(bought(&mut tale, t + 1, "p"), said, "{devices} devices");
        tale.tell(t + 10, "RuleSet", json!({"rule_set_id": "seed-v1"}));
        assert_eq!(bought(&mut tale, t + 20, "q"), "yes");
        tale.click(t + 30, "k", "ann", json!({"ip_token": token(IP)}));
        assert_eq!(tale.answer("k", Question::ClicksOfIpInMinute), "no");
    }
}
