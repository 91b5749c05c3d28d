//! What is answered: in the shape of a decision.

use serde::Serialize;
use serde_json::json;

use super::{Fallback, Reason};
use crate::fold::Preview;
use crate::fold::fraud::{Action, DecidedBy, Decision, Mode, Verdict};
use crate::ids::Partition;
use crate::project::decisions::Told;
use crate::web::position::Token;
use crate::web::read::Stamp;
use crate::web::reply::{self, Reply};

/// What would be decided; null: nobody looked.
#[derive(Serialize)]
struct Checked<'a> {
    mode: &'static str,
    /// click, conversion.
    subject_type: Option<&'static str>,
    /// Null, too: nobody knows it.
    member_id: Option<&'a str>,
    customer_id: Option<&'a str>,
    verdict: &'static str,
    band: Option<&'static str>,
    score: Option<u32>,
    raw_score: Option<u32>,
    /// Of a click: how it would be counted.
    disposition: Option<&'static str>,
    recommended_action: &'static str,
    /// score, deny_list, allow_list; fallback: the settings.
    decided_by: &'static str,
    /// What decides instead of the score: deny_list, allow_list.
    r#override: Option<&'static str>,
    /// Why the settings decide.
    reason: Option<&'static str>,
    #[serde(flatten)]
    told: Told,
    rule_set: Option<RuleSet<'a>>,
    event_time: Option<Stamp>,
    /// It would enter no window.
    late: Option<bool>,
    state_truncated: Option<bool>,
    as_of: Option<AsOf>,
}

#[derive(Serialize)]
struct RuleSet<'a> {
    id: &'a str,
    version: &'a str,
    hash: &'a str,
}

/// Up to where the state reached.
#[derive(Serialize)]
struct AsOf {
    partition: u32,
    /// The first offset that was not applied.
    next: u64,
    /// The same, as answers and `X-Min-Position` have it.
    position: String,
    watermark: Stamp,
}

const FALLBACK: &str = "fallback";

pub(super) fn answer(preview: &Preview, partition: Partition, fallback: Fallback) -> Reply {
    let decision = &preview.decision;
    let mut checked = Checked::of(decision, AsOf::of(preview, partition));
    // The score of somebody unknown is no better than none.
    if !preview.is_member_known {
        checked.reason = Some(Reason::UnknownMember.name());
        if decision.decided_by == DecidedBy::Score && decision.verdict <= fallback.verdict() {
            (checked.verdict, checked.recommended_action) = (fallback.verdict().name(), fallback.action().name());
            checked.decided_by = FALLBACK;
        }
    }
    reply::json(&json!({ "data": checked }))
}

pub(super) fn fallback(reason: Reason, fallback: Fallback) -> Reply {
    let mut checked = Checked::unseen(fallback.verdict(), fallback.action());
    checked.reason = Some(reason.name());
    reply::json(&json!({ "data": checked }))
}

impl<'a> Checked<'a> {
    fn unseen(verdict: Verdict, action: Action) -> Self {
        Self {
            mode: Mode::Preview.name(),
            subject_type: None,
            member_id: None,
            customer_id: None,
            verdict: verdict.name(),
            band: None,
            score: None,
            raw_score: None,
            disposition: None,
            recommended_action: action.name(),
            decided_by: FALLBACK,
            r#override: None,
            reason: None,
            told: Told::default(),
            rule_set: None,
            event_time: None,
            late: None,
            state_truncated: None,
            as_of: None,
        }
    }

    fn of(decision: &'a Decision, as_of: AsOf) -> Self {
        let score = decision.assessment.score;
        let rule_set = &decision.rule_set;
        let (id, version, hash) = (rule_set.id.as_str(), rule_set.version.as_str(), rule_set.hash.as_str());
        let by = decision.decided_by;
        Self {
            subject_type: Some(decision.subject.name()),
            member_id: given(decision.member.as_str()),
            customer_id: given(decision.customer.as_str()),
            band: Some(score.band.name()),
            score: Some(score.score),
            raw_score: Some(score.raw),
            disposition: decision.disposition.map(|disposition| disposition.name()),
            decided_by: by.name(),
            r#override: (by != DecidedBy::Score).then(|| by.name()),
            told: Told::of(decision),
            rule_set: Some(RuleSet { id, version, hash }),
            event_time: Some(Stamp(decision.event_time)),
            late: Some(decision.is_late),
            state_truncated: Some(decision.is_truncated),
            as_of: Some(as_of),
            ..Self::unseen(decision.verdict, decision.action)
        }
    }
}

impl AsOf {
    fn of(preview: &Preview, partition: Partition) -> Self {
        let position = Token::of(partition, preview.next).to_string();
        Self { partition: partition.0, next: preview.next.0, position, watermark: Stamp(preview.watermark) }
    }
}

fn given(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}
