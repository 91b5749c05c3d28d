//! `/v1/admin/keys`: made, listed and revoked while the server runs.

use std::sync::Arc;

use hyper::HeaderMap;
use hyper::body::Incoming;
use serde::Serialize;

use super::{Error, Record, Wish};
use crate::append::Sink;
use crate::store::Store;
use crate::telemetry::with_causes;
use crate::web::events::read_json;
use crate::web::problem::{Kind, Problem};
use crate::web::query::{Query, cursor, read_cursor};
use crate::web::reply::{self, Reply};
use crate::web::server::Shared;

#[derive(Serialize)]
struct Created<'a> {
    data: &'a Record,
    /// Told this once.
    key: &'a str,
}

#[derive(Serialize)]
struct One<'a> {
    data: &'a Record,
}

#[derive(Serialize)]
struct Page {
    data: Vec<Record>,
    next: Option<String>,
}

pub(in crate::web) async fn create<S: Store, K: Sink>(
    shared: &Arc<Shared<S, K>>,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Reply, Problem> {
    let bytes = read_json(headers, body, shared.limits.body_bytes_max, shared.limits.body_wait_max).await?;
    let wish: Wish = serde_json::from_slice(&bytes)
        .map_err(|error| Problem::new(Kind::InvalidBody, format!("the body must describe a key: {error}")))?;
    let (record, secret) = shared.app.keys.create(&wish).await?;
    tracing::info!(key_id = record.key_id, "an API key was made");
    Ok(reply::json(&Created { data: &record, key: secret.reveal() }))
}

pub(in crate::web) async fn list<S: Store, K: Sink>(
    shared: &Arc<Shared<S, K>>,
    query: &Query,
) -> Result<Reply, Problem> {
    let limit = query.limit(100, 1_000)?;
    let after = read_cursor::<1>(query, "keys")?.map(|[id]| id);
    // One more than wanted tells whether there is a next page.
    let mut data = shared.app.keys.list(after.as_deref(), limit + 1).await?;
    let is_more = data.len() > limit;
    data.truncate(limit);
    let next = data.last().filter(|_| is_more).map(|last| cursor("keys", &[&last.key_id]));
    Ok(reply::json(&Page { data, next }))
}

pub(in crate::web) async fn revoke<S: Store, K: Sink>(shared: &Arc<Shared<S, K>>, id: &str) -> Result<Reply, Problem> {
    let record = shared.app.keys.revoke(id).await?;
    tracing::info!(key_id = record.key_id, "an API key was revoked");
    Ok(reply::json(&One { data: &record }))
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid { field, .. } => {
                let mut problem = Self::new(Kind::InvalidBody, error.to_string());
                problem.extra.parameter = Some(field.to_owned());
                problem
            }
            Error::Unknown { .. } => Self::new(Kind::UnknownKey, error.to_string()),
            Error::TooMany { .. } => Self::new(Kind::TooManyItems, error.to_string()),
            Error::Store(store) => store.into(),
            Error::Busy => Self::retry(Kind::StoreUnavailable, error.to_string(), 1),
            Error::Random(_) => {
                tracing::error!(error = %with_causes(&error), "cannot make an API key");
                Self::retry(Kind::StoreUnavailable, error.to_string(), 5)
            }
            Error::Damaged { .. } => {
                tracing::error!(error = %with_causes(&error), "an API key cannot be read");
                Self::new(Kind::DamagedRow, error.to_string())
            }
        }
    }
}
