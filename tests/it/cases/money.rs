//! Amounts and currencies, and what comes twice.

use expect_test::expect;

use crate::fold::story::club;

#[test]
fn same_purchase_sent_twice_new_event_id_same_conversion_id() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-02 10:01 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
        "#,
        "members conversions",
        expect![[r#"
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:00; orders 1, customers 1, referrals 1, EUR gross 1000
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            01-02 10:00 p1 purchase 1000 EUR by u1 → ann: code
            = 5 read: 4 applied, 1 duplicate
        "#]],
    );
}

#[test]
fn same_event_id_different_payload() {
    club(
        r#"
01-02 10:00 Conversion event_id=x conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-02 10:01 Conversion event_id=x conversion_id=p2 kind=purchase referral_code=ANN customer_id=u1 amount=9000
        "#,
        "members conversions",
        expect![[r#"
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:00; orders 1, customers 1, referrals 1, EUR gross 1000
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            01-02 10:00 p1 purchase 1000 EUR by u1 → ann: code
            ! conflict #4: event_id "x" came before with other facts; the first one stands
            = 5 read: 4 applied, 1 dead
        "#]],
    );
}

#[test]
fn duplicate_8_days_later() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-10 10:00 Share share_id=s1 member_id=bob platform=x share_type=link
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000 @01-10 10:01
2027-01-10 10:00 Share share_id=s2 member_id=bob platform=x share_type=link
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000 @2027-01-10 10:01
        "#,
        "members",
        expect![[r#"
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:00; orders 1, customers 1, referrals 1, EUR gross 1000
            bob active code BOB, joined 01-01 00:00, seen 2027-01-10 10:00; shares 2
            = 8 read: 6 applied, 2 duplicate
        "#]],
    );
}

#[test]
fn unknown_currency() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-02 10:01 Conversion conversion_id=p2 kind=purchase referral_code=ANN customer_id=u2 amount=5000 currency=XQX
        "#,
        "creator members",
        expect![[r#"
            Club EUR UTC, clock 01-02 10:01, 2/2 members active; orders 2, customers 2, referrals 2, EUR gross 1000, XQX gross 5000
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:01; orders 2, customers 2, referrals 2, EUR gross 1000, XQX gross 5000
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            = 5 read: 5 applied
        "#]],
    );
}

#[test]
fn amount_beyond_42_9_m_major_units_or_negative() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=9223372036854775807
01-02 10:01 Conversion conversion_id=p2 kind=purchase referral_code=ANN customer_id=u2 amount=4290000001
01-02 10:02 Conversion conversion_id=n1 kind=purchase referral_code=ANN customer_id=u2 amount=-990
        "#,
        "creator conversions",
        expect![[r#"
            Club EUR UTC, clock 01-02 10:02, 2/2 members active; orders 3, customers 2, referrals 2, EUR gross 9223372041144774818
            01-02 10:00 p1 purchase 9223372036854775807 EUR by u1 → ann: code
            01-02 10:01 p2 purchase 4290000001 EUR by u2 → ann: code
            01-02 10:02 n1 purchase -990 EUR by u2 → ann: code
            = 6 read: 6 applied
        "#]],
    );
}
