//! Rows that have expired leave the file.
//!
//! Expiry is event time: each creator's own watermark says what of it has expired, so a creator that stands still
//! keeps what it has and nobody else's. Readers drop the same rows by the same watermark, purged or not.

use std::ops::ControlFlow;
use std::time::Duration;

use crate::ids::{Millis, Partition};
use crate::project::key::{Bound, Col, Cols, Range};
use crate::project::rows::CreatorRow;
use crate::project::tables;
use crate::store::embedded::EmbeddedStore;
use crate::store::{Error, Row};
use crate::telemetry::{ROWS_PURGED, with_causes};
use crate::worker::scan;

/// From the start to the first look, and between two looks.
const FIRST: Duration = Duration::from_secs(60);
const EVERY: Duration = Duration::from_secs(3_600);

/// Purges now and then, until it is dropped: what was not purged is found again.
pub(super) async fn follow(store: EmbeddedStore, partitions: u32) {
    tokio::time::sleep(FIRST).await;
    loop {
        match purge_all(&store, partitions).await {
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
}

/// Takes every expired row of every generation away. How many.
pub(super) async fn purge_all(store: &EmbeddedStore, partitions: u32) -> Result<u64, Error> {
    let mut purged = 0;
    for generation in store.generations()? {
        purged += purge(&store.of(generation), partitions).await?;
    }
    Ok(purged)
}

async fn purge(store: &EmbeddedStore, partitions: u32) -> Result<u64, Error> {
    let mut purged = 0;
    for p in (0..partitions).map(Partition) {
        for one in expiring(store, p).await? {
            let last = tables::month_of(Millis(one.watermark.0 - tables::HOUR_KEPT));
            for month in tables::month_of(one.coverage_start)..=last {
                let all = Bound::Included(Cols(vec![Col::Text(one.id.clone())]));
                let mut part = tables::hour(p, &one.id, 0).part;
                part.month = month;
                let range = Range { part, from: all.clone(), to: all, reverse: false, limit: 0 };
                let rows = store.purge(&range, one.watermark).await?;
                metrics::counter!(ROWS_PURGED).increment(rows);
                purged += rows;
            }
        }
    }
    Ok(purged)
}

/// The creators that have an hour which may have expired.
async fn expiring(store: &EmbeddedStore, p: Partition) -> Result<Vec<Expiring>, Error> {
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
    let (watermark, coverage_start) = (head.watermark(), head.coverage_start);
    let Some(Col::Text(id)) = row.key.cols.0.first() else { return None };
    (coverage_start.0 + tables::HOUR_KEPT <= watermark.0).then(|| Expiring {
        id: id.clone(),
        coverage_start,
        watermark,
    })
}
