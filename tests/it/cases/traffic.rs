//! Clicks and shares.

use expect_test::expect;

use crate::fold::story::{club, story};

#[test]
fn link_preview_and_mail_scanner_clicks() {
    club(
        r#"
01-02 10:00 Click click_id=k1 member_id=ann user_agent="WhatsApp/2.23.20.0"
01-02 10:01 Click click_id=k2 member_id=ann user_agent="Mozilla/5.0 (compatible; Barracuda Sentinel)"
01-02 10:02 Click click_id=k3 member_id=ann user_agent="Mozilla/5.0 (X11) Firefox/125.0"
        "#,
        "members decisions:clicks",
        expect![[r#"
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:02; clicks 3/1/1
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            click k1 /1: approve 0 (exclude_click)
            click k2 /1: approve 0 (exclude_click)
            click k3 /1: approve 0 (none)
            = 6 read: 6 applied
        "#]],
    );
}

#[test]
fn head_request_prefetch() {
    club(
        r#"
01-02 10:00 Click click_id=k1 member_id=ann method=HEAD user_agent="Mozilla/5.0 (X11) Firefox/125.0"
01-02 10:01 Click click_id=k2 member_id=ann purpose=prefetch user_agent="Mozilla/5.0 (X11) Firefox/125.0"
01-02 10:02 Click click_id=k3 member_id=ann method=GET user_agent="Mozilla/5.0 (X11) Firefox/125.0"
        "#,
        "members decisions:clicks",
        expect![[r#"
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:02; clicks 3/1/1
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            click k1 /1: approve 30 (exclude_click); declared_bot 1/1
            click k2 /1: approve 0 (exclude_click)
            click k3 /1: approve 0 (none)
            = 6 read: 6 applied
        "#]],
    );
}

#[test]
fn click_that_arrives_60_days_late() {
    club(
        r#"
01-02 10:00 Click click_id=k1 member_id=ann
03-31 10:00 Click click_id=k2 member_id=ann
01-30 10:00 Click click_id=k3 member_id=ann @03-31 10:01
01-02 10:00 Click click_id=k1 member_id=ann @03-31 10:02
        "#,
        "members",
        expect![[r#"
            ann active code ANN, joined 01-01 00:00, seen 03-31 10:00; clicks 2/2/2
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            ! too_late #5: of 2026-01-30T10:00:00Z, older than the horizon, which is at 2026-02-14T10:00:00Z
            ! too_late #6: of 2026-01-02T10:00:00Z, older than the horizon, which is at 2026-02-14T10:00:00Z
            = 7 read: 5 applied, 2 dead
        "#]],
    );
}

#[test]
fn event_four_hours_late() {
    story(
        r#"
01-01 00:00 Creator name=Club currency=EUR time_zone=America/New_York
01-01 00:00 Member member_id=ann
01-03 06:00 Share share_id=s1 member_id=ann platform=x share_type=link
01-03 02:00 Click click_id=k1 member_id=ann @01-03 06:01
        "#,
        "days members",
        expect![[r#"
            01-03; clicks 1/1/1, shares 1
            ann active, joined 01-01 00:00, seen 01-03 06:00; clicks 1/1/1, shares 1
            = 4 read: 4 applied
        "#]],
    );
}
