//! What the rules of fraud answer, and what the answers come to.

mod bursts;
mod caps;
pub(crate) mod crooked;
mod guards;
mod hostile;
mod limits;
mod made;
mod own;
mod preview;
mod replay;
mod report;
mod shadow;
pub(crate) mod spice;
mod stream;
mod table;
mod taken_back;
mod tale;
mod windows;

use tributary::fold::fraud::{
    Accounts, Agent, Answer, Assessment, Clicks, Compared, CustomerHistory, Facts, Finding, Gaps, History, Missing,
    Own, Question, Rate, Rule, RuleSet, SelfReferral, Share, Winning, perform_fraud_check, span,
};

/// Of somebody honest, about whom all is known.
fn honest() -> Facts {
    let few = Rate::Clicks { in_minute: 1, in_hour: 1, devices: 0 };
    let gaps = Gaps::of((0..20).map(|n| 1_000 * (1 + n * n)));
    let winning = Winning::Click { before: span::HOUR, is_purchase: true, has_rival: false, behind: None };
    let accounts = Accounts {
        members: 1,
        with_payment: 1,
        with_device: 1,
        with_own_payment: 1,
        with_own_device: 1,
        ..Accounts::default()
    };
    let history = History {
        customer: Some(CustomerHistory::default()),
        chargebacks: Share { some: 0, all: 100 },
        refunds: Share { some: 1, all: 100 },
        creator_refunds: Share { some: 10, all: 1_000 },
        early_refunds: Some(0),
    };
    let (user, email, payout) = (Compared::Different, Compared::Different, Compared::Different);
    Facts {
        self_referral: Some(SelfReferral { user, email, payout, device: Own::Never, ip: Own::Never }),
        clicks: Some(Clicks { agent: Agent::Human, ip: few, network: few, device: few, gaps: Some(gaps), winning }),
        commission: Some((history, accounts)),
        accounts: Some(accounts),
    }
}

fn own(facts: &mut Facts) -> &mut SelfReferral {
    facts.self_referral.as_mut().unwrap()
}

fn clicks(facts: &mut Facts) -> &mut Clicks {
    facts.clicks.as_mut().unwrap()
}

fn history(facts: &mut Facts) -> &mut History {
    &mut facts.commission.as_mut().unwrap().0
}

/// As both functions are told that ask for them.
fn set_accounts(facts: &mut Facts, accounts: Accounts) {
    facts.commission.as_mut().unwrap().1 = accounts;
    facts.accounts = Some(accounts);
}

fn accounts(facts: &Facts) -> Accounts {
    facts.accounts.unwrap()
}

/// Seen yesterday, by nobody else.
const SEEN: Own = Own::Seen { age: span::DAY, is_shared: false, is_proxy: false };

/// Nobody knows with which account it was done.
fn forget_account(facts: &mut Facts) {
    let own = own(facts);
    own.user = Compared::Missing(Missing::ActorUser);
    own.email = Compared::Missing(Missing::ActorEmail);
}

/// What it takes for one rule to fire, and no other.
fn make_fire(facts: &mut Facts, rule: Rule) {
    match rule {
        Rule::SameIp => {
            own(facts).ip = SEEN;
            forget_account(facts);
        }
        Rule::SameDevice => {
            own(facts).device = SEEN;
            forget_account(facts);
        }
        Rule::SameUser => own(facts).user = Compared::Same,
        Rule::Bot => clicks(facts).agent = Agent::Bot,
        Rule::Velocity => clicks(facts).device = Rate::Clicks { in_minute: 11, in_hour: 11, devices: 0 },
        Rule::Timing => clicks(facts).gaps = Some(Gaps::of([60_000; 20])),
        Rule::Chargeback => history(facts).customer.as_mut().unwrap().chargebacks = 1,
        Rule::Refund => history(facts).refunds = Share { some: 8, all: 20 },
        Rule::MultiAccount => {
            let more = Accounts { members: 2, ..accounts(facts) };
            set_accounts(facts, more);
        }
    }
}

fn assess(facts: &Facts, rules: &RuleSet) -> Assessment {
    perform_fraud_check(facts, rules)
}

/// The answer to a question; both, if two functions ask it, are one.
fn answer(assessment: &Assessment, question: Question) -> Answer {
    let of = |finding: &&Finding| finding.question == question;
    let answers: Vec<Answer> = assessment.findings().filter(of).map(|finding| finding.answer).collect();
    assert!(answers.windows(2).all(|two| two[0] == two[1]), "{answers:?}");
    answers[0]
}
