//! What members are owed (SEMANTICS §8).

use expect_test::expect;

use super::story::{club, deriving, story};

#[test]
fn a_40_percent_refund_while_held_takes_40_percent_in_exact_minor_units() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-02 10:01 Commission commission_id=x1 kind=earned member_id=ann conversion_id=p1 amount=333
01-03 10:00 Conversion conversion_id=r1 kind=refund original_id=p1 amount=400
        "#,
        "members commissions days",
        expect![[r#"
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:00; orders 1, customers 1, referrals 1, EUR gross 1000 refunded 400 earned 333 reversed 133 held 200
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            01-02 10:01 x1 ann for p1: 333 EUR earned, 133 reversed, held
            01-02; orders 1, customers 1, referrals 1, EUR gross 1000 earned 333
            01-03; EUR refunded 400 reversed 133
            = 6 read: 6 applied
        "#]],
    );
}

#[test]
fn refunds_in_parts_take_back_what_one_refund_would() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-02 10:01 Commission commission_id=x1 kind=earned member_id=ann conversion_id=p1 amount=333
01-03 10:00 Conversion conversion_id=r1 kind=refund original_id=p1 amount=500
01-04 10:00 Conversion conversion_id=r2 kind=refund original_id=p1 amount=500
        "#,
        "members commissions days",
        expect![[r#"
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:00; orders 1, referrals 1, EUR gross 1000 refunded 1000 earned 333 reversed 333
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            01-02 10:01 x1 ann for p1: 333 EUR earned, 333 reversed, reversed
            01-02; orders 1, referrals 1, EUR gross 1000 earned 333
            01-03; EUR refunded 500 reversed 167
            01-04; EUR refunded 500 reversed 166
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn a_refund_and_the_producers_own_reversal_count_once() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-02 10:01 Commission commission_id=x1 kind=earned member_id=ann conversion_id=p1 amount=100
01-03 10:00 Conversion conversion_id=r1 kind=refund original_id=p1 amount=400
01-03 10:01 Commission commission_id=x1 kind=reversed member_id=ann amount=40
01-04 10:00 Commission commission_id=x1 kind=reversed member_id=ann amount=20
01-05 10:00 Conversion conversion_id=r2 kind=refund original_id=p1 amount=100
        "#,
        "commissions days",
        expect![[r#"
            01-02 10:01 x1 ann for p1: 100 EUR earned, 60 reversed, held
            01-02; orders 1, customers 1, referrals 1, EUR gross 1000 earned 100
            01-03; EUR refunded 400 reversed 40
            01-04; EUR reversed 20
            01-05; EUR refunded 100
            = 9 read: 9 applied
        "#]],
    );
}

#[test]
fn a_full_refund_after_payout_leaves_a_negative_carry() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-02 10:01 Commission commission_id=x1 kind=earned member_id=ann conversion_id=p1 amount=100
01-03 10:00 Commission commission_id=x1 kind=approved member_id=ann
01-04 10:00 Commission commission_id=x1 kind=paid member_id=ann paid_at=2026-01-04T09:00:00Z
01-05 10:00 Conversion conversion_id=r1 kind=refund original_id=p1
        "#,
        "members commissions days",
        expect![[r#"
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:00; orders 1, referrals 1, EUR gross 1000 refunded 1000 earned 100 reversed 100 paid 100 carry -100
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            01-02 10:01 x1 ann for p1: 100 EUR earned, 100 reversed, paid 100 on 01-04 09:00
            01-02; orders 1, referrals 1, EUR gross 1000 earned 100
            01-04; EUR paid 100
            01-05; EUR refunded 1000 reversed 100
            = 8 read: 8 applied
        "#]],
    );
}

#[test]
fn a_commission_moves_from_held_to_approved_to_paid() {
    club(
        r#"
01-02 10:00 Commission commission_id=x1 kind=earned member_id=ann amount=100
01-02 10:00 Commission commission_id=x2 kind=earned member_id=ann amount=200
01-02 10:00 Commission commission_id=x3 kind=earned member_id=ann amount=300
01-03 10:00 Commission commission_id=x2 kind=approved member_id=ann
01-04 10:00 Commission commission_id=x3 kind=paid member_id=ann amount=250
        "#,
        "members commissions",
        expect![[r#"
            ann active code ANN, joined 01-01 00:00, seen 01-01 00:00; EUR earned 600 held 100 approved 200 paid 250 carry 50
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            01-02 10:00 x1 ann: 100 EUR earned, held
            01-02 10:00 x2 ann: 200 EUR earned, approved
            01-02 10:00 x3 ann: 300 EUR earned, paid 250 on 01-04 10:00
            = 8 read: 8 applied
        "#]],
    );
}

#[test]
fn a_commission_after_its_orders_refund_is_reversed_on_its_own_day() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-03 10:00 Conversion conversion_id=r1 kind=refund original_id=p1 amount=400
01-04 10:00 Commission commission_id=x1 kind=earned member_id=ann conversion_id=p1 amount=100
        "#,
        "commissions days",
        expect![[r#"
            01-04 10:00 x1 ann for p1: 100 EUR earned, 40 reversed, held
            01-02; orders 1, customers 1, referrals 1, EUR gross 1000
            01-03; EUR refunded 400
            01-04; EUR earned 100 reversed 40
            = 6 read: 6 applied
        "#]],
    );
}

#[test]
fn a_commission_before_its_conversion_follows_its_refunds() {
    club(
        r#"
01-02 10:00 Commission commission_id=x1 kind=earned member_id=ann conversion_id=p1 amount=100
01-02 10:01 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-03 10:00 Conversion conversion_id=r1 kind=refund original_id=p1 amount=400
        "#,
        "commissions members",
        expect![[r#"
            01-02 10:00 x1 ann for p1: 100 EUR earned, 40 reversed, held
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:01; orders 1, customers 1, referrals 1, EUR gross 1000 refunded 400 earned 100 reversed 40 held 60
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            = 6 read: 6 applied
        "#]],
    );
}

#[test]
fn adjustments_are_signed_and_a_negative_commission_is_not_reversed() {
    club(
        r#"
01-02 10:00 Commission commission_id=x1 kind=earned member_id=ann amount=100
01-02 10:01 Commission commission_id=x1 kind=adjusted member_id=ann amount=-150
01-02 10:02 Commission commission_id=x1 kind=reversed member_id=ann amount=30
01-02 10:03 Commission commission_id=x1 kind=adjusted member_id=ann amount=70
        "#,
        "commissions days",
        expect![[r#"
            01-02 10:00 x1 ann: 20 EUR earned, 20 reversed, reversed
            01-02; EUR earned 20 reversed 20
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn the_currency_of_what_is_said_later_must_agree() {
    club(
        r#"
01-02 10:00 Commission commission_id=x1 kind=earned member_id=ann amount=100 currency=USD
01-02 10:01 Commission commission_id=x1 kind=paid member_id=ann amount=100 currency=EUR
01-02 10:02 Commission commission_id=x1 kind=paid member_id=ann amount=100
        "#,
        "commissions members",
        expect![[r#"
            01-02 10:00 x1 ann: 100 USD earned, paid 100 on 01-02 10:02
            ann active code ANN, joined 01-01 00:00, seen 01-01 00:00; USD earned 100 paid 100
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            ! currency_mismatch #4: "x1" is owed in USD
            = 6 read: 5 applied, 1 dead
        "#]],
    );
}

#[test]
fn a_derived_commission_matures_when_the_watermark_passes_its_hold() {
    deriving(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1005
01-03 10:00 Conversion conversion_id=p2 kind=renewal referral_code=BOB customer_id=u2 amount=995 payment_type=initial
01-16 10:10 Tick
        "#,
        "members commissions",
        expect![[r#"
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:00; orders 1, customers 1, referrals 1, EUR gross 1005 earned 151 approved 151
            bob active code BOB, joined 01-01 00:00, seen 01-03 10:00; orders 1, customers 1, referrals 1, EUR gross 995 earned 150 held 150
            01-02 10:00 auto:p1:ann ann for p1: 151 EUR earned, initial, approved
            01-03 10:00 auto:p2:bob bob for p2: 150 EUR earned, initial, held
            = 6 read: 6 applied
        "#]],
    );
}

#[test]
fn a_derived_commission_is_held_while_the_watermark_is_before() {
    deriving(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1005
01-16 10:09:59.999 Tick
        "#,
        "commissions",
        expect![[r#"
            01-02 10:00 auto:p1:ann ann for p1: 151 EUR earned, initial, held
            = 5 read: 5 applied
        "#]],
    );
}

#[test]
fn a_derived_commission_follows_refunds_and_credit_that_came_late() {
    deriving(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase click_id=k1 customer_id=u1 amount=1000
01-02 11:00 Conversion conversion_id=r1 kind=refund original_id=p1 amount=500
01-02 09:30 Click click_id=k1 member_id=ann @01-02 12:00
01-02 09:00 Click click_id=k2 member_id=ann @01-02 12:00
01-02 12:01 Conversion conversion_id=p2 kind=purchase click_id=k2 customer_id=u2 amount=1000
        "#,
        "conversions commissions members",
        expect![[r#"
            01-02 10:00 p1 purchase 1000 EUR by u1, 500 taken back → ann: click
            01-02 11:00 r1 refund 500 EUR of p1
            01-02 12:01 p2 purchase 1000 EUR by u2 → ann: click
            01-02 10:00 auto:p1:ann ann for p1: 150 EUR earned, 75 reversed, initial, held
            01-02 12:01 auto:p2:ann ann for p2: 150 EUR earned, initial, held
            ann active code ANN, joined 01-01 00:00, seen 01-02 12:01; clicks 2/2/2, orders 2, customers 2, referrals 2, EUR gross 2000 refunded 500 earned 300 reversed 75 held 225
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            = 8 read: 8 applied
        "#]],
    );
}

#[test]
fn the_flat_amount_is_in_the_creators_currency_only() {
    deriving(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000 currency=USD
01-02 10:01 Conversion conversion_id=p2 kind=purchase referral_code=ANN customer_id=u1 amount=1000 currency=EUR
01-02 10:02 Conversion conversion_id=p3 kind=purchase referral_code=ANN customer_id=u1 amount=-1005
        "#,
        "commissions",
        expect![[r#"
            01-02 10:00 auto:p1:ann ann for p1: 100 USD earned, initial, held
            01-02 10:01 auto:p2:ann ann for p2: 150 EUR earned, initial, held
            01-02 10:02 auto:p3:ann ann for p3: -51 EUR earned, initial, held
            = 6 read: 6 applied
        "#]],
    );
}

#[test]
fn where_commissions_are_derived_a_producer_states_bonuses_only() {
    deriving(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-02 10:01 Commission commission_id=x1 kind=earned member_id=ann conversion_id=p1 amount=100
01-02 10:02 Commission commission_id=x2 kind=earned member_id=ann amount=100
01-02 10:03 Commission commission_id=auto:p1:ann kind=adjusted member_id=ann amount=-20
01-02 10:04 Commission commission_id=auto:p2:ann kind=earned member_id=ann amount=7
01-02 10:05 Conversion conversion_id=p2 kind=purchase referral_code=ANN customer_id=u1 amount=2000
        "#,
        "commissions",
        expect![[r#"
            01-02 10:00 auto:p1:ann ann for p1: 130 EUR earned, initial, held
            01-02 10:02 x2 ann: 100 EUR earned, held
            01-02 10:05 auto:p2:ann ann for p2: 250 EUR earned, initial, held
            ! commission_is_derived #4: this creator's commissions are derived from its conversions; a bonus names none
            ! commission_is_derived #7: ids that begin with "auto:" are those of derived commissions
            = 9 read: 7 applied, 2 dead
        "#]],
    );
}

#[test]
fn only_the_kinds_named_earn() {
    story(
        r#"
01-01 00:00 Creator name=Club currency=EUR time_zone=UTC commission={"source":"derived","rate_bp":1000,"flat_amount":50,"on":["signup","renewal"]}
01-01 00:00 Member member_id=ann referral_code=ANN
01-02 10:00 Conversion conversion_id=g1 kind=signup referral_code=ANN customer_id=u1
01-02 10:01 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-02 10:02 Conversion conversion_id=p2 kind=renewal referral_code=ANN customer_id=u1 amount=1000
        "#,
        "commissions",
        expect![[r#"
            01-02 10:00 auto:g1:ann ann for g1: 50 EUR earned, held
            01-02 10:02 auto:p2:ann ann for p2: 150 EUR earned, recurring, held
            = 5 read: 5 applied
        "#]],
    );
}

#[test]
fn two_commissions_of_one_order_both_follow_it() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-02 10:01 Commission commission_id=x1 kind=earned member_id=ann conversion_id=p1 amount=100
01-02 10:01 Commission commission_id=x2 kind=earned member_id=bob conversion_id=p1 amount=50
01-03 10:00 Conversion conversion_id=r1 kind=refund original_id=p1 amount=500
        "#,
        "commissions members",
        expect![[r#"
            01-02 10:01 x1 ann for p1: 100 EUR earned, 50 reversed, held
            01-02 10:01 x2 bob for p1: 50 EUR earned, 25 reversed, held
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:00; orders 1, customers 1, referrals 1, EUR gross 1000 refunded 500 earned 100 reversed 50 held 50
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00; EUR earned 50 reversed 25 held 25
            = 7 read: 7 applied
        "#]],
    );
}
