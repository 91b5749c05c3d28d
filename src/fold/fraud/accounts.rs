//! Whether one person stands behind several accounts.

use super::finding::{Finding, Guard, at_least, unless};
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
}

/// `abuse.multi_account` (45): two member accounts in one identity cluster, or three customers of the member with one
/// means of payment or one device within 30 days.
pub fn check_multiple_accounts(facts: &Accounts, rules: &RuleSet) -> [Finding; 3] {
    let limits = &rules.limits;
    let shared = |customers: u32| at_least(customers.into(), limits.shared_customers.into(), span::SHARED_CUSTOMERS);
    let is_crowded = rules.guards.crowded_device && facts.is_device_crowded;
    let cluster = at_least(facts.members.into(), limits.cluster_accounts.into(), 0);
    [
        Finding::new(Question::ClusterAccounts, cluster),
        Finding::new(Question::SharedPayment, shared(facts.with_payment)),
        Finding::new(Question::SharedDevice, unless(shared(facts.with_device), is_crowded, Guard::CrowdedDevice)),
    ]
}
