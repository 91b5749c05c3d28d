//! Whether what a member or a customer brought was taken back too often, or was brought by one person in many guises.

use super::accounts::{Accounts, check_multiple_accounts};
use super::finding::{Answer, Finding, Guard, Missing, at_least, unless, yes_if};
use super::rule::Question;
use super::rule_set::{RuleSet, span};
use super::wilson;

/// What became of earlier orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    pub customer: Option<CustomerHistory>,
    /// Orders of the member within 180 days, and how many of them have a chargeback that stands.
    pub chargebacks: Share,
    /// Orders of the member within 90 days, and how many of them have a refund.
    pub refunds: Share,
    /// The same of all of the creator's orders.
    pub creator_refunds: Share,
    /// Refunds within 72 hours after the commission became payable; none where it is payable at once.
    pub early_refunds: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CustomerHistory {
    /// Chargebacks that stand, of 365 days.
    pub chargebacks: u32,
    /// Refunds of 90 days, and of how many orders.
    pub refunds: u32,
    pub refunded_orders: u32,
    /// Orders of 90 days; not counted where nothing was taken back.
    pub orders: u32,
    /// What is scored is one of those with a chargeback.
    pub is_charged_back: bool,
}

/// Some of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    pub some: u32,
    pub all: u32,
}

/// `abuse.chargeback` (70) and `abuse.refund` (50): of the customer by number, of the member by number and by a share that
/// is surely above the limit; `abuse.multi_account` (45) as [`check_multiple_accounts`] has it.
pub fn check_commission_abuse(history: &History, accounts: &Accounts, rules: &RuleSet) -> [Finding; 10] {
    let limits = &rules.limits;
    let usual = usual(history.creator_refunds, limits.member_refunds_permille);
    let [customer_chargebacks, customer_refunds] =
        history.customer.map_or([Answer::Unknown(Missing::Customer); 2], |customer| {
            of_customer(&customer, history.creator_refunds, rules)
        });
    let member_chargebacks = surely(
        history.chargebacks,
        limits.member_chargebacks,
        (limits.member_chargebacks_permille, 1_000),
        span::MEMBER_CHARGEBACKS,
    );
    let member_refunds = surely(history.refunds, limits.member_refunds, usual, span::REFUNDS);
    let early_refunds = history.early_refunds.map_or(Answer::Unknown(Missing::HoldDays), |refunds| {
        at_least(refunds.into(), limits.early_refunds.into(), span::EARLY_REFUND)
    });
    let [cluster, payment, device, made, rushed] = check_multiple_accounts(accounts, rules);
    [
        Finding::new(Question::CustomerChargebacks, customer_chargebacks),
        Finding::new(Question::MemberChargebacks, member_chargebacks),
        Finding::new(Question::MemberRefunds, member_refunds),
        Finding::new(Question::EarlyRefunds, early_refunds),
        Finding::new(Question::CustomerRefunds, customer_refunds),
        cluster,
        payment,
        device,
        made,
        rushed,
    ]
}

/// By chargebacks and by refunds.
fn of_customer(customer: &CustomerHistory, creator: Share, rules: &RuleSet) -> [Answer; 2] {
    let limits = &rules.limits;
    let (refunds, least) = (customer.refunds, limits.customer_refunds);
    let usual = usual(creator, limits.customer_refunds_permille);
    let is_usual = rules.guards.usual_refunds && !wilson::is_above(customer.refunded_orders, customer.orders, usual);
    let is_other = customer.chargebacks == 1 && customer.orders >= 2 && !customer.is_charged_back;
    let chargebacks =
        at_least(customer.chargebacks.into(), limits.customer_chargebacks.into(), span::CUSTOMER_CHARGEBACKS);
    let is_often = refunds >= least && customer.refunded_orders >= limits.customer_refunds_orders;
    [
        unless(chargebacks, rules.guards.other_orders && is_other, Guard::OtherOrders),
        unless(yes_if(is_often, refunds.into(), least.into(), span::REFUNDS), is_usual, Guard::UsualRefunds),
    ]
}

/// Yes, if there are so many, and their share is above `limit` with 95 % confidence.
pub(super) fn surely(share: Share, least: u32, limit: (u32, u32), window: u64) -> Answer {
    let is_above = share.some >= least && wilson::is_above(share.some, share.all, limit);
    yes_if(is_above, share.some.into(), least.into(), window)
}

/// The limit, or twice the creator's own share if that is more.
pub(super) fn usual(creator: Share, permille: u32) -> (u32, u32) {
    let (twice, all) = (u64::from(creator.some) * 2, u64::from(creator.all));
    if twice * 1_000 > all * u64::from(permille) {
        (creator.some.saturating_mul(2), creator.all)
    } else {
        (permille, 1_000)
    }
}
