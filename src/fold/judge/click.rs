//! A click is scored when it comes.

use bytemuck::Zeroable;

use super::assess::{of_click, split};
use super::frozen::{freeze, is_noted, unknown};
use super::rules::Scoring;
use super::verdict::{Concluded, number};
use crate::event::{BotKind, Click};
use crate::fold::Turn;
use crate::fold::evidence::{Counted, Keep, What, Whose, short};
use crate::fold::fraud::{
    Agent, Assessment, Cause, Clicks, DEVICES_MAX, DecidedBy, Limits, Missing, Question, Rate, Rule, RuleSet, Subject,
    Verdict, Winning, perform_fraud_check, span,
};
use crate::fold::records::{Actor, Click as Record, ClickJudged, Judged, NO_ID};
use crate::fold::touches::Disposition;
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
struct Windows {
    ip: Option<Counted>,
    device: Option<Counted>,
    network: Option<Counted>,
    is_shared: bool,
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
        let actor = Actor { ip, device, email: NO_ID, payment: NO_ID, user: NO_ID };
        let clicked = Clicked { click, n, actor, disposition, bot };
        let shadowed = shadow.map(|shadow| (self.score_click(&clicked, &beside, &shadow), shadow));
        let (noted, judged) = self.score_click(&clicked, &windows, &rules);
        if let Some(judged) = judged.filter(|_| noted.judged == 1) {
            self.keep_click(id, judged, &rules);
        }
        // What a shadow leaves unsaid it takes from what the live rules keep.
        if let Some(((of_shadow, judged), shadow)) = shadowed {
            let is_kept = of_shadow.judged == 1 || noted.judged == 1 || of_shadow.unknown != noted.unknown;
            match judged.filter(|_| is_kept) {
                Some(judged) => self.keep_click(id, judged, &shadow),
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
        let clicks = self.clicks_of(click, windows, &rules.set, *bot);
        let facts = of_click(self.self_referral(*n, actor, self.t), clicks);
        let assessment = perform_fraud_check(&facts, &rules.set);
        let noted =
            Noted { unknown: unknown(assessment.findings()), judged: u8::from(is_noted(assessment.findings())) };
        let texts = self.texts_of_click(*n, click.click_id.0);
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
        (ip, device, network): (Id128, Id128, Id128),
        (rules, shadow): (&Scoring, Option<&Scoring>),
    ) -> (Windows, Windows) {
        let (mut live, mut beside) = (Windows::default(), Windows::default());
        if self.is_late() {
            return (live, beside);
        }
        let mut count = |what: What, token: Id128, tag: u64, keep: fn(&Limits) -> Keep| {
            if token == NO_ID {
                return (None, None);
            }
            let of_shadow = shadow.map(|shadow| (shadow.shadow.unwrap_or_default(), keep(&shadow.set.limits)));
            let (counted, of_shadow) = self.count_click(n, (what, token), tag, (keep(&rules.set.limits), of_shadow));
            (Some(counted), of_shadow)
        };
        let tag = if device == NO_ID { 0 } else { short(device) };
        (live.ip, beside.ip) = count(What::Ip, ip, tag, |limits| Keep {
            clicks: limits.clicks_ip_minute.max(limits.clicks_ip_hour).saturating_add(1),
            times: DEVICES_MAX,
        });
        (live.device, beside.device) = count(What::Device, device, tag, |limits| Keep {
            clicks: limits.clicks_device_minute.saturating_add(1),
            times: 1,
        });
        (live.network, beside.network) = count(What::Network, network, tag, |limits| Keep {
            clicks: limits.clicks_network_minute.saturating_add(1),
            times: 1,
        });
        for (windows, rules) in [(&mut live, Some(rules)), (&mut beside, shadow)] {
            let limit = rules.map_or(u32::MAX, |rules| rules.set.limits.clicks_ip_minute);
            let is_full = windows.ip.is_some_and(|counted| counted.len() > limit);
            windows.is_shared = is_full && self.is_shared_ip(ip, self.t);
        }
        (live, beside)
    }

    fn clicks_of(&self, click: &Click<'_>, windows: &Windows, rules: &RuleSet, bot: Option<BotKind>) -> Clicks {
        let limits = &rules.limits;
        let is_late = self.is_late();
        let missing = |missing: Missing| if is_late { Missing::Window } else { missing };
        let agent = match (bot, click.user_agent) {
            (Some(kind), _) if kind.is_innocent() => Agent::Innocent,
            (Some(_), _) => Agent::Bot,
            (None, Some(_)) => Agent::Human,
            (None, None) => Agent::Missing,
        };
        let least = limits.clicks_ip_minute.min(limits.clicks_ip_hour);
        let ip = self.rate(windows.ip.as_ref(), least, missing(Missing::ActorIp));
        let ip = match ip {
            Rate::Clicks { in_minute, in_hour, .. } if windows.is_shared && in_hour > least => {
                let devices = windows.ip.as_ref().map_or(0, |counted| counted.devices(self.state, span::HOUR));
                Rate::Clicks { in_minute, in_hour, devices }
            }
            Rate::Missing(_) | Rate::Clicks { .. } => ip,
        };
        let series = windows.device.as_ref().or(windows.ip.as_ref());
        Clicks {
            agent,
            ip,
            network: self.rate(windows.network.as_ref(), limits.clicks_network_minute, missing(Missing::ActorNetwork)),
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

impl Turn<'_> {
    /// Somebody looked at a click: what is told of it changes, how it is counted does not.
    pub(in crate::fold) fn review_click(&mut self, id: Id128, click_id: &str, said: crate::event::Verdict) {
        let Some(click) = self.state.clicks.get(&id, self.floor()) else { return };
        let verdict = match said {
            crate::event::Verdict::Approve => Verdict::Approve,
            crate::event::Verdict::Block => Verdict::Block,
        };
        if let Some(shadow) = self.shadow() {
            self.reviewed_click((id, &click), click_id, verdict, &shadow);
        }
        let rules = self.rules();
        if self.reviewed_click((id, &click), click_id, verdict, &rules)
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
        verdict: Verdict,
        rules: &Scoring,
    ) -> bool {
        let findings = self.click_answers(id, click, rules);
        let (self_referral, clicks) = split(Some(findings));
        let assessment = Assessment::of(self_referral, clicks, None, &rules.set);
        let touch = self.touch_at(click.touch);
        let concluded = Concluded {
            subject: Subject::Click,
            assessment,
            verdict,
            by: DecidedBy::Review,
            cause: Cause::Review,
            event_time: Millis(click.t),
            disposition: touch.map(|touch| Disposition::of_number(touch.disposition)),
            bot: None,
            matures_at: None,
            is_paid: false,
        };
        let texts = self.texts_of_click(click.n, click_id);
        // Of a click of which nothing was noted only its revision is known.
        let before = self.click_by(id, click, rules).map_or_else(|| first_of(&assessment), |known| known.judged);
        if (before.verdict, before.by) == (number(verdict), DecidedBy::Review.number()) {
            return false;
        }
        let judged = self.judged(&concluded, Some(&before), &texts, rules);
        self.keep_click(id, ClickJudged { frozen: freeze(findings.iter()), judged }, rules);
        self.tell(&concluded, &judged, Some(&before), &texts, rules);
        true
    }
}

/// The first decision on a click of which nothing was noted.
fn first_of(assessment: &Assessment) -> Judged {
    let verdict = number(assessment.score.verdict());
    Judged { revision: 1, due: i64::MAX, verdict, scored: verdict, ..Judged::zeroed() }
}
