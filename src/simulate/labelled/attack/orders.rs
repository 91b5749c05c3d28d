//! Orders that are not meant to stand.

use super::super::agent::Agent;
use super::super::network::Network;
use super::super::owed::Fate;
use super::super::person::Person;
use super::super::programme::Rhythm;
use super::super::scene::{Evidence, Link, Sale, Scene};
use super::super::shopper::{Membership, Shopper};
use super::{alias, be_member, cover};
use crate::ids::Millis;
use crate::simulate::market::mix;

/// Buys through his link, under a few names or with a few friends, waits until the commission is safe, and sends it
/// all back. Who is careful has more friends, keeps some of it, and is in no hurry.
pub(crate) fn buy_and_return(agent: &mut Agent, scene: &mut Scene, at: Millis) -> Millis {
    let member = Person::nth(agent.key, 0);
    let joined = be_member(agent, scene, &Membership::new(member, Network::Home(agent.key)), at);
    cover(agent, scene, member, at);
    if !joined {
        let friend = alias(agent.key, agent.dice.below(agent.dial_count(2, 14)));
        let at_his_place = agent.chance(500, 30);
        let home = Network::Home(if at_his_place { agent.key } else { friend.key() });
        let friend = Shopper::new(agent.group, friend, friend.device(agent.dice.below(1_000)), home);
        let clicked = agent.after(at, 5 * Millis::SECOND, 5 * Millis::MINUTE);
        let guise = friend.device.at(home.address(clicked, &mut agent.dice), clicked);
        let click = scene.click(agent.group, agent, &Link::of(member), &guise, clicked);
        let sale = Sale {
            by: agent.group,
            member,
            evidence: Evidence::Click(click),
            guise,
            customer: friend.person,
            user: Some(friend.person),
            payment: Some(friend.payment),
        };
        let bought = agent.after(clicked, 25 * Millis::SECOND, 8 * Millis::MINUTE);
        let amount = scene.programme(agent.creator).high_price(&mut agent.dice);
        let hold_days = scene.programme(agent.creator).hold_days;
        let fate = sends_back(agent, hold_days);
        scene.order(agent, &sale, (amount, &fate), bought);
    }
    let mean = agent.dial(20, 72) * Millis::HOUR;
    scene.programme(agent.creator).next(Rhythm::Waking, at, mean, &mut agent.dice)
}

/// How long commissions are held stands in the programme's terms.
fn sends_back(agent: &mut Agent, hold_days: i64) -> Fate {
    if !agent.chance(970, 480) {
        return Fate::default();
    }
    let after = hold_days * Millis::DAY + 6 * Millis::HOUR + agent.dice.wait(agent.dial(2, 7) * Millis::DAY);
    let in_part = agent.chance(0, 350);
    let percent = if in_part { agent.dice.between(55, 95) } else { 100 };
    Fate { refund: Some((after, percent)), ..Fate::default() }
}

/// Bought card numbers, tried a batch at a time on orders through the ring's own link. The owners of the cards notice
/// when the statement comes. Who is careful takes a new device for each, fewer at a time, and owners who look seldom.
pub(crate) fn stolen_cards(agent: &mut Agent, scene: &mut Scene, at: Millis) -> Millis {
    let member = Person::nth(agent.key, 0);
    let network = scene.vpn(agent);
    let joined = be_member(agent, scene, &Membership::new(member, network), at);
    cover(agent, scene, member, at);
    if !joined {
        let cards = agent.dial_count(7, 2) + agent.dice.below(3);
        let mut when = at;
        for _ in 0..cards {
            when = agent.after(when, 40 * Millis::SECOND, agent.dial(5, 150) * Millis::MINUTE);
            pay_with_a_stolen_card(agent, scene, member, when);
        }
    }
    let mean = agent.dial(40, 110) * Millis::HOUR;
    scene.programme(agent.creator).next(Rhythm::Waking, at, mean, &mut agent.dice)
}

fn pay_with_a_stolen_card(agent: &mut Agent, scene: &mut Scene, member: Person, at: Millis) {
    let owner = Person::nth(agent.name(), 0);
    let own_device = agent.chance(900, 60);
    let worker = alias(agent.key, agent.dice.below(2));
    let device = if own_device { worker.laptop() } else { owner.laptop() };
    let lent = agent.chance(100, 850);
    let network = if lent { Network::Lent(mix(agent.key ^ 5), 500) } else { scene.vpn(agent) };
    let guise = device.at(network.address(at, &mut agent.dice), at);
    let click = scene.click(agent.group, agent, &Link::of(member), &guise, at);
    let sale = Sale {
        by: agent.group,
        member,
        evidence: Evidence::Click(click),
        guise,
        customer: owner,
        user: Some(owner),
        payment: Some(owner.account()),
    };
    let bought = agent.after(at, 20 * Millis::SECOND, agent.dial(90, 600) * Millis::SECOND);
    let noticed = agent.chance(930, 650);
    let after = 10 * Millis::DAY + agent.dice.wait(18 * Millis::DAY);
    let fate = Fate { chargeback: noticed.then_some(after), ..Fate::default() };
    let amount = scene.programme(agent.creator).high_price(&mut agent.dice);
    scene.order(agent, &sale, (amount, &fate), bought);
}
