//! Series and what is written once a day is over (SEMANTICS §9).

use expect_test::expect;

use super::story::{club, story};

#[test]
fn a_day_its_members_and_its_month_are_written_when_the_watermark_has_passed_it() {
    club(
        r#"
01-30 10:00 Click click_id=k1 member_id=ann
01-30 23:00 Conversion conversion_id=p1 kind=purchase referral_code=BOB customer_id=u1 amount=1000
01-31 00:09:59 Tick
01-31 00:10 Tick
01-31 11:00 Click click_id=k2 member_id=bob
02-01 00:10 Tick
        "#,
        "sealed",
        expect![[r#"
            sealed 01-30; clicks 1/1/1, orders 1, customers 1, referrals 1, EUR gross 1000
            sealed 01-31; clicks 1/1/1
            sealed member 0 01-30; clicks 1/1/1
            sealed member 1 01-30; orders 1, customers 1, referrals 1, EUR gross 1000
            sealed member 1 01-31; clicks 1/1/1
            sealed 2026-01; clicks 2/2/2, orders 1, customers 1, referrals 1, EUR gross 1000
            = 9 read: 9 applied
        "#]],
    );
}

#[test]
fn what_comes_late_for_a_day_that_is_over_mends_it() {
    club(
        r#"
01-30 10:00 Click click_id=k1 member_id=ann
02-02 10:00 Tick
01-30 11:00 Click click_id=k2 member_id=bob @02-02 10:00
01-29 11:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000 @02-02 10:00
        "#,
        "sealed",
        expect![[r#"
            sealed 01-29; orders 1, customers 1, referrals 1, EUR gross 1000
            sealed 01-30; clicks 2/2/2
            sealed member 0 01-29; orders 1, customers 1, referrals 1, EUR gross 1000
            sealed member 0 01-30; clicks 1/1/1
            sealed member 1 01-30; clicks 1/1/1
            sealed 2026-01; clicks 2/2/2, orders 1, customers 1, referrals 1, EUR gross 1000
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn a_refund_in_july_lowers_july_and_leaves_june() {
    club(
        r#"
06-30 23:30 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
07-01 00:30 Conversion conversion_id=r1 kind=refund original_id=p1
07-02 00:10 Tick
        "#,
        "days sealed",
        expect![[r#"
            06-30; orders 1, referrals 1, EUR gross 1000
            07-01; EUR refunded 1000
            sealed 06-30; orders 1, referrals 1, EUR gross 1000
            sealed 07-01; EUR refunded 1000
            sealed member 0 06-30; orders 1, referrals 1, EUR gross 1000
            sealed member 0 07-01; EUR refunded 1000
            sealed 2026-06; orders 1, referrals 1, EUR gross 1000
            sealed 2026-07; EUR refunded 1000
            = 6 read: 6 applied
        "#]],
    );
}

#[test]
fn history_may_be_told_backwards() {
    story(
        r#"
2026-03-01 00:00 Creator name=Club currency=EUR time_zone=UTC
2026-03-01 00:00 Member member_id=ann referral_code=ANN
2024-02-29 10:00 Conversion conversion_id=p2 kind=purchase referral_code=ANN customer_id=u1 amount=200 @03-01 00:00
2001-01-01 00:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=100 @03-01 00:00
        "#,
        "creator members sealed",
        expect![[r#"
            Club EUR UTC, clock 03-01 00:00, 1/1 members active; orders 2, customers 1, referrals 1, EUR gross 300
            ann active code ANN, joined 03-01 00:00, seen 03-01 00:00; orders 2, customers 1, referrals 1, EUR gross 300
            sealed 2001-01-01; orders 1, customers 1, referrals 1, EUR gross 100
            sealed 2024-02-29; orders 1, EUR gross 200
            sealed member 0 2001-01-01; orders 1, customers 1, referrals 1, EUR gross 100
            sealed member 0 2024-02-29; orders 1, EUR gross 200
            sealed 2001-01; orders 1, customers 1, referrals 1, EUR gross 100
            sealed 2024-02; orders 1, EUR gross 200
            = 4 read: 4 applied
        "#]],
    );
}
