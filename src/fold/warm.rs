//! Reading ahead: what records will look up is fetched into the processor's cache some records at a time.
//!
//! A record's look-ups hang on one another, and each is a wait for memory. Those of different records do not: taken
//! step by step over all of them, many waits pass at once. It decides nothing.

use std::hint::black_box;

use super::boards::{Measure, Metric};
use super::effects::Effects;
use super::records::{MemberKey, ScoreKey};
use super::state::{FOR_EVER, State};
use super::visitors::visitor;
use super::{Fold, Origin, evidence, kind, time, traffic};
use crate::event::{Body, Click, Event};
use crate::keep::Id128;

/// Records read ahead at a time: they and what they touch should fit the nearest caches.
pub const AHEAD: usize = 32;

/// How far one record is looked into.
#[derive(Clone, Copy, Default)]
struct Step {
    creator: u32,
    /// Where the name of a click's member may be, then the member.
    name: Option<u32>,
    n: u32,
    member: Option<u32>,
    /// Where its score by clicks may be.
    score: Option<u32>,
}

impl Fold {
    /// Applies records in order, after reading ahead what they look up.
    pub fn apply_all(&mut self, state: &mut State, effects: &mut Effects, records: &[(Event<'_>, Origin)]) {
        for some in records.chunks(AHEAD) {
            self.warm(state, some);
            for (event, origin) in some {
                self.apply(state, effects, event, *origin);
            }
        }
    }

    fn warm(&mut self, state: &State, records: &[(Event<'_>, Origin)]) {
        let mut steps = [Step::default(); AHEAD];
        for (step, (event, _)) in steps.iter_mut().zip(records) {
            *step = begin(state, event);
        }
        for step in &mut steps {
            step.n = step.name.and_then(|hint| state.names.glance(hint)).map_or(0, |name| name.n);
        }
        for (step, (event, origin)) in steps.iter_mut().zip(records) {
            if step.name.is_some() {
                step.member = state.members.hint(&MemberKey { creator: step.creator, n: step.n });
                let measure = Measure::count(Metric::Clicks).0;
                step.score = state.scores.hint(&ScoreKey { creator: step.creator, n: step.n, measure });
                self.warm_visit(state, step, event, *origin);
            }
        }
        for step in &steps {
            let member = step.member.and_then(|hint| state.members.glance(hint));
            // Its lines of cache.
            black_box(member.map(|member| (member.at, member.of_day.listed, member.activity.week)));
            let score = step.score.and_then(|hint| state.scores.glance(hint));
            black_box(score.map(|score| (score.all, score.days.map(|day| day.counted), score.months, score.off)));
        }
    }

    fn warm_visit(&mut self, state: &State, step: &Step, event: &Event<'_>, origin: Origin) {
        let Body::Click(click) = &event.body else { return };
        let visitor = visitor(&state.hash_key, step.creator, click.device_token, click.ip_token);
        state.visitors.warm(&visitor);
        evidence::warm(state, step.creator, step.n, click);
        if let Some(share) = click.share_id {
            state.shares.warm(&state.hash_key.id(kind::SHARE, step.creator, share.0.as_bytes()));
        }
        let Ok(t) = time::of(event, origin.timestamp) else { return };
        let Some(day) = self.calendars.local_day(step.creator, t) else { return };
        let visit = traffic::visit(&state.hash_key, (step.creator, step.n), click, day);
        black_box(visit.map(|visit| state.visits.touch(&visit)));
    }
}

/// Looks for what the record speaks of, and for the name of a click's member.
fn begin(state: &State, event: &Event<'_>) -> Step {
    let id = state.hash_key.id(kind::CREATOR, 0, event.creator_id.0.as_bytes());
    let Some(creator) = state.creator_ids.peek(&id, FOR_EVER).map(|name| name.n) else { return Step::default() };
    let of = |kind: u8, text: &str| state.hash_key.id(kind, creator, text.as_bytes());
    let mut name = None;
    let is_there = match &event.body {
        Body::Click(click) => {
            name = name_of(state, creator, click).and_then(|name| state.names.hint(&name));
            state.clicks.touch(&of(kind::CLICK, click.click_id.0))
        }
        Body::Share(share) => state.shares.touch(&of(kind::SHARE, share.share_id.0)),
        Body::Conversion(conversion) => {
            black_box(state.conversions.touch(&of(kind::CONVERSION, conversion.conversion_id.0)));
            state.events.touch(&of(kind::EVENT, event.event_id.0))
        }
        Body::Commission(commission) => {
            black_box(state.commissions.touch(&of(kind::COMMISSION, commission.commission_id.0)));
            state.events.touch(&of(kind::EVENT, event.event_id.0))
        }
        Body::Creator(_)
        | Body::Member(_)
        | Body::Sighting(_)
        | Body::Review(_)
        | Body::RuleSet(_)
        | Body::ListEntry(_)
        | Body::Template(_)
        | Body::Erasure(_)
        | Body::Tick => state.events.touch(&of(kind::EVENT, event.event_id.0)),
    };
    black_box(is_there);
    Step { creator, name, ..Step::default() }
}

fn name_of(state: &State, creator: u32, click: &Click<'_>) -> Option<Id128> {
    match (click.member_id, click.referral_code) {
        (Some(member), _) => Some(state.hash_key.id(kind::MEMBER, creator, member.0.as_bytes())),
        (None, Some(code)) => Some(state.code_id(creator, code)),
        (None, None) => None,
    }
}
