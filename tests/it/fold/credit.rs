//! Whose conversion it is (SEMANTICS §6) by coupon, named click and code; `cases` tells of the other stages and models.

use expect_test::expect;

use super::story::{club, story};

#[test]
fn where_clicks_go_first_the_click_wins_over_the_coupon() {
    story(
        r#"
01-01 00:00 Creator name=Club currency=EUR time_zone=UTC attribution={"precedence":"click_first"}
01-01 00:00 Member member_id=ann
01-01 00:00 Member member_id=bob coupons=["BOB"]
01-02 10:00 Click click_id=k1 member_id=ann
01-02 10:01 Conversion conversion_id=p1 kind=purchase click_id=k1 coupon=BOB customer_id=u1 amount=1000
        "#,
        "conversions",
        expect![[r#"
            01-02 10:01 p1 purchase 1000 EUR by u1 → ann: click
            = 5 read: 5 applied
        "#]],
    );
}

#[test]
fn an_unknown_coupon_is_a_plain_discount_and_waits_for_nobody() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase coupon=SALE20 customer_id=u1 amount=1000
01-02 10:01 Conversion conversion_id=p2 kind=purchase coupon=SALE20 referral_code=ANN customer_id=u2 amount=1000
01-02 10:02 Member member_id=bob coupons=["SALE20"]
        "#,
        "conversions",
        expect![[r#"
            01-02 10:00 p1 purchase 1000 EUR by u1 → nobody: unknown_coupon
            01-02 10:01 p2 purchase 1000 EUR by u2 → ann: code
            = 6 read: 6 applied
        "#]],
    );
}

#[test]
fn a_purchase_before_its_click_is_revenue_at_once_and_credited_when_the_click_comes() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase click_id=k1 customer_id=u1 amount=1000
01-02 10:01 Conversion conversion_id=p2 kind=purchase click_id=k2 customer_id=u2 amount=500
01-02 18:00 Click click_id=k1 member_id=ann @01-02 18:00
01-02 09:59 Click click_id=k2 member_id=ann @01-02 18:00
        "#,
        "creator members conversions",
        expect![[r#"
            Club EUR UTC, clock 01-02 18:00, 2/2 members active; clicks 2/2/2, orders 2, customers 2, referrals 1, EUR gross 1500
            ann active code ANN, joined 01-01 00:00, seen 01-02 18:00; clicks 2/2/2, orders 1, customers 1, referrals 1, EUR gross 500
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            01-02 10:00 p1 purchase 1000 EUR by u1 → nobody: click_after
            01-02 10:01 p2 purchase 500 EUR by u2 → ann: click
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn a_garbage_click_id_makes_way_for_the_next_evidence_after_a_day() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase click_id=undefined referral_code=ANN customer_id=u1 amount=1000
01-02 10:00 Conversion conversion_id=p2 kind=purchase click_id=undefined customer_id=u2 amount=500
01-03 10:10 Tick
        "#,
        "creator conversions",
        expect![[r#"
            Club EUR UTC, clock 01-03 10:10, 2/2 members active; orders 2, customers 2, referrals 1, EUR gross 1500
            01-02 10:00 p1 purchase 1000 EUR by u1 → ann: code
            01-02 10:00 p2 purchase 500 EUR by u2 → nobody: unknown_click
            = 6 read: 6 applied
        "#]],
    );
}

#[test]
fn until_the_day_is_over_at_the_watermark_credit_waits() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase click_id=undefined referral_code=ANN customer_id=u1 amount=1000
01-03 10:09:59 Tick
        "#,
        "creator conversions",
        expect![[r#"
            Club EUR UTC, clock 01-03 10:09:59, 2/2 members active; orders 1, customers 1, EUR gross 1000
            01-02 10:00 p1 purchase 1000 EUR by u1 → nobody: waiting
            = 5 read: 5 applied
        "#]],
    );
}

#[test]
fn a_code_that_is_claimed_within_the_day_gets_the_credit() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=cid customer_id=u1 amount=1000
01-02 12:00 Member member_id=cid referral_code=CID
        "#,
        "conversions members",
        expect![[r#"
            01-02 10:00 p1 purchase 1000 EUR by u1 → cid: code
            ann active code ANN, joined 01-01 00:00, seen 01-01 00:00
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            cid active code CID, joined 01-02 12:00, seen 01-02 12:00; orders 1, customers 1, referrals 1, EUR gross 1000
            = 5 read: 5 applied
        "#]],
    );
}

#[test]
fn click_then_code_wait_a_day_in_all() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase click_id=k1 referral_code=CID customer_id=u1 amount=1000
01-03 10:00 Click click_id=k1 member_id=ann @01-03 10:00
01-03 10:10 Tick
01-03 10:11 Member member_id=cid referral_code=CID
        "#,
        "conversions",
        expect![[r#"
            01-02 10:00 p1 purchase 1000 EUR by u1 → nobody: unknown_code
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn a_purchase_30_days_after_the_click_is_in_the_window_and_31_days_after_is_not() {
    club(
        r#"
01-02 10:00 Click click_id=k1 member_id=ann
02-01 10:00 Conversion conversion_id=p1 kind=purchase click_id=k1 customer_id=u1 amount=1000
02-01 10:00:00.001 Conversion conversion_id=p2 kind=purchase click_id=k1 customer_id=u2 amount=1000
02-02 10:00 Conversion conversion_id=p3 kind=purchase click_id=k1 referral_code=BOB customer_id=u3 amount=1000
        "#,
        "conversions",
        expect![[r#"
            02-01 10:00 p1 purchase 1000 EUR by u1 → ann: click
            02-01 10:00:00.001 p2 purchase 1000 EUR by u2 → nobody: window_expired
            02-02 10:00 p3 purchase 1000 EUR by u3 → bob: code
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn signups_have_a_window_of_their_own() {
    story(
        r#"
01-01 00:00 Creator name=Club currency=EUR time_zone=UTC attribution={"signup_window_ms":86400000}
01-01 00:00 Member member_id=ann
01-02 10:00 Click click_id=k1 member_id=ann
01-03 10:00 Conversion conversion_id=g1 kind=signup click_id=k1 customer_id=u1
01-03 10:01 Conversion conversion_id=g2 kind=signup click_id=k1 customer_id=u2
01-05 10:00 Conversion conversion_id=p1 kind=purchase click_id=k1 customer_id=u3 amount=1000
        "#,
        "creator conversions",
        expect![[r#"
            Club EUR UTC, clock 01-05 10:00, 1/1 members active; clicks 1/1/1, signups 2, orders 1, customers 1, referrals 2, signups_credited 1, EUR gross 1000
            01-03 10:00 g1 signup 0 EUR by u1 → ann: click
            01-03 10:01 g2 signup 0 EUR by u2 → nobody: window_expired
            01-05 10:00 p1 purchase 1000 EUR by u3 → ann: click
            = 6 read: 6 applied
        "#]],
    );
}

#[test]
fn window_expired_is_the_reason_whatever_failed_after_it() {
    club(
        r#"
01-02 10:00 Click click_id=k1 member_id=ann
01-03 10:00 Member member_id=bob status=removed
02-05 10:00 Conversion conversion_id=p1 kind=purchase click_id=k1 referral_code=BOB coupon=SALE customer_id=u1 amount=1000
02-05 10:00 Conversion conversion_id=p2 kind=purchase referral_code=BOB coupon=SALE customer_id=u1 amount=1000
02-05 10:00 Conversion conversion_id=p3 kind=purchase customer_id=u1 amount=1000
        "#,
        "conversions",
        expect![[r#"
            02-05 10:00 p1 purchase 1000 EUR by u1 → nobody: window_expired
            02-05 10:00 p2 purchase 1000 EUR by u1 → nobody: member_removed
            02-05 10:00 p3 purchase 1000 EUR by u1 → nobody: no_touch
            = 8 read: 8 applied
        "#]],
    );
}

#[test]
fn a_named_click_may_be_a_bots_and_five_minutes_later() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase click_id=k1 customer_id=u1 amount=1000
01-02 10:05 Click click_id=k1 member_id=ann method=HEAD
        "#,
        "creator conversions",
        expect![[r#"
            Club EUR UTC, clock 01-02 10:05, 2/2 members active; clicks 1/0/0, orders 1, customers 1, referrals 1, EUR gross 1000
            01-02 10:00 p1 purchase 1000 EUR by u1 → ann: click
            = 5 read: 5 applied
        "#]],
    );
}

#[test]
fn customers_signups_and_referrals_are_counted_at_the_first_by_time_whatever_came_first() {
    club(
        r#"
01-05 10:00 Conversion conversion_id=p2 kind=purchase referral_code=BOB customer_id=u1 amount=500
01-04 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000 @01-05 10:01
01-06 10:00 Conversion conversion_id=g2 kind=signup referral_code=BOB customer_id=u1
01-03 10:00 Conversion conversion_id=g1 kind=signup referral_code=ANN customer_id=u1 @01-06 10:01
        "#,
        "creator members days",
        expect![[r#"
            Club EUR UTC, clock 01-06 10:00, 2/2 members active; signups 1, orders 2, customers 1, referrals 1, signups_credited 1, EUR gross 1500
            ann active code ANN, joined 01-01 00:00, seen 01-04 10:00; signups 1, orders 1, customers 1, referrals 1, signups_credited 1, EUR gross 1000
            bob active code BOB, joined 01-01 00:00, seen 01-06 10:00; orders 1, EUR gross 500
            01-03; signups 1, referrals 1, signups_credited 1
            01-04; orders 1, customers 1, EUR gross 1000
            01-05; orders 1, EUR gross 500
            = 7 read: 7 applied
        "#]],
    );
}
