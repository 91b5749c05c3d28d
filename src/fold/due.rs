//! What only time can bring about: a creator for which something is due and to which nothing comes gets a `Tick`.

use super::records::{BoardClock, Counts, Creator, SlotKey};
use super::state::{FOR_EVER, State};
use super::time::LATENESS;
use super::zone;
use crate::ids::Millis;

/// Longest time by which a zone is ahead of UTC.
const AHEAD_MAX: i64 = 14 * Millis::HOUR;
/// Days that a rolling window may hold, and today.
const RECENT: i32 = 31;

/// What every record of a creator changes: as long as it is the same, nothing came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    clock: i64,
    sequence: (u64, u64, u32),
    counts: Counts,
    boards: BoardClock,
}

/// A creator that waits for time to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    pub creator: u32,
    pub pulse: Pulse,
    /// It is on its way already, and every `Tick` takes it further.
    pub is_under_way: bool,
}

impl State {
    /// The creators for which something is due at `now`, their clocks being behind it.
    pub fn due(&self, now: Millis) -> impl Iterator<Item = Due> {
        let made = self.partition.peek(&0, FOR_EVER).map_or(0, |record| record.creators);
        (0..made).filter_map(move |creator| {
            let head = self.creators.peek(&creator, FOR_EVER).filter(|head| head.known == 1 && head.clock < now.0)?;
            let is_under_way = head.boards.phase != 0;
            let is_due =
                is_under_way || has_timer(head, now) || has_open_day(head, now) || self.is_unswept(creator, now);
            is_due.then(|| Due { creator, pulse: pulse(head), is_under_way })
        })
    }

    /// A local day has begun, and rolling windows hold something.
    fn is_unswept(&self, creator: u32, now: Millis) -> bool {
        let Some(head) = self.creators.peek(&creator, FOR_EVER) else { return false };
        let BoardClock { today, swept, .. } = head.boards;
        // Looking up the zone costs more than most creators are worth.
        if now.0 + AHEAD_MAX < (i64::from(swept) + 1) * Millis::DAY {
            return false;
        }
        let zone = self.creator_profiles.peek(&creator, FOR_EVER).map_or("UTC", |profile| profile.zone.as_str());
        let begun = zone::local_day(zone, now) > i64::from(swept);
        let holds = |day| self.score_lists.contains(&SlotKey { creator, slot: day }, FOR_EVER);
        begun && (swept - RECENT..=today).any(holds)
    }
}

const fn has_timer(head: &Creator, now: Millis) -> bool {
    head.timers > 0 && head.next_due <= now.0 - LATENESS
}

/// The newest day with anything can be sealed.
fn has_open_day(head: &Creator, now: Millis) -> bool {
    let day = i64::from(head.day.day);
    day >= head.sealed_to && (now.0 - LATENESS).div_euclid(Millis::DAY) > day
}

const fn pulse(head: &Creator) -> Pulse {
    let sequence = (head.seq, head.touches, head.members);
    Pulse { clock: head.clock, sequence, counts: head.counts, boards: head.boards }
}
