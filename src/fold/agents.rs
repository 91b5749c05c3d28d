//! Verdicts on user agents, remembered: the same few thousand come again and again.

use hashbrown::HashMap;

use super::Turn;
use crate::event::{BotKind, Bots, Click};

/// Verdicts remembered at once; beyond, the cache starts anew.
const AGENTS_MAX: usize = 16_384;

/// By the keyed hash of the user agent. A cache: it decides nothing.
#[derive(Debug, Default)]
pub(super) struct Agents {
    bots: Bots,
    verdicts: HashMap<u64, Option<BotKind>>,
}

impl Agents {
    pub(super) fn of(bots: Bots) -> Self {
        Self { bots, verdicts: HashMap::new() }
    }
}

impl Agents {
    /// What a click is, if a bot's; nothing is remembered of it.
    pub(super) fn would_be(&self, click: &Click<'_>) -> Option<BotKind> {
        self.bots.of(click.user_agent, click.method, click.purpose)
    }
}

impl Turn<'_> {
    /// What a click is, if a bot's.
    pub(super) fn bot_kind(&mut self, click: &Click<'_>) -> Option<BotKind> {
        let agent = click.user_agent.and_then(|user_agent| self.kind_of_agent(user_agent));
        Bots::of_request(agent, click.method, click.purpose)
    }

    fn kind_of_agent(&mut self, user_agent: &str) -> Option<BotKind> {
        let hash = self.facts(user_agent.as_bytes());
        let Agents { bots, verdicts } = &mut self.fold.agents;
        if verdicts.len() >= AGENTS_MAX {
            verdicts.clear();
        }
        *verdicts.entry(hash).or_insert_with(|| bots.of_agent(user_agent))
    }
}
