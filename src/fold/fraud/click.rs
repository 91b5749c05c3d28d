//! Whether clicks are a machine's, or made to win a sale that another member brought.

use super::finding::{Answer, Evidence, Finding, Guard, Missing, above, unless};
use super::rule::Question;
use super::rule_set::{RuleSet, span};
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
const DEVICES_MAX: u32 = 20;

/// `click.bot` (30): the traffic says so; `click.velocity` (25): strictly more clicks than a person makes; `click.timing`
/// (20): gaps that are all alike, conversions sooner than a person takes, clicks that come just in time to win.
pub fn check_click_fraud(facts: &Clicks, rules: &RuleSet) -> [Finding; 9] {
    let limits = &rules.limits;
    let (purchase, signup) = (limits.hasty_purchase, limits.hasty_signup);
    let hasty = |before, is_purchase| below(before, if is_purchase { purchase } else { signup });
    [
        Finding::new(Question::DeclaredBot, bot(facts.agent)),
        Finding::new(Question::ClicksOfIpInMinute, in_minute(facts.ip, limits.clicks_ip_minute, rules)),
        Finding::new(Question::ClicksOfIpInHour, in_hour(facts.ip, limits.clicks_ip_hour, rules)),
        Finding::new(Question::ClicksOfDeviceInMinute, in_minute(facts.device, limits.clicks_device_minute, rules)),
        Finding::new(Question::ClicksOfNetworkInMinute, in_minute(facts.network, limits.clicks_network_minute, rules)),
        Finding::new(Question::RegularGaps, regular(facts.gaps, rules)),
        Finding::new(
            Question::HastyConversion,
            won(facts.winning, |before, is_purchase, _, _| hasty(before, is_purchase)),
        ),
        Finding::new(
            Question::LateClick,
            won(
                facts.winning,
                |before, _, has_rival, _| {
                    if has_rival { within(before, limits.late_click) } else { Answer::No }
                },
            ),
        ),
        Finding::new(
            Question::ClickBehindAnother,
            won(facts.winning, |_, _, _, behind| {
                behind.map_or(Answer::No, |behind| within(behind, limits.click_behind))
            }),
        ),
    ]
}

const fn bot(agent: Agent) -> Answer {
    match agent {
        Agent::Missing => Answer::Unknown(Missing::UserAgent),
        Agent::Human => Answer::No,
        Agent::Bot => Answer::Yes(Evidence { observed: 1, threshold: 1, window: 0 }),
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
    let clicks = u64::from(clicks);
    let answer = above(clicks, limit.into(), window);
    let raised = u64::from(limit) * u64::from(devices.clamp(1, DEVICES_MAX));
    if rules.guards.shared_ip && clicks > raised {
        return above(clicks, raised, window);
    }
    unless(answer, rules.guards.shared_ip && devices > 1, Guard::SharedIp)
}

fn regular(gaps: Option<Gaps>, rules: &RuleSet) -> Answer {
    let limits = &rules.limits;
    let Some(gaps) = gaps.filter(|gaps| gaps.count == Gaps::COUNT) else { return Answer::Unknown(Missing::Clicks) };
    if !(limits.gaps_mean_min..=limits.gaps_mean_max).contains(&gaps.mean()) {
        return Answer::No;
    }
    let (observed, threshold) = (gaps.variation(), u64::from(limits.gaps_variation));
    let evidence = Evidence { observed, threshold, window: gaps.sum };
    if observed < threshold { Answer::Yes(evidence) } else { Answer::No }
}

fn won(winning: Winning, answer: impl Fn(u64, bool, bool, Option<u64>) -> Answer) -> Answer {
    match winning {
        Winning::NoConversion => Answer::No,
        Winning::NoClick => Answer::Unknown(Missing::Click),
        Winning::Click { before, is_purchase, has_rival, behind } => answer(before, is_purchase, has_rival, behind),
    }
}

/// Yes, if it took less.
const fn below(observed: u64, threshold: u64) -> Answer {
    let evidence = Evidence { observed, threshold, window: 0 };
    if observed < threshold { Answer::Yes(evidence) } else { Answer::No }
}

/// Yes, if it took no more.
const fn within(observed: u64, threshold: u64) -> Answer {
    let evidence = Evidence { observed, threshold, window: 0 };
    if observed <= threshold { Answer::Yes(evidence) } else { Answer::No }
}
