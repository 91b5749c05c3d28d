//! What time a question is about: `from`, `to` and `tz`, exact or refused.

use jiff::Timestamp;
use jiff::civil::Date;

use super::Stamp;
use crate::ids::Millis;
use crate::web::calendar::{Interval, Span, Zone};
use crate::web::problem::{Kind, Problem};
use crate::web::query::Query;

/// Times that may be named: 1970-01-01 to 2200-01-01, well beyond every admitted event.
const TIMES: std::ops::Range<i64> = 0..7_258_118_400_000;

/// A clock change may lengthen a range of so many local days by this much.
const CLOCK_CHANGE_MAX: i64 = 3 * Millis::HOUR;

/// The zone named by `tz`, else the one called `default`.
pub(super) fn zone(query: &Query, default: &str) -> Result<Zone, Problem> {
    let Some(name) = query.get("tz") else {
        return Ok(Zone::of_creator(default));
    };
    Zone::get(name).ok_or_else(|| {
        let detail = format!("`tz`: there is no IANA time zone `{name}`; one is `Europe/Berlin`, another `UTC`");
        Problem::parameter("tz", detail)
    })
}

/// `from` and `to`, on the interval's grid and no longer than it may be. Without `to`: up to the next full hour;
/// without `from`: from the start of the bucket in which it was a day (of minutes), a week (of hours), 29 days, …
/// before `to`.
pub(super) fn range(query: &Query, zone: &Zone, interval: Interval, now: Millis) -> Result<Span, Problem> {
    let span = anywhere(query, zone, interval, end_of(now, Millis::HOUR))?;
    on_grid(span, interval.grid(), &format!("on {} minutes", interval.grid() / Millis::MINUTE))?;
    Ok(span)
}

/// The end of the `step` in which it is `now`.
pub(super) const fn end_of(now: Millis, step: i64) -> Millis {
    Millis((now.0.div_euclid(step) + 1) * step)
}

/// The same on no grid, up to `end` without `to`.
pub(super) fn anywhere(query: &Query, zone: &Zone, interval: Interval, end: Millis) -> Result<Span, Problem> {
    let to = bound(query, "to", zone)?.unwrap_or(end);
    let back = Millis(to.0 - days_default(interval) * Millis::DAY);
    let from = bound(query, "from", zone)?.unwrap_or_else(|| zone.around(back, interval).from);
    let span = in_order(from, to)?;
    if span.length() > interval.days_max() * Millis::DAY + CLOCK_CHANGE_MAX {
        let detail = format!(
            "by {} a range may span {} days; ask for a shorter range or a longer interval",
            interval.name(),
            interval.days_max()
        );
        return Err(Problem::new(Kind::RangeTooLarge, detail));
    }
    Ok(span)
}

/// The part of all time that a list is limited to: its bounds may lie anywhere.
pub(super) fn filter(query: &Query, default_zone: &str) -> Result<Span, Problem> {
    let zone = zone(query, default_zone)?;
    let from = bound(query, "from", &zone)?.unwrap_or(Millis(TIMES.start));
    in_order(from, bound(query, "to", &zone)?.unwrap_or(Millis(TIMES.end)))
}

const fn days_default(interval: Interval) -> i64 {
    match interval {
        Interval::Minute => 1,
        Interval::Hour => 7,
        Interval::Day => 29,
        Interval::Week => 83,
        Interval::Month => 364,
        Interval::Quarter => 730,
        Interval::Year => 1_461,
    }
}

/// Refuses an empty range.
pub(super) fn in_order(from: Millis, to: Millis) -> Result<Span, Problem> {
    if from >= to {
        let detail = format!("`from` ({}) must lie before `to` ({})", Stamp(from), Stamp(to));
        return Err(Problem::parameter("from", detail));
    }
    Ok(Span { from, to })
}

/// The instant that `name` says: milliseconds since 1970, RFC 3339, or a local date, which is its first instant.
pub(super) fn bound(query: &Query, name: &str, zone: &Zone) -> Result<Option<Millis>, Problem> {
    let Some(text) = query.get(name) else { return Ok(None) };
    let instant = instant(text, zone).filter(|instant| TIMES.contains(&instant.0));
    instant.map(Some).ok_or_else(|| {
        let detail = format!(
            "`{name}` must be milliseconds since 1970, RFC 3339 to the millisecond, or a date as 2026-03-01, \
             between 1970 and 2200"
        );
        Problem::parameter(name, detail)
    })
}

fn instant(text: &str, zone: &Zone) -> Option<Millis> {
    if let Ok(millis) = text.parse() {
        return Some(Millis(millis));
    }
    if let Ok(stamp) = text.parse::<Timestamp>() {
        let millis = stamp.as_millisecond();
        // Never rounded: a bound says exactly what it says.
        return (stamp.as_nanosecond() == i128::from(millis) * 1_000_000).then_some(Millis(millis));
    }
    // Nothing but a date: a local time without an offset may be two instants, or none.
    let is_date = text.len() == "2026-03-01".len();
    text.parse::<Date>().ok().filter(|_| is_date).map(|date| zone.start_of(date))
}

/// Refuses a bound that does not lie on `grid`, naming what does on either side; nothing is ever snapped.
pub(super) fn on_grid(span: Span, grid: i64, place: &str) -> Result<(), Problem> {
    let is_off = |bound: Millis| bound.0.rem_euclid(grid) != 0;
    let Some((name, bound)) = [("from", span.from), ("to", span.to)].into_iter().find(|(_, bound)| is_off(*bound))
    else {
        return Ok(());
    };
    let below = bound.0.div_euclid(grid) * grid;
    let nearest = [Millis(below), Millis(below + grid)].map(|bound| Stamp(bound).to_string());
    let [low, high] = &nearest;
    let mut problem = Problem::new(Kind::UnalignedBound, format!("`{name}` must lie {place}: {low} or {high}"));
    problem.extra.parameter = Some(name.to_owned());
    problem.extra.nearest = Some(nearest);
    Err(problem)
}
