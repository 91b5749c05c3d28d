//! What became of a question: yes, no, yes but silenced by a guard, or not to be answered.

use serde::{Deserialize, Serialize};

use super::rule::{Question, Rule, Rules};

/// One question, answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub question: Question,
    pub answer: Answer,
}

/// Without an input there is no answer: silence is not innocence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    No,
    Yes(Evidence),
    /// It would be yes, but something honest explains it as well: no points, and told.
    Silenced(Evidence, Guard),
    Unknown(Missing),
}

/// What was seen, and from where on it counts: amounts, or milliseconds where the question is of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    pub observed: u64,
    pub threshold: u64,
    /// Milliseconds in which it was seen; 0 where that does not matter.
    pub window: u64,
}

/// What explains a hit as well as fraud does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Guard {
    /// Many people come from this address.
    SharedIp,
    /// Many people use this device.
    CrowdedDevice,
    /// Who acted has an account, and it is not the member's: a household and an office have one address too.
    AnotherAccount,
    /// Who pays with it has each a device of their own: a family.
    OwnDevices,
    /// Others share a card or a device, who acted is not among them.
    Bystander,
    /// The device or the address is the member's own: a counter, a class.
    MemberDevice,
    /// So many pay with it that it is no person's: a school, a firm.
    ManyPayers,
    /// So much is usually sent back here.
    UsualRefunds,
    /// It was another order that was charged back, and one of several.
    OtherOrders,
}

impl Guard {
    pub(in crate::fold) const fn number(self) -> u8 {
        match self {
            Self::SharedIp => 0,
            Self::CrowdedDevice => 1,
            Self::AnotherAccount => 2,
            Self::OwnDevices => 3,
            Self::Bystander => 4,
            Self::MemberDevice => 5,
            Self::ManyPayers => 6,
            Self::UsualRefunds => 7,
            Self::OtherOrders => 8,
        }
    }

    pub(in crate::fold) const fn of_number(number: u8) -> Self {
        match number {
            0 => Self::SharedIp,
            2 => Self::AnotherAccount,
            3 => Self::OwnDevices,
            4 => Self::Bystander,
            5 => Self::MemberDevice,
            6 => Self::ManyPayers,
            7 => Self::UsualRefunds,
            8 => Self::OtherOrders,
            _ => Self::CrowdedDevice,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::SharedIp => "shared_ip",
            Self::CrowdedDevice => "crowded_device",
            Self::AnotherAccount => "another_account",
            Self::OwnDevices => "own_devices",
            Self::Bystander => "bystander",
            Self::MemberDevice => "member_device",
            Self::ManyPayers => "many_payers",
            Self::UsualRefunds => "usual_refunds",
            Self::OtherOrders => "other_orders",
        }
    }
}

/// What was not there to answer by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Missing {
    /// Of the one who clicked or bought.
    ActorIp,
    ActorDevice,
    ActorUser,
    ActorEmail,
    ActorPayment,
    /// The surrounding IPv6 /56.
    ActorNetwork,
    /// Of the member, from where it was signed in.
    MemberIps,
    MemberDevices,
    MemberUser,
    MemberEmail,
    MemberPayout,
    UserAgent,
    /// Too few clicks to compare.
    Clicks,
    /// There is no click that the conversion came by.
    Click,
    /// Nobody knows which customer it was.
    Customer,
    /// So much comes by this address that it tells nobody apart.
    ProxyIp,
    /// Commissions are payable at once.
    HoldDays,
    /// It came too late to be counted with others.
    Window,
    /// Nobody knows the member; only a question about what has not come meets that.
    Member,
}

impl Missing {
    const ALL: [Self; 19] = [
        Self::ActorIp,
        Self::ActorDevice,
        Self::ActorUser,
        Self::ActorEmail,
        Self::ActorPayment,
        Self::ActorNetwork,
        Self::MemberIps,
        Self::MemberDevices,
        Self::MemberUser,
        Self::MemberEmail,
        Self::MemberPayout,
        Self::UserAgent,
        Self::Clicks,
        Self::Click,
        Self::Customer,
        Self::ProxyIp,
        Self::HoldDays,
        Self::Window,
        Self::Member,
    ];

    pub(in crate::fold) fn number(self) -> u8 {
        let place = Self::ALL.iter().position(|missing| *missing == self);
        place.and_then(|place| u8::try_from(place).ok()).unwrap_or_default()
    }

    pub(in crate::fold) fn of_number(number: u8) -> Self {
        Self::ALL.get(usize::from(number)).copied().unwrap_or(Self::Click)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::ActorIp => "actor_ip",
            Self::ActorDevice => "actor_device",
            Self::ActorUser => "actor_user",
            Self::ActorEmail => "actor_email",
            Self::ActorPayment => "actor_payment",
            Self::ActorNetwork => "actor_network",
            Self::MemberIps => "member_ips",
            Self::MemberDevices => "member_devices",
            Self::MemberUser => "member_user",
            Self::MemberEmail => "member_email",
            Self::MemberPayout => "member_payout",
            Self::UserAgent => "user_agent",
            Self::Clicks => "clicks",
            Self::Click => "click",
            Self::Customer => "customer",
            Self::ProxyIp => "proxy_ip",
            Self::HoldDays => "hold_days",
            Self::Window => "window",
            Self::Member => "member",
        }
    }
}

impl Finding {
    pub(super) const fn new(question: Question, answer: Answer) -> Self {
        Self { question, answer }
    }

    /// The rule that fires by it.
    pub const fn fired(&self) -> Option<Rule> {
        match self.answer {
            Answer::Yes(_) => Some(self.question.rule()),
            Answer::No | Answer::Silenced(..) | Answer::Unknown(_) => None,
        }
    }
}

/// The rules that fire by some findings.
pub fn fired<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Rules {
    findings.into_iter().filter_map(Finding::fired).collect()
}

/// Yes, if so; else no.
pub(super) const fn yes_if(is_so: bool, observed: u64, threshold: u64, window: u64) -> Answer {
    if is_so { Answer::Yes(Evidence { observed, threshold, window }) } else { Answer::No }
}

/// Yes, if what was observed reaches the threshold.
pub(super) const fn at_least(observed: u64, threshold: u64, window: u64) -> Answer {
    yes_if(observed >= threshold, observed, threshold, window)
}

/// Silenced, if the guard holds.
pub(super) const fn unless(answer: Answer, holds: bool, guard: Guard) -> Answer {
    match answer {
        Answer::Yes(evidence) if holds => Answer::Silenced(evidence, guard),
        Answer::Yes(_) | Answer::No | Answer::Silenced(..) | Answer::Unknown(_) => answer,
    }
}
