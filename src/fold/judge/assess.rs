//! From facts to an assessment.

use super::Scored;
use super::facts::Ordered;
use super::frozen::{QUESTIONS, freeze, of_bits, thaw, worse};
use super::rules::Scoring;
use crate::fold::Turn;
use crate::fold::fraud::{
    Agent, Answer, Assessment, Clicks, Facts, Finding, Missing, Rate, Rule, RuleSet, SelfReferral, check_click_fraud,
    check_commission_abuse, check_self_referral, explain,
};
use crate::fold::records::{Actor, Conversion, FROZEN, Frozen, NO_ID};
use crate::fold::state::FOR_EVER;
use crate::ids::Millis;
use crate::keep::Id128;

impl Turn<'_> {
    /// A conversion by its own facts, and by what its credited click fired.
    pub(super) fn assess_conversion(&mut self, id: Id128, conversion: &Conversion, rules: &Scoring) -> Assessment {
        let frozen = match self.frozen_by(id, rules) {
            Some(frozen) => frozen,
            None => {
                let frozen = freeze(self.answers(id, conversion, rules).iter());
                self.keep_frozen(id, frozen, rules);
                frozen
            }
        };
        self.with_abuse(Some(&frozen), conversion.n, Some((id, conversion)), &rules.set)
    }

    /// A commission by its conversion's answers, as they were, and by what became of orders since.
    pub(super) fn assess_commission(&self, n: u32, conversion_id: Id128, rules: &Scoring) -> Assessment {
        let conversion = self.state.conversions.get(&conversion_id, FOR_EVER).filter(|_| conversion_id != NO_ID);
        let frozen = conversion.as_ref().and_then(|_| self.frozen_by(conversion_id, rules));
        let conversion = conversion.as_ref().map(|conversion| (conversion_id, conversion));
        self.with_abuse(frozen.as_ref(), n, conversion, &rules.set)
    }

    fn with_abuse(
        &self,
        frozen: Option<&Frozen>,
        n: u32,
        conversion: Option<(Id128, &Conversion)>,
        rules: &RuleSet,
    ) -> Assessment {
        let actor = conversion.map_or(Actor::NOBODY, |(id, _)| self.actor(id));
        let conversion = conversion.map(|(_, conversion)| conversion);
        let t = conversion.map_or(self.t, |conversion| Millis(self.t.0.max(conversion.t)));
        let reading = self.reading();
        let (history, accounts) = reading.abuse(n, conversion.map(Ordered::of), &actor, t);
        let findings = frozen.map(|frozen| self.asked_again(thaw(frozen), (n, &actor), t, rules));
        let (self_referral, clicks) = split(findings);
        Assessment::of(self_referral, clicks, Some(check_commission_abuse(&history, &accounts, rules)), rules)
    }

    /// An address and a device are the member's own until it shows that they are those of many: the guards are asked by
    /// what is known at `t`.
    fn asked_again(
        &self,
        findings: [Finding; FROZEN],
        (n, actor): (u32, &Actor),
        t: Millis,
        rules: &RuleSet,
    ) -> [Finding; FROZEN] {
        let is_own = |finding: &Finding| [Rule::SameIp, Rule::SameDevice].map(Some).contains(&finding.fired());
        if !findings.iter().any(is_own) {
            return findings;
        }
        let facts = self.reading().self_referral(n, actor, t);
        findings.map(|finding| if is_own(&finding) { explain(finding, &facts, rules) } else { finding })
    }

    /// Its own answers to the self and click questions, joined with those of its click.
    fn answers(&self, id: Id128, conversion: &Conversion, rules: &Scoring) -> [Finding; FROZEN] {
        let missing = Rate::Missing(Missing::Click);
        let facts = self.reading().self_referral(conversion.n, &self.actor(id), Millis(conversion.t));
        let winning = self.winning(conversion);
        let clicks =
            Clicks { agent: Agent::Missing, ip: missing, network: missing, device: missing, gaps: None, winning };
        let set = &rules.set;
        let own = check_self_referral(&facts, set).into_iter().chain(check_click_fraud(&clicks, set));
        let inherited = self.inherited(conversion, rules).map(|finding| explain(finding, &facts, set));
        let mut own = own.zip(inherited).map(|(own, inherited)| worse(own, inherited));
        QUESTIONS.map(|question| own.next().unwrap_or(Finding { question, answer: Answer::No }))
    }

    /// What the credited click answered when it came.
    fn inherited(&self, conversion: &Conversion, rules: &Scoring) -> [Finding; FROZEN] {
        match self.credited_click(conversion) {
            Some(click) => self.click_answers(conversion.credited_click, &click, rules),
            None => of_bits(u16::MAX),
        }
    }

    /// The questions about the member alone that are answered with yes now.
    pub(super) fn member_questions(&self, n: u32, rules: &Scoring) -> u32 {
        let (history, accounts) = self.reading().abuse(n, None, &Actor::NOBODY, self.t);
        let findings = check_commission_abuse(&history, &accounts, &rules.set);
        super::tell::bits(findings.iter())
    }

    /// What is scored.
    pub(super) fn assess(&mut self, id: Id128, scored: Scored<'_>, rules: &Scoring) -> Assessment {
        match scored {
            Scored::Conversion(conversion) => self.assess_conversion(id, conversion, rules),
            Scored::Commission(commission) => self.assess_commission(commission.n, commission.conversion, rules),
        }
    }
}

/// By function.
pub(super) fn split(findings: Option<[Finding; FROZEN]>) -> (Option<[Finding; 5]>, Option<[Finding; 9]>) {
    let Some([a, b, c, d, e, clicks @ ..]) = findings else { return (None, None) };
    (Some([a, b, c, d, e]), Some(clicks))
}

/// Facts of a click that is scored by itself.
pub(super) const fn of_click(facts: SelfReferral, clicks: Clicks) -> Facts {
    Facts { self_referral: Some(facts), clicks: Some(clicks), commission: None, accounts: None }
}
