//! Leaderboards.

use expect_test::expect;
use tributary::fold::boards::{Metric, Window};

use crate::fold::boards::board;

#[test]
fn empty_board() {
    board(
        "UTC",
        "06-10 10:00 Share share_id=s1 member_id=ann platform=x share_type=link",
        "06-10",
        &[(Metric::Earnings, Window::All, 0), (Metric::Clicks, Window::Day, 0), (Metric::Shares, Window::Day, 1)],
        expect![[r#"
            earnings of all: 
            clicks of day: 
            shares of day, before: 
        "#]],
    );
}

#[test]
fn two_members_tied_on_the_board() {
    board(
        "UTC",
        "06-10 10:00 Click click_id=k1 member_id=bob
         06-10 11:00 Click click_id=k2 member_id=ann
         06-10 12:00 Click click_id=k3 member_id=cid
         06-10 13:00 Click click_id=k4 member_id=cid",
        "06-10",
        &[(Metric::Clicks, Window::All, 0), (Metric::Clicks, Window::Day, 0), (Metric::Shares, Window::All, 0)],
        expect![[r#"
            clicks of all: 1 cid 2, 2 bob 1, 2 ann 1
            clicks of day: 1 cid 2, 2 bob 1, 2 ann 1
            shares of all: 
        "#]],
    );
}

#[test]
fn sale_in_june_refunded_in_july() {
    board(
        "UTC",
        "06-20 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
         06-21 10:00 Conversion conversion_id=p2 kind=purchase referral_code=BOB customer_id=u2 amount=800
         07-02 10:00 Conversion conversion_id=p3 kind=purchase referral_code=BOB customer_id=u3 amount=100
         07-03 10:00 Conversion conversion_id=r1 kind=refund original_id=p1 amount=300",
        "07-03",
        &[
            (Metric::Revenue, Window::Month, 0),
            (Metric::Revenue, Window::Month, 1),
            (Metric::Revenue, Window::Day, 0),
            (Metric::Revenue, Window::Rolling30, 0),
            (Metric::Revenue, Window::All, 0),
        ],
        expect![[r#"
            revenue of month: 1 bob 100
            revenue of month, before: 1 bob 800, 2 ann 700
            revenue of day: 
            revenue of rolling30: 1 bob 900, 2 ann 700
            revenue of all: 1 bob 900, 2 ann 700
        "#]],
    );
}

#[test]
fn refund_of_the_leader_s_sale() {
    board(
        "UTC",
        "06-20 10:00 Conversion conversion_id=p1 kind=purchase referral_code=ANN customer_id=u1 amount=1000
         06-20 11:00 Conversion conversion_id=p2 kind=purchase referral_code=BOB customer_id=u2 amount=800
         06-20 12:00 Conversion conversion_id=r1 kind=refund original_id=p1",
        "06-20",
        &[(Metric::Revenue, Window::Week, 0), (Metric::Customers, Window::All, 0), (Metric::Referrals, Window::All, 0)],
        expect![[r#"
            revenue of week: 1 bob 800
            customers of all: 1 bob 1
            referrals of all: 1 ann 1, 1 bob 1
        "#]],
    );
}

#[test]
fn today_across_a_daylight_saving_change_week_start_month_end() {
    // In Berlin 2026-03-29 begins at 23:00Z of the 28th and ends at 22:00Z of the 29th: it has 23 hours. It is a Sunday.
    board(
        "Europe/Berlin",
        "03-28 22:59 Click click_id=k1 member_id=ann
         03-28 23:00 Click click_id=k2 member_id=bob
         03-29 21:59 Click click_id=k3 member_id=bob
         03-29 22:00 Click click_id=k4 member_id=cid",
        "03-30",
        &[
            (Metric::Clicks, Window::Day, 0),
            (Metric::Clicks, Window::Day, 1),
            (Metric::Clicks, Window::Week, 0),
            (Metric::Clicks, Window::Week, 1),
            (Metric::Clicks, Window::Month, 0),
            (Metric::Clicks, Window::Rolling7, 0),
        ],
        expect![[r#"
            clicks of day: 1 cid 1
            clicks of day, before: 1 bob 2
            clicks of week: 1 cid 1
            clicks of week, before: 1 bob 2, 2 ann 1
            clicks of month: 1 bob 2, 2 ann 1, 2 cid 1
            clicks of rolling7: 1 bob 2, 2 ann 1
        "#]],
    );
}
