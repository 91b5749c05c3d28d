//! Clicks and shares (SEMANTICS §5).

use expect_test::expect;

use super::story::{club, story};

#[test]
fn bots_previews_head_and_prefetch_count_in_total_only() {
    club(
        r#"
01-02 10:00 Click click_id=k1 member_id=ann user_agent="WhatsApp/2.23.20.0"
01-02 10:01 Click click_id=k2 member_id=ann user_agent="Mozilla/5.0 (compatible; Googlebot/2.1)"
01-02 10:02 Click click_id=k3 member_id=ann method=HEAD user_agent="Mozilla/5.0 (X11) Firefox/125.0"
01-02 10:03 Click click_id=k4 member_id=ann purpose=prefetch;prerender
01-02 10:04 Click click_id=k5 member_id=ann user_agent=""
01-02 10:05 Click click_id=k6 member_id=ann user_agent="Mozilla/5.0 (X11) Firefox/125.0" method=GET
01-02 10:06 Click click_id=k7 member_id=ann
        "#,
        "creator",
        expect![[r#"
            Club EUR UTC, clock 01-02 10:06, 2/2 members active; clicks 7/2/2
            = 10 read: 10 applied
        "#]],
    );
}

#[test]
fn a_visitor_is_unique_once_a_member_and_day() {
    club(
        r#"
01-02 10:00 Click click_id=k1 member_id=ann device_token=00000000000000000000000000000001 ip_token=00000000000000000000000000000009
01-02 10:01 Click click_id=k2 member_id=ann device_token=00000000000000000000000000000001 ip_token=00000000000000000000000000000008
01-02 10:02 Click click_id=k3 member_id=bob device_token=00000000000000000000000000000001
01-02 10:03 Click click_id=k4 member_id=ann ip_token=00000000000000000000000000000001
01-02 10:04 Click click_id=k5 member_id=ann ip_token=00000000000000000000000000000001
01-02 10:05 Click click_id=k6 member_id=ann
01-02 10:06 Click click_id=k7 member_id=ann
01-03 10:07 Click click_id=k8 member_id=ann device_token=00000000000000000000000000000001
        "#,
        "members",
        expect![[r#"
            ann active code ANN, joined 01-01 00:00, seen 01-03 10:07; clicks 7/7/5
            bob active code BOB, joined 01-01 00:00, seen 01-02 10:02; clicks 1/1/1
            = 11 read: 11 applied
        "#]],
    );
}

#[test]
fn a_bot_does_not_take_the_place_of_the_visitor() {
    club(
        r#"
01-02 10:00 Click click_id=k1 member_id=ann device_token=00000000000000000000000000000001 method=HEAD
01-02 10:01 Click click_id=k2 member_id=ann device_token=00000000000000000000000000000001
        "#,
        "members",
        expect![[r#"
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:01; clicks 2/1/1
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            = 5 read: 5 applied
        "#]],
    );
}

#[test]
fn the_day_is_the_creators_across_a_daylight_saving_change() {
    story(
        r#"
03-28 00:00 Creator name=Club currency=EUR time_zone=Europe/Berlin
03-28 00:00 Member member_id=ann
03-28 22:59 Click click_id=k1 member_id=ann ip_token=00000000000000000000000000000001
03-28 23:00 Click click_id=k2 member_id=ann ip_token=00000000000000000000000000000001
03-29 21:59 Click click_id=k3 member_id=ann ip_token=00000000000000000000000000000001
03-29 22:00 Click click_id=k4 member_id=ann ip_token=00000000000000000000000000000001
03-28 22:58 Click click_id=k5 member_id=ann ip_token=00000000000000000000000000000001 @03-29 22:01
        "#,
        "members days",
        expect![[r#"
            ann active, joined 03-28 00:00, seen 03-29 22:00; clicks 5/5/3
            03-28; clicks 3/3/2
            03-29; clicks 2/2/1
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn a_change_of_zone_moves_nothing_that_was_booked() {
    club(
        r#"
01-02 20:00 Click click_id=k1 member_id=ann ip_token=00000000000000000000000000000001
01-02 20:01 Creator name=Club currency=EUR time_zone=Pacific/Kiritimati
01-02 20:02 Click click_id=k2 member_id=ann ip_token=00000000000000000000000000000001
        "#,
        "members days",
        expect![[r#"
            ann active code ANN, joined 01-01 00:00, seen 01-02 20:02; clicks 2/2/2
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            01-02; clicks 2/2/2
            = 6 read: 6 applied
        "#]],
    );
}

#[test]
fn clicks_of_a_share_are_counted_beside_shares_whether_or_not_it_is_known() {
    club(
        r#"
01-02 10:00 Share share_id=s1 member_id=ann platform=x share_type=link
01-02 10:01 Click click_id=k1 member_id=ann share_id=s1
01-02 10:02 Click click_id=k2 member_id=ann share_id=unheard-of
01-02 10:03 Click click_id=k3 member_id=ann share_id=s1 method=HEAD
        "#,
        "members",
        expect![[r#"
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:03; clicks 3/2/2, clicks_shared 2, shares 1
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            = 7 read: 7 applied
        "#]],
    );
}
