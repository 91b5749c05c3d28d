//! Breakdowns: every figure is counted under one value of each dimension, and under one of each pair that is kept.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use expect_test::{Expect, expect};
use tributary::fold::groups::dimension::Axis;
use tributary::ids::{Millis, Next};
use tributary::project::groups::{Breakdowns, Group, GroupsRow, PartRow};
use tributary::project::key::{Col, Key, Row};
use tributary::project::rows::SeriesRow;
use tributary::project::tables;
use tributary::project::totals::Totals;

use super::story::{events, run, told, totals};
use super::sums;
use super::world::{Flush, World};

/// By quarter hour since 1970, then by group.
pub(crate) type Slots = BTreeMap<(i64, String), Totals>;

/// What the rows say of an axis, a sealed day's by its own; `None`: a day does not keep it.
pub(crate) fn slots(world: &World, creator: &str, axis: Axis) -> Option<Slots> {
    let mut found = Slots::new();
    for row in sums::rows(world, tables::DAY, creator) {
        take(world, row, axis, &[0, tables::LATE], &mut found)?;
    }
    for row in sums::rows(world, tables::HOUR, creator) {
        let [_, Col::Int(hour), Col::Int(0)] = row.key.cols.0.as_slice() else { continue };
        if !world.rows.contains_key(&tables::day(row.key.part.p, creator, hour.div_euclid(24))) {
            take(world, row, axis, &[0], &mut found)?;
        }
    }
    Some(found)
}

/// Adds what an hour or a day says; `parts`: where breakdowns begin. Its breakdowns are as new as it says.
fn take(world: &World, row: &Row, axis: Axis, parts: &[u16], found: &mut Slots) -> Option<()> {
    let [_, Col::Int(number), Col::Int(0)] = row.key.cols.0.as_slice() else { return Some(()) };
    let quarters = if row.key.part.table == tables::HOUR.id { 4 } else { 96 };
    let mut rest = totals_of(row, quarters);
    let (mut newest, mut added) = (None, Slots::new());
    for first in parts {
        let Some((at, groups)) = groups(world, row, axis, *first) else { continue };
        newest = newest.max(Some(at));
        for group in groups? {
            let label = label(&group);
            for (slot, sums) in group.slots {
                let quarter = number * quarters + i64::from(slot);
                rest.entry(quarter).or_default().subtract(&sums);
                added.entry((quarter, label.clone())).or_default().add(&sums);
            }
        }
    }
    let says = SeriesRow::decode(row.value.as_deref().unwrap()).unwrap().groups;
    assert_eq!(newest, says, "an hour or a day knows its breakdowns");
    let none = if axis.b.is_some() { "(none) (none)" } else { "(none)" };
    added.retain(|_, sums| !sums.is_zero());
    rest.retain(|_, sums| !sums.is_zero());
    found.extend(added);
    for (quarter, sums) in rest {
        found.entry((quarter, none.to_owned())).or_default().add(&sums);
    }
    Some(())
}

/// The totals of a row's quarter hours.
fn totals_of(row: &Row, quarters: i64) -> BTreeMap<i64, Totals> {
    let [_, Col::Int(number), ..] = row.key.cols.0.as_slice() else { panic!("{row:?}") };
    let mut found: BTreeMap<i64, Totals> = BTreeMap::new();
    let minutes = if quarters == 4 { 15 } else { 1 };
    for (slot, sums) in SeriesRow::decode(row.value.as_deref().unwrap()).unwrap().slots {
        found.entry(number * quarters + i64::from(slot) / minutes).or_default().add(&sums);
    }
    found
}

/// When the breakdowns were written that begin at a part, and those of the axis; inner `None`: the day does not keep it.
fn groups(world: &World, row: &Row, axis: Axis, first: u16) -> Option<(Next, Option<Vec<Group>>)> {
    let row = world.rows.get(&with_part(row, first + tables::GROUPS))?;
    let GroupsRow { at, breakdowns } = GroupsRow::decode(row.value.as_deref().unwrap()).unwrap();
    assert_eq!(row.at, at);
    let (pairs, groups) = match breakdowns {
        Breakdowns::Bare => return Some((at, Some(Vec::new()))),
        Breakdowns::Here { pairs, axes } => {
            (pairs, axes.into_iter().find(|(there, _)| *there == axis).map(|(_, groups)| groups))
        }
        Breakdowns::Apart { pairs, axes } => {
            (pairs, axes.contains(&axis).then(|| of_axis(world, row, first + u16::from(axis.part())).groups))
        }
    };
    let is_kept = axis.b.is_none() || pairs.contains(&axis);
    Some((at, is_kept.then(|| groups.unwrap_or_default())))
}

/// The row of an axis, which must be as new as the one that leads to it.
fn of_axis(world: &World, row: &Row, part: u16) -> PartRow {
    let key = with_part(row, part);
    let part = world.rows.get(&key).unwrap_or_else(|| panic!("there is no {key:?}"));
    let value = PartRow::decode(part.value.as_deref().unwrap()).unwrap();
    assert_eq!((part.at, value.at), (row.at, row.at), "parts are written together");
    value
}

fn with_part(row: &Row, part: u16) -> Key {
    let mut key = row.key.clone();
    *key.cols.0.last_mut().unwrap() = Col::Int(i64::from(part));
    key
}

fn label(group: &Group) -> String {
    match &group.b {
        None => group.a.label().to_owned(),
        Some(b) => format!("{} {}", group.a.label(), b.label()),
    }
}

/// The days of a creator, broken down. Where one is sealed, its hours say the same of what came before.
pub(crate) fn days(world: &World, creator: &str, axis: Axis) -> Option<BTreeMap<(i64, String), Totals>> {
    let mut before: [Slots; 2] = [Slots::new(), Slots::new()];
    for (table, quarters, found) in [(tables::DAY, 96, 0), (tables::HOUR, 4, 1)] {
        for row in sums::rows(world, table, creator) {
            let [_, Col::Int(number), Col::Int(0)] = row.key.cols.0.as_slice() else { continue };
            let day = number * quarters / 96;
            if !world.rows.contains_key(&tables::day(row.key.part.p, creator, day)) {
                continue;
            }
            for group in groups(world, row, axis, 0).map_or(Some(Vec::new()), |(_, groups)| groups)? {
                let label = label(&group);
                let slots = group.slots.into_iter();
                before[found]
                    .extend(slots.map(|(slot, sums)| ((number * quarters + i64::from(slot), label.clone()), sums)));
            }
        }
    }
    assert_eq!(before[0], before[1], "a day says what its hours say by {}", axis.name());
    let mut days: BTreeMap<(i64, String), Totals> = BTreeMap::new();
    for ((quarter, group), sums) in slots(world, creator, axis)? {
        days.entry((quarter.div_euclid(96), group)).or_default().add(&sums);
    }
    days.retain(|_, sums| !sums.is_zero());
    Some(days)
}

fn text(world: &World, by: &str) -> String {
    let axis = Axis::parse(by).unwrap_or_else(|| panic!("{by} is no axis"));
    let Some(days) = days(world, "c", axis) else { return "not kept\n".to_owned() };
    let mut out = String::new();
    for ((day, group), sums) in days {
        let at = jiff::Timestamp::from_millisecond(day * Millis::DAY).unwrap().to_string();
        writeln!(out, "{} {group}{}", &at[5..10], totals(&sums)).unwrap();
    }
    out
}

/// A story of a club in euros with the members Ann and Bob, and what it says by some axes.
fn broken_down(lines: &str, by: &[&str], expected: Expect) {
    let club = "
        01-01 00:00 Creator name=Club currency=EUR time_zone=UTC
        01-01 00:00 Member member_id=ann referral_code=ANN
        01-01 00:00 Member member_id=bob referral_code=BOB";
    let world = told(&format!("{club}\n{lines}"));
    let texts = by.iter().map(|by| format!("by {by}\n{}", text(&world, by)));
    expected.assert_eq(&texts.collect::<String>());
}

#[test]
fn a_click_is_of_its_own_platform_or_of_its_share_s_if_that_was_known() {
    broken_down(
        "
        01-05 10:00 Share share_id=s1 member_id=ann platform=WhatsApp share_type=qr template_id=hello
        01-05 10:01 Click click_id=k1 member_id=ann share_id=s1
        01-05 10:02 Click click_id=k2 member_id=ann share_id=s1 platform=x
        01-05 10:03 Click click_id=k3 member_id=bob share_id=s2
        01-05 10:04 Share share_id=s2 member_id=bob platform=x share_type=link",
        &["platform", "share_type", "template"],
        expect![[r#"
            by platform
            01-05 (none); clicks 1/1/1, clicks_shared 1
            01-05 whatsapp; clicks 1/1/1, clicks_shared 1, shares 1
            01-05 x; clicks 1/1/1, clicks_shared 1, shares 1
            by share_type
            01-05 (none); clicks 1/1/1, clicks_shared 1
            01-05 link; shares 1
            01-05 qr; clicks 2/2/2, clicks_shared 2, shares 1
            by template
            01-05 (none); clicks 1/1/1, clicks_shared 1, shares 1
            01-05 hello; clicks 2/2/2, clicks_shared 2, shares 1
        "#]],
    );
}

#[test]
fn platforms_and_countries_know_no_case_and_referrers_are_hosts() {
    broken_down(
        "
        01-05 10:00 Click click_id=k1 member_id=ann platform=X country=de referrer=https://me@WWW.Example.com:443/a?b
        01-05 10:01 Click click_id=k2 member_id=ann platform=x country=DE referrer=www.example.com utm_source=go
        01-05 10:02 Click click_id=k3 member_id=ann utm_source=google utm_medium=(none)
        01-05 10:03 Click click_id=k4 member_id=ann utm_source=Google referrer=http://[2001:db8::1]:80/",
        &["platform", "platform,country", "referrer", "utm_source", "utm_medium"],
        expect![[r#"
            by platform
            01-05 (none); clicks 2/2/2
            01-05 x; clicks 2/2/2
            by platform,country
            01-05 (none) (none); clicks 2/2/2
            01-05 x DE; clicks 2/2/2
            by referrer
            01-05 (none); clicks 1/1/1
            01-05 [2001:db8::1]; clicks 1/1/1
            01-05 www.example.com; clicks 2/2/2
            by utm_source
            01-05 (none); clicks 1/1/1
            01-05 Google; clicks 1/1/1
            01-05 go; clicks 1/1/1
            01-05 google; clicks 1/1/1
            by utm_medium
            01-05 (none); clicks 4/4/4
        "#]],
    );
}

#[test]
fn the_pairs_of_a_day_are_those_in_force_when_its_first_figure_came() {
    broken_down(
        "
        01-05 10:00 Click click_id=k1 member_id=ann platform=x device_class=phone
        01-05 11:00 Creator name=Club currency=EUR time_zone=UTC breakdown_pairs=[\"device,platform\",\"plan,moon\"]
        01-05 12:00 Click click_id=k2 member_id=ann platform=x country=DE
        01-06 12:00 Click click_id=k3 member_id=ann platform=x device_class=phone country=DE",
        &["platform,device", "country,platform"],
        expect![[r#"
            by platform,device
            01-05 x (none); clicks 1/1/1
            01-05 x phone; clicks 1/1/1
            01-06 x phone; clicks 1/1/1
            by country,platform
            not kept
        "#]],
    );
    broken_down(
        "
        01-05 10:00 Creator name=Club currency=EUR time_zone=UTC breakdown_pairs=[\"device,platform\"]
        01-05 12:00 Click click_id=k2 member_id=ann platform=x country=DE",
        &["platform,country"],
        expect![[r#"
            by platform,country
            not kept
        "#]],
    );
}

#[test]
fn an_order_takes_over_its_click_s_values_with_all_that_was_booked_of_it() {
    broken_down(
        "
        01-05 10:00 Conversion conversion_id=p1 kind=purchase amount=1000 customer_id=u click_id=k1 plan=pro
        01-05 11:00 Conversion conversion_id=r1 kind=refund original_id=p1 amount=100
        01-05 11:30 Commission commission_id=x1 kind=earned member_id=ann conversion_id=p1 amount=50
        01-05 09:59 Click click_id=k1 member_id=ann platform=x country=DE @01-05 12:00
        01-05 13:00 Conversion conversion_id=p2 kind=purchase amount=7 customer_id=v referral_code=BOB",
        &["platform", "plan", "platform,country"],
        expect![[r#"
            by platform
            01-05 (none); orders 1, customers 1, referrals 1, EUR gross 7
            01-05 x; clicks 1/1/1, orders 1, customers 1, referrals 1, EUR gross 1000 refunded 100 earned 50 reversed 5
            by plan
            01-05 (none); clicks 1/1/1, orders 1, customers 1, referrals 1, EUR gross 7
            01-05 pro; orders 1, customers 1, referrals 1, EUR gross 1000 refunded 100 earned 50 reversed 5
            by platform,country
            01-05 (none) (none); orders 1, customers 1, referrals 1, EUR gross 7
            01-05 x DE; clicks 1/1/1, orders 1, customers 1, referrals 1, EUR gross 1000 refunded 100 earned 50 reversed 5
        "#]],
    );
}

/// Clicks that each have values of their own.
fn strangers(day: u32, count: u32) -> String {
    let click = |n| {
        format!(
            "01-{day:02} {:02}:{:02} Click click_id=d{day}k{n} member_id=ann utm_source=s{n} utm_campaign=c{} \
             utm_content=t{n} utm_term=t{n}\n",
            n / 60,
            n % 60,
            n % 3
        )
    };
    (0..count).map(click).collect()
}

#[test]
fn a_restart_in_the_middle_of_a_quarter_hour_loses_none_of_its_combinations() {
    let lines = "06-01 10:00 Creator name=Club currency=EUR time_zone=UTC
         06-01 10:00 Member member_id=ann
         06-10 12:00 Click click_id=k1 member_id=ann platform=x
         06-10 12:01 Click click_id=k2 member_id=ann platform=whatsapp
         06-10 12:02 Click click_id=k3 member_id=ann platform=x";
    let (mut world, never) = (World::alone(Flush::AtTheEnd), run(&events(lines), Flush::AtTheEnd));
    for (n, (event, timestamp)) in events(lines).into_iter().enumerate() {
        if n == 4 {
            world.forget_caches();
        }
        world.apply(&event, timestamp);
    }
    world.flush();
    assert!(never.rows.iter().all(|(key, row)| world.rows.get(key) == Some(row)));
    assert_eq!(text(&world, "platform"), text(&never, "platform"));
}

#[test]
fn a_day_keeps_256_values_of_a_dimension_and_512_of_a_pair_the_first_to_come() {
    let club = "
        01-01 00:00 Creator name=Club currency=EUR time_zone=UTC
        01-01 00:00 Member member_id=ann";
    let world = told(&format!("{club}\n{}{}", strangers(5, 600), strangers(7, 257)));
    let counts = |by: &str, day: i64| {
        let days = days(&world, "c", Axis::parse(by).unwrap()).unwrap();
        let groups: Vec<(String, i64)> = days
            .into_iter()
            .filter(|((at, _), _)| *at == 20_453 + day)
            .map(|((_, group), sums)| (group, sums.counts.clicks_total))
            .collect();
        let of = |label: &str| groups.iter().find(|(group, _)| group == label).map_or(0, |(_, count)| *count);
        (groups.len(), of("(other)").max(of("(other) (other)")), of("s255").max(of("s511 c1")))
    };
    assert_eq!(counts("utm_source", 5), (257, 344, 1));
    assert_eq!(counts("utm_source,utm_campaign", 5), (513, 88, 1));
    assert_eq!(counts("utm_campaign", 5), (3, 0, 0));
    // Each day has room again.
    assert_eq!(counts("utm_source", 7), (257, 1, 1));
    assert_eq!(counts("utm_source,utm_campaign", 7), (257, 0, 0));
    let apart = sums::rows(&world, tables::DAY, "c")
        .filter(|row| {
            let groups = world.rows.get(&with_part(row, tables::GROUPS));
            let groups = groups.map(|row| GroupsRow::decode(row.value.as_deref().unwrap()).unwrap().breakdowns);
            matches!(groups, Some(Breakdowns::Apart { .. }))
        })
        .count();
    assert_eq!(apart, 1, "the day that is over and weighs more than its row holds");
}
