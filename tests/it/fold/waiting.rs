//! Records that come before what they refer to (SEMANTICS §3).

use expect_test::expect;

use super::story::{club, deriving, events, run, story, text};
use super::sums;
use super::world::Flush;

#[test]
fn anything_before_its_creator_waits_and_is_applied_oldest_first() {
    story(
        r#"
01-02 10:00 Click click_id=k1 referral_code=ANN
01-02 10:01 Conversion conversion_id=r1 kind=refund original_id=p1 amount=400
01-02 10:02 Conversion conversion_id=p1 kind=purchase click_id=k1 customer_id=u1 amount=1000
01-02 10:03 Commission commission_id=x1 kind=approved member_id=ann
01-02 10:04 Commission commission_id=x1 kind=earned member_id=ann conversion_id=p1 amount=100
01-02 10:05 Share share_id=s1 member_id=ann platform=x share_type=link
01-02 10:06 Member member_id=ann referral_code=ann
01-02 10:07 Creator name=Club currency=EUR time_zone=UTC
        "#,
        "creator members conversions commissions",
        expect![[r#"
            Club EUR UTC, clock 01-02 10:07, 1/1 members active; clicks 1/1/1, shares 1, orders 1, customers 1, referrals 1, EUR gross 1000 refunded 400 earned 100 reversed 40 approved 60
            ann active code ann, joined 01-02 10:06, seen 01-02 10:06; clicks 1/1/1, shares 1, orders 1, customers 1, referrals 1, EUR gross 1000 refunded 400 earned 100 reversed 40 approved 60
            01-02 10:01 r1 refund 400 EUR of p1
            01-02 10:02 p1 purchase 1000 EUR by u1, 400 taken back → ann: click
            01-02 10:04 x1 ann for p1: 100 EUR earned, 40 reversed, approved
            = 8 read: 8 applied
        "#]],
    );
}

#[test]
fn a_share_a_click_and_a_commission_wait_for_their_member() {
    club(
        r#"
01-02 10:00 Share share_id=s1 member_id=cid platform=x share_type=link
01-02 10:01 Click click_id=k1 member_id=cid
01-02 10:02 Commission commission_id=x1 kind=earned member_id=cid amount=100
01-02 10:03 Sighting member_id=cid
01-02 10:04 Click click_id=k2 referral_code=CID
01-02 10:05 Member member_id=cid
01-02 10:06 Member member_id=cid coupons=["cid"]
        "#,
        "members commissions",
        expect![[r#"
            ann active code ANN, joined 01-01 00:00, seen 01-01 00:00
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            cid active, joined 01-02 10:05, seen 01-02 10:06; clicks 2/2/2, shares 1, EUR earned 100 held 100
            01-02 10:02 x1 cid: 100 EUR earned, held
            = 10 read: 10 applied
        "#]],
    );
}

#[test]
fn a_refund_before_its_purchase_waits_for_it() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=r1 kind=refund original_id=p1 amount=400
01-02 10:01 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
        "#,
        "conversions members",
        expect![[r#"
            01-02 10:00 r1 refund 400 EUR of p1
            01-02 10:01 p1 purchase 1000 EUR by u1, 400 taken back → ann: code
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:01; orders 1, customers 1, referrals 1, EUR gross 1000 refunded 400
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            = 5 read: 5 applied
        "#]],
    );
}

#[test]
fn a_won_chargeback_waits_for_the_chargeback() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=w1 kind=chargeback_reversed original_id=b1
01-02 10:01 Conversion conversion_id=w2 kind=chargeback_reversed original_id=p1
01-02 10:02 Conversion conversion_id=p1 kind=purchase customer_id=u1 amount=1000
01-02 10:03 Conversion conversion_id=b1 kind=chargeback original_id=p1 amount=300
01-02 10:04 Conversion conversion_id=b2 kind=chargeback original_id=p1 amount=200
        "#,
        "conversions",
        expect![[r#"
            01-02 10:00 w1 chargeback_reversed 300 EUR of b1
            01-02 10:01 w2 chargeback_reversed 200 EUR of p1
            01-02 10:02 p1 purchase 1000 EUR by u1 → nobody: no_touch
            01-02 10:03 b1 chargeback 300 EUR of p1
            01-02 10:04 b2 chargeback 200 EUR of p1
            = 8 read: 8 applied
        "#]],
    );
}

#[test]
fn what_is_said_of_a_commission_waits_for_earned() {
    club(
        r#"
01-02 10:00 Commission commission_id=x1 kind=adjusted member_id=ann amount=-50
01-02 10:01 Commission commission_id=x1 kind=paid member_id=ann
01-02 10:02 Commission commission_id=x1 kind=earned member_id=ann amount=500
        "#,
        "commissions members",
        expect![[r#"
            01-02 10:02 x1 ann: 450 EUR earned, paid 450 on 01-02 10:01
            ann active code ANN, joined 01-01 00:00, seen 01-01 00:00; EUR earned 450 paid 450
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            = 6 read: 6 applied
        "#]],
    );
}

#[test]
fn what_is_said_of_a_derived_commission_waits_for_it() {
    deriving(
        r#"
01-02 10:00 Commission commission_id=auto:p1:ann kind=approved member_id=ann
01-02 10:01 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
        "#,
        "commissions",
        expect![[r#"
            01-02 10:01 auto:p1:ann ann for p1: 150 EUR earned, initial, approved
            = 5 read: 5 applied
        "#]],
    );
}

#[test]
fn shares_clicks_and_sightings_wait_30_days_and_money_for_ever() {
    club(
        r#"
01-02 10:00 Click click_id=k1 member_id=cid
01-02 10:00 Share share_id=s1 member_id=cid platform=x share_type=link
01-02 10:00 Sighting member_id=cid
01-02 10:00 Commission commission_id=x1 kind=earned member_id=cid amount=100
02-01 10:09 Tick
02-01 10:10 Tick
02-01 10:11 Member member_id=cid
        "#,
        "members",
        expect![[r#"
            ann active code ANN, joined 01-01 00:00, seen 01-01 00:00
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            cid active, joined 02-01 10:11, seen 02-01 10:11; EUR earned 100 held 100
            ! unresolved #3: what it refers to did not come within 30 days
            ! unresolved #4: what it refers to did not come within 30 days
            ! unresolved #5: what it refers to did not come within 30 days
            = 10 read: 7 applied, 3 dead
        "#]],
    );
}

#[test]
fn what_became_too_late_while_it_waited_is_not_applied() {
    story(
        r#"
01-02 10:00 Click click_id=k1 member_id=ann
01-03 10:00 Creator name=Club currency=EUR time_zone=UTC
01-31 10:00 Click click_id=k2 member_id=ann
01-05 10:00 Click click_id=k3 member_id=ann @01-31 10:01
03-01 10:00 Member member_id=ann
        "#,
        "members",
        expect![[r#"
            ann active, joined 03-01 10:00, seen 03-01 10:00; clicks 1/1/1
            ! unresolved #0: what it refers to did not come within 30 days
            ! too_late #3: of 2026-01-05T10:00:00Z, older than the horizon, which is at 2026-01-15T10:00:00Z
            = 5 read: 3 applied, 2 dead
        "#]],
    );
}

#[test]
fn a_record_that_waits_is_a_duplicate_once_the_first_is_applied() {
    club(
        r#"
01-02 10:00 Conversion event_id=x conversion_id=r1 kind=refund original_id=p1 amount=400
01-02 10:00 Conversion event_id=x conversion_id=r1 kind=refund original_id=p1 amount=400
01-02 10:00 Conversion event_id=y conversion_id=r1 kind=refund original_id=p1 amount=401
01-02 10:01 Conversion conversion_id=p1 kind=purchase customer_id=u1 amount=1000
        "#,
        "conversions",
        expect![[r#"
            01-02 10:00 r1 refund 400 EUR of p1
            01-02 10:01 p1 purchase 1000 EUR by u1, 400 taken back → nobody: no_touch
            ! conflict #5: conversion_id "r1" came before with other facts; the first one stands
            = 7 read: 5 applied, 1 duplicate, 1 dead
        "#]],
    );
}

/// Who is waited for comes too late for the first, and in time for the second: no id was claimed by one that was never
/// applied. The clock that the first moves serves another that waited (the approval), as it begins to wait itself.
#[test]
fn what_waited_in_vain_may_come_again_and_is_applied_once() {
    deriving(
        r#"
01-02 10:00 Commission commission_id=auto:p1:ann kind=approved member_id=ann
01-02 10:01 Conversion conversion_id=p1 kind=purchase click_id=k1 referral_code=ANN customer_id=u1 amount=1000
01-04 10:00 Sighting event_id=x member_id=cid
02-13 10:00 Tick
01-04 10:00 Sighting event_id=x member_id=cid @02-13 10:00
02-13 10:01 Member member_id=cid
01-04 10:00 Sighting event_id=x member_id=cid @02-13 10:02
        "#,
        "commissions members",
        expect![[r#"
            01-02 10:01 auto:p1:ann ann for p1: 150 EUR earned, initial, approved
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:01; orders 1, customers 1, referrals 1, EUR gross 1000 earned 150 approved 150
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            cid active, joined 02-13 10:01, seen 02-13 10:01
            ! unresolved #5: what it refers to did not come within 30 days
            = 10 read: 8 applied, 1 duplicate, 1 dead
        "#]],
    );
}

/// One creator's records wait, ten thousand at most; others' are not touched by that.
#[test]
fn the_record_after_ten_thousand_that_wait_is_dead() {
    let mut events = events("01-01 00:00 Creator name=Club currency=EUR time_zone=UTC");
    for n in 0..10_001 {
        let lines = format!("01-02 10:00 Click event_id=w{n} click_id=w{n} member_id=cid");
        events.extend(super::story::events(&lines));
    }
    events.extend(super::story::events(
        "01-02 10:00 Share creator_id=d share_id=s1 member_id=cid platform=x share_type=link",
    ));
    let waiting = run(&events, Flush::AtTheEnd);
    assert_eq!((waiting.tally.parked, waiting.tally.dead), (10_001, 1));
    events.extend(super::story::events("01-02 10:01 Member event_id=m member_id=cid"));
    let world = run(&events, Flush::AtTheEnd);
    sums::check(&world);
    sums::check_books(&world);
    expect![[r#"
        cid active, joined 01-02 10:01, seen 01-02 10:01; clicks 10000/10000/10000
        ! park_full #10001: 10000 records of this creator wait already
        = 10004 read: 10002 applied, 1 parked, 1 dead
    "#]]
    .assert_eq(&text(&world, "members", "c"));
}
