//! The creators' programmes: what they sell, how often it comes back, who takes part.

use super::label::{Cohort, Family};
use super::owed::Fate;
use super::person::Person;
use crate::event::{CommissionPolicy, CommissionSource, ConversionKind};
use crate::ids::{Currency, Millis};
use crate::simulate::market::{self, FIRST_WORDS, MARKETS, SECOND_WORDS};
use crate::simulate::random::Dice;
use crate::simulate::record::{CreatorCard, Name};
use crate::simulate::world::{busy_percent, day_and_hour, offset_ms};

/// What the programme is about; the kinds take turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trade {
    Shop,
    Fashion,
    /// Paid by the month; pays for signups too.
    Software,
    Marketplace,
    Community,
}

const TRADES: [Trade; 5] = [Trade::Shop, Trade::Fashion, Trade::Software, Trade::Marketplace, Trade::Community];

/// One creator's programme.
#[derive(Debug)]
pub(super) struct Programme {
    pub(super) id: Name,
    pub(super) card: CreatorCard,
    pub(super) trade: Trade,
    pub(super) currency: Currency,
    pub(super) derived: bool,
    pub(super) hold_days: i64,
    pub(super) rate_bp: i64,
    factor: i64,
    offset_ms: i64,
    /// Honest members who have joined: those whose links people come across.
    pub(super) members: Vec<Person>,
}

/// When something is busy, by the creator's clock.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rhythm {
    /// People, by day and evening.
    Waking,
    /// Offices and schools.
    Work,
    /// Shops.
    Opening,
}

impl Programme {
    pub(super) fn new(number: usize, start: Millis) -> Self {
        let trade = *TRADES.get(number % TRADES.len()).expect("within the table");
        let (code, factor, time_zone) = *MARKETS.get(number % MARKETS.len()).expect("within the table");
        let first = FIRST_WORDS.get(number % FIRST_WORDS.len()).expect("within the table");
        let second = SECOND_WORDS.get(number % SECOND_WORDS.len()).expect("within the table");
        let derived = (number + number / TRADES.len()).is_multiple_of(2);
        let (rate_bp, hold_days) = match trade {
            Trade::Shop => (800, 14),
            Trade::Fashion => (1_000, 30),
            Trade::Software => (2_000, 30),
            Trade::Marketplace => (500, 14),
            Trade::Community => (1_500, 7),
        };
        let card = CreatorCard {
            name: format!("{first} {second}"),
            currency: market::currency(code),
            time_zone,
            attribution: None,
            commission: Some(policy(trade, derived, (rate_bp, hold_days), factor)),
        };
        Self {
            id: Name::new(format_args!("creator-{number:04}")),
            trade,
            currency: card.currency,
            card,
            derived,
            hold_days,
            rate_bp,
            factor,
            offset_ms: offset_ms(time_zone, start),
            members: Vec::new(),
        }
    }

    /// Whether the programme itself makes a commission of such a conversion.
    pub(super) fn derives(&self, kind: ConversionKind) -> bool {
        let is_order = matches!(kind, ConversionKind::Purchase | ConversionKind::Renewal);
        self.derived && (is_order || (kind == ConversionKind::Signup && self.trade == Trade::Software))
    }

    pub(super) const fn renews(&self) -> bool {
        matches!(self.trade, Trade::Software)
    }

    /// Whether customers make an account before they buy.
    pub(super) const fn signs_up(&self) -> bool {
        matches!(self.trade, Trade::Software | Trade::Community | Trade::Marketplace)
    }

    pub(super) fn price(&self, dice: &mut Dice) -> i64 {
        let prices: &[i64] = match self.trade {
            Trade::Shop => &[12, 19, 24, 29, 35, 49, 79],
            Trade::Fashion => &[25, 39, 49, 59, 79, 99, 149],
            Trade::Software => &[9, 19, 29, 49, 99],
            Trade::Marketplace => &[15, 30, 60, 120, 249, 499, 899],
            Trade::Community => &[5, 9, 15, 25, 60],
        };
        market::price(*dice.pick(prices), self.factor)
    }

    /// What is worth the trouble to a thief.
    pub(super) fn high_price(&self, dice: &mut Dice) -> i64 {
        self.price(dice).max(self.price(dice))
    }

    /// What becomes of an honest order. One in twenty is sent back, of clothes one in four; disputes are seldom.
    pub(super) fn fate(&self, dice: &mut Dice) -> Fate {
        let (refunds_permille, disputes_of_10_000) = match self.trade {
            Trade::Shop => (60, 20),
            Trade::Fashion => (250, 25),
            Trade::Software => (35, 30),
            Trade::Marketplace => (70, 40),
            Trade::Community => (20, 10),
        };
        Fate::honest(dice, refunds_permille, disputes_of_10_000)
    }

    /// A member whose link somebody comes across: those who joined early have been passed on more.
    pub(super) fn somebody(&self, dice: &mut Dice) -> Option<Person> {
        let known = u64::try_from(self.members.len()).unwrap_or_default();
        let reach = dice.below(known) + 1;
        let at = usize::try_from(dice.below(reach)).unwrap_or_default();
        self.members.get(at).copied()
    }

    /// When something that happens every `mean` of busy and idle time together happens next.
    pub(super) fn next(&self, rhythm: Rhythm, at: Millis, mean: i64, dice: &mut Dice) -> Millis {
        let (busy, average): (fn(i64) -> u64, i64) = match rhythm {
            Rhythm::Waking => (busy_percent, 53),
            Rhythm::Work => (work_percent, 28),
            Rhythm::Opening => (opening_percent, 32),
        };
        let mut next = at.0;
        loop {
            next += dice.wait(mean * average / 100).max(1);
            if dice.below(100) < busy(next + self.offset_ms) {
                return Millis(next);
            }
        }
    }

    /// The hour of the creator's clock.
    pub(super) fn hour(&self, at: Millis) -> usize {
        day_and_hour(at.0 + self.offset_ms).1
    }

    /// How many of a thousand honest agents are of the cohort.
    pub(super) const fn cohort_permille(&self, cohort: Cohort) -> u64 {
        match (cohort, self.trade) {
            (Cohort::RefundHeavy, Trade::Fashion) => 400,
            (Cohort::Ordinary, Trade::Fashion) => 230,
            (Cohort::Reseller, Trade::Marketplace) => 20,
            (Cohort::Newsletter, Trade::Community) => 16,
            (Cohort::SharedTablet, Trade::Community) => 20,
            (Cohort::Ordinary, _) => 530,
            (Cohort::Household, _) => 160,
            (Cohort::FamilyCard, _) => 40,
            (Cohort::Office, _) => 12,
            (Cohort::CarrierNat, _) => 2,
            (Cohort::Commuter, _) => 60,
            (Cohort::VpnUser, _) => 44,
            (Cohort::SharedTablet, _) => 8,
            (Cohort::Newsletter | Cohort::Reseller, _) => 6,
            (Cohort::RefundHeavy, _) => 70,
            (Cohort::FastBuyer, _) => 62,
        }
    }

    /// What the programme draws: those who pay for signups draw robots, those who sell dear things thieves.
    pub(super) const fn family_weight(&self, family: Family) -> u64 {
        match (family, self.trade) {
            (Family::BotFixed | Family::BotJittered | Family::BotPoisson | Family::ClickFarm, Trade::Software)
            | (Family::StolenCards, Trade::Marketplace | Trade::Software)
            | (Family::BuyAndReturn, Trade::Fashion)
            | (Family::CookieStuffing, Trade::Shop)
            | (Family::AccountRing, Trade::Community) => 3,
            (Family::SelfPlain | Family::SelfSecondDevice, _) => 2,
            (
                Family::SelfVpn
                | Family::ClickFarm
                | Family::BotFixed
                | Family::BotJittered
                | Family::BotPoisson
                | Family::CookieStuffing
                | Family::BuyAndReturn
                | Family::StolenCards
                | Family::AccountRing
                | Family::LowAndSlow,
                _,
            ) => 1,
        }
    }
}

fn policy(trade: Trade, derived: bool, (rate_bp, hold_days): (i64, i64), factor: i64) -> CommissionPolicy {
    let pays_leads = derived && trade == Trade::Software;
    let on = vec![ConversionKind::Signup, ConversionKind::Purchase, ConversionKind::Renewal];
    CommissionPolicy {
        source: Some(if derived { CommissionSource::Derived } else { CommissionSource::Producer }),
        rate_bp: derived.then_some(rate_bp),
        flat_amount: pays_leads.then_some(factor * 3 / 2),
        on: if pays_leads { on } else { Vec::new() },
        hold_days: Some(hold_days),
    }
}

fn work_percent(local_ms: i64) -> u64 {
    let (day, hour) = day_and_hour(local_ms);
    match (day, hour) {
        (0..=4, 8..=17) => 90,
        (0..=4, 7 | 18) => 35,
        _ => 1,
    }
}

fn opening_percent(local_ms: i64) -> u64 {
    let (day, hour) = day_and_hour(local_ms);
    if day < 6 && (9..=18).contains(&hour) { 90 } else { 0 }
}
