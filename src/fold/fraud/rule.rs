//! The nine rules, the questions each of them asks, and sets of them.

use serde::{Deserialize, Serialize};

/// A rule: its points count once, whichever of its questions is answered with yes, and however many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    SameIp,
    SameDevice,
    SameUser,
    Bot,
    Velocity,
    Timing,
    Chargeback,
    Refund,
    MultiAccount,
}

impl Rule {
    /// In the order in which they are reported.
    pub const ALL: [Self; 9] = [
        Self::SameIp,
        Self::SameDevice,
        Self::SameUser,
        Self::Bot,
        Self::Velocity,
        Self::Timing,
        Self::Chargeback,
        Self::Refund,
        Self::MultiAccount,
    ];

    /// As it stands in decisions and rule sets.
    pub const fn id(self) -> &'static str {
        match self {
            Self::SameIp => "self.same_ip",
            Self::SameDevice => "self.same_device",
            Self::SameUser => "self.same_user",
            Self::Bot => "click.bot",
            Self::Velocity => "click.velocity",
            Self::Timing => "click.timing",
            Self::Chargeback => "abuse.chargeback",
            Self::Refund => "abuse.refund",
            Self::MultiAccount => "abuse.multi_account",
        }
    }

    pub fn of_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.id() == id)
    }

    const fn bit(self) -> u16 {
        match self {
            Self::SameIp => 1,
            Self::SameDevice => 1 << 1,
            Self::SameUser => 1 << 2,
            Self::Bot => 1 << 3,
            Self::Velocity => 1 << 4,
            Self::Timing => 1 << 5,
            Self::Chargeback => 1 << 6,
            Self::Refund => 1 << 7,
            Self::MultiAccount => 1 << 8,
        }
    }
}

/// A set of rules: one that is put in twice is in it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Rules(u16);

impl Rules {
    pub const fn with(self, rule: Rule) -> Self {
        Self(self.0 | rule.bit())
    }

    pub const fn has(self, rule: Rule) -> bool {
        self.0 & rule.bit() != 0
    }

    /// In the order of [`Rule::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Rule> {
        Rule::ALL.into_iter().filter(move |rule| self.has(*rule))
    }
}

impl FromIterator<Rule> for Rules {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        rules.into_iter().fold(Self::default(), Self::with)
    }
}

/// A question that a rule asks. One that is answered with yes is enough for the rule to fire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Question {
    /// The actor's address is one of the member's own.
    SameIp,
    /// The actor's device is one of the member's own.
    SameDevice,
    /// The actor's user id is the member's.
    SameUserId,
    /// The actor's e-mail token is the member's.
    SameEmail,
    /// The means of payment is the member's means of payout.
    SamePayout,
    /// The traffic says of itself that it is a machine's.
    DeclaredBot,
    /// Clicks of the member from one address in a minute.
    ClicksOfIpInMinute,
    /// The same in an hour.
    ClicksOfIpInHour,
    /// Clicks of the member from one device in a minute.
    ClicksOfDeviceInMinute,
    /// Clicks of the member from the surrounding IPv6 /56 in a minute.
    ClicksOfNetworkInMinute,
    /// Gaps between clicks that are all alike.
    RegularGaps,
    /// A conversion sooner after its click than a person takes.
    HastyConversion,
    /// The winning click came just before the conversion, while another member's click stood in the window.
    LateClick,
    /// The winning click came just after another member's click by the same actor.
    ClickBehindAnother,
    /// Chargebacks of the customer.
    CustomerChargebacks,
    /// Chargebacks among the member's conversions.
    MemberChargebacks,
    /// Refunds among the member's orders.
    MemberRefunds,
    /// Refunds soon after the member's commissions became payable.
    EarlyRefunds,
    /// Refunds of the customer.
    CustomerRefunds,
    /// Accounts in the member's identity cluster.
    ClusterAccounts,
    /// Customers of the member who share a means of payment.
    SharedPayment,
    /// Customers of the member who share a device.
    SharedDevice,
    /// Customers of the member whom one person or a machine made.
    MadeCustomers,
    /// Customers of the member who decided sooner than people do.
    RushedCustomers,
}

impl Question {
    /// In the order of their numbers in what the fold keeps: only ever appended to.
    pub const ALL: [Self; 24] = [
        Self::SameIp,
        Self::SameDevice,
        Self::SameUserId,
        Self::SameEmail,
        Self::SamePayout,
        Self::DeclaredBot,
        Self::ClicksOfIpInMinute,
        Self::ClicksOfIpInHour,
        Self::ClicksOfDeviceInMinute,
        Self::ClicksOfNetworkInMinute,
        Self::RegularGaps,
        Self::HastyConversion,
        Self::LateClick,
        Self::ClickBehindAnother,
        Self::CustomerChargebacks,
        Self::MemberChargebacks,
        Self::MemberRefunds,
        Self::EarlyRefunds,
        Self::CustomerRefunds,
        Self::ClusterAccounts,
        Self::SharedPayment,
        Self::SharedDevice,
        Self::MadeCustomers,
        Self::RushedCustomers,
    ];

    pub(in crate::fold) fn number(self) -> u32 {
        let place = Self::ALL.iter().position(|question| *question == self);
        place.and_then(|place| u32::try_from(place).ok()).unwrap_or_default()
    }

    /// As it stands in evidence.
    pub const fn code(self) -> &'static str {
        match self {
            Self::SameIp => "same_ip",
            Self::SameDevice => "same_device",
            Self::SameUserId => "same_user_id",
            Self::SameEmail => "same_email",
            Self::SamePayout => "same_payout",
            Self::DeclaredBot => "declared_bot",
            Self::ClicksOfIpInMinute => "clicks_ip_60s",
            Self::ClicksOfIpInHour => "clicks_ip_1h",
            Self::ClicksOfDeviceInMinute => "clicks_device_60s",
            Self::ClicksOfNetworkInMinute => "clicks_ip56_60s",
            Self::RegularGaps => "regular_gaps",
            Self::HastyConversion => "hasty_conversion",
            Self::LateClick => "late_click",
            Self::ClickBehindAnother => "click_behind_another",
            Self::CustomerChargebacks => "customer_chargebacks",
            Self::MemberChargebacks => "member_chargebacks",
            Self::MemberRefunds => "member_refunds",
            Self::EarlyRefunds => "early_refunds",
            Self::CustomerRefunds => "customer_refunds",
            Self::ClusterAccounts => "cluster_accounts",
            Self::SharedPayment => "shared_payment",
            Self::SharedDevice => "shared_device",
            Self::MadeCustomers => "made_customers",
            Self::RushedCustomers => "rushed_customers",
        }
    }

    pub const fn rule(self) -> Rule {
        match self {
            Self::SameIp => Rule::SameIp,
            Self::SameDevice => Rule::SameDevice,
            Self::SameUserId | Self::SameEmail | Self::SamePayout => Rule::SameUser,
            Self::DeclaredBot => Rule::Bot,
            Self::ClicksOfIpInMinute
            | Self::ClicksOfIpInHour
            | Self::ClicksOfDeviceInMinute
            | Self::ClicksOfNetworkInMinute => Rule::Velocity,
            Self::RegularGaps | Self::HastyConversion | Self::LateClick | Self::ClickBehindAnother => Rule::Timing,
            Self::CustomerChargebacks | Self::MemberChargebacks => Rule::Chargeback,
            Self::MemberRefunds | Self::EarlyRefunds | Self::CustomerRefunds => Rule::Refund,
            Self::ClusterAccounts
            | Self::SharedPayment
            | Self::SharedDevice
            | Self::MadeCustomers
            | Self::RushedCustomers => Rule::MultiAccount,
        }
    }
}
