//! Boards: what a value is made of, when it changes, and that all rows agree with sorting everybody (SEMANTICS §10).

mod history;
mod oracle;
mod rows;

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use tributary::fold::boards::{CountMap, Metric, PAGE_VALUES_MAX, TOP, Window};
use tributary::fold::calendar;

use super::story::told;
use super::world::{Flush, World};
use history::{History, Plan};
use rows::Reader;

/// A story of a club in `zone`, and boards as read when it is `today` there.
pub(crate) fn board(zone: &str, lines: &str, today: &str, boards: &[(Metric, Window, i32)], expected: Expect) {
    let club = format!(
        "01-01 00:00 Creator name=Club currency=EUR time_zone={zone}
         01-01 00:00 Member member_id=ann referral_code=ANN
         01-01 00:00 Member member_id=bob referral_code=BOB
         01-01 00:00 Member member_id=cid referral_code=CID
         {lines}"
    );
    let world = told(&club);
    let reader = Reader::new(&world, "c");
    let today = rows::day(today);
    let mut text = String::new();
    for (metric, window, back) in boards {
        let period = window.period(today) - back;
        let places: Vec<String> = reader
            .board(*metric, *window, period)
            .iter()
            .map(|one| format!("{} {} {}", one.rank, one.id, one.value))
            .collect();
        let which = if *back == 0 { "" } else { ", before" };
        writeln!(text, "{} of {}{which}: {}", metric.name(), window.name(), places.join(", ")).unwrap();
    }
    expected.assert_eq(&text);
}

#[test]
fn who_is_suspended_or_removed_leaves_and_comes_back_with_all_that_was_booked_meanwhile() {
    let away = "06-10 10:00 Click click_id=k1 member_id=ann
         06-10 10:01 Click click_id=k2 member_id=bob
         06-10 10:02 Member member_id=ann status=suspended
         06-10 10:03 Click click_id=k3 member_id=ann";
    let boards = [(Metric::Clicks, Window::All, 0)];
    board("UTC", away, "06-10", &boards, expect![["clicks of all: 1 bob 1\n"]]);
    let back = format!("{away}\n06-10 10:04 Member member_id=ann status=active");
    board("UTC", &back, "06-10", &boards, expect![["clicks of all: 1 ann 2, 2 bob 1\n"]]);
    let removed = format!("{back}\n06-10 10:05 Member member_id=ann status=removed");
    board("UTC", &removed, "06-10", &boards, expect![["clicks of all: 1 bob 1\n"]]);
}

#[test]
fn earnings_are_of_the_creators_currency_now_and_none_is_added_to_another() {
    board(
        "UTC",
        "06-10 10:00 Commission commission_id=a kind=earned member_id=ann amount=500
         06-10 10:01 Commission commission_id=b kind=earned member_id=bob amount=900 currency=USD
         06-11 10:00 Creator name=Club currency=USD time_zone=UTC
         06-11 10:01 Commission commission_id=a kind=reversed member_id=ann amount=100 currency=EUR
         06-12 10:00 Creator name=Club currency=EUR time_zone=UTC",
        "06-12",
        &[(Metric::Earnings, Window::All, 0), (Metric::Earnings, Window::Month, 0)],
        expect![[r#"
            earnings of all: 1 ann 400
            earnings of month: 1 ann 400
        "#]],
    );
}

#[test]
fn rolling_windows_are_the_complete_days_before_today() {
    let clicks = "06-01 10:00 Click click_id=k1 member_id=ann
         06-07 10:00 Click click_id=k2 member_id=bob
         06-07 11:00 Click click_id=k3 member_id=bob
         06-08 10:00 Click click_id=k4 member_id=cid";
    let boards = [(Metric::Clicks, Window::Rolling7, 0), (Metric::Clicks, Window::Rolling30, 0)];
    let read_on = |day: &str, expected: Expect| {
        board("UTC", &format!("{clicks}\n{day} 00:00 Tick"), day, &boards, expected);
    };
    read_on("06-08", expect![["clicks of rolling7: 1 bob 2, 2 ann 1\nclicks of rolling30: 1 bob 2, 2 ann 1\n"]]);
    read_on(
        "06-09",
        expect![["clicks of rolling7: 1 bob 2, 2 cid 1\nclicks of rolling30: 1 bob 2, 2 ann 1, 2 cid 1\n"]],
    );
    read_on("06-15", expect![["clicks of rolling7: 1 cid 1\nclicks of rolling30: 1 bob 2, 2 ann 1, 2 cid 1\n"]]);
    read_on("07-02", expect![["clicks of rolling7: \nclicks of rolling30: 1 bob 2, 2 cid 1\n"]]);
    read_on("07-09", expect![["clicks of rolling7: \nclicks of rolling30: \n"]]);
}

#[test]
fn a_quiet_creator_is_due_once_its_day_is_over_and_not_again_behind_a_tick() {
    let clicked = "01-01 00:00 Creator name=Club currency=EUR time_zone=Europe/Berlin
         01-01 00:00 Member member_id=ann
         06-10 10:00 Click click_id=k1 member_id=ann";
    let due = |lines: &str, at: &str| {
        let at: jiff::Timestamp = at.parse().unwrap();
        told(lines).state.due(tributary::ids::Millis(at.as_millisecond())).count()
    };
    assert_eq!(due(clicked, "2026-06-10T21:59:59Z"), 0);
    // Midnight in Berlin: the rolling windows move on.
    assert_eq!(due(clicked, "2026-06-10T22:00:00Z"), 1);
    let ticked = format!("{clicked}\n06-10 22:00 Tick");
    assert_eq!(due(&ticked, "2026-06-11T00:09:59Z"), 0);
    // Ten minutes behind the end of the UTC day it is sealed.
    assert_eq!(due(&ticked, "2026-06-11T00:10:00Z"), 1);
    let sealed = format!("{ticked}\n06-11 00:10 Tick");
    assert_eq!(due(&sealed, "2026-06-11T20:00:00Z"), 0);
    // A month later nothing is in any window: no day begins that anybody would see.
    assert_eq!(due(&format!("{clicked}\n07-20 00:00 Tick"), "2026-08-20T00:00:00Z"), 0);
}

#[test]
fn a_zone_further_west_takes_nothing_back_that_was_booked() {
    board(
        "Pacific/Auckland",
        "06-10 13:00 Click click_id=k1 member_id=ann
         06-10 13:30 Creator name=Club currency=EUR time_zone=America/Los_Angeles
         06-10 14:00 Click click_id=k2 member_id=bob
         06-12 14:00 Tick",
        "06-12",
        &[(Metric::Clicks, Window::Week, 0), (Metric::Clicks, Window::Rolling7, 0), (Metric::Clicks, Window::All, 0)],
        expect![[r#"
            clicks of week: 1 ann 1, 1 bob 1
            clicks of rolling7: 1 ann 1, 1 bob 1
            clicks of all: 1 ann 1, 1 bob 1
        "#]],
    );
}

#[test]
fn weeks_begin_on_monday_and_months_are_those_of_the_calendar() {
    let mut date = jiff::civil::date(1999, 12, 27);
    for day in rows::day("1999-12-27")..rows::day("2101-01-01") {
        let month = i32::from(date.year()) * 12 + i32::from(date.month()) - 1;
        assert_eq!(calendar::month_of(day), month, "{date}");
        assert_eq!(calendar::month_start(month), day - i32::from(date.day()) + 1, "{date}");
        let monday = day - i32::from(date.weekday().to_monday_zero_offset());
        assert_eq!(calendar::week_start(calendar::week_of(day)), monday, "{date}");
        date = date.tomorrow().unwrap();
    }
}

#[test]
fn pages_are_a_function_of_the_content_and_what_changed_is_told() {
    let mut random = history::random(7);
    let (mut map, mut held, mut stored) = (CountMap::default(), Vec::new(), std::collections::BTreeMap::new());
    for turn in 0..30_000 {
        let grows = turn % 10_000 < 6_000;
        if held.is_empty() || history::chance(&mut random, if grows { 800 } else { 200 }) {
            let value = history::skewed(&mut random, 1 << 40) + 1;
            map.add(value);
            map.mark(value, value);
            held.push(value);
        } else {
            let place = history::below(&mut random, held.len() as u64) as usize;
            let value = held.swap_remove(place);
            map.remove(value);
            map.mark(value, value);
        }
        if turn % 500 == 499 {
            map.take_dirty().into_iter().for_each(|page| drop(stored.insert(page.low, page)));
            let mut again = CountMap::default();
            held.iter().rev().for_each(|value| again.add(*value));
            assert_eq!(map.heads(), again.heads(), "whatever the way there");
            for head in map.heads() {
                let page = map.page(head.low).unwrap();
                assert_eq!(stored[&head.low], page, "what was told is what there is");
                assert!(page.values.len() <= PAGE_VALUES_MAX);
                assert_eq!(page.values.iter().map(|(_, n)| u64::from(*n)).sum::<u64>(), head.members);
            }
        }
    }
    assert!(map.heads().len() > 3);
}

#[test]
fn small_boards_agree_with_sorting_everybody() {
    for seed in 0..4 {
        History::new(Plan { seed, flushes: seed, members: 300, later: 0, events: 6_000, days: 75 }).check(6);
    }
}

#[test]
fn boards_of_twenty_thousand_members_agree_with_sorting_them_all() {
    let checked =
        History::new(Plan { seed: 11, flushes: 11, members: 20_000, later: 0, events: 40_000, days: 75 }).check(4);
    assert!(checked.pages > 3, "boards of several pages were compared");
}

#[test]
fn a_programme_that_becomes_large_has_its_boards_at_once() {
    History::new(Plan { seed: 12, flushes: 12, members: 900, later: 400, events: 6_000, days: 70 }).check(12);
}

#[test]
fn rows_of_a_former_owner_do_not_matter_wherever_it_went() {
    for (seed, lost) in [(21, 9_000), (22, 12_345)] {
        let plan = Plan { seed, flushes: seed, members: 3_000, later: 0, events: 20_000, days: 70 };
        let checked = History::check_taken_over(plan, 10, lost);
        assert!(checked.pages > 1, "pages were split and merged");
    }
}

/// Members of a large programme with 1,000, 2,000, … earned each; then one earns two millions, which are taken back.
fn up_and_down() -> Vec<String> {
    let event = |kind: &str, fields: serde_json::Value| {
        let mut event = serde_json::json!({"type": kind, "creator_id": "c", "occurred_at": 1_781_049_600_000_i64});
        event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        event
    };
    let club = serde_json::json!({"name": "Club", "currency": "EUR", "time_zone": "UTC"});
    let mut events = vec![event("Creator", club)];
    for n in 0..1_100 {
        events.push(event("Member", serde_json::json!({"member_id": format!("m{n}")})));
        events.push(bonus(&event, "earned", &format!("b{n}"), &format!("m{n}"), 1_000 * (n + 1)));
    }
    events.push(bonus(&event, "earned", "more", "m0", 2_000_000));
    events.push(bonus(&event, "reversed", "more", "m0", 2_000_000));
    let numbered = |(n, mut event): (usize, serde_json::Value)| {
        event["event_id"] = serde_json::json!(format!("e{n}"));
        event.to_string()
    };
    events.into_iter().enumerate().map(numbered).collect()
}

fn bonus(
    event: &impl Fn(&str, serde_json::Value) -> serde_json::Value,
    kind: &str,
    id: &str,
    member: &str,
    amount: i64,
) -> serde_json::Value {
    let fields = serde_json::json!({"commission_id": id, "kind": kind, "member_id": member, "amount": amount});
    event("Commission", fields)
}

/// The fold of `events`, flushed behind each of `places`.
fn flushed(events: &[String], places: &[usize]) -> World {
    let mut world = World::alone(Flush::AtTheEnd);
    for (n, event) in events.iter().enumerate() {
        world.apply(event, tributary::ids::Millis(1_781_049_600_000));
        if places.contains(&n) {
            world.flush();
        }
    }
    world
}

#[test]
fn what_a_member_passed_and_left_again_is_written_over_what_a_former_owner_wrote_there() {
    let events = up_and_down();
    let last = events.len() - 1;
    // The former owner went behind the rise; the one after it knows nothing of that, and sees rise and fall at once.
    let former = flushed(&events[..last], &[last - 1]);
    let mut owner = flushed(&events, &[last - 2, last]);
    owner.absorb(former);
    let reader = Reader::new(&owner, "c");
    let board = reader.board(Metric::Earnings, Window::All, 0);
    let counts = reader.counts(Metric::Earnings, Window::All, 0);
    assert!(counts.pages() > 1, "the rise was to another page");
    assert_eq!(counts.values(), board.iter().map(|one| (one.value, 1)).collect());
    let top: Vec<_> = board.iter().take(TOP).map(|one| (one.value, one.reached_at, one.n)).collect();
    assert_eq!(reader.top(Metric::Earnings, Window::All, 0), top);
}

#[test]
#[ignore = "many minutes: a million members, five million events"]
fn boards_of_a_million_members_agree_with_sorting_them_all() {
    History::new(Plan { seed: 13, flushes: 13, members: 1_000_000, later: 0, events: 4_000_000, days: 75 }).check(2);
}
