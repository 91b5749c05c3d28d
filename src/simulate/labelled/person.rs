//! People and what they carry: everything about them follows from a number.

use super::browsers::{LAPTOPS, PHONES, TABLETS};
use super::network::Address;
use crate::ids::{Millis, Token};
use crate::simulate::market::{mix, token};
use crate::simulate::record::Name;

const EMAIL: u64 = 11;
const ACCOUNT: u64 = 12;
const DEVICE: u64 = 13;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Person(u64);

impl Person {
    /// The `n`th of those who belong to `key`.
    pub(super) const fn nth(key: u64, n: u64) -> Self {
        Self(mix(key ^ mix(n.wrapping_add(1))))
    }

    pub(super) const fn key(self) -> u64 {
        self.0
    }

    pub(super) fn member_id(self) -> Name {
        Name::hex("m-", mix(self.0 ^ 1))
    }

    pub(super) fn code(self) -> Name {
        Name::hex("r", mix(self.0 ^ 2))
    }

    pub(super) fn user_id(self) -> Name {
        Name::hex("u-", mix(self.0 ^ 3))
    }

    pub(super) fn customer_id(self) -> Name {
        Name::hex("cus-", mix(self.0 ^ 4))
    }

    pub(super) fn email(self) -> Token {
        token(EMAIL, self.0)
    }

    /// The card or the account that he pays with.
    pub(super) fn account(self) -> Token {
        token(ACCOUNT, self.0)
    }

    /// Where he is paid to: for some it is the account that they pay with, for most another.
    pub(super) fn payout(self) -> Token {
        if mix(self.0 ^ 5).is_multiple_of(5) { self.account() } else { token(ACCOUNT, mix(self.0 ^ 6)) }
    }

    pub(super) const fn phone(self) -> Device {
        Device { key: mix(self.0 ^ 7), kind: Kind::Phone }
    }

    pub(super) const fn laptop(self) -> Device {
        Device { key: mix(self.0 ^ 8), kind: Kind::Laptop }
    }

    pub(super) const fn tablet(self) -> Device {
        Device { key: mix(self.0 ^ 9), kind: Kind::Tablet }
    }

    /// Phone or laptop; which of them he mostly takes is a habit.
    pub(super) const fn device(self, roll: u64) -> Device {
        let habit = mix(self.0 ^ 10) % 1_000;
        if roll < 300 + habit / 2 { self.phone() } else { self.laptop() }
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Device {
    key: u64,
    kind: Kind,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Phone,
    Laptop,
    Tablet,
}

/// What a server sees of one request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guise {
    pub(super) address: Address,
    pub(super) device: Option<Token>,
    pub(super) user_agent: Option<&'static str>,
    pub(super) device_class: Option<&'static str>,
    pub(super) method: &'static str,
    pub(super) purpose: Option<&'static str>,
}

impl Device {
    /// Some browsers give nothing to know them by; some forget what they were given after a week.
    fn token(self, at: Millis) -> Option<Token> {
        match mix(self.key) % 100 {
            0..=6 => None,
            7..=18 => Some(token(DEVICE, mix(self.key ^ week(at)))),
            _ => Some(token(DEVICE, self.key)),
        }
    }

    /// The device on the network, at a time.
    pub(super) fn at(self, address: Address, at: Millis) -> Guise {
        let (browsers, device_class): (&[&str], _) = match self.kind {
            Kind::Phone => (&PHONES, "mobile"),
            Kind::Laptop => (&LAPTOPS, "desktop"),
            Kind::Tablet => (&TABLETS, "tablet"),
        };
        let turn = usize::try_from(mix(self.key ^ 1) >> 33).unwrap_or_default() % browsers.len();
        Guise {
            address,
            device: self.token(at),
            user_agent: browsers.get(turn).copied(),
            device_class: Some(device_class),
            method: "GET",
            purpose: None,
        }
    }
}

fn week(at: Millis) -> u64 {
    u64::try_from(at.0.div_euclid(7 * Millis::DAY)).unwrap_or_default()
}

impl Guise {
    /// A program that fetches a page: no cookies, no screen.
    pub(super) const fn program(address: Address, user_agent: &'static str) -> Self {
        Self { address, device: None, user_agent: Some(user_agent), device_class: None, method: "GET", purpose: None }
    }
}
