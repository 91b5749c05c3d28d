//! Members who buy through their own link: a discount that nobody has offered them.

use super::super::agent::Agent;
use super::super::network::Network;
use super::super::owed::Fate;
use super::super::person::{Device, Person};
use super::super::programme::Rhythm;
use super::super::scene::{Evidence, Link, Sale, Scene};
use super::super::shopper::Membership;
use super::{alias, be_member, cover};
use crate::ids::Millis;

/// How a member appears when he is his own customer.
struct Disguise {
    device: Device,
    network: Network,
    /// Logged in with the account that he is a member with.
    own_account: bool,
}

/// From his own sofa, with his own phone. Who is careful makes a second account at the shop.
pub(crate) fn plain(agent: &mut Agent, scene: &mut Scene, at: Millis) -> Millis {
    let own_account = agent.chance(950, 80);
    let device = Person::nth(agent.key, 0).device(agent.dice.below(1_000));
    let disguise = Disguise { device, network: Network::Home(agent.key), own_account };
    refer_himself(agent, scene, &disguise, at)
}

/// The same, but the network is a provider's; who is careless forgets to switch it on.
pub(crate) fn vpn(agent: &mut Agent, scene: &mut Scene, at: Millis) -> Millis {
    let forgot = agent.chance(350, 10);
    let network = if forgot { Network::Home(agent.key) } else { scene.vpn(agent) };
    let own_account = agent.chance(500, 20);
    let device = Person::nth(agent.key, 0).device(agent.dice.below(1_000));
    refer_himself(agent, scene, &Disguise { device, network, own_account }, at)
}

/// The same, but on a phone that he has never logged in with; who is careful takes it out of the house.
pub(crate) fn second_device(agent: &mut Agent, scene: &mut Scene, at: Millis) -> Millis {
    let forgot = agent.chance(350, 10);
    let phones = agent.dial_count(1, 4);
    let second = alias(agent.key, 30 + agent.dice.below(phones)).phone();
    let device = if forgot { Person::nth(agent.key, 0).phone() } else { second };
    let outside = agent.chance(0, 600);
    let network = if outside { scene.carrier(agent.fixed(5, 12)) } else { Network::Home(agent.key) };
    let own_account = agent.chance(500, 20);
    refer_himself(agent, scene, &Disguise { device, network, own_account }, at)
}

fn refer_himself(agent: &mut Agent, scene: &mut Scene, disguise: &Disguise, at: Millis) -> Millis {
    let member = Person::nth(agent.key, 0);
    let joined = be_member(agent, scene, &Membership::new(member, Network::Home(agent.key)), at);
    cover(agent, scene, member, at);
    if !joined {
        let clicked = agent.after(at, 5 * Millis::SECOND, 3 * Millis::MINUTE);
        let guise = disguise.device.at(disguise.network.address(clicked, &mut agent.dice), clicked);
        let click = scene.click(agent.group, agent, &Link::of(member), &guise, clicked);
        let second = alias(agent.key, agent.dice.below(3));
        let customer = if disguise.own_account { member } else { second };
        let own_money = agent.chance(900, 150);
        let payer = if own_money { member } else { second };
        let sale = Sale {
            by: agent.group,
            member,
            evidence: Evidence::Click(click),
            guise,
            customer,
            user: Some(customer),
            payment: Some(payer.account()),
        };
        let bought = agent.after(clicked, 20 * Millis::SECOND, agent.dial(2, 15) * Millis::MINUTE);
        if scene.programme(agent.creator).signs_up() && !disguise.own_account {
            scene.sign_up(agent, &sale, Millis(bought.0 - 10 * Millis::SECOND));
        }
        let amount = scene.programme(agent.creator).price(&mut agent.dice);
        scene.order(agent, &sale, (amount, &Fate::default()), bought);
    }
    let mean = agent.dial(48, 150) * Millis::HOUR;
    scene.programme(agent.creator).next(Rhythm::Waking, at, mean, &mut agent.dice)
}
