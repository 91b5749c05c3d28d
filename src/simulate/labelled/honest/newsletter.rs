//! A link that hundreds get at once.

use super::super::agent::Agent;
use super::super::browsers::{PREVIEWS, SCANNERS};
use super::super::network::Network;
use super::super::person::{Guise, Person};
use super::super::programme::Rhythm;
use super::super::scene::{Link, Scene};
use super::super::shopper::{Membership, Shopper};
use crate::ids::Millis;
use crate::simulate::market::mix;

/// A member with readers posts every week or two. What is between programmes and people opens the link first:
/// previews where it is posted, gateways where it is mailed. Then the readers come, most within the hour, on whatever
/// they hold in their hands.
pub(crate) fn newsletter(agent: &mut Agent, scene: &mut Scene, at: Millis) -> Millis {
    let member = Person::nth(agent.key, 0);
    let membership = Membership { device: member.laptop(), ..Membership::new(member, Network::Home(agent.key)) };
    if agent.is_new() {
        membership.begin(agent, scene, at);
        return scene.programme(agent.creator).next(Rhythm::Waking, at, 2 * Millis::DAY, &mut agent.dice);
    }
    membership.log_in(agent, scene, at);
    let platform = *agent.dice.pick(&["email", "email", "telegram", "facebook", "x", "discord"]);
    let posted = Millis(at.0 + 5 * Millis::MINUTE);
    let link = scene.share(agent, member, platform, Millis(posted.0 - Millis::MINUTE));
    let readers = 80 + agent.fixed(1, 500);
    let clicks = readers / 3 + agent.dice.below(readers * 2 / 3);
    if platform == "email" {
        open_mail(agent, scene, &link, (posted, clicks / 6));
    } else {
        show_preview(agent, scene, &link, posted);
    }
    for _ in 0..clicks {
        let reader = Person::nth(agent.key, 1 + agent.dice.below(readers * 3));
        let network = match agent.dice.below(10) {
            0..=5 => Network::Home(reader.key()),
            6..=8 => scene.carrier(reader.key()),
            _ => Network::Office(mix(reader.key() % 500)),
        };
        let shopper = Shopper {
            buys_permille: 30,
            ..Shopper::new(agent.group, reader, reader.device(agent.dice.below(1_000)), network)
        };
        // The keen come within minutes, the others when they get to it.
        let mean = if agent.dice.permille(650) { 9 * Millis::MINUTE } else { 9 * Millis::HOUR };
        let when = agent.after(posted, 2 * Millis::SECOND, mean);
        shopper.visit(agent, scene, &link, when);
    }
    scene.programme(agent.creator).next(Rhythm::Waking, at, 11 * Millis::DAY, &mut agent.dice)
}

/// Gateways fetch as the mail arrives: from a data centre, a few of them with HEAD.
fn open_mail(agent: &mut Agent, scene: &mut Scene, link: &Link, (posted, mails): (Millis, u64)) {
    for _ in 0..mails {
        let gateway = Network::Hosting(mix(710 + agent.dice.below(4)), 20);
        let at = agent.after(posted, 200, 40 * Millis::SECOND);
        let user_agent = *agent.dice.pick(&SCANNERS);
        let method = if agent.dice.permille(250) { "HEAD" } else { "GET" };
        let guise = Guise { method, ..Guise::program(gateway.address(at, &mut agent.dice), user_agent) };
        scene.click(agent.group, agent, link, &guise, at);
    }
}

/// Where it is posted, it is fetched to show what is behind it; some browsers fetch ahead.
fn show_preview(agent: &mut Agent, scene: &mut Scene, link: &Link, posted: Millis) {
    for _ in 0..1 + agent.dice.below(6) {
        let server = Network::Hosting(mix(720 + agent.dice.below(4)), 50);
        let at = agent.after(posted, 100, 8 * Millis::SECOND);
        let user_agent = *agent.dice.pick(&PREVIEWS);
        let guise = Guise::program(server.address(at, &mut agent.dice), user_agent);
        scene.click(agent.group, agent, link, &guise, at);
    }
    for _ in 0..agent.dice.below(8) {
        let reader = Person::nth(agent.key, 1 + agent.dice.below(500));
        let at = agent.after(posted, Millis::SECOND, 5 * Millis::MINUTE);
        let address = Network::Home(reader.key()).address(at, &mut agent.dice);
        let guise = Guise { purpose: Some("prefetch"), ..reader.phone().at(address, at) };
        scene.click(agent.group, agent, link, &guise, at);
    }
}
