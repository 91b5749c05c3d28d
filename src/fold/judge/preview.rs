//! What would be decided of a click or a sale that has not come (FRAUD §4): the facts that the record would find, what it
//! would leave behind itself among them, by the functions that the stream uses. Nothing is changed, and nothing kept.
//!
//! A click is asked about as its event would be scored next, and what is found is what the fold then finds. A sale is asked
//! about as if it were credited to the member at once: which click it came by is not known, so that what the click
//! would tell of the sale is not answered.

use serde::{Deserialize, Serialize};

use super::click::agent_of;
use super::facts::Ordered;
use super::frozen::worse;
use super::rules::Scoring;
use super::verdict::Concluded;
use crate::event::{Body, BotKind, Bots, Click, Conversion, ConversionKind, Event, Kind};
use crate::fold::evidence::{What, known};
use crate::fold::fraud::{
    Accounts, Agent, Answer, Assessment, Cause, Clicks, Compared, DecidedBy, Decision, DecisionId, Finding, History,
    Missing, Mode, Own, Question, Rate, RuleSet, SelfReferral, Share, Subject, Trigger, Winning, check_click_fraud,
    check_commission_abuse, check_self_referral,
};
use crate::fold::reading::{Reading, Would};
use crate::fold::records::{Actor, Creator, LongText, NO_ID, NONE, Text};
use crate::fold::state::{FOR_EVER, State};
use crate::fold::touches::Disposition;
use crate::fold::{Fold, kind, time, traffic, zone};
use crate::ids::{Code, CreatorId, MemberId, Millis, Next, Offset};
use crate::keep::Id128;

/// A question about what has not come. Its texts borrow, as those of events do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked<'a> {
    #[serde(borrow)]
    pub creator_id: CreatorId<'a>,
    /// By its id, or by a code of its own.
    pub member_id: Option<MemberId<'a>>,
    pub referral_code: Option<Code<'a>>,
    /// When it would have happened.
    pub t: Millis,
    pub click: Option<Click<'a>>,
    /// A signup, purchase or renewal.
    pub conversion: Option<Conversion<'a>>,
}

/// What would be decided.
#[derive(Debug, Clone, Copy)]
pub struct Preview {
    /// Of no id and no revision, in the mode `preview`; its trigger never came.
    pub decision: Decision,
    /// If not, all that is asked about the member is not answered.
    pub is_member_known: bool,
    /// Everything below is folded.
    pub next: Next,
    /// The creator's own, which the event might move.
    pub watermark: Millis,
}

/// Why nothing can be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unseen {
    /// There is no such creator.
    Creator,
    /// The event would be refused, and why.
    Refused(String),
}

impl<'a> Asked<'a> {
    /// What is asked by the events that would tell of it, if they came at `now`: a click, a conversion or both, at one
    /// time; or why that time would be refused.
    pub fn of(
        (member_id, referral_code): (Option<MemberId<'a>>, Option<Code<'a>>),
        events: &[Event<'a>],
        now: Millis,
    ) -> Result<Self, String> {
        let first = events.first().ok_or_else(|| "nothing is asked about".to_owned())?;
        let t = time::of(first, now).map_err(|refusal| refusal.message)?;
        let (creator_id, click, conversion) = (first.creator_id, None, None);
        let mut asked = Self { creator_id, member_id, referral_code, t, click, conversion };
        for event in events {
            if let Body::Click(click) = &event.body {
                asked.click = Some(click.clone());
            } else if let Body::Conversion(conversion) = &event.body {
                asked.conversion = Some(conversion.clone());
            }
        }
        Ok(asked)
    }

    const fn kind(&self) -> Kind {
        if self.conversion.is_some() { Kind::Conversion } else { Kind::Click }
    }
}

/// A click by itself.
struct OfClick {
    self_referral: [Finding; 5],
    clicks: [Finding; 9],
    bot: Option<BotKind>,
    disposition: Disposition,
}

/// What is asked, with what it is asked by.
struct Preparation<'s> {
    reading: Reading<'s>,
    /// `None`: nobody knows the member.
    n: Option<u32>,
    scoring: &'s Scoring,
}

impl Fold {
    /// What would be decided, as of a state into which everything below `next` is folded.
    pub fn preview(&self, state: &State, asked: &Asked<'_>, next: Next) -> Result<Preview, Unseen> {
        let id = state.hash_key.id(kind::CREATOR, 0, asked.creator_id.0.as_bytes());
        let c = state.creator_ids.get(&id, FOR_EVER).ok_or(Unseen::Creator)?.n;
        let known = state.creators.peek(&c, FOR_EVER).filter(|creator| creator.known == 1).ok_or(Unseen::Creator)?;
        if asked.click.is_some() && asked.t.0 < known.floor {
            let (t, floor) = (time::stamp(asked.t), time::stamp(Millis(known.floor)));
            return Err(Unseen::Refused(format!("of {t}, older than the horizon, which is at {floor}")));
        }
        let head = moved(known, asked.t);
        let reading = Reading { state, c, head: &head, t: asked.t, would: None };
        let scoring = self.rule_sets.of(state, c, head.rules);
        let prepared = Preparation { reading, n: member_of(&reading, asked), scoring: &scoring };
        let click = asked.click.as_ref().map(|click| prepared.click(click, self.agents.would_be(click)));
        let decision = match (&asked.conversion, click) {
            (None, Some(click)) => prepared.of_click(asked, &click),
            (conversion, click) => prepared.of_conversion(asked, conversion.as_ref(), click.as_ref()),
        };
        let watermark = Reading { head: known, ..reading }.watermark();
        Ok(Preview { decision, is_member_known: prepared.n.is_some(), next, watermark })
    }
}

/// The creator with the clock as the record would move it.
fn moved(creator: &Creator, t: Millis) -> Creator {
    let mut head = *creator;
    head.clock = head.clock.max(t.0);
    head.floor = head.floor.max(head.clock.saturating_sub(time::horizon_of(&head)));
    head
}

fn member_of(reading: &Reading<'_>, asked: &Asked<'_>) -> Option<u32> {
    let named = asked.member_id.map(|id| reading.state.hash_key.id(kind::MEMBER, reading.c, id.0.as_bytes()));
    let id = named.or_else(|| asked.referral_code.map(|code| reading.state.code_id(reading.c, code)))?;
    reading.state.names.get(&id, FOR_EVER).map(|name| name.n)
}

impl Preparation<'_> {
    const fn rules(&self) -> &RuleSet {
        &self.scoring.set
    }

    fn click(&self, click: &Click<'_>, bot: Option<BotKind>) -> OfClick {
        let reading = &self.reading;
        let human = bot.is_none();
        let Some(n) = self.n else {
            let missing = Rate::Missing(Missing::Member);
            let winning = Winning::NoConversion;
            let agent = agent_of(click, bot);
            let clicks = Clicks { agent, ip: missing, network: missing, device: missing, gaps: None, winning };
            return OfClick {
                self_referral: check_self_referral(&nobodys(), self.rules()),
                clicks: check_click_fraud(&clicks, self.rules()),
                bot,
                disposition: Disposition::of_click(human, human),
            };
        };
        let ip = reading.token(What::Ip, click.ip_token);
        let device = reading.token(What::Device, click.device_token);
        let network = reading.token(What::Network, click.ip56_token);
        let windows = reading.would_be_windows(n, (ip, device, network), &self.rules().limits);
        let proxies = reading.would_be_proxies(ip, device);
        let would = Would {
            actor: Actor::NOBODY,
            customer: NO_ID,
            comes_again: false,
            is_conversion: false,
            is_order: false,
            is_machine: false,
            proxies,
        };
        let reading = Reading { would: Some(&would), ..*reading };
        let actor = Actor { ip, device, ..Actor::NOBODY };
        let facts = reading.facts_of_click(click, (n, &actor), &windows, (self.rules(), bot));
        OfClick {
            self_referral: check_self_referral(&facts.0, self.rules()),
            clicks: check_click_fraud(&facts.1, self.rules()),
            bot,
            disposition: Disposition::of_click(human, human && self.is_first_visit(click, n)),
        }
    }

    fn is_first_visit(&self, click: &Click<'_>, n: u32) -> bool {
        let Reading { state, c, head, t, .. } = self.reading;
        let zone = state.creator_profiles.peek(&c, FOR_EVER).map_or_else(|| Text::new("UTC"), |profile| profile.zone);
        let visit = traffic::visit(&state.hash_key, (c, n), click, zone::local_day(zone.as_str(), t));
        visit.is_none_or(|visit| state.visits.get(&visit, Millis(head.floor)).is_none())
    }

    /// As `Turn::judge_click` decides: lists say nothing of clicks.
    fn of_click(&self, asked: &Asked<'_>, click: &OfClick) -> Decision {
        let assessment = Assessment::of(Some(click.self_referral), Some(click.clicks), None, self.rules());
        let (verdict, by) = (assessment.score.verdict(), DecidedBy::Score);
        self.tell(
            asked,
            Concluded {
                subject: Subject::Click,
                assessment,
                verdict,
                by,
                cause: Cause::Evidence,
                event_time: asked.t,
                disposition: Some(click.disposition),
                bot: click.bot,
                matures_at: None,
                is_paid: false,
            },
        )
    }

    /// As a conversion is decided once it is credited to the member.
    fn of_conversion(&self, asked: &Asked<'_>, stated: Option<&Conversion<'_>>, click: Option<&OfClick>) -> Decision {
        let reading = &self.reading;
        let actor = stated.map_or(Actor::NOBODY, |stated| Actor {
            ip: reading.token(What::Ip, stated.ip_token),
            device: reading.token(What::Device, stated.device_token),
            email: reading.token(What::Email, stated.email_token),
            payment: reading.token(What::Payment, stated.payment_token),
            user: reading.user(stated.user_id),
        });
        let customer_id = stated.and_then(|stated| stated.customer_id);
        let of_customer = |text: &str| reading.state.hash_key.id(kind::CUSTOMER, reading.c, text.as_bytes());
        let customer = customer_id.map_or(NO_ID, |id| of_customer(id.0));
        let would = Would {
            actor,
            // Who is not named is a customer of its own: no id is an empty text.
            customer: if customer == NO_ID { of_customer("") } else { customer },
            comes_again: reading.has_ordered(customer, NO_ID),
            is_conversion: stated.is_some(),
            is_machine: click.is_some_and(|click| click.bot.is_some_and(|bot| !bot.is_innocent())),
            is_order: stated.is_some_and(|it| matches!(it.kind, ConversionKind::Purchase | ConversionKind::Renewal)),
            proxies: reading.would_be_proxies(actor.ip, actor.device),
        };
        let reading = Reading { would: Some(&would), ..*reading };
        let (self_referral, clicks) = self.joined(&reading, &actor, click);
        let abuse = self.abuse(&reading, &actor, customer);
        let assessment = Assessment::of(Some(self_referral), Some(clicks), Some(abuse), self.rules());
        let listed = reading.listed(self.n.unwrap_or(NONE), customer);
        let (verdict, by) = listed.unwrap_or((assessment.score.verdict(), DecidedBy::Score));
        let decision = self.tell(
            asked,
            Concluded {
                subject: Subject::Conversion,
                assessment,
                verdict,
                by,
                cause: Cause::Evidence,
                event_time: asked.t,
                disposition: None,
                bot: click.and_then(|click| click.bot),
                matures_at: None,
                is_paid: false,
            },
        );
        Decision { customer: Text::new(customer_id.map_or("", |id| id.0)), ..decision }
    }

    /// The sale's own answers to the self and click questions, joined with those of its click.
    fn joined(&self, reading: &Reading<'_>, actor: &Actor, click: Option<&OfClick>) -> ([Finding; 5], [Finding; 9]) {
        let missing = Rate::Missing(Missing::Click);
        let clicks = Clicks {
            agent: Agent::Missing,
            ip: missing,
            network: missing,
            device: missing,
            gaps: None,
            winning: Winning::NoClick,
        };
        let facts = self.n.map_or_else(nobodys, |n| reading.self_referral(n, actor, reading.t));
        let mut own = (check_self_referral(&facts, self.rules()), check_click_fraud(&clicks, self.rules()));
        if let Some(click) = click {
            own.0.iter_mut().zip(click.self_referral).for_each(|(own, inherited)| *own = worse(*own, inherited));
            // By itself a sale answers none of them.
            let of_click = own.1.iter_mut().zip(click.clicks).filter(|(own, _)| !is_of_winning(own.question));
            of_click.for_each(|(own, inherited)| *own = inherited);
        }
        own
    }

    fn abuse(&self, reading: &Reading<'_>, actor: &Actor, customer: Id128) -> [Finding; 10] {
        let ordered = Ordered { customer, hold_days: reading.head.hold_days, is_charged_back: false };
        if let Some(n) = self.n {
            let (history, accounts) = reading.abuse(n, Some(ordered), actor, reading.t);
            return check_commission_abuse(&history, &accounts, self.rules());
        }
        let none = Share::default();
        let known = Some(customer).filter(|customer| *customer != NO_ID);
        let history = History {
            customer: known.map(|customer| reading.customer_history(customer, reading.t)),
            chargebacks: none,
            refunds: none,
            creator_refunds: none,
            early_refunds: None,
        };
        let findings = check_commission_abuse(&history, &Accounts::default(), self.rules());
        let of_customer = [Question::CustomerChargebacks, Question::CustomerRefunds];
        let unknown = |finding: Finding| Finding { answer: Answer::Unknown(Missing::Member), ..finding };
        findings.map(|finding| if of_customer.contains(&finding.question) { finding } else { unknown(finding) })
    }

    fn tell(&self, asked: &Asked<'_>, concluded: Concluded) -> Decision {
        let Reading { state, c, .. } = self.reading;
        let none = Text::new("");
        let n = self.n;
        Decision {
            id: DecisionId([0; 16]),
            subject: concluded.subject,
            subject_id: LongText::new(""),
            revision: 0,
            creator: state.creator_profiles.peek(&c, FOR_EVER).map_or(none, |profile| profile.id),
            member: n.map_or(none, |n| self.reading.profile(n).id),
            customer: none,
            click: none,
            order: none,
            verdict: concluded.verdict,
            decided_by: concluded.by,
            action: concluded.action(None),
            disposition: concluded.disposition,
            bot: concluded.bot,
            bot_lists: (concluded.subject == Subject::Click).then_some(Bots::VERSION),
            assessment: concluded.assessment,
            points: self.rules().points,
            rule_set: self.scoring.name,
            trigger: Trigger { event_id: none, kind: asked.kind(), offset: Offset(0) },
            event_time: asked.t,
            watermark: self.reading.watermark(),
            is_late: self.reading.is_late(),
            mode: Mode::Preview,
            previous: None,
            matures_at: None,
            is_truncated: n.is_some_and(|n| self.reading.member(n).fraud & known::TRUNCATED != 0),
            at: Next(0),
        }
    }
}

/// Of a member that nobody knows.
const fn nobodys() -> SelfReferral {
    let (compared, own) = (Compared::Missing(Missing::Member), Own::Missing(Missing::Member));
    SelfReferral { user: compared, email: compared, payout: compared, device: own, ip: own }
}

/// What only the click that a conversion was won by tells.
fn is_of_winning(question: Question) -> bool {
    [Question::HastyConversion, Question::LateClick, Question::ClickBehindAnother].contains(&question)
}
