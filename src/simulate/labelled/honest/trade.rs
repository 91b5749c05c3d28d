//! Counters, dealers, and customers who send much back or decide quickly.

use super::super::agent::Agent;
use super::super::network::Network;
use super::super::person::Person;
use super::super::programme::Rhythm;
use super::super::scene::{Evidence, Link, Sale, Scene};
use super::super::shopper::{Membership, Shopper};
use crate::ids::Millis;
use crate::simulate::market::mix;

/// A tablet on a counter or in a school: the owner is the member, logs in on it, and lets others sign up on it with
/// the code that stands beside it.
pub(crate) fn shared_tablet(agent: &mut Agent, scene: &mut Scene, at: Millis) -> Millis {
    let owner = Person::nth(agent.key, 0);
    let network = Network::Office(agent.key);
    let is_school = agent.fixed(1, 3) == 0;
    let membership = Membership { device: owner.tablet(), ..Membership::new(owner, network) };
    if agent.is_new() {
        membership.begin(agent, scene, at);
    } else if agent.dice.permille(80) {
        membership.log_in(agent, scene, at);
    } else if agent.dice.permille(30) {
        Membership::new(owner, Network::Home(agent.key)).log_in(agent, scene, at);
    }
    // A class comes again and again; who stands at a counter mostly does not.
    let guest = if is_school { 1 + agent.dice.below(25) } else { agent.name() };
    let guest = Person::nth(agent.key, guest);
    let payment = if is_school { owner.account() } else { guest.account() };
    let shopper = Shopper {
        payment,
        buys_permille: 90,
        decides_ms: (30 * Millis::SECOND, 3 * Millis::MINUTE),
        ..Shopper::new(agent.group, guest, owner.tablet(), network)
    };
    if agent.dice.permille(350) {
        let at = agent.after(at, 20 * Millis::SECOND, 2 * Millis::MINUTE);
        shopper.buy(agent, scene, (owner, Evidence::Code), at);
    } else {
        shopper.visit(agent, scene, &Link::of(owner), Millis(at.0 + 1));
    }
    let rhythm = if is_school { Rhythm::Work } else { Rhythm::Opening };
    scene.programme(agent.creator).next(rhythm, at, 4 * Millis::HOUR, &mut agent.dice)
}

/// A dealer who by agreement buys through his own link, for himself and for his clients.
pub(crate) fn reseller(agent: &mut Agent, scene: &mut Scene, at: Millis) -> Millis {
    let dealer = Person::nth(agent.key, 0);
    let shop = Network::Office(agent.key);
    let membership = Membership { device: dealer.laptop(), ..Membership::new(dealer, shop) };
    if agent.is_new() {
        membership.begin(agent, scene, at);
        scene.allow(agent, dealer, Millis(at.0 + Millis::MINUTE));
        return scene.programme(agent.creator).next(Rhythm::Work, at, 12 * Millis::HOUR, &mut agent.dice);
    }
    if agent.dice.permille(300) {
        membership.log_in(agent, scene, at);
    }
    let clicked = Millis(at.0 + 20 * Millis::SECOND);
    let guise = dealer.laptop().at(shop.address(clicked, &mut agent.dice), clicked);
    let click = scene.click(agent.group, agent, &Link::of(dealer), &guise, clicked);
    let client = 1 + agent.dice.below(30);
    let customer = if agent.dice.permille(500) { dealer } else { Person::nth(agent.key, client) };
    let sale = Sale {
        by: agent.group,
        member: dealer,
        evidence: Evidence::Click(click),
        guise,
        customer,
        user: Some(dealer),
        payment: Some(dealer.account()),
    };
    let bought = agent.after(clicked, 25 * Millis::SECOND, 4 * Millis::MINUTE);
    let amount = scene.programme(agent.creator).price(&mut agent.dice);
    let fate = scene.programme(agent.creator).fate(&mut agent.dice);
    scene.order(agent, &sale, (amount, &fate), bought);
    scene.programme(agent.creator).next(Rhythm::Work, at, 16 * Millis::HOUR, &mut agent.dice)
}

/// Who orders three sizes and keeps one: a fifth to a third of it goes back, through whoever it was bought.
pub(crate) fn refund_heavy(agent: &mut Agent, scene: &mut Scene, at: Millis) -> Millis {
    let person = Person::nth(agent.key, 0);
    let home = Network::Home(agent.key);
    let refunds_permille = Some(200 + agent.fixed(1, 110));
    if agent.fixed(2, 1_000) < 150 {
        let membership = Membership::new(person, home);
        membership.show(agent, scene, at, 500);
    }
    if let Some(member) = scene.programme(agent.creator).somebody(&mut agent.dice)
        && member != person
    {
        let device = person.device(agent.dice.below(1_000));
        let shopper =
            Shopper { buys_permille: 260, refunds_permille, ..Shopper::new(agent.group, person, device, home) };
        let begun = agent.after(at, 1, Millis::MINUTE);
        shopper.visit(agent, scene, &Link::of(member), begun);
    }
    scene.programme(agent.creator).next(Rhythm::Waking, at, 6 * Millis::DAY, &mut agent.dice)
}

/// Who has a wallet in the phone and knows what he wants: one touch on the link, one on the button.
pub(crate) fn fast_buyer(agent: &mut Agent, scene: &mut Scene, at: Millis) -> Millis {
    let person = Person::nth(agent.key, 0);
    let network = if agent.dice.permille(700) { Network::Home(agent.key) } else { scene.carrier(mix(agent.key)) };
    if let Some(member) = scene.programme(agent.creator).somebody(&mut agent.dice) {
        let shopper = Shopper {
            buys_permille: 330,
            decides_ms: (3 * Millis::SECOND, 7 * Millis::SECOND),
            ..Shopper::new(agent.group, person, person.phone(), network)
        };
        shopper.visit(agent, scene, &Link::of(member), at);
    }
    scene.programme(agent.creator).next(Rhythm::Waking, at, 8 * Millis::DAY, &mut agent.dice)
}
