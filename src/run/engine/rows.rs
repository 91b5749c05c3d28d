//! The projections.

use crate::ids::Millis;
use crate::store::embedded::EmbeddedStore;
use crate::store::scylla::ScyllaStore;
use crate::store::{Doors, Error, Health, Key, Range, Row, Store, Swap, Table};

/// Rows of one generation. Clones are the same.
#[derive(Clone)]
pub enum Rows {
    File(EmbeddedStore),
    Cql(ScyllaStore),
}

impl Rows {
    /// Whether other processes may write them, too.
    pub(in crate::run) const fn is_shared(&self) -> bool {
        match self {
            Self::File(_) => false,
            Self::Cql(_) => true,
        }
    }

    /// Whether the tables are those that `setup` would make, where they are made by it: those of no generation, and of
    /// the ones given. Changes nothing.
    pub(in crate::run) async fn check(&self, generations: &[u32]) -> Result<(), Error> {
        match self {
            Self::File(_) => Ok(()),
            Self::Cql(store) => store.check(generations).await,
        }
    }
}

impl Store for Rows {
    async fn setup(&self, tables: &[Table]) -> Result<(), Error> {
        match self {
            Self::File(store) => store.setup(tables).await,
            Self::Cql(store) => store.setup(tables).await,
        }
    }

    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, Error> {
        match self {
            Self::File(store) => store.get(keys).await,
            Self::Cql(store) => store.get(keys).await,
        }
    }

    async fn scan(&self, range: &Range) -> Result<Vec<Row>, Error> {
        match self {
            Self::File(store) => store.scan(range).await,
            Self::Cql(store) => store.scan(range).await,
        }
    }

    async fn write(&self, rows: Vec<Row>) -> Result<(), Error> {
        match self {
            Self::File(store) => store.write(rows).await,
            Self::Cql(store) => store.write(rows).await,
        }
    }

    async fn swap(&self, key: &Key, from: Option<&[u8]>, to: &[u8]) -> Result<Swap, Error> {
        match self {
            Self::File(store) => store.swap(key, from, to).await,
            Self::Cql(store) => store.swap(key, from, to).await,
        }
    }

    async fn health(&self) -> Health {
        match self {
            Self::File(store) => store.health().await,
            Self::Cql(store) => store.health().await,
        }
    }
}

impl Doors for Rows {
    fn of(&self, generation: u32) -> Self {
        match self {
            Self::File(store) => Self::File(store.of(generation)),
            Self::Cql(store) => Self::Cql(store.of(generation)),
        }
    }

    fn generation(&self) -> u32 {
        match self {
            Self::File(store) => store.generation(),
            Self::Cql(store) => store.generation(),
        }
    }

    async fn generations(&self) -> Result<Vec<u32>, Error> {
        match self {
            Self::File(store) => store.generations().await,
            Self::Cql(store) => store.generations().await,
        }
    }

    async fn drop_generation(&self) -> Result<u64, Error> {
        match self {
            Self::File(store) => store.drop_generation().await,
            Self::Cql(store) => store.drop_generation().await,
        }
    }

    async fn purge(&self, range: &Range, before: Millis) -> Result<u64, Error> {
        match self {
            Self::File(store) => store.purge(range, before).await,
            Self::Cql(store) => store.purge(range, before).await,
        }
    }
}
