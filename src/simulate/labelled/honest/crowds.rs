//! Many behind few addresses, and few behind many.

use super::super::agent::Agent;
use super::super::network::Network;
use super::super::person::Person;
use super::super::programme::Rhythm;
use super::super::scene::{Link, Scene};
use super::super::shopper::{Membership, Shopper};
use crate::ids::Millis;
use crate::simulate::market::mix;

/// 20 to 300 people behind one IPv4 during working hours. Some are members; colleagues tell colleagues.
pub(crate) fn office(agent: &mut Agent, scene: &mut Scene, at: Millis) -> Millis {
    let network = Network::Office(agent.key);
    let heads = 20 + agent.fixed(1, 281);
    let members = (heads / 40).max(1);
    if agent.is_new() {
        for n in 0..members {
            Membership::new(Person::nth(agent.key, n), network).begin(agent, scene, at);
        }
    }
    if agent.dice.permille(60) {
        let member = Person::nth(agent.key, agent.dice.below(members));
        let elsewhere = if agent.dice.permille(400) { Network::Home(member.key()) } else { network };
        let device = if agent.dice.permille(500) { member.laptop() } else { member.phone() };
        Membership { device, ..Membership::new(member, elsewhere) }.log_in(agent, scene, at);
    }
    let who = members + agent.dice.below(heads - members);
    let person = Person::nth(agent.key, who);
    let colleague = Person::nth(agent.key, agent.dice.below(members));
    let stranger = scene.programme(agent.creator).somebody(&mut agent.dice);
    if let Some(member) = if agent.dice.permille(250) { Some(colleague) } else { stranger } {
        let shopper = Shopper::new(agent.group, person, person.device(agent.dice.below(1_000)), network);
        let begun = agent.after(at, 1, Millis::MINUTE);
        shopper.visit(agent, scene, &Link::of(member), begun);
    }
    let mean = 18 * Millis::DAY / i64::try_from(heads).unwrap_or(1);
    scene.programme(agent.creator).next(Rhythm::Work, at, mean, &mut agent.dice)
}

/// Thousands of phones over a few addresses of their carrier, or with a new /64 each time.
pub(crate) fn carrier_nat(agent: &mut Agent, scene: &mut Scene, at: Millis) -> Millis {
    let network = scene.carrier(agent.fixed(2, 12));
    let phones = 2_000 + agent.fixed(1, 4_000);
    let members = 6;
    if agent.is_new() {
        for n in 0..members {
            Membership::new(Person::nth(agent.key, n), network).begin(agent, scene, at);
        }
    }
    if agent.dice.permille(20) {
        let member = Person::nth(agent.key, agent.dice.below(members));
        Membership::new(member, network).log_in(agent, scene, at);
    }
    let person = Person::nth(agent.key, members + agent.dice.below(phones));
    let neighbour = Person::nth(agent.key, agent.dice.below(members));
    let stranger = scene.programme(agent.creator).somebody(&mut agent.dice);
    if let Some(member) = if agent.dice.permille(80) { Some(neighbour) } else { stranger } {
        let shopper = Shopper::new(agent.group, person, person.phone(), network);
        shopper.visit(agent, scene, &Link::of(member), Millis(at.0 + 1));
    }
    let mean = 60 * Millis::DAY / i64::try_from(phones).unwrap_or(1);
    scene.programme(agent.creator).next(Rhythm::Waking, at, mean, &mut agent.dice)
}

/// At home, on the train, at work, on the train, at home: the same phone on four networks a day.
pub(crate) fn commuter(agent: &mut Agent, scene: &mut Scene, at: Millis) -> Millis {
    let person = Person::nth(agent.key, 0);
    let network = match scene.programme(agent.creator).hour(at) {
        7 | 8 | 17 | 18 => scene.carrier(agent.fixed(1, 12)),
        9..=16 => Network::Office(mix(agent.fixed(2, 60))),
        _ => Network::Home(agent.key),
    };
    if agent.fixed(3, 1_000) < 250 {
        let membership = Membership::new(person, network);
        membership.show(agent, scene, at, 600);
    }
    if let Some(member) = scene.programme(agent.creator).somebody(&mut agent.dice)
        && member != person
    {
        let device = if agent.dice.permille(850) { person.phone() } else { person.laptop() };
        let shopper = Shopper::new(agent.group, person, device, network);
        let begun = agent.after(at, 1, Millis::MINUTE);
        shopper.visit(agent, scene, &Link::of(member), begun);
    }
    scene.programme(agent.creator).next(Rhythm::Waking, at, 4 * Millis::DAY, &mut agent.dice)
}

/// Who has nothing to hide but would rather not be watched: behind the exits of a provider, with all its others.
pub(crate) fn vpn_user(agent: &mut Agent, scene: &mut Scene, at: Millis) -> Millis {
    let person = Person::nth(agent.key, 0);
    let network = if agent.dice.permille(850) { scene.vpn(agent) } else { Network::Home(agent.key) };
    if agent.fixed(3, 1_000) < 200 {
        let membership = Membership::new(person, network);
        membership.show(agent, scene, at, 600);
    }
    if let Some(member) = scene.programme(agent.creator).somebody(&mut agent.dice)
        && member != person
    {
        let shopper = Shopper::new(agent.group, person, person.device(agent.dice.below(1_000)), network);
        let begun = agent.after(at, 1, Millis::MINUTE);
        shopper.visit(agent, scene, &Link::of(member), begun);
    }
    scene.programme(agent.creator).next(Rhythm::Waking, at, 5 * Millis::DAY, &mut agent.dice)
}
