//! Credit for the sales of others.

use super::super::agent::Agent;
use super::super::label::{Cohort, Group};
use super::super::network::Network;
use super::super::person::Person;
use super::super::programme::Rhythm;
use super::super::scene::{Evidence, Link, Scene};
use super::super::shopper::{Membership, Shopper};
use super::{be_member, cover};
use crate::ids::Millis;

/// An extension in the shopper's browser opens the link just before the till; hidden frames on pages that he runs
/// open it for everybody who passes. Who is careful has fewer frames, and lets time pass before the till.
///
/// The shopper is honest, and so is the click that brought him. The stuffed click is not, nor is the claim that the
/// order came through it: conversion and commission are fraud.
pub(crate) fn cookie_stuffing(agent: &mut Agent, scene: &mut Scene, at: Millis) -> Millis {
    let thief = Person::nth(agent.key, 0);
    let joined = be_member(agent, scene, &Membership::new(thief, Network::Home(agent.key)), at);
    cover(agent, scene, thief, at);
    if !joined {
        open_frames(agent, scene, thief, at);
        if agent.dice.permille(500) {
            claim(agent, scene, thief, at);
        }
    }
    let mean = agent.dial(5, 14) * Millis::HOUR;
    scene.programme(agent.creator).next(Rhythm::Waking, at, mean, &mut agent.dice)
}

fn open_frames(agent: &mut Agent, scene: &mut Scene, thief: Person, at: Millis) {
    let passers = agent.dice.below(agent.dial_count(24, 3));
    let mut when = at;
    for _ in 0..passers {
        when = agent.after(when, 100, agent.dial(4, 120) * Millis::SECOND);
        let victim = Shopper::stranger(agent);
        let guise = victim.device.at(victim.network.address(when, &mut agent.dice), when);
        scene.click(agent.group, agent, &Link::of(thief), &guise, when);
    }
}

fn claim(agent: &mut Agent, scene: &mut Scene, thief: Person, at: Millis) {
    let victim = Shopper::stranger(agent);
    let came = Millis(at.0 + 1);
    let honest = scene.programme(agent.creator).somebody(&mut agent.dice);
    if let Some(member) = honest.filter(|_| agent.dice.permille(650)) {
        let guise = victim.device.at(victim.network.address(came, &mut agent.dice), came);
        scene.click(Group::Honest(Cohort::Ordinary), agent, &Link::of(member), &guise, came);
    }
    let stuffed = agent.after(came, 40 * Millis::SECOND, 15 * Millis::MINUTE);
    let guise = victim.device.at(victim.network.address(stuffed, &mut agent.dice), stuffed);
    let click = scene.click(agent.group, agent, &Link::of(thief), &guise, stuffed);
    let bought = agent.after(stuffed, agent.dial(300, 30_000), agent.dial(2, 900) * Millis::SECOND);
    let claimed = Shopper { by: agent.group, ..victim };
    claimed.buy(agent, scene, (thief, Evidence::Click(click)), bought);
}
