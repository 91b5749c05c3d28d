//! Guards as stories: what silences a hit, and the same without what silences it.

use std::fmt::Write as _;

use expect_test::expect;

use crate::fold::story::deriving;

const BROWSER: &str = "user_agent=\"Mozilla/5.0 (X11) Firefox/125.0\"";
const HOME: &str = "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";
const ANN: &str = "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b";
const SISTER: &str = "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c";

/// Ann's computer at Ann's address: who sits at it has an e-mail address.
fn at_home(before: &str, email: &str) -> String {
    let place = format!("device_token={HOME} ip_token={HOME}");
    format!(
        "01-02 09:00 Sighting member_id=ann {place} email_token={ANN}\n{before}\
         01-02 10:00 Click click_id=k1 member_id=ann {place} {BROWSER}\n\
         01-02 11:00 Conversion conversion_id=p1 kind=purchase click_id=k1 customer_id=u1 amount=1000 {place} email_token={email}\n"
    )
}

#[test]
fn a_sister_at_the_member_s_computer_is_a_customer_and_the_member_s_own_account_is_blocked() {
    deriving(
        &at_home("", SISTER),
        "decisions",
        expect![[r#"
            conversion p1 /1: approve 0 (none); same_ip but another_account, same_device but another_account
            commission auto:p1:ann /1: approve 0 (none); same_ip but another_account, same_device but another_account
            = 6 read: 6 applied
        "#]],
    );
    deriving(
        &at_home("", ANN),
        "decisions",
        expect![[r"
        conversion p1 /1: block 150 (reverse); same_ip 7200000/2592000000, same_device 7200000/7776000000, same_email 1/1
        commission auto:p1:ann /1: block 150 (reverse); same_ip 7200000/2592000000, same_device 7200000/7776000000, same_email 1/1
        = 6 read: 6 applied
    "]],
    );
}

/// Customers one after the other, each with what `with` says of it.
fn customers(count: u8, with: impl Fn(u8) -> String) -> String {
    (0..count).fold(String::new(), |mut lines, n| {
        let sale = format!("conversion_id=p{n} kind=purchase referral_code=ANN customer_id=u{n} amount=1000");
        _ = writeln!(lines, "01-02 11:0{n} Conversion {sale} {}", with(n));
        lines
    })
}

#[test]
fn three_customers_with_one_card_are_held_and_six_are_a_school_and_who_has_another_card_is_none_of_them() {
    let card = |n: u8| format!("payment_token={}", if n == 3 { SISTER } else { HOME });
    deriving(
        &customers(8, card),
        "decisions",
        expect![[r"
        conversion p0 /1: approve 0 (none)
        commission auto:p0:ann /1: approve 0 (none)
        conversion p1 /1: approve 0 (none)
        commission auto:p1:ann /1: approve 0 (none)
        conversion p2 /1: review 45 (hold); shared_payment 3/3
        commission auto:p2:ann /1: review 45 (hold); shared_payment 3/3
        conversion p3 /1: approve 0 (none); shared_payment but bystander
        commission auto:p3:ann /1: approve 0 (none); shared_payment but bystander
        conversion p4 /1: review 45 (hold); shared_payment 4/3
        commission auto:p4:ann /1: review 45 (hold); shared_payment 4/3
        conversion p5 /1: review 45 (hold); shared_payment 5/3
        commission auto:p5:ann /1: review 45 (hold); shared_payment 5/3
        conversion p6 /1: approve 0 (none); shared_payment but many_payers
        commission auto:p6:ann /1: approve 0 (none); shared_payment but many_payers
        conversion p7 /1: approve 0 (none); shared_payment but many_payers
        commission auto:p7:ann /1: approve 0 (none); shared_payment but many_payers
        = 11 read: 11 applied
    "]],
    );
}

#[test]
fn three_customers_on_one_device_are_held_unless_it_is_the_member_s_own() {
    let device = |_| format!("device_token={HOME} email_token={SISTER}");
    deriving(
        &customers(3, device),
        "decisions",
        expect![[r#"
            conversion p0 /1: approve 0 (none)
            commission auto:p0:ann /1: approve 0 (none)
            conversion p1 /1: approve 0 (none)
            commission auto:p1:ann /1: approve 0 (none)
            conversion p2 /1: review 45 (hold); shared_device 3/3
            commission auto:p2:ann /1: review 45 (hold); shared_device 3/3
            = 6 read: 6 applied
        "#]],
    );
    let counter = format!("01-02 09:00 Sighting member_id=ann ip_token={HOME} email_token={ANN}\n");
    let at_the_counter = |_| format!("device_token={HOME} ip_token={HOME} email_token={SISTER}");
    deriving(
        &format!("{counter}{}", customers(3, at_the_counter)),
        "decisions",
        expect![[r#"
            conversion p0 /1: approve 0 (none); same_ip but another_account
            commission auto:p0:ann /1: approve 0 (none); same_ip but another_account
            conversion p1 /1: approve 0 (none); same_ip but another_account
            commission auto:p1:ann /1: approve 0 (none); same_ip but another_account
            conversion p2 /1: approve 0 (none); same_ip but another_account, shared_device but member_device
            commission auto:p2:ann /1: approve 0 (none); same_ip but another_account, shared_device but member_device
            = 7 read: 7 applied
        "#]],
    );
}

/// Seven refunds of one customer, of so many orders and one that comes behind them.
fn refunds(orders: u8) -> String {
    let mut lines = String::new();
    for n in 0..orders {
        let sale = "kind=purchase referral_code=ANN customer_id=u1 amount=1000";
        _ = writeln!(lines, "01-02 {:02}:00 Conversion conversion_id=p{n} {sale}", 1 + n);
        // Others order as well, and keep it.
        for other in 0..9 {
            let sale = format!("kind=purchase customer_id=v{n}x{other} amount=1000");
            _ = writeln!(lines, "01-02 {:02}:30 Conversion conversion_id=q{n}x{other} {sale}", 1 + n);
        }
    }
    for n in 0..7 {
        _ = writeln!(lines, "01-04 0{n}:00 Conversion conversion_id=r{n} kind=refund original_id=p{n} amount=1000");
    }
    lines + "01-05 01:00 Conversion conversion_id=last kind=purchase referral_code=ANN customer_id=u1 amount=1000\n"
}

#[test]
fn refunds_of_a_customer_are_held_against_them_if_they_are_more_than_usual() {
    let last = |orders| {
        let world = crate::fold::story::told(&format!("{}{}", crate::fold::story::DERIVING, refunds(orders)));
        let last = world.decisions.iter().rev().find(|decision| decision.subject_id.as_str() == "last");
        last.unwrap().verdict.name()
    };
    assert_eq!((last(7), last(20)), ("review", "approve"));
}
