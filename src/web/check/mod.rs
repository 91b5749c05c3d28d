//! `POST /v1/fraud/check`: what would be decided of a click or a sale, as of now, while it can still be stopped.
//!
//! Promise: an answer within the deadline, whatever happens. The process that folds the creator's partition has the
//! state, and answers between two records; another one passes the question on to it. Where nobody answers in time the
//! answer is what the settings say, and says why. Raw fields become tokens here, as those of events do, and go no further.

mod said;
mod told;

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::HeaderMap;
use hyper::StatusCode;
use hyper::body::Incoming;
use serde::Deserialize;

use super::client::Answer;
use super::events::read_json;
use super::forward;
use super::keys::Pass;
use super::problem::{Kind, Problem};
use super::read::unknown_creator;
use super::reply::{self, Reply};
use super::server::Shared;
use crate::append::Sink;
use crate::append::intake::Scratch;
use crate::append::partition::partition_of;
use crate::fold::fraud::{Action, Verdict};
use crate::fold::{Asked, Preview, Unseen};
use crate::ids::Partition;
use crate::store::Store;
use crate::telemetry::{CHECK_SECONDS, CHECKS, with_causes};
use said::Said;

const PATH: &str = "/v1/fraud/check";

/// Who can be asked, and what is said if nobody answers.
#[derive(Clone)]
pub struct Checks {
    /// The tasks of this process.
    pub here: Here,
    /// Where the owner of a partition was last said to be.
    pub owner: OwnerOf,
    pub policy: Policy,
}

/// Puts a question to the task of a partition, if this process has it.
pub type Here = Arc<dyn Fn(Partition, &Asked<'_>) -> Result<Answering, NotHere> + Send + Sync>;
/// `None`: the task was given up meanwhile.
pub type Answering = Pin<Box<dyn Future<Output = Option<Result<Preview, Unseen>>> + Send>>;
/// With `true` as of now, or nearly: what was known before was wrong.
pub type OwnerOf = Arc<dyn Fn(Partition, bool) -> Owner + Send + Sync>;
/// `None`: nobody is known to have it.
pub type Owner = Pin<Box<dyn Future<Output = Option<SocketAddr>> + Send>>;

/// Why this process does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotHere {
    Elsewhere,
    /// Too many questions wait.
    Busy,
}

/// How long an answer may take, and what it is then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    pub deadline: Duration,
    pub fallback: Fallback,
}

impl Default for Policy {
    fn default() -> Self {
        Self { deadline: Duration::from_millis(50), fallback: Fallback::ApproveWithHold }
    }
}

/// What is said of what could not be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    /// Let it happen, and pay nothing for it before its own decision is there.
    ApproveWithHold,
    Approve,
    Review,
    Block,
}

impl Fallback {
    pub const ALL: [Self; 4] = [Self::ApproveWithHold, Self::Approve, Self::Review, Self::Block];

    /// As settings name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ApproveWithHold => "approve_with_hold",
            Self::Approve => "approve",
            Self::Review => "review",
            Self::Block => "block",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fallback| fallback.name() == name)
    }

    const fn verdict(self) -> Verdict {
        match self {
            Self::ApproveWithHold | Self::Approve => Verdict::Approve,
            Self::Review => Verdict::Review,
            Self::Block => Verdict::Block,
        }
    }

    const fn action(self) -> Action {
        match self {
            Self::Approve => Action::None,
            Self::ApproveWithHold | Self::Review => Action::Hold,
            Self::Block => Action::Reverse,
        }
    }
}

/// Why an answer is what the settings say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    /// Who has the state did not answer in time.
    Deadline,
    /// Too many other questions wait for it.
    Busy,
    /// Nobody is known to have it: it is being handed over, or its process has ended.
    NoOwner,
    /// Its process cannot be reached, or does not let us in.
    Unreachable,
    /// The answer is there, but of a member that nobody knows.
    UnknownMember,
}

impl Reason {
    const fn name(self) -> &'static str {
        match self {
            Self::Deadline => "deadline",
            Self::Busy => "busy",
            Self::NoOwner => "no_owner",
            Self::Unreachable => "unreachable",
            Self::UnknownMember => "unknown_member",
        }
    }
}

/// Where the answer came from.
enum Found {
    Here(Box<Preview>),
    Elsewhere(Answer),
    Nowhere(Reason),
}

pub(super) async fn check<S: Store, K: Sink>(
    (shared, pass): (&Arc<Shared<S, K>>, &Pass),
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Reply, Problem> {
    let bytes = read_json(headers, body, shared.limits.check_bytes_max, shared.limits.body_wait_max).await?;
    let said: Said = serde_json::from_slice(&bytes).map_err(|error| invalid(error.to_string()))?;
    let read = said::Read { intake: &shared.app.intake, now: shared.app.clock.now() };
    let events = said.events(read.now)?;
    let (mut first, mut second) = (Scratch::default(), Scratch::default());
    let asked = read.asked(&said, &events, (&mut first, &mut second))?;
    // The same words whether there is such a creator or not.
    if !pass.may_touch(asked.creator_id.0) {
        return Err(unknown_creator(asked.creator_id.0));
    }
    let partition = partition_of(asked.creator_id.0.as_bytes(), shared.app.partitions);
    let (clock, policy) = (&shared.app.clock, shared.app.checks.policy);
    let since = clock.monotonic();
    let found = find(&shared.app.checks, headers, partition, (&said, &asked));
    let found = tokio::time::timeout(policy.deadline, found).await.unwrap_or(Ok(Found::Nowhere(Reason::Deadline)));
    metrics::histogram!(CHECK_SECONDS).record(clock.monotonic().saturating_sub(since));
    let found = found.inspect_err(|_| count("refused"))?;
    count(match &found {
        Found::Here(_) => "answered",
        Found::Elsewhere(_) => "passed_on",
        Found::Nowhere(reason) => reason.name(),
    });
    Ok(match found {
        Found::Here(preview) => told::answer(&preview, partition, policy.fallback),
        Found::Elsewhere(answer) => passed(answer),
        Found::Nowhere(reason) => told::fallback(reason, policy.fallback),
    })
}

async fn find(
    checks: &Checks,
    headers: &HeaderMap,
    partition: Partition,
    (said, asked): (&Said, &Asked<'_>),
) -> Result<Found, Problem> {
    match (checks.here)(partition, asked) {
        Ok(answering) => match answering.await {
            Some(Ok(preview)) => Ok(Found::Here(Box::new(preview))),
            Some(Err(Unseen::Creator)) => Err(unknown_creator(asked.creator_id.0)),
            Some(Err(Unseen::Refused(why))) => Err(invalid(format!("`occurred_at` {why}"))),
            None => Ok(Found::Nowhere(Reason::NoOwner)),
        },
        Err(NotHere::Busy) => Ok(Found::Nowhere(Reason::Busy)),
        Err(NotHere::Elsewhere) if forward::was_passed_on(headers) => Ok(Found::Nowhere(Reason::NoOwner)),
        Err(NotHere::Elsewhere) => Ok(elsewhere(checks, headers, partition, &said.with_tokens(asked)).await),
    }
}

/// Asks the owner; once more if it has changed.
async fn elsewhere(checks: &Checks, headers: &HeaderMap, partition: Partition, said: &Said) -> Found {
    let body: bytes::Bytes = serde_json::to_vec(said).unwrap_or_default().into();
    let mut reason = Reason::NoOwner;
    for is_wrong in [false, true] {
        let Some(addr) = (checks.owner)(partition, is_wrong).await else { continue };
        match forward::post(addr, PATH, headers, body.clone()).await {
            Ok(answer) if is_of_owner(&answer) => return Found::Elsewhere(answer),
            Ok(answer) if answer.status == StatusCode::OK => reason = Reason::NoOwner,
            Ok(answer) => {
                tracing::debug!(%addr, status = answer.status, "a check was refused by who should answer it");
                reason = Reason::Unreachable;
            }
            Err(error) => {
                tracing::debug!(%addr, error = %with_causes(&error), "a check cannot be passed on");
                reason = Reason::Unreachable;
            }
        }
    }
    Found::Nowhere(reason)
}

/// What the one who asks should see: an answer, or that something is wrong with the question.
fn is_of_owner(answer: &Answer) -> bool {
    #[derive(Deserialize)]
    struct Told {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        reason: Option<String>,
    }
    match StatusCode::from_u16(answer.status) {
        Ok(StatusCode::OK) => {
            let told: Option<Told> = serde_json::from_slice(&answer.body).ok();
            told.is_some_and(|told| told.data.reason.as_deref() != Some(Reason::NoOwner.name()))
        }
        Ok(status) => status == StatusCode::BAD_REQUEST || status == StatusCode::NOT_FOUND,
        Err(_) => false,
    }
}

fn passed(answer: Answer) -> Reply {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let content_type = if status == StatusCode::OK { "application/json" } else { "application/problem+json" };
    reply::whole(status, content_type, answer.body)
}

fn invalid(why: impl Into<String>) -> Problem {
    Problem::new(Kind::InvalidBody, why)
}

fn count(outcome: &'static str) {
    metrics::counter!(CHECKS, "outcome" => outcome).increment(1);
}
