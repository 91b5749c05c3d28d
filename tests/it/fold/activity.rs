//! Streaks, active members, retention: exact under late days and under taking back.

use expect_test::expect;

use super::story::{club, story};

#[test]
fn a_run_is_days_on_end_and_late_days_join_runs() {
    club(
        "
        01-05 10:00 Click click_id=k1 member_id=ann
        01-05 11:00 Click click_id=k2 member_id=ann
        01-06 10:00 Share share_id=s1 member_id=ann platform=x share_type=link
        01-09 10:00 Click click_id=k3 member_id=ann
        01-08 10:00 Click click_id=k4 member_id=ann @01-09 11:00
        01-05 10:00 Click click_id=k5 member_id=bob method=HEAD @01-09 12:00",
        "streaks active",
        expect![[r#"
            ann on end: 2 to 01-09, best 2
            bob on end: none, best 0
            1 active on 01-05
            1 active on 01-06
            1 active on 01-08
            1 active on 01-09
            1 active in the week of 01-05
            1 active in 2026-01
            = 9 read: 9 applied
        "#]],
    );
    club(
        "
        01-05 10:00 Click click_id=k1 member_id=ann
        01-07 10:00 Click click_id=k2 member_id=ann
        01-09 10:00 Click click_id=k3 member_id=ann
        01-06 10:00 Click click_id=k4 member_id=ann @01-09 11:00",
        "streaks",
        expect![[r#"
            ann on end: 1 to 01-09, best 3
            bob on end: none, best 0
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn days_are_those_of_the_creator_s_calendar_when_they_were_booked() {
    story(
        "
        01-01 00:00 Creator name=Club currency=EUR time_zone=Asia/Tokyo
        01-01 00:00 Member member_id=ann
        01-05 14:59 Click click_id=k1 member_id=ann
        01-05 15:00 Click click_id=k2 member_id=ann
        01-06 10:00 Creator name=Club currency=EUR time_zone=America/New_York
        01-07 04:59 Click click_id=k3 member_id=ann
        01-07 05:00 Click click_id=k4 member_id=ann",
        "streaks active",
        expect![[r#"
            ann on end: 3 to 01-07, best 3
            1 active on 01-05
            1 active on 01-06
            1 active on 01-07
            1 active in the week of 01-05
            1 active in 2026-01
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn what_a_verdict_withholds_was_no_activity() {
    club(
        "
        01-05 10:00 Click click_id=k1 member_id=ann
        01-06 10:00 Conversion conversion_id=p1 kind=purchase amount=100 customer_id=u referral_code=ANN
        01-07 10:00 Click click_id=k2 member_id=ann
        01-08 10:00 Review subject_type=conversion subject_id=p1 verdict=block label=fraud reason=r actor=o",
        "streaks active",
        expect![[r#"
            ann on end: 1 to 01-07, best 1
            bob on end: none, best 0
            1 active on 01-05
            0 active on 01-06
            1 active on 01-07
            1 active in the week of 01-05
            1 active in 2026-01
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn members_are_counted_in_the_cohort_of_the_month_in_which_they_joined() {
    club(
        "
        01-05 10:00 Click click_id=k1 member_id=ann
        02-05 10:00 Click click_id=k2 member_id=ann
        02-06 10:00 Click click_id=k3 member_id=bob
        03-01 10:00 Click click_id=k4 member_id=ann",
        "cohorts",
        expect![[r#"
            2 joined in 2026-01
            1 of 2026-01 at 0
            2 of 2026-01 at 1
            1 of 2026-01 at 2
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn a_member_who_joined_earlier_than_was_thought_moves_to_that_cohort() {
    club(
        "
        01-05 10:00 Click click_id=k1 member_id=ann
        02-05 10:00 Click click_id=k2 member_id=ann
        02-06 10:00 Member member_id=ann joined_at=1764547200000
        02-07 10:00 Member member_id=ann username=Ann",
        "cohorts",
        expect![[r#"
            1 joined in 2025-12
            1 of 2025-12 at 1
            1 of 2025-12 at 2
            1 joined in 2026-01
            0 of 2026-01 at 0
            0 of 2026-01 at 1
            = 7 read: 7 applied
        "#]],
    );
}
