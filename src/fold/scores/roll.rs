//! Local days of a score, and the rolling windows made of them.
//!
//! Each day says of which rolling windows it is part now, so that what comes late, or while the creator is being
//! swept, is added to exactly the windows that hold its day.

use bytemuck::Zeroable;

use super::{Booking, KEPT, Notes, cell_of, shift};
use crate::fold::Turn;
use crate::fold::boards::{SMALL, Window};
use crate::fold::records::{Cell, DayCell, Score, ScoreDayKey, ScoreKey, ScoreLink};
use crate::fold::state::{FOR_EVER, State};
use crate::ids::Millis;

/// Bits of `DayCell::counted`.
const SEVEN: u8 = 1;
const THIRTY: u8 = 2;

/// A rolling window.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rolling {
    Seven,
    Thirty,
}

impl Rolling {
    pub(super) const fn days(self) -> i32 {
        match self {
            Self::Seven => 7,
            Self::Thirty => 30,
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Seven => SEVEN,
            Self::Thirty => THIRTY,
        }
    }

    const fn window(self) -> Window {
        match self {
            Self::Seven => Window::Rolling7,
            Self::Thirty => Window::Rolling30,
        }
    }

    /// The window's value, and how many days it holds.
    const fn of(self, score: &mut Score) -> (&mut Cell, &mut u16) {
        match self {
            Self::Seven => (&mut score.seven, &mut score.in_seven),
            Self::Thirty => (&mut score.thirty, &mut score.in_thirty),
        }
    }
}

const BOTH: [Rolling; 2] = [Rolling::Seven, Rolling::Thirty];

/// Whether the days before `swept` that a window holds include `day`.
const fn holds(rolling: Rolling, day: i32, swept: i32) -> bool {
    day < swept && day >= swept - rolling.days()
}

impl ScoreLink {
    pub(super) const NONE: Self = Self { n: 0, measure: 0 };

    const fn to(key: ScoreKey) -> Self {
        Self { n: key.n + 1, measure: key.measure }
    }

    pub(super) fn key(self, creator: u32) -> Option<ScoreKey> {
        Some(ScoreKey { creator, n: self.n.checked_sub(1)?, measure: self.measure })
    }
}

impl State {
    /// A day of a score, whether it is among its newest or not.
    fn score_day(&self, score: &Score, key: ScoreDayKey) -> Option<DayCell> {
        match usize::try_from(score.day - key.day).ok().and_then(|back| score.days.get(back)) {
            Some(cell) => Some(*cell),
            None => self.score_days.get(&key, FOR_EVER),
        }
    }
}

impl Turn<'_> {
    /// Books on the local day, and on the rolling windows that hold it.
    pub(super) fn score_day(&mut self, key: ScoreKey, booking: Booking) {
        self.make_newest(key, booking.day);
        let swept = self.head.boards.swept;
        let Some(mut score) = self.state.scores.get(&key, FOR_EVER) else { return };
        let is_recent = score.day - booking.day < KEPT;
        // Older days are in no window any more, and in no list.
        if !is_recent && booking.day < swept - Rolling::Thirty.days() {
            return;
        }
        let mut day = self.state.score_day(&score, key.day(booking.day)).unwrap_or_else(DayCell::zeroed);
        let is_new = day.cell.reached == 0;
        let mut notes = self.notes(key, score.off);
        let after = day.cell.plus(booking.by, booking.t);
        notes.set(Window::Day, booking.day, &mut day.cell, after);
        for rolling in BOTH {
            let is_counted = day.counted & rolling.bit() != 0;
            if !(is_counted || is_new && holds(rolling, booking.day, swept)) {
                continue;
            }
            day.counted |= rolling.bit();
            let (cell, days) = rolling.of(&mut score);
            *days += u16::from(is_new);
            let after = cell.plus(booking.by, booking.t);
            notes.set(rolling.window(), 0, cell, after);
            score.rolled = swept;
        }
        if is_new && booking.day >= swept - Rolling::Thirty.days() {
            let first = self.state.score_lists.entry(&key.list(booking.day), Millis(0), FOR_EVER);
            day.next = std::mem::replace(first, ScoreLink::to(key));
        }
        self.put_day(key, score, booking.day, day);
    }

    /// The sweep adds a day to the rolling windows, or takes it away; the next figure in the list of that day.
    pub(super) fn roll(&mut self, key: ScoreKey, date: i32, leaves: Option<Rolling>) -> ScoreLink {
        let Some(before) = self.state.scores.get(&key, FOR_EVER) else { return ScoreLink::NONE };
        let mut score = before;
        let Some(mut day) = self.state.score_day(&score, key.day(date)) else { return ScoreLink::NONE };
        let is_changed = match leaves {
            None => self.enter(key, &mut score, &mut day),
            Some(rolling) => self.leave(key, (&mut score, &mut day), date, rolling),
        };
        if is_changed {
            if self.head.members > SMALL {
                self.effects.slow.boards.image(key, &before);
            }
            (score.at, score.rolled) = (self.at.0, self.head.boards.swept);
            self.put_day(key, score, date, day);
            self.member_mut(key.n);
        }
        day.next
    }

    /// What came late was counted when it came.
    fn enter(&mut self, key: ScoreKey, score: &mut Score, day: &mut DayCell) -> bool {
        let mut notes = self.notes(key, score.off);
        let missing = BOTH.into_iter().filter(|rolling| day.counted & rolling.bit() == 0);
        let mut is_changed = false;
        for rolling in missing {
            let (cell, days) = rolling.of(score);
            *days += 1;
            let after = cell.plus(day.cell.value, Millis(day.cell.reached));
            notes.set(rolling.window(), 0, cell, after);
            is_changed = true;
        }
        day.counted = SEVEN | THIRTY;
        is_changed
    }

    fn leave(&mut self, key: ScoreKey, (score, day): (&mut Score, &mut DayCell), date: i32, rolling: Rolling) -> bool {
        if day.counted & rolling.bit() == 0 {
            return false;
        }
        day.counted &= !rolling.bit();
        let (cell, days) = rolling.of(score);
        *days = days.saturating_sub(1);
        let mut after = if *days == 0 { Cell::default() } else { *cell };
        if *days > 0 {
            after.value = after.value.saturating_sub(day.cell.value);
            if day.cell.reached >= after.reached {
                after.reached = self.reached_without(score, key, rolling, date);
            }
        }
        let mut notes = self.notes(key, score.off);
        notes.set(rolling.window(), 0, rolling.of(score).0, after);
        true
    }

    /// The greatest instant of a booking into the days of a rolling window, but for one that leaves.
    fn reached_without(&self, score: &Score, key: ScoreKey, rolling: Rolling, date: i32) -> i64 {
        let swept = self.head.boards.swept;
        let days = (swept - rolling.days()..swept).filter(|day| *day != date);
        let cells = days.filter_map(|day| self.state.score_day(score, key.day(day)));
        cells.filter(|day| day.counted & rolling.bit() != 0).map(|day| day.cell.reached).max().unwrap_or_default()
    }

    /// Makes room for a newer day. Those that fall out are kept apart as long as a rolling window may hold them.
    fn make_newest(&mut self, key: ScoreKey, day: i32) {
        let Some(score) = self.state.scores.get_mut(&key, FOR_EVER) else { return };
        let steps = day - score.day;
        if steps <= 0 {
            return;
        }
        let (old, newest) = (score.days, score.day);
        shift(&mut score.days, steps);
        score.day = day;
        for (back, cell) in (0..).zip(old) {
            if back + steps >= KEPT && cell.cell.reached != 0 {
                let date = newest - back;
                self.state.score_days.put(&key.day(date), cell, Millis(i64::from(date) * Millis::DAY));
            }
        }
    }

    fn put_day(&mut self, key: ScoreKey, mut score: Score, date: i32, day: DayCell) {
        match cell_of(&mut score.days, score.day - date) {
            Some(place) => *place = day,
            None => self.state.score_days.put(&key.day(date), day, Millis(i64::from(date) * Millis::DAY)),
        }
        if let Some(place) = self.state.scores.get_mut(&key, FOR_EVER) {
            *place = score;
        }
    }

    fn notes(&mut self, key: ScoreKey, off: u8) -> Notes<'_> {
        let is_noted = self.head.members > SMALL && off == 0;
        let changes = Some(&mut self.effects.slow.boards).filter(|_| is_noted);
        Notes { changes, key, today: self.head.boards.today }
    }
}
