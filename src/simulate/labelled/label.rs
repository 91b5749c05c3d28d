//! What is known of an event because we know who made it, and why.

use serde::Serialize;

use super::Strength;
use crate::event::ReviewSubject;
use crate::simulate::record::Name;

/// The honest, by how they live and what of that looks odd from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cohort {
    Ordinary,
    Household,
    FamilyCard,
    Office,
    CarrierNat,
    Commuter,
    VpnUser,
    SharedTablet,
    Newsletter,
    Reseller,
    RefundHeavy,
    FastBuyer,
}

/// The dishonest, by their scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    SelfPlain,
    SelfVpn,
    SelfSecondDevice,
    ClickFarm,
    BotFixed,
    BotJittered,
    BotPoisson,
    CookieStuffing,
    BuyAndReturn,
    StolenCards,
    AccountRing,
    LowAndSlow,
}

/// On whose behalf something was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    Honest(Cohort),
    Fraud(Family),
}

/// The truth about one click, conversion or commission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    pub subject: ReviewSubject,
    pub group: Group,
    /// Tells one agent's deeds from another's; the same in every run of a seed.
    pub agent: u64,
    /// How careful the cheat is through whose link it came, his own deed or that of an honest visitor; `None`: no cheat's.
    pub cheat: Option<Strength>,
    pub(super) subject_id: Name,
    pub(super) creator_id: Name,
}

/// A label as a line of NDJSON.
#[derive(Serialize)]
struct Line<'a> {
    subject_type: &'static str,
    subject_id: &'a str,
    creator_id: &'a str,
    label: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    family: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cohort: Option<&'static str>,
    agent: String,
}

impl Label {
    /// The id of the click, conversion or commission.
    pub fn subject_id(&self) -> &str {
        self.subject_id.as_str()
    }

    pub fn creator_id(&self) -> &str {
        self.creator_id.as_str()
    }

    pub const fn is_fraud(&self) -> bool {
        self.group.is_fraud()
    }

    /// Appends the label as one line of JSON, with its end.
    pub fn to_json(&self, out: &mut Vec<u8>) {
        let line = Line {
            subject_type: self.subject.symbol(),
            subject_id: self.subject_id(),
            creator_id: self.creator_id(),
            label: if self.is_fraud() { "fraud" } else { "not_fraud" },
            family: self.is_fraud().then(|| self.group.name()),
            cohort: (!self.is_fraud()).then(|| self.group.name()),
            agent: format!("{:016x}", self.agent),
        };
        serde_json::to_writer(&mut *out, &line).expect("texts are written to memory");
        out.push(b'\n');
    }
}

impl Group {
    pub const fn is_fraud(self) -> bool {
        match self {
            Self::Honest(_) => false,
            Self::Fraud(_) => true,
        }
    }

    /// The name of the cohort or family.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Honest(cohort) => cohort.name(),
            Self::Fraud(family) => family.name(),
        }
    }
}

impl Cohort {
    pub const ALL: [Self; 12] = [
        Self::Ordinary,
        Self::Household,
        Self::FamilyCard,
        Self::Office,
        Self::CarrierNat,
        Self::Commuter,
        Self::VpnUser,
        Self::SharedTablet,
        Self::Newsletter,
        Self::Reseller,
        Self::RefundHeavy,
        Self::FastBuyer,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Household => "household",
            Self::FamilyCard => "family_card",
            Self::Office => "office",
            Self::CarrierNat => "carrier_nat",
            Self::Commuter => "commuter",
            Self::VpnUser => "vpn_user",
            Self::SharedTablet => "shared_tablet",
            Self::Newsletter => "newsletter",
            Self::Reseller => "reseller",
            Self::RefundHeavy => "refund_heavy",
            Self::FastBuyer => "fast_buyer",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cohort| cohort.name() == name)
    }
}

impl Family {
    pub const ALL: [Self; 12] = [
        Self::SelfPlain,
        Self::SelfVpn,
        Self::SelfSecondDevice,
        Self::ClickFarm,
        Self::BotFixed,
        Self::BotJittered,
        Self::BotPoisson,
        Self::CookieStuffing,
        Self::BuyAndReturn,
        Self::StolenCards,
        Self::AccountRing,
        Self::LowAndSlow,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::SelfPlain => "self_plain",
            Self::SelfVpn => "self_vpn",
            Self::SelfSecondDevice => "self_second_device",
            Self::ClickFarm => "click_farm",
            Self::BotFixed => "bot_fixed",
            Self::BotJittered => "bot_jittered",
            Self::BotPoisson => "bot_poisson",
            Self::CookieStuffing => "cookie_stuffing",
            Self::BuyAndReturn => "buy_and_return",
            Self::StolenCards => "stolen_cards",
            Self::AccountRing => "account_ring",
            Self::LowAndSlow => "low_and_slow",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }
}
