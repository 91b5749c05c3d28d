//! A candidate beside the rules in force: it looks at the same evidence and says what it would decide, and nothing
//! follows of that.
//!
//! It is asked before the live rules, so that nothing that they do has happened yet. What it answered and decided is
//! kept by ids of its own, and only while one runs; what came before it, it takes as the live rules left it. Reviews
//! and lists bind it as they bind them. It has no due dates: nobody is asked to review what changes nothing.

use std::sync::Arc;

use super::frozen::{is_noted, of_bits, thaw, unknown};
use super::rules::Scoring;
use super::{Scored, Turn};
use crate::fold::fraud::{Cause, Finding};
use crate::fold::kind;
use crate::fold::records::{Click, ClickJudged, FROZEN, Frozen, Judged, ShadowMember};
use crate::fold::state::FOR_EVER;
use crate::ids::Millis;
use crate::keep::Id128;

impl Turn<'_> {
    pub(super) fn shadow_conversion(&mut self, id: Id128, cause: Cause) {
        let Some(rules) = self.shadow_for(cause) else { return };
        let conversion = self.conversion_at(id);
        self.judge_by(id, Scored::Conversion(&conversion), cause, &rules);
    }

    pub(super) fn shadow_commission(&mut self, id: Id128, cause: Cause) {
        let Some(rules) = self.shadow_for(cause) else { return };
        let Some(commission) = self.state.commissions.get(&id, FOR_EVER) else { return };
        self.judge_by(id, Scored::Commission(&commission), cause, &rules);
    }

    fn shadow_for(&mut self, cause: Cause) -> Option<Arc<Scoring>> {
        if cause == Cause::DueDate { None } else { self.shadow() }
    }

    /// Whether the shadow says something new of the member; kept, if it does.
    pub(super) fn shadow_says_new(&mut self, n: u32) -> bool {
        let Some(rules) = self.shadow() else { return false };
        let fired = self.member_questions(n, &rules);
        let mut member = [0_u8; 16];
        member.iter_mut().zip(n.to_le_bytes()).for_each(|(place, byte)| *place = byte);
        let key = self.shadow_key(rules.shadow, Id128(member));
        let before = self.state.shadow_members.get(&key, FOR_EVER).map_or(0, |member| member.fired);
        if fired != before {
            self.state.shadow_members.put(&key, ShadowMember { fired }, self.t);
        }
        fired != before
    }

    /// What a rule set decided last of a conversion or commission.
    pub(super) fn judged_by(&self, id: Id128, rules: &Scoring) -> Option<Judged> {
        match rules.shadow {
            None => self.state.judged.get(&id, FOR_EVER),
            shadow => self.state.shadow_judged.get(&self.shadow_key(shadow, id), FOR_EVER),
        }
    }

    pub(super) fn keep_judged(&mut self, id: Id128, judged: Judged, rules: &Scoring) {
        match rules.shadow {
            None => self.state.judged.put(&id, judged, self.t),
            shadow => self.state.shadow_judged.put(&self.shadow_key(shadow, id), judged, self.t),
        }
    }

    /// A conversion's answers under a rule set; of one that came before the shadow, the live ones.
    pub(super) fn frozen_by(&self, id: Id128, rules: &Scoring) -> Option<Frozen> {
        let live = || self.state.frozen.get(&id, FOR_EVER);
        match rules.shadow {
            None => live(),
            shadow => self.state.shadow_frozen.get(&self.shadow_key(shadow, id), FOR_EVER).or_else(live),
        }
    }

    pub(super) fn keep_frozen(&mut self, id: Id128, frozen: Frozen, rules: &Scoring) {
        match rules.shadow {
            None => self.state.frozen.put(&id, frozen, self.t),
            shadow => self.state.shadow_frozen.put(&self.shadow_key(shadow, id), frozen, self.t),
        }
    }

    /// What is kept of a click under a rule set; not of an earlier one of its id.
    pub(super) fn click_by(&self, id: Id128, click: &Click, rules: &Scoring) -> Option<ClickJudged> {
        match rules.shadow {
            None => self.state.judged_clicks.get(&id, self.floor()).filter(|_| click.judged == 1),
            shadow => self.state.shadow_clicks.get(&self.shadow_key(shadow, id), self.floor()),
        }
    }

    /// Known for as long as what comes at `t`.
    pub(super) fn keep_click(&mut self, id: Id128, judged: ClickJudged, t: Millis, rules: &Scoring) {
        match rules.shadow {
            None => self.state.judged_clicks.put(&id, judged, t),
            shadow => self.state.shadow_clicks.put(&self.shadow_key(shadow, id), judged, t),
        }
    }

    /// What a click answered when it came. A shadow keeps it where it is not what the live rules leave of it.
    pub(super) fn click_answers(&self, id: Id128, click: &Click, rules: &Scoring) -> [Finding; FROZEN] {
        if rules.shadow.is_some()
            && let Some(kept) = self.click_by(id, click, rules)
        {
            let findings = thaw(&kept.frozen);
            return if is_noted(findings.iter()) { findings } else { of_bits(unknown(findings.iter())) };
        }
        let live = self.state.judged_clicks.get(&id, self.floor()).filter(|_| click.judged == 1);
        live.map_or_else(|| of_bits(click.unknown), |judged| thaw(&judged.frozen))
    }

    /// A click comes of which a shadow need keep nothing; an earlier one of its id may have left something.
    pub(super) fn drop_click(&mut self, id: Id128, rules: &Scoring) {
        let key = self.shadow_key(rules.shadow, id);
        self.state.shadow_clicks.remove(&key);
    }

    /// Under which a shadow remembers something; another one never finds it.
    fn shadow_key(&self, epoch: Option<u32>, id: Id128) -> Id128 {
        let mut bytes = [0_u8; 20];
        let text = id.0.into_iter().chain(epoch.unwrap_or_default().to_le_bytes());
        bytes.iter_mut().zip(text).for_each(|(place, byte)| *place = byte);
        self.state.hash_key.id(kind::SHADOW, self.c, &bytes)
    }
}
