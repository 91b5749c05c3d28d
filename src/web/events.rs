//! `POST /v1/events`: one event, or a list of them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::HeaderMap;
use hyper::body::Incoming;
use hyper::header;
use serde::Serialize;
use serde_json::value::RawValue;

use super::keys::Pass;
use super::position::Token;
use super::problem::{Kind, Problem};
use super::reply::{self, Reply};
use super::server::Shared;
use crate::append::intake::Outcome;
use crate::append::{Appended, Sink};
use crate::ids::Next;
use crate::store::Store;

/// What became of one event, in the order of the request.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Item {
    event_id: Option<String>,
    status: &'static str,
    /// The first position from which the event counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Serialize)]
struct Answer {
    accepted: usize,
    duplicate: usize,
    rejected: usize,
    /// For `X-Min-Position`: answers that reach it have seen all of these events.
    token: Option<String>,
    results: Vec<Item>,
}

pub(super) async fn post<S: Store, K: Sink>(
    shared: &Arc<Shared<S, K>>,
    pass: &Pass,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Reply, Problem> {
    let bytes = read_json(headers, body, shared.limits.batch_bytes_max, shared.limits.body_wait_max).await?;
    let items = split(&bytes, shared.limits.body_bytes_max)?;
    let wait_max = shared.limits.append_wait_max;
    let outcomes =
        match tokio::time::timeout(wait_max, shared.app.intake.submit(&items, |creator| pass.may_touch(creator))).await
        {
            Ok(outcomes) => outcomes?,
            Err(_) => return Err(too_slow(wait_max)),
        };
    let mut answer = Answer { accepted: 0, duplicate: 0, rejected: 0, token: None, results: Vec::new() };
    let mut token = Token::default();
    for outcome in outcomes {
        answer.add(outcome, &mut token);
    }
    answer.token = (!token.is_empty()).then(|| token.to_string());
    if answer.accepted == 0 && answer.duplicate == 0 && answer.rejected > 0 {
        let mut problem = Problem::new(Kind::AllRejected, "no event was accepted; each result says why");
        problem.extra.results = Some(answer.results);
        return Err(problem);
    }
    Ok(reply::json(&answer))
}

/// What was handed to the log may still get there: the same event ids make sending it again harmless.
pub(super) fn too_slow(wait_max: Duration) -> Problem {
    let detail = format!(
        "the log did not take the events within {} ms and may or may not have them; send them again as they are, \
         with the same event ids",
        wait_max.as_millis()
    );
    Problem::retry(Kind::LogUnavailable, detail, 2)
}

impl Answer {
    fn add(&mut self, outcome: Outcome, token: &mut Token) {
        let (event_id, status, at, reason) = match outcome {
            Outcome::Accepted { event_id, at } => {
                self.accepted += 1;
                (Some(event_id), "accepted", Some(at), None)
            }
            Outcome::Duplicate { event_id, at } => {
                self.duplicate += 1;
                (Some(event_id), "duplicate", Some(at), None)
            }
            Outcome::Rejected { event_id, reason } => {
                self.rejected += 1;
                (event_id, "rejected", None, Some(reason))
            }
        };
        let position = at.map(|Appended { partition, offset }| {
            let Next(next) = offset.next();
            token.cover(partition, Next(next));
            Token::of(partition, Next(next)).to_string()
        });
        self.results.push(Item { event_id, status, position, reason });
    }
}

/// The whole body, which must say that it is JSON: a form of another site cannot.
pub(super) async fn read_json(
    headers: &HeaderMap,
    body: Incoming,
    max: usize,
    wait_max: Duration,
) -> Result<Bytes, Problem> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Problem::new(Kind::MediaType, "send the body with `Content-Type: application/json`"));
    }
    match tokio::time::timeout(wait_max, Limited::new(body, max).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(max)),
        Ok(Err(_)) => Err(Problem::new(Kind::InvalidBody, "the body broke off")),
        Err(_) => {
            let detail = format!("the body was not there after {} ms", wait_max.as_millis());
            Err(Problem::new(Kind::BodyTimeout, detail))
        }
    }
}

fn too_large(max: usize) -> Problem {
    Problem::new(Kind::BodyTooLarge, format!("the body may have {max} bytes at most"))
}

/// One event or a list, each as its own bytes; what is inside is for the intake to read.
fn split(bytes: &Bytes, single_max: usize) -> Result<Vec<&[u8]>, Problem> {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_slice(bytes)
                .map_err(|error| Problem::new(Kind::InvalidBody, format!("the list is not valid JSON: {error}")))?;
            if items.is_empty() {
                return Err(Problem::new(Kind::InvalidBody, "the list is empty"));
            }
            Ok(items.into_iter().map(|item| item.get().as_bytes()).collect())
        }
        Some(_) if bytes.len() > single_max => Err(too_large(single_max)),
        Some(b'{') => Ok(vec![bytes]),
        Some(_) | None => Err(Problem::new(Kind::InvalidBody, "the body must be one event or a list of events")),
    }
}
