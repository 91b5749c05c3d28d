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
use crate::fold::fraud::RuleSet;
use crate::ids::Millis;
use crate::store::Store;

/// What is looked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Look {
    /// How many rows each table holds.
    Stats,
    /// Whether every row is what the log says.
    Verify,
    /// Whether the rows of another generation are those of the live one.
    Compare { generation: u32 },
    /// What another rule set would have decided.
    Backtest(Arc<Trial>),
}

/// Which other rule set, and of what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// `id`, `version`, `base`, `points`, `thresholds`, `guards`; of a shipped one its `id` alone.
    pub rules: serde_json::Value,
    /// Subjects from then on, and before then, by their own time.
    #[serde(default)]
    pub from: Option<Millis>,
    #[serde(default)]
    pub to: Option<Millis>,
    #[serde(default)]
    pub creator: Option<String>,
    /// Members told one by one, 1,000 at most.
    #[serde(default = "Trial::members")]
    pub members: u16,
}

impl Trial {
    pub const MEMBERS_MAX: u16 = 1_000;

    /// Members told one by one where nobody says how many.
    pub const fn members() -> u16 {
        20
    }
}

/// One line of a look, as JSON. The last one is `Counted`, `Verified`, `Compared`,
/// `Backtested` or `Failed`; without it the look broke off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// The whole of a back-test; see `worker::backtest::Report`.
    Backtested {
        report: serde_json::Value,
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
    pub const fn path(&self) -> &'static str {
        match self {
            Self::Stats => path::STATS,
            Self::Verify => path::VERIFY,
            Self::Compare { .. } => path::COMPARE,
            Self::Backtest(_) => path::BACKTEST,
        }
    }

    /// The body to ask with; none where a GET asks.
    pub fn body(&self) -> Option<Bytes> {
        match self {
            Self::Stats => None,
            Self::Verify => Some(Bytes::from_static(b"{}")),
            Self::Compare { generation } => Some(format!("{{\"generation\":{generation}}}").into()),
            Self::Backtest(trial) => Some(serde_json::to_vec(&**trial).unwrap_or_default().into()),
        }
    }
}

/// Where a server is asked for each look.
pub(super) mod path {
    pub(in crate::web) const STATS: &str = "/admin/projections/stats";
    pub(in crate::web) const VERIFY: &str = "/admin/projections/verify";
    pub(in crate::web) const COMPARE: &str = "/admin/projections/compare";
    pub(in crate::web) const BACKTEST: &str = "/v1/admin/fraud/backtest";
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

pub(super) async fn backtest<S: Store, K: Sink>(
    shared: &Arc<Shared<S, K>>,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Reply, Problem> {
    let bytes = read_json(headers, body, shared.limits.body_bytes_max, shared.limits.body_wait_max).await?;
    let wrong = |why: String| Problem::new(Kind::InvalidBody, why);
    let trial: Trial = serde_json::from_slice(&bytes)
        .map_err(|error| wrong(format!("the body must be {{\"rules\": a rule set}}: {error}")))?;
    RuleSet::parse_named(trial.rules.clone()).map_err(|error| wrong(format!("`rules`: {error}")))?;
    if trial.members > Trial::MEMBERS_MAX {
        return Err(wrong(format!("`members` is {}; at most {} is allowed", trial.members, Trial::MEMBERS_MAX)));
    }
    look(shared, Look::Backtest(Arc::new(trial)))
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
