//! Projection rows, in whichever engine keeps them.
//!
//! Promise of a [`Store`]: a row with a greater `at` wins, whenever it arrives; with equal `at` a tombstone wins,
//! then the larger bytes; writing again changes nothing; an error is never "absent"; what `write` acknowledged
//! survives a crash.

pub mod accord;
pub mod alias;
pub mod embedded;
pub mod live;
pub mod origin;
pub mod owners;
pub mod scylla;

use bytes::Bytes;

use crate::ids::Millis;
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
    /// Durable when it returns; atomic per `Part` at best, else in the order given there; repeatable. Rows of `applied`
    /// are seen no sooner than the others.
    fn write(&self, rows: Vec<Row>) -> impl Future<Output = Result<(), Error>> + Send;
    /// Conditional: the generation alias.
    fn swap(&self, key: &Key, from: Option<&[u8]>, to: &[u8]) -> impl Future<Output = Result<Swap, Error>> + Send;
    fn health(&self) -> impl Future<Output = Health> + Send;
}

/// What the program needs beyond rows: doors to generations, and the sweeping out of what nobody reads.
pub trait Doors: Store {
    /// The door to another generation of the same store. `setup` makes its tables.
    fn of(&self, generation: u32) -> Self;
    /// The generation behind this door.
    fn generation(&self) -> u32;
    /// The generations that have tables, in order.
    fn generations(&self) -> impl Future<Output = Result<Vec<u32>, Error>> + Send;
    /// Takes the generation out of the store; nobody can write it any more once this has begun. How much went: rows, or
    /// tables where an engine drops them whole. Done again, it goes on where it was; 0: nothing was left.
    fn drop_generation(&self) -> impl Future<Output = Result<u64, Error>> + Send;
    /// Takes rows of `range` away whose `expires` lies before `before`, and says how many. Readers drop them anyway:
    /// this frees their space. It goes in small steps, so that nobody waits for it.
    fn purge(&self, range: &Range, before: Millis) -> impl Future<Output = Result<u64, Error>> + Send;
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
    /// It may pass by itself: who can wait tries again, whatever was to be done. A write may have been done.
    #[error("the projections {place} do not answer; try again, and look whether enough of their nodes are up")]
    Unreachable { place: String, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("the projections {place} refuse this user; check its name, its password and what it is granted")]
    Denied { place: String, source: Box<dyn std::error::Error + Send + Sync> },
    /// A sentence for each thing that is missing or differs.
    #[error(
        "the tables of the projections {place} are not as they should be: {}; `tributary setup` makes what is missing; mend or drop what differs",
        few(what)
    )]
    Drift { place: String, what: Vec<String> },
    #[error("the projections {place} cannot do what they are asked to: {what}")]
    Invalid { place: String, what: String },
    #[error("cannot reach the projections {place}")]
    Engine { place: String, source: Box<dyn std::error::Error + Send + Sync> },
}

/// As many as can be read in one message.
const TOLD_MAX: usize = 8;

fn few(sentences: &[String]) -> String {
    let (told, rest) = sentences.split_at(sentences.len().min(TOLD_MAX));
    let more = if rest.is_empty() { String::new() } else { format!("; and {} more", rest.len()) };
    format!("{}{more}", told.join("; "))
}

impl Error {
    /// Trying again later may help.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}
