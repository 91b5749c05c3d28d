//! The more careful, the less of the scheme shows: in one figure a family, which grows or falls with the dial.

use std::collections::{HashMap, HashSet};

use expect_test::{Expect, expect};
use tributary::event::{Body, ConversionKind};
use tributary::ids::Token;
use tributary::simulate::labelled::{Family, Labelled};

use super::cheats;

/// What the figures are made of, of what was fraud alone, and of the members who did it.
#[derive(Default)]
struct Seen {
    clicks: u64,
    orders: u64,
    refunds: u64,
    agents: HashSet<u64>,
    click_addresses: HashSet<Token>,
    click_devices: HashSet<Token>,
    order_devices: HashSet<Token>,
    /// Of the orders: with something that is the member's own.
    own_user: u64,
    own_address: u64,
    own_device: u64,
    /// From the click that an order names to the order, all together.
    waited_ms: i64,
    members: HashSet<String>,
    payouts: HashSet<Token>,
}

/// What members have been seen with.
#[derive(Default)]
struct Members {
    users: HashMap<String, String>,
    tokens: HashSet<(String, Token)>,
    payouts: HashMap<String, Token>,
}

fn seen(traffic: &[Labelled]) -> Seen {
    let mut members = Members::default();
    for labelled in traffic {
        match labelled.event().body {
            Body::Member(member) => {
                members.users.insert(member.member_id.0.to_owned(), member.user_id.unwrap().to_owned());
            }
            Body::Sighting(sighting) => {
                let id = sighting.member_id.0.to_owned();
                let tokens = [sighting.ip_token, sighting.device_token].into_iter().flatten();
                members.tokens.extend(tokens.map(|token| (id.clone(), token)));
                members.payouts.insert(id, sighting.payout_token.unwrap());
            }
            _ => {}
        }
    }
    let (mut seen, mut clicks) = (Seen::default(), HashMap::new());
    for labelled in traffic {
        let Some(label) = labelled.labels().next().filter(|label| label.is_fraud()) else { continue };
        seen.agents.insert(label.agent);
        seen.look(labelled, &members, &mut clicks);
    }
    seen
}

impl Seen {
    fn look(&mut self, labelled: &Labelled, members: &Members, clicks: &mut HashMap<String, (i64, String)>) {
        let event = labelled.event();
        match &event.body {
            Body::Click(click) => {
                self.clicks += 1;
                self.click_addresses.extend(click.ip_token);
                self.click_devices.extend(click.device_token);
                let Some(member) = click.member_id else { return };
                clicks.insert(click.click_id.0.to_owned(), (event.occurred_at.0, member.0.to_owned()));
                self.members.insert(member.0.to_owned());
                self.payouts.extend(members.payouts.get(member.0));
            }
            Body::Conversion(order) if order.kind == ConversionKind::Purchase => {
                let Some((clicked, member)) = order.click_id.and_then(|click| clicks.get(click.0)) else { return };
                self.orders += 1;
                self.waited_ms += event.occurred_at.0 - clicked;
                self.order_devices.extend(order.device_token);
                let is_own =
                    |token: Option<Token>| token.is_some_and(|token| members.tokens.contains(&(member.clone(), token)));
                self.own_address += u64::from(is_own(order.ip_token));
                self.own_device += u64::from(is_own(order.device_token));
                self.own_user += u64::from(order.user_id == members.users.get(member).map(String::as_str));
            }
            Body::Conversion(refund) if refund.kind == ConversionKind::Refund => self.refunds += 1,
            _ => {}
        }
    }

    /// In thousandths.
    fn figure(&self, family: Family) -> u64 {
        let count = |set: &HashSet<Token>| u64::try_from(set.len()).unwrap();
        let (what, of) = match family {
            Family::SelfPlain => (self.own_user, self.orders),
            Family::SelfVpn => (self.own_address, self.orders),
            Family::SelfSecondDevice => (self.own_device, self.orders),
            Family::ClickFarm => (count(&self.click_devices), self.clicks),
            Family::BotFixed | Family::BotJittered | Family::BotPoisson => (count(&self.click_addresses), self.clicks),
            Family::CookieStuffing => (u64::try_from(self.waited_ms).unwrap() / 1_000, self.orders),
            Family::BuyAndReturn => (self.refunds, self.orders),
            Family::StolenCards => (count(&self.order_devices), self.orders),
            Family::AccountRing => (count(&self.payouts), u64::try_from(self.members.len()).unwrap()),
            Family::LowAndSlow => (self.clicks + self.orders, u64::try_from(self.agents.len()).unwrap()),
        };
        what * 1_000 / of.max(1)
    }
}

fn dial(family: Family, expected: Expect) {
    let figures = [0, 3, 7, 10].map(|strength| seen(&cheats(family, strength)).figure(family));
    assert!(figures.is_sorted() || figures.iter().rev().is_sorted(), "{}: {figures:?}", family.name());
    assert_ne!(figures[0], figures[3]);
    expected.assert_eq(&format!("{figures:?}"));
}

#[test]
fn who_buys_from_himself_does_so_less_often_with_his_own_account() {
    dial(Family::SelfPlain, expect!["[950, 691, 347, 66]"]);
}

#[test]
fn who_hides_his_address_forgets_it_less_often() {
    dial(Family::SelfVpn, expect!["[289, 177, 102, 0]"]);
}

#[test]
fn who_has_a_second_phone_takes_the_first_less_often() {
    dial(Family::SelfSecondDevice, expect!["[309, 221, 99, 6]"]);
}

#[test]
fn a_farm_clicks_less_on_each_phone() {
    dial(Family::ClickFarm, expect!["[2, 20, 58, 101]"]);
}

#[test]
fn robots_click_less_from_each_address() {
    dial(Family::BotFixed, expect!["[0, 32, 158, 320]"]);
    dial(Family::BotJittered, expect!["[0, 31, 141, 318]"]);
    dial(Family::BotPoisson, expect!["[0, 32, 148, 304]"]);
}

#[test]
fn who_stuffs_cookies_lets_more_time_pass_before_the_order() {
    dial(Family::CookieStuffing, expect!["[322718, 616315, 1024466, 1317624]"]);
}

#[test]
fn who_sends_all_back_keeps_more() {
    dial(Family::BuyAndReturn, expect!["[549, 449, 343, 222]"]);
}

#[test]
fn thieves_use_a_device_for_fewer_cards() {
    dial(Family::StolenCards, expect!["[112, 369, 681, 911]"]);
}

#[test]
fn a_ring_is_paid_on_more_accounts() {
    dial(Family::AccountRing, expect!["[175, 343, 695, 1000]"]);
}

#[test]
fn who_is_in_no_hurry_does_less() {
    dial(Family::LowAndSlow, expect!["[63787, 20090, 11424, 8393]"]);
}
