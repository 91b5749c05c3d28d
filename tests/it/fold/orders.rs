//! Orders and what is taken back of them (SEMANTICS §7).

use std::fmt::Write as _;

use expect_test::expect;

use super::story::{club, story};

#[test]
fn a_refund_books_on_its_own_day_and_names_the_order() {
    club(
        r#"
06-10 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000 plan=gold
07-03 10:00 Conversion conversion_id=r1 kind=refund original_id=p1 amount=400
07-05 00:10 Tick
        "#,
        "conversions members sealed",
        expect![[r#"
            06-10 10:00 p1 purchase 1000 EUR by u1 for gold, 400 taken back → ann: code
            07-03 10:00 r1 refund 400 EUR of p1
            ann active code ANN, joined 01-01 00:00, seen 06-10 10:00; orders 1, customers 1, referrals 1, EUR gross 1000 refunded 400
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            sealed 06-10; orders 1, customers 1, referrals 1, EUR gross 1000
            sealed 07-03; EUR refunded 400
            sealed member 0 06-10; orders 1, customers 1, referrals 1, EUR gross 1000
            sealed member 0 07-03; EUR refunded 400
            sealed 2026-06; orders 1, customers 1, referrals 1, EUR gross 1000
            sealed 2026-07; EUR refunded 400
            = 6 read: 6 applied
        "#]],
    );
}

#[test]
fn a_refund_without_an_amount_takes_all_that_is_left_and_its_sign_is_ignored() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase customer_id=u1 amount=1000
01-02 10:01 Conversion conversion_id=r1 kind=refund original_id=p1 amount=-300
01-02 10:02 Conversion conversion_id=r2 kind=chargeback original_id=p1
        "#,
        "creator conversions",
        expect![[r#"
            Club EUR UTC, clock 01-02 10:02, 2/2 members active; orders 1, EUR gross 1000 refunded 1000
            01-02 10:00 p1 purchase 1000 EUR by u1, 1000 taken back → nobody: no_touch
            01-02 10:01 r1 refund 300 EUR of p1
            01-02 10:02 r2 chargeback 700 EUR of p1
            = 6 read: 6 applied
        "#]],
    );
}

#[test]
fn a_refund_larger_than_what_is_left_is_clamped_and_then_nothing_is_left() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-02 10:01 Conversion conversion_id=r1 kind=refund original_id=p1 amount=1500
01-02 10:02 Conversion conversion_id=r2 kind=refund original_id=p1 amount=1
01-02 10:03 Conversion conversion_id=r3 kind=refund original_id=p1
        "#,
        "creator conversions",
        expect![[r#"
            Club EUR UTC, clock 01-02 10:03, 2/2 members active; orders 1, referrals 1, EUR gross 1000 refunded 1000
            01-02 10:00 p1 purchase 1000 EUR by u1, 1000 taken back → ann: code
            01-02 10:01 r1 refund 1000 EUR of p1
            ! over_refund #4: 1500 asked of "p1", 1000 left: clamped
            ! over_refund #5: nothing is left of "p1"
            ! over_refund #6: nothing is left of "p1"
            = 7 read: 5 applied, 2 dead
        "#]],
    );
}

#[test]
fn a_refund_in_another_currency_is_dead() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase customer_id=u1 amount=1000 currency=USD
01-02 10:01 Conversion conversion_id=r1 kind=refund original_id=p1 amount=400 currency=EUR
01-02 10:02 Conversion conversion_id=r2 kind=refund original_id=p1 amount=400
        "#,
        "creator conversions",
        expect![[r#"
            Club EUR UTC, clock 01-02 10:02, 2/2 members active; orders 1, customers 1, USD gross 1000 refunded 400
            01-02 10:00 p1 purchase 1000 USD by u1, 400 taken back → nobody: no_touch
            01-02 10:02 r2 refund 400 USD of p1
            ! currency_mismatch #4: "p1" was paid in USD
            = 6 read: 5 applied, 1 dead
        "#]],
    );
}

#[test]
fn a_signup_or_a_refund_cannot_be_refunded() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=g1 kind=signup customer_id=u1
01-02 10:00 Conversion conversion_id=p1 kind=purchase customer_id=u1 amount=1000
01-02 10:01 Conversion conversion_id=r1 kind=refund original_id=g1 amount=400
01-02 10:02 Conversion conversion_id=r2 kind=refund original_id=p1 amount=400
01-02 10:03 Conversion conversion_id=r3 kind=refund original_id=r2 amount=100
01-02 10:03 Conversion conversion_id=w1 kind=chargeback_reversed original_id=r2
        "#,
        "conversions",
        expect![[r#"
            01-02 10:00 g1 signup 0 EUR by u1 → nobody: no_touch
            01-02 10:00 p1 purchase 1000 EUR by u1, 400 taken back → nobody: no_touch
            01-02 10:02 r2 refund 400 EUR of p1
            ! not_refundable #5: "g1" is not an order
            ! not_refundable #7: "r2" is not an order
            ! not_refundable #8: "r2" is not a chargeback
            = 9 read: 6 applied, 3 dead
        "#]],
    );
}

#[test]
fn a_chargeback_that_was_won_gives_back_what_it_took() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-02 10:01 Commission commission_id=x1 kind=earned member_id=ann conversion_id=p1 amount=333
01-03 10:00 Conversion conversion_id=b1 kind=chargeback original_id=p1
01-04 10:00 Conversion conversion_id=w1 kind=chargeback_reversed original_id=b1
01-05 10:00 Conversion conversion_id=w2 kind=chargeback_reversed original_id=b1
        "#,
        "creator conversions commissions days",
        expect![[r#"
            Club EUR UTC, clock 01-05 10:00, 2/2 members active; orders 1, customers 1, referrals 1, EUR gross 1000 earned 333 held 333
            01-02 10:00 p1 purchase 1000 EUR by u1 → ann: code
            01-03 10:00 b1 chargeback 1000 EUR of p1
            01-04 10:00 w1 chargeback_reversed 1000 EUR of b1
            01-02 10:01 x1 ann for p1: 333 EUR earned, held
            01-02; orders 1, customers 1, referrals 1, EUR gross 1000 earned 333
            01-03; EUR refunded 1000 reversed 333
            01-04; EUR refunded -1000 reversed -333
            ! not_refundable #7: the chargeback "b1" was reversed before
            = 8 read: 7 applied, 1 dead
        "#]],
    );
}

#[test]
fn a_won_chargeback_that_names_the_order_means_its_latest_open_one() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase customer_id=u1 amount=1000
01-03 10:00 Conversion conversion_id=b1 kind=chargeback original_id=p1 amount=100
01-04 10:00 Conversion conversion_id=b2 kind=chargeback original_id=p1 amount=200
01-05 10:00 Conversion conversion_id=w1 kind=chargeback_reversed original_id=p1
01-05 10:01 Conversion conversion_id=w2 kind=chargeback_reversed original_id=p1
01-05 10:02 Conversion conversion_id=w3 kind=chargeback_reversed original_id=p1
        "#,
        "conversions",
        expect![[r#"
            01-02 10:00 p1 purchase 1000 EUR by u1 → nobody: no_touch
            01-03 10:00 b1 chargeback 100 EUR of p1
            01-04 10:00 b2 chargeback 200 EUR of p1
            01-05 10:00 w1 chargeback_reversed 200 EUR of p1
            01-05 10:01 w2 chargeback_reversed 100 EUR of p1
            = 9 read: 8 applied, 1 parked
        "#]],
    );
}

#[test]
fn an_unknown_currency_is_kept_apart() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-02 10:01 Conversion conversion_id=p2 kind=purchase referral_code=ANN customer_id=u1 amount=7 currency=XTS
01-02 10:02 Conversion conversion_id=p3 kind=purchase referral_code=ANN customer_id=u1 amount=900 currency=JPY
01-02 10:03 Conversion conversion_id=r2 kind=refund original_id=p2 amount=2
        "#,
        "creator members",
        expect![[r#"
            Club EUR UTC, clock 01-02 10:03, 2/2 members active; orders 3, customers 1, referrals 1, EUR gross 1000, JPY gross 900, XTS gross 7 refunded 2
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:02; orders 3, customers 1, referrals 1, EUR gross 1000, JPY gross 900, XTS gross 7 refunded 2
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn amounts_beyond_42_9_million_and_below_zero_are_exact() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=9223372036854775807
01-02 10:01 Conversion conversion_id=p2 kind=renewal referral_code=ANN customer_id=u1 amount=9223372036854775807
01-02 10:02 Conversion conversion_id=p3 kind=purchase referral_code=ANN customer_id=u2 amount=-9223372036854775807
01-02 10:03 Conversion conversion_id=p4 kind=purchase referral_code=ANN customer_id=u3 amount=4290000001
01-02 10:04 Conversion conversion_id=r1 kind=refund original_id=p1
01-02 10:05 Conversion conversion_id=r3 kind=refund original_id=p3 amount=1
        "#,
        "creator members conversions",
        expect![[r#"
            Club EUR UTC, clock 01-02 10:05, 2/2 members active; orders 4, customers 2, referrals 3, EUR gross 9223372041144775808 refunded 9223372036854775807
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:03; orders 4, customers 2, referrals 3, EUR gross 9223372041144775808 refunded 9223372036854775807
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            01-02 10:00 p1 purchase 9223372036854775807 EUR by u1, 9223372036854775807 taken back → ann: code
            01-02 10:01 p2 renewal 9223372036854775807 EUR by u1 → ann: owner
            01-02 10:02 p3 purchase -9223372036854775807 EUR by u2 → ann: code
            01-02 10:03 p4 purchase 4290000001 EUR by u3 → ann: code
            01-02 10:04 r1 refund 9223372036854775807 EUR of p1
            ! over_refund #8: nothing is left of "p3"
            = 9 read: 8 applied, 1 dead
        "#]],
    );
}

#[test]
fn a_refund_can_move_a_customer_to_another_day_and_a_won_chargeback_back() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-03 10:00 Conversion conversion_id=p2 kind=purchase referral_code=BOB customer_id=u1 amount=500
01-04 10:00 Conversion conversion_id=b1 kind=chargeback original_id=p1
        "#,
        "members days",
        expect![[r#"
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:00; orders 1, referrals 1, EUR gross 1000 refunded 1000
            bob active code BOB, joined 01-01 00:00, seen 01-03 10:00; orders 1, customers 1, EUR gross 500
            01-02; orders 1, referrals 1, EUR gross 1000
            01-03; orders 1, customers 1, EUR gross 500
            01-04; EUR refunded 1000
            = 6 read: 6 applied
        "#]],
    );
}

#[test]
fn money_that_came_back_makes_the_earlier_order_the_first_again() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-03 10:00 Conversion conversion_id=p2 kind=purchase referral_code=BOB customer_id=u1 amount=500
01-04 10:00 Conversion conversion_id=b1 kind=chargeback original_id=p1
01-05 10:00 Conversion conversion_id=w1 kind=chargeback_reversed original_id=b1
        "#,
        "members days",
        expect![[r#"
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:00; orders 1, customers 1, referrals 1, EUR gross 1000
            bob active code BOB, joined 01-01 00:00, seen 01-03 10:00; orders 1, EUR gross 500
            01-02; orders 1, customers 1, referrals 1, EUR gross 1000
            01-03; orders 1, EUR gross 500
            01-04; EUR refunded 1000
            01-05; EUR refunded -1000
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn a_refund_before_the_credit_is_booked_for_the_member_on_its_own_day() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase click_id=k1 customer_id=u1 amount=1000
01-02 23:00 Conversion conversion_id=r1 kind=refund original_id=p1 amount=400
01-02 09:00 Click click_id=k1 member_id=ann @01-03 09:00
01-03 09:30 Conversion conversion_id=p2 kind=purchase click_id=k1 customer_id=u2 amount=1
01-05 00:10 Tick
        "#,
        "conversions members sealed",
        expect![[r#"
            01-02 10:00 p1 purchase 1000 EUR by u1, 400 taken back → ann: click
            01-02 23:00 r1 refund 400 EUR of p1
            01-03 09:30 p2 purchase 1 EUR by u2 → ann: click
            ann active code ANN, joined 01-01 00:00, seen 01-03 09:30; clicks 1/1/1, orders 2, customers 2, referrals 2, EUR gross 1001 refunded 400
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            sealed 01-02; clicks 1/1/1, orders 1, customers 1, referrals 1, EUR gross 1000 refunded 400
            sealed 01-03; orders 1, customers 1, referrals 1, EUR gross 1
            sealed member 0 01-02; clicks 1/1/1, orders 1, customers 1, referrals 1, EUR gross 1000 refunded 400
            sealed member 0 01-03; orders 1, customers 1, referrals 1, EUR gross 1
            sealed 2026-01; clicks 1/1/1, orders 2, customers 2, referrals 2, EUR gross 1001 refunded 400
            = 8 read: 8 applied
        "#]],
    );
}

#[test]
fn five_hundred_refunds_take_back_the_order_and_its_commission_to_the_unit() {
    let mut lines = String::from(
        "01-01 00:00 Creator name=Club currency=EUR time_zone=UTC
         01-01 00:00 Member member_id=ann referral_code=ANN
         01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=9223372036854775807
         01-02 10:00 Commission commission_id=x1 kind=earned member_id=ann conversion_id=p1 amount=9223372036854775806",
    );
    for n in 0..499 {
        write!(
            lines,
            "\n01-03 10:00 Conversion conversion_id=r{n} kind=refund original_id=p1 amount=18446744073709551"
        )
        .unwrap();
    }
    lines.push_str("\n01-04 10:00 Conversion conversion_id=last kind=refund original_id=p1");
    story(
        &lines,
        "members commissions days",
        expect![[r#"
        ann active code ANN, joined 01-01 00:00, seen 01-02 10:00; orders 1, referrals 1, EUR gross 9223372036854775807 refunded 9223372036854775807 earned 9223372036854775806 reversed 9223372036854775806
        01-02 10:00 x1 ann for p1: 9223372036854775806 EUR earned, 9223372036854775806 reversed, reversed
        01-02; orders 1, referrals 1, EUR gross 9223372036854775807 earned 9223372036854775806
        01-03; EUR refunded 9204925292781065949 reversed 9204925292781065948
        01-04; EUR refunded 18446744073709858 reversed 18446744073709858
        = 504 read: 504 applied
    "#]],
    );
}
