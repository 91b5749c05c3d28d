//! Programs that click. They differ in how they wait; who is careful rents more addresses, wears more faces, and
//! sleeps at night.

use super::super::agent::Agent;
use super::super::browsers::SCRIPTS;
use super::super::network::Network;
use super::super::person::{Guise, Person};
use super::super::programme::Rhythm;
use super::super::scene::{Evidence, Link, Sale, Scene};
use super::super::shopper::Membership;
use super::{alias, be_member, cover};
use crate::ids::Millis;
use crate::simulate::market::mix;

/// A loop with a pause.
pub(crate) fn fixed(agent: &mut Agent, scene: &mut Scene, at: Millis) -> Millis {
    run(agent, scene, at, |agent, pause| pause + agent.dice.between(0, 250))
}

/// A loop with a pause that is not always the same.
pub(crate) fn jittered(agent: &mut Agent, scene: &mut Scene, at: Millis) -> Millis {
    run(agent, scene, at, |agent, pause| {
        let width = agent.dial(60, 850);
        pause * (1_000 + agent.dice.between(-width, width)) / 1_000
    })
}

/// Waits as people would who know nothing of each other.
pub(crate) fn poisson(agent: &mut Agent, scene: &mut Scene, at: Millis) -> Millis {
    run(agent, scene, at, |agent, pause| agent.dice.wait(pause))
}

fn run(agent: &mut Agent, scene: &mut Scene, at: Millis, wait: fn(&mut Agent, i64) -> i64) -> Millis {
    let member = Person::nth(agent.key, 0);
    if agent.left == 0 {
        let joined = be_member(agent, scene, &Membership::new(member, Network::Home(agent.key)), at);
        cover(agent, scene, member, at);
        if !joined {
            let clicks = agent.dial_count(110, 40) + agent.dice.below(60);
            agent.left = u32::try_from(clicks).unwrap_or_default();
        }
        let mean = agent.dial(20, 60) * Millis::HOUR;
        return if agent.strength < 4 {
            agent.after(at, Millis::HOUR, mean)
        } else {
            scene.programme(agent.creator).next(Rhythm::Waking, at, mean, &mut agent.dice)
        };
    }
    agent.left -= 1;
    let guise = face(agent, at);
    let click = scene.click(agent.group, agent, &Link::of(member), &guise, at);
    if scene.programme(agent.creator).signs_up() && agent.dice.permille(25) {
        make_lead(agent, scene, (click, guise), at);
    }
    let own = i64::try_from(agent.fixed(3, 150)).unwrap_or(0) + 4;
    let pause = own * Millis::SECOND * agent.dial(10, 40) / 10;
    Millis(at.0 + wait(agent, pause))
}

/// What one click looks like.
fn face(agent: &mut Agent, at: Millis) -> Guise {
    let lent = agent.chance(0, 950);
    let network = if lent {
        Network::Lent(mix(agent.key ^ 5), agent.dial_count(5, 400))
    } else {
        Network::Hosting(agent.key, agent.dial_count(1, 6))
    };
    let address = network.address(at, &mut agent.dice);
    // A script is one program, and says always the same.
    if agent.fixed(4, 1_000) < agent.dial_count(450, 0) {
        let turn = usize::try_from(agent.fixed(6, 4)).unwrap_or_default();
        return Guise::program(address, SCRIPTS.get(turn).copied().unwrap_or_default());
    }
    let faces = agent.dial_count(1, 60);
    alias(agent.key, 200 + agent.dice.below(faces)).laptop().at(address, at)
}

/// Fills in the form.
fn make_lead(agent: &mut Agent, scene: &mut Scene, (click, guise): (crate::simulate::record::Name, Guise), at: Millis) {
    let customer = Person::nth(agent.name(), 0);
    let sale = Sale {
        by: agent.group,
        member: Person::nth(agent.key, 0),
        evidence: Evidence::Click(click),
        guise,
        customer,
        user: Some(customer),
        payment: None,
    };
    let signed = agent.after(at, agent.dial(400, 15_000), agent.dial(2, 120) * Millis::SECOND);
    scene.sign_up(agent, &sale, signed);
}
