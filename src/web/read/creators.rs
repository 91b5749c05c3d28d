//! The creators there are, and one creator's figures of all time.

use std::sync::Arc;

use hyper::HeaderMap;
use serde::Serialize;

use super::figures::{Figures, minor_digits};
use super::{At, One, Page, Rows, Stamp, as_of, meta, scan, seen};
use crate::append::Sink;
use crate::ids::Partition;
use crate::project::rows::CreatorRow;
use crate::project::tables::{self, Class};
use crate::store::{Bound, Col, Cols, Range, Store};
use crate::web::problem::Problem;
use crate::web::query::{Query, cursor, malformed_cursor, read_cursor};
use crate::web::reply::{self, Reply};
use crate::web::server::Shared;

/// A creator as lists, the page and listeners see it.
#[derive(Debug, Serialize)]
pub(in crate::web) struct Head {
    creator_id: String,
    name: String,
    currency: String,
    minor_digits: u8,
    time_zone: String,
    /// Greatest event time admitted.
    clock: Stamp,
    members: i64,
    members_active: i64,
    figures: Figures,
}

impl Head {
    pub(in crate::web) fn new(id: &str, row: &CreatorRow) -> Self {
        Self {
            creator_id: id.to_owned(),
            name: row.name.clone(),
            currency: row.currency.as_str().to_owned(),
            minor_digits: minor_digits(row.currency),
            time_zone: row.time_zone.clone(),
            clock: Stamp(row.clock),
            members: row.members,
            members_active: row.members_active,
            figures: Figures::all_time(&row.totals, row.currency),
        }
    }
}

pub(in crate::web) fn creator<S: Store>(at: &At<'_, S>) -> Reply {
    reply::json(&One { data: Head::new(&at.id, &at.row), meta: at.meta() })
}

/// Whose cursors these are.
const LIST: &str = "creators";

/// In order of partition, then id.
pub(in crate::web) async fn creators<S: Store, K: Sink>(
    shared: &Arc<Shared<S, K>>,
    headers: &HeaderMap,
    query: &Query,
) -> Result<Reply, Problem> {
    let limit = query.limit(100, 1_000)?;
    let after = read_cursor::<2>(query, LIST)?;
    let partitions: Vec<Partition> = (0..shared.app.partitions).map(Partition).collect();
    let seen = seen(shared, headers, &partitions, Class::Fast).await?;
    let as_of = as_of(&seen, &partitions, Class::Fast, shared.app.clock.now());
    let store = Rows::now(shared);
    let (mut found, mut next) = (Vec::new(), None);
    for p in partitions {
        let Some(from) = start(p, after.as_ref())? else { continue };
        let range = Range { part: tables::creator_part(p), from, to: Bound::Unbounded, reverse: false, limit: 0 };
        // One more than wanted tells whether there is a next page.
        for row in scan(&*store, range, limit + 1 - found.len()).await? {
            let (Some(bytes), Some(Col::Text(id))) = (row.value, row.key.cols.0.first()) else { continue };
            found.push((p, Head::new(id, &CreatorRow::decode(&bytes)?)));
        }
        if found.len() > limit {
            found.truncate(limit);
            next = found.last().map(|(p, last)| cursor(LIST, &[&p.0.to_string(), &last.creator_id]));
            break;
        }
    }
    let data = found.into_iter().map(|(_, head)| head).collect();
    Ok(reply::json(&Page { data, next, meta: meta(&as_of, None) }))
}

/// Where to begin in `p` after the cursor; `None` when `p` lies before it.
fn start(p: Partition, after: Option<&[String; 2]>) -> Result<Option<Bound>, Problem> {
    let Some([last_p, last]) = after else { return Ok(Some(Bound::Unbounded)) };
    let last_p = Partition(last_p.parse().map_err(|_| malformed_cursor())?);
    if p < last_p {
        return Ok(None);
    }
    let after = Bound::Excluded(Cols(vec![Col::Text(last.clone())]));
    Ok(Some(if p == last_p { after } else { Bound::Unbounded }))
}
