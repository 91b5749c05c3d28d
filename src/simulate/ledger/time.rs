//! §1 Time.

use super::Book;
use crate::event::{Body, Event};
use crate::ids::Millis;

const AHEAD_MAX: i64 = 5 * Millis::MINUTE;
pub(super) const ABSURD: i64 = Millis::DAY;
/// 2000-01-01 and 2100-01-01, UTC.
const YEARS: std::ops::Range<i64> = 946_684_800_000..4_102_444_800_000;
const LATENESS: i64 = 10 * Millis::MINUTE;
const HORIZON: i64 = 45 * Millis::DAY;
const HORIZON_BEHIND_WINDOW: i64 = 15 * Millis::DAY;

/// §1: `t`, or `None` for an absurd time.
pub(super) fn of(event: &Event<'_>, timestamp: Millis) -> Option<Millis> {
    let received = event.received_at.unwrap_or(timestamp);
    let ahead = event.occurred_at.0.saturating_sub(received.0);
    if ahead > ABSURD || !YEARS.contains(&event.occurred_at.0) {
        return None;
    }
    Some(if ahead > AHEAD_MAX { received } else { event.occurred_at })
}

/// §2: Shares, clicks and sightings are forgotten below the floor; none may come in there.
pub(super) fn is_too_late(body: &Body<'_>, t: Millis, floor: Option<Millis>) -> bool {
    is_forgotten_some_day(body) && floor.is_some_and(|floor| t < floor)
}

pub(super) const fn is_forgotten_some_day(body: &Body<'_>) -> bool {
    matches!(body, Body::Share(_) | Body::Click(_) | Body::Sighting(_))
}

impl Book {
    /// §1: ten minutes behind the clock.
    pub(super) fn watermark(&self) -> Option<i64> {
        self.clock.map(|clock| clock.0 - LATENESS)
    }

    /// §2: floor = the greatest clock − horizon so far.
    pub(super) fn raise_floor(&mut self) {
        let window = self.settings.as_ref().map_or(0, |settings| settings.longest_window_ms());
        let horizon = HORIZON.max(window + HORIZON_BEHIND_WINDOW);
        self.floor = self.floor.max(self.clock.map(|clock| Millis(clock.0 - horizon)));
    }

    /// §2: whether what was recorded with this `t` is still known.
    pub(super) fn remembers(&self, t: Millis) -> bool {
        self.floor.is_none_or(|floor| t >= floor)
    }
}
