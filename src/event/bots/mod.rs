//! Who is no human, from what the request says of itself.
//!
//! Promise: the same answer for the same lists, wherever a click is counted; time and memory are linear in the user
//! agent, whatever it is. What hides its nature is for the fraud rules (velocity, timing) to find. ADR 0021.

mod kind;
mod lists;
mod matcher;

use std::fmt;
use std::sync::{Arc, OnceLock};

pub use kind::BotKind;
use matcher::Matcher;

/// Tells people from bots. Made when first asked, which takes milliseconds; clones share what is made.
#[derive(Clone, Default)]
pub struct Bots {
    matcher: Arc<OnceLock<Matcher>>,
}

impl Bots {
    /// Of the lists, and of what is ours beside them: another one may answer otherwise.
    pub const VERSION: &str = "cua-1.60.0+isbot-5.2.3+1";

    /// What a request is, if a bot's. A user agent, method or purpose that nobody passed on (`None`) says nothing.
    pub fn of(&self, user_agent: Option<&str>, method: Option<&str>, purpose: Option<&str>) -> Option<BotKind> {
        Self::of_request(user_agent.and_then(|agent| self.of_agent(agent)), method, purpose)
    }

    /// What a user agent says by itself.
    pub fn of_agent(&self, user_agent: &str) -> Option<BotKind> {
        let agent = user_agent.trim();
        if agent.is_empty() {
            return Some(BotKind::MissingUa);
        }
        self.matcher.get_or_init(Matcher::new).find(agent.as_bytes())
    }

    /// What a request is whose user agent is known. Who says what it is, is that whatever else it says; then what the
    /// request is for, how it asks, and last that it does not say who asks.
    pub fn of_request(agent: Option<BotKind>, method: Option<&str>, purpose: Option<&str>) -> Option<BotKind> {
        agent
            .filter(|kind| *kind != BotKind::MissingUa)
            .or_else(|| purpose.is_some_and(is_ahead).then_some(BotKind::Prefetch))
            .or_else(|| method.is_some_and(is_head).then_some(BotKind::Declared))
            .or(agent)
    }
}

impl fmt::Debug for Bots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bots").field(&Self::VERSION).finish()
    }
}

fn is_head(method: &str) -> bool {
    method.trim().eq_ignore_ascii_case("HEAD")
}

/// `Purpose`, `Sec-Purpose`, `X-Moz`: the browser fetches ahead.
fn is_ahead(purpose: &str) -> bool {
    let text = purpose.as_bytes();
    (0..text.len()).filter_map(|at| text.get(at..)).any(|rest| {
        let begins = |word: &str| rest.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()));
        ["prefetch", "preview", "prerender"].into_iter().any(begins)
    })
}
