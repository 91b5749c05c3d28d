//! One person who is many, and one who is hardly there.

use super::super::agent::Agent;
use super::super::network::Network;
use super::super::person::{Device, Person};
use super::super::programme::Rhythm;
use super::super::scene::{Evidence, Link, Sale, Scene};
use super::super::shopper::Membership;
use super::{alias, cover};
use crate::ids::{Millis, Token};

/// Three to eight accounts of one person, who refers himself round and round. Who is careless is paid for all of them
/// on one account and has one phone; who is careful has as many as he has names.
pub(crate) fn account_ring(agent: &mut Agent, scene: &mut Scene, at: Millis) -> Millis {
    let accounts = 3 + agent.fixed(1, 6);
    let turn = u64::from(agent.turns);
    if turn < accounts {
        // One account after the other.
        account(agent, scene, turn).begin(agent, scene, at);
        let mean = agent.dial(2, 40) * Millis::HOUR;
        return scene.programme(agent.creator).next(Rhythm::Waking, at, mean, &mut agent.dice);
    }
    let referrer = agent.dice.below(accounts);
    let referred = (referrer + 1 + agent.dice.below(accounts - 1)) % accounts;
    if agent.dice.permille(500) {
        account(agent, scene, referrer).log_in(agent, scene, at);
    }
    let link = Link::of(Person::nth(agent.key, referrer));
    cover(agent, scene, link.member, at);
    let own = account(agent, scene, referred);
    let clicked = agent.after(at, 10 * Millis::SECOND, 4 * Millis::MINUTE);
    let guise = own.device.at(own.network.address(clicked, &mut agent.dice), clicked);
    let click = scene.click(agent.group, agent, &link, &guise, clicked);
    // Prepaid cards are for sale at every till.
    let prepaid = agent.chance(50, 700);
    let payment = if prepaid { Person::nth(agent.name(), 0).account() } else { own.payout };
    let customer = if agent.dice.permille(500) { own.member } else { alias(agent.key, referred) };
    let sale = Sale {
        by: agent.group,
        member: link.member,
        evidence: Evidence::Click(click),
        guise,
        customer,
        user: Some(customer),
        payment: Some(payment),
    };
    let bought = agent.after(clicked, 20 * Millis::SECOND, 6 * Millis::MINUTE);
    if scene.programme(agent.creator).signs_up() {
        scene.sign_up(agent, &sale, Millis(bought.0 - 8 * Millis::SECOND));
    }
    let amount = scene.programme(agent.creator).price(&mut agent.dice);
    let fate = scene.programme(agent.creator).fate(&mut agent.dice);
    scene.order(agent, &sale, (amount, &fate), bought);
    let mean = agent.dial(14, 70) * Millis::HOUR;
    scene.programme(agent.creator).next(Rhythm::Waking, at, mean, &mut agent.dice)
}

/// The `n`th account of a ring, with what it shares with others.
fn account(agent: &mut Agent, scene: &Scene, n: u64) -> Membership {
    let accounts = i64::try_from(3 + agent.fixed(1, 6)).unwrap_or(3);
    let apart = agent.dial_count(1, accounts).max(1);
    let payout: Token = alias(agent.key, 40 + n % apart).account();
    let device: Device = alias(agent.key, 80 + n % apart).phone();
    let outside = agent.chance(0, 800);
    let network = if outside { scene.carrier(n) } else { Network::Home(agent.key) };
    Membership { member: Person::nth(agent.key, n), device, network, payout }
}

/// No haste, no greed: another name, another phone, another network and another's card, now and then, below an honest
/// audience.
pub(crate) fn low_and_slow(agent: &mut Agent, scene: &mut Scene, at: Millis) -> Millis {
    let member = Person::nth(agent.key, 0);
    let membership = Membership::new(member, Network::Home(agent.key));
    if agent.is_new() {
        membership.begin(agent, scene, at);
    } else if agent.dice.permille(500) {
        membership.log_in(agent, scene, at);
    }
    for _ in 0..agent.dial_count(2, 5) {
        cover(agent, scene, member, at);
    }
    if !agent.is_new() {
        take_a_little(agent, scene, member, at);
    }
    let mean = agent.dial(24, 190) * Millis::HOUR;
    scene.programme(agent.creator).next(Rhythm::Waking, at, mean, &mut agent.dice)
}

fn take_a_little(agent: &mut Agent, scene: &mut Scene, member: Person, at: Millis) {
    let name = alias(agent.key, agent.dice.below(agent.dial_count(4, 25)));
    let network = if agent.dice.permille(500) { scene.vpn(agent) } else { scene.carrier(agent.fixed(5, 12)) };
    let looked = agent.after(at, 30 * Millis::SECOND, 20 * Millis::MINUTE);
    let guise = name.phone().at(network.address(looked, &mut agent.dice), looked);
    let click = scene.click(agent.group, agent, &Link::of(member), &guise, looked);
    if !agent.dice.permille(450) {
        return;
    }
    let sale = Sale {
        by: agent.group,
        member,
        evidence: Evidence::Click(click),
        guise,
        customer: name,
        user: Some(name),
        payment: Some(name.account()),
    };
    let bought = agent.after(looked, 40 * Millis::SECOND, 40 * Millis::MINUTE);
    let amount = scene.programme(agent.creator).price(&mut agent.dice);
    let fate = scene.programme(agent.creator).fate(&mut agent.dice);
    scene.order(agent, &sale, (amount, &fate), bought);
}
