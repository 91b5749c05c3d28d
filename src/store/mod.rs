//! Projection rows, in whichever engine keeps them.
//!
//! Promise of a [`Store`]: a row with a greater `at` wins, whenever it arrives; with equal `at` a tombstone wins,
//! then the larger bytes; writing again changes nothing; an error is never "absent"; what `write` acknowledged
//! survives a crash.

pub mod alias;
pub mod embedded;
pub mod live;

use bytes::Bytes;

pub use crate::project::key::{Bound, Col, Cols, Key, Part, Range, Row, TableId};

/// The outcome of a conditional write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Swap {
    Done,
    /// What stands there instead of what was expected.
    Refused(Option<Bytes>),
}

/// How the engine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    pub reachable: bool,
    pub latency_us: u64,
    /// What is wrong, and what to do; empty when nothing is.
    pub detail: String,
}

/// A table to be there before the first row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub id: TableId,
    /// With its generation: `member_g1`.
    pub name: String,
}

/// The projection tables. Written by the workers, read by the web.
pub trait Store: Clone + Send + Sync + 'static {
    fn setup(&self, tables: &[Table]) -> impl Future<Output = Result<(), Error>> + Send;
    /// In key order of the call. Tombstones read as absent.
    fn get(&self, keys: &[Key]) -> impl Future<Output = Result<Vec<Option<Row>>, Error>> + Send;
    /// Live rows in order, at most `limit`.
    fn scan(&self, range: &Range) -> impl Future<Output = Result<Vec<Row>, Error>> + Send;
    /// Durable when it returns; atomic per `Part` at best; repeatable.
    fn write(&self, rows: Vec<Row>) -> impl Future<Output = Result<(), Error>> + Send;
    /// Conditional: the generation alias.
    fn swap(&self, key: &Key, from: Option<&[u8]>, to: &[u8]) -> impl Future<Output = Result<Swap, Error>> + Send;
    fn health(&self) -> impl Future<Output = Health> + Send;
}

/// What the projection store can fail with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "the projections {place} cannot take more: the disk is full; free some space, the worker goes on by itself"
    )]
    Full { place: String },
    #[error(
        "the projections {place} are damaged ({what}); stop, then run `tributary projections rebuild --from-nothing`"
    )]
    Damaged { place: String, what: String },
    #[error("the projections {place} have no generation {generation} any more; its writer must end")]
    NoGeneration { place: String, generation: u32 },
    #[error("another has changed which generation is live; look again with `tributary projections stats`")]
    Moved,
    #[error("cannot reach the projections {place}")]
    Engine { place: String, source: Box<dyn std::error::Error + Send + Sync> },
    /// It may answer again by itself.
    #[error("the projections {place} do not answer: {what}")]
    Unavailable { place: String, what: String },
}

impl Error {
    /// Trying again later may help.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}
