//! Whether somebody brings themselves: the actor is the member.
//!
//! The member's own tokens come from authenticated sightings alone: a click on the member's link shows nothing of whose
//! the device is.

use super::finding::{Answer, Finding, Guard, Missing, unless, yes_if};
use super::rule::Question;
use super::rule_set::{RuleSet, span};

/// What is known of actor and member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelfReferral {
    pub user: Compared,
    pub email: Compared,
    /// The customer's means of payment with the member's means of payout: their tokens have one purpose.
    pub payout: Compared,
    pub device: Own,
    pub ip: Own,
}

impl SelfReferral {
    /// The actor has an account, and as far as is known it is not the member's.
    const fn is_another(&self) -> bool {
        match (self.user, self.email) {
            (Compared::Same, _) | (_, Compared::Same) => false,
            (Compared::Different, _) | (_, Compared::Different) => true,
            (Compared::Missing(_), Compared::Missing(_)) => false,
        }
    }
}

/// Two that are the same or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    Missing(Missing),
    Different,
    Same,
}

/// Whether something is the member's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    Missing(Missing),
    Never,
    Seen {
        /// Milliseconds since the member was last seen there.
        age: u64,
        /// Many others were too.
        is_shared: bool,
        /// A great part of the creator's traffic comes from there.
        is_proxy: bool,
    },
}

/// `self.same_ip` (40): an own address of the last 30 days; `self.same_device` (50): an own device of the last 90;
/// `self.same_user` (60): user id, e-mail or means of payout. Where many share an address or a device it is no
/// evidence (the figure of users, five, is the one that Adyen publishes), nor is it of somebody with an account of
/// their own; see [`explain`].
pub fn check_self_referral(facts: &SelfReferral, rules: &RuleSet) -> [Finding; 5] {
    let guards = rules.guards;
    let is_proxy = guards.proxy && matches!(facts.ip, Own::Seen { is_proxy: true, .. });
    let own_ip = own(facts.ip, span::OWN_IP, guards.shared_ip, Guard::SharedIp);
    let own_ip = if is_proxy { Answer::Unknown(Missing::ProxyIp) } else { own_ip };
    [
        Finding::new(Question::SameIp, own_ip),
        Finding::new(
            Question::SameDevice,
            own(facts.device, span::OWN_DEVICE, guards.crowded_device, Guard::CrowdedDevice),
        ),
        Finding::new(Question::SameUserId, same(facts.user)),
        Finding::new(Question::SameEmail, same(facts.email)),
        Finding::new(Question::SamePayout, same(facts.payout)),
    ]
    .map(|finding| explain(finding, facts, rules))
}

/// What explains a hit: that many use the address or the device, or that the actor has another account. A click is
/// answered before anybody knows of one, and what many use is not known by its first users, so that this is asked again.
pub fn explain(finding: Finding, facts: &SelfReferral, rules: &RuleSet) -> Finding {
    let (guards, question) = (rules.guards, finding.question);
    let answer = if question == Question::SameIp {
        unless(finding.answer, guards.shared_ip && is_shared(facts.ip), Guard::SharedIp)
    } else if question == Question::SameDevice {
        unless(finding.answer, guards.crowded_device && is_shared(facts.device), Guard::CrowdedDevice)
    } else {
        finding.answer
    };
    let is_own = [Question::SameIp, Question::SameDevice, Question::SamePayout].contains(&question);
    let is_elsewhere = is_own && guards.another_account && facts.is_another();
    Finding::new(question, unless(answer, is_elsewhere, Guard::AnotherAccount))
}

const fn is_shared(what: Own) -> bool {
    matches!(what, Own::Seen { is_shared: true, .. })
}

fn own(what: Own, window: u64, is_guarded: bool, guard: Guard) -> Answer {
    match what {
        Own::Missing(missing) => Answer::Unknown(missing),
        Own::Seen { age, is_shared, .. } if age <= window => {
            let seen = yes_if(true, age, window, window);
            unless(seen, is_guarded && is_shared, guard)
        }
        Own::Never | Own::Seen { .. } => Answer::No,
    }
}

const fn same(what: Compared) -> Answer {
    match what {
        Compared::Missing(missing) => Answer::Unknown(missing),
        Compared::Different => Answer::No,
        Compared::Same => yes_if(true, 1, 1, 0),
    }
}
