//! From the rules that fired to a score, a band and a verdict.

use serde::{Deserialize, Serialize};

use super::rule::{Rule, Rules};

/// What each rule counts. Sources of the figures: the programme's own contract, `seed-v1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Points {
    #[serde(rename = "self.same_ip")]
    pub same_ip: u32,
    #[serde(rename = "self.same_device")]
    pub same_device: u32,
    #[serde(rename = "self.same_user")]
    pub same_user: u32,
    #[serde(rename = "click.bot")]
    pub bot: u32,
    #[serde(rename = "click.velocity")]
    pub velocity: u32,
    #[serde(rename = "click.timing")]
    pub timing: u32,
    #[serde(rename = "abuse.chargeback")]
    pub chargeback: u32,
    #[serde(rename = "abuse.refund")]
    pub refund: u32,
    #[serde(rename = "abuse.multi_account")]
    pub multi_account: u32,
}

impl Points {
    pub const SEED: Self = Self {
        same_ip: 40,
        same_device: 50,
        same_user: 60,
        bot: 30,
        velocity: 25,
        timing: 20,
        chargeback: 70,
        refund: 50,
        multi_account: 45,
    };

    pub const fn of(&self, rule: Rule) -> u32 {
        match rule {
            Rule::SameIp => self.same_ip,
            Rule::SameDevice => self.same_device,
            Rule::SameUser => self.same_user,
            Rule::Bot => self.bot,
            Rule::Velocity => self.velocity,
            Rule::Timing => self.timing,
            Rule::Chargeback => self.chargeback,
            Rule::Refund => self.refund,
            Rule::MultiAccount => self.multi_account,
        }
    }

    /// Without the limit of [`SCORE_MAX`].
    pub fn raw(&self, fired: Rules) -> u32 {
        fired.iter().map(|rule| self.of(rule)).fold(0, u32::saturating_add)
    }
}

pub const SCORE_MAX: u32 = 100;

/// How bad it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Band {
    /// 0 to 30.
    Low,
    /// 31 to 70.
    Medium,
    /// 71 to 100.
    High,
}

impl Band {
    pub const fn of(score: u32) -> Self {
        match score {
            0..=30 => Self::Low,
            31..=70 => Self::Medium,
            _ => Self::High,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// What follows from it where nobody has said otherwise.
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Low => Verdict::Approve,
            Self::Medium => Verdict::Review,
            Self::High => Verdict::Block,
        }
    }
}

/// What is to be done with what was scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Verdict {
    Approve,
    /// Held until a person has looked.
    Review,
    Block,
}

impl Verdict {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Review => "review",
            Self::Block => "block",
        }
    }
}

/// The sum of the points of the set of fired rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    pub raw: u32,
    /// At most [`SCORE_MAX`].
    pub score: u32,
    pub band: Band,
}

impl Score {
    pub fn of(fired: Rules, points: &Points) -> Self {
        let raw = points.raw(fired);
        let score = raw.min(SCORE_MAX);
        Self { raw, score, band: Band::of(score) }
    }

    pub const fn verdict(&self) -> Verdict {
        self.band.verdict()
    }
}
