//! Local calendars: where the minutes, hours, days and longer periods of a zone begin and end.
//!
//! The zone table is part of the program, the same that the fold uses. An hour begins where the local hour or the
//! offset changes: a repeated hour is two, a skipped one none. Longer periods begin at the first instant of the local
//! day that opens them, whatever its clock says then.

use jiff::civil::Date;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{Timestamp, ToSpan};

use crate::ids::Millis;

/// Quarter hours of UTC compose the hours and days of every zone (the offsets since 2000 are multiples of it).
pub const QUARTER: i64 = 15 * Millis::MINUTE;

/// `[from, to)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub from: Millis,
    pub to: Millis,
}

/// The length of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interval {
    Minute,
    Hour,
    Day,
    /// From Monday on.
    Week,
    Month,
    Quarter,
    Year,
}

/// A period of the calendar, as far as it lies in the range asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    pub span: Span,
    /// The range cuts it: it is longer than `span`.
    pub partial: bool,
    /// What it is called in its zone: `2026-03-08T01:00-05:00`, `2026-03-08`, `2026-W10`, `2026-03`, `2026-Q1`, `2026`.
    pub label: String,
}

/// An IANA time zone.
#[derive(Debug, Clone)]
pub struct Zone {
    zone: TimeZone,
    name: String,
}

impl Span {
    pub const fn length(self) -> i64 {
        self.to.0 - self.from.0
    }

    pub fn contains(self, instant: Millis) -> bool {
        self.from <= instant && instant < self.to
    }

    /// Whether all of `inner` lies in it.
    pub fn covers(self, inner: Self) -> bool {
        self.from <= inner.from && inner.to <= self.to
    }

    /// What both have in common; empty where they have nothing.
    pub fn and(self, other: Self) -> Self {
        let from = self.from.max(other.from);
        Self { from, to: self.to.min(other.to).max(from) }
    }

    pub fn is_empty(self) -> bool {
        self.from >= self.to
    }
}

impl Interval {
    pub const ALL: [Self; 7] =
        [Self::Minute, Self::Hour, Self::Day, Self::Week, Self::Month, Self::Quarter, Self::Year];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|interval| interval.name() == name)
    }

    /// Bounds of a range lie on it.
    pub const fn grid(self) -> i64 {
        match self {
            Self::Minute => Millis::MINUTE,
            Self::Hour | Self::Day | Self::Week | Self::Month | Self::Quarter | Self::Year => QUARTER,
        }
    }

    /// The longest range in days.
    pub const fn days_max(self) -> i64 {
        match self {
            Self::Minute => 1,
            Self::Hour => 31,
            Self::Day => 732,
            Self::Week | Self::Month => 3_660,
            Self::Quarter | Self::Year => 10_980,
        }
    }

    /// The date that opens the period of `date`; of its own day for what is no longer than a day.
    fn opening(self, date: Date) -> Date {
        match self {
            Self::Minute | Self::Hour | Self::Day => date,
            Self::Week => date.saturating_sub(i64::from(date.weekday().to_monday_zero_offset()).days()),
            Self::Month => date.first_of_month(),
            Self::Quarter => {
                let month = (date.month() - 1) / 3 * 3 + 1;
                Date::new(date.year(), month, 1).expect("every year has the months 1, 4, 7 and 10")
            }
            Self::Year => date.first_of_year(),
        }
    }

    /// The date that opens the period after the one that `opening` opens.
    fn following(self, opening: Date) -> Date {
        opening.saturating_add(match self {
            Self::Minute | Self::Hour | Self::Day => 1.day(),
            Self::Week => 7.days(),
            Self::Month => 1.month(),
            Self::Quarter => 3.months(),
            Self::Year => 1.year(),
        })
    }
}

impl Zone {
    /// By its IANA name, without regard to case; `None` if the built-in table has no such zone.
    pub fn get(name: &str) -> Option<Self> {
        let zone = jiff::tz::db().get(name).ok().filter(|zone| !zone.is_unknown())?;
        let name = zone.iana_name().unwrap_or(name).to_owned();
        Some(Self { zone, name })
    }

    pub fn utc() -> Self {
        Self { zone: TimeZone::UTC, name: "UTC".to_owned() }
    }

    /// A creator's own: the fold admits none that the table has not.
    pub fn of_creator(name: &str) -> Self {
        Self::get(name).unwrap_or_else(Self::utc)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The local day at `t`, in days since 1970.
    pub fn day(&self, t: Millis) -> i32 {
        i32::try_from((t.0 + self.offset_ms(t)).div_euclid(Millis::DAY)).unwrap_or_default()
    }

    /// The periods of `interval` that `range` touches, cut by it, in order: together they are `range`.
    pub fn buckets(&self, range: Span, interval: Interval) -> Vec<Bucket> {
        let mut buckets = Vec::new();
        let mut next = range.from;
        while next < range.to {
            let whole = self.around(next, interval);
            let span = whole.and(range);
            buckets.push(Bucket { span, partial: span != whole, label: self.label(whole.from, interval) });
            next = span.to;
        }
        buckets
    }

    /// The period that `t` lies in.
    pub fn around(&self, t: Millis, interval: Interval) -> Span {
        match interval {
            Interval::Minute => {
                let from = t.0.div_euclid(Millis::MINUTE) * Millis::MINUTE;
                Span { from: Millis(from), to: Millis(from + Millis::MINUTE) }
            }
            Interval::Hour => self.hour_around(t),
            Interval::Day | Interval::Week | Interval::Month | Interval::Quarter | Interval::Year => {
                self.days_around(t, interval)
            }
        }
    }

    fn hour_around(&self, t: Millis) -> Span {
        let offset = self.offset_ms(t);
        let from = Millis((t.0 + offset).div_euclid(Millis::HOUR) * Millis::HOUR - offset);
        let to = Millis(from.0 + Millis::HOUR);
        // A change of the offset inside the hour cuts it.
        let mut before = self.zone.preceding(timestamp(Millis(t.0 + 1))).map(|change| instant(change.timestamp()));
        let began = before.find(|at| *at <= from || self.changes_at(*at)).filter(|at| *at > from);
        let mut after = self.zone.following(timestamp(t)).map(|change| instant(change.timestamp()));
        let ended = after.find(|at| *at >= to || self.changes_at(*at)).filter(|at| *at < to);
        Span { from: began.unwrap_or(from), to: ended.unwrap_or(to) }
    }

    fn days_around(&self, t: Millis, interval: Interval) -> Span {
        let mut opening = interval.opening(self.date(t));
        loop {
            let next = interval.following(opening);
            let to = self.start_of(next);
            // The clock may go back over midnight: the date falls, but the next day has begun.
            if to > t || next == opening {
                return Span { from: self.start_of(opening), to };
            }
            opening = next;
        }
    }

    /// The first instant of the local day `date`, or of the first that follows where the zone skips it.
    pub fn start_of(&self, date: Date) -> Millis {
        let midnight = self.zone.to_ambiguous_timestamp(date.at(0, 0, 0, 0));
        let is_skipped = matches!(midnight.offset(), AmbiguousOffset::Gap { .. });
        // Midnight that comes twice is the first of the two; one that is skipped, as late as if the clock went on.
        let start = midnight.compatible().map_or(Millis(i64::MAX), instant);
        if !is_skipped {
            return start;
        }
        // What jumps over midnight may jump from before it.
        let jump = self.zone.preceding(timestamp(Millis(start.0 + 1))).next();
        jump.map_or(start, |jump| instant(jump.timestamp()))
    }

    /// The local date at `t`.
    pub fn date(&self, t: Millis) -> Date {
        self.zone.to_datetime(timestamp(t)).date()
    }

    fn offset(&self, t: Millis) -> Offset {
        self.zone.to_offset(timestamp(t))
    }

    fn offset_ms(&self, t: Millis) -> i64 {
        i64::from(self.offset(t).seconds()) * Millis::SECOND
    }

    /// Zones also change their names alone.
    fn changes_at(&self, at: Millis) -> bool {
        self.offset(at) != self.offset(Millis(at.0 - 1))
    }

    fn label(&self, start: Millis, interval: Interval) -> String {
        let at = self.zone.to_datetime(timestamp(start));
        let date = interval.opening(at.date());
        let year = date.year();
        match interval {
            Interval::Minute | Interval::Hour => {
                let offset = self.offset(start).seconds() / 60;
                let sign = if offset < 0 { '-' } else { '+' };
                let (hours, minutes) = (offset.abs() / 60, offset.abs() % 60);
                format!("{date}T{:02}:{:02}{sign}{hours:02}:{minutes:02}", at.hour(), at.minute())
            }
            Interval::Day => date.to_string(),
            Interval::Week => {
                let week = date.iso_week_date();
                format!("{:04}-W{:02}", week.year(), week.week())
            }
            Interval::Month => format!("{year:04}-{:02}", date.month()),
            Interval::Quarter => format!("{year:04}-Q{}", (date.month() - 1) / 3 + 1),
            Interval::Year => format!("{year:04}"),
        }
    }
}

/// Times that are asked for lie between 1970 and 2200, and those that are computed from them not far beyond.
fn timestamp(t: Millis) -> Timestamp {
    Timestamp::from_millisecond(t.0).unwrap_or_default()
}

fn instant(timestamp: Timestamp) -> Millis {
    Millis(timestamp.as_millisecond())
}
