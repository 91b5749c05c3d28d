//! Members who leave, and people who ask to be forgotten.

use expect_test::expect;

use crate::fold::story::club;

#[test]
fn member_removed_with_held_commissions() {
    club(
        r#"
01-02 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-02 10:01 Commission commission_id=c1 kind=earned member_id=ann conversion_id=p1 amount=100
01-02 10:02 Commission commission_id=c2 kind=earned member_id=ann amount=50
01-03 10:00 Member member_id=ann status=removed
01-03 10:01 Conversion conversion_id=p2 kind=purchase referral_code=ANN customer_id=u2 amount=1000
01-04 10:00 Commission commission_id=c1 kind=approved member_id=ann
01-05 10:00 Commission commission_id=c1 kind=paid member_id=ann
        "#,
        "members conversions commissions",
        expect![[r#"
            ann removed code ANN, joined 01-01 00:00, seen 01-03 10:00; orders 1, customers 1, referrals 1, EUR gross 1000 earned 150 held 50 paid 100
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            01-02 10:00 p1 purchase 1000 EUR by u1 → ann: code
            01-03 10:01 p2 purchase 1000 EUR by u2 → nobody: member_removed
            01-02 10:01 c1 ann for p1: 100 EUR earned, paid 100 on 01-05 10:00
            01-02 10:02 c2 ann: 50 EUR earned, held
            = 10 read: 10 applied
        "#]],
    );
}

#[test]
fn personal_data_erased() {
    club(
        r#"
01-02 09:00 Member member_id=ann user_id=user-77 username="Ann B."
01-02 09:01 Sighting member_id=ann device_token=00000000000000000000000000000001
01-02 10:00 Click click_id=k1 member_id=ann device_token=00000000000000000000000000000001
01-02 10:01 Conversion conversion_id=p1 kind=purchase customer_id=u1 click_id=k1 amount=1000 device_token=00000000000000000000000000000001
01-02 10:02 Conversion conversion_id=p2 kind=purchase customer_id=u1 click_id=late amount=500 device_token=00000000000000000000000000000001
01-03 09:00 Erasure subject_type=member subject_id=ann actor=dpo
01-03 09:01 Erasure subject_type=customer subject_id=u1 actor=dpo
01-03 09:02 Erasure subject_type=customer subject_id=nobody actor=dpo
01-04 10:00 Conversion conversion_id=p3 kind=purchase referral_code=ANN customer_id=u2 amount=500 user_id=user-77 device_token=00000000000000000000000000000001
        "#,
        "members conversions decisions",
        expect![[r#"
            ann active code ANN, joined 01-01 00:00, seen 01-04 10:00; clicks 1/1/1, orders 3, customers 2, referrals 2, EUR gross 2000
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            01-02 10:01 p1 purchase 1000 EUR by u1 → ann: click
            01-02 10:02 p2 purchase 500 EUR by u1 → ann: owner
            01-04 10:00 p3 purchase 500 EUR by u2 → ann: code
            conversion p1 /1: review 50 (hold); same_device 3600000/7776000000
            conversion p2 /1: approve 0 (none)
            conversion p3 /1: approve 0 (none)
            ! unknown_subject #10: there is no customer "nobody": nothing was erased
            = 12 read: 11 applied, 1 dead
        "#]],
    );
}
