//! A decision as it leaves the fold.

use super::Scored;
use super::rules::Scoring;
use super::verdict::{Concluded, number, of_number};
use crate::event::Bots;
use crate::fold::Turn;
use crate::fold::evidence::known;
use crate::fold::fraud::{
    Band, DecidedBy, Decision, DecisionId, Finding, Mode, Previous, Question, Rules, Subject, Trigger,
};
use crate::fold::records::{Judged, LongText, NO_ID, NONE, Text};
use crate::fold::state::FOR_EVER;
use crate::keep::Id128;

/// Names of a decision's subject and of who is behind it.
#[derive(Clone, Copy)]
pub(super) struct Texts {
    creator: Text,
    subject_id: LongText,
    member: Text,
    customer: Text,
    click: Text,
    order: Text,
    is_truncated: bool,
}

impl Turn<'_> {
    pub(super) fn texts_of_click(&self, n: u32, click_id: &str, member: Option<&str>) -> Texts {
        let none = Text::new("");
        Texts {
            creator: self.creator_text(),
            subject_id: LongText::new(click_id),
            member: member.map_or_else(|| self.reading().id_of_member(n), Text::new),
            customer: none,
            click: Text::new(click_id),
            order: none,
            is_truncated: self.member(n).fraud & known::TRUNCATED != 0,
        }
    }

    pub(super) fn texts_of(&self, id: Id128, scored: Scored<'_>) -> Texts {
        let (n, conversion_id) = match scored {
            Scored::Conversion(conversion) => (conversion.n, id),
            Scored::Commission(commission) => (commission.n, commission.conversion),
        };
        let none = Text::new("");
        let conversion = self.state.conversion_texts.get(&conversion_id, FOR_EVER).filter(|_| conversion_id != NO_ID);
        let order = conversion.map_or(none, |texts| texts.id);
        let commission = self.state.commission_texts.get(&id, FOR_EVER);
        Texts {
            creator: self.creator_text(),
            subject_id: match scored {
                Scored::Conversion(_) => LongText::new(order.as_str()),
                Scored::Commission(_) => commission.map_or_else(|| LongText::new(""), |texts| texts.id),
            },
            member: if n == NONE { none } else { self.reading().id_of_member(n) },
            customer: conversion.map_or(none, |texts| texts.customer_id),
            click: conversion.map_or(none, |texts| texts.credited_click_id),
            order,
            is_truncated: n != NONE && self.member(n).fraud & known::TRUNCATED != 0,
        }
    }

    fn creator_text(&self) -> Text {
        self.state.creator_profiles.peek(&self.c, FOR_EVER).map_or_else(|| Text::new(""), |profile| profile.id)
    }

    /// What is remembered of a conclusion.
    pub(super) fn judged(
        &self,
        concluded: &Concluded,
        before: Option<&Judged>,
        texts: &Texts,
        rules: &Scoring,
    ) -> Judged {
        let revision = before.map_or(1, |before| before.revision.saturating_add(1));
        let subject = (concluded.subject, texts.subject_id.as_str());
        let id = rules.ids.id(texts.creator.as_str(), subject, (self.trigger.event_id.as_str(), revision));
        let score = concluded.assessment.score;
        Judged {
            id: Id128(id.0),
            due: i64::MAX,
            revision,
            fired: bits(concluded.assessment.findings()),
            raw: score.raw,
            score: u8::try_from(score.score).unwrap_or(u8::MAX),
            verdict: number(concluded.verdict),
            scored: number(score.verdict()),
            by: concluded.by.number(),
            on_due: 0,
            pad: [0; 7],
        }
    }

    pub(super) fn tell(
        &mut self,
        concluded: &Concluded,
        judged: &Judged,
        before: Option<&Judged>,
        texts: &Texts,
        rules: &Scoring,
    ) {
        let previous = before.map(|before| Previous {
            id: DecisionId(before.id.0),
            verdict: of_number(before.verdict),
            band: Band::of(u32::from(before.score)),
            score: u32::from(before.score),
            fired: rules_of(before.fired),
            cause: concluded.cause,
        });
        let decision = Decision {
            id: DecisionId(judged.id.0),
            subject: concluded.subject,
            subject_id: texts.subject_id,
            revision: judged.revision,
            creator: texts.creator,
            member: texts.member,
            customer: texts.customer,
            click: texts.click,
            order: texts.order,
            verdict: concluded.verdict,
            decided_by: concluded.by,
            action: concluded.action(before),
            disposition: concluded.disposition,
            bot: concluded.bot,
            bot_lists: (concluded.subject == Subject::Click).then_some(Bots::VERSION),
            assessment: concluded.assessment,
            points: rules.set.points,
            rule_set: rules.name,
            trigger: Trigger { offset: self.origin.offset, ..self.trigger },
            event_time: concluded.event_time,
            watermark: self.watermark(),
            is_late: self.is_late(),
            mode: match rules.shadow {
                Some(_) => Mode::Shadow,
                None if concluded.by == DecidedBy::Review => Mode::Manual,
                None => Mode::Live,
            },
            previous,
            matures_at: concluded.matures_at,
            is_truncated: texts.is_truncated,
            at: self.at,
        };
        if decision.is_noted() && decision.mode != Mode::Shadow {
            self.effects.fast.decisions.push(&decision);
        }
        self.effects.decisions.push(decision);
    }
}

/// Bit i: question i was answered with yes.
pub(super) fn bits<'f>(findings: impl Iterator<Item = &'f Finding>) -> u32 {
    let fired = findings.filter(|finding| finding.fired().is_some());
    fired.fold(0, |bits, finding| bits | 1 << finding.question.number())
}

/// Of questions by their bits.
fn rules_of(bits: u32) -> Rules {
    let fired = Question::ALL.into_iter().filter(|question| bits & (1 << question.number()) != 0);
    fired.map(Question::rule).collect()
}
