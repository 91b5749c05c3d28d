//! What the fraud rules must remember (FRAUD §2, SEMANTICS §11): clicks of late, own tokens, who uses what, what was
//! taken back.
//!
//! Promise: bounded. Every list has a length beyond which its least recent entry gives way, everything else goes by the
//! creator's own clock; who lost something that way is marked. Tokens stand here as hashes only.

mod accounts;
mod actors;
mod history;
mod own;
mod proxy;
mod short_list;
mod tags;
mod users;
mod windows;

pub(super) use own::{member_of_user, member_user};
pub(super) use windows::{Counted, Keep, Whose};

use super::reading::Reading;
use super::records::NO_ID;
use super::state::State;
use super::{Turn, kind};
use crate::event::Click;
use crate::ids::{Millis, Token};
use crate::keep::{HashKey, Id128};

/// How long after it was last touched each map's entity can tell anything; see `State::free_expired`. Every answer
/// looks at the times in it itself, so that it does not matter when it goes.
pub(super) const LIVES: [(&str, i64); 8] = [
    ("windows", windows::LIFE),
    ("shadow_windows", windows::LIFE),
    ("window_pages", windows::PAGE_LIFE),
    ("window_keys", windows::LIST_LIFE),
    ("token_users", life::TOKEN_USERS),
    ("customers_by", life::CUSTOMERS_BY),
    ("order_days", life::ORDER_DAYS),
    ("customer_moves", life::CUSTOMER_MOVES),
];

mod life {
    use crate::ids::Millis;

    pub(super) const TOKEN_USERS: i64 = 180 * Millis::DAY;
    pub(super) const CUSTOMERS_BY: i64 = 30 * Millis::DAY;
    pub(super) const ORDER_DAYS: i64 = 200 * Millis::DAY;
    pub(super) const CUSTOMER_MOVES: i64 = 365 * Millis::DAY;
}

/// What a token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Ip,
    Device,
    /// The surrounding IPv6 /56.
    Network,
    Email,
    /// A means of payment or of payout: their tokens have one purpose.
    Payment,
    User,
    /// A device at an address on a UTC day.
    Place,
    /// No token: what was brought.
    Conversion,
}

impl What {
    const fn number(self) -> u8 {
        match self {
            Self::Ip => 1,
            Self::Device => 2,
            Self::Network => 3,
            Self::Email => 4,
            Self::Payment => 5,
            Self::User => 6,
            Self::Place => 7,
            Self::Conversion => 8,
        }
    }
}

/// `Member::fraud`, bit by bit.
pub(super) mod known {
    /// It was seen at an address, with a device, an e-mail, a means of payout.
    pub(in crate::fold) const IP: u8 = 1;
    pub(in crate::fold) const DEVICE: u8 = 1 << 1;
    pub(in crate::fold) const EMAIL: u8 = 1 << 2;
    pub(in crate::fold) const PAYOUT: u8 = 1 << 3;
    /// Something of what was remembered had to give way.
    pub(in crate::fold) const TRUNCATED: u8 = 1 << 4;
    /// It stands, or stood, on a list.
    pub(in crate::fold) const LISTED: u8 = 1 << 5;
}

impl Turn<'_> {
    /// As [`Reading::token`].
    pub(super) fn token(&self, what: What, token: Option<Token>) -> Id128 {
        self.reading().token(what, token)
    }

    fn kept_from(&self, life: i64) -> Millis {
        self.reading().kept_from(life)
    }

    fn key_of_token(&self, kind: u8, what: What, n: u32, token: &[u8; 16]) -> Id128 {
        self.reading().key_of_token(kind, what, n, token)
    }
}

impl Reading<'_> {
    /// A creator's token as it is remembered; `NO_ID` of none.
    pub(super) fn token(&self, what: What, token: Option<Token>) -> Id128 {
        token.map_or(NO_ID, |token| self.key_of_token(kind::TOKEN, what, 0, &token.0))
    }

    /// A user id as it is compared.
    pub(super) fn user(&self, text: Option<&str>) -> Id128 {
        text.map_or(NO_ID, |text| self.state.hash_key.id(kind::USER, self.c, text.as_bytes()))
    }

    /// What was touched last before this is absent from a map with that life, whether or not it has been freed.
    const fn kept_from(&self, life: i64) -> Millis {
        Millis(self.watermark().0.saturating_sub(life))
    }

    /// Something of member `n`, or of nobody (0).
    fn key_of_token(&self, kind: u8, what: What, n: u32, token: &[u8; 16]) -> Id128 {
        key_of_token(&self.state.hash_key, (kind, self.c), what, n, token)
    }
}

fn key_of_token(hash_key: &HashKey, (kind, creator): (u8, u32), what: What, n: u32, token: &[u8; 16]) -> Id128 {
    let mut bytes = [0_u8; 21];
    let text = token.iter().copied().chain(n.to_le_bytes()).chain([what.number()]);
    bytes.iter_mut().zip(text).for_each(|(place, byte)| *place = byte);
    hash_key.id(kind, creator, &bytes)
}

/// What a click of the member will look up.
pub(super) fn warm(state: &State, creator: u32, n: u32, click: &Click<'_>) {
    for (what, token) in [(What::Ip, click.ip_token), (What::Device, click.device_token)] {
        if let Some(token) = token {
            let token = key_of_token(&state.hash_key, (kind::TOKEN, creator), what, 0, &token.0);
            state.windows.warm(&key_of_token(&state.hash_key, (kind::WINDOW, creator), what, n, &token.0));
        }
    }
}

/// Part of a hash, for telling a few things apart; never 0.
pub(super) fn short(id: Id128) -> u64 {
    let Id128([a, b, c, d, e, f, g, h, ..]) = id;
    u64::from_le_bytes([a, b, c, d, e, f, g, h]).max(1)
}
