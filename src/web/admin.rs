//! Long looks at the projections, for operators: counted or compared with the log, and told line by line.

use std::sync::Arc;

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};

use super::events::read_json;
use super::generations::GenerationStatus;
use super::problem::{Kind, Problem};
use super::reply::{self, Reply};
use super::server::Shared;
use crate::append::Sink;
use crate::store::Store;

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// How many rows each table holds.
    Stats,
    /// Whether every row is what the log says.
    Verify,
    /// Whether the rows of another generation are those of the live one.
    Compare { generation: u32 },
}

/// One line of a look, as JSON. The last one is `Counted`, `Verified`, `Compared` or `Failed`; without it the look broke off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// Events folded so far, of about so many; rows counted so far, of an unknown number (0).
    Progress {
        done: u64,
        of: u64,
    },
    /// A row that is not what the log says; the first hundred are told.
    Difference {
        table: String,
        partition: u32,
        key: String,
        what: String,
    },
    Verified {
        differences: u64,
        rows: u64,
        events: u64,
    },
    Counted {
        tables: Vec<Counted>,
        #[serde(default)]
        generations: Vec<GenerationSize>,
    },
    /// `newer` rows were not compared: the live generation follows the log no more, and does not know what changed
    /// them.
    Compared {
        differences: u64,
        rows: u64,
        newer: u64,
    },
    Failed {
        why: String,
    },
}

/// What a table holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    pub table: String,
    pub rows: u64,
    /// Of the values.
    pub bytes: u64,
}

/// What a generation holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerationSize {
    #[serde(flatten)]
    pub status: GenerationStatus,
    pub rows: u64,
    /// Of the values.
    pub bytes: u64,
}

/// Starts a look beside everything else, which ends soon after its receiver is gone. `None`: one is running.
pub type Looks = Arc<dyn Fn(Look) -> Option<mpsc::Receiver<Line>> + Send + Sync>;

impl Look {
    /// Where a server is asked for it.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Stats => "/admin/projections/stats",
            Self::Verify => "/admin/projections/verify",
            Self::Compare { .. } => "/admin/projections/compare",
        }
    }

    /// The body to ask with; none where a GET asks.
    pub fn body(self) -> Option<Bytes> {
        match self {
            Self::Stats => None,
            Self::Verify => Some(Bytes::from_static(b"{}")),
            Self::Compare { generation } => Some(format!("{{\"generation\":{generation}}}").into()),
        }
    }
}

pub(super) fn stats<S: Store, K: Sink>(shared: &Arc<Shared<S, K>>) -> Result<Reply, Problem> {
    look(shared, Look::Stats)
}

/// The body says that it is JSON, which no form of another site can: nobody makes this work by a link.
pub(super) async fn verify<S: Store, K: Sink>(
    shared: &Arc<Shared<S, K>>,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Reply, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}
    let bytes = read_json(headers, body, shared.limits.body_bytes_max, shared.limits.body_wait_max).await?;
    serde_json::from_slice::<Nothing>(&bytes)
        .map_err(|error| Problem::new(Kind::InvalidBody, format!("the body must be {{}}: {error}")))?;
    look(shared, Look::Verify)
}

pub(super) async fn compare<S: Store, K: Sink>(
    shared: &Arc<Shared<S, K>>,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Reply, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Other {
        generation: u32,
    }
    let bytes = read_json(headers, body, shared.limits.body_bytes_max, shared.limits.body_wait_max).await?;
    let Other { generation } = serde_json::from_slice(&bytes).map_err(|error| {
        Problem::new(Kind::InvalidBody, format!("the body must be {{\"generation\": its number}}: {error}"))
    })?;
    look(shared, Look::Compare { generation })
}

fn look<S: Store, K: Sink>(shared: &Arc<Shared<S, K>>, look: Look) -> Result<Reply, Problem> {
    let Some(lines) = (shared.app.looks)(look) else {
        let detail = "the projections are being counted or compared already; one look at a time";
        return Err(Problem::retry(Kind::AlreadyRunning, detail, 5));
    };
    let telling = (lines, shared.stopping.clone());
    Ok(reply::stream("application/x-ndjson", reply::unfold(telling, |telling| Box::pin(next(telling)))))
}

type Telling = (mpsc::Receiver<Line>, watch::Receiver<bool>);

/// The next line; `None` after the last one, or once the server stops.
async fn next((mut lines, mut stopping): Telling) -> Option<(Bytes, Telling)> {
    let line = tokio::select! {
        // Nothing is lost by dropping either: a line not received stays in the channel, and a stop is for good.
        line = lines.recv() => line?,
        _ = stopping.wait_for(|stopping| *stopping) => return None,
    };
    let mut bytes = serde_json::to_vec(&line).unwrap_or_default();
    bytes.push(b'\n');
    Some((Bytes::from(bytes), (lines, stopping)))
}
