//! Who is judged, how, and what is held, paid or given back for it.

use expect_test::expect;

use crate::fold::story::{club, deriving};

const FIREFOX: &str = r#""Mozilla/5.0 (X11) Firefox/125.0""#;

/// Puts a token in the place of each `$`, and a person's browser in that of each `%`.
fn with(lines: &str) -> String {
    lines.replace('$', "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a").replace('%', FIREFOX)
}

#[test]
fn member_s_own_purchase_through_the_own_link() {
    deriving(
        &with(
            r#"
01-02 09:00 Sighting member_id=ann device_token=$
01-02 10:00 Click click_id=k1 member_id=ann device_token=$ user_agent=%
01-02 11:00 Conversion conversion_id=p1 kind=purchase click_id=k1 customer_id=u1 amount=1000 device_token=$
01-20 11:00 Tick
            "#,
        ),
        "decisions members commissions",
        expect![[r#"
            conversion p1 /1: review 50 (hold); same_device 7200000/7776000000
            commission auto:p1:ann /1: review 50 (hold); same_device 7200000/7776000000
            ann active code ANN, joined 01-01 00:00, seen 01-02 11:00; clicks 1/1/1, orders 1, customers 1, referrals 1, EUR gross 1000 earned 150 held 150
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            01-02 11:00 auto:p1:ann ann for p1: 150 EUR earned, initial, held
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn two_colleagues_behind_one_office_address() {
    let colleagues: String = (0..6)
        .map(|n| format!("01-02 08:0{n} Conversion conversion_id=o{n} kind=signup customer_id=c{n} ip_token=$\n"))
        .collect();
    let lines = r#"
01-02 09:00 Sighting member_id=ann ip_token=$
01-02 10:00 Click click_id=k1 member_id=ann ip_token=$ user_agent=%
01-02 11:00 Conversion conversion_id=p1 kind=purchase click_id=k1 customer_id=u1 amount=1000 ip_token=$
01-20 11:00 Tick
    "#;
    deriving(
        &with(&format!("{colleagues}{lines}")),
        "decisions commissions",
        expect![[r#"
        conversion p1 /1: approve 0 (none); same_ip but shared_ip
        commission auto:p1:ann /1: approve 0 (none); same_ip but shared_ip
        01-02 11:00 auto:p1:ann ann for p1: 150 EUR earned, initial, approved
        = 13 read: 13 applied
    "#]],
    );
}

/// Two of them, and nobody else there: it may be one person, so somebody looks.
#[test]
fn two_colleagues_behind_one_office_address_of_which_nobody_else_is_known() {
    let lines = r#"
01-02 09:00 Sighting member_id=ann ip_token=$
01-02 11:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000 ip_token=$
    "#;
    deriving(
        &with(lines),
        "decisions commissions",
        expect![[r#"
        conversion p1 /1: review 40 (hold); same_ip 7200000/2592000000
        commission auto:p1:ann /1: review 40 (hold); same_ip 7200000/2592000000
        01-02 11:00 auto:p1:ann ann for p1: 150 EUR earned, initial, held
        = 5 read: 5 applied
    "#]],
    );
}

const WAITS: &str = r#"
01-02 09:00 Sighting member_id=ann device_token=$
01-02 11:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000 device_token=$
02-02 11:00 Tick
"#;

#[test]
fn reviewer_silent_past_the_due_date() {
    deriving(
        &with(WAITS),
        "decisions commissions",
        expect![[r#"
        conversion p1 /1: review 50 (hold); same_device 7200000/7776000000
        commission auto:p1:ann /1: review 50 (hold); same_device 7200000/7776000000
        01-02 11:00 auto:p1:ann ann for p1: 150 EUR earned, initial, held
        = 6 read: 6 applied
    "#]],
    );
}

#[test]
fn reviewer_silent_past_the_due_date_and_the_policy_is_to_release() {
    let creator = r#"01-01 00:00 Creator name=Club currency=EUR time_zone=UTC commission={"source":"derived","rate_bp":1000,"flat_amount":50,"hold_days":14} review={"due_days":7,"on_due":"release"}"#;
    deriving(
        &with(&format!("{creator}{WAITS}")),
        "decisions commissions",
        expect![[r#"
        conversion p1 /1: review 50 (hold); same_device 7200000/7776000000
        commission auto:p1:ann /1: review 50 (hold); same_device 7200000/7776000000
        conversion p1 /2: approve 50 (release) by due_date; same_device 7200000/7776000000; was review 50, due_date
        commission auto:p1:ann /2: approve 50 (release) by due_date; same_device 7200000/7776000000; was review 50, due_date
        01-02 11:00 auto:p1:ann ann for p1: 150 EUR earned, initial, approved
        = 7 read: 7 applied
    "#]],
    );
}

#[test]
fn reviewer_silent_past_the_due_date_and_the_policy_is_to_reject() {
    let creator = r#"01-01 00:00 Creator name=Club currency=EUR time_zone=UTC commission={"source":"derived","rate_bp":1000,"flat_amount":50,"hold_days":14} review={"due_days":7,"on_due":"reject"}"#;
    deriving(
        &with(&format!("{creator}{WAITS}")),
        "decisions commissions",
        expect![[r#"
        conversion p1 /1: review 50 (hold); same_device 7200000/7776000000
        commission auto:p1:ann /1: review 50 (hold); same_device 7200000/7776000000
        conversion p1 /2: block 50 (reverse) by due_date; same_device 7200000/7776000000; was review 50, due_date
        commission auto:p1:ann /2: block 50 (reverse) by due_date; same_device 7200000/7776000000; was review 50, due_date
        01-02 11:00 auto:p1:ann ann for p1: 150 EUR earned, initial, blocked
        = 7 read: 7 applied
    "#]],
    );
}

#[test]
fn reviewer_approves_what_the_score_blocks() {
    deriving(
        &with(
            r#"
01-02 09:00 Sighting member_id=ann device_token=$ ip_token=$
01-02 11:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000 device_token=$ ip_token=$
01-03 11:00 Review subject_type=conversion subject_id=p1 verdict=approve label=not_fraud reason="she may" actor=ops
01-20 11:00 Tick
            "#,
        ),
        "decisions members commissions",
        expect![[r#"
            conversion p1 /1: block 90 (reverse); same_ip 7200000/2592000000, same_device 7200000/7776000000
            commission auto:p1:ann /1: block 90 (reverse); same_ip 7200000/2592000000, same_device 7200000/7776000000
            conversion p1 /2: approve 90 (release) by review; same_ip 7200000/2592000000, same_device 7200000/7776000000; was block 90, review
            commission auto:p1:ann /2: approve 90 (release) by review; same_ip 7200000/2592000000, same_device 7200000/7776000000; was block 90, review
            ann active code ANN, joined 01-01 00:00, seen 01-02 11:00; orders 1, customers 1, referrals 1, EUR gross 1000 earned 150 approved 150
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            01-02 11:00 auto:p1:ann ann for p1: 150 EUR earned, initial, approved
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn paid_commission_whose_sale_turns_out_to_be_charged_back() {
    deriving(
        r#"
01-02 11:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-20 11:00 Commission commission_id=auto:p1:ann kind=paid member_id=ann
01-25 11:00 Conversion conversion_id=b1 kind=chargeback original_id=p1
01-26 11:00 Review subject_type=commission subject_id=auto:p1:ann verdict=block label=fraud reason=stolen actor=ops
        "#,
        "decisions members commissions",
        expect![[r#"
            conversion p1 /1: approve 0 (none)
            commission auto:p1:ann /1: approve 0 (none)
            commission auto:p1:ann /2: review 70 (suspend_for_review); customer_chargebacks 1/1; was approve 0, evidence
            commission auto:p1:ann /3: block 70 (clawback) by review; customer_chargebacks 1/1; was review 70, review
            ann active code ANN, joined 01-01 00:00, seen 01-02 11:00; orders 1, referrals 1, EUR gross 1000 refunded 1000 paid 150 carry -150
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            01-02 11:00 auto:p1:ann ann for p1: 150 EUR earned, 150 reversed, initial, paid 150 on 01-20 11:00
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn sale_held_back_by_the_deny_list_and_let_go() {
    deriving(
        r#"
01-01 12:00 ListEntry list=deny key=customer value=u1 actor=ops expires_at=1767690000000
01-02 11:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-20 11:00 Tick
        "#,
        "creator members decisions commissions",
        expect![[r#"
            Club EUR UTC, clock 01-20 11:00, 2/2 members active; orders 1, customers 1, referrals 1, EUR gross 1000 earned 150 approved 150
            ann active code ANN, joined 01-01 00:00, seen 01-02 11:00; orders 1, customers 1, referrals 1, EUR gross 1000 earned 150 approved 150
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            conversion p1 /1: block 0 (reverse) by deny_list
            commission auto:p1:ann /1: block 0 (reverse) by deny_list
            conversion p1 /2: approve 0 (release); was block 0, list
            commission auto:p1:ann /2: approve 0 (release); was block 0, list
            01-02 11:00 auto:p1:ann ann for p1: 150 EUR earned, initial, approved
            = 6 read: 6 applied
        "#]],
    );
}

#[test]
fn signup_at_once_behind_a_head_request() {
    club(
        &with(
            r#"
01-02 10:00:00 Click click_id=k1 member_id=ann method=HEAD user_agent=%
01-02 10:00:01 Conversion conversion_id=s1 kind=signup click_id=k1 customer_id=u1
            "#,
        ),
        "decisions:clicks decisions",
        expect![[r#"
            click k1 /1: approve 30 (exclude_click); declared_bot 1/1
            conversion s1 /1: review 50 (hold); declared_bot 1/1, hasty_conversion 1000/2000
            = 5 read: 5 applied
        "#]],
    );
}

#[test]
fn click_that_was_reviewed_for_a_time() {
    club(
        &with(
            r#"
01-02 10:00 Click click_id=k1 member_id=ann user_agent=%
01-02 10:01 Review subject_type=click subject_id=k1 verdict=block label=fraud reason=seen actor=ops expires_at=1767355200000
01-02 10:02 Review subject_type=click subject_id=k1 verdict=block label=fraud reason=longer actor=ops expires_at=1767366000000
01-02 13:00 Tick
01-02 16:00 Tick
01-02 16:01 Review subject_type=click subject_id=k1 verdict=block label=fraud reason=late actor=ops expires_at=1767355200000
            "#,
        ),
        "decisions:clicks members",
        expect![[r#"
            click k1 /1: approve 0 (none)
            click k1 /2: block 0 (exclude_click) by review; was approve 0, review
            click k1 /3: approve 0 (none); was block 0, review
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:00; clicks 1/1/1
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            = 9 read: 9 applied
        "#]],
    );
}
