//! Creators, members and their codes (SEMANTICS §4).

use expect_test::expect;

use super::story::{club, deriving, story};

#[test]
fn a_member_record_changes_only_the_fields_it_carries() {
    club(
        r#"
01-02 10:00 Member member_id=ann user_id=u-7 username=Ann joined_at=2025-05-01T00:00:00Z status=suspended
01-03 10:00 Member member_id=ann username=Anna
        "#,
        "creator members",
        expect![[r#"
            Club EUR UTC, clock 01-03 10:00, 1/2 members active
            ann suspended code ANN user u-7 name Anna, joined 2025-05-01 00:00, seen 01-03 10:00
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            = 5 read: 5 applied
        "#]],
    );
}

#[test]
fn codes_are_compared_trimmed_and_without_ascii_case() {
    club(
        r#"
01-02 10:00 Member member_id=ann coupons=[" Spring ","É"]
01-02 10:01 Click click_id=k1 referral_code=" aNn "
01-02 10:02 Click click_id=k2 referral_code=SPRING
01-02 10:03 Click click_id=k3 referral_code=É
01-02 10:04 Click click_id=k4 referral_code=é
        "#,
        "members names",
        expect![[r#"
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:03; clicks 3/3/3
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            member "ann" is member 0
            member "bob" is member 1
            code "ann" is member 0
            code "bob" is member 1
            code "spring" is member 0
            code "É" is member 0
            = 8 read: 7 applied, 1 parked
        "#]],
    );
}

#[test]
fn a_code_once_held_stays_that_members_and_the_rest_of_the_record_applies() {
    club(
        r#"
01-02 10:00 Member member_id=bob referral_code=" ann " username=Robert coupons=["B2"]
01-02 10:01 Member member_id=ann referral_code=ANNA
01-02 10:02 Member member_id=bob referral_code=ANN
01-02 10:03 Click click_id=k1 referral_code=ANN
        "#,
        "members names",
        expect![[r#"
            ann active code ANNA, joined 01-01 00:00, seen 01-02 10:03; clicks 1/1/1
            bob active code BOB name Robert, joined 01-01 00:00, seen 01-02 10:02
            member "ann" is member 0
            member "bob" is member 1
            code "ann" is member 0
            code "anna" is member 0
            code "b2" is member 1
            code "bob" is member 1
            ! code_taken #3: the code "ann" is "ann"'s and stays so
            ! code_taken #5: the code "ANN" is "ann"'s and stays so
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn suspended_is_credited_but_held_until_active_again() {
    deriving(
        r#"
01-02 10:00 Member member_id=ann status=suspended
01-02 10:01 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-20 10:00 Conversion conversion_id=p2 kind=purchase referral_code=ANN customer_id=u2 amount=1000
01-20 10:01 Commission commission_id=auto:p2:ann kind=approved member_id=ann
        "#,
        "members commissions",
        expect![[r#"
            ann suspended code ANN, joined 01-01 00:00, seen 01-20 10:00; orders 2, customers 2, referrals 2, EUR gross 2000 earned 300 held 300
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            01-02 10:01 auto:p1:ann ann for p1: 150 EUR earned, initial, held
            01-20 10:00 auto:p2:ann ann for p2: 150 EUR earned, initial, held
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn active_again_releases_what_was_held_for_the_suspension() {
    deriving(
        r#"
01-02 10:00 Member member_id=ann status=suspended
01-02 10:01 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-20 10:00 Conversion conversion_id=p2 kind=purchase referral_code=ANN customer_id=u2 amount=1000
01-20 10:01 Member member_id=ann status=active
        "#,
        "members commissions",
        expect![[r#"
            ann active code ANN, joined 01-01 00:00, seen 01-20 10:01; orders 2, customers 2, referrals 2, EUR gross 2000 earned 300 held 150 approved 150
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            01-02 10:01 auto:p1:ann ann for p1: 150 EUR earned, initial, approved
            01-20 10:00 auto:p2:ann ann for p2: 150 EUR earned, initial, held
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn removed_gets_no_new_credit_and_what_is_held_stays_held() {
    deriving(
        r#"
01-02 10:01 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-03 10:00 Member member_id=ann status=removed
01-04 10:00 Conversion conversion_id=p2 kind=purchase referral_code=ANN customer_id=u2 amount=1000
01-04 10:01 Click click_id=k1 member_id=ann
01-30 10:00 Tick
01-30 10:00 Commission commission_id=auto:p1:ann kind=approved member_id=ann
        "#,
        "creator members conversions commissions",
        expect![[r#"
            Club EUR UTC, clock 01-30 10:00, 1/2 members active; clicks 1/1/1, orders 2, customers 2, referrals 1, EUR gross 2000 earned 150 held 150
            ann removed code ANN, joined 01-01 00:00, seen 01-04 10:01; clicks 1/1/1, orders 1, customers 1, referrals 1, EUR gross 1000 earned 150 held 150
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            01-02 10:01 p1 purchase 1000 EUR by u1 → ann: code
            01-04 10:00 p2 purchase 1000 EUR by u2 → nobody: member_removed
            01-02 10:01 auto:p1:ann ann for p1: 150 EUR earned, initial, held
            = 9 read: 9 applied
        "#]],
    );
}

#[test]
fn a_removed_member_is_paid_when_a_record_says_so() {
    deriving(
        r#"
01-02 10:01 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-03 10:00 Member member_id=ann status=removed
01-30 10:00 Commission commission_id=auto:p1:ann kind=paid member_id=ann
        "#,
        "members commissions",
        expect![[r#"
            ann removed code ANN, joined 01-01 00:00, seen 01-03 10:00; orders 1, customers 1, referrals 1, EUR gross 1000 earned 150 paid 150
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            01-02 10:01 auto:p1:ann ann for p1: 150 EUR earned, initial, paid 150 on 01-30 10:00
            = 6 read: 6 applied
        "#]],
    );
}

#[test]
fn a_creator_record_replaces_the_settings_and_orders_keep_theirs() {
    deriving(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase click_id=late referral_code=ANN customer_id=u1 amount=1000
01-02 10:01 Creator name=Club currency=USD time_zone=UTC commission={"source":"derived","rate_bp":2000}
01-02 10:02 Conversion conversion_id=p2 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-02 10:03 Click click_id=late member_id=ann
        "#,
        "creator commissions",
        expect![[r#"
            Club USD UTC, clock 01-02 10:03, 2/2 members active; clicks 1/1/1, orders 2, customers 1, referrals 1, EUR gross 1000 earned 150 held 150, USD gross 1000 earned 200 held 200
            01-02 10:00 auto:p1:ann ann for p1: 150 EUR earned, initial, held
            01-02 10:02 auto:p2:ann ann for p2: 200 USD earned, initial, held
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn an_unknown_time_zone_is_dead() {
    story(
        r#"
01-02 10:00 Creator name=Club currency=EUR time_zone=Mars/Base
01-02 10:01 Creator name=Club currency=EUR time_zone=Europe/Berlin
        "#,
        "creator",
        expect![[r#"
            Club EUR Europe/Berlin, clock 01-02 10:01, 0/0 members active
            ! invalid_time_zone #0: "Mars/Base" is not an IANA time zone
            = 2 read: 1 applied, 1 dead
        "#]],
    );
}
