//! What is remembered stays within its caps, says when something gave way, and goes once its life is over.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use tributary::fold::fraud::{Question, Subject};
use tributary::fold::records::{MemberPageKey, SHORT_LIST, ShortList, WINDOW_PAGE, Window};
use tributary::fold::state::{FOR_EVER, State};
use tributary::keep::Maps as _;

use super::crooked::{draws, events};
use super::replay::{commit, open};
use super::tale::{DAY, FIREFOX, FOUNDED, HOUR, MINUTE, SECOND, Tale, token};
use crate::fold::seed::fixed;
use crate::fold::world::{Flush, World};

const NOON: i64 = FOUNDED + 10 * DAY;

/// Windows of a member, and clicks of one window.
const WINDOWS: usize = 1_024;
const CLICKS: usize = 61 * 20;
/// Kinds of own tokens.
const KINDS: usize = 5;

/// Each entity of a map, as bytes of key and value.
fn entities(state: &mut State, map: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut found = Vec::new();
    state.visit(&mut |name, entities| {
        if name == map {
            entities.each(&mut |key, _, value| found.push((key.to_vec(), value.to_vec())));
        }
    });
    found
}

fn lists(state: &mut State, map: &str) -> Vec<ShortList> {
    entities(state, map).iter().map(|(_, value)| bytemuck::pod_read_unaligned(value)).collect()
}

/// All that the fraud rules remember is within its caps. How much there is of each.
pub(super) fn assert_within_caps(state: &mut State) -> BTreeMap<&'static str, usize> {
    let mut most = BTreeMap::new();
    for map in ["own_lists", "token_users", "customers_by", "customer_moves"] {
        let longest = lists(state, map).iter().map(|list| list.len).max().unwrap_or(0);
        let longest = usize::try_from(longest).unwrap();
        assert!(longest <= SHORT_LIST, "{longest} in one of {map}");
        most.insert(map, longest);
    }
    let members = state.members.len();
    assert!(state.own_tokens.len() <= members * KINDS * SHORT_LIST, "{} own tokens", state.own_tokens.len());
    assert!(state.windows.len() <= members * WINDOWS, "{} windows of {members} members", state.windows.len());
    let keys = entities(state, "window_keys");
    let pages = keys.iter().map(|(key, _)| bytemuck::pod_read_unaligned::<MemberPageKey>(key).page).max();
    assert!(pages.is_none_or(|page| usize::try_from(page / 2).unwrap() <= WINDOWS / 8), "{pages:?} pages of windows");
    let windows = entities(state, "windows");
    let windows = windows.iter().map(|(_, window)| bytemuck::pod_read_unaligned::<Window>(window));
    let longest =
        windows.map(|window| usize::try_from(window.end - window.first + u32::from(window.len)).unwrap()).max();
    let longest = longest.unwrap_or(0);
    assert!(longest <= CLICKS, "{longest} clicks in a window");
    most.insert("clicks", longest);
    let creators = state.creators.len();
    assert!(state.tag_pages.len() <= 32 * creators && state.proxies.len() <= creators);
    assert!(state.member_frauds.len() <= members);
    most.insert("windows", state.windows.len());
    most.insert("own_tokens", state.own_tokens.len());
    most
}

#[test]
fn own_tokens_are_the_newest_sixteen_of_each_kind_and_what_gave_way_is_told() {
    let mut tale = Tale::new();
    for n in 0..1_000 {
        let t = NOON + i64::try_from(n).unwrap() * MINUTE;
        let own = json!({
            "member_id": "ann", "ip_token": token(n), "device_token": token(n), "email_token": token(n),
            "payout_token": token(n),
        });
        tale.tell(t, "Sighting", own);
    }
    tale.tell(NOON, "Sighting", json!({"member_id": "bob", "device_token": token(1)}));
    assert_eq!(assert_within_caps(&mut tale.world.state)["own_tokens"], KINDS * SHORT_LIST + 1);
    let later = NOON + 1_001 * MINUTE;
    for (id, device) in [("newest", 999), ("oldest_kept", 984), ("gone", 983)] {
        tale.sale(later, id, ("ANN", id), json!({"device_token": token(device)}));
    }
    tale.sale(later, "of_bob", ("BOB", "v"), json!({}));
    let same = |id: &str| tale.answer(id, Question::SameDevice).starts_with("yes");
    assert_eq!([same("newest"), same("oldest_kept"), same("gone")], [true, true, false]);
    let told = |id: &str| tale.decision(id).is_truncated;
    assert_eq!([told("newest"), told("gone"), told("of_bob")], [true, true, false]);
}

#[test]
fn a_member_has_so_many_windows_the_newest_and_what_gave_way_is_told() {
    let mut tale = Tale::new();
    let clicks = 5_000;
    for n in 0..clicks {
        let t = NOON + i64::try_from(n).unwrap() * SECOND;
        let tokens = json!({"ip_token": token(n), "device_token": token(n), "ip56_token": token(n)});
        tale.click(t, &format!("k{n}"), "ann", tokens);
        if n == 300 {
            assert!(!tale.decision("k300").is_truncated, "nothing gave way so far");
        }
        assert!(tale.world.state.windows.len() <= WINDOWS);
    }
    assert!(assert_within_caps(&mut tale.world.state)["windows"] > WINDOWS / 2);
    assert!(tale.decision(&format!("k{}", clicks - 1)).is_truncated);
    tale.click(NOON + 2 * HOUR, "of_bob", "bob", json!({"ip_token": token(1)}));
    assert!(!tale.decision("of_bob").is_truncated);
}

#[test]
fn a_window_holds_as_many_clicks_as_its_limits_ask_for() {
    for (people, most) in [(0, 61), (6, CLICKS)] {
        let mut tale = Tale::new();
        for n in 0..people {
            tale.sale(NOON - HOUR, &format!("o{n}"), ("BOB", &format!("c{n}")), json!({"ip_token": token(1)}));
        }
        for n in 0..3_000 {
            tale.click(NOON + n * SECOND, &format!("k{n}"), "ann", json!({"ip_token": token(1)}));
        }
        assert_eq!(assert_within_caps(&mut tale.world.state)["clicks"], most);
        assert!(tale.world.state.window_pages.len() <= most.div_ceil(WINDOW_PAGE) + 1);
    }
}

#[test]
fn who_uses_a_token_who_came_by_it_and_what_was_taken_back_are_sixteen_each() {
    let mut tale = Tale::new();
    for n in 0..500 {
        let t = NOON + n * MINUTE;
        let id = format!("p{n}");
        let tokens = json!({"ip_token": token(1), "device_token": token(2), "payment_token": token(3)});
        tale.sale(t, &id, ("ANN", if n % 2 == 0 { "one" } else { &id }), tokens);
        tale.taken_back(t + 1, "refund", &id, 10);
        tale.taken_back(t + 2, "chargeback", &id, 10);
    }
    let most = assert_within_caps(&mut tale.world.state);
    for map in ["token_users", "customers_by", "customer_moves"] {
        assert_eq!(most[map], SHORT_LIST, "{map}");
    }
    assert_eq!(tale.answer("auto:p499:ann", Question::SharedPayment), "but many_payers");
}

/// Each member shares a means of payout with the next.
#[test]
fn a_cluster_is_walked_to_64_members() {
    let mut tale = Tale::new();
    for n in 0..200_u64 {
        tale.tell(FOUNDED, "Member", json!({"member_id": format!("m{n}"), "referral_code": format!("M{n}")}));
    }
    for n in 0..200 {
        for shared in [n, n + 1] {
            tale.tell(NOON, "Sighting", json!({"member_id": format!("m{n}"), "payout_token": token(shared)}));
        }
    }
    tale.sale(NOON + HOUR, "p", ("M100", "u"), json!({}));
    assert_eq!(tale.answer("p", Question::ClusterAccounts), "yes 64/2");
}

#[test]
fn an_event_scores_a_thousand_open_commissions_again_the_oldest() {
    let mut tale = Tale::new();
    for n in 0..1_100 {
        let id = format!("p{n}");
        tale.sale(NOON + n, &id, ("ANN", &id), json!({}));
    }
    let before = tale.world.decisions.len();
    tale.tell(NOON + HOUR, "ListEntry", json!({"list": "deny", "key": "member", "value": "ann"}));
    let again = &tale.world.decisions[before..];
    let of = |subject: Subject| again.iter().filter(|decision| decision.subject == subject).count();
    assert_eq!((of(Subject::Conversion), of(Subject::Commission)), (1_000, 1_000));
    assert_eq!(again[0].subject_id.as_str(), "p0");
}

/// Traffic of a day with everything that is remembered, by tokens that do not come again.
fn day(tale: &mut Tale, from: i64, n: u64) {
    for i in 0..40 {
        let t = from + i * MINUTE;
        let own = n * 1_000 + u64::try_from(i).unwrap();
        let tokens = json!({"ip_token": token(own), "device_token": token(own), "ip56_token": token(own)});
        for click in 0..12 {
            tale.click(t + click, &format!("k{n}:{i}:{click}"), "ann", tokens.clone());
        }
        let bot = json!({
            "click_id": format!("b{n}:{i}"), "member_id": "ann", "user_agent": "curl/8.5.0", "ip_token": token(own),
        });
        tale.tell(t, "Click", bot);
        let id = format!("p{n}:{i}");
        let tokens = json!({"device_token": token(own), "payment_token": token(own), "email_token": token(own)});
        tale.sale(t + SECOND, &id, ("ANN", &id), tokens);
        tale.taken_back(t + 2 * SECOND, "refund", &id, 10);
    }
}

/// What must go: each map, and for how many days it is needed.
const LIVES: [(&str, i64); 9] = [
    ("windows", 2),
    ("window_keys", 4),
    ("window_pages", 22),
    ("customers_by", 31),
    ("judged_clicks", 46),
    ("visitors", 46),
    ("token_users", 181),
    ("order_days", 201),
    ("customer_moves", 366),
];

#[test]
fn what_is_past_its_life_goes_once_the_watermark_has_moved() {
    let dir = tempfile::tempdir().unwrap();
    let mut world = World::alone(Flush::AtTheEnd);
    let (mut store, _) = open(dir.path(), &mut world.state, LEFT);
    let mut tale = Tale::over(world, 14);
    for n in 0..3 {
        day(&mut tale, NOON + i64::try_from(n).unwrap() * DAY, n);
        commit(&mut store, &mut tale.world);
    }
    let last = NOON + 2 * DAY + HOUR;
    let size = |tale: &mut Tale, map: &str| entities(&mut tale.world.state, map).len();
    for (map, _) in LIVES {
        assert!(size(&mut tale, map) > 0, "there is something in {map}");
    }
    for (map, days) in LIVES {
        tale.tell(last + days * DAY, "Tick", json!({}));
        // A file goes when its newest entity is a day too old, some records a tick.
        for _ in 0..40 {
            for _ in 0..10 {
                store.tick(&mut tale.world.state).unwrap();
            }
            commit(&mut store, &mut tale.world);
        }
        assert!(size(&mut tale, map) <= usize::try_from(LEFT).unwrap(), "{} of {map} are left", size(&mut tale, map));
    }
}

/// The newest file of a map stays until it is full.
const LEFT: u64 = 64;

proptest! {
    #![proptest_config(fixed(60))]

    #[test]
    fn whatever_happens_all_is_within_its_caps(draws in draws(200)) {
        let mut world = World::alone(Flush::AtTheEnd);
        for (event, timestamp) in events(&draws, "c") {
            world.apply(&event, timestamp);
        }
        assert_within_caps(&mut world.state);
    }
}

/// The text of a click that comes by everything there is.
#[test]
fn an_address_by_which_all_comes_is_remembered_once() {
    let mut tale = Tale::new();
    for n in 0..5_000_u64 {
        let t = NOON + i64::try_from(n).unwrap() * SECOND;
        let click = json!({
            "click_id": format!("k{n}"), "member_id": "ann", "user_agent": FIREFOX, "ip_token": token(n % 30),
            "device_token": token(n),
        });
        tale.tell(t, "Click", click);
    }
    assert_within_caps(&mut tale.world.state);
    assert_eq!(tale.world.state.tag_pages.len(), 32);
}

/// Erasure of a customer: nobody is left behind its tokens.
#[test]
fn an_erased_customer_is_behind_no_token() {
    let mut tale = Tale::new();
    let tokens = |n: u64| -> Value {
        json!({
            "ip_token": token(n), "device_token": token(n), "email_token": token(n), "payment_token": token(n),
            "user_id": format!("user-{n}"),
        })
    };
    tale.sale(NOON, "alone", ("ANN", "u"), tokens(1));
    tale.sale(NOON, "again", ("ANN", "u"), tokens(1));
    tale.sale(NOON, "unborn", ("NOBODYS", "u"), tokens(1));
    tale.sale(NOON, "shared", ("BOB", "u"), tokens(2));
    tale.sale(NOON, "other", ("BOB", "v"), tokens(2));
    assert_eq!(tale.world.state.actors.len(), 5);
    tale.tell(NOON + HOUR, "Erasure", json!({"subject_type": "customer", "subject_id": "u", "actor": "dpo"}));
    let state = &mut tale.world.state;
    assert_eq!(state.actors.len(), 1, "the other customer's");
    let users: Vec<_> = lists(state, "token_users").iter().map(|list| list.len).collect();
    assert_eq!(users.iter().sum::<u32>(), 4, "the other customer behind each of its four tokens: {users:?}");
    let came: Vec<_> = lists(state, "customers_by").iter().map(|list| list.len).collect();
    assert_eq!(came, [1, 1], "the other customer by its card and device");
    let frauds = entities(state, "member_frauds");
    let frauds: Vec<tributary::fold::records::MemberFraud> =
        frauds.iter().map(|(_, value)| bytemuck::pod_read_unaligned(value)).collect();
    let tokens = frauds.iter().flat_map(|fraud| [fraud.payment, fraud.device]);
    assert_eq!(tokens.filter(|token| token.0 != [0; 16]).count(), 2, "Bob's, for the other customer came by them");
    assert!(state.conversions.get(&state.hash_key.id(7, 0, b"alone"), FOR_EVER).is_some(), "the sale stays");
}

#[test]
fn an_erased_customer_counts_no_longer_among_those_of_one_card() {
    for (is_erased, said) in [(false, "yes 3/3"), (true, "no")] {
        let mut tale = Tale::new();
        for customer in ["u", "v"] {
            tale.sale(NOON, customer, ("ANN", customer), json!({"payment_token": token(1)}));
        }
        if is_erased {
            tale.tell(NOON + 1, "Erasure", json!({"subject_type": "customer", "subject_id": "u", "actor": "dpo"}));
        }
        tale.sale(NOON + HOUR, "w", ("ANN", "w"), json!({"payment_token": token(1)}));
        assert_eq!(tale.answer("w", Question::SharedPayment), said);
    }
}

#[test]
fn an_erased_member_is_known_by_nothing() {
    let mut tale = Tale::new();
    let own = json!({
        "member_id": "ann", "ip_token": token(1), "device_token": token(1), "email_token": token(1),
        "payout_token": token(1),
    });
    tale.tell(NOON, "Sighting", own);
    tale.tell(NOON + 1, "Erasure", json!({"subject_type": "member", "subject_id": "ann", "actor": "dpo"}));
    let state = &mut tale.world.state;
    assert_eq!((state.own_tokens.len(), state.own_lists.len()), (0, 0));
    assert_eq!(lists(state, "token_users").iter().map(|list| list.len).sum::<u32>(), 0);
    tale.sale(NOON + HOUR, "p", ("ANN", "u"), json!({"device_token": token(1)}));
    assert_eq!(tale.answer("p", Question::SameDevice), "unknown member_devices");
}
