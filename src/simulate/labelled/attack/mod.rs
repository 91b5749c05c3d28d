//! The dishonest. Each scheme is written as its author would explain it, and knows nothing of who looks for it. What
//! is done for the scheme is fraud; real visitors who come across the link as well are honest.

pub(super) mod bots;
pub(super) mod farm;
pub(super) mod orders;
pub(super) mod ring;
pub(super) mod self_referral;
pub(super) mod stuffing;

use super::agent::Agent;
use super::person::Person;
use super::scene::{Link, Scene};
use super::shopper::{Membership, Shopper};
use crate::ids::Millis;

/// The `n`th name that a cheat goes by, or accomplice whom he has.
const fn alias(key: u64, n: u64) -> Person {
    Person::nth(key, 50 + n)
}

/// The cheat as a member: joins at first, looks after his account later. Whether he has just joined.
fn be_member(agent: &mut Agent, scene: &mut Scene, membership: &Membership, at: Millis) -> bool {
    if agent.is_new() {
        membership.begin(agent, scene, at);
    } else if agent.dice.permille(450) {
        membership.log_in(agent, scene, at);
    }
    agent.is_new()
}

/// Who is careful has an audience too, so that he looks like the others.
fn cover(agent: &mut Agent, scene: &mut Scene, member: Person, at: Millis) {
    if !agent.chance(60, 700) {
        return;
    }
    for _ in 0..=agent.dice.below(3) {
        let stranger = Shopper::stranger(agent);
        let when = agent.after(at, Millis::SECOND, 10 * Millis::HOUR);
        stranger.visit(agent, scene, &Link::of(member), when);
    }
}
