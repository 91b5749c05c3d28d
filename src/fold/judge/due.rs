//! Reviews that nobody makes: what happens then is the creator's policy.

use super::Scored;
use super::verdict::{number, of_number};
use crate::event::OnDue;
use crate::fold::Turn;
use crate::fold::effects::{ReviewMoved, ReviewPlace};
use crate::fold::fraud::{Cause, DecidedBy, Decision, Verdict};
use crate::fold::records::Judged;
use crate::fold::state::FOR_EVER;
use crate::fold::timers::Due;
use crate::ids::Millis;
use crate::keep::Id128;

/// The score asks for a review, and nobody and nothing has decided over it.
fn waits(judged: &Judged) -> bool {
    of_number(judged.verdict) == Verdict::Review && judged.by == DecidedBy::Score.number()
}

/// `Creator::on_due` in the record.
pub(in crate::fold) const fn on_due(policy: Option<OnDue>) -> u8 {
    match policy {
        None | Some(OnDue::Hold) => 0,
        Some(OnDue::Release) => number(Verdict::Approve),
        Some(OnDue::Reject) => number(Verdict::Block),
    }
}

impl Turn<'_> {
    /// When a review is due that the score asks for; the same as before as long as it asks for it on the same grounds.
    pub(super) fn due(&mut self, id: Id128, scored: Scored<'_>, before: Option<&Judged>, now: &Judged) -> i64 {
        if !waits(now) {
            return i64::MAX;
        }
        if let Some(before) = before.filter(|before| waits(before) && before.fired == now.fired) {
            return before.due;
        }
        let creator = self.creator();
        if creator.due_days == 0 {
            return i64::MAX;
        }
        let due = creator.clock.saturating_add(i64::from(creator.due_days).saturating_mul(Millis::DAY));
        let what = match scored {
            Scored::Conversion(_) => Due::ConversionWaits,
            Scored::Commission(_) => Due::CommissionWaits,
        };
        self.set_timer(Millis(due), what, id);
        due
    }

    /// The queue of open reviews follows the decision that was told last: the old place is left, the new one taken.
    pub(super) fn move_review(&mut self, id: Id128, (before, now): (Option<&Judged>, &Judged)) {
        if !before.is_some_and(waits) && !waits(now) {
            return;
        }
        let Some(decision) = self.effects.decisions.last() else { return };
        let Decision { subject, subject_id, event_time: since, .. } = *decision;
        let creator = self.c;
        let place =
            |judged: &Judged| waits(judged).then_some(ReviewPlace { creator, due: judged.due, since, subject, id });
        let (left, taken) = (before.and_then(place), place(now));
        let decision = taken.map(|_| Box::new(*decision));
        let reviews = &mut self.effects.fast.reviews;
        if let Some(left) = left.filter(|_| left != taken) {
            reviews.insert(left, ReviewMoved { subject_id, at: self.at, open: None });
        }
        if let Some(taken) = taken {
            reviews.insert(taken, ReviewMoved { subject_id, at: self.at, open: decision });
        }
    }

    pub(in crate::fold) fn conversion_due(&mut self, id: Id128) {
        if self.is_overdue(id) {
            self.judge_conversion(id, Cause::DueDate);
        }
    }

    pub(in crate::fold) fn commission_due(&mut self, id: Id128) {
        if self.is_overdue(id) {
            self.judge_commission(id, Cause::DueDate);
        }
    }

    /// Nobody looked in time, and the policy says something else than to hold it.
    fn is_overdue(&mut self, id: Id128) -> bool {
        let (watermark, policy) = (self.watermark().0, self.creator().on_due);
        let Some(judged) = self.state.judged.get_mut(&id, FOR_EVER) else { return false };
        let is_due = judged.due <= watermark && of_number(judged.verdict) == Verdict::Review;
        if is_due && policy != 0 {
            judged.on_due = policy;
        }
        is_due && policy != 0
    }
}
