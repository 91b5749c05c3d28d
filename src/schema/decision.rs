//! A decision as it stands in its topic. Written field by field: it has lists of records, which rows have not.

use super::encode::{put_bytes, put_flag, put_head, put_len, put_long};
use super::fields::Shape;
use crate::event::ReviewSubject;
use crate::ids::{Millis, Offset, Partition};

/// One decision. Texts that are empty are left out where the schema lets them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision<'a> {
    pub decision_id: [u8; 16],
    pub creator_id: &'a str,
    pub subject_type: ReviewSubject,
    pub subject_id: &'a str,
    pub revision: u32,
    pub member_id: &'a str,
    pub customer_id: &'a str,
    pub click_id: &'a str,
    pub conversion_id: &'a str,
    pub verdict: Verdict,
    pub band: Band,
    pub score: u32,
    pub raw_score: u32,
    pub disposition: Option<Disposition>,
    pub action: Action,
    /// All that was asked but what was answered with no.
    pub answers: &'a [Answer<'a>],
    pub checks: Checks,
    pub rule_set: RuleSet<'a>,
    pub trigger: Trigger<'a>,
    pub event_time: Millis,
    pub watermark: Millis,
    pub is_late: bool,
    pub mode: Mode,
    /// What decided instead of the score.
    pub overridden_by: Option<&'a str>,
    pub previous: Option<Previous<'a>>,
    pub matures_at: Option<Millis>,
    pub is_truncated: bool,
    pub processing_time: Millis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Approve,
    Review,
    Block,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Band {
    Low,
    Medium,
    High,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    Countable,
    ExcludedBot,
    ExcludedDuplicate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    None,
    ExcludeClick,
    Hold,
    Release,
    Reverse,
    Clawback,
    SuspendForReview,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Live,
    Shadow,
    Backtest,
    Preview,
    Manual,
}

/// A question of a rule, and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer<'a> {
    pub rule_id: &'a str,
    /// The question.
    pub code: &'a str,
    pub outcome: Outcome<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<'a> {
    Reason { points: u32, points_applied: u32, evidence: Evidence<'a> },
    Suppressed { guard: &'a str, evidence: Evidence<'a> },
    NotEvaluated { missing: &'a str },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence<'a> {
    pub observed: u64,
    pub threshold: u64,
    pub window_ms: u64,
    pub match_kind: Option<&'a str>,
}

/// Points of each function; none: it was not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checks {
    pub self_referral: Option<u32>,
    pub click_fraud: Option<u32>,
    pub commission_abuse: Option<u32>,
    pub multiple_accounts: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleSet<'a> {
    pub id: &'a str,
    pub version: &'a str,
    pub hash: &'a str,
    /// Of a click: the version of the lists of bots.
    pub bot_lists: Option<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trigger<'a> {
    pub event_id: &'a str,
    /// The name of its record.
    pub kind: &'a str,
    pub partition: Partition,
    pub offset: Offset,
}

/// The revision before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Previous<'a> {
    /// `None`: it is forgotten.
    pub decision_id: Option<[u8; 16]>,
    pub cause: &'a str,
    pub verdict: Verdict,
    pub band: Band,
    pub score: u32,
}

impl Decision<'_> {
    /// Appends the decision in Avro's single-object encoding.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_head(Shape::Decision, out);
        self.put_subject(out);
        put_long(self.verdict.index(), out);
        put_long(self.band.index(), out);
        put_long(self.score.into(), out);
        put_long(self.raw_score.into(), out);
        put_optional(self.disposition, |it, out| put_long(it.index(), out), out);
        put_long(self.action.index(), out);
        self.put_answers(out);
        self.checks.put(out);
        [self.rule_set.id, self.rule_set.version, self.rule_set.hash].into_iter().for_each(|it| put_text(it, out));
        put_optional(self.rule_set.bot_lists, put_text, out);
        self.trigger.put(out);
        put_long(self.event_time.0, out);
        put_long(self.watermark.0, out);
        put_flag(self.is_late, out);
        put_long(self.mode.index(), out);
        put_optional(self.overridden_by, put_text, out);
        put_optional(self.previous.as_ref(), Previous::put_superseded, out);
        put_optional(self.previous.as_ref(), Previous::put, out);
        put_optional(self.matures_at, |it, out| put_long(it.0, out), out);
        put_flag(self.is_truncated, out);
        put_long(self.processing_time.0, out);
    }

    fn put_subject(&self, out: &mut Vec<u8>) {
        put_id(self.decision_id, out);
        put_text(self.creator_id, out);
        let subject = match self.subject_type {
            ReviewSubject::Click => 0,
            ReviewSubject::Conversion => 1,
            ReviewSubject::Commission => 2,
        };
        put_long(subject, out);
        put_text(self.subject_id, out);
        put_long(self.revision.into(), out);
        for text in [self.member_id, self.customer_id, self.click_id, self.conversion_id] {
            put_optional(Some(text).filter(|text| !text.is_empty()), put_text, out);
        }
    }

    fn put_answers(&self, out: &mut Vec<u8>) {
        let is_reason = |outcome: &Outcome<'_>| matches!(outcome, Outcome::Reason { .. });
        let is_suppressed = |outcome: &Outcome<'_>| matches!(outcome, Outcome::Suppressed { .. });
        let is_not_evaluated = |outcome: &Outcome<'_>| matches!(outcome, Outcome::NotEvaluated { .. });
        self.put_those(is_reason, out);
        self.put_those(is_suppressed, out);
        self.put_those(is_not_evaluated, out);
    }

    /// One block of some of the answers, and the empty block that ends a list.
    fn put_those(&self, is_one: impl Fn(&Outcome<'_>) -> bool, out: &mut Vec<u8>) {
        let those = || self.answers.iter().filter(|answer| is_one(&answer.outcome));
        let count = those().count();
        if count > 0 {
            put_len(count, out);
            those().for_each(|answer| self.put_answer(answer, out));
        }
        out.push(0);
    }

    fn put_answer(&self, answer: &Answer<'_>, out: &mut Vec<u8>) {
        put_text(answer.rule_id, out);
        match &answer.outcome {
            Outcome::Reason { points, points_applied, evidence } => {
                put_long((*points).into(), out);
                put_long((*points_applied).into(), out);
                evidence.put(answer.code, out);
                put_len(1, out);
                put_text(self.trigger.event_id, out);
                out.push(0);
            }
            Outcome::Suppressed { guard, evidence } => {
                put_text(guard, out);
                evidence.put(answer.code, out);
            }
            Outcome::NotEvaluated { missing } => {
                put_text(answer.code, out);
                put_text(missing, out);
            }
        }
    }
}

impl Evidence<'_> {
    fn put(&self, code: &str, out: &mut Vec<u8>) {
        put_text(code, out);
        for amount in [self.observed, self.threshold, self.window_ms] {
            put_long(i64::try_from(amount).unwrap_or(i64::MAX), out);
        }
        put_optional(self.match_kind, put_text, out);
    }
}

impl Checks {
    fn put(&self, out: &mut Vec<u8>) {
        for points in [self.self_referral, self.click_fraud, self.commission_abuse, self.multiple_accounts] {
            put_optional(points, |it, out| put_long(it.into(), out), out);
        }
    }
}

impl Trigger<'_> {
    fn put(&self, out: &mut Vec<u8>) {
        put_text(self.event_id, out);
        put_text(self.kind, out);
        put_long(self.partition.0.into(), out);
        put_long(i64::try_from(self.offset.0).expect("a log counts its offsets in an i64"), out);
    }
}

impl Previous<'_> {
    fn put_superseded(&self, out: &mut Vec<u8>) {
        put_optional(self.decision_id, put_id, out);
        put_text(self.cause, out);
    }

    fn put(&self, out: &mut Vec<u8>) {
        put_long(self.verdict.index(), out);
        put_long(self.band.index(), out);
        put_long(self.score.into(), out);
    }
}

/// Places of the symbols in the schema.
impl Verdict {
    const fn index(self) -> i64 {
        match self {
            Self::Approve => 0,
            Self::Review => 1,
            Self::Block => 2,
        }
    }
}

impl Band {
    const fn index(self) -> i64 {
        match self {
            Self::Low => 0,
            Self::Medium => 1,
            Self::High => 2,
        }
    }
}

impl Disposition {
    const fn index(self) -> i64 {
        match self {
            Self::Countable => 0,
            Self::ExcludedBot => 1,
            Self::ExcludedDuplicate => 2,
        }
    }
}

impl Action {
    const fn index(self) -> i64 {
        match self {
            Self::None => 0,
            Self::ExcludeClick => 1,
            Self::Hold => 2,
            Self::Release => 3,
            Self::Reverse => 4,
            Self::Clawback => 5,
            Self::SuspendForReview => 6,
        }
    }
}

impl Mode {
    const fn index(self) -> i64 {
        match self {
            Self::Live => 0,
            Self::Shadow => 1,
            Self::Backtest => 2,
            Self::Preview => 3,
            Self::Manual => 4,
        }
    }
}

fn put_text(text: &str, out: &mut Vec<u8>) {
    put_bytes(text.as_bytes(), out);
}

/// 32 hexadecimal digits.
fn put_id(id: [u8; 16], out: &mut Vec<u8>) {
    let digit = |half: u8| if half < 10 { b'0' + half } else { b'a' + half - 10 };
    put_len(32, out);
    id.into_iter().for_each(|byte| out.extend([digit(byte >> 4), digit(byte & 15)]));
}

/// The branches of every union are null and the value, in this order.
fn put_optional<T>(value: Option<T>, put: impl Fn(T, &mut Vec<u8>), out: &mut Vec<u8>) {
    out.push(if value.is_some() { 2 } else { 0 });
    if let Some(value) = value {
        put(value, out);
    }
}
