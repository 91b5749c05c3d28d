//! Reading ahead: what a record will look up is fetched into the processor's cache while others wait their turn.
//!
//! A record's look-ups hang on one another, and each is a wait for memory. Those of different records do not, so the
//! processor overlaps them when they are done one record after the other with nothing in between. It decides nothing.

use std::hint::black_box;

use super::effects::Effects;
use super::records::MemberKey;
use super::state::{FOR_EVER, State};
use super::{Fold, Origin, kind};
use crate::event::{Body, Click, Event};

/// Records to read ahead of the one that is applied: they and what they touch should fit the nearest cache.
pub const AHEAD: usize = 32;

impl Fold {
    /// Applies records in order, after reading ahead what they look up. At most [`AHEAD`] at a time are worth it.
    pub fn apply_all(&mut self, state: &mut State, effects: &mut Effects, records: &[(Event<'_>, Origin)]) {
        for (event, _) in records {
            self.warm(state, event);
        }
        for (event, origin) in records {
            self.apply(state, effects, event, *origin);
        }
    }

    /// Touches what [`apply`](Self::apply) is going to look up for `event`.
    fn warm(&self, state: &State, event: &Event<'_>) {
        let id = state.hash_key.id(kind::CREATOR, 0, event.creator_id.0.as_bytes());
        let Some(creator) = state.creator_ids.peek(&id, FOR_EVER) else { return };
        let of = |kind: u8, text: &str| state.hash_key.id(kind, creator.n, text.as_bytes());
        match &event.body {
            Body::Click(click) => warm_click(state, creator.n, click),
            Body::Share(share) => {
                black_box(state.shares.touch(&of(kind::SHARE, share.share_id.0)));
            }
            Body::Conversion(conversion) => {
                black_box(state.conversions.touch(&of(kind::CONVERSION, conversion.conversion_id.0)));
                black_box(state.events.touch(&of(kind::EVENT, event.event_id.0)));
            }
            Body::Commission(commission) => {
                black_box(state.commissions.touch(&of(kind::COMMISSION, commission.commission_id.0)));
                black_box(state.events.touch(&of(kind::EVENT, event.event_id.0)));
            }
            Body::Creator(_)
            | Body::Member(_)
            | Body::Sighting(_)
            | Body::Review(_)
            | Body::RuleSet(_)
            | Body::ListEntry(_)
            | Body::Template(_)
            | Body::Erasure(_)
            | Body::Tick => {
                black_box(state.events.touch(&of(kind::EVENT, event.event_id.0)));
            }
        }
    }
}

fn warm_click(state: &State, creator: u32, click: &Click<'_>) {
    let id = state.hash_key.id(kind::CLICK, creator, click.click_id.0.as_bytes());
    black_box(state.clicks.touch(&id));
    let name = match (click.member_id, click.referral_code) {
        (Some(member), _) => state.hash_key.id(kind::MEMBER, creator, member.0.as_bytes()),
        (None, Some(code)) => state.code_id(creator, code),
        (None, None) => return,
    };
    let Some(name) = state.names.peek(&name, FOR_EVER) else { return };
    let key = MemberKey { creator, n: name.n };
    black_box(state.members.peek(&key, FOR_EVER).map(|member| (member.active_at, member.status)));
}
