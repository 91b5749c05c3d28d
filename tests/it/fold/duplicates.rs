//! What is known already, and what contradicts it (SEMANTICS §2).

use expect_test::expect;

use super::story::club;

#[test]
fn the_same_purchase_with_a_new_event_id_has_one_effect() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-02 10:01 Conversion conversion_id=p1 kind=purchase customer_id=u1 amount=1000 plan=gold
        "#,
        "conversions creator",
        expect![[r#"
            01-02 10:00 p1 purchase 1000 EUR by u1 → ann: code
            Club EUR UTC, clock 01-02 10:00, 2/2 members active; orders 1, customers 1, referrals 1, EUR gross 1000
            = 5 read: 4 applied, 1 duplicate
        "#]],
    );
}

#[test]
fn the_same_event_id_with_another_payload_is_a_conflict_and_the_first_wins() {
    club(
        r#"
01-02 10:00 Member event_id=x member_id=ann username=Ann
01-02 10:00 Member event_id=x member_id=ann username=Anna
01-02 10:00 Conversion event_id=x conversion_id=p1 kind=purchase customer_id=u1 amount=1000
        "#,
        "members",
        expect![[r#"
            ann active code ANN name Ann, joined 01-01 00:00, seen 01-02 10:00
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            ! conflict #4: event_id "x" came before with other facts; the first one stands
            ! conflict #5: event_id "x" came before with other facts; the first one stands
            = 6 read: 4 applied, 2 dead
        "#]],
    );
}

#[test]
fn received_at_and_tokens_do_not_make_a_conflict() {
    club(
        r#"
01-02 10:00 Conversion event_id=x conversion_id=p1 kind=purchase customer_id=u1 amount=1000 ip_token=00000000000000000000000000000001
01-02 10:00 Conversion event_id=x conversion_id=p1 kind=purchase customer_id=u1 amount=1000 device_token=00000000000000000000000000000002 received_at=2026-01-02T10:00:01Z
        "#,
        "conversions",
        expect![[r#"
            01-02 10:00 p1 purchase 1000 EUR by u1 → nobody: no_touch
            = 5 read: 4 applied, 1 duplicate
        "#]],
    );
}

#[test]
fn the_same_conversion_id_with_another_amount_is_a_conflict() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase customer_id=u1 amount=1000
01-02 10:01 Conversion conversion_id=p1 kind=purchase customer_id=u1 amount=1001
01-02 10:01 Conversion conversion_id=p1 kind=purchase customer_id=u2 amount=1000
01-02 10:01 Conversion conversion_id=p1 kind=purchase customer_id=u1 amount=1000 currency=USD
01-02 10:01 Conversion conversion_id=p1 kind=refund customer_id=u1 amount=1000 original_id=p1
        "#,
        "conversions",
        expect![[r#"
            01-02 10:00 p1 purchase 1000 EUR by u1 → nobody: no_touch
            ! conflict #4: conversion_id "p1" came before with other facts; the first one stands
            ! conflict #5: conversion_id "p1" came before with other facts; the first one stands
            ! conflict #6: conversion_id "p1" came before with other facts; the first one stands
            ! conflict #7: conversion_id "p1" came before with other facts; the first one stands
            = 8 read: 4 applied, 4 dead
        "#]],
    );
}

#[test]
fn a_duplicate_eight_days_or_two_years_later_has_no_effect() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-02 10:01 Click click_id=k1 member_id=ann
01-10 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-10 10:00 Click click_id=k1 member_id=ann
2028-01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
        "#,
        "creator days",
        expect![[r#"
            Club EUR UTC, clock 01-02 10:01, 2/2 members active; clicks 1/1/1, orders 1, customers 1, referrals 1, EUR gross 1000
            01-02; clicks 1/1/1, orders 1, customers 1, referrals 1, EUR gross 1000
            = 8 read: 5 applied, 3 duplicate
        "#]],
    );
}

#[test]
fn a_click_id_must_agree_in_member_and_code_only() {
    club(
        r#"
01-02 10:00 Click event_id=x click_id=k1 referral_code=ANN country=DE
01-02 10:01 Click event_id=y click_id=k1 referral_code=" ann" country=FR
01-02 10:02 Click event_id=y click_id=k1 referral_code=BOB
01-02 10:02 Click event_id=x click_id=k2 member_id=bob
        "#,
        "creator",
        expect![[r#"
            Club EUR UTC, clock 01-02 10:02, 2/2 members active; clicks 2/2/2
            ! conflict #5: click_id "k1" came before with other facts; the first one stands
            = 7 read: 5 applied, 1 duplicate, 1 dead
        "#]],
    );
}

#[test]
fn a_share_id_must_agree_in_member_and_platform() {
    club(
        r#"
01-02 10:00 Share share_id=s1 member_id=ann platform=x share_type=link
01-02 10:01 Share share_id=s1 member_id=ann platform=x share_type=qr
01-02 10:02 Share share_id=s1 member_id=ann platform=mail share_type=link
01-02 10:02 Share share_id=s1 member_id=bob platform=x share_type=link
        "#,
        "creator",
        expect![[r#"
            Club EUR UTC, clock 01-02 10:00, 2/2 members active; shares 1
            ! conflict #5: share_id "s1" came before with other facts; the first one stands
            ! conflict #6: share_id "s1" came before with other facts; the first one stands
            = 7 read: 4 applied, 1 duplicate, 2 dead
        "#]],
    );
}

#[test]
fn earned_approved_and_paid_are_known_by_their_commission_id_adjusted_and_reversed_are_not() {
    club(
        r#"
01-02 10:00 Commission commission_id=x1 kind=earned member_id=ann amount=500
01-02 10:01 Commission commission_id=x1 kind=earned member_id=ann amount=500
01-02 10:02 Commission commission_id=x1 kind=earned member_id=ann amount=501
01-02 10:03 Commission event_id=a commission_id=x1 kind=adjusted member_id=ann amount=10
01-02 10:03 Commission event_id=a commission_id=x1 kind=adjusted member_id=ann amount=10
01-02 10:03 Commission event_id=b commission_id=x1 kind=adjusted member_id=ann amount=10
01-02 10:04 Commission commission_id=x1 kind=approved member_id=ann
01-02 10:05 Commission commission_id=x1 kind=approved member_id=ann
01-02 10:06 Commission commission_id=x1 kind=paid member_id=ann amount=520
01-02 10:07 Commission commission_id=x1 kind=paid member_id=ann amount=520
01-02 10:08 Commission commission_id=x1 kind=paid member_id=ann amount=1
        "#,
        "commissions creator",
        expect![[r#"
            01-02 10:00 x1 ann: 520 EUR earned, paid 520 on 01-02 10:06
            Club EUR UTC, clock 01-02 10:06, 2/2 members active; EUR earned 520 paid 520
            ! conflict #5: commission_id "x1" came before with other facts; the first one stands
            ! conflict #13: commission_id "x1" came before with other facts; the first one stands
            = 14 read: 8 applied, 4 duplicate, 2 dead
        "#]],
    );
}

#[test]
fn a_dead_record_claims_no_id() {
    club(
        r#"
01-02 10:00 Conversion event_id=x conversion_id=p1 kind=purchase customer_id=u1 amount=1000 currency=USD
01-02 10:01 Conversion event_id=y conversion_id=r1 kind=refund original_id=p1 amount=100 currency=EUR
01-02 10:02 Conversion event_id=y conversion_id=r1 kind=refund original_id=p1 amount=100 currency=USD
        "#,
        "conversions",
        expect![[r#"
            01-02 10:00 p1 purchase 1000 USD by u1, 100 taken back → nobody: no_touch
            01-02 10:02 r1 refund 100 USD of p1
            ! currency_mismatch #4: "p1" was paid in USD
            = 6 read: 5 applied, 1 dead
        "#]],
    );
}

/// It was taken for a time before its own, which the floor has passed; its own it has not.
#[test]
fn a_record_that_was_dated_ahead_is_known_as_long_as_it_is_not_too_late() {
    club(
        r#"
01-02 20:00 Click click_id=k1 member_id=ann @01-02 10:00
01-02 20:00 Share share_id=s1 member_id=ann platform=x share_type=link @01-02 10:00
01-02 20:00 Sighting event_id=x member_id=ann @01-02 10:00
02-16 15:00 Tick
01-02 20:00 Click click_id=k1 member_id=ann @02-16 15:00
01-02 20:00 Share share_id=s1 member_id=ann platform=x share_type=link @02-16 15:00
01-02 20:00 Sighting event_id=x member_id=ann @02-16 15:00
02-16 21:00 Tick
01-02 20:00 Click click_id=k1 member_id=ann @02-16 21:00
        "#,
        "creator",
        expect![[r#"
            Club EUR UTC, clock 02-16 21:00, 2/2 members active; clicks 1/1/1, shares 1
            ! too_late #11: of 2026-01-02T20:00:00Z, older than the horizon, which is at 2026-01-02T21:00:00Z
            = 12 read: 8 applied, 3 duplicate, 1 dead
        "#]],
    );
}

#[test]
fn a_click_forgotten_below_the_floor_does_not_slip_in_again() {
    club(
        r#"
01-02 10:00 Click click_id=k1 member_id=ann
03-10 00:00 Tick
01-02 10:00 Click click_id=k1 member_id=ann @03-10 00:00
        "#,
        "creator",
        expect![[r#"
            Club EUR UTC, clock 03-10 00:00, 2/2 members active; clicks 1/1/1
            ! too_late #5: of 2026-01-02T10:00:00Z, older than the horizon, which is at 2026-01-24T00:00:00Z
            = 6 read: 5 applied, 1 dead
        "#]],
    );
}
