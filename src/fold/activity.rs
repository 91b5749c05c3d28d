//! On which days a member was active: streaks, active members, retention (SEMANTICS §9).
//!
//! Activities are counted by member and day, so that taking one back is exact. The newest week stands in the member,
//! older ones are closed. Days, weeks (Monday first) and months are those of the creator's calendar as it was when
//! the activity was booked.

use bytemuck::Zeroable;

use super::Turn;
use super::calendar::{self, month_of, week_start};
use super::records::{ActiveKey, ActiveWeek, Activity, MemberDayKey, MemberKey, NO_SLOT};
use super::state::FOR_EVER;
use crate::ids::Millis;

/// What members are counted under; the `kind` of an [`ActiveKey`].
pub mod kind {
    /// Periods are days since 1970.
    pub const DAY: u32 = 0;
    /// Periods are the Mondays of the weeks, in days since 1970.
    pub const WEEK: u32 = 1;
    /// Periods are months since year 0.
    pub const MONTH: u32 = 2;
    /// Members who joined in a month since year 0, by months since; age −1 is all of them.
    pub const COHORT: u32 = 3;
}

/// The age under which all who joined are counted.
pub const JOINED: i32 = -1;

/// The week of a day, and the day within it, Monday first.
const fn week_of(day: i32) -> (i32, i32) {
    let week = calendar::week_of(day);
    (week, day - week_start(week))
}

impl ActiveWeek {
    fn day_mut(&mut self, weekday: i32) -> Option<&mut i32> {
        self.days.get_mut(usize::try_from(weekday).ok()?)
    }

    fn is_active(&self, weekday: i32) -> bool {
        usize::try_from(weekday).ok().and_then(|day| self.days.get(day)).is_some_and(|count| *count > 0)
    }

    /// Adds, and says whether the day is active now if that is new.
    fn add(&mut self, weekday: i32, by: i32) -> Option<bool> {
        let count = self.day_mut(weekday)?;
        let was_active = *count > 0;
        *count = count.saturating_add(by);
        let is_active = *count > 0;
        (was_active != is_active).then_some(is_active)
    }
}

impl Activity {
    /// Of a member that has just been made.
    pub(super) const fn none() -> Self {
        Self {
            week: NO_SLOT,
            of_week: ActiveWeek { days: [0; 7] },
            first: i32::MAX,
            month: NO_SLOT,
            of_month: 0,
            end: NO_SLOT,
            length: 0,
            best: 0,
            joined: NO_SLOT,
        }
    }
}

/// Days.
impl Turn<'_> {
    /// A share, a human click or a credited conversion on the creator's `day`; `by` is −1 where it is taken back.
    pub(super) fn active(&mut self, n: u32, day: i32, by: i64) {
        let by = i32::try_from(by).unwrap_or_default();
        let (week, weekday) = week_of(day);
        let activity = self.activity_mut(n);
        // Most are active again on a day on which they were.
        let turned = if week == activity.week { activity.of_week.add(weekday, by) } else { self.add(n, day, by) };
        if let Some(is_active) = turned {
            self.count_day(n, day, is_active);
            self.run(n, day, is_active);
            self.member_mut(n);
        }
    }

    /// In a week that is not the open one.
    fn add(&mut self, n: u32, day: i32, by: i32) -> Option<bool> {
        let (week, weekday) = week_of(day);
        let key = |week: i32| MemberDayKey { creator: self.c, n, day: week };
        let (this, open) = (key(week), self.activity(n).week);
        if week < open {
            return self.state.active_weeks.entry(&this, Millis(0), FOR_EVER).add(weekday, by);
        }
        let before = (key(open), self.activity(n).of_week);
        if before.1 != ActiveWeek::default() {
            self.state.active_weeks.put(&before.0, before.1, Millis(0));
        }
        let activity = self.activity_mut(n);
        (activity.week, activity.of_week) = (week, ActiveWeek::zeroed());
        activity.of_week.add(weekday, by)
    }

    fn activity(&self, n: u32) -> &Activity {
        &self.member(n).activity
    }

    /// Without marking the member's row: no activity of a day but the first and the last shows in it.
    fn activity_mut(&mut self, n: u32) -> &mut Activity {
        let key = MemberKey { creator: self.c, n };
        let member = self.state.members.get_mut(&key, FOR_EVER).expect("ordinals are given out with the member");
        &mut member.activity
    }

    fn week(&self, n: u32, week: i32) -> ActiveWeek {
        let activity = self.activity(n);
        if week == activity.week {
            return activity.of_week;
        }
        let key = MemberDayKey { creator: self.c, n, day: week };
        self.state.active_weeks.get(&key, FOR_EVER).unwrap_or_default()
    }

    fn is_active(&self, n: u32, day: i32) -> bool {
        let (week, weekday) = week_of(day);
        self.week(n, week).is_active(weekday)
    }

    /// The days on which the member was active, in order.
    fn active_days(&self, n: u32) -> Vec<i32> {
        let activity = self.activity(n);
        if activity.week == NO_SLOT {
            return Vec::new();
        }
        self.active_between(n, activity.first, week_start(activity.week) + 6)
    }

    /// `to` is one of the days.
    fn active_between(&self, n: u32, from: i32, to: i32) -> Vec<i32> {
        let mut days = Vec::new();
        for week in week_of(from).0..=week_of(to).0 {
            let of_week = self.week(n, week);
            let active = (0..7).filter(|weekday| of_week.is_active(*weekday)).map(|weekday| week_start(week) + weekday);
            days.extend(active.filter(|day| (from..=to).contains(day)));
        }
        days
    }
}

/// Members by day, week and month, and by cohort.
impl Turn<'_> {
    /// The member became active on a day, or ceased to be.
    fn count_day(&mut self, n: u32, day: i32, is_active: bool) {
        let by = if is_active { 1 } else { -1 };
        self.tally(kind::DAY, day, 0, by);
        let (week, weekday) = week_of(day);
        let of_week = self.week(n, week);
        if !(0..7).any(|other| other != weekday && of_week.is_active(other)) {
            self.tally(kind::WEEK, week_start(week), 0, by);
        }
        let month = month_of(day);
        if self.turns_month(n, (day, month), by) {
            self.tally(kind::MONTH, month, 0, by);
            let joined = self.activity(n).joined;
            self.tally_age(joined, month, by);
        }
    }

    /// Whether it is the month's first active day, or was its last one.
    fn turns_month(&mut self, n: u32, (day, month): (i32, i32), by: i32) -> bool {
        let activity = self.activity_mut(n);
        activity.first = activity.first.min(day);
        if month < activity.month {
            // A month has 31 days at most: those of its neighbours are left out.
            let days = self.active_between(n, day - 30, day + 30);
            return !days.into_iter().any(|other| other != day && month_of(other) == month);
        }
        if month > activity.month {
            (activity.month, activity.of_month) = (month, 0);
        }
        activity.of_month += by;
        activity.of_month == i32::from(by > 0)
    }

    fn tally_age(&mut self, joined: i32, month: i32, by: i32) {
        if joined != NO_SLOT && month >= joined {
            self.tally(kind::COHORT, joined, month - joined, by);
        }
    }

    fn tally(&mut self, kind: u32, period: i32, age: i32, by: i32) {
        let key = ActiveKey { creator: self.c, kind, period, age };
        self.state.active.entry(&key, Millis(0), FOR_EVER).members += i64::from(by);
        self.effects.slow.active.insert(key, self.at);
    }

    /// The member's time of joining was stated, or guessed when it was made; `before` is what it was.
    pub(super) fn joined(&mut self, n: u32, before: i64) {
        let now = self.profile(n).joined_at;
        let known = self.activity(n).joined;
        if known != NO_SLOT && now == before {
            return;
        }
        let month = month_of(self.booked_day(Millis(now)));
        if month == known {
            return;
        }
        let mut months: Vec<i32> = self.active_days(n).into_iter().map(month_of).collect();
        months.dedup();
        for (joined, by) in [(known, -1), (month, 1)] {
            if joined == NO_SLOT {
                continue;
            }
            self.tally(kind::COHORT, joined, JOINED, by);
            for active in &months {
                self.tally_age(joined, *active, by);
            }
        }
        self.activity_mut(n).joined = month;
    }
}

/// Streaks.
impl Turn<'_> {
    fn run(&mut self, n: u32, day: i32, is_active: bool) {
        if !is_active {
            return self.recount_runs(n);
        }
        let Activity { end, length, .. } = *self.activity(n);
        let (end, length) = if end == NO_SLOT || day > end + 1 {
            (day, 1)
        } else if day == end + 1 {
            (day, length + 1)
        } else if day == end - length {
            (end, length + 1 + self.run_before(n, day))
        } else {
            // A run of its own, or one that joins others, before the last.
            let after = (day + 1..).take_while(|day| self.is_active(n, *day)).count();
            let run = 1 + self.run_before(n, day) + i32::try_from(after).unwrap_or_default();
            let activity = self.activity_mut(n);
            activity.best = activity.best.max(run);
            (end, length)
        };
        let activity = self.activity_mut(n);
        (activity.end, activity.length) = (end, length);
        activity.best = activity.best.max(length);
    }

    /// Length of the run that ends on the day before.
    fn run_before(&self, n: u32, day: i32) -> i32 {
        let before = (i32::MIN..day).rev().take_while(|day| self.is_active(n, *day)).count();
        i32::try_from(before).unwrap_or_default()
    }

    fn recount_runs(&mut self, n: u32) {
        let (mut end, mut length, mut best) = (NO_SLOT, 0, 0);
        for day in self.active_days(n) {
            length = if end != NO_SLOT && day == end + 1 { length + 1 } else { 1 };
            end = day;
            best = best.max(length);
        }
        let activity = self.activity_mut(n);
        (activity.end, activity.length, activity.best) = (end, length, best);
    }
}
