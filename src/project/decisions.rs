//! Rows of decisions, and of reviews that are open. They are made of what was decided, not of state: a decision never
//! changes, and each row is as of its own event.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::build::Builder;
use super::codec::{Malformed, Reader, Writer};
use super::key::Row;
use super::tables::{self, subject_number};
use crate::fold::effects::{ReviewMoved, ReviewPlace};
use crate::fold::fraud::{self, Answer, Decision, Subject, Subtotals};
use crate::ids::{Millis, Next};

/// `decision`, and `review`: a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionRow {
    pub at: Next,
    /// 32 hexadecimal digits.
    pub decision_id: String,
    /// click, conversion, commission.
    pub subject_type: String,
    pub subject_id: String,
    pub revision: i64,
    /// Empty, like the ids after it: none, or not known.
    pub member_id: String,
    pub customer_id: String,
    pub click_id: String,
    pub conversion_id: String,
    /// approve, review, block.
    pub verdict: String,
    /// low, medium, high.
    pub band: String,
    pub score: i64,
    pub raw_score: i64,
    /// Of clicks: countable, excluded_bot, excluded_duplicate.
    pub disposition: String,
    /// none, exclude_click, hold, release, reverse, clawback, suspend_for_review.
    pub action: String,
    /// score, review, deny_list, allow_list, due_date.
    pub decided_by: String,
    pub mode: String,
    /// Why there is another revision; empty in the first.
    pub cause: String,
    /// Of the revision before; empty where it is not known.
    pub previous_id: String,
    pub previous_verdict: String,
    pub previous_score: Option<i64>,
    pub rule_set_id: String,
    pub rule_set_version: String,
    pub trigger_event_id: String,
    pub trigger_type: String,
    pub trigger_offset: i64,
    pub event_time: Millis,
    pub watermark: Millis,
    pub is_late: bool,
    pub matures_at: Option<Millis>,
    pub is_truncated: bool,
    /// [`Told`] as JSON.
    pub evidence: String,
    /// Of a click: the version of the lists that tell who is a bot.
    pub bot_lists: String,
}

/// The answers of an assessment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Told {
    pub reasons: Vec<Reason>,
    pub suppressed: Vec<Suppressed>,
    pub not_evaluated: Vec<NotEvaluated>,
    pub checks: Checks,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    pub rule_id: String,
    pub points: u32,
    pub points_applied: u32,
    pub evidence: Evidence,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppressed {
    pub rule_id: String,
    pub guard: String,
    pub evidence: Evidence,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotEvaluated {
    pub rule_id: String,
    pub code: String,
    pub missing: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    pub code: String,
    pub observed: u64,
    pub threshold: u64,
    pub window_ms: u64,
    /// By what it was recognised, where there are several ways.
    pub match_kind: Option<String>,
}

/// Points of each function; null: it was not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Checks {
    pub self_referral: Option<u32>,
    pub click_fraud: Option<u32>,
    pub commission_abuse: Option<u32>,
    pub multiple_accounts: Option<u32>,
}

impl Told {
    /// As decisions are told.
    pub fn of(decision: &Decision) -> Self {
        let Subtotals { self_referral, click_fraud, commission_abuse, multiple_accounts } =
            decision.assessment.subtotals(&decision.points);
        let checks = Checks { self_referral, click_fraud, commission_abuse, multiple_accounts };
        let mut told = Self { checks, ..Self::default() };
        for (finding, points_applied) in decision.assessment.told(&decision.points) {
            let rule = finding.question.rule();
            let (rule_id, code) = (rule.id().to_owned(), finding.question.code().to_owned());
            match finding.answer {
                Answer::No => {}
                Answer::Yes(seen) => {
                    let match_kind = decision.match_kind(finding.question).map(str::to_owned);
                    let (points, evidence) =
                        (decision.points.of(rule), Evidence { match_kind, ..Evidence::of(code, seen) });
                    told.reasons.push(Reason { rule_id, points, points_applied, evidence });
                }
                Answer::Silenced(seen, guard) => {
                    let (guard, evidence) = (guard.name().to_owned(), Evidence::of(code, seen));
                    told.suppressed.push(Suppressed { rule_id, guard, evidence });
                }
                Answer::Unknown(missing) => {
                    told.not_evaluated.push(NotEvaluated { rule_id, code, missing: missing.name().to_owned() });
                }
            }
        }
        told
    }
}

impl Evidence {
    const fn of(code: String, fraud::Evidence { observed, threshold, window }: fraud::Evidence) -> Self {
        Self { code, observed, threshold, window_ms: window, match_kind: None }
    }
}

impl DecisionRow {
    fn of(decision: &Decision) -> Self {
        let text = |text: &str| text.to_owned();
        let previous = decision.previous;
        let score = decision.assessment.score;
        Self {
            at: decision.at,
            decision_id: decision.id.to_string(),
            subject_type: text(decision.subject.name()),
            subject_id: text(decision.subject_id.as_str()),
            revision: decision.revision.into(),
            member_id: text(decision.member.as_str()),
            customer_id: text(decision.customer.as_str()),
            click_id: text(decision.click.as_str()),
            conversion_id: text(decision.order.as_str()),
            verdict: text(decision.verdict.name()),
            band: text(score.band.name()),
            score: score.score.into(),
            raw_score: score.raw.into(),
            disposition: text(decision.disposition.map_or("", |disposition| disposition.name())),
            action: text(decision.action.name()),
            decided_by: text(decision.decided_by.name()),
            mode: text(decision.mode.name()),
            cause: text(previous.map_or("", |previous| previous.cause.name())),
            previous_id: previous.filter(|it| it.id.0 != [0; 16]).map_or_else(String::new, |it| it.id.to_string()),
            previous_verdict: text(previous.map_or("", |previous| previous.verdict.name())),
            previous_score: previous.map(|previous| previous.score.into()),
            rule_set_id: text(decision.rule_set.id.as_str()),
            rule_set_version: text(decision.rule_set.version.as_str()),
            trigger_event_id: text(decision.trigger.event_id.as_str()),
            trigger_type: text(decision.trigger.kind.name()),
            trigger_offset: i64::try_from(decision.trigger.offset.0).unwrap_or(i64::MAX),
            event_time: decision.event_time,
            watermark: decision.watermark,
            is_late: decision.is_late,
            matures_at: decision.matures_at,
            is_truncated: decision.is_truncated,
            evidence: serde_json::to_string(&Told::of(decision)).expect("texts and numbers are JSON"),
            bot_lists: text(decision.bot_lists.unwrap_or_default()),
        }
    }

    pub fn encode(&self) -> Bytes {
        Writer::default()
            .int(i64::try_from(self.at.0).expect("a log has fewer than 2^63 records"))
            .text(&self.decision_id)
            .text(&self.subject_type)
            .text(&self.subject_id)
            .int(self.revision)
            .optional_text(&self.member_id)
            .optional_text(&self.customer_id)
            .optional_text(&self.click_id)
            .optional_text(&self.conversion_id)
            .text(&self.verdict)
            .text(&self.band)
            .int(self.score)
            .int(self.raw_score)
            .optional_text(&self.disposition)
            .text(&self.action)
            .text(&self.decided_by)
            .text(&self.mode)
            .optional_text(&self.cause)
            .optional_text(&self.previous_id)
            .optional_text(&self.previous_verdict)
            .optional_int(self.previous_score)
            .text(&self.rule_set_id)
            .text(&self.rule_set_version)
            .text(&self.trigger_event_id)
            .text(&self.trigger_type)
            .int(self.trigger_offset)
            .int(self.event_time.0)
            .int(self.watermark.0)
            .int(i64::from(self.is_late))
            .optional_int(self.matures_at.map(|at| at.0))
            .int(i64::from(self.is_truncated))
            .text(&self.evidence)
            .optional_text(&self.bot_lists)
            .finish()
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut row = Reader::new(bytes);
        Ok(Self {
            at: u64::try_from(row.int()?).map(Next).map_err(|_| Malformed { field: 1 })?,
            decision_id: row.text()?,
            subject_type: row.text()?,
            subject_id: row.text()?,
            revision: row.int()?,
            member_id: row.text()?,
            customer_id: row.text()?,
            click_id: row.text()?,
            conversion_id: row.text()?,
            verdict: row.text()?,
            band: row.text()?,
            score: row.int()?,
            raw_score: row.int()?,
            disposition: row.text()?,
            action: row.text()?,
            decided_by: row.text()?,
            mode: row.text()?,
            cause: row.text()?,
            previous_id: row.text()?,
            previous_verdict: row.text()?,
            previous_score: row.optional_int()?,
            rule_set_id: row.text()?,
            rule_set_version: row.text()?,
            trigger_event_id: row.text()?,
            trigger_type: row.text()?,
            trigger_offset: row.int()?,
            event_time: row.millis()?,
            watermark: row.millis()?,
            is_late: row.int()? == 1,
            matures_at: row.optional_int()?.map(Millis),
            is_truncated: row.int()? == 1,
            evidence: row.text()?,
            bot_lists: row.text()?,
        })
    }
}

impl Builder<'_> {
    pub(super) fn decision(&self, decision: &Decision) -> Row {
        let (creator, id) = (decision.creator.as_str(), decision.subject_id.as_str());
        let key = tables::decision(self.p, creator, subject_number(decision.subject), id, decision.revision);
        // As long as the click itself is listed.
        let of_click = Millis(decision.event_time.0.saturating_add(tables::TOUCH_KEPT));
        let expires = (decision.subject == Subject::Click).then_some(of_click);
        Row { key, at: decision.at, value: Some(DecisionRow::of(decision).encode()), expires }
    }

    pub(super) fn review(&self, place: &ReviewPlace, moved: &ReviewMoved) -> Option<Row> {
        let (creator, subject) = (self.id(place.creator)?, subject_number(place.subject));
        let key = tables::review(self.p, creator, place.due, place.since, subject, moved.subject_id.as_str());
        let value = moved.open.as_ref().map(|decision| DecisionRow::of(decision).encode());
        Some(Row { key, at: moved.at, value, expires: None })
    }
}
