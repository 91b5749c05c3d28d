//! Who may ask what: API keys, their scopes and creators, and how much each may ask.
//!
//! Promise: a key is checked without waiting and without a question to the store, against a picture of all keys that
//! is 30 s old at most; a key of some creators sees the projections through a view (`view.rs`) in which no other
//! creator exists, so that no answer can forget to look. No text of a key is kept, logged or measured.

mod admin;
mod book;
mod bucket;
mod gate;
mod ring;
mod secret;
mod view;

use serde::{Deserialize, Serialize};

pub(super) use admin::{create, list, revoke};
pub use book::{Error, Keys, Record, Wish};
pub use bucket::Rate;
pub(super) use gate::{Needs, Pass, admit};
pub use secret::{Random, Secret};
pub(super) use view::View;

/// What a key is for. None includes another; but whoever may make keys may make any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Ask for figures.
    Read,
    /// Send events.
    Write,
    /// Decide about what is under review.
    Review,
    /// Look into the instance, and make and revoke keys.
    Admin,
}

impl Scope {
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Review, Self::Admin];

    /// As it is written everywhere.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Review => "review",
            Self::Admin => "admin",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// Whether keys are asked for at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Keys,
    /// Whoever reaches the server may do everything; on this machine alone.
    InsecureDev,
}

/// How much may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of each key that has no limit of its own.
    pub each: Rate,
    /// Of all requests together that have no good key.
    pub refused: Rate,
}

impl Default for Limits {
    fn default() -> Self {
        Self { each: Rate { per_s: 1_000, burst: 2_000 }, refused: Rate { per_s: 20, burst: 100 } }
    }
}
