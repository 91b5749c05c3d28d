//! The rolling windows of a creator move on to the next day.
//!
//! When a local day begins, the day before enters the windows, and the days 8 and 31 before it leave them. The figures
//! with anything on a day are a list, so a sweep costs what happened and not how many members there are. Large
//! programmes are swept event by event.

use super::roll::Rolling;
use crate::fold::Turn;
use crate::fold::boards::SMALL;
use crate::fold::records::{ScoreLink, SlotKey};
use crate::fold::state::FOR_EVER;
use crate::ids::Millis;

/// Figures that an event takes at least, and one in so many members.
const STEPS_MIN: u32 = 4;
const STEP_MEMBERS: u32 = 4_096;
/// Figures that a `Tick` takes.
const STEPS_TICK: u32 = 4_096;
/// A sweep that is so many days behind does not wait for events: the oldest days are about to be forgotten.
const BEHIND_MAX: i32 = 10;

/// What a sweep is at; kept in the record by number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Done,
    /// The day before enters.
    Enters,
    /// The day that the seven do not hold any more leaves them.
    LeavesSeven,
    LeavesThirty,
}

impl Phase {
    const fn number(self) -> u32 {
        match self {
            Self::Done => 0,
            Self::Enters => 1,
            Self::LeavesSeven => 2,
            Self::LeavesThirty => 3,
        }
    }

    fn of_number(number: u32) -> Self {
        let phases = [Self::Enters, Self::LeavesSeven, Self::LeavesThirty];
        phases.into_iter().find(|phase| phase.number() == number).unwrap_or(Self::Done)
    }

    const fn next(self) -> Self {
        match self {
            Self::Done => Self::Enters,
            Self::Enters => Self::LeavesSeven,
            Self::LeavesSeven => Self::LeavesThirty,
            Self::LeavesThirty => Self::Done,
        }
    }

    const fn leaves(self) -> Option<Rolling> {
        match self {
            Self::Done | Self::Enters => None,
            Self::LeavesSeven => Some(Rolling::Seven),
            Self::LeavesThirty => Some(Rolling::Thirty),
        }
    }

    /// The day whose figures it is about, when the windows become those before `swept`.
    const fn day(self, swept: i32) -> i32 {
        match self.leaves() {
            None => swept - 1,
            Some(rolling) => swept - 1 - rolling.days(),
        }
    }
}

impl Turn<'_> {
    /// Nothing was booked before: there is nothing to sweep.
    pub(super) fn begin_boards(&mut self) {
        if self.head.boards.swept == 0 {
            let today = i32::try_from(self.local_day(Millis(self.head.clock))).unwrap_or_default();
            let boards = &mut self.creator_mut().boards;
            (boards.today, boards.swept) = (today, today);
        }
    }

    /// Every event takes the due sweep some steps further.
    pub(in crate::fold) fn sweep(&mut self) {
        if self.head.known == 0 {
            return;
        }
        self.begin_boards();
        let today = i32::try_from(self.local_day(Millis(self.head.clock))).unwrap_or_default();
        if today > self.head.boards.today {
            self.creator_mut().boards.today = today;
        }
        let boards = self.head.boards;
        if boards.phase == Phase::Done.number() && boards.swept >= boards.today {
            return;
        }
        let members = self.head.members;
        self.sweep_on(if members <= SMALL { u32::MAX } else { STEPS_MIN.max(members / STEP_MEMBERS) });
    }

    /// A `Tick` comes because nothing else does, so it takes the sweep further.
    pub(in crate::fold) fn sweep_at_tick(&mut self) {
        if self.head.boards.phase != Phase::Done.number() {
            self.sweep_on(STEPS_TICK);
        }
    }

    fn sweep_on(&mut self, mut steps: u32) {
        if self.head.members > SMALL {
            self.effects.slow.boards.swept.insert(self.c, self.at);
        }
        loop {
            let boards = self.head.boards;
            if let Some(key) = boards.link.key(self.c) {
                if steps == 0 && boards.today - boards.swept <= BEHIND_MAX {
                    return;
                }
                steps = steps.saturating_sub(1);
                let phase = Phase::of_number(boards.phase);
                let next = self.roll(key, phase.day(boards.swept), phase.leaves());
                self.creator_mut().boards.link = next;
                continue;
            }
            let phase = Phase::of_number(boards.phase).next();
            if phase == Phase::Done {
                let last = SlotKey { creator: self.c, slot: Phase::LeavesThirty.day(boards.swept) };
                self.state.score_lists.remove(&last);
            } else if phase == Phase::Enters {
                if boards.swept >= boards.today {
                    return;
                }
                self.creator_mut().boards.swept += 1;
            }
            let list = SlotKey { creator: self.c, slot: phase.day(self.head.boards.swept) };
            let first = if phase == Phase::Done { None } else { self.state.score_lists.get(&list, FOR_EVER) };
            let boards = &mut self.creator_mut().boards;
            (boards.phase, boards.link) = (phase.number(), first.unwrap_or(ScoreLink::NONE));
        }
    }
}
