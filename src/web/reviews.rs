//! What people decide: reviews of what waits for one, and entries of deny and allow lists. Both become events.

use std::sync::Arc;

use hyper::HeaderMap;
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::events::{read_json, too_slow};
use super::keys::Pass;
use super::position::Token;
use super::problem::{Kind, Problem};
use super::read::{self, At};
use super::reply::{self, Reply};
use super::server::Shared;
use crate::append::intake::Outcome;
use crate::append::{Appended, Sink};
use crate::fold::fraud::Subject;
use crate::project::tables::NameKind;
use crate::store::Store;

/// A reviewer's verdict.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Review {
    verdict: String,
    /// fraud, not_fraud, unsure; by default what the verdict says.
    label: Option<String>,
    reason: String,
    /// The decision that was looked at.
    decision_id: Option<String>,
    /// Milliseconds or RFC 3339.
    expires_at: Option<Value>,
    /// The same when it is sent again.
    event_id: Option<String>,
}

/// An entry of a list; it replaces the one before it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    list: String,
    key: String,
    value: String,
    active: Option<bool>,
    expires_at: Option<Value>,
    event_id: Option<String>,
}

/// What was taken in.
#[derive(Serialize)]
struct Taken {
    /// accepted, duplicate.
    status: &'static str,
    event_id: String,
    /// For `X-Min-Position`: answers that reach it have seen it.
    token: String,
}

pub(super) async fn review<S: Store, K: Sink>(
    (shared, pass): (&Arc<Shared<S, K>>, &Pass),
    (at, named): (&At<'_, S>, &str),
    (headers, body): (&HeaderMap, Incoming),
) -> Result<Reply, Problem> {
    let said: Review = parse(shared, headers, body).await?;
    let ((subject, id), decision_id) = subject_of(at, named).await?;
    let label = match (said.label.as_deref(), said.verdict.as_str()) {
        (Some(label), _) => label,
        (None, "approve") => "not_fraud",
        (None, _) => "fraud",
    };
    let fields = json!({
        "type": "Review", "subject_type": subject.name(), "subject_id": id, "verdict": said.verdict, "label": label,
        "decision_id": said.decision_id.or(decision_id), "reason": said.reason, "actor": pass.actor(),
        "expires_at": said.expires_at,
    });
    submit(shared, pass, &at.id, (fields, said.event_id)).await
}

pub(super) async fn entry<S: Store, K: Sink>(
    (shared, pass): (&Arc<Shared<S, K>>, &Pass),
    at: &At<'_, S>,
    (headers, body): (&HeaderMap, Incoming),
) -> Result<Reply, Problem> {
    let said: Entry = parse(shared, headers, body).await?;
    let fields = json!({
        "type": "ListEntry", "list": said.list, "key": said.key, "value": said.value,
        "active": said.active.unwrap_or(true), "actor": pass.actor(), "expires_at": said.expires_at,
    });
    submit(shared, pass, &at.id, (fields, said.event_id)).await
}

async fn parse<T: for<'de> Deserialize<'de>, S: Store, K: Sink>(
    shared: &Arc<Shared<S, K>>,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<T, Problem> {
    let bytes = read_json(headers, body, shared.limits.body_bytes_max, shared.limits.body_wait_max).await?;
    serde_json::from_slice(&bytes).map_err(|error| Problem::new(Kind::InvalidBody, error.to_string()))
}

/// A path names a subject, as `conversion:order-1`, or the newest decision of an open review.
async fn subject_of<S: Store>(at: &At<'_, S>, named: &str) -> Result<((Subject, String), Option<String>), Problem> {
    if let Some((subject, id)) = named.split_once(':').and_then(|(kind, id)| Some((read::subject(kind)?, id))) {
        let (kind, unknown) = match subject {
            // Clicks have no names; a review of one that is not there waits for it.
            Subject::Click => return Ok(((subject, id.to_owned()), None)),
            Subject::Conversion => (NameKind::Conversion, Kind::UnknownConversion),
            Subject::Commission => (NameKind::Commission, Kind::UnknownCommission),
        };
        if at.named(kind, id).await?.is_none() {
            let detail = format!("there is no {} {id:?}, or it has not reached the projections yet", subject.name());
            return Err(Problem::new(unknown, detail));
        }
        return Ok(((subject, id.to_owned()), None));
    }
    let is_id = named.len() == 32 && named.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_id {
        let detail =
            "`review` must be the id of a decision, or a subject as `conversion:ID`, `commission:ID`, `click:ID`";
        return Err(Problem::parameter("review", detail));
    }
    match read::open_review(at, named).await? {
        Some(subject) => Ok((subject, Some(named.to_owned()))),
        None => {
            let detail = format!(
                "no open review is of the decision {named}: it was reviewed, or there is a newer one; see \
                 GET /v1/creators/{{creator}}/reviews, or name the subject"
            );
            Err(Problem::new(Kind::UnknownReview, detail))
        }
    }
}

async fn submit<S: Store, K: Sink>(
    shared: &Arc<Shared<S, K>>,
    pass: &Pass,
    creator: &str,
    (mut fields, event_id): (Value, Option<String>),
) -> Result<Reply, Problem> {
    let now = shared.app.clock.now();
    let event_id = event_id.unwrap_or_else(|| made_id(creator, &fields, now.0));
    if let Value::Object(fields) = &mut fields {
        fields.retain(|_, value| !value.is_null());
        fields.insert("event_id".to_owned(), event_id.into());
        fields.insert("creator_id".to_owned(), creator.into());
        fields.insert("occurred_at".to_owned(), now.0.into());
    }
    let wait_max = shared.limits.append_wait_max;
    let items = [fields.to_string()];
    let taken = shared.app.intake.submit(&items, |creator| pass.may_touch(creator));
    let outcomes = tokio::time::timeout(wait_max, taken).await.map_err(|_| too_slow(wait_max))??;
    let (status, event_id, Appended { partition, offset }) = match outcomes.into_iter().next() {
        Some(Outcome::Accepted { event_id, at }) => ("accepted", event_id, at),
        Some(Outcome::Duplicate { event_id, at }) => ("duplicate", event_id, at),
        Some(Outcome::Rejected { reason, .. }) => return Err(Problem::new(Kind::InvalidBody, reason)),
        None => return Err(Problem::new(Kind::InvalidBody, "nothing was sent")),
    };
    let token = Token::of(partition, offset.next()).to_string();
    Ok(reply::json(&json!({ "data": Taken { status, event_id, token } })))
}

/// Another one for the same words at another time.
fn made_id(creator: &str, fields: &Value, now: i64) -> String {
    let hash = xxhash_rust::xxh3::xxh3_128(format!("{creator}\u{1f}{fields}\u{1f}{now}").as_bytes());
    format!("by-hand-{hash:032x}")
}
