//! Scoring in the stream: what is known becomes facts, facts an assessment, that a decision, and what follows of it
//! (FRAUD §3, SEMANTICS §8, §11, §12).

mod assess;
mod click;
mod due;
mod facts;
mod frozen;
mod lists;
mod preview;
mod rules;
mod shadow;
mod tell;
mod verdict;

pub(super) use due::on_due;
pub use preview::{Asked, Preview, Unseen};
pub(super) use rules::RuleSets;

use super::Turn;
use super::evidence::What;
use super::fraud::Question;
use super::records::{Commission, Conversion, Judged, NO_ID, NONE};
use super::state::FOR_EVER;
use crate::keep::Id128;

use super::fraud::Cause;

/// Commissions of a member that one event re-scores, the oldest that are not paid; and a customer's conversions, the newest.
const RESCORED_MAX: usize = 1_000;
/// Questions that are about a member alone, whoever acted.
const OF_MEMBER: [Question; 6] = [
    Question::MemberChargebacks,
    Question::MemberRefunds,
    Question::EarlyRefunds,
    Question::ClusterAccounts,
    Question::MadeCustomers,
    Question::RushedCustomers,
];

impl Turn<'_> {
    /// An order's money moved: its commissions are scored again, and the customer's and member's open ones, if that
    /// says something new of them.
    pub(super) fn judge_moved(&mut self, order_id: Id128) {
        let order = self.conversion_at(order_id);
        self.judge_commissions_of(order_id, Cause::Evidence);
        self.judge_customer(order.customer, order_id, Cause::Evidence);
        if order.n == NONE {
            return;
        }
        for n in self.credited(order_id, &order) {
            self.judge_member(n);
        }
    }

    /// Looks again at what a member brought, if what is known of it by itself says something new.
    fn judge_member(&mut self, n: u32) {
        if self.shadow_says_new(n) {
            self.judge_open(n, Cause::Evidence, &Self::shadow_commission);
            self.judge_newest(n, |_| true, &Self::shadow_conversion);
        }
        let rules = self.rules();
        let fired = self.member_questions(n, &rules);
        if fired != self.reading().member_fraud(n).fired {
            self.change_member_fraud(n, |fraud| fraud.fired = fired);
            self.judge_open(n, Cause::Evidence, &Self::judge_commission_live);
            self.judge_newest(n, |_| true, &Self::judge_conversion_live);
        }
    }

    /// What a conversion says of its member beyond itself.
    pub(super) fn judge_brought(&mut self, id: Id128, n: u32) {
        let of_member = OF_MEMBER.iter().fold(0, |bits, question| bits | 1 << question.number());
        let says = self.state.judged.get(&id, FOR_EVER).map_or(0, |judged| judged.fired);
        if (says ^ self.reading().member_fraud(n).fired) & of_member != 0 {
            self.judge_member(n);
        }
        // Its device turned out to be that of many: so it was when the ones before it were scored.
        if self.is_at_crowd(id) {
            let same_device = 1 << Question::SameDevice.number();
            self.judge_newest(n, |judged| judged.fired & same_device != 0, &|turn: &mut Self, id, cause| {
                turn.judge_conversion(id, cause);
                turn.judge_commissions_of(id, cause);
            });
        }
    }

    /// The newest conversions of a member, but for those that were paid for.
    fn judge_newest(&mut self, n: u32, is_meant: impl Fn(&Judged) -> bool, judge: &impl Fn(&mut Self, Id128, Cause)) {
        let Some(list) = self.reading().own_list(n, What::Conversion) else { return };
        for brought in list.iter() {
            let judged = self.state.judged.get(&brought.id, FOR_EVER);
            if judged.is_some_and(|judged| is_meant(&judged)) && !self.is_paid_for(brought.id) {
                judge(self, brought.id, Cause::Evidence);
            }
        }
    }

    fn is_paid_for(&self, conversion: Id128) -> bool {
        let mut id = self.first_commission(conversion);
        while let Some(commission) = self.state.commissions.get(&id, FOR_EVER).filter(|_| id != NO_ID) {
            if commission.paid == 1 {
                return true;
            }
            id = commission.next_of_conversion;
        }
        false
    }

    /// All commissions of a conversion.
    pub(super) fn judge_commissions_of(&mut self, conversion: Id128, cause: Cause) {
        let mut id = self.first_commission(conversion);
        while id != NO_ID {
            let Some(record) = self.state.commissions.get(&id, FOR_EVER) else { return };
            self.judge_commission(id, cause);
            id = record.next_of_conversion;
        }
    }

    /// Commissions of a customer's other orders: the newest, which are the ones that may still be unpaid.
    fn judge_customer(&mut self, customer: Id128, but: Id128, cause: Cause) {
        let Some(record) = self.state.customers.get(&customer, FOR_EVER) else { return };
        for conversion in self.newest_conversions_of(&record, RESCORED_MAX) {
            if conversion == but {
                continue;
            }
            if cause == Cause::List {
                self.judge_listed_conversion(conversion);
            }
            self.judge_commissions_of(conversion, cause);
        }
    }

    fn judge_listed_conversion(&mut self, id: Id128) {
        let conversion = self.state.conversions.get(&id, FOR_EVER);
        if conversion.is_some_and(|conversion| conversion.n != NONE && conversion.has_credit()) {
            self.judge_conversion(id, Cause::List);
        }
    }

    /// The oldest of a member's commissions that are not paid. A list says as much of their conversions.
    fn judge_open(&mut self, n: u32, cause: Cause, judge: &impl Fn(&mut Self, Id128, Cause)) {
        let mut id = self.member(n).open_first;
        for _ in 0..RESCORED_MAX {
            let Some(record) = self.state.commissions.get(&id, FOR_EVER) else { return };
            if cause == Cause::List {
                self.judge_listed_conversion(record.conversion);
            }
            judge(self, id, cause);
            id = record.next_open;
        }
    }

    /// A commission was made: it joins the member's open ones.
    pub(super) fn open_commission(&mut self, id: Id128, record: &mut Commission) {
        let member = self.member_mut(record.n);
        record.prev_open = std::mem::replace(&mut member.open_last, id);
        if record.prev_open == NO_ID {
            member.open_first = id;
        } else if let Some(before) = self.state.commissions.get_mut(&record.prev_open, FOR_EVER) {
            before.next_open = id;
        }
    }

    /// It is paid: nothing re-scores it but what happens to its own order.
    pub(super) fn close_commission(&mut self, id: Id128) {
        let Some(record) = self.state.commissions.get_mut(&id, FOR_EVER) else { return };
        let (n, prev, next) = (record.n, record.prev_open, record.next_open);
        (record.prev_open, record.next_open) = (NO_ID, NO_ID);
        let is_only = self.member(n).open_first == id;
        if prev == NO_ID && !is_only {
            return;
        }
        if let Some(before) = self.state.commissions.get_mut(&prev, FOR_EVER) {
            before.next_open = next;
        } else {
            self.member_mut(n).open_first = next;
        }
        if let Some(after) = self.state.commissions.get_mut(&next, FOR_EVER) {
            after.prev_open = prev;
        } else {
            self.member_mut(n).open_last = prev;
        }
    }
}

/// What is scored, as the state has it.
#[derive(Clone, Copy)]
enum Scored<'r> {
    Conversion(&'r Conversion),
    Commission(&'r Commission),
}
