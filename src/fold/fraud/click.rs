//! Whether clicks are a machine's, or made to win a sale that another member brought.

use super::finding::{Answer, Finding, Guard, Missing, unless, yes_if};
use super::rule::Question;
use super::rule_set::{Limits, RuleSet, span};
use super::timing::Gaps;

/// What is known of a click, and of the conversion it brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clicks {
    pub agent: Agent,
    pub ip: Rate,
    /// The surrounding IPv6 /56.
    pub network: Rate,
    pub device: Rate,
    /// The last [`Gaps::COUNT`] between the member's clicks by this actor.
    pub gaps: Option<Gaps>,
    /// Of a conversion: the click it was credited to.
    pub winning: Winning,
}

/// What the traffic says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agent {
    /// Nobody passed it on.
    Missing,
    Human,
    /// A machine that looks at links on behalf of people: it does not count, and is not held against the member.
    Innocent,
    Bot,
}

/// Clicks of one member by one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    Missing(Missing),
    Clicks {
        in_minute: u32,
        in_hour: u32,
        /// Devices seen with the address within an hour, if it is shared; else 0.
        devices: u32,
    },
}

/// The click by which a conversion was won.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Winning {
    /// It is a click that is scored, and no conversion.
    NoConversion,
    /// None, or it came by a code.
    NoClick,
    Click {
        /// Milliseconds from the click to the conversion.
        before: u64,
        is_purchase: bool,
        /// Another member's click stood in the attribution window.
        has_rival: bool,
        /// Milliseconds since another member's click by the same actor, if there was one.
        behind: Option<u64>,
    },
}

/// On a shared address so many times the clicks, at most.
pub const DEVICES_MAX: u32 = 20;

/// `click.bot` (30): the traffic says so; `click.velocity` (25): strictly more clicks than a person makes; `click.timing`
/// (20): gaps that are all alike, conversions sooner than a person takes, clicks that come just in time to win.
pub fn check_click_fraud(facts: &Clicks, rules: &RuleSet) -> [Finding; 9] {
    let limits = &rules.limits;
    let [hasty, late, behind] = won(facts.winning, limits);
    [
        Finding::new(Question::DeclaredBot, bot(facts.agent)),
        Finding::new(Question::ClicksOfIpInMinute, in_minute(facts.ip, limits.clicks_ip_minute, rules)),
        Finding::new(Question::ClicksOfIpInHour, in_hour(facts.ip, limits.clicks_ip_hour, rules)),
        Finding::new(Question::ClicksOfDeviceInMinute, in_minute(facts.device, limits.clicks_device_minute, rules)),
        Finding::new(Question::ClicksOfNetworkInMinute, in_minute(facts.network, limits.clicks_network_minute, rules)),
        Finding::new(Question::RegularGaps, regular(facts.gaps, rules)),
        Finding::new(Question::HastyConversion, hasty),
        Finding::new(Question::LateClick, late),
        Finding::new(Question::ClickBehindAnother, behind),
    ]
}

const fn bot(agent: Agent) -> Answer {
    match agent {
        Agent::Missing => Answer::Unknown(Missing::UserAgent),
        Agent::Human | Agent::Innocent => Answer::No,
        Agent::Bot => yes_if(true, 1, 1, 0),
    }
}

fn in_minute(rate: Rate, limit: u32, rules: &RuleSet) -> Answer {
    match rate {
        Rate::Missing(missing) => Answer::Unknown(missing),
        Rate::Clicks { in_minute, devices, .. } => many(in_minute, limit, (devices, span::MINUTE), rules),
    }
}

fn in_hour(rate: Rate, limit: u32, rules: &RuleSet) -> Answer {
    match rate {
        Rate::Missing(missing) => Answer::Unknown(missing),
        Rate::Clicks { in_hour, devices, .. } => many(in_hour, limit, (devices, span::HOUR), rules),
    }
}

/// On an address of many people as many times the clicks as there are devices: what is still below that is silenced.
fn many(clicks: u32, limit: u32, (devices, window): (u32, u64), rules: &RuleSet) -> Answer {
    let (clicks, limit) = (u64::from(clicks), u64::from(limit));
    let raised = limit * u64::from(devices.clamp(1, DEVICES_MAX));
    if rules.guards.shared_ip && clicks > raised {
        return yes_if(true, clicks, raised, window);
    }
    unless(yes_if(clicks > limit, clicks, limit, window), rules.guards.shared_ip && devices > 1, Guard::SharedIp)
}

fn regular(gaps: Option<Gaps>, rules: &RuleSet) -> Answer {
    let limits = &rules.limits;
    let Some(gaps) = gaps.filter(|gaps| gaps.count == Gaps::COUNT) else { return Answer::Unknown(Missing::Clicks) };
    if !(limits.gaps_mean_min..=limits.gaps_mean_max).contains(&gaps.mean()) {
        return Answer::No;
    }
    let (observed, threshold) = (gaps.variation(), u64::from(limits.gaps_variation));
    yes_if(observed < threshold, observed, threshold, gaps.sum)
}

/// What a conversion's click tells: that it came too soon after it, that the click came late, and behind another's.
fn won(winning: Winning, limits: &Limits) -> [Answer; 3] {
    let (before, is_purchase, has_rival, behind) = match winning {
        Winning::NoConversion => return [Answer::No; 3],
        Winning::NoClick => return [Answer::Unknown(Missing::Click); 3],
        Winning::Click { before, is_purchase, has_rival, behind } => (before, is_purchase, has_rival, behind),
    };
    let soonest = if is_purchase { limits.hasty_purchase } else { limits.hasty_signup };
    let (late, close) = (limits.late_click, limits.click_behind);
    [
        yes_if(before < soonest, before, soonest, 0),
        yes_if(has_rival && before <= late, before, late, 0),
        behind.map_or(Answer::No, |behind| yes_if(behind <= close, behind, close, 0)),
    ]
}
