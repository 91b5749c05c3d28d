//! Time of a record, clock and floor of its creator (SEMANTICS §1, §2).

use super::records::Creator;
use super::{Refusal, Stop, Turn, refuse};
use crate::event::{Body, Event};
use crate::ids::Millis;

/// A record may be ahead of its intake by this much.
const AHEAD_MAX: i64 = 5 * Millis::MINUTE;
/// Further ahead than this is absurd.
pub(super) const ABSURD_AHEAD: i64 = Millis::DAY;
/// 2000-01-01 and 2100-01-01.
const RANGE: std::ops::Range<i64> = 946_684_800_000..4_102_444_800_000;
/// The watermark's distance from the clock.
pub(super) const LATENESS: i64 = 10 * Millis::MINUTE;
/// Clicks and shares are remembered this long, or the longest window and `HORIZON_SPARE`.
const HORIZON: i64 = 45 * Millis::DAY;
const HORIZON_SPARE: i64 = 15 * Millis::DAY;

/// `t` of a record: its own time, clamped to when it was received.
pub(super) fn of(event: &Event<'_>, logged: Millis) -> Result<Millis, Refusal> {
    let received = event.received_at.unwrap_or(logged);
    let own = event.occurred_at;
    if !RANGE.contains(&own.0) {
        return Err(absurd(format!("occurred_at {} is outside the years 2000 to 2100", stamp(own))));
    }
    let ahead = own.0.saturating_sub(received.0);
    if ahead > ABSURD_AHEAD {
        let message =
            format!("occurred_at {} is more than 24 h after it was received at {}", stamp(own), stamp(received));
        return Err(absurd(message));
    }
    Ok(if ahead > AHEAD_MAX { received } else { own })
}

/// As people read it; what no calendar holds, in milliseconds.
pub(super) fn stamp(t: Millis) -> String {
    jiff::Timestamp::from_millisecond(t.0).map_or_else(|_| t.0.to_string(), |at| at.to_string())
}

fn absurd(message: String) -> Refusal {
    Refusal { class: "absurd_time", message }
}

impl Turn<'_> {
    /// Forgotten ids must not slip in again.
    pub(super) fn check_floor(&self, event: &Event<'_>) -> Result<(), Stop> {
        let expires = matches!(event.body, Body::Share(_) | Body::Click(_) | Body::Sighting(_));
        if expires && self.t < self.floor() {
            let message = format!("of {}, older than the horizon, which is at {}", stamp(self.t), stamp(self.floor()));
            return Err(refuse("too_late", message));
        }
        Ok(())
    }

    /// Ids that expire are known a day longer than what they name: a record that was dated ahead, and so stands before
    /// its own time, may come again until the floor has passed that.
    pub(super) const fn known_from(&self) -> Millis {
        Millis(self.head.floor.saturating_sub(ABSURD_AHEAD))
    }

    /// Entities that expire are absent below it.
    pub(super) const fn floor(&self) -> Millis {
        Millis(self.head.floor)
    }

    /// Everything at or before it has come, as far as timers are concerned.
    pub(super) const fn watermark(&self) -> Millis {
        self.reading().watermark()
    }

    /// The record in hand came so late that it enters no window of the fraud rules.
    pub(super) const fn is_late(&self) -> bool {
        self.reading().is_late()
    }

    /// The record moves the clock, then due timers fire, then the floor follows.
    pub(super) fn move_clock(&mut self) {
        let t = self.t.0;
        let creator = self.creator_mut();
        creator.coverage_start = creator.coverage_start.min(t);
        if t > creator.clock {
            let first = creator.clock == i64::MIN;
            creator.clock = t;
            if first {
                let watermark = t.saturating_sub(LATENESS);
                creator.sealed_to = watermark.div_euclid(Millis::DAY);
            }
            self.fire_timers();
            self.seal_days();
        }
        self.sweep();
        // Even where the clock stands still: the windows may have become shorter.
        let horizon = self.horizon();
        let creator = self.creator_mut();
        creator.floor = creator.floor.max(creator.clock.saturating_sub(horizon));
    }

    /// How long clicks and shares are remembered.
    pub(super) fn horizon(&self) -> i64 {
        horizon_of(self.creator())
    }
}

pub(super) fn horizon_of(creator: &Creator) -> i64 {
    let window = creator.signup_window.max(creator.purchase_window);
    HORIZON.max(window.saturating_add(HORIZON_SPARE))
}
