//! What an order leads to: what is owed for it, and what is taken back of it.

use super::agent::Agent;
use super::label::Group;
use super::person::Person;
use super::scene::{Intent, Scene};
use crate::event::{CommissionKind, ConversionKind};
use crate::ids::Millis;
use crate::simulate::random::Dice;
use crate::simulate::record::{CommissionCard, Content, ConversionCard, Name};

/// What becomes of an order; times count from the order.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fate {
    /// When, and what part of it in percent.
    pub(super) refund: Option<(i64, i64)>,
    pub(super) chargeback: Option<i64>,
    /// The bank gives the chargeback up again.
    pub(super) reversed: bool,
}

/// An order that stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bought {
    pub(super) by: Group,
    pub(super) member: Person,
    pub(super) order: Name,
    pub(super) amount: i64,
}

impl Fate {
    /// Most is kept. What comes back comes after some days; a dispute takes as long as a card's statement and a letter.
    pub(super) fn honest(dice: &mut Dice, refunds_permille: u64, disputes_of_10_000: u64) -> Self {
        if dice.below(10_000) < disputes_of_10_000 {
            let after = 8 * Millis::DAY + dice.wait(22 * Millis::DAY);
            return Self { refund: None, chargeback: Some(after), reversed: dice.permille(250) };
        }
        if !dice.permille(refunds_permille) {
            return Self::default();
        }
        let after = Millis::DAY + dice.wait(7 * Millis::DAY);
        let percent = if dice.permille(700) { 100 } else { dice.between(25, 85) };
        Self { refund: Some((after, percent)), chargeback: None, reversed: false }
    }

    const fn is_kept(&self) -> bool {
        self.refund.is_none() && self.chargeback.is_none()
    }
}

/// The id of a commission that a programme derives of a conversion.
pub(super) fn derived_id(conversion: Name, member: Name) -> Name {
    Name::new(format_args!("auto:{}:{}", conversion.as_str(), member.as_str()))
}

impl Scene {
    /// The commission of an order and what becomes of both.
    pub(super) fn settle(&mut self, agent: &mut Agent, bought: &Bought, fate: &Fate, at: Millis) {
        let (derived, hold) = {
            let programme = self.programme(agent.creator);
            (programme.derived, programme.hold_days * Millis::DAY)
        };
        let member_id = bought.member.member_id();
        let id = if derived { derived_id(bought.order, member_id) } else { Name::hex("com-", agent.name()) };
        let commission = bought.amount * self.programme(agent.creator).rate_bp / 10_000;
        if !derived {
            let after = Millis(at.0 + 500 + agent.dice.wait(Millis::SECOND));
            self.owe(agent, bought, (id, CommissionKind::Earned, Some(commission)), after);
        }
        if fate.is_kept() {
            if !derived {
                let after = Millis(at.0 + hold + agent.dice.wait(Millis::DAY));
                self.owe(agent, bought, (id, CommissionKind::Approved, None), after);
            }
            let paid = Millis(at.0 + hold + 2 * Millis::DAY + agent.dice.wait(14 * Millis::DAY));
            self.owe(agent, bought, (id, CommissionKind::Paid, Some(commission)), paid);
        }
        if let Some((after, percent)) = fate.refund {
            let amount = (percent < 100).then(|| (bought.amount * percent / 100).max(1));
            self.take_back(agent, bought, (ConversionKind::Refund, amount), Millis(at.0 + after));
            if !derived {
                let part = commission * percent / 100;
                let after = Millis(at.0 + after + agent.dice.wait(Millis::HOUR));
                self.owe(agent, bought, (id, CommissionKind::Reversed, Some(part)), after);
            }
        }
        if let Some(after) = fate.chargeback {
            self.take_back(agent, bought, (ConversionKind::Chargeback, None), Millis(at.0 + after));
            if fate.reversed {
                let after = Millis(at.0 + after + 10 * Millis::DAY + agent.dice.wait(20 * Millis::DAY));
                self.take_back(agent, bought, (ConversionKind::ChargebackReversed, None), after);
            }
        }
    }

    fn owe(
        &mut self,
        agent: &mut Agent,
        bought: &Bought,
        (commission_id, kind, amount): (Name, CommissionKind, Option<i64>),
        at: Millis,
    ) {
        let card = CommissionCard {
            commission_id,
            kind,
            member_id: bought.member.member_id(),
            conversion_id: Some(bought.order),
            amount,
            currency: Some(self.programme(agent.creator).currency),
            paid_at: (kind == CommissionKind::Paid).then_some(at),
        };
        self.publish(agent, Some(Intent::of(bought.by)), at, Content::Commission(card));
    }

    fn take_back(
        &mut self,
        agent: &mut Agent,
        bought: &Bought,
        (kind, amount): (ConversionKind, Option<i64>),
        at: Millis,
    ) {
        let conversion_id = Name::hex("ret-", agent.name());
        let card = ConversionCard::taken_back(conversion_id, kind, bought.order, (amount, None));
        self.publish(agent, Some(Intent::of(bought.by)), at, Content::Conversion(card));
    }
}
