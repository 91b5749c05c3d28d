//! Where people are connected, and the address that a server sees of it.

use crate::ids::{Millis, Token};
use crate::simulate::market::{COUNTRIES, mix, token};
use crate::simulate::random::Dice;

const V4: u64 = 21;
const V6: u64 = 22;
const NET56: u64 = 23;

/// A connection; the number tells it from others of its sort.
#[derive(Debug, Clone, Copy)]
pub(super) enum Network {
    /// A home's router: one IPv4 for a day, weeks, months or for ever; four in ten have a /56 beside it.
    Home(u64),
    /// One IPv4, for years.
    Office(u64),
    /// A carrier: a few IPv4 addresses for thousands, or a /64 of one's own for each session.
    Carrier(u64),
    /// A provider of virtual private networks: the exits are shared by all its customers.
    Vpn(u64),
    /// So many machines in a data centre.
    Hosting(u64, u64),
    /// So many homes of others, lent by who runs a proxy network.
    Lent(u64, u64),
}

/// As tokens; absent where the address was private or was not passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) ip: Option<Token>,
    pub(super) ip56: Option<Token>,
    pub(super) country: Option<&'static str>,
}

impl Network {
    /// The address of one request.
    pub(super) fn address(self, at: Millis, dice: &mut Dice) -> Address {
        let (key, seen) = match self {
            Self::Home(key) => (key, home(key, at, dice)),
            Self::Office(key) => (key, (Some(token(V4, key)), None)),
            Self::Carrier(key) => (key, carrier(key, dice)),
            Self::Vpn(key) => (key, machine(key, 4 + key % 60, dice)),
            Self::Hosting(key, machines) | Self::Lent(key, machines) => (key, machine(key, machines, dice)),
        };
        let turn = usize::try_from(mix(key ^ 1) >> 33).unwrap_or_default() % COUNTRIES.len();
        let country = COUNTRIES.get(turn).copied().filter(|_| !dice.permille(30));
        let (ip, ip56) = if dice.permille(8) { (None, None) } else { seen };
        Address { ip, ip56, country }
    }
}

fn home(key: u64, at: Millis, dice: &mut Dice) -> (Option<Token>, Option<Token>) {
    let lease_days = match mix(key) % 10 {
        0..=1 => 1,
        2..=4 => 14,
        5..=7 => 90,
        _ => 36_500,
    };
    let lease = u64::try_from(at.0.div_euclid(lease_days * Millis::DAY)).unwrap_or_default();
    let line = mix(key ^ mix(lease));
    let has_v6 = mix(key ^ 2) % 10 < 4;
    if has_v6 && dice.permille(650) {
        return (Some(token(V6, line)), Some(token(NET56, line)));
    }
    (Some(token(V4, line)), None)
}

fn carrier(key: u64, dice: &mut Dice) -> (Option<Token>, Option<Token>) {
    if dice.permille(500) {
        let region = mix(key ^ dice.below(64));
        return (Some(token(V6, mix(region ^ dice.below(1 << 40)))), Some(token(NET56, region)));
    }
    (Some(token(V4, key ^ dice.below(8 + key % 25))), None)
}

fn machine(key: u64, machines: u64, dice: &mut Dice) -> (Option<Token>, Option<Token>) {
    (Some(token(V4, mix(key ^ mix(dice.below(machines.max(1)))))), None)
}
