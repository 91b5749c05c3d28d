//! Refunds, chargebacks, and what becomes of commissions.

use expect_test::expect;

use crate::fold::story::{club, deriving, story};

#[test]
fn refund_and_the_producer_s_own_reversal_both_arrive() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-02 10:01 Commission commission_id=c1 kind=earned member_id=ann conversion_id=p1 amount=100
01-03 10:00 Conversion conversion_id=r1 kind=refund original_id=p1 amount=400
01-03 10:01 Commission commission_id=c1 kind=reversed member_id=ann amount=40
01-04 10:00 Commission commission_id=c1 kind=reversed member_id=ann amount=20
        "#,
        "commissions members",
        expect![[r#"
            01-02 10:01 c1 ann for p1: 100 EUR earned, 60 reversed, held
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:00; orders 1, customers 1, referrals 1, EUR gross 1000 refunded 400 earned 100 reversed 60 held 40
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            = 8 read: 8 applied
        "#]],
    );
}

#[test]
fn refund_before_its_purchase() {
    club(
        r#"
01-02 10:01 Conversion conversion_id=r1 kind=refund original_id=p1 amount=400
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000 @01-02 10:02
        "#,
        "members conversions",
        expect![[r#"
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:00; orders 1, customers 1, referrals 1, EUR gross 1000 refunded 400
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            01-02 10:00 p1 purchase 1000 EUR by u1, 400 taken back → ann: code
            01-02 10:01 r1 refund 400 EUR of p1
            = 5 read: 5 applied
        "#]],
    );
}

#[test]
fn case_40_refund_while_held() {
    deriving(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=3333
01-03 10:00 Conversion conversion_id=r1 kind=refund original_id=p1 amount=1333
        "#,
        "commissions members",
        expect![[r#"
            01-02 10:00 auto:p1:ann ann for p1: 383 EUR earned, 153 reversed, initial, held
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:00; orders 1, customers 1, referrals 1, EUR gross 3333 refunded 1333 earned 383 reversed 153 held 230
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            = 5 read: 5 applied
        "#]],
    );
}

#[test]
fn parts_of_a_split_refund_sum_to_the_whole() {
    story(
        r#"
01-01 00:00 Creator name=Club currency=EUR time_zone=UTC attribution={"model":"linear"} commission={"source":"derived","rate_bp":1000}
01-01 00:00 Member member_id=ann
01-01 00:00 Member member_id=bob
01-01 00:00 Member member_id=cid
01-02 10:00 Click click_id=k1 member_id=ann device_token=00000000000000000000000000000001
01-02 10:01 Click click_id=k2 member_id=bob device_token=00000000000000000000000000000001
01-02 10:02 Click click_id=k3 member_id=cid device_token=00000000000000000000000000000001
01-02 10:03 Conversion conversion_id=p1 kind=purchase customer_id=u1 amount=1000 device_token=00000000000000000000000000000001
01-03 10:00 Conversion conversion_id=r1 kind=refund original_id=p1 amount=500
01-04 10:00 Conversion conversion_id=r2 kind=refund original_id=p1
        "#,
        "creator members conversions commissions days",
        expect![[r#"
            Club EUR UTC, clock 01-04 10:00, 3/3 members active; clicks 3/3/3, orders 1, referrals 1, EUR gross 1000 refunded 1000 earned 100 reversed 100
            ann active, joined 01-01 00:00, seen 01-02 10:00; clicks 1/1/1, EUR gross 333 refunded 333 earned 33 reversed 33
            bob active, joined 01-01 00:00, seen 01-02 10:01; clicks 1/1/1, EUR gross 333 refunded 333 earned 33 reversed 33
            cid active, joined 01-01 00:00, seen 01-02 10:03; clicks 1/1/1, orders 1, referrals 1, EUR gross 334 refunded 334 earned 34 reversed 34
            01-02 10:03 p1 purchase 1000 EUR by u1, 1000 taken back → ann+bob+cid: visitor
            01-03 10:00 r1 refund 500 EUR of p1
            01-04 10:00 r2 refund 500 EUR of p1
            01-02 10:03 auto:p1:ann ann for p1: 33 EUR earned, 33 reversed, initial, reversed
            01-02 10:03 auto:p1:bob bob for p1: 33 EUR earned, 33 reversed, initial, reversed
            01-02 10:03 auto:p1:cid cid for p1: 34 EUR earned, 34 reversed, initial, reversed
            01-02; clicks 3/3/3, orders 1, referrals 1, EUR gross 1000 earned 100
            01-03; EUR refunded 500 reversed 51
            01-04; EUR refunded 500 reversed 49
            = 10 read: 10 applied
        "#]],
    );
}

#[test]
fn full_refund_after_payout() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-02 10:01 Commission commission_id=c1 kind=earned member_id=ann conversion_id=p1 amount=100
01-10 10:00 Commission commission_id=c1 kind=paid member_id=ann amount=100
01-20 10:00 Conversion conversion_id=r1 kind=refund original_id=p1
        "#,
        "commissions members",
        expect![[r#"
            01-02 10:01 c1 ann for p1: 100 EUR earned, 100 reversed, paid 100 on 01-10 10:00
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:00; orders 1, referrals 1, EUR gross 1000 refunded 1000 earned 100 reversed 100 paid 100 carry -100
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn chargeback_then_won() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-02 10:01 Commission commission_id=c1 kind=earned member_id=ann conversion_id=p1 amount=100
01-10 10:00 Conversion conversion_id=b1 kind=chargeback original_id=p1
02-10 10:00 Conversion conversion_id=w1 kind=chargeback_reversed original_id=b1
        "#,
        "members conversions commissions days decisions",
        expect![[r#"
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:00; orders 1, customers 1, referrals 1, EUR gross 1000 earned 100 held 100
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            01-02 10:00 p1 purchase 1000 EUR by u1 → ann: code
            01-10 10:00 b1 chargeback 1000 EUR of p1
            02-10 10:00 w1 chargeback_reversed 1000 EUR of b1
            01-02 10:01 c1 ann for p1: 100 EUR earned, held
            01-02; orders 1, customers 1, referrals 1, EUR gross 1000 earned 100
            01-10; EUR refunded 1000 reversed 100
            02-10; EUR refunded -1000 reversed -100
            conversion p1 /1: approve 0 (none)
            commission c1 /1: approve 0 (none)
            commission c1 /2: review 70 (hold); customer_chargebacks 1/1; was approve 0, evidence
            commission c1 /3: approve 0 (release); was review 70, evidence
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn refund_larger_than_what_is_left() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-03 10:00 Conversion conversion_id=r1 kind=refund original_id=p1 amount=700
01-04 10:00 Conversion conversion_id=r2 kind=refund original_id=p1 amount=700
01-05 10:00 Conversion conversion_id=r3 kind=refund original_id=p1 amount=1
        "#,
        "members conversions",
        expect![[r#"
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:00; orders 1, referrals 1, EUR gross 1000 refunded 1000
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            01-02 10:00 p1 purchase 1000 EUR by u1, 1000 taken back → ann: code
            01-03 10:00 r1 refund 700 EUR of p1
            01-04 10:00 r2 refund 300 EUR of p1
            ! over_refund #5: 700 asked of "p1", 300 left: clamped
            ! over_refund #6: nothing is left of "p1"
            = 7 read: 6 applied, 1 dead
        "#]],
    );
}

#[test]
fn refund_in_another_currency() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-03 10:00 Conversion conversion_id=r1 kind=refund original_id=p1 amount=700 currency=USD
        "#,
        "members",
        expect![[r#"
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:00; orders 1, customers 1, referrals 1, EUR gross 1000
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            ! currency_mismatch #4: "p1" was paid in EUR
            = 5 read: 4 applied, 1 dead
        "#]],
    );
}
