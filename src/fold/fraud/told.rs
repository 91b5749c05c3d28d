//! What is told of an assessment: each question once, and the points of each rule once.

use super::finding::{Answer, Finding, fired};
use super::rule::{Question, Rule, Rules};
use super::score::Points;
use super::{Assessment, DecidedBy, Decision, Subject, Verdict};
use crate::event::BotKind;

/// Points of each function by itself, a rule counted once in each; `None`: it was not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Subtotals {
    pub self_referral: Option<u32>,
    pub click_fraud: Option<u32>,
    pub commission_abuse: Option<u32>,
    /// Part of commission abuse where that was asked.
    pub multiple_accounts: Option<u32>,
}

impl Assessment {
    /// Each question that was not answered with no, in the order of the functions, and the points that it adds to the
    /// score: all of its rule's where the rule fires first, and none after that.
    pub fn told(&self, points: &Points) -> impl Iterator<Item = (&Finding, u32)> {
        let mut applied = Rules::default();
        self.questions().filter(|finding| finding.answer != Answer::No).map(move |finding| {
            let Some(rule) = finding.fired().filter(|rule| !applied.has(*rule)) else { return (finding, 0) };
            applied = applied.with(rule);
            (finding, points.of(rule))
        })
    }

    pub fn subtotals(&self, points: &Points) -> Subtotals {
        let sum = |findings: &[Finding]| points.raw(fired(findings));
        let accounts = |findings: &[Finding]| {
            points.raw(fired(findings.iter().filter(|finding| finding.question.rule() == Rule::MultiAccount)))
        };
        let within = self.commission.as_ref().map(|findings| accounts(findings));
        Subtotals {
            self_referral: self.self_referral.as_ref().map(|findings| sum(findings)),
            click_fraud: self.clicks.as_ref().map(|findings| sum(findings)),
            commission_abuse: self.commission.as_ref().map(|findings| sum(findings)),
            multiple_accounts: self.accounts.as_ref().map(|findings| sum(findings)).or(within),
        }
    }

    /// A question that two functions ask has one answer.
    fn questions(&self) -> impl Iterator<Item = &Finding> {
        let commission = self.commission.iter().flatten();
        let is_asked =
            move |finding: &&Finding| !self.commission.iter().flatten().any(|asked| asked.question == finding.question);
        let accounts = self.accounts.iter().flatten().filter(is_asked);
        self.self_referral.iter().flatten().chain(self.clicks.iter().flatten()).chain(commission).chain(accounts)
    }
}

impl Decision {
    /// By what a question was answered with yes, where there are several ways.
    pub fn match_kind(&self, question: Question) -> Option<&'static str> {
        self.bot.filter(|_| question == Question::DeclaredBot).map(BotKind::name)
    }

    /// Whether there is more to it than its record in the topic: of a click that nothing speaks against there is not.
    pub fn is_noted(&self) -> bool {
        let is_clean = self.subject == Subject::Click
            && self.revision == 1
            && (self.verdict, self.decided_by) == (Verdict::Approve, DecidedBy::Score)
            && !self
                .assessment
                .findings()
                .any(|finding| matches!(finding.answer, Answer::Yes(_) | Answer::Silenced(..)));
        !is_clean
    }
}
