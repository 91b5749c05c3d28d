//! Members who were active in a day, a week or a month of the creator's calendar.

use super::At;
use crate::fold::activity::kind;
use crate::fold::calendar::month_of;
use crate::project::lists::CountRow;
use crate::project::tables;
use crate::store::Store;
use crate::web::calendar::{Interval, Span, Zone};
use crate::web::problem::Problem;

/// `None`: the span is no such period, and nobody is counted for any other.
pub(super) async fn members<S: Store>(at: &At<'_, S>, span: Span) -> Result<Option<i64>, Problem> {
    let zone = Zone::of_creator(&at.row.time_zone);
    let Some((kind, period)) = period(&zone, span) else { return Ok(None) };
    let value = at.value(tables::active(at.p, &at.id, kind, period)).await?;
    Ok(Some(value.map_or(Ok(0), |value| CountRow::decode(&value).map(|row| row.members))?))
}

/// The kind and number of the period that `span` is, as `fold::activity` has them.
fn period(zone: &Zone, span: Span) -> Option<(u32, i64)> {
    let is = |interval: Interval| zone.around(span.from, interval) == span;
    let day = zone.day(span.from);
    if is(Interval::Day) {
        Some((kind::DAY, day.into()))
    } else if is(Interval::Week) {
        Some((kind::WEEK, day.into()))
    } else if is(Interval::Month) {
        Some((kind::MONTH, month_of(day).into()))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Interval, Span, Zone, kind, period};
    use crate::ids::Millis;

    #[test]
    fn days_weeks_and_months_are_those_of_the_zone() {
        let zone = Zone::get("America/New_York").unwrap();
        // 2026-03-08: the clock goes forward.
        let sunday = Millis(1_772_946_000_000);
        assert_eq!(period(&zone, zone.around(sunday, Interval::Day)), Some((kind::DAY, 20_520)));
        assert_eq!(period(&zone, zone.around(sunday, Interval::Week)), Some((kind::WEEK, 20_514)));
        assert_eq!(period(&zone, zone.around(sunday, Interval::Month)), Some((kind::MONTH, 2026 * 12 + 2)));
        assert_eq!(period(&zone, Span { from: sunday, to: Millis(sunday.0 + Millis::DAY) }), None);
    }
}
