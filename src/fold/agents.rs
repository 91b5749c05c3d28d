//! Verdicts on user agents, remembered: the same few thousand come again and again.

use hashbrown::HashMap;

use super::Turn;
use crate::event::{Click, is_bot};

/// Verdicts remembered at once; beyond, the cache starts anew.
const AGENTS_MAX: usize = 16_384;

/// By the keyed hash of the user agent. A cache: it decides nothing.
#[derive(Debug, Default)]
pub(super) struct Agents {
    verdicts: HashMap<u64, bool>,
}

impl Turn<'_> {
    pub(super) fn is_bot(&mut self, click: &Click<'_>) -> bool {
        if is_bot(None, click.method, click.purpose) {
            return true;
        }
        let Some(user_agent) = click.user_agent else { return false };
        let hash = self.facts(user_agent.as_bytes());
        let verdicts = &mut self.fold.agents.verdicts;
        if verdicts.len() >= AGENTS_MAX {
            verdicts.clear();
        }
        *verdicts.entry(hash).or_insert_with(|| is_bot(Some(user_agent), None, None))
    }
}
