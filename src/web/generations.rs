//! Generations of the projections, for operators: made anew beside the live one, compared, switched, dropped.

use std::pin::Pin;
use std::sync::Arc;

use hyper::HeaderMap;
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};

use super::events::read_json;
use super::problem::{Kind, Problem};
use super::reply::{self, Reply};
use super::server::Shared;
use crate::append::Sink;
use crate::store::Store;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// How all of them are.
    Status,
    /// Make one anew from the log; at most so many events a second, none: as the settings say.
    Rebuild { rate: Option<u32> },
    /// Drop the one in the making.
    Cancel,
    /// The one in the making becomes the live one; forced even if it was not compared, or differs.
    Switch { force: bool },
    /// The former one becomes the live one; forced even if it follows the log no more.
    Rollback { force: bool },
    /// Drop the former one.
    Drop,
}

/// How all generations are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    pub live: u32,
    pub generations: Vec<GenerationStatus>,
}

/// How one is. Positions are sums over the partitions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerationStatus {
    pub generation: u32,
    pub role: Role,
    pub state: State,
    /// Why it follows the log no more, or was not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Its rows hold the events below.
    pub position: u64,
    pub log_end: u64,
    /// Since the process began.
    pub rows_written: u64,
    /// Events a second at most; 0: no limit.
    pub rate: u32,
    /// Until it has caught up, as it goes now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta_ms: Option<u64>,
    /// From the live one, once compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub differences: Option<u64>,
    /// By table, where this process compared it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compared: Vec<TableCompared>,
    pub partitions: Vec<PartitionPosition>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionPosition {
    pub partition: u32,
    pub position: u64,
    pub log_end: u64,
}

/// What the comparison of a table found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableCompared {
    pub table: String,
    pub rows: u64,
    pub differences: u64,
    /// Not compared: newer than the end of a live generation that follows the log no more.
    pub newer: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Live,
    Former,
    Building,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It follows the log.
    Followed,
    CatchingUp,
    Comparing,
    /// It follows the log, and can be switched to.
    Ready,
    /// Made by another version of the fold: its rows stay as they are.
    Frozen,
    /// Its workers have stopped.
    Halted,
    /// No worker runs in this process.
    Idle,
}

/// Why it was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Something must be done first; the text says what.
    NotNow(String),
    Failed(String),
}

/// What becomes of it. Dropped, it goes on all the same.
pub type Asked = Pin<Box<dyn Future<Output = Result<Status, Refusal>> + Send>>;
/// Whoever looks after the generations.
pub type Generations = Arc<dyn Fn(Ask) -> Asked + Send + Sync>;

/// The body of a request: what the path takes of it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Wish {
    rate: Option<u32>,
    force: bool,
}

impl Ask {
    /// Where a server is asked for it.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Status => "/admin/projections/generations",
            Self::Rebuild { .. } => "/admin/projections/rebuild",
            Self::Cancel => "/admin/projections/cancel",
            Self::Switch { .. } => "/admin/projections/switch",
            Self::Rollback { .. } => "/admin/projections/rollback",
            Self::Drop => "/admin/projections/drop",
        }
    }

    /// The body to ask with; none where a GET asks.
    pub fn body(self) -> Option<Vec<u8>> {
        let wish = match self {
            Self::Status => return None,
            Self::Rebuild { rate } => Wish { rate, force: false },
            Self::Switch { force } | Self::Rollback { force } => Wish { rate: None, force },
            Self::Cancel | Self::Drop => Wish::default(),
        };
        Some(serde_json::to_vec(&wish).unwrap_or_default())
    }

    fn with(self, wish: &Wish) -> Self {
        match self {
            Self::Rebuild { .. } => Self::Rebuild { rate: wish.rate },
            Self::Switch { .. } => Self::Switch { force: wish.force },
            Self::Rollback { .. } => Self::Rollback { force: wish.force },
            Self::Status | Self::Cancel | Self::Drop => self,
        }
    }
}

pub(super) async fn status<S: Store, K: Sink>(shared: &Arc<Shared<S, K>>) -> Result<Reply, Problem> {
    answer(shared, Ask::Status).await
}

/// The body says that it is JSON, which no form of another site can.
pub(super) async fn change<S: Store, K: Sink>(
    shared: &Arc<Shared<S, K>>,
    ask: Ask,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Reply, Problem> {
    let bytes = read_json(headers, body, shared.limits.body_bytes_max, shared.limits.body_wait_max).await?;
    let wish: Wish = serde_json::from_slice(&bytes)
        .map_err(|error| Problem::new(Kind::InvalidBody, format!("the body must be {{}}, or say more: {error}")))?;
    answer(shared, ask.with(&wish)).await
}

async fn answer<S: Store, K: Sink>(shared: &Arc<Shared<S, K>>, ask: Ask) -> Result<Reply, Problem> {
    match (shared.app.generations)(ask).await {
        Ok(status) => Ok(reply::json(&status)),
        Err(Refusal::NotNow(why)) => Err(Problem::new(Kind::NotNow, why)),
        Err(Refusal::Failed(why)) => Err(Problem::retry(Kind::StoreUnavailable, why, 5)),
    }
}
