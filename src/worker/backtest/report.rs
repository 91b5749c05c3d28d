//! What a back-test comes to, in an order that does not depend on how it was found.

use serde::{Deserialize, Serialize};

use super::Asked;
use super::compared::{Balances, Found, OfMember};
use super::moved::MovedKey;
use crate::fold::fraud::{Rule, RuleSetName, Subject, Verdict};

/// All amounts are minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub candidate: Candidate,
    /// Subjects from then on, and before then, by their own time: milliseconds since 1970; null: all.
    pub from: Option<i64>,
    pub to: Option<i64>,
    pub creator: Option<String>,
    pub replayed: Vec<Replayed>,
    /// Events that both folded.
    pub events: u64,
    pub compared: Subjects,
    pub changed: Subjects,
    /// Each pair of newest verdicts that there is, alike ones too.
    pub verdicts: Vec<Verdicts>,
    pub rules: Vec<Fired>,
    pub money: Vec<Money>,
    pub members: Members,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    pub id: String,
    pub version: String,
    pub hash: String,
}

/// Positions of a partition's log: from, and before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replayed {
    pub partition: u32,
    pub from: u64,
    pub to: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Subjects {
    pub clicks: u64,
    pub conversions: u64,
    pub commissions: u64,
}

impl Subjects {
    pub const fn sum(&self) -> u64 {
        self.clicks + self.conversions + self.commissions
    }

    const fn of(&mut self, subject: Subject) -> &mut u64 {
        match subject {
            Subject::Click => &mut self.clicks,
            Subject::Conversion => &mut self.conversions,
            Subject::Commission => &mut self.commissions,
        }
    }
}

/// How many subjects have this verdict today, and that one under the candidate: approve, review, block; none where
/// one of the two decided nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdicts {
    pub subject: String,
    pub today: String,
    pub candidate: String,
    pub subjects: u64,
}

/// Subjects for which a rule fires, by their newest decisions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fired {
    pub rule_id: String,
    pub today: u64,
    pub candidate: u64,
}

/// What would stand elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    pub currency: String,
    pub commissions: Vec<Changed>,
    /// Held, approved, and carried for what was paid: how much more the candidate would have booked.
    pub commission_held: i64,
    pub commission_approved: i64,
    pub commission_carry: i64,
    /// Of orders.
    pub revenue_newly_blocked: Amount,
    pub revenue_no_longer_blocked: Amount,
    pub revenue_blocked: i64,
}

/// Commissions that would stand elsewhere: held, approved, paid, reversed, blocked, owed_back (paid, and blocked since).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    pub from: String,
    pub to: String,
    #[serde(flatten)]
    pub amount: Amount,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Amount {
    pub count: u64,
    pub amount: i64,
}

/// The members of whose subjects the two say different things, or whose money would stand elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    pub affected: u64,
    /// The first of them by money moved, then by decisions changed.
    pub first: Vec<Member>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub creator_id: String,
    pub member_id: String,
    pub changed: Subjects,
    pub money: Vec<MoneyOfMember>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoneyOfMember {
    pub currency: String,
    pub commission_held: i64,
    pub commission_approved: i64,
    pub commission_carry: i64,
    /// Of orders that it is credited with, of several members as the primary one.
    pub revenue_blocked: i64,
}

impl Found {
    /// What was found in all partitions.
    pub fn report(self, asked: &Asked) -> Report {
        let name = RuleSetName::new(&asked.rules.id, &asked.rules.version);
        let (mut compared, mut changed) = (Subjects::default(), Subjects::default());
        for ((subject, today, candidate), count) in &self.verdicts {
            *compared.of(*subject) += count_of(*count);
            if today != candidate {
                *changed.of(*subject) += count_of(*count);
            }
        }
        Report {
            candidate: Candidate {
                id: asked.rules.id.clone(),
                version: asked.rules.version.clone(),
                hash: name.hash.as_str().to_owned(),
            },
            from: asked.from.map(|at| at.0),
            to: asked.to.map(|at| at.0),
            creator: asked.creator.clone(),
            events: self.events,
            compared,
            changed,
            verdicts: self.matrix(),
            rules: self.rules(),
            money: self.moved(),
            members: self.affected(asked.top),
            replayed: self.replayed,
        }
    }

    fn matrix(&self) -> Vec<Verdicts> {
        let mut pairs: Vec<_> = self.verdicts.iter().filter(|(_, count)| **count != 0).collect();
        pairs.sort_unstable_by_key(|(pair, _)| **pair);
        let word = |verdict: Option<Verdict>| verdict.map_or("none", Verdict::name).to_owned();
        let line = |((subject, today, candidate), count): (&(Subject, _, _), &i64)| Verdicts {
            subject: subject.name().to_owned(),
            today: word(*today),
            candidate: word(*candidate),
            subjects: count_of(*count),
        };
        pairs.into_iter().map(line).collect()
    }

    fn rules(&self) -> Vec<Fired> {
        let fired = |rule: Rule| {
            let [today, candidate] = self.fired.get(&rule).copied().unwrap_or_default();
            Fired { rule_id: rule.id().to_owned(), today: count_of(today), candidate: count_of(candidate) }
        };
        Rule::ALL.into_iter().map(fired).filter(|fired| fired.today + fired.candidate > 0).collect()
    }

    fn moved(&self) -> Vec<Money> {
        let mut currencies: Vec<_> = self.money.iter().collect();
        currencies.sort_unstable_by_key(|(currency, _)| **currency);
        let mut all = Vec::new();
        for (currency, moved) in currencies {
            let Balances { held, approved, carry, revenue_blocked } =
                self.balances.get(currency).copied().unwrap_or_default();
            let mut money = Money {
                currency: currency.as_str().to_owned(),
                commissions: Vec::new(),
                commission_held: amount_of(held),
                commission_approved: amount_of(approved),
                commission_carry: amount_of(carry),
                revenue_newly_blocked: Amount::default(),
                revenue_no_longer_blocked: Amount::default(),
                revenue_blocked: amount_of(revenue_blocked),
            };
            for (key, (count, amount)) in moved.iter().filter(|(_, (count, _))| *count != 0) {
                let amount = Amount { count: count_of(*count), amount: amount_of(*amount) };
                match *key {
                    MovedKey::Order { is_blocked: true } => money.revenue_newly_blocked = amount,
                    MovedKey::Order { is_blocked: false } => money.revenue_no_longer_blocked = amount,
                    MovedKey::Commission { from, to } => {
                        money.commissions.push(Changed { from: from.to_owned(), to: to.to_owned(), amount });
                    }
                }
            }
            money.commissions.sort_unstable_by(|a, b| (&a.from, &a.to).cmp(&(&b.from, &b.to)));
            if moved.values().any(|(count, _)| *count != 0) {
                all.push(money);
            }
        }
        all
    }

    fn affected(&self, top: usize) -> Members {
        let mut members: Vec<_> = self.members.iter().collect();
        let weight = |member: &OfMember| {
            let moved = |money: &Balances| {
                let parts = [money.held, money.approved, money.carry, money.revenue_blocked];
                parts.into_iter().map(i128::unsigned_abs).sum::<u128>()
            };
            (member.money.values().map(moved).sum::<u128>(), member.changed.iter().sum::<i64>())
        };
        members.sort_unstable_by(|(a_id, a), (b_id, b)| {
            let by_id = (a_id.0.as_str(), a_id.1.as_str()).cmp(&(b_id.0.as_str(), b_id.1.as_str()));
            weight(b).cmp(&weight(a)).then(by_id)
        });
        let affected = u64::try_from(members.len()).unwrap_or(u64::MAX);
        let first =
            members.into_iter().take(top).map(|((creator, member), of)| of.told(creator.as_str(), member.as_str()));
        Members { affected, first: first.collect() }
    }
}

impl OfMember {
    fn told(&self, creator: &str, member: &str) -> Member {
        let [clicks, conversions, commissions] = self.changed.map(count_of);
        let mut money: Vec<_> = self.money.iter().collect();
        money.sort_unstable_by_key(|(currency, _)| **currency);
        let told = money.into_iter().map(|(currency, money)| MoneyOfMember {
            currency: currency.as_str().to_owned(),
            commission_held: amount_of(money.held),
            commission_approved: amount_of(money.approved),
            commission_carry: amount_of(money.carry),
            revenue_blocked: amount_of(money.revenue_blocked),
        });
        Member {
            creator_id: creator.to_owned(),
            member_id: member.to_owned(),
            changed: Subjects { clicks, conversions, commissions },
            money: told.collect(),
        }
    }
}

/// What was added and taken away again is never below zero.
fn count_of(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

/// As near as 64 bits come.
fn amount_of(amount: i128) -> i64 {
    i64::try_from(amount).unwrap_or(if amount < 0 { i64::MIN } else { i64::MAX })
}
