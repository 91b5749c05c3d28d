//! The buckets of every zone, against its clock read minute by minute.

use std::collections::BTreeSet;

use expect_test::expect;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tributary::ids::Millis;
use tributary::web::calendar::{Interval, QUARTER, Span, Zone};

const DAY: i64 = Millis::DAY;
/// Events lie behind it.
const Y2000: i64 = 946_684_800_000;

fn at(text: &str) -> Millis {
    Millis(text.parse::<Timestamp>().unwrap().as_millisecond())
}

fn span(from: &str, to: &str) -> Span {
    Span { from: at(from), to: at(to) }
}

/// Every zone of the table that is not another's name, with its transitions from 2000 to 2037.
fn zones() -> Vec<(TimeZone, Vec<i64>)> {
    let names = jiff::tz::db().available().map(|name| name.to_string());
    let zones = names.filter_map(|name| jiff::tz::db().get(&name).ok()).filter(TimeZone::is_primary);
    let (from, to) = (Timestamp::from_millisecond(Y2000).unwrap(), "2038-01-01T00:00:00Z".parse().unwrap());
    let transitions = |zone: &TimeZone| {
        let all = zone.following(from).map(|change| change.timestamp()).take_while(|at| *at < to);
        all.map(Timestamp::as_millisecond).collect()
    };
    zones.map(|zone| (zone.clone(), transitions(&zone))).collect()
}

/// What the clock says: date, hour, and seconds of offset.
fn clock(zone: &TimeZone, t: i64) -> (Date, i8, i32) {
    let stamp = Timestamp::from_millisecond(t).unwrap();
    let local = zone.to_datetime(stamp);
    (local.date(), local.hour(), zone.to_offset(stamp).seconds())
}

#[test]
fn offsets_since_2000_are_quarter_hours_and_only_old_clocks_changed_inside_one() {
    let mut off = Vec::new();
    for (zone, transitions) in zones() {
        for t in transitions.iter().chain([&Y2000]) {
            let (.., offset) = clock(&zone, *t);
            assert_eq!(offset % (15 * 60), 0, "{:?} at {t}", zone.iana_name());
        }
        let inside: Vec<i64> = transitions.into_iter().filter(|t| t % QUARTER != 0).collect();
        if let Some(last) = inside.last() {
            let last = Timestamp::from_millisecond(*last).unwrap();
            off.push(format!("{} until {last}", zone.iana_name().unwrap()));
        }
    }
    expect![[r#"
        America/Goose_Bay until 2011-03-13T04:01:00Z
        America/Moncton until 2006-10-29T03:01:00Z
        America/St_Johns until 2011-03-13T03:31:00Z
        Antarctica/Casey until 2022-10-01T16:01:00Z
        Asia/Gaza until 2011-03-31T22:01:00Z
        Asia/Hebron until 2011-03-31T22:01:00Z
    "#]]
    .assert_eq(&(off.join("\n") + "\n"));
}

#[test]
fn hours_begin_where_the_local_hour_or_the_offset_changes_in_every_zone() {
    for (zone, transitions) in zones() {
        let own = Zone::get(zone.iana_name().unwrap()).unwrap();
        for t in transitions {
            let step = if t % QUARTER == 0 { QUARTER } else { Millis::MINUTE };
            let from = t.div_euclid(DAY / 24) * (DAY / 24) - 2 * Millis::HOUR;
            let range = Span { from: Millis(from), to: Millis(from + 5 * Millis::HOUR) };
            let steps: Vec<i64> = (range.from.0..range.to.0).step_by(usize::try_from(step).unwrap()).collect();
            let begins = |t: &&i64| **t == from || clock(&zone, **t) != clock(&zone, **t - step);
            let expected: Vec<i64> = steps.iter().filter(begins).copied().collect();
            let buckets = own.buckets(range, Interval::Hour);
            let starts: Vec<i64> = buckets.iter().map(|bucket| bucket.span.from.0).collect();
            assert_eq!(starts, expected, "{} around {t}", own.name());
        }
    }
}

#[test]
fn days_begin_at_the_first_instant_of_their_date_in_every_zone() {
    for (zone, transitions) in zones() {
        let own = Zone::get(zone.iana_name().unwrap()).unwrap();
        for t in transitions {
            let step = if t % QUARTER == 0 { QUARTER } else { Millis::MINUTE };
            let from = t.div_euclid(QUARTER) * QUARTER - 26 * Millis::HOUR;
            let range = Span { from: Millis(from), to: Millis(from + 52 * Millis::HOUR) };
            // The clock may go back into yesterday: a date that was there already begins nothing.
            let mut latest = clock(&zone, from).0;
            let mut expected = vec![from];
            for t in (from..range.to.0).step_by(usize::try_from(step).unwrap()) {
                let (date, ..) = clock(&zone, t);
                if date > latest {
                    (latest, expected) = (date, [expected, vec![t]].concat());
                }
            }
            let buckets = own.buckets(range, Interval::Day);
            let starts: Vec<i64> = buckets.iter().map(|bucket| bucket.span.from.0).collect();
            assert_eq!(starts, expected, "{} around {t}", own.name());
            assert!(starts.iter().all(|start| start % QUARTER == 0), "{}: quarter hours compose every day", own.name());
        }
    }
}

/// Longer periods are runs of days.
#[test]
fn weeks_months_quarters_and_years_are_whole_days_of_one_label_in_many_zones() {
    let range = span("2009-12-20T00:00:00Z", "2013-01-20T00:00:00Z");
    let names = [
        "UTC",
        "America/New_York",
        "Asia/Kolkata",
        "Australia/Lord_Howe",
        "Africa/Casablanca",
        "Pacific/Apia",
        "America/St_Johns",
        "America/Sao_Paulo",
        "Africa/Cairo",
        "Pacific/Kiritimati",
    ];
    for name in names {
        let zone = Zone::get(name).unwrap();
        let days = zone.buckets(range, Interval::Day);
        let label = |interval: Interval, day: &str| -> String {
            let date: Date = day.parse().unwrap();
            let week = date.iso_week_date();
            match interval {
                Interval::Week => format!("{}-W{:02}", week.year(), week.week()),
                Interval::Month => date.strftime("%Y-%m").to_string(),
                Interval::Quarter => format!("{}-Q{}", date.year(), (date.month() + 2) / 3),
                Interval::Year => date.year().to_string(),
                Interval::Minute | Interval::Hour | Interval::Day => day.to_owned(),
            }
        };
        for interval in [Interval::Week, Interval::Month, Interval::Quarter, Interval::Year] {
            let mut expected: Vec<(String, Millis)> = Vec::new();
            for day in &days {
                let label = label(interval, &day.label);
                if expected.last().is_none_or(|(last, _)| *last != label) {
                    expected.push((label, day.span.from));
                }
            }
            let buckets = zone.buckets(range, interval);
            let found: Vec<_> = buckets.iter().map(|bucket| (bucket.label.clone(), bucket.span.from)).collect();
            assert_eq!(found, expected, "{name}");
            let partial: Vec<bool> = buckets.iter().map(|bucket| bucket.partial).collect();
            let inner = partial.len() - 2;
            assert_eq!(partial, [vec![true], vec![false; inner], vec![true]].concat(), "{name}");
        }
    }
}

#[test]
fn buckets_are_the_range_without_gap_or_overlap() {
    for name in ["America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "America/St_Johns"] {
        let zone = Zone::get(name).unwrap();
        let range = span("2011-03-01T00:15:00Z", "2012-02-01T17:45:00Z");
        for interval in Interval::ALL.into_iter().skip(1) {
            let mut end = range.from;
            for bucket in zone.buckets(range, interval) {
                assert_eq!(bucket.span.from, end, "{name} by {}", interval.name());
                assert!(!bucket.span.is_empty());
                end = bucket.span.to;
            }
            assert_eq!(end, range.to);
        }
    }
}

fn told(name: &str, interval: Interval, range: Span) -> String {
    let zone = Zone::get(name).unwrap();
    let line = |bucket: tributary::web::calendar::Bucket| {
        let minutes = bucket.span.length() / Millis::MINUTE;
        format!("{} {minutes} min{}\n", bucket.label, if bucket.partial { ", cut" } else { "" })
    };
    zone.buckets(range, interval).into_iter().map(line).collect()
}

#[test]
fn a_repeated_hour_is_two_buckets_and_a_skipped_one_none() {
    let spring = span("2026-03-08T06:30:00Z", "2026-03-08T08:00:00Z");
    expect![[r#"
        2026-03-08T01:00-05:00 30 min, cut
        2026-03-08T03:00-04:00 60 min
    "#]]
    .assert_eq(&told("America/New_York", Interval::Hour, spring));
    let autumn = span("2026-11-01T05:00:00Z", "2026-11-01T07:15:00Z");
    expect![[r#"
        2026-11-01T01:00-04:00 60 min
        2026-11-01T01:00-05:00 60 min
        2026-11-01T02:00-05:00 15 min, cut
    "#]]
    .assert_eq(&told("America/New_York", Interval::Hour, autumn));
    // Half an hour forth and back.
    let spring = span("2026-10-03T14:30:00Z", "2026-10-03T17:00:00Z");
    expect![[r#"
        2026-10-04T01:00+10:30 60 min
        2026-10-04T02:30+11:00 30 min
        2026-10-04T03:00+11:00 60 min
    "#]]
    .assert_eq(&told("Australia/Lord_Howe", Interval::Hour, spring));
    let autumn = span("2026-04-04T14:00:00Z", "2026-04-04T16:30:00Z");
    expect![[r#"
        2026-04-05T01:00+11:00 60 min
        2026-04-05T01:30+10:30 30 min
        2026-04-05T02:00+10:30 60 min
    "#]]
    .assert_eq(&told("Australia/Lord_Howe", Interval::Hour, autumn));
}

#[test]
fn days_are_as_long_as_their_clock_says() {
    for (name, from, to, expected) in [
        (
            "America/New_York",
            "2026-03-07T05:00:00Z",
            "2026-03-10T04:00:00Z",
            expect![[r#"
            2026-03-07 1440 min
            2026-03-08 1380 min
            2026-03-09 1440 min
        "#]],
        ),
        (
            "America/New_York",
            "2026-10-31T04:00:00Z",
            "2026-11-03T05:00:00Z",
            expect![[r#"
            2026-10-31 1440 min
            2026-11-01 1500 min
            2026-11-02 1440 min
        "#]],
        ),
        (
            "Australia/Lord_Howe",
            "2026-04-03T13:00:00Z",
            "2026-04-06T13:30:00Z",
            expect![[r#"
            2026-04-04 1440 min
            2026-04-05 1470 min
            2026-04-06 1440 min
        "#]],
        ),
        (
            "Australia/Lord_Howe",
            "2026-10-02T13:30:00Z",
            "2026-10-05T13:00:00Z",
            expect![[r#"
            2026-10-03 1440 min
            2026-10-04 1410 min
            2026-10-05 1440 min
        "#]],
        ),
        // The clock goes back for the month of fasting.
        (
            "Africa/Casablanca",
            "2026-02-14T00:00:00Z",
            "2026-02-16T00:00:00Z",
            expect![[r#"
            2026-02-14 1380 min, cut
            2026-02-15 1500 min
        "#]],
        ),
        (
            "Africa/Casablanca",
            "2026-03-20T23:00:00Z",
            "2026-03-23T12:00:00Z",
            expect![[r#"
            2026-03-20 60 min, cut
            2026-03-21 1440 min
            2026-03-22 1380 min
            2026-03-23 780 min, cut
        "#]],
        ),
        // A day that never was.
        (
            "Pacific/Apia",
            "2011-12-28T10:00:00Z",
            "2012-01-01T10:00:00Z",
            expect![[r#"
            2011-12-28 1440 min
            2011-12-29 1440 min
            2011-12-31 1440 min
            2012-01-01 1440 min
        "#]],
        ),
        // Midnight is skipped.
        (
            "Africa/Cairo",
            "2026-04-23T22:00:00Z",
            "2026-04-25T21:00:00Z",
            expect![[r#"
            2026-04-24 1380 min
            2026-04-25 1440 min
        "#]],
        ),
    ] {
        expected.assert_eq(&told(name, Interval::Day, span(from, to)));
    }
}

#[test]
fn zones_go_by_their_iana_names() {
    assert_eq!(Zone::get("europe/berlin").unwrap().name(), "Europe/Berlin");
    assert_eq!(Zone::get("UTC").unwrap().name(), "UTC");
    for name in ["", "Mars/Olympus", "+02:00", "EST+5", "Etc/Unknown", "../UTC", "Europe/Berlin "] {
        assert!(Zone::get(name).is_none(), "{name}");
    }
    let names: BTreeSet<&str> = Interval::ALL.into_iter().map(Interval::name).collect();
    assert!(names.into_iter().all(|name| Interval::parse(name).is_some_and(|interval| interval.name() == name)));
}
