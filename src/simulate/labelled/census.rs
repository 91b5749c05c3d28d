//! Who there is: so many of each sort for each creator.

use super::Spec;
use super::agent::Agent;
use super::label::{Cohort, Family, Group};
use super::programme::Programme;
use super::scene::Scene;
use crate::ids::Millis;
use crate::simulate::market::mix;
use crate::simulate::random::Dice;

/// All agents, and the time at which each begins.
pub(super) fn agents(spec: &Spec, scene: &mut Scene) -> Vec<Agent> {
    let mut agents = Vec::new();
    let creators = usize::try_from(spec.creators.max(1)).unwrap_or(1);
    let each = u64::from(spec.agents) / u64::from(spec.creators.max(1));
    for creator in 0..creators {
        let mut founder = Agent::new(key(spec.seed, creator, (0, 0)), creator, Group::Honest(Cohort::Ordinary), 0);
        scene.found(&mut founder, spec.start);
        for (sort, cohort) in (1..).zip(Cohort::ALL) {
            if spec.cohorts.contains(&cohort) {
                let count = honest_count(scene.programme(creator), spec, cohort, each);
                settle(spec, creator, (sort, Group::Honest(cohort)), count, &mut agents);
            }
        }
        for (sort, family) in (101..).zip(Family::ALL) {
            if spec.families.contains(&family) {
                let count = fraud_count(scene.programme(creator), spec, family, each);
                settle(spec, creator, (sort, Group::Fraud(family)), count, &mut agents);
            }
        }
    }
    for (number, agent) in agents.iter().enumerate() {
        scene.wake(number, begins(spec, agent));
    }
    agents
}

fn key(seed: u64, creator: usize, (sort, number): (u64, u64)) -> u64 {
    let creator = u64::try_from(creator).unwrap_or_default();
    mix(mix(mix(mix(seed) ^ creator) ^ sort) ^ number)
}

fn settle(spec: &Spec, creator: usize, (sort, group): (u64, Group), count: u64, agents: &mut Vec<Agent>) {
    for number in 0..count {
        let key = key(spec.seed, creator, (sort, number));
        let own = u8::try_from(mix(key ^ 77) % 11).unwrap_or_default();
        let strength = spec.strength.map_or(own, |strength| strength.0);
        agents.push(Agent::new(key, creator, group, strength));
    }
}

fn honest_count(programme: &Programme, spec: &Spec, cohort: Cohort, agents: u64) -> u64 {
    let honest = agents * u64::from(1_000_u32.saturating_sub(spec.fraud_permille)) / 1_000;
    let count = honest * programme.cohort_permille(cohort) / 1_000;
    // Somebody has to be there whose links the others come across.
    let least = if cohort == Cohort::Ordinary { 8 } else { 1 };
    count.max(least)
}

/// How many there are of a family depends on no other family being there.
fn fraud_count(programme: &Programme, spec: &Spec, family: Family, agents: u64) -> u64 {
    if spec.fraud_permille == 0 {
        return 0;
    }
    let all: u64 = Family::ALL.iter().map(|family| programme.family_weight(*family)).sum();
    let weight = programme.family_weight(family);
    (agents * u64::from(spec.fraud_permille) * weight / 1_000 / all.max(1)).max(1)
}

/// Most of the honest are there from the start; schemes begin one after the other in the first half.
fn begins(spec: &Spec, agent: &Agent) -> Millis {
    let mut dice = Dice::of(mix(agent.key ^ 78));
    let span = i64::from(spec.days) * Millis::DAY;
    let after = match agent.group {
        Group::Honest(_) if dice.permille(700) => Millis::MINUTE + dice.wait(2 * Millis::HOUR),
        Group::Honest(_) => dice.between(0, span.max(1)),
        Group::Fraud(_) => Millis::HOUR + dice.between(0, span / 2 + 1),
    };
    Millis(spec.start.0 + after.min(span * 9 / 10))
}
