//! Whose sale it is.

use expect_test::expect;

use crate::fold::story::{club, story};

#[test]
fn purchase_before_its_signup_or_click() {
    club(
        r#"
01-02 10:05 Conversion conversion_id=p1 kind=purchase click_id=k1 customer_id=u1 amount=1000
01-02 10:00 Click click_id=k1 member_id=ann @01-02 11:00
01-02 10:05 Conversion conversion_id=p2 kind=purchase customer_id=u2 amount=500 @01-02 11:01
01-02 10:01 Conversion conversion_id=s2 kind=signup referral_code=BOB customer_id=u2 @01-02 11:02
01-02 10:06 Conversion conversion_id=p3 kind=purchase click_id=late referral_code=BOB customer_id=u3 amount=300
01-03 11:00 Share share_id=s1 member_id=bob platform=x share_type=link
        "#,
        "conversions members",
        expect![[r#"
            01-02 10:01 s2 signup 0 EUR by u2 → bob: code
            01-02 10:05 p1 purchase 1000 EUR by u1 → ann: click
            01-02 10:05 p2 purchase 500 EUR by u2 → bob: owner
            01-02 10:06 p3 purchase 300 EUR by u3 → bob: code
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:05; clicks 1/1/1, orders 1, customers 1, referrals 1, EUR gross 1000
            bob active code BOB, joined 01-01 00:00, seen 01-03 11:00; shares 1, signups 1, orders 2, customers 2, referrals 2, signups_credited 1, EUR gross 800
            = 9 read: 9 applied
        "#]],
    );
}

#[test]
fn renewal_in_month_5_window_30_d() {
    club(
        r#"
01-02 10:00 Click click_id=k1 member_id=ann
01-02 10:05 Conversion conversion_id=p1 kind=purchase click_id=k1 customer_id=u1 amount=1000
06-02 10:00 Conversion conversion_id=r1 kind=renewal original_id=p1 customer_id=u1 amount=1000
06-02 10:01 Conversion conversion_id=r2 kind=renewal referral_code=BOB customer_id=u1 amount=1000
        "#,
        "conversions members",
        expect![[r#"
            01-02 10:05 p1 purchase 1000 EUR by u1 → ann: click
            06-02 10:00 r1 renewal 1000 EUR of p1 by u1 → ann: owner
            06-02 10:01 r2 renewal 1000 EUR by u1 → ann: owner
            ann active code ANN, joined 01-01 00:00, seen 06-02 10:01; clicks 1/1/1, orders 3, customers 1, referrals 1, EUR gross 3000
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn garbage_click_id_undefined() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase click_id=undefined referral_code=ANN customer_id=u1 amount=1000
01-02 10:01 Conversion conversion_id=p2 kind=purchase click_id=undefined customer_id=u2 amount=700
01-03 10:12 Share share_id=s1 member_id=bob platform=x share_type=link
        "#,
        "creator conversions",
        expect![[r#"
            Club EUR UTC, clock 01-03 10:12, 2/2 members active; shares 1, orders 2, customers 2, referrals 1, EUR gross 1700
            01-02 10:00 p1 purchase 1000 EUR by u1 → ann: code
            01-02 10:01 p2 purchase 700 EUR by u2 → nobody: unknown_click
            = 6 read: 6 applied
        "#]],
    );
}

#[test]
fn purchase_31_days_after_the_click_window_30_d() {
    club(
        r#"
01-02 10:00 Click click_id=k1 member_id=ann
02-01 10:00 Conversion conversion_id=p1 kind=purchase click_id=k1 customer_id=u1 amount=1000
02-02 10:00 Conversion conversion_id=p2 kind=purchase click_id=k1 customer_id=u2 amount=1000
        "#,
        "conversions",
        expect![[r#"
            02-01 10:00 p1 purchase 1000 EUR by u1 → ann: click
            02-02 10:00 p2 purchase 1000 EUR by u2 → nobody: window_expired
            = 6 read: 6 applied
        "#]],
    );
}

/// Signup through Ann, then a click on Bob's link, then an order that names nothing.
const THROUGH_BOTH: &str = r#"
01-01 00:00 Member member_id=ann referral_code=ANN
01-01 00:00 Member member_id=bob referral_code=BOB
01-02 10:00 Click click_id=k1 member_id=ann device_token=00000000000000000000000000000001
01-02 10:01 Conversion conversion_id=s1 kind=signup click_id=k1 customer_id=u1
01-05 10:00 Click click_id=k2 member_id=bob device_token=00000000000000000000000000000001
01-05 10:01 Conversion conversion_id=p1 kind=purchase customer_id=u1 amount=1001 device_token=00000000000000000000000000000001
"#;

fn through_both(model: &str, expected: expect_test::Expect) {
    let creator = format!(
        "01-01 00:00 Creator name=Club currency=EUR time_zone=UTC attribution={{\"model\":\"{model}\"}} \
         commission={{\"source\":\"derived\",\"rate_bp\":1000}}"
    );
    story(&format!("{creator}\n{THROUGH_BOTH}"), "conversions commissions members", expected);
}

#[test]
fn click_on_b_after_signup_through_a_then_order_model_last() {
    through_both(
        "last",
        expect![[r#"
            01-02 10:01 s1 signup 0 EUR by u1 → ann: click
            01-05 10:01 p1 purchase 1001 EUR by u1 → bob: visitor
            01-05 10:01 auto:p1:bob bob for p1: 100 EUR earned, initial, held
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:01; clicks 1/1/1, signups 1, referrals 1, signups_credited 1
            bob active code BOB, joined 01-01 00:00, seen 01-05 10:01; clicks 1/1/1, orders 1, customers 1, EUR gross 1001 earned 100 held 100
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn click_on_b_after_signup_through_a_then_order_model_first() {
    through_both(
        "first",
        expect![[r#"
            01-02 10:01 s1 signup 0 EUR by u1 → ann: click
            01-05 10:01 p1 purchase 1001 EUR by u1 → ann: visitor
            01-05 10:01 auto:p1:ann ann for p1: 100 EUR earned, initial, held
            ann active code ANN, joined 01-01 00:00, seen 01-05 10:01; clicks 1/1/1, signups 1, orders 1, customers 1, referrals 1, signups_credited 1, EUR gross 1001 earned 100 held 100
            bob active code BOB, joined 01-01 00:00, seen 01-05 10:00; clicks 1/1/1
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn click_on_b_after_signup_through_a_then_order_model_linear() {
    through_both(
        "linear",
        expect![[r#"
            01-02 10:01 s1 signup 0 EUR by u1 → ann: click
            01-05 10:01 p1 purchase 1001 EUR by u1 → ann+bob: visitor
            01-05 10:01 auto:p1:ann ann for p1: 50 EUR earned, initial, held
            01-05 10:01 auto:p1:bob bob for p1: 50 EUR earned, initial, held
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:01; clicks 1/1/1, signups 1, referrals 1, signups_credited 1, EUR gross 500 earned 50 held 50
            bob active code BOB, joined 01-01 00:00, seen 01-05 10:01; clicks 1/1/1, orders 1, customers 1, EUR gross 501 earned 50 held 50
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn coupon_of_b_and_click_of_a() {
    club(
        r#"
01-02 10:00 Click click_id=k1 member_id=ann
01-02 10:01 Conversion conversion_id=p1 kind=purchase click_id=k1 coupon=" bob" customer_id=u1 amount=1000
        "#,
        "conversions members",
        expect![[r#"
            01-02 10:01 p1 purchase 1000 EUR by u1 → bob: coupon
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:00; clicks 1/1/1
            bob active code BOB, joined 01-01 00:00, seen 01-02 10:01; orders 1, customers 1, referrals 1, EUR gross 1000
            = 5 read: 5 applied
        "#]],
    );
}

#[test]
fn blocked_sale() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-02 10:01 Conversion conversion_id=p2 kind=purchase referral_code=ANN customer_id=u2 amount=500
01-02 10:02 Commission commission_id=c1 kind=earned member_id=ann conversion_id=p1 amount=100
01-03 10:00 Conversion conversion_id=r1 kind=refund original_id=p1 amount=300
01-04 10:00 Review subject_type=conversion subject_id=p1 verdict=block label=fraud reason="stolen card" actor=eve
01-05 10:00 Conversion conversion_id=n1 kind=renewal customer_id=u1 amount=1000
        "#,
        "creator members conversions commissions days decisions",
        expect![[r#"
            Club EUR UTC, clock 01-05 10:00, 2/2 members active; orders 2, customers 2, referrals 1, EUR gross 2500 refunded 300 blocked 700
            ann active code ANN, joined 01-01 00:00, seen 01-05 10:00; orders 2, customers 2, referrals 1, EUR gross 1500
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            01-02 10:00 p1 purchase 1000 EUR by u1, 300 taken back → ann: code, blocked
            01-02 10:01 p2 purchase 500 EUR by u2 → ann: code
            01-03 10:00 r1 refund 300 EUR of p1
            01-05 10:00 n1 renewal 1000 EUR by u1 → ann: owner
            01-02 10:02 c1 ann for p1: 100 EUR earned, 30 reversed, blocked
            01-02; orders 1, customers 1, referrals 1, EUR gross 1500 blocked 1000
            01-03; EUR refunded 300 blocked -300
            01-05; orders 1, customers 1, EUR gross 1000
            conversion p1 /1: approve 0 (none)
            conversion p2 /1: approve 0 (none)
            commission c1 /1: approve 0 (none)
            conversion p1 /2: block 0 (reverse) by review; was approve 0, review
            commission c1 /2: block 0 (reverse) by review; was approve 0, review
            conversion n1 /1: approve 0 (none)
            = 9 read: 9 applied
        "#]],
    );
}
