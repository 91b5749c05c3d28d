//! Boards: members of a creator in the order of a figure (SEMANTICS §10, READS §5).
//!
//! What rows and readers share stands here: the names of metrics and windows, the periods of a calendar. `Ranks` keeps,
//! for programmes too large to be put in order on reading, how many members hold each value and who stands at the top:
//! a cache, made from the scores whenever it is missing.

mod changes;
mod map;
mod ranks;
mod top;

pub use changes::{BoardChanges, Passed};
pub use map::{CountMap, PAGE_VALUES_MAX, Page, PageHead, WHOLE_BITS};
pub use ranks::{Board, BoardKey, Kept, Ranks, Settled};
pub use top::{Order, Place, TOP};

use super::calendar;
use super::records::{Cell, CurrencyCode, Score};
use crate::ids::Currency;

/// Up to so many members ever made, boards are put in order on reading, and no rows are kept for them.
pub const SMALL: u32 = 1_024;

/// What members are ranked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Metric {
    /// Commission net, held included.
    Earnings,
    /// Credited revenue net.
    Revenue,
    Referrals,
    Customers,
    /// By humans.
    Clicks,
    Shares,
}

impl Metric {
    pub const ALL: [Self; 6] =
        [Self::Earnings, Self::Revenue, Self::Referrals, Self::Customers, Self::Clicks, Self::Shares];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Earnings => "earnings",
            Self::Revenue => "revenue",
            Self::Referrals => "referrals",
            Self::Customers => "customers",
            Self::Clicks => "clicks",
            Self::Shares => "shares",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == text)
    }

    pub const fn is_money(self) -> bool {
        match self {
            Self::Earnings | Self::Revenue => true,
            Self::Referrals | Self::Customers | Self::Clicks | Self::Shares => false,
        }
    }

    /// As kept in keys; 0 is none.
    const fn number(self) -> u32 {
        match self {
            Self::Earnings => 1,
            Self::Revenue => 2,
            Self::Referrals => 3,
            Self::Customers => 4,
            Self::Clicks => 5,
            Self::Shares => 6,
        }
    }

    /// Its bit in `Member::scored`.
    pub(super) const fn bit(self) -> u8 {
        1 << self.number()
    }
}

/// A metric, and for money its currency: each currency is a figure of its own, so that nothing is ever added across
/// them and a change of the creator's currency moves nothing that was booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Measure(pub u32);

impl Measure {
    pub fn count(metric: Metric) -> Self {
        Self(metric.number())
    }

    pub fn money(metric: Metric, currency: Currency) -> Self {
        let [a, b, c] = currency.0;
        Self(u32::from_be_bytes([a, b, c, 0]) | metric.number())
    }

    /// Counts have no currency.
    pub fn new(metric: Metric, currency: Currency) -> Self {
        if metric.is_money() { Self::money(metric, currency) } else { Self::count(metric) }
    }

    pub fn metric(self) -> Option<Metric> {
        Metric::ALL.into_iter().find(|metric| metric.number() == self.0 & 0xff)
    }

    /// All figures that a member can have, given the currencies of its money.
    pub fn all(currencies: impl Iterator<Item = CurrencyCode>) -> impl Iterator<Item = Self> {
        let counts = Metric::ALL.into_iter().filter(|metric| !metric.is_money()).map(Self::count);
        let money = currencies
            .map(Currency::from)
            .flat_map(|currency| [Self::money(Metric::Earnings, currency), Self::money(Metric::Revenue, currency)]);
        counts.chain(money)
    }
}

/// The span of days whose figures a board ranks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Window {
    All,
    Day,
    /// From Monday.
    Week,
    Month,
    /// The complete days before today.
    Rolling7,
    Rolling30,
}

impl Window {
    pub const ALL: [Self; 6] = [Self::All, Self::Day, Self::Week, Self::Month, Self::Rolling7, Self::Rolling30];

    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Rolling7 => "rolling7",
            Self::Rolling30 => "rolling30",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|window| window.name() == text)
    }

    /// As kept in keys.
    pub const fn number(self) -> i64 {
        match self {
            Self::All => 0,
            Self::Day => 1,
            Self::Week => 2,
            Self::Month => 3,
            Self::Rolling7 => 4,
            Self::Rolling30 => 5,
        }
    }

    /// The period that holds `day`; windows that move with the day have one board, whose period is 0.
    pub fn period(self, day: i32) -> i32 {
        match self {
            Self::All | Self::Rolling7 | Self::Rolling30 => 0,
            Self::Day => day,
            Self::Week => calendar::week_of(day),
            Self::Month => calendar::month_of(day),
        }
    }

    /// The first day of a period.
    pub fn first_day(self, period: i32) -> i32 {
        match self {
            Self::All | Self::Rolling7 | Self::Rolling30 => 0,
            Self::Day => period,
            Self::Week => calendar::week_start(period),
            Self::Month => calendar::month_start(period),
        }
    }

    /// Whether its boards are of one period each.
    pub const fn is_calendar(self) -> bool {
        match self {
            Self::Day | Self::Week | Self::Month => true,
            Self::All | Self::Rolling7 | Self::Rolling30 => false,
        }
    }

    /// Whether a board still changes when `today` is the newest day: the current period and the two before it, one
    /// for the board of the previous period and one because a reader may be a few minutes behind the clock.
    pub fn is_kept(self, period: i32, today: i32) -> bool {
        !self.is_calendar() || period >= self.period(today) - 2
    }
}

/// What a board ranks of a score: window, period and value of every cell, zeros and cells that are not kept left out.
pub fn values(score: &Score, today: i32) -> impl Iterator<Item = (Window, i32, Cell)> {
    let cells = cells(score).filter(move |(window, period, _)| window.is_kept(*period, today));
    let is_on = score.off == 0;
    cells.filter(move |(_, _, cell)| is_on && cell.value > 0)
}

/// Every cell of a score with its window and period.
pub fn cells(score: &Score) -> impl Iterator<Item = (Window, i32, Cell)> {
    let [d0, d1, d2] = score.days.map(|day| day.cell);
    let ([w0, w1, w2], [m0, m1, m2]) = (score.weeks, score.months);
    let (day, week, month) = (score.day, calendar::week_of(score.day), calendar::month_of(score.day));
    [
        (Window::All, 0, score.all),
        (Window::Day, day, d0),
        (Window::Day, day - 1, d1),
        (Window::Day, day - 2, d2),
        (Window::Week, week, w0),
        (Window::Week, week - 1, w1),
        (Window::Week, week - 2, w2),
        (Window::Month, month, m0),
        (Window::Month, month - 1, m1),
        (Window::Month, month - 2, m2),
        (Window::Rolling7, 0, score.seven),
        (Window::Rolling30, 0, score.thirty),
    ]
    .into_iter()
}
