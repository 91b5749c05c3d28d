//! What the fold decided, as a record of the topic of decisions.

use bytes::Bytes;

use crate::append::{Outgoing, Stream};
use crate::clock::Clock;
use crate::event::ReviewSubject;
use crate::fold::fraud::{self, Answer, DecidedBy, Subtotals};
use crate::fold::touches;
use crate::ids::{Millis, Partition};
use crate::schema::decision::{self, Action, Band, Checks, Disposition, Evidence, Mode, Outcome, Verdict};

/// Writes decisions, one after the other into the same memory.
#[derive(Debug)]
pub struct Encoder {
    clock: Clock,
    answers: Vec<decision::Answer<'static>>,
    bytes: Vec<u8>,
}

impl Encoder {
    /// `clock` says when a decision is written.
    pub const fn new(clock: Clock) -> Self {
        Self { clock, answers: Vec::new(), bytes: Vec::new() }
    }

    /// The record of a decision, on its way into `partition`; `timestamp` is its trigger's.
    pub fn record(&mut self, made: &fraud::Decision, partition: Partition, timestamp: Millis) -> Outgoing {
        self.answers.clear();
        answer(made, &mut self.answers);
        self.bytes.clear();
        decision(made, &self.answers, (partition, self.clock.now())).encode(&mut self.bytes);
        let key = Bytes::copy_from_slice(made.creator.as_str().as_bytes());
        Outgoing { stream: Stream::Decisions, partition, timestamp, key, value: Bytes::copy_from_slice(&self.bytes) }
    }
}

fn decision<'a>(
    made: &'a fraud::Decision,
    answers: &'a [decision::Answer<'a>],
    (partition, processing_time): (Partition, Millis),
) -> decision::Decision<'a> {
    let score = made.assessment.score;
    decision::Decision {
        decision_id: made.id.0,
        creator_id: made.creator.as_str(),
        subject_type: subject(made.subject),
        subject_id: made.subject_id.as_str(),
        revision: made.revision,
        member_id: made.member.as_str(),
        customer_id: made.customer.as_str(),
        click_id: made.click.as_str(),
        conversion_id: made.order.as_str(),
        verdict: verdict(made.verdict),
        band: band(score.band),
        score: score.score,
        raw_score: score.raw,
        disposition: made.disposition.and_then(disposition),
        action: action(made.action),
        answers,
        checks: checks(made.assessment.subtotals(&made.points)),
        rule_set: decision::RuleSet {
            id: made.rule_set.id.as_str(),
            version: made.rule_set.version.as_str(),
            hash: made.rule_set.hash.as_str(),
            bot_lists: made.bot_lists,
        },
        trigger: decision::Trigger {
            event_id: made.trigger.event_id.as_str(),
            kind: made.trigger.kind.name(),
            partition,
            offset: made.trigger.offset,
        },
        event_time: made.event_time,
        watermark: made.watermark,
        is_late: made.is_late,
        mode: mode(made.mode),
        overridden_by: (made.decided_by != DecidedBy::Score).then_some(made.decided_by.name()),
        previous: made.previous.map(|previous| decision::Previous {
            // Of a click of which nothing was noted only its revision is known.
            decision_id: (previous.id.0 != [0; 16]).then_some(previous.id.0),
            cause: previous.cause.name(),
            verdict: verdict(previous.verdict),
            band: band(previous.band),
            score: previous.score,
        }),
        matures_at: made.matures_at,
        is_truncated: made.is_truncated,
        processing_time,
    }
}

/// All that was not answered with no.
fn answer(made: &fraud::Decision, answers: &mut Vec<decision::Answer<'static>>) {
    for (finding, points_applied) in made.assessment.told(&made.points) {
        let rule = finding.question.rule();
        let outcome = match finding.answer {
            Answer::No => continue,
            Answer::Yes(evidence) => {
                let evidence = Evidence { match_kind: made.match_kind(finding.question), ..seen(evidence) };
                Outcome::Reason { points: made.points.of(rule), points_applied, evidence }
            }
            Answer::Silenced(evidence, guard) => Outcome::Suppressed { guard: guard.name(), evidence: seen(evidence) },
            Answer::Unknown(missing) => Outcome::NotEvaluated { missing: missing.name() },
        };
        answers.push(decision::Answer { rule_id: rule.id(), code: finding.question.code(), outcome });
    }
}

const fn seen(evidence: fraud::Evidence) -> Evidence<'static> {
    let fraud::Evidence { observed, threshold, window } = evidence;
    Evidence { observed, threshold, window_ms: window, match_kind: None }
}

const fn checks(subtotals: Subtotals) -> Checks {
    let Subtotals { self_referral, click_fraud, commission_abuse, multiple_accounts } = subtotals;
    Checks { self_referral, click_fraud, commission_abuse, multiple_accounts }
}

const fn subject(subject: fraud::Subject) -> ReviewSubject {
    match subject {
        fraud::Subject::Click => ReviewSubject::Click,
        fraud::Subject::Conversion => ReviewSubject::Conversion,
        fraud::Subject::Commission => ReviewSubject::Commission,
    }
}

const fn verdict(verdict: fraud::Verdict) -> Verdict {
    match verdict {
        fraud::Verdict::Approve => Verdict::Approve,
        fraud::Verdict::Review => Verdict::Review,
        fraud::Verdict::Block => Verdict::Block,
    }
}

const fn band(band: fraud::Band) -> Band {
    match band {
        fraud::Band::Low => Band::Low,
        fraud::Band::Medium => Band::Medium,
        fraud::Band::High => Band::High,
    }
}

const fn disposition(disposition: touches::Disposition) -> Option<Disposition> {
    match disposition {
        touches::Disposition::Countable => Some(Disposition::Countable),
        touches::Disposition::ExcludedBot => Some(Disposition::ExcludedBot),
        touches::Disposition::ExcludedDuplicate => Some(Disposition::ExcludedDuplicate),
        touches::Disposition::Share => None,
    }
}

const fn action(action: fraud::Action) -> Action {
    match action {
        fraud::Action::None => Action::None,
        fraud::Action::ExcludeClick => Action::ExcludeClick,
        fraud::Action::Hold => Action::Hold,
        fraud::Action::Release => Action::Release,
        fraud::Action::Reverse => Action::Reverse,
        fraud::Action::Clawback => Action::Clawback,
        fraud::Action::SuspendForReview => Action::SuspendForReview,
    }
}

const fn mode(mode: fraud::Mode) -> Mode {
    match mode {
        fraud::Mode::Live => Mode::Live,
        fraud::Mode::Shadow => Mode::Shadow,
        fraud::Mode::Preview => Mode::Preview,
        fraud::Mode::Manual => Mode::Manual,
    }
}
