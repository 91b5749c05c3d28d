//! Rows that have expired leave the file.
//!
//! Expiry is event time: each creator's own watermark says what of it has expired, so a creator that stands still
//! keeps what it has and nobody else's. Readers drop the same rows by the same watermark, purged or not.

use std::ops::ControlFlow;
use std::time::Duration;

use super::engine::Rows;
use super::generations::Generations;
use crate::fold::boards::{BoardKey, Measure, SMALL, Window};
use crate::fold::fraud::Subject;
use crate::ids::{Currency, Millis, Partition};
use crate::project::boards;
use crate::project::key::{Bound, Col, Cols, Part, Range};
use crate::project::rows::CreatorRow;
use crate::project::tables;
use crate::store::{Doors, Error, Row};
use crate::telemetry::{ROWS_PURGED, with_causes};
use crate::worker::scan;

/// From the start to the first look, and between two looks.
const FIRST: Duration = Duration::from_secs(60);
const EVERY: Duration = Duration::from_secs(3_600);

/// Purges now and then, until it is dropped: what was not purged is found again.
///
/// Each partition by its owner in the live generation: who folds it has a process for it, and one is enough.
pub(super) async fn follow(store: Rows, generations: Generations) {
    tokio::time::sleep(FIRST).await;
    loop {
        match purge_all(&store, generations.owned()).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "expired rows purged"),
            Err(error) => tracing::warn!(error = %with_causes(&error), "expired rows not purged, trying again later"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// A creator and what of it has expired.
struct Expiring {
    id: String,
    coverage_start: Millis,
    watermark: Millis,
    /// It has rows of boards.
    is_large: bool,
    currencies: Vec<Currency>,
}

impl Expiring {
    /// Of hours or touches.
    fn has_old_rows(&self) -> bool {
        self.coverage_start.0 + tables::TOUCH_KEPT.min(tables::HOUR_KEPT) <= self.watermark.0
    }

    fn measures(&self) -> impl Iterator<Item = Measure> {
        Measure::all(self.currencies.iter().map(|currency| (*currency).into()))
    }
}

/// Takes every expired row of every generation away. How many.
pub(super) async fn purge_all(store: &Rows, partitions: impl IntoIterator<Item = Partition>) -> Result<u64, Error> {
    let partitions: Vec<Partition> = partitions.into_iter().collect();
    let mut purged = 0;
    for generation in store.generations().await? {
        purged += purge(&store.of(generation), &partitions).await?;
    }
    Ok(purged)
}

async fn purge(store: &Rows, partitions: &[Partition]) -> Result<u64, Error> {
    let mut purged = 0;
    for p in partitions.iter().copied() {
        for one in expiring(store, p).await? {
            if one.is_large {
                let rows = purge_boards(store, p, &one).await?;
                metrics::counter!(ROWS_PURGED).increment(rows);
                purged += rows;
            }
            let (hours, touches) = (tables::hour(p, &one.id, 0).part, tables::touch(p, &one.id, 0).part);
            for (part, kept) in [(hours, tables::HOUR_KEPT), (touches, tables::TOUCH_KEPT)] {
                purged += of_creator(store, &one, part, kept).await?;
            }
            purged += decisions_of_clicks(store, p, &one).await?;
        }
    }
    Ok(purged)
}

/// The rows of a creator in a table by month, the first of which may have expired after `kept`.
async fn of_creator(store: &Rows, one: &Expiring, part: Part, kept: i64) -> Result<u64, Error> {
    let mut purged = 0;
    for month in tables::month_of(one.coverage_start)..=tables::month_of(Millis(one.watermark.0 - kept)) {
        let all = Bound::Included(Cols(vec![Col::Text(one.id.clone())]));
        let range = Range { part: Part { month, ..part }, from: all.clone(), to: all, reverse: false, limit: 0 };
        let rows = store.purge(&range, one.watermark).await?;
        metrics::counter!(ROWS_PURGED).increment(rows);
        purged += rows;
    }
    Ok(purged)
}

async fn decisions_of_clicks(store: &Rows, p: Partition, one: &Expiring) -> Result<u64, Error> {
    let clicks = Col::Int(tables::subject_number(Subject::Click));
    let all = Bound::Included(Cols(vec![Col::Text(one.id.clone()), clicks]));
    let part = tables::decision_part(p, &one.id);
    let range = Range { part, from: all.clone(), to: all, reverse: false, limit: 0 };
    let rows = store.purge(&range, one.watermark).await?;
    metrics::counter!(ROWS_PURGED).increment(rows);
    Ok(rows)
}

/// Boards of periods that nobody asks for any more.
async fn purge_boards(store: &Rows, p: Partition, one: &Expiring) -> Result<u64, Error> {
    let mut purged = 0;
    for measure in one.measures() {
        for window in Window::ALL.into_iter().filter(|window| window.is_calendar()) {
            let day = i32::try_from(one.watermark.0.div_euclid(Millis::DAY)).unwrap_or_default();
            let cols = |period| Cols(boards::board_cols(&one.id, BoardKey { measure, window, period }));
            // Those of the three newest periods have not expired.
            let (from, to) = (Bound::Included(cols(0)), Bound::Included(cols(window.period(day) - 3)));
            let range = Range { part: boards::rank_part(p, &one.id), from, to, reverse: false, limit: 0 };
            purged += store.purge(&range, one.watermark).await?;
        }
    }
    Ok(purged)
}

/// The creators that have a row which may have expired.
async fn expiring(store: &Rows, p: Partition) -> Result<Vec<Expiring>, Error> {
    let mut found = Vec::new();
    let take = |page: Vec<Row>| {
        found.extend(page.iter().filter_map(of_row));
        ControlFlow::Continue(())
    };
    scan::each(store, tables::CREATOR, p, 0..1, take).await.map(|_| found)
}

/// None of a row that cannot be read: what reads it says so.
fn of_row(row: &Row) -> Option<Expiring> {
    let head = CreatorRow::decode(row.value.as_deref()?).ok()?;
    let Some(Col::Text(id)) = row.key.cols.0.first() else { return None };
    let one = Expiring {
        id: id.clone(),
        coverage_start: head.coverage_start,
        watermark: head.watermark(),
        is_large: head.members > i64::from(SMALL),
        currencies: head.totals.money.iter().map(|(currency, _)| *currency).collect(),
    };
    (one.is_large || one.has_old_rows()).then_some(one)
}
