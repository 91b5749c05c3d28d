//! How the honest come across a link, look around, and now and then buy.

use super::agent::Agent;
use super::label::{Cohort, Group};
use super::network::Network;
use super::owed::Fate;
use super::person::{Device, Person};
use super::scene::{Evidence, Link, Sale, Scene};
use crate::ids::{Millis, Token};

/// Somebody on one device and one network, for an hour or so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shopper {
    pub(super) by: Group,
    pub(super) person: Person,
    pub(super) device: Device,
    pub(super) network: Network,
    pub(super) payment: Token,
    /// Of a thousand visits so many end in an order.
    pub(super) buys_permille: u64,
    /// From the link to the order: the least, and the mean of what comes on top.
    pub(super) decides_ms: (i64, i64),
    /// Where it is not the programme that says what is sent back.
    pub(super) refunds_permille: Option<u64>,
}

/// People read before they buy.
pub(super) const READS_MS: (i64, i64) = (20 * Millis::SECOND, 18 * Millis::MINUTE);

/// A member as he logs in, shares, and tries his own link.
#[derive(Debug, Clone, Copy)]
pub(super) struct Membership {
    pub(super) member: Person,
    pub(super) device: Device,
    pub(super) network: Network,
    pub(super) payout: Token,
}

impl Shopper {
    /// A person with his own things who takes his time.
    pub(super) fn new(by: Group, person: Person, device: Device, network: Network) -> Self {
        Self {
            by,
            person,
            device,
            network,
            payment: person.account(),
            buys_permille: 55,
            decides_ms: READS_MS,
            refunds_permille: None,
        }
    }

    /// A stranger from a home of his own, somewhere.
    pub(super) fn stranger(agent: &mut Agent) -> Self {
        let person = Person::nth(agent.name(), 0);
        let device = person.device(agent.dice.below(1_000));
        Self::new(Group::Honest(Cohort::Ordinary), person, device, Network::Home(person.key()))
    }

    /// Follows the link, perhaps twice, and perhaps buys.
    pub(super) fn visit(&self, agent: &mut Agent, scene: &mut Scene, link: &Link, at: Millis) {
        let guise = self.device.at(self.network.address(at, &mut agent.dice), at);
        let click = scene.click(self.by, agent, link, &guise, at);
        if agent.dice.permille(110) {
            let again = agent.after(at, 3 * Millis::SECOND, 6 * Millis::MINUTE);
            scene.click(self.by, agent, link, &guise, again);
        }
        if agent.dice.permille(self.buys_permille) {
            let (least, mean) = self.decides_ms;
            let when = agent.after(at, least, mean);
            self.buy(agent, scene, (link.member, Evidence::Click(click)), when);
        }
    }

    /// Signs up where one must, and orders.
    pub(super) fn buy(
        &self,
        agent: &mut Agent,
        scene: &mut Scene,
        (member, evidence): (Person, Evidence),
        at: Millis,
    ) -> Millis {
        let guise = self.device.at(self.network.address(at, &mut agent.dice), at);
        let payment = agent.dice.permille(960).then_some(self.payment);
        let user = agent.dice.permille(700).then_some(self.person);
        let sale = Sale { by: self.by, member, evidence, guise, customer: self.person, user, payment };
        let mut when = at;
        if scene.programme(agent.creator).signs_up() {
            scene.sign_up(agent, &sale, at);
            if agent.dice.permille(450) {
                return at;
            }
            when = agent.after(at, self.decides_ms.0, self.decides_ms.1);
        }
        let amount = scene.programme(agent.creator).price(&mut agent.dice);
        let fate = match self.refunds_permille {
            Some(permille) => Fate::honest(&mut agent.dice, permille, 25),
            None => scene.programme(agent.creator).fate(&mut agent.dice),
        };
        let order = scene.order(agent, &sale, (amount, &fate), when);
        if scene.programme(agent.creator).renews() && fate.refund.is_none() {
            let mut month = when;
            while agent.dice.permille(800) && month.0 < when.0 + 360 * Millis::DAY {
                month = Millis(month.0 + 30 * Millis::DAY);
                scene.renew(agent, &sale, (order, amount), month);
            }
        }
        when
    }
}

impl Membership {
    /// One of those who belong to `agent`, with his own things.
    pub(super) fn new(member: Person, network: Network) -> Self {
        Self { member, device: member.phone(), network, payout: member.payout() }
    }

    /// Joins, and as many do, looks whether the link works.
    pub(super) fn begin(&self, agent: &mut Agent, scene: &mut Scene, at: Millis) {
        scene.join(agent, self.member, at);
        self.log_in(agent, scene, Millis(at.0 + 20 * Millis::SECOND));
        let honest = !agent.group.is_fraud();
        if honest && agent.dice.permille(300) {
            let at = agent.after(at, 40 * Millis::SECOND, 5 * Millis::MINUTE);
            let guise = self.device.at(self.network.address(at, &mut agent.dice), at);
            scene.click(agent.group, agent, &Link::of(self.member), &guise, at);
        }
    }

    /// Joins, and from then on logs in so many times of a thousand.
    pub(super) fn show(&self, agent: &mut Agent, scene: &mut Scene, at: Millis, permille: u64) {
        if agent.is_new() {
            self.begin(agent, scene, at);
        } else if agent.dice.permille(permille) {
            self.log_in(agent, scene, at);
        }
    }

    pub(super) fn log_in(&self, agent: &mut Agent, scene: &mut Scene, at: Millis) {
        let guise = self.device.at(self.network.address(at, &mut agent.dice), at);
        scene.log_in(agent, self.member, &guise, self.payout, at);
    }
}
