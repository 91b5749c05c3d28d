//! Whether one person stands behind several accounts.

use super::commission::{Share, surely, usual};
use super::finding::{Answer, Finding, Guard, at_least, unless};
use super::rule::Question;
use super::rule_set::{RuleSet, span};

/// What is known of the member's accounts and customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Accounts {
    /// Member accounts of the creator in the member's identity cluster, itself included.
    pub members: u32,
    /// The most customers of the member who share one means of payment.
    pub with_payment: u32,
    /// The most who share one device, and whether that is one of many people.
    pub with_device: u32,
    pub is_device_crowded: bool,
    /// The same of the actor's own means of payment and device; 0 where there is none.
    pub with_own_payment: u32,
    pub with_own_device: u32,
    /// The actor's device or address is one of the member's own.
    pub is_at_member: bool,
    /// Signups and orders of the member within 90 days, and how many of them one person or a machine made.
    pub made: Share,
    /// How many of them came within [`span::RUSH`] of their click, and the same of all of the creator's.
    pub rushed: Share,
    pub creator_rushed: Share,
}

/// What more customers than these pay with is no person's: the figure by which an address is that of many.
pub(in crate::fold) const PAYERS_MAX: u32 = 5;

/// `abuse.multi_account` (45): two member accounts in one identity cluster, or so many customers of the member with one
/// means of payment or one device within 30 days. With its guard it is asked of what the actor shares, and not of what
/// anybody does whom the member brought; unless so many of them were made that it is what the member does.
pub fn check_multiple_accounts(facts: &Accounts, rules: &RuleSet) -> [Finding; 5] {
    let limits = &rules.limits;
    let cluster = at_least(facts.members.into(), limits.cluster_accounts.into(), 0);
    let quick = usual(facts.creator_rushed, limits.rushed_customers_permille);
    let rushed = surely(facts.rushed, limits.rushed_customers, quick, span::MADE_CUSTOMERS);
    let made = surely(facts.made, limits.made_customers, (limits.made_customers_permille, 1_000), span::MADE_CUSTOMERS);
    [
        Finding::new(Question::ClusterAccounts, cluster),
        Finding::new(Question::SharedPayment, payment(facts, rules)),
        Finding::new(Question::SharedDevice, device(facts, rules)),
        Finding::new(Question::MadeCustomers, made),
        Finding::new(Question::RushedCustomers, rushed),
    ]
}

fn payment(facts: &Accounts, rules: &RuleSet) -> Answer {
    let answer = shared(facts.with_payment, facts.with_own_payment, rules.limits.shared_customers, rules);
    let answer = unless(answer, rules.guards.member_device && facts.is_at_member, Guard::MemberDevice);
    let answer = unless(answer, rules.guards.own_devices && facts.with_own_device == 1, Guard::OwnDevices);
    unless(answer, rules.guards.many_payers && facts.with_own_payment > PAYERS_MAX, Guard::ManyPayers)
}

fn device(facts: &Accounts, rules: &RuleSet) -> Answer {
    let guards = rules.guards;
    let answer = shared(facts.with_device, facts.with_own_device, rules.limits.shared_device_customers, rules);
    let answer = unless(answer, guards.member_device && facts.is_at_member, Guard::MemberDevice);
    // Of the busiest device only that is known: without a crowd of its own, a crowd is what it would be taken for.
    let is_crowd = guards.crowded_device && !guards.member_device && facts.is_device_crowded;
    unless(answer, is_crowd, Guard::CrowdedDevice)
}

fn shared(busiest: u32, own: u32, least: u32, rules: &RuleSet) -> Answer {
    let answer = |customers: u32| at_least(customers.into(), least.into(), span::SHARED_CUSTOMERS);
    if rules.guards.bystander && own < least {
        return unless(answer(busiest), true, Guard::Bystander);
    }
    answer(if rules.guards.bystander { own } else { busiest })
}
