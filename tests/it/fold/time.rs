//! Time of a record, clock and floor (SEMANTICS §1, §2).

use expect_test::expect;

use super::story::{club, story};

#[test]
fn an_event_dated_1970_or_2099_is_dead_and_harms_no_clock() {
    club(
        r#"
1970-01-01 00:00 Share share_id=s1 member_id=ann platform=x share_type=link @01-02 10:00
2099-01-01 00:00 Share share_id=s2 member_id=ann platform=x share_type=link @01-02 10:00
1999-12-31 23:59 Tick @01-02 10:00
2100-01-01 00:00 Tick @2099-12-31 23:59
01-02 10:00 Share share_id=s3 member_id=ann platform=x share_type=link
        "#,
        "creator",
        expect![[r#"
            Club EUR UTC, clock 01-02 10:00, 2/2 members active; shares 1
            ! absurd_time #3: occurred_at 1970-01-01T00:00:00Z is outside the years 2000 to 2100
            ! absurd_time #4: occurred_at 2099-01-01T00:00:00Z is more than 24 h after it was received at 2026-01-02T10:00:00Z
            ! absurd_time #5: occurred_at 1999-12-31T23:59:00Z is outside the years 2000 to 2100
            ! absurd_time #6: occurred_at 2100-01-01T00:00:00Z is outside the years 2000 to 2100
            = 8 read: 4 applied, 4 dead
        "#]],
    );
}

#[test]
fn an_event_up_to_five_minutes_ahead_keeps_its_time_and_a_day_ahead_gets_that_of_its_arrival() {
    club(
        r#"
01-02 10:05 Share share_id=s1 member_id=ann platform=x share_type=link @01-02 10:00
01-02 10:05:01 Share share_id=s2 member_id=bob platform=x share_type=link @01-02 10:00
01-03 10:00 Share share_id=s3 member_id=bob platform=x share_type=link @01-02 10:00
01-03 10:00:01 Share share_id=s4 member_id=bob platform=x share_type=link @01-02 10:00
        "#,
        "creator members",
        expect![[r#"
            Club EUR UTC, clock 01-02 10:05, 2/2 members active; shares 3
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:05; shares 1
            bob active code BOB, joined 01-01 00:00, seen 01-02 10:00; shares 2
            ! absurd_time #6: occurred_at 2026-01-03T10:00:01Z is more than 24 h after it was received at 2026-01-02T10:00:00Z
            = 7 read: 6 applied, 1 dead
        "#]],
    );
}

#[test]
fn received_at_stands_before_the_time_of_the_log() {
    club(
        r#"
01-03 10:00 Share share_id=s1 member_id=ann platform=x share_type=link received_at=2026-01-02T10:00:00Z @01-09 00:00
        "#,
        "creator members",
        expect![[r#"
            Club EUR UTC, clock 01-02 10:00, 2/2 members active; shares 1
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:00; shares 1
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            = 4 read: 4 applied
        "#]],
    );
}

#[test]
fn an_event_four_hours_late_counts_on_its_own_day() {
    club(
        r#"
01-02 23:00 Click click_id=k1 member_id=ann
01-03 02:00 Click click_id=k2 member_id=ann
01-02 22:00 Click click_id=k3 member_id=ann @01-03 02:00
        "#,
        "creator days sealed",
        expect![[r#"
            Club EUR UTC, clock 01-03 02:00, 2/2 members active; clicks 3/3/3
            01-02; clicks 2/2/2
            01-03; clicks 1/1/1
            sealed 01-02; clicks 2/2/2
            sealed member 0 01-02; clicks 2/2/2
            sealed 2026-01; clicks 2/2/2
            = 6 read: 6 applied
        "#]],
    );
}

#[test]
fn a_click_60_days_late_is_too_late_and_money_never_is() {
    club(
        r#"
03-10 00:00 Tick
01-09 00:00 Click click_id=k1 member_id=ann @03-10 00:00
01-09 00:00 Share share_id=s1 member_id=ann platform=x share_type=link @03-10 00:00
01-09 00:00 Sighting member_id=ann @03-10 00:00
01-09 00:00 Conversion conversion_id=p1 kind=purchase customer_id=u1 amount=1000 @03-10 00:00
01-24 00:00 Click click_id=k2 member_id=ann @03-10 00:00
        "#,
        "creator days",
        expect![[r#"
            Club EUR UTC, clock 03-10 00:00, 2/2 members active; clicks 1/1/1, orders 1, customers 1, EUR gross 1000
            01-09; orders 1, customers 1, EUR gross 1000
            01-24; clicks 1/1/1
            ! too_late #4: of 2026-01-09T00:00:00Z, older than the horizon, which is at 2026-01-24T00:00:00Z
            ! too_late #5: of 2026-01-09T00:00:00Z, older than the horizon, which is at 2026-01-24T00:00:00Z
            ! too_late #6: of 2026-01-09T00:00:00Z, older than the horizon, which is at 2026-01-24T00:00:00Z
            = 9 read: 6 applied, 3 dead
        "#]],
    );
}

#[test]
fn the_horizon_is_15_days_more_than_the_longest_window() {
    story(
        r#"
01-01 00:00 Creator name=Club currency=EUR time_zone=UTC attribution={"signup_window_ms":5184000000}
01-01 00:00 Member member_id=ann
03-17 00:00 Tick
01-01 00:00 Click click_id=k1 member_id=ann @03-17 00:00
03-17 00:00:01 Tick
01-01 00:00 Click click_id=k2 member_id=ann @03-17 00:01
        "#,
        "creator",
        expect![[r#"
            Club EUR UTC, clock 03-17 00:00:01, 1/1 members active; clicks 1/1/1
            ! too_late #5: of 2026-01-01T00:00:00Z, older than the horizon, which is at 2026-01-01T00:00:01Z
            = 6 read: 5 applied, 1 dead
        "#]],
    );
}
