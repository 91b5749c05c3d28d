//! Each question: where it begins to be answered with yes, what silences it, and what it cannot do without.

use tributary::fold::fraud::{
    Accounts, Agent, Answer, Compared, CustomerHistory, Facts, Gaps, Guard, Missing, Own, Question, Rate, RuleSet,
    Share, Winning, is_above, span,
};

use super::{SEEN, accounts, answer, assess, clicks, forget_account, history, honest, own, set_accounts};

/// What the default set and the literal one answer to a question.
fn both(question: Question, change: impl Fn(&mut Facts)) -> (Answer, Answer) {
    let mut facts = honest();
    change(&mut facts);
    let of = |rules: RuleSet| answer(&assess(&facts, &rules), question);
    (of(RuleSet::guarded_v1()), of(RuleSet::seed_v1()))
}

const fn is_yes(answer: Answer) -> bool {
    matches!(answer, Answer::Yes(_))
}

/// Yes by both sets, or no by both.
fn fires(question: Question, change: impl Fn(&mut Facts)) -> bool {
    let (guarded, literal) = both(question, change);
    assert_eq!(guarded, literal, "no guard holds");
    assert!(is_yes(guarded) || guarded == Answer::No, "{guarded:?}");
    is_yes(guarded)
}

/// Yes by the literal set, and silenced by the default one.
fn is_silenced(question: Question, guard: Guard, change: impl Fn(&mut Facts)) -> bool {
    let (guarded, literal) = both(question, change);
    is_yes(literal) && matches!(guarded, Answer::Silenced(_, by) if by == guard)
}

fn is_unknown(question: Question, missing: Missing, change: impl Fn(&mut Facts)) -> bool {
    both(question, change) == (Answer::Unknown(missing), Answer::Unknown(missing))
}

fn seen(age: u64, is_shared: bool) -> Own {
    Own::Seen { age, is_shared, is_proxy: false }
}

#[test]
fn an_honest_one_about_whom_all_is_known_is_answered_with_no_throughout() {
    for rules in [RuleSet::guarded_v1(), RuleSet::seed_v1()] {
        let assessment = assess(&honest(), &rules);
        assert!(assessment.findings().all(|finding| finding.answer == Answer::No), "{assessment:?}");
        assert_eq!((assessment.score.raw, assessment.findings().count()), (0, 29));
    }
}

#[test]
fn an_own_address_counts_for_30_days_and_not_if_many_share_it() {
    let ip = |what: Own| {
        move |facts: &mut Facts| {
            own(facts).ip = what;
            forget_account(facts);
        }
    };
    assert!(fires(Question::SameIp, ip(seen(span::OWN_IP, false))));
    assert!(!fires(Question::SameIp, ip(seen(span::OWN_IP + 1, false))));
    assert!(is_silenced(Question::SameIp, Guard::SharedIp, ip(seen(0, true))));
    assert!(!fires(Question::SameIp, ip(seen(span::OWN_IP + 1, true))));
    assert!(is_unknown(Question::SameIp, Missing::MemberIps, ip(Own::Missing(Missing::MemberIps))));
}

#[test]
fn an_address_by_which_much_of_the_traffic_comes_tells_nothing() {
    let (guarded, literal) = both(Question::SameIp, |facts| {
        own(facts).ip = Own::Seen { age: 0, is_shared: true, is_proxy: true };
    });
    assert_eq!(guarded, Answer::Unknown(Missing::ProxyIp));
    assert!(is_yes(literal));
}

#[test]
fn an_own_device_counts_for_90_days_and_not_if_it_is_crowded() {
    let device = |what: Own| {
        move |facts: &mut Facts| {
            own(facts).device = what;
            forget_account(facts);
        }
    };
    assert!(fires(Question::SameDevice, device(seen(span::OWN_DEVICE, false))));
    assert!(!fires(Question::SameDevice, device(seen(span::OWN_DEVICE + 1, false))));
    assert!(is_silenced(Question::SameDevice, Guard::CrowdedDevice, device(seen(0, true))));
    assert!(is_unknown(Question::SameDevice, Missing::ActorDevice, device(Own::Missing(Missing::ActorDevice))));
}

#[test]
fn the_same_user_is_known_by_id_by_e_mail_or_by_payout() {
    assert!(fires(Question::SameUserId, |facts| own(facts).user = Compared::Same));
    assert!(fires(Question::SameEmail, |facts| own(facts).email = Compared::Same));
    let by_payout = |facts: &mut Facts| {
        own(facts).payout = Compared::Same;
        forget_account(facts);
    };
    assert!(fires(Question::SamePayout, by_payout));
    let missing = Compared::Missing(Missing::MemberPayout);
    assert!(is_unknown(Question::SamePayout, Missing::MemberPayout, |facts| own(facts).payout = missing));
}

#[test]
fn what_nobody_says_of_itself_is_neither_bot_nor_human() {
    assert!(fires(Question::DeclaredBot, |facts| clicks(facts).agent = Agent::Bot));
    assert!(is_unknown(Question::DeclaredBot, Missing::UserAgent, |facts| clicks(facts).agent = Agent::Missing));
}

#[test]
fn velocity_begins_above_its_limits() {
    let rate = |in_minute, in_hour| Rate::Clicks { in_minute, in_hour, devices: 0 };
    for (clicks_in, is_fast) in [(10, false), (11, true)] {
        assert_eq!(fires(Question::ClicksOfIpInMinute, |facts| clicks(facts).ip = rate(clicks_in, clicks_in)), is_fast);
        let by_device = |facts: &mut Facts| clicks(facts).device = rate(clicks_in, clicks_in);
        assert_eq!(fires(Question::ClicksOfDeviceInMinute, by_device), is_fast);
    }
    for (clicks_in, is_fast) in [(60, false), (61, true)] {
        assert_eq!(fires(Question::ClicksOfIpInHour, |facts| clicks(facts).ip = rate(1, clicks_in)), is_fast);
    }
    for (clicks_in, is_fast) in [(100, false), (101, true)] {
        let by_network = |facts: &mut Facts| clicks(facts).network = rate(clicks_in, clicks_in);
        assert_eq!(fires(Question::ClicksOfNetworkInMinute, by_network), is_fast);
    }
}

#[test]
fn an_address_of_many_devices_carries_as_many_times_the_clicks_but_at_most_20() {
    let rate = |in_minute, devices| {
        move |facts: &mut Facts| {
            clicks(facts).ip = Rate::Clicks { in_minute, in_hour: in_minute, devices };
        }
    };
    assert!(is_silenced(Question::ClicksOfIpInMinute, Guard::SharedIp, rate(30, 3)));
    let (guarded, literal) = both(Question::ClicksOfIpInMinute, rate(31, 3));
    assert!(is_yes(guarded) && is_yes(literal));
    assert!(is_silenced(Question::ClicksOfIpInMinute, Guard::SharedIp, rate(200, 500)));
    assert!(is_yes(both(Question::ClicksOfIpInMinute, rate(201, 500)).0));
}

#[test]
fn gaps_are_a_machines_if_20_of_them_vary_by_less_than_30_percent() {
    let gaps = |gaps: Vec<u64>| move |facts: &mut Facts| clicks(facts).gaps = Some(Gaps::of(gaps.iter().copied()));
    // Half of them a percent p below the mean and half above: the variation is p.
    let around = |mean: u64, percent: u64| {
        let (below, above) = (mean * (100 - percent) / 100, mean * (100 + percent) / 100);
        (0..20).map(|n| if n % 2 == 0 { below } else { above }).collect::<Vec<_>>()
    };
    assert!(fires(Question::RegularGaps, gaps(around(60_000, 29))));
    assert!(!fires(Question::RegularGaps, gaps(around(60_000, 30))));
    for (mean, is_machine) in [(499, false), (500, true), (6 * span::HOUR, true), (6 * span::HOUR + 1, false)] {
        assert_eq!(fires(Question::RegularGaps, gaps(vec![mean; 20])), is_machine, "{mean}");
    }
    assert!(is_unknown(Question::RegularGaps, Missing::Clicks, gaps(vec![60_000; 19])));
    assert!(is_unknown(Question::RegularGaps, Missing::Clicks, |facts| clicks(facts).gaps = None));
}

#[test]
fn conversions_take_a_person_5_seconds_and_signups_2() {
    let after = |before, is_purchase| {
        move |facts: &mut Facts| {
            clicks(facts).winning = Winning::Click { before, is_purchase, has_rival: false, behind: None };
        }
    };
    for (before, is_purchase, is_hasty) in
        [(4_999, true, true), (5_000, true, false), (1_999, false, true), (2_000, false, false)]
    {
        assert_eq!(fires(Question::HastyConversion, after(before, is_purchase)), is_hasty, "{before}");
    }
    assert!(!fires(Question::HastyConversion, |facts| clicks(facts).winning = Winning::NoConversion));
    assert!(is_unknown(Question::HastyConversion, Missing::Click, |facts| clicks(facts).winning = Winning::NoClick));
}

#[test]
fn a_click_that_comes_just_in_time_to_win_is_told() {
    let won = |before, has_rival, behind| {
        move |facts: &mut Facts| {
            clicks(facts).winning = Winning::Click { before, is_purchase: true, has_rival, behind };
        }
    };
    assert!(fires(Question::LateClick, won(10_000, true, None)));
    assert!(!fires(Question::LateClick, won(10_001, true, None)));
    assert!(!fires(Question::LateClick, won(10_000, false, None)));
    assert!(fires(Question::ClickBehindAnother, won(span::HOUR, true, Some(5_000))));
    assert!(!fires(Question::ClickBehindAnother, won(span::HOUR, true, Some(5_001))));
    assert!(!fires(Question::ClickBehindAnother, won(span::HOUR, true, None)));
}

#[test]
fn one_chargeback_of_a_customer_counts_and_of_a_member_three_that_are_surely_above_one_percent() {
    let customer = |chargebacks| {
        move |facts: &mut Facts| {
            history(facts).customer = Some(CustomerHistory { chargebacks, ..CustomerHistory::default() });
        }
    };
    assert!(fires(Question::CustomerChargebacks, customer(1)) && !fires(Question::CustomerChargebacks, customer(0)));
    assert!(is_unknown(Question::CustomerChargebacks, Missing::Customer, |facts| history(facts).customer = None));
    let member = |some, all| move |facts: &mut Facts| history(facts).chargebacks = Share { some, all };
    for (some, all, is_much) in [(3, 100, true), (3, 150, false), (10, 600, false), (2, 2, false), (3, 3, true)] {
        assert_eq!(fires(Question::MemberChargebacks, member(some, all)), is_much, "{some} of {all}");
    }
}

#[test]
fn refunds_of_a_member_count_from_five_that_are_surely_above_a_fifth_and_twice_what_is_usual() {
    let member = |some, all, usual| {
        move |facts: &mut Facts| {
            history(facts).refunds = Share { some, all };
            history(facts).creator_refunds = usual;
        }
    };
    let few = Share { some: 1, all: 100 };
    for (some, all, is_much) in [(8, 20, true), (5, 15, false), (4, 4, false), (5, 5, true)] {
        assert_eq!(fires(Question::MemberRefunds, member(some, all, few)), is_much, "{some} of {all}");
    }
    // Where a quarter is usual, half is what a member may have.
    let quarter = Share { some: 25, all: 100 };
    assert!(!fires(Question::MemberRefunds, member(8, 20, quarter)));
    assert!(fires(Question::MemberRefunds, member(18, 20, quarter)));
    // Twice what is usual may be more than all.
    assert!(!fires(Question::MemberRefunds, member(20, 20, Share { some: 60, all: 100 })));
}

#[test]
fn refunds_soon_after_the_pay_day_and_of_one_customer_count_from_three() {
    let early = |refunds| move |facts: &mut Facts| history(facts).early_refunds = Some(refunds);
    assert!(fires(Question::EarlyRefunds, early(3)) && !fires(Question::EarlyRefunds, early(2)));
    assert!(is_unknown(Question::EarlyRefunds, Missing::HoldDays, |facts| history(facts).early_refunds = None));
    let customer = |refunds, refunded_orders| {
        move |facts: &mut Facts| {
            let orders = refunded_orders;
            history(facts).creator_refunds = Share::default();
            history(facts).customer =
                Some(CustomerHistory { refunds, refunded_orders, orders, ..CustomerHistory::default() });
        }
    };
    assert!(fires(Question::CustomerRefunds, customer(4, 4)));
    assert!(is_silenced(Question::CustomerRefunds, Guard::UsualRefunds, customer(3, 2)), "two of two may be chance");
    assert!(!fires(Question::CustomerRefunds, customer(2, 2)));
    assert!(!fires(Question::CustomerRefunds, customer(3, 1)));
}

#[test]
fn two_accounts_of_one_person_count_and_three_customers_of_one_card_or_device() {
    assert!(fires(Question::ClusterAccounts, with_accounts(|it| it.members = 2)));
    let pay = |busiest, own| {
        with_accounts(move |it| (it.with_payment, it.with_own_payment, it.with_own_device) = (busiest, own, 0))
    };
    assert!(fires(Question::SharedPayment, pay(3, 3)) && !fires(Question::SharedPayment, pay(2, 2)));
    let device = |busiest, own| with_accounts(move |it| (it.with_device, it.with_own_device) = (busiest, own));
    assert!(fires(Question::SharedDevice, device(3, 3)) && !fires(Question::SharedDevice, device(2, 2)));
}

fn with_accounts(change: impl Fn(&mut Accounts)) -> impl Fn(&mut Facts) {
    move |facts| {
        let mut changed = accounts(facts);
        change(&mut changed);
        set_accounts(facts, changed);
    }
}

#[test]
fn what_customers_share_says_nothing_of_one_who_does_not() {
    let pay = with_accounts(|it| (it.with_payment, it.with_own_payment) = (3, 2));
    assert!(is_silenced(Question::SharedPayment, Guard::Bystander, pay));
    let device = with_accounts(|it| (it.with_device, it.with_own_device) = (3, 1));
    assert!(is_silenced(Question::SharedDevice, Guard::Bystander, device));
}

#[test]
fn what_more_than_five_customers_pay_with_is_a_school_s() {
    let pay = |own| with_accounts(move |it| (it.with_payment, it.with_own_payment, it.with_own_device) = (own, own, 0));
    assert!(fires(Question::SharedPayment, pay(5)));
    assert!(is_silenced(Question::SharedPayment, Guard::ManyPayers, pay(6)));
}

#[test]
fn customers_at_the_member_s_own_device_are_its_guests() {
    let at = |is_at_member| {
        with_accounts(move |it| (it.with_device, it.with_own_device, it.is_at_member) = (9, 9, is_at_member))
    };
    assert!(is_yes(both(Question::SharedDevice, at(false)).0));
    assert!(is_silenced(Question::SharedDevice, Guard::MemberDevice, at(true)));
}

#[test]
fn the_member_s_address_device_and_means_of_payout_say_nothing_of_who_has_another_account() {
    let accounts_known = |user, email| {
        move |facts: &mut Facts| {
            let own = own(facts);
            (own.ip, own.device, own.payout) = (SEEN, SEEN, Compared::Same);
            (own.user, own.email) = (user, email);
        }
    };
    let (other, same) = (Compared::Different, Compared::Same);
    let [user, email] = [Missing::ActorUser, Missing::ActorEmail].map(Compared::Missing);
    for question in [Question::SameIp, Question::SameDevice, Question::SamePayout] {
        assert!(fires(question, accounts_known(user, email)), "nobody knows");
        assert!(fires(question, accounts_known(same, other)) && fires(question, accounts_known(other, same)));
        for (user, email) in [(other, other), (other, email), (user, other)] {
            assert!(is_silenced(question, Guard::AnotherAccount, accounts_known(user, email)));
        }
    }
}

#[test]
fn a_customer_may_send_back_as_much_as_is_usual() {
    let customer = |refunded_orders, orders, creator_refunds| {
        move |facts: &mut Facts| {
            history(facts).creator_refunds = creator_refunds;
            let refunds = refunded_orders;
            history(facts).customer =
                Some(CustomerHistory { refunds, refunded_orders, orders, ..CustomerHistory::default() });
        }
    };
    let few = Share { some: 10, all: 1_000 };
    assert!(fires(Question::CustomerRefunds, customer(4, 4, few)), "surely more than 45 of 100");
    assert!(is_silenced(Question::CustomerRefunds, Guard::UsualRefunds, customer(4, 6, few)));
    let clothes = Share { some: 30, all: 100 };
    assert!(is_silenced(Question::CustomerRefunds, Guard::UsualRefunds, customer(4, 4, clothes)));
}

#[test]
fn one_chargeback_says_nothing_of_the_customer_s_other_orders() {
    let customer = |chargebacks, orders, is_charged_back| {
        move |facts: &mut Facts| {
            history(facts).customer =
                Some(CustomerHistory { chargebacks, orders, is_charged_back, ..CustomerHistory::default() });
        }
    };
    assert!(is_silenced(Question::CustomerChargebacks, Guard::OtherOrders, customer(1, 2, false)));
    assert!(fires(Question::CustomerChargebacks, customer(1, 2, true)), "of the order itself");
    assert!(fires(Question::CustomerChargebacks, customer(1, 1, false)), "there is no other order");
    assert!(fires(Question::CustomerChargebacks, customer(2, 9, false)), "it happens again");
}

#[test]
fn a_card_of_several_with_a_device_each_is_a_family_s() {
    let pay = |with_own_device| {
        with_accounts(move |it| (it.with_payment, it.with_own_payment, it.with_own_device) = (3, 3, with_own_device))
    };
    assert!(is_silenced(Question::SharedPayment, Guard::OwnDevices, pay(1)));
    assert!(fires(Question::SharedPayment, pay(0)), "nobody knows the device");
    assert!(fires(Question::SharedPayment, pay(2)));
}

#[test]
fn a_member_whose_customers_are_made_is_held_whoever_acted() {
    let made = |some, all| with_accounts(move |it| it.made = Share { some, all });
    let is_held = |some, all| is_asked_by_default_alone(Question::MadeCustomers, made(some, all));
    assert!(!is_held(7, 7), "so many may be chance, or a family's");
    assert!(is_held(8, 8) && is_held(8, 38));
    assert!(!is_held(8, 48), "not surely more than a tenth");
}

#[test]
fn a_member_whose_customers_decide_too_soon_is_held_unless_all_do() {
    let rushed = |some, all, creator_rushed| {
        with_accounts(move |it| {
            (it.rushed, it.creator_rushed) = (Share { some, all }, creator_rushed);
        })
    };
    let is_held = |some, all, creator| is_asked_by_default_alone(Question::RushedCustomers, rushed(some, all, creator));
    let few = Share { some: 100, all: 1_000 };
    assert!(is_held(5, 7, few));
    assert!(!is_held(4, 4, few) && !is_held(5, 10, few));
    let usual = Share { some: 400, all: 1_000 };
    assert!(!is_held(5, 7, usual), "twice what is usual here");
}

/// Whether the default set says yes; the literal one does not ask.
fn is_asked_by_default_alone(question: Question, change: impl Fn(&mut Facts)) -> bool {
    let (guarded, literal) = both(question, change);
    assert_eq!(literal, Answer::No);
    is_yes(guarded)
}

/// The lower bound of Wilson's interval with floats, as textbooks write it.
fn bound(k: u32, n: u32) -> f64 {
    let (n, p, z) = (f64::from(n), f64::from(k) / f64::from(n), 1.96_f64);
    (p + z * z / (2.0 * n) - z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt()) / (1.0 + z * z / n)
}

#[test]
fn the_bound_is_that_of_the_textbook() {
    for n in 1..=120 {
        for k in 0..=n {
            for (a, b) in [(1, 100), (1, 5), (1, 3), (1, 2), (9, 10)] {
                let distance = bound(k, n) - f64::from(a) / f64::from(b);
                if distance.abs() > 1e-9 {
                    assert_eq!(is_above(k, n, (a, b)), distance > 0.0, "{k} of {n} above {a}/{b}: {distance}");
                }
            }
        }
    }
}

#[test]
fn no_number_is_too_large_for_the_bound() {
    for (k, n) in [(u32::MAX, u32::MAX), (0, u32::MAX), (u32::MAX, 0), (0, 0)] {
        for limit in [(0, 0), (1, 0), (u32::MAX, u32::MAX), (1, u32::MAX), (0, u32::MAX)] {
            let _: bool = is_above(k, n, limit);
        }
    }
}
