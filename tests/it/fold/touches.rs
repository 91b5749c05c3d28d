//! Clicks and shares as a list: from each to the one before it of the same member.

use std::fmt::Write as _;

use expect_test::expect;
use tributary::project::lists::TouchRow;
use tributary::project::tables;

use super::story::{club, told};
use super::sums;

#[test]
fn a_touch_leads_to_the_one_before_it_of_the_same_member() {
    club(
        "
        01-05 10:00 Share share_id=s1 member_id=ann platform=X share_type=qr template_id=hello
        01-05 10:01 Click click_id=k1 member_id=bob device_token=00000000000000000000000000000001
        01-05 10:02 Click click_id=k2 member_id=ann share_id=s1 device_token=00000000000000000000000000000001
        01-05 10:03 Click click_id=k3 member_id=ann share_id=s9 device_token=00000000000000000000000000000001
        01-05 10:04 Click click_id=k4 member_id=bob method=HEAD platform=web
        02-01 10:00 Click click_id=k5 member_id=ann",
        "touches",
        expect![[r#"
            0 01-05 10:00 s1 share by 0 on x as hello
            1 01-05 10:01 k1 countable by 1
            2 01-05 10:02 k2 countable by 0 of s1 on x as hello, before it 0
            3 01-05 10:03 k3 excluded_duplicate by 0 of s9, before it 2
            4 01-05 10:04 k4 excluded_bot by 1 on web, before it 1
            0 02-01 10:00 k5 countable by 0, before it 3
            = 9 read: 9 applied
        "#]],
    );
}

#[test]
fn a_page_holds_128_and_shows_what_was_not_forgotten_when_its_newest_came() {
    let mut lines =
        String::from("01-01 00:00 Creator name=Club currency=EUR time_zone=UTC\n01-01 00:00 Member member_id=ann\n");
    for n in 0..130 {
        writeln!(lines, "01-02 {:02}:{:02} Click click_id=k{n} member_id=ann", n / 60, n % 60).unwrap();
    }
    lines.push_str("01-31 00:00 Click click_id=last member_id=ann\n");
    // 45 days after the first ones, in a month of its own.
    lines.push_str("03-20 00:00 Click click_id=later member_id=ann\n");
    let world = told(&lines);
    let mut pages: Vec<_> = sums::rows(&world, tables::TOUCH, "c")
        .map(|row| (TouchRow::decode(row.value.as_deref().unwrap()).unwrap().touches, row.expires.unwrap()))
        .collect();
    pages.sort_by_key(|(touches, _)| touches[0].place);
    let shown: Vec<_> = pages.iter().map(|(touches, expires)| (touches.len(), expires.0)).collect();
    // An hour beyond 45 days after the clock of the newest.
    let expires = |day: i64, minute: i64| 1_767_225_600_000 + (day + 45) * 86_400_000 + 3_600_000 + minute * 60_000;
    assert_eq!(shown, [(128, expires(1, 127)), (3, expires(30, 0)), (1, expires(78, 0))]);
    assert_eq!(pages[2].0[0].prev, pages[1].0[2].place + 1, "the walk goes on in the month before");
}
