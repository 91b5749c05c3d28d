//! Which board is asked for: the reader's today in the creator's zone tells its period.

use serde::Serialize;

use crate::fold::boards::{BoardKey, Measure, Metric, Window};
use crate::ids::{Currency, Millis};
use crate::project::rows::{CreatorRow, MemberRow, MemberState};
use crate::project::scores::Held;
use crate::web::calendar::Zone;
use crate::web::problem::Problem;
use crate::web::query::Query;

/// A board, and the days whose figures it ranks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::web::read) struct Asked {
    pub(in crate::web::read) metric: Metric,
    pub(in crate::web::read) window: Window,
    pub(in crate::web::read) key: BoardKey,
    pub(super) currency: Currency,
    is_previous: bool,
    pub(super) today: i32,
}

/// What an answer says of its board.
#[derive(Debug, Serialize)]
pub(in crate::web::read) struct About {
    metric: &'static str,
    window: &'static str,
    period: &'static str,
    /// First and last local day; null for all of time.
    from: Option<String>,
    to: Option<String>,
    /// Of the values, where they are money.
    currency: Option<String>,
    /// Everything up to `to` is in it; until then it is on its way there.
    ready: bool,
}

const WINDOWS: [&str; 6] = ["all", "day", "week", "month", "rolling7", "rolling30"];

impl Asked {
    pub(in crate::web::read) fn new(creator: &CreatorRow, now: Millis, query: &Query) -> Result<Self, Problem> {
        Self::parse((&creator.time_zone, creator.currency), now, query)
    }

    pub(super) fn parse((zone, currency): (&str, Currency), now: Millis, query: &Query) -> Result<Self, Problem> {
        let metric = query.get("metric").unwrap_or("earnings");
        let metrics = || Metric::ALL.into_iter().map(Metric::name).collect();
        let metric = Metric::parse(metric)
            .ok_or_else(|| Problem::not_kept(format!("there is no board by `{metric}`"), metrics()))?;
        let window = query.get("window").unwrap_or("all");
        let window = Window::parse(window).ok_or_else(|| {
            Problem::not_kept(format!("there is no board of the window `{window}`"), WINDOWS.to_vec())
        })?;
        let is_previous = match query.get("period").unwrap_or("current") {
            "current" => false,
            "previous" if window.is_calendar() => true,
            "previous" => {
                let detail = format!("the window `{}` has no periods", window.name());
                return Err(Problem::not_kept(detail, vec!["current"]));
            }
            _ => return Err(Problem::parameter("period", "`period` must be current or previous")),
        };
        Ok(Self::of((metric, window, is_previous), (zone, currency), now))
    }

    /// The current board of all time.
    pub(in crate::web::read) fn all_time(metric: Metric, creator: &CreatorRow, now: Millis) -> Self {
        Self::of((metric, Window::All, false), (&creator.time_zone, creator.currency), now)
    }

    fn of(
        (metric, window, is_previous): (Metric, Window, bool),
        (zone, currency): (&str, Currency),
        now: Millis,
    ) -> Self {
        let today = Zone::of_creator(zone).day(now);
        let period = window.period(today) - i32::from(is_previous);
        let key = BoardKey { measure: Measure::new(metric, currency), window, period };
        Self { metric, window, key, currency, is_previous, today }
    }

    /// `rolled_to`: rolling windows hold the days before it.
    pub(in crate::web::read) fn about(&self, rolled_to: Option<i32>) -> About {
        let rolled_to = rolled_to.unwrap_or(self.today);
        let span = match self.window {
            Window::All => None,
            Window::Day | Window::Week | Window::Month => {
                Some((self.window.first_day(self.key.period), self.window.first_day(self.key.period + 1) - 1))
            }
            Window::Rolling7 => Some((rolled_to - 7, rolled_to - 1)),
            Window::Rolling30 => Some((rolled_to - 30, rolled_to - 1)),
        };
        About {
            metric: self.metric.name(),
            window: self.window.name(),
            period: if self.is_previous { "previous" } else { "current" },
            from: span.map(|(first, _)| date(first)),
            to: span.map(|(_, last)| date(last)),
            currency: self.metric.is_money().then(|| self.currency.as_str().to_owned()),
            ready: true,
        }
    }

    /// What a member holds on the board; nothing if it does not stand there.
    pub(in crate::web::read) fn held(&self, member: &MemberRow) -> Held {
        if member.status != MemberState::Active {
            return Held::default();
        }
        let score = member.scores.iter().find(|score| score.measure == self.key.measure);
        score.map_or_else(Held::default, |score| score.in_window(self.window, self.key.period))
    }

    pub(super) const fn is_rolling(&self) -> bool {
        match self.window {
            Window::Rolling7 | Window::Rolling30 => true,
            Window::All | Window::Day | Window::Week | Window::Month => false,
        }
    }

    /// So long after the last sweep that no day of the windows has anything: each day with a booking has been swept.
    pub(super) const fn is_long_past(&self, rolled_to: i32) -> bool {
        self.today > rolled_to + 31
    }
}

impl About {
    /// Of two creators' boards together; their calendars may differ.
    pub(super) fn and(self, other: Option<Self>) -> Self {
        let Some(other) = other else { return self };
        let same = |a: Option<String>, b: Option<String>| a.filter(|a| b.as_ref() == Some(a));
        Self {
            from: same(self.from, other.from),
            to: same(self.to, other.to),
            ready: self.ready && other.ready,
            ..self
        }
    }

    pub(super) const fn not_ready(mut self) -> Self {
        self.ready = false;
        self
    }
}

fn date(day: i32) -> String {
    let at = jiff::Timestamp::from_millisecond(i64::from(day) * Millis::DAY).unwrap_or_default();
    jiff::tz::Offset::UTC.to_datetime(at).date().to_string()
}
