//! A click is scored when it comes.

use bytemuck::Zeroable;

use super::assess::{of_click, split};
use super::frozen::{freeze, is_noted, unknown};
use super::rules::Scoring;
use super::verdict::{Concluded, number, of_review};
use crate::event::{BotKind, Click};
use crate::fold::Turn;
use crate::fold::evidence::{Counted, Keep, What, Whose, short};
use crate::fold::fraud::{
    Agent, Assessment, Cause, Clicks, DEVICES_MAX, DecidedBy, Limits, Missing, Question, Rate, Rule, RuleSet,
    SelfReferral, Subject, Winning, perform_fraud_check, span,
};
use crate::fold::reading::Reading;
use crate::fold::records::{Actor, Click as Record, ClickJudged, Judged, NO_ID};
use crate::fold::timers::Due;
use crate::fold::touches::Disposition;
use crate::fold::verdicts::review;
use crate::ids::Millis;
use crate::keep::Id128;

/// What a click's record keeps of how it was judged.
#[derive(Clone, Copy, Default)]
pub(in crate::fold) struct Noted {
    /// Bit i: question i was not answered.
    pub(in crate::fold) unknown: u16,
    /// 1: its answers are kept.
    pub(in crate::fold) judged: u8,
}

/// The click's windows; none where there is no token, or it came late.
#[derive(Clone, Copy, Default)]
pub(super) struct Windows {
    ip: Option<Counted>,
    device: Option<Counted>,
    network: Option<Counted>,
    is_shared: bool,
    /// So much comes by the address that it tells nobody apart.
    is_proxy: bool,
}

/// The click in hand, as every rule set sees it.
struct Clicked<'c> {
    click: &'c Click<'c>,
    n: u32,
    actor: Actor,
    disposition: Disposition,
    bot: Option<BotKind>,
}

impl Turn<'_> {
    pub(in crate::fold) fn judge_click(
        &mut self,
        click: &Click<'_>,
        (n, id): (u32, Id128),
        (disposition, bot): (Disposition, Option<BotKind>),
    ) -> Noted {
        let (rules, shadow) = (self.rules(), self.shadow());
        let ip = self.token(What::Ip, click.ip_token);
        let device = self.token(What::Device, click.device_token);
        let network = self.token(What::Network, click.ip56_token);
        let (windows, beside) = self.count_in_windows(n, (ip, device, network), (&rules, shadow.as_deref()));
        self.tag(ip, device);
        let actor = Actor { ip, device, ..Actor::NOBODY };
        let clicked = Clicked { click, n, actor, disposition, bot };
        let shadowed = shadow.map(|shadow| (self.score_click(&clicked, &beside, &shadow), shadow));
        let (noted, judged) = self.score_click(&clicked, &windows, &rules);
        if let Some(judged) = judged.filter(|_| noted.judged == 1) {
            self.keep_click(id, judged, self.t, &rules);
        }
        // What a shadow leaves unsaid it takes from what the live rules keep.
        if let Some(((of_shadow, judged), shadow)) = shadowed {
            let is_kept = of_shadow.judged == 1 || noted.judged == 1 || of_shadow.unknown != noted.unknown;
            match judged.filter(|_| is_kept) {
                Some(judged) => self.keep_click(id, judged, self.t, &shadow),
                None => self.drop_click(id, &shadow),
            }
        }
        noted
    }

    /// What a rule set says of a click, told unless it is part of a storm; and what may have to be kept.
    fn score_click(
        &mut self,
        clicked: &Clicked<'_>,
        windows: &Windows,
        rules: &Scoring,
    ) -> (Noted, Option<ClickJudged>) {
        let Clicked { click, n, actor, disposition, bot } = clicked;
        let facts = self.reading().facts_of_click(click, (*n, actor), windows, (&rules.set, *bot));
        let assessment = perform_fraud_check(&of_click(facts.0, facts.1), &rules.set);
        let noted =
            Noted { unknown: unknown(assessment.findings()), judged: u8::from(is_noted(assessment.findings())) };
        let texts = self.texts_of_click(*n, click.click_id.0, click.member_id.map(|member| member.0));
        let concluded = Concluded {
            subject: Subject::Click,
            assessment,
            verdict: assessment.score.verdict(),
            by: DecidedBy::Score,
            cause: Cause::Evidence,
            event_time: self.t,
            disposition: Some(*disposition),
            bot: *bot,
            matures_at: None,
            is_paid: false,
        };
        let judged = self.judged(&concluded, None, &texts, rules);
        if self.is_told(&assessment, windows, rules) {
            self.tell(&concluded, &judged, None, &texts, rules);
        }
        let may_be_kept = noted.judged == 1 || rules.shadow.is_some();
        (noted, may_be_kept.then(|| ClickJudged { frozen: freeze(assessment.findings()), judged }))
    }

    /// The click enters the windows of its tokens; what is late enters none. As the rules see them, and as a shadow does.
    fn count_in_windows(
        &mut self,
        n: u32,
        tokens: (Id128, Id128, Id128),
        (rules, shadow): (&Scoring, Option<&Scoring>),
    ) -> (Windows, Windows) {
        if self.is_late() {
            return (Windows::default(), Windows::default());
        }
        let (mut live, mut beside) = (Windows::default(), Windows::default());
        each_window(tokens, |token, device, keep| {
            let of_shadow = shadow.map(|shadow| (shadow.shadow.unwrap_or_default(), keep(&shadow.set.limits)));
            let counted = self.count_click(n, token, device, (keep(&rules.set.limits), of_shadow));
            live.keep(token.0, Some(counted.0));
            beside.keep(token.0, counted.1);
        });
        let reading = self.reading();
        let live = reading.with_shared(live, tokens.0, &rules.set.limits);
        (live, shadow.map_or(beside, |shadow| reading.with_shared(beside, tokens.0, &shadow.set.limits)))
    }

    /// A storm is told once a minute of event time and window; everything else is told.
    fn is_told(&mut self, assessment: &Assessment, windows: &Windows, rules: &Scoring) -> bool {
        let whose = if rules.shadow.is_some() { Whose::Shadow } else { Whose::Live };
        let (mut is_storm, mut is_first) = (false, false);
        for finding in assessment.findings().filter(|finding| finding.fired() == Some(Rule::Velocity)) {
            if let Some(window) = windows.of(finding.question) {
                is_storm = true;
                is_first |= self.is_first_of_minute(&window, whose);
            }
        }
        !is_storm || is_first || self.fold.rule_sets.is_trial()
    }
}

impl Windows {
    fn keep(&mut self, what: What, counted: Option<Counted>) {
        match what {
            What::Ip => self.ip = counted,
            What::Device => self.device = counted,
            What::Network => self.network = counted,
            What::Email | What::Payment | What::User | What::Place | What::Conversion => {}
        }
    }

    /// The one that a question of velocity is about.
    fn of(&self, question: Question) -> Option<Counted> {
        if question == Question::ClicksOfDeviceInMinute {
            self.device
        } else if question == Question::ClicksOfNetworkInMinute {
            self.network
        } else {
            self.ip
        }
    }
}

impl Reading<'_> {
    /// The windows as they would be with the click.
    pub(super) fn would_be_windows(&self, n: u32, tokens: (Id128, Id128, Id128), limits: &Limits) -> Windows {
        if self.is_late() {
            return Windows::default();
        }
        let mut windows = Windows::default();
        each_window(tokens, |token, device, keep| {
            windows.keep(token.0, Some(self.would_count(n, token, device, keep(limits))));
        });
        self.with_shared(windows, tokens.0, limits)
    }

    fn with_shared(&self, windows: Windows, ip: Id128, limits: &Limits) -> Windows {
        let is_asked = windows.ip.is_some_and(|counted| counted.len() > limits.clicks_ip_minute);
        Windows { is_shared: is_asked && self.is_shared_ip(ip, self.t), ..windows }
    }

    /// What is known of a click by itself: of who clicked, and of the click.
    pub(super) fn facts_of_click(
        &self,
        click: &Click<'_>,
        (n, actor): (u32, &Actor),
        windows: &Windows,
        (rules, bot): (&RuleSet, Option<BotKind>),
    ) -> (SelfReferral, Clicks) {
        let is_proxy = rules.guards.proxy && actor.ip != NO_ID && self.is_proxy(actor.ip);
        let windows = Windows { is_proxy, ..*windows };
        (self.self_referral(n, actor, self.t), self.clicks_of(click, &windows, rules, bot))
    }

    fn clicks_of(&self, click: &Click<'_>, windows: &Windows, rules: &RuleSet, bot: Option<BotKind>) -> Clicks {
        let limits = &rules.limits;
        let is_late = self.is_late();
        let missing = |missing: Missing| if is_late { Missing::Window } else { missing };
        let by_address = windows.ip.as_ref().filter(|_| !windows.is_proxy);
        let by_network = windows.network.as_ref().filter(|_| !windows.is_proxy);
        let no_address = |other: Missing| if windows.is_proxy { Missing::ProxyIp } else { missing(other) };
        let least = limits.clicks_ip_minute.min(limits.clicks_ip_hour);
        let ip = self.rate(by_address, least, no_address(Missing::ActorIp));
        let ip = match ip {
            Rate::Clicks { in_minute, in_hour, .. } if windows.is_shared && in_hour > least => {
                let devices = windows.ip.as_ref().map_or(0, |counted| counted.devices(self.state, span::HOUR));
                Rate::Clicks { in_minute, in_hour, devices }
            }
            Rate::Missing(_) | Rate::Clicks { .. } => ip,
        };
        let series = windows.device.as_ref().or(by_address);
        Clicks {
            agent: agent_of(click, bot),
            ip,
            network: self.rate(by_network, limits.clicks_network_minute, no_address(Missing::ActorNetwork)),
            device: self.rate(windows.device.as_ref(), limits.clicks_device_minute, missing(Missing::ActorDevice)),
            gaps: series.and_then(|counted| counted.gaps(self.state)),
            winning: Winning::NoConversion,
        }
    }

    /// Exact where it may matter: fewer clicks than the least limit are not told apart by time.
    fn rate(&self, counted: Option<&Counted>, least: u32, missing: Missing) -> Rate {
        let Some(counted) = counted else { return Rate::Missing(missing) };
        if counted.len() <= least {
            return Rate::Clicks { in_minute: counted.len(), in_hour: counted.len(), devices: 0 };
        }
        let in_minute = counted.within(self.state, span::MINUTE);
        Rate::Clicks { in_minute, in_hour: counted.within(self.state, span::HOUR), devices: 0 }
    }
}

pub(super) const fn agent_of(click: &Click<'_>, bot: Option<BotKind>) -> Agent {
    match (bot, click.user_agent) {
        (Some(kind), _) if kind.is_innocent() => Agent::Innocent,
        (Some(_), _) => Agent::Bot,
        (None, Some(_)) => Agent::Human,
        (None, None) => Agent::Missing,
    }
}

/// How far back some limits look.
type KeepOf = fn(&Limits) -> Keep;

/// Counts a click for each of its tokens: the address, the device, the network. How far back each looks, its limits say.
fn each_window((ip, device, network): (Id128, Id128, Id128), mut count: impl FnMut((What, Id128), u64, KeepOf)) {
    let tag = if device == NO_ID { 0 } else { short(device) };
    let windows: [(What, Id128, KeepOf); 3] = [
        (What::Ip, ip, |limits| Keep {
            clicks: limits.clicks_ip_minute.max(limits.clicks_ip_hour).saturating_add(1),
            times: DEVICES_MAX,
        }),
        (What::Device, device, |limits| Keep { clicks: limits.clicks_device_minute.saturating_add(1), times: 1 }),
        (What::Network, network, |limits| Keep { clicks: limits.clicks_network_minute.saturating_add(1), times: 1 }),
    ];
    for (what, token, keep) in windows.into_iter().filter(|(_, token, _)| *token != NO_ID) {
        count((what, token), tag, keep);
    }
}

impl Turn<'_> {
    /// Somebody looked at a click, or what was said of it is over: what is told of it changes, how it is counted does not.
    pub(in crate::fold) fn review_click(&mut self, id: Id128, click_id: &str, (said, until): (u8, Millis)) {
        let Some(click) = self.state.clicks.get(&id, self.floor()) else { return };
        if let Some(shadow) = self.shadow() {
            self.reviewed_click((id, &click), click_id, (said, until), &shadow);
        }
        let rules = self.rules();
        if until.0 < i64::MAX && of_review(said).is_some() {
            self.set_timer(until, Due::ClickReview, id);
        }
        if self.reviewed_click((id, &click), click_id, (said, until), &rules)
            && let Some(click) = self.state.clicks.get_mut(&id, self.floor())
        {
            click.judged = 1;
        }
    }

    /// `false`: that is what was said already.
    fn reviewed_click(
        &mut self,
        (id, click): (Id128, &Record),
        click_id: &str,
        (said, until): (u8, Millis),
        rules: &Scoring,
    ) -> bool {
        let findings = self.click_answers(id, click, rules);
        let (self_referral, clicks) = split(Some(findings));
        let assessment = Assessment::of(self_referral, clicks, None, &rules.set);
        let by_score = (assessment.score.verdict(), DecidedBy::Score);
        let (verdict, by) = of_review(said).map_or(by_score, |verdict| (verdict, DecidedBy::Review));
        let touch = self.touch_at(click.touch);
        let concluded = Concluded {
            subject: Subject::Click,
            assessment,
            verdict,
            by,
            cause: Cause::Review,
            event_time: Millis(click.t),
            disposition: touch.map(|touch| Disposition::of_number(touch.disposition)),
            bot: None,
            matures_at: None,
            is_paid: false,
        };
        let texts = self.texts_of_click(click.n, click_id, None);
        // Of a click of which nothing was noted only its revision is known.
        let before = self.click_by(id, click, rules).map_or_else(|| first_of(&assessment), |known| known.judged);
        let due = if by == DecidedBy::Review { until } else { Millis(i64::MAX) };
        // Known as long as the click, however early the review is dated.
        let t = Millis(self.t.0.max(click.t));
        let frozen = freeze(findings.iter());
        if (before.verdict, before.by) == (number(verdict), by.number()) {
            if before.due != due.0 {
                self.keep_click(id, ClickJudged { frozen, judged: Judged { due: due.0, ..before } }, t, rules);
            }
            return false;
        }
        let judged = Judged { due: due.0, ..self.judged(&concluded, Some(&before), &texts, rules) };
        self.keep_click(id, ClickJudged { frozen, judged }, t, rules);
        self.tell(&concluded, &judged, Some(&before), &texts, rules);
        true
    }
}

impl Turn<'_> {
    /// A review of a click may have expired; the score says again what it said.
    pub(in crate::fold) fn click_review_over(&mut self, id: Id128) {
        let known = self.state.judged_clicks.get(&id, self.floor());
        if known.is_some_and(|known| known.judged.due <= self.watermark().0) {
            let text = self.click_text(id);
            self.review_click(id, text.as_str(), (review::NONE, Millis(i64::MAX)));
        }
    }
}

/// The first decision on a click of which nothing was noted.
fn first_of(assessment: &Assessment) -> Judged {
    let verdict = number(assessment.score.verdict());
    Judged { revision: 1, due: i64::MAX, verdict, scored: verdict, ..Judged::zeroed() }
}
