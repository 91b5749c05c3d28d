//! People at home: alone, together, and with one card for all.

use super::super::agent::Agent;
use super::super::browsers::CRAWLERS;
use super::super::label::{Cohort, Group};
use super::super::network::Network;
use super::super::person::{Guise, Person};
use super::super::programme::Rhythm;
use super::super::scene::{Link, Scene};
use super::super::shopper::{Membership, Shopper};
use crate::ids::Millis;
use crate::simulate::market::mix;

/// One person in one home. One in six is a member; crawlers follow what members post on public pages.
pub(crate) fn ordinary(agent: &mut Agent, scene: &mut Scene, at: Millis) -> Millis {
    let person = Person::nth(agent.key, 0);
    let home = Network::Home(agent.key);
    let membership = (agent.fixed(1, 1_000) < 170).then(|| Membership::new(person, home));
    let member = membership.is_some();
    if let Some(membership) = membership {
        membership.show(agent, scene, at, 600);
    }
    if member && agent.dice.permille(120) {
        let robots = Network::Hosting(mix(700 + agent.dice.below(3)), 30);
        let user_agent = *agent.dice.pick(&CRAWLERS);
        let guise = Guise::program(robots.address(at, &mut agent.dice), user_agent);
        scene.click(agent.group, agent, &Link::of(person), &guise, at);
    }
    if let Some(other) = scene.programme(agent.creator).somebody(&mut agent.dice)
        && other != person
    {
        let device = person.device(agent.dice.below(1_000));
        let shopper = Shopper::new(agent.group, person, device, home);
        let begun = agent.after(at, 1, Millis::MINUTE);
        shopper.visit(agent, scene, &Link::of(other), begun);
    }
    scene.programme(agent.creator).next(Rhythm::Waking, at, 5 * Millis::DAY, &mut agent.dice)
}

/// Two to five people behind one router, with a computer that all use. If one of them is a member, the others hear
/// of it first.
pub(crate) fn household(agent: &mut Agent, scene: &mut Scene, at: Millis) -> Millis {
    let home = Network::Home(agent.key);
    let first = Person::nth(agent.key, 0);
    let size = 2 + agent.fixed(1, 4);
    let is_member = agent.fixed(2, 1_000) < 350;
    if is_member {
        let membership = Membership::new(first, home);
        // He, too, uses the computer in the living room.
        let at_the_computer = Membership { device: first.laptop(), ..membership };
        match (agent.is_new(), agent.dice.permille(500)) {
            (true, _) => membership.begin(agent, scene, at),
            (false, true) => membership.log_in(agent, scene, at),
            (false, false) => at_the_computer.log_in(agent, scene, at),
        }
    }
    let own = is_member && agent.dice.permille(180);
    let who = if is_member { 1 + agent.dice.below(size - 1) } else { agent.dice.below(size) };
    let person = Person::nth(agent.key, who);
    let stranger = scene.programme(agent.creator).somebody(&mut agent.dice);
    if let Some(member) = if own { Some(first) } else { stranger } {
        let device = if agent.dice.permille(400) { first.laptop() } else { person.phone() };
        let payment = if agent.dice.permille(450) { first.account() } else { person.account() };
        // Who has it from the next room knows already what it is.
        let buys_permille = if own { 250 } else { 55 };
        let shopper = Shopper { payment, buys_permille, ..Shopper::new(agent.group, person, device, home) };
        let begun = agent.after(at, 1, 10 * Millis::MINUTE);
        shopper.visit(agent, scene, &Link::of(member), begun);
    }
    scene.programme(agent.creator).next(Rhythm::Waking, at, 3 * Millis::DAY, &mut agent.dice)
}

/// Parents pay for children who live elsewhere: two to four customers, one card.
pub(crate) fn family_card(agent: &mut Agent, scene: &mut Scene, at: Millis) -> Millis {
    let size = 2 + agent.fixed(1, 3);
    let who = agent.dice.below(size);
    let person = Person::nth(agent.key, who);
    let device = person.device(agent.dice.below(1_000));
    let payment = Person::nth(agent.key, 0).account();
    // A family tells each other: half of the time it is the link that the parents had.
    let usual = scene.programme(agent.creator).members.get(usize::try_from(agent.fixed(2, 40)).unwrap_or(0)).copied();
    let stranger = scene.programme(agent.creator).somebody(&mut agent.dice);
    if let Some(member) = if agent.dice.permille(500) { usual.or(stranger) } else { stranger } {
        let home = Network::Home(person.key());
        let by = Group::Honest(Cohort::FamilyCard);
        let shopper = Shopper { payment, buys_permille: 160, ..Shopper::new(by, person, device, home) };
        shopper.visit(agent, scene, &Link::of(member), at);
    }
    scene.programme(agent.creator).next(Rhythm::Waking, at, 3 * Millis::DAY, &mut agent.dice)
}
