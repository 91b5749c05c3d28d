//! Boards and ranks as they are asked for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::{Value, json};
use tributary::clock::Clock;

use super::reads::{creator, member};
use super::server::{Server, limits};

/// 2026-06-10T00:00Z, a Wednesday.
const DAY: i64 = 1_781_049_600_000;
const HOUR: i64 = 3_600_000;

/// A server whose readers have a clock of their own.
async fn server(now: i64) -> (Server, Arc<AtomicI64>) {
    let hand = Arc::new(AtomicI64::new(now));
    let clock = Clock::by_hand(Arc::clone(&hand));
    let mut server = Server::start_with(limits(), |app| app.clock = clock).await;
    server.engine.start().unwrap();
    (server, hand)
}

fn click(id: &str, member: &str, at: i64) -> Value {
    json!({"type": "Click", "event_id": format!("k-{id}"), "creator_id": "acme", "occurred_at": at,
           "click_id": id, "member_id": member})
}

fn bonus(id: &str, member: &str, at: i64, amount: i64) -> Value {
    json!({"type": "Commission", "event_id": format!("b-{id}"), "creator_id": "acme", "occurred_at": at,
           "commission_id": id, "kind": "earned", "member_id": member, "amount": amount})
}

fn ids(entries: &Value) -> Vec<(u64, &str)> {
    let entries = entries.as_array().unwrap().iter();
    entries.map(|one| (one["rank"].as_u64().unwrap(), one["member"]["member_id"].as_str().unwrap())).collect()
}

async fn board(server: &Server, query: &str) -> Value {
    server.get(&format!("/v1/creators/acme/leaderboard?{query}")).await.ok()["data"].clone()
}

#[tokio::test]
async fn a_board_says_which_days_it_ranks_and_periods_follow_the_readers_day() {
    let (server, hand) = server(DAY + 12 * HOUR).await;
    let token = server
        .fill(&json!([
            creator("acme", "EUR"),
            member("acme", "ann"),
            member("acme", "bob"),
            click("1", "ann", DAY - 20 * HOUR),
            click("2", "bob", DAY + HOUR),
            click("3", "bob", DAY + 2 * HOUR),
        ]))
        .await;
    server.get_at("/v1/creators/acme/leaderboard", &token).await.ok();
    let day = board(&server, "metric=clicks&window=day").await;
    assert_eq!((&day["from"], &day["to"], &day["ready"]), (&json!("2026-06-10"), &json!("2026-06-10"), &json!(true)));
    assert_eq!(ids(&day["entries"]), [(1, "bob")]);
    let before = board(&server, "metric=clicks&window=day&period=previous").await;
    assert_eq!((&before["to"], ids(&before["entries"])), (&json!("2026-06-09"), vec![(1, "ann")]));
    let week = board(&server, "metric=clicks&window=week").await;
    assert_eq!((&week["from"], &week["to"]), (&json!("2026-06-08"), &json!("2026-06-14")));
    assert_eq!(ids(&week["entries"]), [(1, "bob"), (2, "ann")]);
    assert_eq!(ids(&board(&server, "metric=clicks&window=month&period=previous").await["entries"]), []);
    let rolling = board(&server, "metric=clicks&window=rolling7").await;
    assert_eq!(
        (&rolling["from"], &rolling["to"], &rolling["ready"]),
        (&json!("2026-06-03"), &json!("2026-06-09"), &json!(true))
    );
    assert_eq!(ids(&rolling["entries"]), [(1, "ann")]);

    // Midnight passes for the reader; nothing has come since.
    hand.store(DAY + 24 * HOUR, Ordering::Relaxed);
    assert_eq!(ids(&board(&server, "metric=clicks&window=day").await["entries"]), []);
    assert_eq!(ids(&board(&server, "metric=clicks&window=day&period=previous").await["entries"]), [(1, "bob")]);
    let rolling = board(&server, "metric=clicks&window=rolling7").await;
    assert_eq!((&rolling["to"], &rolling["ready"]), (&json!("2026-06-09"), &json!(false)), "it has not moved on yet");
    // Anything that comes takes it there.
    let token = server.fill(&json!([click("4", "ann", DAY + 24 * HOUR)])).await;
    server.get_at("/v1/creators/acme/leaderboard", &token).await.ok();
    let rolling = board(&server, "metric=clicks&window=rolling7").await;
    assert_eq!((&rolling["to"], &rolling["ready"]), (&json!("2026-06-10"), &json!(true)));
    assert_eq!(ids(&rolling["entries"]), [(1, "bob"), (2, "ann")]);
    // So long after that nothing can be left.
    hand.store(DAY + 60 * 24 * HOUR, Ordering::Relaxed);
    let rolling = board(&server, "metric=clicks&window=rolling30").await;
    assert_eq!((&rolling["ready"], ids(&rolling["entries"])), (&json!(true), vec![]));
    server.stop().await;
}

#[tokio::test]
async fn a_member_s_rank_has_its_neighbours_and_who_has_none_says_so() {
    let (server, _) = server(DAY + 12 * HOUR).await;
    let mut events = vec![creator("acme", "EUR")];
    for (n, amount) in [500, 400, 400, 300, 200, 0].into_iter().enumerate() {
        let id = format!("m{n}");
        events.push(member("acme", &id));
        events.push(bonus(&id, &id, DAY + i64::try_from(n).unwrap(), amount));
    }
    let token = server.fill(&Value::Array(events)).await;
    let rank = |id: &str| format!("/v1/creators/acme/members/{id}/rank?metric=earnings&window=month");
    let own = server.get_at(&rank("m2"), &token).await.ok()["data"].clone();
    assert_eq!(
        (&own["rank"], &own["tied"], &own["ranked"], &own["value"]),
        (&json!(2), &json!(2), &json!(5), &json!(400))
    );
    assert_eq!(own["percentile"], json!(0.4));
    assert_eq!((own["currency"].as_str(), own["reached_at"].as_str()), (Some("EUR"), Some("2026-06-10T00:00:00.002Z")));
    assert_eq!(ids(&own["neighbours"]["above"]), [(1, "m0"), (2, "m1")]);
    assert_eq!(ids(&own["neighbours"]["below"]), [(4, "m3"), (5, "m4")]);
    let none = server.get(&rank("m5")).await.ok()["data"].clone();
    assert_eq!((&none["rank"], &none["value"], &none["ranked"]), (&Value::Null, &json!(0), &json!(5)));
    assert_eq!(server.get(&rank("nobody")).await.problem(), "unknown-member");
    for (query, kept) in [("window=year", "all"), ("window=rolling7&period=previous", "current")] {
        let answer = server.get(&format!("/v1/creators/acme/members/m0/rank?{query}")).await;
        assert_eq!((answer.problem().as_str(), &answer.json()["kept"][0]), ("not-kept", &json!(kept)));
    }
    let answer = server.get("/v1/creators/acme/leaderboard?period=next").await;
    assert_eq!(answer.problem(), "invalid-parameter");
    server.stop().await;
}

/// Pages of a list until it ends.
async fn pages(server: &Server, path: &str, take: impl Fn(&Value) -> Vec<Value>) -> Vec<Value> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = server.get(&format!("{path}{cursor}")).await.ok();
        found.extend(take(&answer));
        let Some(next) = answer["next"].as_str() else { return found };
        cursor = format!("&cursor={next}");
    }
}

const MEMBERS: i64 = 1_300;

/// Amounts with ties, and members of nothing.
const fn amount(n: i64) -> i64 {
    if n % 10 == 9 { 0 } else { (n * 7_919) % 900 * (n % 3 + 1) * 25 }
}

#[tokio::test]
async fn boards_of_a_large_programme_are_those_of_sorting_everybody() {
    let (server, hand) = server(DAY + 12 * HOUR).await;
    let mut events = vec![creator("acme", "EUR")];
    for n in 0..MEMBERS {
        let id = format!("m{n}");
        events.push(member("acme", &id));
        events.push(bonus(&id, &id, DAY + (MEMBERS - n), amount(n)));
        events.push(click(&id, &id, DAY + n));
    }
    let mut token = String::new();
    for chunk in events.chunks(600) {
        token = server.fill(&Value::Array(chunk.to_vec())).await;
    }
    server.get_at("/v1/creators/acme/leaderboard", &token).await.ok();
    let mut expected: Vec<(i64, i64, i64)> =
        (0..MEMBERS).map(|n| (amount(n), DAY + (MEMBERS - n), n)).filter(|(value, ..)| *value > 0).collect();
    expected.sort_by_key(|(value, reached, n)| (-value, *reached, *n));
    let path = "/v1/creators/acme/leaderboard?metric=earnings&window=month&limit=170";
    let listed = pages(&server, path, |answer| {
        assert_eq!(answer["data"]["ready"], json!(true));
        answer["data"]["entries"].as_array().unwrap().clone()
    })
    .await;
    let shown: Vec<(i64, String)> = listed
        .iter()
        .map(|one| (one["value"].as_i64().unwrap(), one["member"]["member_id"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(shown, expected.iter().map(|(value, _, n)| (*value, format!("m{n}"))).collect::<Vec<_>>());

    let mut holders: BTreeMap<i64, usize> = BTreeMap::new();
    expected.iter().for_each(|(value, ..)| *holders.entry(*value).or_default() += 1);
    for (place, (value, _, n)) in expected.iter().enumerate().step_by(61) {
        let own = server.get(&format!("/v1/creators/acme/members/m{n}/rank?window=month")).await.ok()["data"].clone();
        let ahead: usize = holders.range(value + 1..).map(|(_, n)| n).sum();
        assert_eq!(
            (&own["rank"], &own["tied"], &own["ranked"]),
            (&json!(ahead + 1), &json!(holders[value]), &json!(expected.len()))
        );
        assert_eq!(listed[place]["rank"], own["rank"]);
        let beside = |from: usize, to: usize| -> Vec<String> {
            expected[from..to.min(expected.len())].iter().map(|(_, _, n)| format!("m{n}")).collect()
        };
        let names = |side: &str| -> Vec<String> {
            ids(&own["neighbours"][side]).iter().map(|(_, id)| (*id).to_owned()).collect()
        };
        assert_eq!(names("above"), beside(place.saturating_sub(2), place), "{own}");
        assert_eq!(names("below"), beside(place + 1, place + 3), "{own}");
    }
    let stats = server.get("/v1/creators/acme/members/m1/stats").await.ok();
    assert_eq!(stats["data"]["rank"]["ranked"], json!(expected.len()));

    // All clicked once: who did first comes first.
    let equals = pages(&server, "/v1/creators/acme/leaderboard?metric=clicks&limit=400", |answer| {
        answer["data"]["entries"].as_array().unwrap().clone()
    })
    .await;
    assert!(equals.iter().all(|one| (&one["rank"], &one["tied"]) == (&json!(1), &json!(MEMBERS))));
    let names: Vec<&str> = equals.iter().map(|one| one["member"]["member_id"].as_str().unwrap()).collect();
    assert_eq!(names, (0..MEMBERS).map(|n| format!("m{n}")).collect::<Vec<_>>());

    // Lists of members: those with a place first, then the others, each once.
    let list = pages(&server, "/v1/creators/acme/members?sort=earnings&limit=300", |answer| {
        answer["data"].as_array().unwrap().clone()
    })
    .await;
    let names: Vec<&str> = list.iter().map(|one| one["member_id"].as_str().unwrap()).collect();
    let placed = expected.iter().map(|(_, _, n)| format!("m{n}"));
    let others = (0..MEMBERS).filter(|n| amount(*n) == 0).map(|n| format!("m{n}"));
    assert_eq!(names, placed.chain(others).collect::<Vec<_>>());

    // The rolling windows of a large programme move on event by event.
    hand.store(DAY + 30 * HOUR, Ordering::Relaxed);
    let token = server.fill(&json!([click("next", "m0", DAY + 30 * HOUR)])).await;
    server.get_at("/v1/creators/acme/leaderboard", &token).await.ok();
    assert_eq!(board(&server, "metric=clicks&window=rolling7").await["ready"], false);
    let more = (0..700).map(|n| click(&format!("x{n}"), "m0", DAY + 30 * HOUR + n));
    let token = server.fill(&more.collect()).await;
    server.get_at("/v1/creators/acme/leaderboard", &token).await.ok();
    let rolling = board(&server, "metric=clicks&window=rolling7&limit=1").await;
    assert_eq!(
        (&rolling["ready"], &rolling["to"], &rolling["ranked"]),
        (&json!(true), &json!("2026-06-10"), &json!(MEMBERS))
    );
    server.stop().await;
}

#[tokio::test]
async fn one_board_of_all_creators_compares_money_of_one_currency() {
    let (server, _) = server(DAY + 12 * HOUR).await;
    let mut events = Vec::new();
    for (which, currency) in [("a", "EUR"), ("b", "EUR"), ("d", "USD")] {
        events.push(creator(which, currency));
        for (n, amount) in [(0, 900), (1, 500), (2, 100)] {
            let amount = if which == "b" { amount - 400 } else { amount };
            let id = format!("{which}{n}");
            let mut event = member(which, &id);
            event["event_id"] = json!(format!("m-{which}-{n}"));
            events.push(event);
            let mut event = bonus(&id, &id, DAY + n, amount.max(0));
            event["creator_id"] = json!(which);
            events.push(event);
        }
    }
    let token = server.fill(&Value::Array(events)).await;
    let path = "/v1/leaderboard?currency=EUR&window=month&limit=4";
    let answer = server.get_at(path, &token).await.ok()["data"].clone();
    assert_eq!(ids(&answer["entries"]), [(1, "a0"), (2, "b0"), (2, "a1"), (4, "b1")]);
    assert_eq!(
        (&answer["exact"], &answer["currency"], &answer["to"]),
        (&json!(true), &json!("EUR"), &json!("2026-06-30"))
    );
    assert_eq!(answer["entries"][1]["creator_id"], "b");
    assert_eq!(ids(&server.get("/v1/leaderboard?currency=USD&limit=1").await.ok()["data"]["entries"]), [(1, "d0")]);
    assert_eq!(ids(&server.get("/v1/leaderboard?currency=CHF").await.ok()["data"]["entries"]), []);
    assert_eq!(server.get("/v1/leaderboard").await.problem(), "invalid-parameter");
    assert_eq!(server.get("/v1/leaderboard?metric=clicks").await.problem(), "not-kept");
    server.stop().await;
}
