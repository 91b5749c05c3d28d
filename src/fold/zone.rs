//! The creator's calendar: which local day an instant falls on. The zone table is part of the program, so that a
//! replay on another machine sees the same days.

use hashbrown::HashMap;
use jiff::tz::TimeZone;

use crate::ids::Millis;

/// Zones met so far, each with the stretch of constant offset it was last asked about. A cache: it decides nothing.
#[derive(Debug, Default)]
pub struct Zones {
    known: HashMap<String, Zone>,
}

#[derive(Debug)]
struct Zone {
    zone: TimeZone,
    from: i64,
    to: i64,
    offset_ms: i64,
}

/// Whether `name` is an IANA zone of the built-in table.
pub fn exists(name: &str) -> bool {
    jiff::tz::db().get(name).is_ok()
}

impl Zones {
    /// Days since 1970-01-01 on the calendar of `zone`. An unknown zone reads as UTC; none gets this far.
    pub fn local_day(&mut self, zone: &str, t: Millis) -> i64 {
        if zone == "UTC" {
            return t.0.div_euclid(Millis::DAY);
        }
        if !self.known.contains_key(zone) {
            let found = jiff::tz::db().get(zone).unwrap_or(TimeZone::UTC);
            self.known.insert(zone.to_owned(), Zone { zone: found, from: 0, to: 0, offset_ms: 0 });
        }
        let entry = self.known.get_mut(zone).expect("inserted above");
        if t.0 < entry.from || t.0 >= entry.to {
            entry.refresh(t);
        }
        (t.0 + entry.offset_ms).div_euclid(Millis::DAY)
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
