//! People who are paid to click.

use super::super::agent::Agent;
use super::super::network::Network;
use super::super::person::Person;
use super::super::programme::Rhythm;
use super::super::scene::{Evidence, Link, Sale, Scene};
use super::super::shopper::Membership;
use super::{alias, be_member, cover};
use crate::ids::Millis;
use crate::simulate::market::mix;

/// Shelves of phones, worked through in shifts by real fingers. Who is careful has more phones, more lines, SIM cards,
/// and less haste. Where signups are paid for, some are made.
pub(crate) fn click_farm(agent: &mut Agent, scene: &mut Scene, at: Millis) -> Millis {
    let member = Person::nth(agent.key, 0);
    if agent.left == 0 {
        let joined = be_member(agent, scene, &Membership::new(member, Network::Home(agent.key)), at);
        cover(agent, scene, member, at);
        if !joined {
            let clicks = agent.dial_count(160, 60) + agent.dice.below(80);
            agent.left = u32::try_from(clicks).unwrap_or_default();
        }
        return scene.programme(agent.creator).next(Rhythm::Work, at, 20 * Millis::HOUR, &mut agent.dice);
    }
    agent.left -= 1;
    let phone = agent.dice.below(agent.dial_count(12, 300));
    let worker = alias(agent.key, 1_000 + phone);
    let on_a_card = agent.chance(50, 600);
    let lines = agent.dial_count(1, 12);
    let network = if on_a_card { scene.carrier(phone) } else { Network::Home(mix(agent.key ^ mix(phone % lines))) };
    let guise = worker.phone().at(network.address(at, &mut agent.dice), at);
    let click = scene.click(agent.group, agent, &Link::of(member), &guise, at);
    if scene.programme(agent.creator).signs_up() && agent.dice.permille(50) {
        let customer = Person::nth(agent.name(), 0);
        let sale = Sale {
            by: agent.group,
            member,
            evidence: Evidence::Click(click),
            guise,
            customer,
            user: Some(customer),
            payment: None,
        };
        let signed = agent.after(at, 12 * Millis::SECOND, agent.dial(30, 240) * Millis::SECOND);
        scene.sign_up(agent, &sale, signed);
    }
    agent.after(at, Millis::SECOND, agent.dial(9, 90) * Millis::SECOND)
}
