//! Who is taken for a bot, of which kind, and who is not.

mod hostile;
mod kinds;
mod lists;

use std::sync::LazyLock;

use tributary::event::{BotKind, Bots};

static BOTS: LazyLock<Bots> = LazyLock::new(Bots::default);

fn kind_of(user_agent: &str) -> Option<BotKind> {
    BOTS.of_agent(user_agent)
}
