//! What is decided: review before deny list, allow list, due date and score; and what follows for credit and commissions.

use super::Scored;
use super::rules::Scoring;
use crate::event::BotKind;
use crate::fold::Turn;
use crate::fold::fraud::{Action, Assessment, Cause, DecidedBy, Subject, Verdict};
use crate::fold::records::{Commission, Conversion, Judged, NO_ID};
use crate::fold::state::FOR_EVER;
use crate::fold::touches::Disposition;
use crate::fold::verdicts::review;
use crate::ids::Millis;
use crate::keep::Id128;

/// A conclusion, before it is told.
pub(super) struct Concluded {
    pub(super) subject: Subject,
    pub(super) assessment: Assessment,
    pub(super) verdict: Verdict,
    pub(super) by: DecidedBy,
    pub(super) cause: Cause,
    pub(super) event_time: Millis,
    pub(super) disposition: Option<Disposition>,
    pub(super) bot: Option<BotKind>,
    pub(super) matures_at: Option<Millis>,
    pub(super) is_paid: bool,
}

impl Turn<'_> {
    pub(in crate::fold) fn judge_conversion(&mut self, id: Id128, cause: Cause) {
        self.shadow_conversion(id, cause);
        self.judge_conversion_live(id, cause);
    }

    /// A shadow has no reason to look at it again.
    pub(super) fn judge_conversion_live(&mut self, id: Id128, cause: Cause) {
        let (conversion, rules) = (self.conversion_at(id), self.rules());
        self.judge_by(id, Scored::Conversion(&conversion), cause, &rules);
        self.restate_conversion(id);
    }

    pub(in crate::fold) fn judge_commission(&mut self, id: Id128, cause: Cause) {
        self.shadow_commission(id, cause);
        self.judge_commission_live(id, cause);
    }

    /// The same.
    pub(super) fn judge_commission_live(&mut self, id: Id128, cause: Cause) {
        let Some(commission) = self.state.commissions.get(&id, FOR_EVER) else { return };
        let rules = self.rules();
        self.judge_by(id, Scored::Commission(&commission), cause, &rules);
        self.restate_commission(id);
    }

    /// Keeps what a rule set decides, and tells it if it is new.
    pub(super) fn judge_by(&mut self, id: Id128, scored: Scored<'_>, cause: Cause, rules: &Scoring) {
        let assessment = self.assess(id, scored, rules);
        let before = self.judged_by(id, rules);
        let fired = super::tell::bits(assessment.findings());
        // What the policy said holds as long as the reasons do.
        let on_due = before.filter(|before| before.fired == fired).map_or(0, |before| before.on_due);
        let (verdict, by) = self.effective(scored, assessment.score.verdict(), on_due, rules);
        let is_same = before.is_some_and(|before| {
            let said = (before.fired, before.scored, before.verdict, before.by);
            said == (fired, number(assessment.score.verdict()), number(verdict), by.number())
        });
        if is_same {
            return;
        }
        let (event_time, matures_at, is_paid, subject) = match scored {
            Scored::Conversion(conversion) => (Millis(conversion.t), None, false, Subject::Conversion),
            Scored::Commission(commission) => {
                let matures = (commission.matures_at < i64::MAX).then_some(Millis(commission.matures_at));
                (Millis(commission.t), matures, commission.paid == 1, Subject::Commission)
            }
        };
        let concluded = Concluded {
            subject,
            assessment,
            verdict,
            by,
            cause,
            event_time,
            disposition: None,
            bot: None,
            matures_at,
            is_paid,
        };
        self.keep_and_tell((id, scored), &concluded, (before.as_ref(), on_due), rules);
    }

    fn keep_and_tell(
        &mut self,
        (id, scored): (Id128, Scored<'_>),
        concluded: &Concluded,
        (before, on_due): (Option<&Judged>, u8),
        rules: &Scoring,
    ) {
        let texts = self.texts_of(id, scored);
        let mut judged = self.judged(concluded, before, &texts, rules);
        judged.on_due = on_due;
        if rules.shadow.is_none() {
            judged.due = self.due(id, scored, before, &judged);
        }
        self.keep_judged(id, judged, rules);
        self.tell(concluded, &judged, before, &texts, rules);
        if rules.shadow.is_none() {
            self.move_review(id, (before, &judged));
        }
    }

    /// The verdict in force, and what makes it.
    fn effective(&self, scored: Scored<'_>, by_score: Verdict, on_due: u8, rules: &Scoring) -> (Verdict, DecidedBy) {
        let (n, own, conversion) = match scored {
            Scored::Conversion(conversion) => (conversion.n, conversion.review, Some(*conversion)),
            Scored::Commission(commission) => {
                let order = self.state.conversions.get(&commission.conversion, FOR_EVER);
                (commission.n, commission.review, order)
            }
        };
        let over = conversion.filter(Conversion::has_credit).map_or(review::NONE, |order| order.review);
        let reviewed = if own == review::NONE { over } else { own };
        if let Some(verdict) = of_review(reviewed) {
            return (verdict, DecidedBy::Review);
        }
        if let Scored::Commission(commission) = scored
            && let Some(order) = conversion
            && let Some(by) = self.order_blocked(commission.conversion, &order, rules)
        {
            return (Verdict::Block, by);
        }
        let customer = conversion.map_or(NO_ID, |conversion| conversion.customer);
        if let Some(listed) = self.reading().listed(n, customer) {
            return listed;
        }
        match on_due {
            0 => (by_score, DecidedBy::Score),
            number => (of_number(number), DecidedBy::DueDate),
        }
    }

    /// What blocks a commission's order, if it is blocked. To a shadow an order that it has not judged is as it is.
    fn order_blocked(&self, id: Id128, order: &Conversion, rules: &Scoring) -> Option<DecidedBy> {
        let of_shadow = rules.shadow.and_then(|_| self.judged_by(id, rules));
        if let Some(judged) = of_shadow {
            return (of_number(judged.verdict) == Verdict::Block).then(|| decided_by(judged.by));
        }
        if order.blocked == 0 {
            return None;
        }
        let judged = self.state.judged.get(&id, FOR_EVER);
        Some(judged.map_or(DecidedBy::Score, |judged| decided_by(judged.by)))
    }

    /// Whether a conversion counts for nobody.
    pub(in crate::fold) fn is_blocked(&self, id: Id128, conversion: &Conversion) -> bool {
        match self.state.judged.get(&id, FOR_EVER) {
            Some(judged) => of_number(judged.verdict) == Verdict::Block,
            None => conversion.review == review::BLOCKED,
        }
    }

    /// Whether a commission counts nowhere, and whether it is held until somebody has looked.
    pub(in crate::fold) fn withheld(&self, id: Id128, commission: &Commission) -> (bool, bool) {
        let order = self.state.conversions.get(&commission.conversion, FOR_EVER);
        let of_order = order.is_some_and(|order| order.blocked == 1);
        let verdict = self.state.judged.get(&id, FOR_EVER).map(|judged| of_number(judged.verdict));
        let is_blocked = match of_review(commission.review) {
            Some(verdict) => verdict == Verdict::Block,
            None => of_order || verdict == Some(Verdict::Block),
        };
        (is_blocked, !is_blocked && verdict == Some(Verdict::Review))
    }
}

impl Concluded {
    /// What whoever pays should do now.
    pub(super) fn action(&self, before: Option<&Judged>) -> Action {
        let was = before.map(|before| of_number(before.verdict));
        match (self.subject, self.verdict) {
            (Subject::Click, Verdict::Block) => Action::ExcludeClick,
            (Subject::Click, Verdict::Approve | Verdict::Review) => match self.disposition {
                Some(Disposition::ExcludedBot | Disposition::ExcludedDuplicate) => Action::ExcludeClick,
                Some(Disposition::Countable | Disposition::Share) | None => Action::None,
            },
            (_, Verdict::Approve) if was.is_some_and(|was| was != Verdict::Approve) => Action::Release,
            (_, Verdict::Approve) => Action::None,
            (_, Verdict::Review) if self.is_paid => Action::SuspendForReview,
            (_, Verdict::Review) => Action::Hold,
            (_, Verdict::Block) if self.is_paid => Action::Clawback,
            (_, Verdict::Block) => Action::Reverse,
        }
    }
}

/// As the records keep it; 0 is none.
pub(super) const fn number(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Approve => 1,
        Verdict::Review => 2,
        Verdict::Block => 3,
    }
}

pub(super) const fn of_number(number: u8) -> Verdict {
    match number {
        2 => Verdict::Review,
        3 => Verdict::Block,
        _ => Verdict::Approve,
    }
}

const fn decided_by(number: u8) -> DecidedBy {
    match number {
        1 => DecidedBy::DueDate,
        2 => DecidedBy::AllowList,
        3 => DecidedBy::DenyList,
        4 => DecidedBy::Review,
        _ => DecidedBy::Score,
    }
}

pub(super) const fn of_review(number: u8) -> Option<Verdict> {
    match number {
        review::APPROVED => Some(Verdict::Approve),
        review::BLOCKED => Some(Verdict::Block),
        _ => None,
    }
}
