//! Where agents meet: what they do becomes records, in the order in which the log takes them in.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::agent::Agent;
use super::label::Group;
use super::network::Network;
use super::person::{Guise, Person};
use super::programme::Programme;
use super::{Cause, Labelled, Spec};
use crate::ids::{Millis, Token};
use crate::simulate::market::mix;
use crate::simulate::record::{Content, Name, Simulated};

#[derive(Debug)]
pub(super) struct Scene {
    programmes: Vec<Programme>,
    seed: u64,
    end: Millis,
    queue: BinaryHeap<Reverse<Due>>,
    /// Breaks ties of time: what was planned first comes first.
    planned: u64,
}

#[derive(Debug)]
struct Due {
    at: Millis,
    order: u64,
    what: What,
}

/// What is due: an agent's turn, or a record's arrival. Boxed: the queue is long and moves a lot.
#[derive(Debug)]
pub(super) enum What {
    Turn(usize),
    Emit(Box<Labelled>),
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}
impl Eq for Due {}
impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// A member's link, as somebody found it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub(super) member: Person,
    /// The share that it was in, and where.
    pub(super) share: Option<(Name, &'static str)>,
}

/// What a conversion names as its cause.
#[derive(Debug, Clone, Copy)]
pub(super) enum Evidence {
    /// The click that the shop's cookie remembers: the last.
    Click(Name),
    /// The member's code, typed in.
    Code,
}

/// Who converts, on whose link, and on whose behalf.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sale {
    pub(super) by: Group,
    pub(super) member: Person,
    pub(super) evidence: Evidence,
    pub(super) guise: Guise,
    pub(super) customer: Person,
    /// The account he is logged in with.
    pub(super) user: Option<Person>,
    pub(super) payment: Option<Token>,
}

/// On whose behalf a record is sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Intent {
    pub(super) by: Group,
    /// The member for whom the programme derives a commission of it.
    pub(super) derives_for: Option<Name>,
}

impl Intent {
    pub(super) const fn of(by: Group) -> Self {
        Self { by, derives_for: None }
    }
}

impl Link {
    pub(super) const fn of(member: Person) -> Self {
        Self { member, share: None }
    }
}

impl Scene {
    pub(super) fn new(spec: &Spec) -> Self {
        let creators = usize::try_from(spec.creators.max(1)).unwrap_or(1);
        Self {
            programmes: (0..creators).map(|number| Programme::new(number, spec.start)).collect(),
            seed: spec.seed,
            end: Millis(spec.start.0 + i64::from(spec.days) * Millis::DAY),
            queue: BinaryHeap::new(),
            planned: 0,
        }
    }

    pub(super) fn programme(&self, number: usize) -> &Programme {
        self.programmes.get(number).expect("creators are numbered from 0")
    }

    pub(super) fn programme_mut(&mut self, number: usize) -> &mut Programme {
        self.programmes.get_mut(number).expect("creators are numbered from 0")
    }

    /// The provider of an agent's private network; its exits are shared by all its customers.
    pub(super) fn vpn(&self, agent: &Agent) -> Network {
        Network::Vpn(mix(self.seed ^ mix(900 + agent.fixed(900, 8))))
    }

    /// A carrier that several agents may be with.
    pub(super) fn carrier(&self, number: u64) -> Network {
        Network::Carrier(mix(self.seed ^ mix(800 + number % 12)))
    }

    pub(super) fn wake(&mut self, number: usize, at: Millis) {
        self.plan(at, What::Turn(number));
    }

    /// What comes after the end does not come.
    fn plan(&mut self, at: Millis, what: What) {
        if at < self.end {
            self.planned += 1;
            self.queue.push(Reverse(Due { at, order: self.planned, what }));
        }
    }

    pub(super) fn due(&mut self) -> Option<(Millis, What)> {
        self.queue.pop().map(|Reverse(due)| (due.at, due.what))
    }

    /// Sends a record off. Most of what is counted arrives within a second or two, some minutes later; settings and
    /// members (which have no intent) at once.
    pub(super) fn publish(&mut self, agent: &mut Agent, intent: Option<Intent>, at: Millis, body: Content) {
        let late = intent.is_some() && agent.dice.permille(10);
        let held_up = if late { agent.dice.wait(80 * Millis::SECOND).min(8 * Millis::MINUTE) } else { 0 };
        let network = if intent.is_some() { agent.dice.wait(600).min(5 * Millis::SECOND) } else { 0 };
        let record = Simulated {
            arrival: Millis(at.0 + network + held_up),
            event_id: Name::hex("evt-", agent.name()),
            creator_id: self.programme(agent.creator).id,
            occurred_at: at,
            stamped: true,
            body,
        };
        let cheat = agent.carefulness();
        let cause = intent.map(|Intent { by, derives_for }| Cause { group: by, agent: agent.key, cheat, derives_for });
        self.plan(record.arrival, What::Emit(Box::new(Labelled { record, cause })));
    }
}
