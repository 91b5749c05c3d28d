//! Rows on their way out: in unlogged batches of one partition each, every row with its own stamp.

use std::collections::BTreeMap;
use std::sync::Arc;

use scylla::statement::batch::{Batch, BatchStatement, BatchType};
use tokio::task::JoinSet;

use super::ScyllaStore;
use super::bind::{Cell, Values, part_cells, stamp};
use super::shape::Shape;
use super::slice::fits;
use super::text::Kind;
use crate::project::key::{Part, Row};
use crate::project::tables;
use crate::store::Error;
use crate::telemetry::BATCHES_WRITTEN;

/// Of one batch. A single row may be larger.
const BATCH_ROWS_MAX: usize = 256;
const BATCH_BYTES_MAX: usize = 128 << 10;
/// What a row costs beside its value and texts, roughly.
const ROW_BYTES: usize = 64;

/// Rows of one partition, in batches of a bounded size and in the order in which they were given.
#[derive(Debug)]
pub(super) struct OnePart {
    part: Part,
    batches: Vec<Vec<Row>>,
    /// Of the last batch.
    bytes: usize,
}

fn by_part(rows: Vec<Row>) -> Vec<OnePart> {
    let mut parts: BTreeMap<Part, OnePart> = BTreeMap::new();
    for row in rows {
        let part = row.key.part;
        let one = parts.entry(part).or_insert_with(|| OnePart { part, batches: Vec::new(), bytes: 0 });
        one.push(row);
    }
    parts.into_values().collect()
}

impl OnePart {
    fn push(&mut self, row: Row) {
        let size = size(&row);
        match self.batches.last_mut() {
            Some(batch) if batch.len() < BATCH_ROWS_MAX && self.bytes + size <= BATCH_BYTES_MAX => {
                batch.push(row);
                self.bytes += size;
            }
            Some(_) | None => {
                self.batches.push(vec![row]);
                self.bytes = size;
            }
        }
    }
}

fn size(row: &Row) -> usize {
    ROW_BYTES * row.key.cols.0.len() + row.value.as_ref().map_or(0, bytes::Bytes::len)
}

impl ScyllaStore {
    /// How far rows are is written when all others are there: who reads it finds them.
    pub(super) async fn write_all(&self, rows: Vec<Row>) -> Result<(), Error> {
        let is_applied = |row: &Row| row.key.part.table == tables::APPLIED.id;
        let (applied, others): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(is_applied);
        self.write_parts(by_part(others)).await?;
        self.write_parts(by_part(applied)).await
    }

    /// A bounded number at a time. What is on its way is waited for also when one fails.
    async fn write_parts(&self, mut parts: Vec<OnePart>) -> Result<(), Error> {
        if parts.len() <= 1 {
            let Some(only) = parts.pop() else { return Ok(()) };
            let _room = self.inner.room(&self.inner.batches).await?;
            return self.write_part(&only).await;
        }
        let (mut tasks, mut outcome) = (JoinSet::new(), Ok(()));
        for part in parts {
            let room = self.inner.room(&self.inner.batches).await?;
            while let Some(done) = tasks.try_join_next() {
                outcome = outcome.and(self.inner.joined(done));
            }
            if outcome.is_err() {
                break;
            }
            let store = self.clone();
            tasks.spawn(async move {
                let _room = room;
                store.write_part(&part).await
            });
        }
        while let Some(done) = tasks.join_next().await {
            outcome = outcome.and(self.inner.joined(done));
        }
        outcome
    }

    /// One batch after the other: pages of a board are there before its root, which comes behind them.
    async fn write_part(&self, OnePart { part, batches, .. }: &OnePart) -> Result<(), Error> {
        let shape = self.inner.shape(part.table)?;
        if shape.is_shared() {
            return Err(self.inner.invalid(format!("the table {} is changed by `swap` alone", shape.name)));
        }
        for rows in batches {
            self.write_batch(shape, rows).await?;
        }
        Ok(())
    }

    async fn write_batch(&self, shape: &Shape, rows: &[Row]) -> Result<(), Error> {
        let mut statements = Vec::with_capacity(rows.len());
        let mut values = Vec::with_capacity(rows.len());
        for row in rows {
            values.push(self.bound(shape, row)?);
            let statement = self.inner.statement(kind(row), shape, self.generation).await?;
            statements.push(BatchStatement::PreparedStatement(statement));
        }
        let mut batch = Batch::new_with_statements(BatchType::Unlogged, statements);
        batch.set_is_idempotent(true);
        match self.inner.repeat(|| self.inner.session.batch(&batch, &values)).await {
            Ok(_) => {
                metrics::counter!(BATCHES_WRITTEN).increment(1);
                Ok(())
            }
            Err(error) => Err(self.inner.refused(error, shape, self.generation).await),
        }
    }

    fn bound<'a>(&self, shape: &Shape, row: &'a Row) -> Result<Values<'a>, Error> {
        let cols = &row.key.cols.0;
        if cols.len() != shape.columns.len() || !fits(shape, cols) {
            return Err(self.inner.invalid(format!("{:?} is no key of the table {}", row.key.cols, shape.name)));
        }
        let at = row.at;
        let stamp = stamp(self.generation, at).ok_or_else(|| {
            self.inner.invalid(format!("position {} of generation {} is beyond a stamp", at.0, self.generation))
        })?;
        let part =
            part_cells(shape, row.key.part).ok_or_else(|| self.inner.invalid(format!("no {:?}", row.key.part)))?;
        let value = row.value.as_ref().map(|value| Cell::Bytes(value));
        let expires = row.expires.filter(|_| row.value.is_some()).map(|expires| Cell::Long(expires.0));
        let head = [Some(Cell::Long(stamp)), value, expires];
        Ok(Values(head.into_iter().flatten().chain(part).chain(cols.iter().map(Cell::of)).collect()))
    }
}

fn kind(row: &Row) -> Kind {
    match (&row.value, row.expires) {
        (None, _) => Kind::Delete,
        (Some(_), None) => Kind::Put,
        (Some(_), Some(_)) => Kind::PutExpiring,
    }
}

/// Rooms are shared by all clones.
pub(super) type Room = Arc<tokio::sync::Semaphore>;
