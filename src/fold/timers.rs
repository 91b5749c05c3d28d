//! Timers of a creator: what is due once its watermark gets there (SEMANTICS §1, §3, §6, §8).
//!
//! A timer hangs in the list of its hour; `Creator::next_due` is never later than the first of them.

use super::Turn;
use super::records::{HourKey, SeqKey, Timer, TimerHour};
use super::state::FOR_EVER;
use crate::ids::Millis;
use crate::keep::Id128;

/// What a timer is for; kept in the record by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Credit stops waiting.
    Credit,
    /// A parked record that never found what it refers to.
    Park,
    /// A derived commission may be paid.
    Commission,
    /// A review expires.
    ConversionReview,
    CommissionReview,
    /// A review that the score asks for was not made in time.
    ConversionWaits,
    CommissionWaits,
    /// An entry of a list expires.
    List,
    /// A click's review expires.
    ClickReview,
}

impl Due {
    const fn number(self) -> u64 {
        match self {
            Self::Credit => 1,
            Self::Park => 2,
            Self::Commission => 3,
            Self::ConversionReview => 4,
            Self::CommissionReview => 5,
            Self::ConversionWaits => 6,
            Self::CommissionWaits => 7,
            Self::List => 8,
            Self::ClickReview => 9,
        }
    }

    const fn of_number(number: u64) -> Option<Self> {
        match number {
            1 => Some(Self::Credit),
            2 => Some(Self::Park),
            3 => Some(Self::Commission),
            4 => Some(Self::ConversionReview),
            5 => Some(Self::CommissionReview),
            6 => Some(Self::ConversionWaits),
            7 => Some(Self::CommissionWaits),
            8 => Some(Self::List),
            9 => Some(Self::ClickReview),
            _ => None,
        }
    }
}

/// How far ahead the next timer is looked for; beyond, the search goes on when the watermark is there.
const SEARCH_HOURS: i64 = 48;

impl Turn<'_> {
    /// Fires in order of `due`, then in the order in which they were set.
    pub(super) fn set_timer(&mut self, due: Millis, what: Due, subject: Id128) {
        let creator = self.creator_mut();
        let seq = creator.seq;
        creator.seq += 1;
        creator.timers += 1;
        creator.next_due = creator.next_due.min(due.0);
        let key = hour_key(self.c, due.0);
        let hour: &mut TimerHour = self.state.timer_hours.entry(&key, Millis(0), FOR_EVER);
        let next = std::mem::replace(&mut hour.first, seq + 1);
        let timer = Timer { due: due.0, next, subject, kind: what.number() };
        self.state.timers.put(&SeqKey { creator: self.c, page: 0, seq }, timer, Millis(0));
    }

    pub(super) fn fire_timers(&mut self) {
        let watermark = self.watermark().0;
        while self.creator().timers > 0 && self.creator().next_due <= watermark {
            let mut due = self.take_due(watermark);
            due.sort_unstable_by_key(|(seq, timer)| (timer.due, *seq));
            for (_, timer) in due {
                self.fire(&timer);
            }
        }
    }

    fn fire(&mut self, timer: &Timer) {
        match Due::of_number(timer.kind) {
            Some(Due::Credit) => {
                self.credit_overdue(timer.subject);
                self.release_arrived();
            }
            Some(Due::Park) => self.expire_parked(timer.subject),
            Some(Due::Commission) => self.mature(timer.subject),
            Some(Due::ConversionReview) => self.conversion_review_over(timer.subject),
            Some(Due::CommissionReview) => self.commission_review_over(timer.subject),
            Some(Due::ConversionWaits) => self.conversion_due(timer.subject),
            Some(Due::CommissionWaits) => self.commission_due(timer.subject),
            Some(Due::List) => self.list_due(timer.subject),
            Some(Due::ClickReview) => self.click_review_over(timer.subject),
            None => {}
        }
    }

    /// Takes out all timers up to `watermark` and finds when to look next.
    fn take_due(&mut self, watermark: i64) -> Vec<(u64, Timer)> {
        let mut due = Vec::new();
        let first = self.creator().next_due.div_euclid(Millis::HOUR);
        let last = watermark.div_euclid(Millis::HOUR);
        let mut next_due = i64::MAX;
        let all = usize::try_from(self.creator().timers).unwrap_or(usize::MAX);
        for hour in first..=last {
            next_due = next_due.min(self.split_hour(hour, watermark, &mut due));
            // A clock may jump by years: no need to look through them.
            if due.len() == all {
                break;
            }
        }
        let taken = u32::try_from(due.len()).unwrap_or(u32::MAX);
        let remaining = self.creator().timers.saturating_sub(taken);
        if remaining > 0 && next_due == i64::MAX {
            next_due = self.search(last + 1);
        }
        let creator = self.creator_mut();
        creator.timers = remaining;
        creator.next_due = next_due;
        due
    }

    /// Moves what is due out of an hour; returns the earliest that stays.
    fn split_hour(&mut self, hour: i64, watermark: i64, due: &mut Vec<(u64, Timer)>) -> i64 {
        let key = hour_key(self.c, hour * Millis::HOUR);
        let Some(list) = self.state.timer_hours.get(&key, FOR_EVER) else { return i64::MAX };
        self.state.timer_hours.remove(&key);
        let (mut next, mut earliest, mut kept) = (list.first, i64::MAX, 0);
        while let Some(seq) = next.checked_sub(1) {
            let timer_key = SeqKey { creator: self.c, page: 0, seq };
            let Some(timer) = self.state.timers.get(&timer_key, FOR_EVER) else { break };
            next = timer.next;
            if timer.due <= watermark {
                self.state.timers.remove(&timer_key);
                due.push((seq, timer));
            } else {
                earliest = earliest.min(timer.due);
                self.state.timers.put(&timer_key, Timer { next: kept, ..timer }, Millis(0));
                kept = seq + 1;
            }
        }
        if kept != 0 {
            self.state.timer_hours.put(&key, TimerHour { first: kept }, Millis(0));
        }
        earliest
    }

    /// The earliest timer of the coming hours, or where to go on searching.
    fn search(&self, from: i64) -> i64 {
        for hour in from..from + SEARCH_HOURS {
            let key = hour_key(self.c, hour * Millis::HOUR);
            if self.state.timer_hours.contains(&key, FOR_EVER) {
                return hour * Millis::HOUR;
            }
        }
        (from + SEARCH_HOURS) * Millis::HOUR
    }
}

fn hour_key(creator: u32, at: i64) -> HourKey {
    HourKey { creator, hour: i32::try_from(at.div_euclid(Millis::HOUR)).unwrap_or(i32::MAX) }
}
