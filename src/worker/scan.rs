//! Every row of a table in a partition, part by part.

use crate::ids::Partition;
use crate::project::key::{Bound, Part, Range, Row};
use crate::project::tables::Table;
use crate::store::{Error, Store};

/// Rows asked for at once.
const PAGE: u32 = 4_096;
/// Months since year 0 that a table by month may hold: 2000 to 2100.
const MONTHS: std::ops::Range<u16> = 24_000..25_212;

/// In key order within each part.
pub async fn table<T: Store>(store: &T, table: Table, p: Partition) -> Result<Vec<Row>, Error> {
    let mut rows = Vec::new();
    let months = if table.by_month { MONTHS } else { 0..1 };
    for month in months {
        for shard in 0..table.shards {
            part(store, Part { table: table.id, p, shard, month }, &mut rows).await?;
        }
    }
    Ok(rows)
}

async fn part<T: Store>(store: &T, part: Part, rows: &mut Vec<Row>) -> Result<(), Error> {
    let mut from = Bound::Unbounded;
    loop {
        let page = store.scan(&Range { part, from, to: Bound::Unbounded, reverse: false, limit: PAGE }).await?;
        let is_last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        let Some(last) = page.last() else { return Ok(()) };
        from = Bound::Excluded(last.key.cols.clone());
        rows.extend(page);
        if is_last {
            return Ok(());
        }
    }
}
