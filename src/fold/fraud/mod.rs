//! Fraud: nine rules, what each counts, and what follows.
//!
//! Promise: pure and exact. The functions here know no state and no clock: they are told what was seen, answer each
//! question, and the answers make a score. The same facts and the same rule set give the same answers, in the stream, in
//! a preview and in a replay. What they are told is gathered in `evidence` and `judge`.

mod accounts;
mod click;
mod commission;
mod decision;
mod definition;
mod finding;
mod packed;
mod rule;
mod rule_set;
mod score;
mod self_referral;
mod timing;
mod told;
mod wilson;

pub(super) use accounts::PAYERS_MAX;
pub use accounts::{Accounts, check_multiple_accounts};
pub use click::{Agent, Clicks, DEVICES_MAX, Rate, Winning, check_click_fraud};
pub use commission::{CustomerHistory, History, Share, check_commission_abuse};
pub use decision::{
    Action, Cause, DecidedBy, Decision, DecisionId, DecisionIds, Mode, Previous, RuleSetHash, RuleSetName, Subject,
    Trigger,
};
pub use definition::Malformed;
pub use finding::{Answer, Evidence, Finding, Guard, Missing, fired};
pub use packed::Packed;
pub use rule::{Question, Rule, Rules};
pub use rule_set::{Guards, Limits, RuleSet, span};
pub use score::{Band, Points, SCORE_MAX, Score, Verdict};
pub use self_referral::{Compared, Own, SelfReferral, check_self_referral, explain};
pub use timing::Gaps;
pub use told::Subtotals;
pub use wilson::is_above;

use serde::{Deserialize, Serialize};

/// What is known of what is scored; what does not concern it is left out, and fires nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    pub self_referral: Option<SelfReferral>,
    pub clicks: Option<Clicks>,
    pub commission: Option<(History, Accounts)>,
    pub accounts: Option<Accounts>,
}

/// All that was asked, by function, and what it comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    pub self_referral: Option<[Finding; 5]>,
    pub clicks: Option<[Finding; 9]>,
    pub commission: Option<[Finding; 10]>,
    pub accounts: Option<[Finding; 5]>,
    /// Of all functions: a rule that two of them reach is in it once.
    pub fired: Rules,
    pub score: Score,
}

impl Assessment {
    /// By answers that are there already.
    pub fn of(
        self_referral: Option<[Finding; 5]>,
        clicks: Option<[Finding; 9]>,
        commission: Option<[Finding; 10]>,
        rules: &RuleSet,
    ) -> Self {
        let mut assessment = Self {
            self_referral,
            clicks,
            commission,
            accounts: None,
            fired: Rules::default(),
            score: Score::of(Rules::default(), &rules.points),
        };
        assessment.sum(rules);
        assessment
    }

    fn sum(&mut self, rules: &RuleSet) {
        self.fired = fired(self.findings());
        self.score = Score::of(self.fired, &rules.points);
    }

    /// In the order of the functions; a question that two functions ask is there twice, with one answer.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        let (selves, clicks) = (self.self_referral.iter().flatten(), self.clicks.iter().flatten());
        selves.chain(clicks).chain(self.commission.iter().flatten()).chain(self.accounts.iter().flatten())
    }
}

/// All four functions, combined.
pub fn perform_fraud_check(facts: &Facts, rules: &RuleSet) -> Assessment {
    let mut assessment = Assessment {
        self_referral: facts.self_referral.map(|facts| check_self_referral(&facts, rules)),
        clicks: facts.clicks.map(|facts| check_click_fraud(&facts, rules)),
        commission: facts.commission.map(|(history, accounts)| check_commission_abuse(&history, &accounts, rules)),
        accounts: facts.accounts.map(|facts| check_multiple_accounts(&facts, rules)),
        fired: Rules::default(),
        score: Score::of(Rules::default(), &rules.points),
    };
    assessment.sum(rules);
    assessment
}
