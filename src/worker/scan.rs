//! Every row of a table in a partition, part by part.

use std::ops::{ControlFlow, Range};

use crate::ids::Partition;
use crate::project::key::{self, Bound, Part, Row};
use crate::project::rows::CreatorRow;
use crate::project::tables::{self, Table};
use crate::store::{Error, Store};

/// Rows asked for at once.
const PAGE: u32 = 4_096;

/// The months since year 0 that any creator of the partition has figures in.
pub async fn months<T: Store>(store: &T, p: Partition) -> Result<Range<u16>, Error> {
    let (mut first, mut end) = (u16::MAX, 0);
    for row in table(store, tables::CREATOR, p, 0..1).await? {
        let head = row.value.as_deref().and_then(|value| CreatorRow::decode(value).ok());
        if let Some(head) = head {
            first = first.min(tables::month_of(head.coverage_start));
            end = end.max(tables::month_of(head.clock) + 1);
        }
    }
    Ok(first..end)
}

/// In key order within each part.
pub async fn table<T: Store>(store: &T, table: Table, p: Partition, months: Range<u16>) -> Result<Vec<Row>, Error> {
    let mut rows = Vec::new();
    let take = |page| {
        rows.extend(page);
        ControlFlow::Continue(())
    };
    each(store, table, p, months, take).await.map(|_| rows)
}

/// The same, page by page, until `take` breaks off.
pub async fn each<T: Store>(
    store: &T,
    table: Table,
    p: Partition,
    months: Range<u16>,
    mut take: impl FnMut(Vec<Row>) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, Error> {
    let months = if table.by_month { months } else { 0..1 };
    for month in months {
        for shard in 0..table.shards {
            let part = Part { table: table.id, p, shard, month };
            if part_of(store, part, &mut take).await?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }
    Ok(ControlFlow::Continue(()))
}

async fn part_of<T: Store>(
    store: &T,
    part: Part,
    take: &mut impl FnMut(Vec<Row>) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, Error> {
    let mut from = Bound::Unbounded;
    loop {
        let page = store.scan(&key::Range { part, from, to: Bound::Unbounded, reverse: false, limit: PAGE }).await?;
        let is_last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        let Some(last) = page.last() else { return Ok(ControlFlow::Continue(())) };
        from = Bound::Excluded(last.key.cols.clone());
        if take(page).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        if is_last {
            return Ok(ControlFlow::Continue(()));
        }
    }
}
