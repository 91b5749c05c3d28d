//! What is scored as it comes: clicks, conversions, commissions, and what follows for money.

use expect_test::expect;

use crate::fold::story::{club, deriving};

const A: &str = "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";

/// Puts a token in the place of each `$`.
fn with(token: &str, lines: &str) -> String {
    lines.replace('$', token)
}

#[test]
fn own_purchase_through_the_own_link_is_held() {
    deriving(
        &with(
            A,
            r#"
01-02 09:00 Sighting member_id=ann device_token=$ ip_token=$
01-02 10:00 Click click_id=k1 member_id=ann device_token=$ ip_token=$ user_agent="Mozilla/5.0 (X11) Firefox/125.0"
01-02 11:00 Conversion conversion_id=p1 kind=purchase click_id=k1 customer_id=u1 amount=1000 device_token=$
            "#,
        ),
        "decisions:clicks decisions commissions",
        expect![[r#"
            click k1 /1: block 90 (exclude_click); same_ip 3600000/2592000000, same_device 3600000/7776000000
            conversion p1 /1: block 90 (reverse); same_ip 3600000/2592000000, same_device 7200000/7776000000
            commission auto:p1:ann /1: block 90 (reverse); same_ip 3600000/2592000000, same_device 7200000/7776000000
            01-02 11:00 auto:p1:ann ann for p1: 150 EUR earned, initial, blocked
            = 6 read: 6 applied
        "#]],
    );
}

#[test]
fn a_chargeback_that_is_won_revises_the_decision_twice() {
    deriving(
        r#"
01-02 10:00 Click click_id=k1 member_id=ann user_agent="Mozilla/5.0 (X11) Firefox/125.0"
01-02 11:00 Conversion conversion_id=p1 kind=purchase click_id=k1 customer_id=u1 amount=1000
01-20 11:00 Conversion conversion_id=b1 kind=chargeback original_id=p1 amount=400
02-20 11:00 Conversion conversion_id=w1 kind=chargeback_reversed original_id=p1
        "#,
        "decisions commissions",
        expect![[r#"
            conversion p1 /1: approve 0 (none)
            commission auto:p1:ann /1: approve 0 (none)
            commission auto:p1:ann /2: review 70 (hold); customer_chargebacks 1/1; was approve 0, evidence
            commission auto:p1:ann /3: approve 0 (release); was review 70, evidence
            01-02 11:00 auto:p1:ann ann for p1: 150 EUR earned, initial, approved
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn what_is_blocked_has_no_credit_and_no_commission_and_its_revenue_stays() {
    deriving(
        r#"
01-01 12:00 ListEntry list=deny key=member value=ann actor=ops
01-02 10:00 Click click_id=k1 member_id=ann user_agent="Mozilla/5.0 (X11) Firefox/125.0"
01-02 11:00 Conversion conversion_id=p1 kind=purchase click_id=k1 customer_id=u1 amount=1000
01-03 11:00 ListEntry list=deny key=member value=ann active=false actor=ops
        "#,
        "creator members decisions commissions",
        expect![[r#"
            Club EUR UTC, clock 01-03 11:00, 2/2 members active; clicks 1/1/1, orders 1, customers 1, referrals 1, EUR gross 1000 earned 150 held 150
            ann active code ANN, joined 01-01 00:00, seen 01-02 11:00; clicks 1/1/1, orders 1, customers 1, referrals 1, EUR gross 1000 earned 150 held 150
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            conversion p1 /1: block 0 (reverse) by deny_list
            commission auto:p1:ann /1: block 0 (reverse) by deny_list
            conversion p1 /2: approve 0 (release); was block 0, list
            commission auto:p1:ann /2: approve 0 (release); was block 0, list
            01-02 11:00 auto:p1:ann ann for p1: 150 EUR earned, initial, held
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn a_review_goes_before_lists_and_lists_before_the_score() {
    club(
        r#"
01-02 11:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-02 12:00 Commission commission_id=q1 kind=earned member_id=ann conversion_id=p1 amount=100
01-03 10:00 ListEntry list=deny key=customer value=u1 actor=ops
01-03 11:00 ListEntry list=allow key=member value=ann actor=ops
01-03 12:00 Review subject_type=commission subject_id=q1 verdict=approve label=not_fraud reason=known actor=ops expires_at=1767700000000
01-20 12:00 Tick
        "#,
        "decisions commissions",
        expect![[r#"
            conversion p1 /1: approve 0 (none)
            commission q1 /1: approve 0 (none)
            conversion p1 /2: block 0 (reverse) by deny_list; was approve 0, list
            commission q1 /2: block 0 (reverse) by deny_list; was approve 0, list
            commission q1 /3: approve 0 (release) by review; was block 0, review
            commission q1 /4: block 0 (reverse) by deny_list; was approve 0, review
            01-02 12:00 q1 ann for p1: 100 EUR earned, blocked
            = 9 read: 9 applied
        "#]],
    );
}

#[test]
fn a_review_of_an_order_that_is_nobody_s_covers_its_commissions() {
    club(
        r#"
01-02 11:00 Conversion conversion_id=p1 kind=purchase customer_id=u1 amount=1000
01-02 12:00 Commission commission_id=q1 kind=earned member_id=ann conversion_id=p1 amount=100
01-02 13:00 Commission commission_id=q1 kind=approved member_id=ann
01-05 11:00 Conversion conversion_id=b1 kind=chargeback original_id=p1 amount=400
01-06 10:00 Review subject_type=conversion subject_id=p1 verdict=approve label=not_fraud reason=known actor=ops
01-06 11:00 Review subject_type=conversion subject_id=p1 verdict=block label=fraud reason=seen actor=ops expires_at=1767744000000
01-08 11:00 Tick
        "#,
        "decisions commissions",
        expect![[r#"
            commission q1 /1: approve 0 (none)
            commission q1 /2: review 70 (hold); customer_chargebacks 1/1; was approve 0, evidence
            commission q1 /3: approve 70 (release) by review; customer_chargebacks 1/1; was review 70, review
            commission q1 /4: block 70 (reverse) by review; customer_chargebacks 1/1; was approve 70, review
            commission q1 /5: review 70 (hold); customer_chargebacks 1/1; was block 70, review
            01-02 12:00 q1 ann for p1: 100 EUR earned, 40 reversed, held
            = 10 read: 10 applied
        "#]],
    );
}

/// Be it made before the review or after it, and whatever has it scored again.
#[test]
fn a_review_of_a_refund_says_nothing_of_a_commission_that_names_it() {
    club(
        r#"
01-02 11:00 Conversion conversion_id=p1 kind=purchase customer_id=u1 amount=1000
01-03 11:00 Conversion conversion_id=r1 kind=refund original_id=p1 customer_id=u1 amount=400
01-03 12:00 Commission commission_id=q1 kind=earned member_id=ann conversion_id=r1 amount=7
01-03 13:00 Review subject_type=conversion subject_id=r1 verdict=block label=fraud reason=seen actor=ops
01-03 14:00 Commission commission_id=q2 kind=earned member_id=ann conversion_id=r1 amount=8
01-03 15:00 ListEntry list=allow key=member value=ann actor=ops
        "#,
        "decisions commissions",
        expect![[r#"
            commission q1 /1: approve 0 (none)
            commission q2 /1: approve 0 (none)
            commission q1 /2: approve 0 (none) by allow_list; was approve 0, list
            commission q2 /2: approve 0 (none) by allow_list; was approve 0, list
            01-03 12:00 q1 ann for r1: 7 EUR earned, held
            01-03 14:00 q2 ann for r1: 8 EUR earned, held
            = 9 read: 9 applied
        "#]],
    );
}

#[test]
fn a_storm_of_clicks_is_told_once_a_minute() {
    let clicks: String = (0..30)
        .map(|n| format!("01-02 10:00:{n:02} Click click_id=k{n} member_id=ann device_token={A} user_agent=\"Mozilla/5.0 (X11) Firefox/125.0\"\n"))
        .collect();
    club(
        &clicks,
        "decisions:clicks members",
        expect![[r#"
        click k0 /1: approve 0 (none)
        click k1 /1: approve 0 (exclude_click)
        click k2 /1: approve 0 (exclude_click)
        click k3 /1: approve 0 (exclude_click)
        click k4 /1: approve 0 (exclude_click)
        click k5 /1: approve 0 (exclude_click)
        click k6 /1: approve 0 (exclude_click)
        click k7 /1: approve 0 (exclude_click)
        click k8 /1: approve 0 (exclude_click)
        click k9 /1: approve 0 (exclude_click)
        click k10 /1: approve 25 (exclude_click); clicks_device_60s 11/10
        ann active code ANN, joined 01-01 00:00, seen 01-02 10:00:29; clicks 30/30/1
        bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
        = 33 read: 33 applied
    "#]],
    );
}

#[test]
fn a_review_that_nobody_makes_is_what_the_policy_says_and_lapses_when_the_reasons_change() {
    club(
        r#"
01-01 00:00 Creator name=Club currency=EUR time_zone=UTC review={"due_days":7,"on_due":"release"}
01-02 11:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
01-02 12:00 Commission commission_id=q1 kind=earned member_id=ann conversion_id=p1 amount=100
01-03 12:00 Commission commission_id=q1 kind=approved member_id=ann
01-05 11:00 Conversion conversion_id=b1 kind=chargeback original_id=p1 amount=400
01-20 12:00 Tick
01-21 11:00 Conversion conversion_id=w1 kind=chargeback_reversed original_id=p1
        "#,
        "decisions commissions",
        expect![[r#"
            conversion p1 /1: approve 0 (none)
            commission q1 /1: approve 0 (none)
            commission q1 /2: review 70 (hold); customer_chargebacks 1/1; was approve 0, evidence
            commission q1 /3: approve 70 (release) by due_date; customer_chargebacks 1/1; was review 70, due_date
            commission q1 /4: approve 0 (none); was approve 70, evidence
            01-02 12:00 q1 ann for p1: 100 EUR earned, approved
            = 10 read: 10 applied
        "#]],
    );
}

#[test]
fn previews_and_mail_scanners_are_no_points() {
    club(
        r#"
01-02 10:00 Click click_id=k1 member_id=ann user_agent="WhatsApp/2.23.20.0"
01-02 10:01 Click click_id=k2 member_id=ann purpose=prefetch user_agent="Mozilla/5.0 (X11) Firefox/125.0"
01-02 10:02 Click click_id=k3 member_id=ann user_agent="Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
01-02 10:03 Click click_id=k4 member_id=ann method=HEAD user_agent="Mozilla/5.0 (X11) Firefox/125.0"
        "#,
        "decisions:clicks",
        expect![[r#"
            click k1 /1: approve 0 (exclude_click)
            click k2 /1: approve 0 (exclude_click)
            click k3 /1: approve 30 (exclude_click); declared_bot 1/1
            click k4 /1: approve 30 (exclude_click); declared_bot 1/1
            = 7 read: 7 applied
        "#]],
    );
}

#[test]
fn one_means_of_payout_for_two_accounts_is_one_person_and_for_six_it_is_nobody_s() {
    let sighted = |members: u8| -> String {
        let one = |n: u8| {
            format!("01-01 01:00 Member member_id=m{n}\n01-02 08:00 Sighting member_id=m{n} payout_token={A}\n")
        };
        (0..members).map(one).collect()
    };
    let sale = "01-02 11:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000\n";
    let own = format!("01-02 09:00 Sighting member_id=ann payout_token={A}\n");
    deriving(
        &format!("{}{own}{sale}", sighted(1)),
        "decisions",
        expect![[r#"
        conversion p1 /1: review 45 (hold); cluster_accounts 2/2
        commission auto:p1:ann /1: review 45 (hold); cluster_accounts 2/2
        = 7 read: 7 applied
    "#]],
    );
    deriving(
        &format!("{}{own}{sale}", sighted(6)),
        "decisions",
        expect![[r#"
        conversion p1 /1: approve 0 (none)
        commission auto:p1:ann /1: approve 0 (none)
        = 17 read: 17 applied
    "#]],
    );
}

#[test]
fn a_rule_set_is_in_force_from_its_place_on() {
    club(
        r#"
01-02 10:00 Click click_id=k1 member_id=ann user_agent="curl/8.5.0"
01-02 10:01 RuleSet rule_set_id=strict version=v2 definition="{\"points\":{\"click.bot\":80}}"
01-02 10:02 Click click_id=k2 member_id=ann user_agent="curl/8.5.0"
01-02 10:03 RuleSet rule_set_id=strict definition="{\"points\":{\"click.bots\":80}}"
01-02 10:04 RuleSet rule_set_id=other
01-02 10:05 RuleSet rule_set_id=seed-v1
01-02 10:06 Click click_id=k3 member_id=ann user_agent="curl/8.5.0"
        "#,
        "decisions:clicks",
        expect![[r#"
            click k1 /1: approve 30 (exclude_click); declared_bot 1/1
            click k2 /1: block 80 (exclude_click); declared_bot 1/1
            click k3 /1: approve 30 (exclude_click); declared_bot 1/1
            ! invalid_rule_set #6: `points.click.bots`: unknown field `click.bots`, expected one of `self.same_ip`, `self.same_device`, `self.same_user`, `click.bot`, `click.velocity`, `click.timing`, `abuse.chargeback`, `abuse.refund`, `abuse.multi_account`
            ! invalid_rule_set #7: "other" is not shipped, so it needs a definition
            = 10 read: 8 applied, 2 dead
        "#]],
    );
}

#[test]
fn a_reviewed_click_is_counted_as_before_and_told_anew() {
    club(
        r#"
01-02 10:00 Click click_id=k1 member_id=ann user_agent="Mozilla/5.0 (X11) Firefox/125.0"
01-02 10:01 Review subject_type=click subject_id=k1 verdict=block label=fraud reason=seen actor=ops
01-02 10:02 Review subject_type=click subject_id=k1 verdict=approve label=not_fraud reason=sorry actor=ops
        "#,
        "decisions:clicks members",
        expect![[r#"
            click k1 /1: approve 0 (none)
            click k1 /2: block 0 (exclude_click) by review; was approve 0, review
            click k1 /3: approve 0 (none) by review; was block 0, review
            ann active code ANN, joined 01-01 00:00, seen 01-02 10:00; clicks 1/1/1
            bob active code BOB, joined 01-01 00:00, seen 01-01 00:00
            = 6 read: 6 applied
        "#]],
    );
}
