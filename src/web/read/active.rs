//! Members who were active in a day, a week or a month of the creator's calendar.

use super::At;
use crate::fold::activity::kind;
use crate::project::lists::CountRow;
use crate::project::tables;
use crate::store::Store;
use crate::web::calendar::{Interval, Span, Zone};
use crate::web::problem::Problem;

/// `None`: the span is no such period, and nobody is counted for any other.
pub(super) async fn members<S: Store>(at: &At<'_, S>, span: Span) -> Result<Option<i64>, Problem> {
    let zone = Zone::get(&at.row.time_zone).unwrap_or_else(Zone::utc);
    let Some((kind, period)) = period(&zone, span) else { return Ok(None) };
    let found = at.store.get(&[tables::active(at.p, &at.id, kind, period)]).await?;
    let Some(bytes) = found.into_iter().flatten().next().and_then(|row| row.value) else { return Ok(Some(0)) };
    Ok(Some(CountRow::decode(&bytes)?.members))
}

/// The kind and number of the period that `span` is, as `fold::activity` has them.
fn period(zone: &Zone, span: Span) -> Option<(u32, i64)> {
    let is = |interval: Interval| zone.around(span.from, interval) == span;
    let date = zone.date(span.from);
    let day = i64::from(date.since(jiff::civil::date(1970, 1, 1)).ok()?.get_days());
    if is(Interval::Day) {
        Some((kind::DAY, day))
    } else if is(Interval::Week) {
        Some((kind::WEEK, day))
    } else if is(Interval::Month) {
        Some((kind::MONTH, i64::from(date.year()) * 12 + i64::from(date.month()) - 1))
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
