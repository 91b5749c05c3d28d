//! Traffic of which the truth is known: people who live their lives, and people who cheat.
//!
//! Promise: the same [`Spec`] gives the same records and labels, byte for byte; records come in the order in which
//! the log takes them in. Every click, conversion and commission has exactly one label, and the label comes from the
//! intent of the agent that caused it, never from what it looks like. No rule and no limit of the fold is known here:
//! agents do what such people do. Each agent has its own luck, so leaving a family out changes no other agent.

mod agent;
mod attack;
mod browsers;
mod census;
mod deeds;
mod honest;
mod label;
mod network;
mod owed;
mod person;
mod programme;
mod scene;
mod shopper;

use super::record::{Content, Name, Simulated};
use crate::event::{CommissionKind, Event, ReviewSubject};
use crate::ids::Millis;
use agent::Agent;
pub use label::{Cohort, Family, Group, Label};
use scene::{Scene, What};

/// What to simulate.
#[derive(Debug, Clone)]
pub struct Spec {
    pub seed: u64,
    /// When the first record arrives.
    pub start: Millis,
    /// How long it goes on; what would come later does not come.
    pub days: u32,
    pub creators: u32,
    /// Of all creators together. An agent is a person, a home, an office, a scheme: whoever decides as one.
    pub agents: u32,
    /// Of a thousand agents so many cheat; unless it is 0, at least one of each family for each creator.
    pub fraud_permille: u32,
    /// How careful they are; `None`: each as he is.
    pub strength: Option<Strength>,
    pub cohorts: Vec<Cohort>,
    pub families: Vec<Family>,
}

/// How careful a cheat is: 0 does not care, 10 hides as well as he can pay for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Strength(u8);

impl Strength {
    pub const MAX: Self = Self(10);

    /// `None` above 10.
    pub fn new(strength: u8) -> Option<Self> {
        (strength <= Self::MAX.0).then_some(Self(strength))
    }
}

/// Makes the records of a [`Spec`], one after the other.
#[derive(Debug)]
pub struct Traffic {
    scene: Scene,
    agents: Vec<Agent>,
}

/// A record, and what is true of it.
#[derive(Debug, Clone)]
pub struct Labelled {
    pub record: Simulated,
    cause: Option<Cause>,
}

/// Who made a record, and what else follows from it.
#[derive(Debug, Clone, Copy)]
struct Cause {
    group: Group,
    agent: u64,
    cheat: Option<Strength>,
    /// The member for whom the programme derives a commission of this conversion.
    derives_for: Option<Name>,
}

impl Traffic {
    pub fn new(spec: &Spec) -> Self {
        let mut scene = Scene::new(spec);
        let agents = census::agents(spec, &mut scene);
        Self { scene, agents }
    }
}

impl Iterator for Traffic {
    type Item = Labelled;

    fn next(&mut self) -> Option<Labelled> {
        loop {
            let (at, what) = self.scene.due()?;
            match what {
                What::Emit(labelled) => return Some(*labelled),
                What::Turn(number) => {
                    let agent = self.agents.get_mut(number).expect("agents are numbered from 0");
                    let next = agent.take_turn(&mut self.scene, at);
                    self.scene.wake(number, next);
                }
            }
        }
    }
}

impl Labelled {
    /// The record as the rest of the program knows events.
    pub fn event(&self) -> Event<'_> {
        self.record.event()
    }

    /// The labels that it brings: none, one, or two where a commission is derived of it.
    pub fn labels(&self) -> impl Iterator<Item = Label> {
        let own = self.cause.and_then(|cause| self.own_label(&cause));
        let derived = self.cause.and_then(|cause| self.derived_label(&cause));
        own.into_iter().chain(derived)
    }

    fn own_label(&self, cause: &Cause) -> Option<Label> {
        let (subject, subject_id) = match &self.record.body {
            Content::Click(card) => (ReviewSubject::Click, card.click_id),
            Content::Conversion(card) => (ReviewSubject::Conversion, card.conversion_id),
            Content::Commission(card) if card.kind == CommissionKind::Earned => {
                (ReviewSubject::Commission, card.commission_id)
            }
            Content::Commission(_)
            | Content::Creator(_)
            | Content::Member(_)
            | Content::Sighting(_)
            | Content::Share(_)
            | Content::ListEntry(_) => return None,
        };
        Some(self.label(cause, subject, subject_id))
    }

    fn derived_label(&self, cause: &Cause) -> Option<Label> {
        let (Content::Conversion(card), Some(member)) = (&self.record.body, cause.derives_for) else { return None };
        Some(self.label(cause, ReviewSubject::Commission, owed::derived_id(card.conversion_id, member)))
    }

    const fn label(&self, cause: &Cause, subject: ReviewSubject, subject_id: Name) -> Label {
        let Cause { group, agent, cheat, .. } = *cause;
        Label { subject, group, agent, cheat, subject_id, creator_id: self.record.creator_id }
    }
}
