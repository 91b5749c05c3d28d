//! Stories in which the fold and the model once differed, each with what is right.

use super::compare::{expected, folded, rows_of_world};
use crate::fold::story;

/// What the row of this name must say, by both.
fn both_say(lines: &str, row: &str, text: &str) {
    let events = story::events(lines);
    let say = |rows: super::compare::Rows| rows.get(row).cloned().unwrap_or_else(|| "(no row)".to_owned());
    assert_eq!(say(expected(&events)), text, "the model says of {row}");
    assert_eq!(say(rows_of_world(&folded(&events))), text, "the fold says of {row}");
}

#[test]
fn shorter_windows_bring_the_floor_nearer_with_the_next_record_and_not_before() {
    both_say(
        r#"
2026-01-01 00:00 Creator name=Club currency=EUR time_zone=UTC attribution={"signup_window_ms":5184000000}
2026-01-01 00:00 Member member_id=ann
2026-02-20 00:00 Creator name=Club currency=EUR time_zone=UTC
2026-01-01 00:00 Click click_id=k1 member_id=ann @02-20 00:00
2026-01-01 00:00 Click click_id=k2 member_id=ann @02-20 00:00
        "#,
        "letters",
        "#4 too_late",
    );
}

#[test]
fn a_sighting_with_the_event_id_of_an_old_member_record_is_a_conflict() {
    both_say(
        r#"
2026-01-01 00:00 Creator name=Club currency=EUR time_zone=UTC
2026-01-01 00:00 Member event_id=x member_id=ann
2026-03-01 00:00 Tick
2026-03-01 00:00 Sighting event_id=x member_id=ann
        "#,
        "letters",
        "#3 conflict",
    );
}

#[test]
fn the_event_id_of_a_forgotten_sighting_is_free() {
    both_say(
        r#"
2026-01-01 00:00 Creator name=Club currency=EUR time_zone=UTC
2026-01-01 00:00 Member member_id=ann
2026-01-01 00:00 Sighting event_id=x member_id=ann
2026-03-01 00:00 Tick
2026-03-01 00:00 Member event_id=x member_id=bob
        "#,
        "letters",
        "",
    );
}

#[test]
fn a_click_is_not_taken_for_a_forgotten_one_that_had_its_id() {
    both_say(
        r#"
2026-01-01 00:00 Creator name=Club currency=EUR time_zone=UTC attribution={"model":"first"}
2026-01-01 00:00 Member member_id=ann
2026-01-01 00:00 Member member_id=bob
2026-01-02 00:00 Click click_id=k1 member_id=ann ip_token=00000000000000000000000000000001
2026-02-10 00:00 Click click_id=k2 member_id=ann ip_token=00000000000000000000000000000001
2026-02-20 00:00 Tick
2026-02-20 00:01 Click click_id=k1 member_id=bob
2026-02-20 00:02 Conversion conversion_id=p1 kind=purchase amount=100 ip_token=00000000000000000000000000000001
        "#,
        "conversion c \"p1\"",
        r#"["purchase", "", "", ""] at 1771545720000, 0 of 100 EUR taken, to "ann" [] by visitor "k2""#,
    );
}

#[test]
fn who_is_known_by_a_refund_alone_is_no_customer_to_erase() {
    both_say(
        r#"
2026-01-01 00:00 Creator name=Club currency=EUR time_zone=UTC
2026-01-01 00:00 Conversion conversion_id=p1 kind=purchase amount=100
2026-01-01 00:00 Conversion conversion_id=r1 kind=refund original_id=p1 customer_id=u1
2026-01-01 00:00 Erasure subject_type=customer subject_id=u1 actor=o
        "#,
        "letters",
        "#3 unknown_subject",
    );
}

#[test]
fn a_verdict_on_a_refund_blocks_no_commission() {
    both_say(
        r#"
2026-01-01 00:00 Creator name=Club currency=EUR time_zone=UTC
2026-01-01 00:00 Member member_id=ann
2026-01-01 00:00 Conversion conversion_id=p1 kind=purchase amount=100
2026-01-01 00:00 Conversion conversion_id=r1 kind=refund original_id=p1
2026-01-01 00:00 Commission commission_id=x1 kind=earned member_id=ann conversion_id=r1 amount=10
2026-01-01 00:00 Review subject_type=conversion subject_id=r1 verdict=block label=fraud reason=r actor=o
        "#,
        "member c 0",
        r#"["ann", "", "", ""] active since 1767225600000, (0, 0, 0); EUR earned 10 held 10"#,
    );
}

#[test]
fn what_was_tried_again_in_vain_keeps_its_place_among_those_that_wait() {
    both_say(
        r#"
2026-01-03 05:00 Creator name=Club currency=EUR time_zone=UTC
2026-01-03 05:00 Member member_id=ann coupons=["b"]
2026-01-01 03:00 Conversion conversion_id=p1 kind=signup click_id=k5 referral_code=b customer_id=u1 @01-03 05:00
2026-01-01 03:11 Conversion conversion_id=p2 kind=purchase click_id=k2 customer_id=u1 amount=0 @01-03 05:00
2026-01-02 03:11 Conversion conversion_id=p3 kind=renewal click_id=k2 original_id=p2 amount=1000 @01-03 05:00
2026-01-03 05:06 Click click_id=k5 member_id=ann
2026-01-02 03:15 Click click_id=k2 member_id=ann @01-03 06:06
        "#,
        "conversion c \"p3\"",
        r#"["renewal", "p2", "", ""] at 1767323460000, 0 of 1000 EUR taken, to "ann" [] by owner """#,
    );
}

/// The code brings p1 credit, with which p2 is tried again: the click, which has come with the code, was too late for it,
/// and it goes on to wait for another code. p3 was behind it in the list of those that wait for the click.
#[test]
fn one_that_goes_on_to_wait_for_something_else_leaves_the_others_in_their_places() {
    both_say(
        r#"
2026-01-01 00:00 Creator name=Club currency=EUR time_zone=UTC
2026-01-01 00:00 Member member_id=bob referral_code=B
2026-01-01 10:00 Conversion conversion_id=p1 kind=signup referral_code=ann customer_id=u1
2026-01-01 10:20 Conversion conversion_id=p2 kind=purchase click_id=k1 referral_code=zed customer_id=u1 amount=1
2026-01-01 10:30 Conversion conversion_id=p3 kind=purchase click_id=k1 referral_code=B amount=1
2026-01-01 11:00 Click click_id=k1 referral_code=cid
2026-01-01 11:01 Member member_id=ann referral_code=ann coupons=["cid"]
        "#,
        "conversion c \"p3\"",
        r#"["purchase", "", "", ""] at 1767263400000, 0 of 1 EUR taken, to "bob" [] by code """#,
    );
}

#[test]
fn a_click_that_was_dated_ahead_is_known_until_it_is_too_late() {
    both_say(
        r#"
2026-01-01 00:00 Creator name=Club currency=EUR time_zone=UTC
2026-01-01 00:00 Member member_id=ann
2026-01-01 00:00 Member member_id=bob
2026-01-02 20:00 Click click_id=k1 member_id=ann @01-02 10:00
2026-02-16 15:00 Tick
2026-01-02 20:00 Click click_id=k1 member_id=bob @02-16 15:00
        "#,
        "letters",
        "#5 conflict",
    );
}
