//! Values of members on boards, by metric, window and period (SEMANTICS §10).
//!
//! A booking counts on the local day on which what it belongs to began, so a refund lowers the day, week and month of
//! its sale. What is older than the kept periods of a member changes its value of all time alone.

mod roll;
mod sweep;

use bytemuck::Zeroable;

use super::Turn;
use super::boards::{BoardChanges, Measure, Metric, SMALL, Window, cells};
use super::booking::{Booked, Movement};
use super::calendar;
use super::people::status;
use super::records::{Cell, Counts, CurrencyCode, MemberKey, Score, ScoreKey};
use super::state::FOR_EVER;
use crate::ids::{Currency, Millis};

/// Periods of each window that a score holds.
const KEPT: i32 = 3;

/// A change of one value.
#[derive(Clone, Copy)]
struct Booking {
    /// Local day on which it counts.
    day: i32,
    by: i64,
    t: Millis,
}

/// Where changes of board values are noted; small programmes have no rows of boards.
struct Notes<'a> {
    changes: Option<&'a mut BoardChanges>,
    key: ScoreKey,
    today: i32,
}

impl Notes<'_> {
    /// A cell that is about to become `after`.
    fn set(&mut self, window: Window, period: i32, cell: &mut Cell, after: Cell) {
        let before = std::mem::replace(cell, after);
        if let Some(changes) = &mut self.changes
            && window.is_kept(period, self.today)
        {
            changes.changed(self.key, (window, period), (before.value, after.value));
        }
    }
}

impl Cell {
    const fn plus(self, by: i64, t: Millis) -> Self {
        let reached = if t.0 > self.reached { t.0 } else { self.reached };
        // Beyond 2⁶³ minor units a value stands at the end of the scale.
        Self { value: self.value.saturating_add(by), reached }
    }
}

impl Turn<'_> {
    /// Counts that a member gained or lost.
    pub(super) fn score_counts(&mut self, n: u32, booked: Booked, delta: &Counts) {
        let changes = [
            (Metric::Clicks, delta.clicks_human),
            (Metric::Shares, delta.shares),
            (Metric::Referrals, delta.referrals),
            (Metric::Customers, delta.customers),
        ];
        for (metric, by) in changes {
            self.score(n, Measure::count(metric), Booking { day: booked.day, by, t: booked.t });
        }
    }

    /// Money that a member gained or lost. Every currency has values of its own; boards show the creator's.
    pub(super) fn score_money(&mut self, n: u32, booked: Booked, currency: CurrencyCode, moved: &Movement) {
        let currency = Currency::from(currency);
        let changes =
            [(Metric::Earnings, moved.earned - moved.reversed), (Metric::Revenue, moved.gross - moved.refunded)];
        for (metric, by) in changes {
            let by = i64::try_from(by).unwrap_or(if by < 0 { i64::MIN } else { i64::MAX });
            self.score(n, Measure::money(metric, currency), Booking { day: booked.day, by, t: booked.t });
        }
    }

    fn score(&mut self, n: u32, measure: Measure, booking: Booking) {
        if booking.by == 0 {
            return;
        }
        let key = ScoreKey { creator: self.c, n, measure: measure.0 };
        self.begin_boards();
        let clock = &mut self.head.boards;
        // A zone further west may have put the calendar back by a day: periods never go back.
        if booking.day > clock.today {
            clock.today = booking.day;
            self.is_head_touched = true;
        }
        let state = &mut *self.state;
        let score = state.scores.entry(&key, Millis(0), FOR_EVER);
        if score.at == 0
            && let Some(member) = state.members.get_mut(&MemberKey { creator: self.c, n }, FOR_EVER)
        {
            score.off = u8::from(member.status != status::ACTIVE);
            member.scored |= measure.metric().map_or(0, Metric::bit);
        }
        let is_large = self.head.members > SMALL;
        let changes = &mut self.effects.slow.boards;
        if is_large {
            changes.image(key, score);
        }
        score.at = self.at.0;
        let changes = Some(changes).filter(|_| is_large && score.off == 0);
        let mut notes = Notes { changes, key, today: self.head.boards.today };
        book(score, booking, &mut notes);
        // Mostly a day that is under way, and in no rolling window.
        if let Some(day) = cell_of(&mut score.days, score.day - booking.day)
            && day.cell.reached != 0
            && day.counted == 0
        {
            let after = day.cell.plus(booking.by, booking.t);
            return notes.set(Window::Day, booking.day, &mut day.cell, after);
        }
        self.score_day(key, booking);
    }

    /// The member became active, or ceased to be: only active ones stand on boards.
    pub(super) fn restand(&mut self, n: u32) {
        let off = u8::from(self.member(n).status != status::ACTIVE);
        let keys: Vec<ScoreKey> = self.state.scores_of(self.c, n).map(|(key, _)| key).collect();
        let is_large = self.head.members > SMALL;
        let (today, at) = (self.head.boards.today, self.at);
        for key in keys {
            let Some(score) = self.state.scores.get_mut(&key, FOR_EVER) else { continue };
            if score.off == off {
                continue;
            }
            if is_large {
                let changes = &mut self.effects.slow.boards;
                changes.image(key, score);
                for (window, period, cell) in cells(score).filter(|(w, p, _)| w.is_kept(*p, today)) {
                    let values = if off == 1 { (cell.value, 0) } else { (0, cell.value) };
                    changes.changed(key, (window, period), values);
                }
            }
            (score.off, score.at) = (off, at.0);
        }
    }
}

/// All windows but the days, which have lists of their own.
fn book(score: &mut Score, Booking { day, by, t }: Booking, notes: &mut Notes<'_>) {
    let after = score.all.plus(by, t);
    notes.set(Window::All, 0, &mut score.all, after);
    let (week, month) = (calendar::week_of(day), calendar::month_of(day));
    if day > score.day {
        shift(&mut score.weeks, week - calendar::week_of(score.day));
        shift(&mut score.months, month - calendar::month_of(score.day));
    }
    let newest = day.max(score.day);
    if let Some(cell) = cell_of(&mut score.weeks, calendar::week_of(newest) - week) {
        let after = cell.plus(by, t);
        notes.set(Window::Week, week, cell, after);
    }
    if let Some(cell) = cell_of(&mut score.months, calendar::month_of(newest) - month) {
        let after = cell.plus(by, t);
        notes.set(Window::Month, month, cell, after);
    }
}

fn cell_of<T>(cells: &mut [T; 3], back: i32) -> Option<&mut T> {
    cells.get_mut(usize::try_from(back).ok()?)
}

/// Makes room for newer periods; the oldest fall out.
fn shift<T: Copy + Zeroable>(cells: &mut [T; 3], steps: i32) {
    let ([a, b, _], none) = (*cells, T::zeroed());
    *cells = match steps {
        ..=0 => return,
        1 => [none, a, b],
        2 => [none, none, a],
        KEPT.. => [none; 3],
    };
}
