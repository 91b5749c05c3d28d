//! The creator's calendar: which local day an instant falls on. The zone table is part of the program, so that a
//! replay on another machine sees the same days.

use jiff::tz::TimeZone;

use super::Turn;
use super::state::FOR_EVER;
use crate::ids::Millis;

/// The zone of each creator, by ordinal, with the stretch of constant offset it was last asked about. A cache: it
/// decides nothing.
#[derive(Debug, Default)]
pub(super) struct Calendars {
    of_creators: Vec<Option<Zone>>,
}

#[derive(Debug)]
struct Zone {
    zone: TimeZone,
    from: i64,
    to: i64,
    offset_ms: i64,
}

/// Whether `name` is an IANA zone of the built-in table.
pub(super) fn exists(name: &str) -> bool {
    jiff::tz::db().get(name).is_ok()
}

/// Days since 1970-01-01 in a zone of the built-in table.
pub(super) fn local_day(zone: &str, t: Millis) -> i64 {
    let at = jiff::Timestamp::from_millisecond(t.0).unwrap_or_default();
    let zone = jiff::tz::db().get(zone).unwrap_or(TimeZone::UTC);
    (t.0 + i64::from(zone.to_offset(at).seconds()) * Millis::SECOND).div_euclid(Millis::DAY)
}

impl Calendars {
    /// The creator's settings have changed.
    pub(super) fn forget(&mut self, creator: u32) {
        if let Some(zone) = self.slot(creator) {
            *zone = None;
        }
    }

    fn slot(&mut self, creator: u32) -> Option<&mut Option<Zone>> {
        self.of_creators.get_mut(usize::try_from(creator).ok()?)
    }

    /// Days since 1970-01-01 on the creator's calendar, if its zone is known here.
    pub(super) fn local_day(&mut self, creator: u32, t: Millis) -> Option<i64> {
        let zone = self.slot(creator)?.as_mut()?;
        if t.0 < zone.from || t.0 >= zone.to {
            zone.refresh(t);
        }
        Some((t.0 + zone.offset_ms).div_euclid(Millis::DAY))
    }

    /// An unknown zone reads as UTC; none gets this far.
    fn learn(&mut self, creator: u32, name: &str) {
        let zone = Zone { zone: jiff::tz::db().get(name).unwrap_or(TimeZone::UTC), from: 0, to: 0, offset_ms: 0 };
        let place = usize::try_from(creator).unwrap_or_default();
        if self.of_creators.len() <= place {
            self.of_creators.resize_with(place + 1, || None);
        }
        self.of_creators.splice(place..=place, [Some(zone)]);
    }
}

impl Turn<'_> {
    /// Days since 1970-01-01 on the calendar of the creator's zone as it is now.
    pub(super) fn local_day(&mut self, t: Millis) -> i64 {
        let calendars = &mut self.fold.calendars;
        if let Some(day) = calendars.local_day(self.c, t) {
            return day;
        }
        let profile = self.state.creator_profiles.peek(&self.c, FOR_EVER);
        calendars.learn(self.c, profile.map_or("UTC", |profile| profile.zone.as_str()));
        calendars.local_day(self.c, t).unwrap_or_default()
    }
}

impl Turn<'_> {
    /// The local day as records keep it.
    pub(super) fn booked_day(&mut self, t: Millis) -> i32 {
        i32::try_from(self.local_day(t)).unwrap_or_default()
    }
}

impl Zone {
    fn refresh(&mut self, t: Millis) {
        let at = jiff::Timestamp::from_millisecond(t.0).unwrap_or_default();
        self.offset_ms = i64::from(self.zone.to_offset(at).seconds()) * Millis::SECOND;
        // The transition at or before `t`: one step after it lies behind `t`.
        let after = jiff::Timestamp::from_millisecond(t.0 + 1).unwrap_or(at);
        self.from = self.zone.preceding(after).next().map_or(i64::MIN, |change| change.timestamp().as_millisecond());
        self.to = self.zone.following(at).next().map_or(i64::MAX, |change| change.timestamp().as_millisecond());
    }
}
