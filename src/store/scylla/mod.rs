//! Rows in ScyllaDB or Apache Cassandra, through what both understand (ADR 0015).
//!
//! Promise: as of [`Store`]; what passes (a node away, an answer late) is tried again for some seconds and then told as
//! [`Error::Unreachable`], so that who reads gets an answer and who writes can go on for ever.

mod bind;
mod connect;
pub mod ddl;
mod failure;
mod read;
pub mod schema;
pub mod shape;
mod slice;
mod statements;
mod swap;
mod text;
mod write;

use std::fmt;
use std::sync::Arc;

use scylla::client::session::Session;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;
use tokio::time::Instant;

use super::{Doors, Error, Health, Key, Range, Row, Store, Swap, Table, TableId};
use crate::ids::Millis;
pub use connect::{Login, Options, Tls};
use read::Cursor;
use shape::{SHAPES, Shape};
use statements::Prepared;

/// Keys looked at in one go while expired rows are taken away.
const PURGED_TOGETHER: usize = 1_000;

/// A door to the rows of one generation. Clones share one session.
#[derive(Clone)]
pub struct ScyllaStore {
    generation: u32,
    inner: Arc<Inner>,
}

struct Inner {
    options: Options,
    /// As errors name it.
    place: String,
    shapes: &'static [Shape],
    session: Session,
    prepared: Prepared,
    batches: write::Room,
    reads: write::Room,
}

impl fmt::Debug for ScyllaStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScyllaStore").field("generation", &self.generation).finish_non_exhaustive()
    }
}

impl ScyllaStore {
    /// Connects, with a door to the first generation. Nothing is made before [`Store::setup`]. The session lives on the
    /// runtime that this is called on.
    pub async fn connect(options: Options) -> Result<Self, Error> {
        Self::connect_with(options, SHAPES).await
    }

    /// The same for other tables than the projections.
    pub async fn connect_with(options: Options, shapes: &'static [Shape]) -> Result<Self, Error> {
        let session = connect::connect(&options).await?;
        let (batches, reads) = (options.batches_in_flight_max, options.reads_in_flight_max);
        let inner = Inner {
            place: options.place(),
            options,
            shapes,
            session,
            prepared: Prepared::default(),
            batches: Arc::new(Semaphore::new(batches.min(Semaphore::MAX_PERMITS))),
            reads: Arc::new(Semaphore::new(reads.min(Semaphore::MAX_PERMITS))),
        };
        Ok(Self { generation: super::alias::FIRST, inner: Arc::new(inner) })
    }

    /// Whether the tables that belong to no generation, and those of `generations`, are there and as they should be;
    /// else [`Error::Drift`]. Changes nothing.
    pub async fn check(&self, generations: &[u32]) -> Result<(), Error> {
        self.inner.check(generations).await
    }
}

impl Store for ScyllaStore {
    /// Makes the keyspace and the tables that belong to no generation, too. Two programs must not do so at once: servers
    /// that are told of one table at the same time by two nodes may not agree on it.
    async fn setup(&self, tables: &[Table]) -> Result<(), Error> {
        let mut shapes: Vec<Shape> = self.inner.shapes.iter().filter(|shape| shape.is_shared()).copied().collect();
        for table in tables {
            let shape = self.inner.shape(table.id)?;
            if ddl::table_name(shape, self.generation) != table.name {
                return Err(self
                    .inner
                    .invalid(format!("{} is no table of generation {}", table.name, self.generation)));
            }
            if !shape.is_shared() {
                shapes.push(*shape);
            }
        }
        self.inner.set_up(&shapes, self.generation).await
    }

    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, Error> {
        self.get_all(keys).await
    }

    async fn scan(&self, range: &Range) -> Result<Vec<Row>, Error> {
        self.scan_all(range).await
    }

    async fn write(&self, rows: Vec<Row>) -> Result<(), Error> {
        self.write_all(rows).await
    }

    async fn swap(&self, key: &Key, from: Option<&[u8]>, to: &[u8]) -> Result<Swap, Error> {
        self.swap_one(key, from, to).await
    }

    async fn health(&self) -> Health {
        let asked = Instant::now();
        let answer = self.inner.session.query_unpaged("SELECT key FROM system.local", ()).await;
        let latency_us = u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX);
        match answer {
            Ok(_) => Health { reachable: true, latency_us, detail: self.inner.missing_nodes() },
            Err(error) => {
                let cause = error.to_string();
                let told = failure::explain(&self.inner.place, failure::verdict(&error), error);
                Health { reachable: false, latency_us, detail: format!("{told}: {cause}") }
            }
        }
    }
}

impl Doors for ScyllaStore {
    fn of(&self, generation: u32) -> Self {
        Self { generation, ..self.clone() }
    }

    fn generation(&self) -> u32 {
        self.generation
    }

    async fn generations(&self) -> Result<Vec<u32>, Error> {
        let tables = self.inner.tables().await?;
        let of_table = |name: &String| self.inner.shapes.iter().find_map(|shape| ddl::generation_of(shape, name));
        let found: std::collections::BTreeSet<u32> = tables.iter().filter_map(of_table).collect();
        Ok(found.into_iter().collect())
    }

    async fn drop_generation(&self) -> Result<u64, Error> {
        let tables = self.inner.tables().await?;
        let mut dropped = 0;
        for shape in self.inner.shapes.iter().filter(|shape| !shape.is_shared()) {
            let name = ddl::table_name(shape, self.generation);
            if tables.contains(&name) {
                self.inner.define(&ddl::drop_table(&self.inner.options.keyspace, &name)).await?;
                dropped += 1;
            }
            // Also what a drop that was cut short has left.
            self.inner.define(&ddl::drop_type(&self.inner.options.keyspace, shape, self.generation)).await?;
        }
        self.inner.prepared.forget(self.generation);
        Ok(dropped)
    }

    async fn purge(&self, range: &Range, before: Millis) -> Result<u64, Error> {
        self.check_range(range)?;
        let (mut cursor, mut purged) = (Cursor::new(range, false), 0);
        while let Some(page) = self.page(&mut cursor, PURGED_TOGETHER).await? {
            // Deleted as of their own stamp: what is written meanwhile stays.
            let expired = page.into_iter().filter(|row| row.expires.is_some_and(|expires| expires < before));
            let tombstones: Vec<Row> = expired.map(|row| Row { value: None, expires: None, ..row }).collect();
            purged += u64::try_from(tombstones.len()).unwrap_or_default();
            self.write_all(tombstones).await?;
        }
        Ok(purged)
    }
}

impl Inner {
    fn shape(&self, table: TableId) -> Result<&'static Shape, Error> {
        let found = self.shapes.iter().find(|shape| shape.id == table);
        found.ok_or_else(|| self.invalid(format!("there is no table {}", table.0)))
    }

    fn invalid(&self, what: String) -> Error {
        Error::Invalid { place: self.place.clone(), what }
    }

    fn damaged(&self, shape: &Shape, what: &str) -> Error {
        Error::Damaged { place: self.place.clone(), what: format!("table {}: {what}", shape.name) }
    }

    async fn room(&self, room: &write::Room) -> Result<OwnedSemaphorePermit, Error> {
        let permit = Arc::clone(room).acquire_owned().await;
        permit.map_err(|error| failure::explain(&self.place, failure::Verdict::Other, error))
    }

    /// A panic of a task is told as a failure of the store.
    fn joined<T>(&self, done: Result<Result<T, Error>, JoinError>) -> Result<T, Error> {
        done.map_err(|error| failure::explain(&self.place, failure::Verdict::Other, error))?
    }

    /// The nodes that there is no connection to, in a sentence; empty when there is one to each.
    fn missing_nodes(&self) -> String {
        let state = self.session.get_cluster_state();
        let nodes = state.get_nodes_info().iter().filter(|node| node.is_enabled() && !node.is_connected());
        let missing: Vec<String> = nodes.map(|node| node.address.to_string()).collect();
        if missing.is_empty() {
            return String::new();
        }
        format!("no connection to {}; look whether these nodes are up", missing.join(", "))
    }
}
