//! Clocks and calendars.

use expect_test::expect;

use crate::fold::story::club;

#[test]
fn event_dated_2099_or_1970() {
    club(
        r#"
01-02 10:00 Click click_id=k1 member_id=ann
2099-01-01 00:00 Click click_id=k2 member_id=ann @01-02 10:01
1970-01-01 00:00 Click click_id=k3 member_id=ann @01-02 10:02
01-02 10:09 Click click_id=k4 member_id=ann @01-02 10:03
        "#,
        "creator",
        expect![[r#"
            Club EUR UTC, clock 01-02 10:03, 2/2 members active; clicks 2/2/2
            ! absurd_time #4: occurred_at 2099-01-01T00:00:00Z is more than 24 h after it was received at 2026-01-02T10:01:00Z
            ! absurd_time #5: occurred_at 1970-01-01T00:00:00Z is outside the years 2000 to 2100
            = 7 read: 5 applied, 2 dead
        "#]],
    );
}
