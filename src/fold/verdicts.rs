//! Verdicts on conversions and commissions: what is blocked keeps its place and counts for nobody
//! (SEMANTICS §8, §9, §12).

use super::booking::Movement;
use super::fraud::Cause;
use super::records::{Conversion, Counts, NO_ID, NONE};
use super::state::FOR_EVER;
use super::timers::Due;
use super::{Stop, Turn, kind};
use crate::event::{Review, ReviewSubject, Verdict};
use crate::ids::Millis;
use crate::keep::Id128;

/// A reviewer's verdict; kept in the record by number.
pub mod review {
    pub const NONE: u8 = 0;
    pub const APPROVED: u8 = 1;
    pub const BLOCKED: u8 = 2;
}

impl Turn<'_> {
    /// The newest review of a subject is the one in force, until it expires.
    pub(super) fn review(&mut self, stated: &Review<'_>) -> Result<(), Stop> {
        let until = stated.expires_at.unwrap_or(Millis(i64::MAX));
        let verdict = match stated.verdict {
            _ if until <= self.watermark() => review::NONE,
            Verdict::Approve => review::APPROVED,
            Verdict::Block => review::BLOCKED,
        };
        match stated.subject_type {
            // Clicks are counted as they came, whatever is thought of them later.
            ReviewSubject::Click => {
                let id = self.id(kind::CLICK, stated.subject_id);
                self.state.clicks.get(&id, self.floor()).ok_or(Stop::Park(id))?;
                self.review_click(id, stated.subject_id, (verdict, until));
            }
            ReviewSubject::Conversion => {
                let id = self.id(kind::CONVERSION, stated.subject_id);
                self.state.conversions.get(&id, FOR_EVER).ok_or(Stop::Park(id))?;
                self.review_conversion(id, verdict, until);
            }
            ReviewSubject::Commission => {
                let id = self.id(kind::COMMISSION, stated.subject_id);
                self.state.commissions.get(&id, FOR_EVER).ok_or(Stop::Park(id))?;
                self.review_commission(id, verdict, until);
            }
        }
        Ok(())
    }

    fn review_conversion(&mut self, id: Id128, verdict: u8, until: Millis) {
        self.change_conversion(id, |conversion| (conversion.review, conversion.review_until) = (verdict, until.0));
        if verdict != review::NONE && until.0 < i64::MAX {
            self.set_timer(until, Due::ConversionReview, id);
        }
        self.reviewed_conversion(id);
    }

    fn review_commission(&mut self, id: Id128, verdict: u8, until: Millis) {
        if let Some(record) = self.state.commissions.get_mut(&id, FOR_EVER) {
            (record.review, record.review_until) = (verdict, until.0);
        }
        if verdict != review::NONE && until.0 < i64::MAX {
            self.set_timer(until, Due::CommissionReview, id);
        }
        self.judge_commission(id, Cause::Review);
    }

    pub(super) fn conversion_review_over(&mut self, id: Id128) {
        let conversion = self.conversion_at(id);
        if conversion.review_until <= self.watermark().0 && conversion.review != review::NONE {
            self.change_conversion(id, |conversion| conversion.review = review::NONE);
            self.reviewed_conversion(id);
        }
    }

    pub(super) fn commission_review_over(&mut self, id: Id128) {
        let watermark = self.watermark().0;
        let Some(record) = self.state.commissions.get_mut(&id, FOR_EVER) else { return };
        if record.review_until <= watermark && record.review != review::NONE {
            record.review = review::NONE;
            self.judge_commission(id, Cause::Review);
        }
    }

    /// What a review says of a conversion it says of its commissions, unless they have their own.
    fn reviewed_conversion(&mut self, id: Id128) {
        let conversion = self.conversion_at(id);
        // A refund has no credit that could be withheld: a verdict on one says nothing of anything else.
        if !conversion.has_credit() {
            return;
        }
        // One that is nobody's is not judged; a producer may have made commissions of it all the same.
        if conversion.n == NONE {
            self.restate_conversion(id);
        } else {
            self.judge_conversion(id, Cause::Review);
        }
        self.judge_commissions_of(id, Cause::Review);
    }

    /// Gives or withholds what the conversion's verdict asks for; its commissions follow.
    pub(super) fn restate_conversion(&mut self, id: Id128) {
        let before = self.conversion_at(id);
        let blocked = u8::from(self.is_blocked(id, &before));
        if before.blocked == blocked || !before.has_credit() {
            return;
        }
        if blocked == 1 {
            if before.counts_for_members() {
                self.book_credit(id, &before, -1);
            }
            self.book_blocked(&before, 1);
        }
        self.change_conversion(id, |conversion| conversion.blocked = blocked);
        if blocked == 0 {
            let now = self.conversion_at(id);
            if now.counts_for_members() {
                self.book_credit(id, &now, 1);
            }
            self.book_blocked(&now, -1);
        }
        self.recount_customer(id);
        let mut commission = self.first_commission(id);
        while commission != NO_ID {
            commission = self.restate_commission(commission);
        }
    }

    /// A blocked order stays in the creator's revenue, as blocked, and leaves the orders.
    fn book_blocked(&mut self, order: &Conversion, sign: i64) {
        if !order.is_order() {
            return;
        }
        let made = order.booked(Millis(order.t));
        self.count_creator(made, &Counts { orders: -sign, ..Counts::default() });
        let sign = i128::from(sign);
        let blocked = |amount: i64| Movement { blocked: sign * i128::from(amount), ..Movement::default() };
        self.book_creator(made, order.currency, &blocked(order.amount));
        for step in self.moves_of(order) {
            self.book_creator(order.booked(step.t), order.currency, &blocked(-step.taken));
        }
    }
}

impl Conversion {
    /// Kinds that can be credited; the others are their order's.
    pub fn has_credit(&self) -> bool {
        self.is_order() || self.kind == 0
    }

    /// Credited, and not withheld.
    pub(super) const fn counts_for_members(&self) -> bool {
        self.n != super::records::NONE && self.blocked == 0
    }
}
