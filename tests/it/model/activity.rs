//! On which days members were active: streaks, active members, cohorts (SEMANTICS §9).

use std::collections::{BTreeMap, BTreeSet};

use tributary::ids::Millis;
use tributary::project::tables::month_of;

use super::history::{Creator, DAY};

/// Months since year 0 of a day since 1970.
fn month(day: i64) -> i64 {
    month_of(Millis(day * DAY)).into()
}

impl Creator<'_> {
    /// The creator's days, by the zones in force when they were booked, with a share, a human click or a credited
    /// conversion of the member.
    fn active_days(&self, member: usize) -> BTreeSet<i64> {
        let shares = self.shares.iter().filter(|share| share.member == member).map(|share| share.local_day);
        let clicks = self.clicks.iter().filter(|click| click.member == member && click.human);
        let is_theirs = |conversion: &&super::history::Conversion<'_>| {
            conversion.credit.members().contains(&member) && !self.is_blocked(conversion.id())
        };
        let sales = self.conversions.iter().filter(is_theirs);
        shares.chain(clicks.map(|click| click.local_day)).chain(sales.map(|sale| sale.local_day)).collect()
    }

    /// End and length of the last run of days, and the length of the longest.
    pub(crate) fn streak(&self, member: usize) -> (i64, i64, i64) {
        let (mut end, mut length, mut best) = (0, 0, 0);
        for day in self.active_days(member) {
            length = if length > 0 && day == end + 1 { length + 1 } else { 1 };
            end = day;
            best = best.max(length);
        }
        (end, length, best)
    }

    /// Members active in each day, week (named by its Monday) and month, and in months after they joined: age −1 is
    /// all who joined. By table and place.
    pub(crate) fn activity(&self) -> BTreeMap<(&'static str, String), i64> {
        let mut counts = BTreeMap::new();
        for (m, member) in self.members.iter().enumerate() {
            let days = self.active_days(m);
            let joined = month(member.joined_day);
            let weeks: BTreeSet<i64> = days.iter().map(|day| day - (day + 3).rem_euclid(7)).collect();
            let months: BTreeSet<i64> = days.iter().map(|day| month(*day)).collect();
            let mut places: Vec<(&'static str, String)> = vec![("cohort", format!("of {joined} at -1"))];
            places.extend(days.iter().map(|day| ("active", format!("in days {day}"))));
            places.extend(weeks.iter().map(|week| ("active", format!("in weeks {week}"))));
            places.extend(months.iter().map(|month| ("active", format!("in months {month}"))));
            let after = months.iter().filter(|month| **month >= joined);
            places.extend(after.map(|month| ("cohort", format!("of {joined} at {}", month - joined))));
            places.into_iter().for_each(|place| *counts.entry(place).or_default() += 1);
        }
        counts
    }
}
