//! What members are owed: stated by the producer, or paid out on what was derived.

use super::record::{CommissionCard, Name};
use super::sale::{Sale, order_id};
use super::world::member_id;
use super::{Content, Plan, Simulation};
use crate::event::CommissionKind;
use crate::ids::Millis;

/// A later word on a commission.
#[derive(Debug, Clone, Copy)]
pub(super) enum Settlement {
    /// A signed change.
    Adjust(i64),
    Approve,
    /// What is paid; absent: what is owed.
    Pay(Option<i64>),
    /// What the producer takes back.
    Reverse(i64),
}

impl Simulation {
    /// The commission of an order, and what becomes of it.
    pub(super) fn pay_commission(&mut self, sale: &Sale, at: Millis) {
        if sale.amount <= 0 {
            return;
        }
        let derived = self.world.creator(sale.creator).derived;
        // A producer who has not noticed that commissions are derived; and a bonus now and then.
        if !derived || self.faults.permille(5) {
            self.earn(sale, false, at);
        }
        if self.traffic.permille(4) {
            self.earn(sale, true, at);
        }
        self.plan_settlement(sale, derived, at);
    }

    fn earn(&mut self, sale: &Sale, bonus: bool, at: Millis) {
        let card = CommissionCard {
            commission_id: if bonus {
                Name::numbered("bonus-", sale.order)
            } else {
                Name::numbered("com-", sale.order)
            },
            kind: CommissionKind::Earned,
            member_id: member_id(sale.member),
            conversion_id: (!bonus).then(|| order_id(sale.order)),
            amount: Some(sale.commission),
            currency: sale.stated,
            paid_at: None,
        };
        let (at, content) = (Millis(at.0 + 1), Content::Commission(card));
        // Some come after the words that build on them.
        let held_up = if self.faults.permille(8) { self.faults.wait(2 * Millis::DAY) / self.tempo.scale } else { 0 };
        self.publish_after(sale.creator, at, held_up, content);
    }

    fn plan_settlement(&mut self, sale: &Sale, derived: bool, at: Millis) {
        let hold = self.world.creator(sale.creator).hold_days * Millis::DAY / self.tempo.scale;
        if self.traffic.permille(30) {
            let after = self.delay(2 * Millis::DAY);
            let change = sale.commission * self.traffic.between(-30, 30) / 100;
            self.plan(sale, Millis(at.0 + after), Settlement::Adjust(change));
        }
        let approved = self.delay(8 * Millis::DAY);
        if self.traffic.permille(if derived { 50 } else { 600 }) {
            self.plan(sale, Millis(at.0 + approved), Settlement::Approve);
        }
        if self.traffic.permille(350) {
            let after = hold + approved + self.delay(6 * Millis::DAY);
            let stated = if derived { self.derived_guess(sale) } else { sale.commission };
            let amount = self.traffic.permille(700).then_some(stated);
            self.plan(sale, Millis(at.0 + after), Settlement::Pay(amount));
        }
    }

    /// What the producer thinks was derived: near enough, so that a remainder is carried.
    fn derived_guess(&self, sale: &Sale) -> i64 {
        let rate_bp = [1_000, 1_250, 3_333, 2_000, 0].get(sale.creator / 2 % 5).copied().unwrap_or_default();
        sale.amount * rate_bp / 10_000
    }

    fn plan(&mut self, sale: &Sale, at: Millis, settlement: Settlement) {
        self.schedule(at, Plan::Settle(Box::new(*sale), settlement));
    }

    /// Half of the producers reverse the commission of what they refund; the fold must not do it twice.
    pub(super) fn settle_refund(&mut self, sale: &Sale, taken: i64, at: Millis) {
        if sale.amount > 0 && self.traffic.permille(500) {
            let part = i128::from(sale.commission) * i128::from(taken) / i128::from(sale.amount);
            let after = self.delay(2 * Millis::HOUR);
            let part = i64::try_from(part).unwrap_or_default();
            self.plan(sale, Millis(at.0 + after), Settlement::Reverse(part));
        }
    }

    pub(super) fn settle(&mut self, sale: &Sale, settlement: Settlement, at: Millis) {
        let derived = self.world.creator(sale.creator).derived;
        let member = member_id(sale.member);
        let commission_id = if derived {
            Name::new(format_args!("auto:{}:{}", order_id(sale.order).as_str(), member.as_str()))
        } else {
            Name::numbered("com-", sale.order)
        };
        let (kind, amount) = match settlement {
            Settlement::Adjust(change) => (CommissionKind::Adjusted, Some(change)),
            Settlement::Approve => (CommissionKind::Approved, None),
            Settlement::Pay(amount) => (CommissionKind::Paid, amount),
            Settlement::Reverse(part) => (CommissionKind::Reversed, Some(part)),
        };
        let card = CommissionCard {
            commission_id,
            kind,
            member_id: member,
            conversion_id: self.traffic.permille(500).then(|| order_id(sale.order)),
            amount,
            currency: sale.stated,
            paid_at: (kind == CommissionKind::Paid).then_some(at),
        };
        self.publish(sale.creator, at, Content::Commission(card));
    }
}
