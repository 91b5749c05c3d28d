//! Answers about one creator, from rows alone.

mod active;
mod analytics;
mod boards;
mod breakdown;
mod cohorts;
mod commissions;
mod creators;
mod decisions;
mod explain;
mod explain_commission;
mod figures;
mod funnel;
mod groups;
mod growth;
mod judged;
mod member_groups;
mod member_series;
mod members;
mod metrics;
mod money;
mod range;
mod rank;
mod series;
mod sums;
mod touches;

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::HeaderMap;
use serde::Serialize;
use tokio::sync::watch;

pub(super) use analytics::analytics;
pub(super) use boards::{global_leaderboard, leaderboard};
pub(super) use breakdown::breakdown;
pub(super) use cohorts::cohorts;
pub(super) use commissions::commissions;
pub(super) use creators::{Head, creator, creators};
pub(super) use decisions::{decisions, open_review, reviews, subject};
pub(super) use explain::{commission as explain_commission, conversion as explain_conversion};
pub(crate) use figures::minor_digits;
pub(super) use funnel::funnel;
pub(super) use member_series::member_timeseries;
pub(super) use members::{member_ids, member_stats, members, members_stats};
pub(super) use money::{conversions, member_commissions};
pub(super) use rank::rank;
pub(super) use series::timeseries;
pub(super) use touches::{clicks, shares};

use super::position::{Place, Seen, Token, not_reached, reached};
use super::problem::{Kind, Problem};
use super::server::Shared;
use crate::append::Sink;
use crate::append::partition::partition_of;
use crate::ids::{Millis, Next, Partition};
use crate::project::rows::{AppliedRow, CreatorRow, NameRow};
use crate::project::tables::{self, Class, NameKind};
use crate::store::live::Generation;
use crate::store::{Bound, Key, Range, Row, Store};

/// A creator, as of a position read before any of its rows.
pub(super) struct At<'a, S> {
    /// All rows of an answer are of one generation.
    pub(super) store: Rows<S>,
    pub(super) id: String,
    pub(super) p: Partition,
    pub(super) row: CreatorRow,
    pub(super) now: Millis,
    as_of: AsOf,
    seen: watch::Receiver<Arc<Seen>>,
    wait_max: Duration,
    _shared: PhantomData<&'a ()>,
}

/// The generation that an answer is read from; a switch waits until it is dropped.
#[derive(Clone)]
pub(super) struct Rows<S>(Generation<S>);

impl<S> Deref for Rows<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.0.store
    }
}

impl<S: 'static> Rows<S> {
    /// Of the live one, as far as the key sees it.
    fn now<K>(shared: &Shared<S, K>) -> Self {
        Self(shared.app.live.now())
    }
}

/// How far an answer reaches, before the creator is known.
struct AsOf {
    position: Token,
    lag_ms: Option<i64>,
    complete: bool,
    is_stale: bool,
}

/// Part of every answer: a measured zero is not a missing history.
#[derive(Debug, Serialize)]
pub(super) struct Meta {
    as_of: MetaAsOf,
    /// Age of the newest record applied while others wait; 0 when none waits, null before the first.
    lag_ms: Option<i64>,
    /// Everything in the log is in the answer.
    complete: bool,
    /// The rows follow the log no more, until another generation of them is live. Left out when they do.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stale: bool,
    /// Figures cover everything from here on; null where the answer spans creators.
    coverage_start: Option<Stamp>,
}

#[derive(Debug, Serialize)]
struct MetaAsOf {
    position: String,
    watermark: Option<Stamp>,
}

/// One thing.
#[derive(Debug, Serialize)]
pub(super) struct One<T> {
    pub(super) data: T,
    pub(super) meta: Meta,
}

/// A page of a list; `next` is the cursor of the page after it.
#[derive(Debug, Serialize)]
pub(super) struct Page<T> {
    pub(super) data: Vec<T>,
    pub(super) next: Option<String>,
    pub(super) meta: Meta,
}

/// An instant as RFC 3339 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp(pub(super) Millis);

impl std::fmt::Display for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Millis(millis) = self.0;
        jiff::Timestamp::from_millisecond(millis).unwrap_or_default().fmt(f)
    }
}

impl Serialize for Stamp {
    fn serialize<W: serde::Serializer>(&self, serializer: W) -> Result<W::Ok, W::Error> {
        serializer.collect_str(self)
    }
}

impl<'a, S: Store> At<'a, S> {
    /// Waits for `X-Min-Position`, then reads the creator.
    pub(super) async fn new<K: Sink>(
        shared: &'a Arc<Shared<S, K>>,
        headers: &HeaderMap,
        id: String,
        class: Class,
    ) -> Result<Self, Problem> {
        let p = partition_of(id.as_bytes(), shared.app.partitions);
        let seen = seen(shared, headers, &[p], class).await?;
        let now = shared.app.clock.now();
        let as_of = as_of(&seen, &[p], class, now);
        let store = Rows::now(shared);
        let row = creator_row(&*store, p, &id).await?.ok_or_else(|| unknown_creator(&id))?;
        let (seen, wait_max) = (shared.seen.clone(), shared.limits.position_wait_max);
        Ok(Self { store, id, p, row, now, as_of, seen, wait_max, _shared: PhantomData })
    }

    /// Whether all rows of `class` up to `next` are written, as far as is known now.
    fn has(&self, next: Next, class: Class) -> bool {
        self.is_seen_to_have(&self.seen.borrow(), (next, class))
    }

    /// Waits until they are. `false`: they will not be, because these rows follow the log no more.
    async fn until(&self, next: Next, class: Class) -> Result<bool, Problem> {
        let mut seen = self.seen.clone();
        let is_over = |seen: &Arc<Seen>| {
            let is_other = seen.generation != self.store.0.number;
            is_other || seen.is_frozen || self.is_seen_to_have(seen, (next, class))
        };
        let looked = async { seen.wait_for(is_over).await.ok().map(|seen| Arc::clone(&seen)) };
        if let Ok(Some(seen)) = tokio::time::timeout(self.wait_max, looked).await {
            let is_frozen = self.store.0.is_frozen || (seen.is_frozen && seen.generation == self.store.0.number);
            // After a switch nobody looks for these rows any more: they say themselves how far they are.
            if self.is_seen_to_have(&seen, (next, class)) || self.is_written(next, class).await? {
                return Ok(true);
            }
            if is_frozen {
                return Ok(false);
            }
        }
        Err(not_reached(&Token::of(self.p, next), self.wait_max))
    }

    fn is_seen_to_have(&self, seen: &Seen, (next, class): (Next, Class)) -> bool {
        let is_of_these = seen.generation == self.store.0.number;
        is_of_these && seen.place(self.p).is_some_and(|place| place.next(class) >= next)
    }

    async fn is_written(&self, next: Next, class: Class) -> Result<bool, Problem> {
        let row = self.store.get(&[tables::applied(self.p)]).await?.into_iter().flatten().next();
        let applied = row.and_then(|row| row.value).map(|bytes| AppliedRow::decode(&bytes)).transpose()?;
        Ok(applied.is_some_and(|applied| applied.next(class) >= next))
    }

    /// The value of one row, if it is there.
    async fn value(&self, key: Key) -> Result<Option<Bytes>, Problem> {
        let rows = self.store.get(&[key]).await?;
        Ok(rows.into_iter().flatten().next().and_then(|row| row.value))
    }

    /// What an id or code leads to.
    pub(super) async fn named(&self, kind: NameKind, id: &str) -> Result<Option<NameRow>, Problem> {
        let value = self.value(tables::name(self.p, &self.id, kind, id)).await?;
        Ok(value.map(|value| NameRow::decode(&value)).transpose()?)
    }

    /// The rows of `range` that have not expired; `max` are read at most.
    async fn scan(&self, range: Range, max: usize) -> Result<Vec<Row>, Problem> {
        let watermark = self.row.watermark();
        let mut rows = scan(&*self.store, range, max).await?;
        rows.retain(|row| row.expires.is_none_or(|expires| expires > watermark));
        Ok(rows)
    }

    pub(super) fn meta(&self) -> Meta {
        meta(&self.as_of, Some(&self.row))
    }
}

/// What has been seen once `X-Min-Position` is reached.
async fn seen<S: Store, K: Sink>(
    shared: &Arc<Shared<S, K>>,
    headers: &HeaderMap,
    partitions: &[Partition],
    class: Class,
) -> Result<Arc<Seen>, Problem> {
    let token = match headers.get("x-min-position") {
        None => None,
        Some(value) => {
            let token = value.to_str().ok().and_then(Token::parse);
            let malformed = || Problem::parameter("X-Min-Position", "`X-Min-Position` is not a token given out here");
            Some(token.ok_or_else(malformed)?)
        }
    };
    let mut seen = shared.seen.clone();
    let reached = reached(&mut seen, token.as_ref(), (partitions, class), shared.limits.position_wait_max).await?;
    if reached.generation == shared.app.live.now().number {
        return Ok(reached);
    }
    // Just switched: how far the other one is will be seen in a moment.
    let is_live = |seen: &Arc<Seen>| seen.generation == shared.app.live.now().number;
    let _ = tokio::time::timeout(shared.limits.position_wait_max, seen.wait_for(is_live)).await;
    let now = Arc::clone(&seen.borrow());
    Ok(now)
}

fn as_of(seen: &Seen, partitions: &[Partition], class: Class, now: Millis) -> AsOf {
    let mut position = Token::default();
    let (mut lag_ms, mut complete) = (Some(0), seen.is_fresh(now));
    for p in partitions {
        let place = seen.place(*p);
        position.cover(*p, place.map(|place| place.next(class)).unwrap_or_default());
        complete = complete && place.is_some_and(|place| place.is_complete(class));
        let lag = place.and_then(|place: &Place| place.lag_ms(class, now));
        lag_ms = lag_ms.zip(lag).map(|(most, lag): (i64, i64)| most.max(lag));
    }
    AsOf { position, lag_ms, complete: complete && !seen.is_frozen, is_stale: seen.is_frozen }
}

/// For a listener, who is told what has just been seen.
pub(super) fn meta_now(seen: &Seen, p: Partition, creator: &CreatorRow, now: Millis) -> Meta {
    meta(&as_of(seen, &[p], Class::Fast, now), Some(creator))
}

fn meta(as_of: &AsOf, creator: Option<&CreatorRow>) -> Meta {
    let watermark = creator.map(|row| Stamp(row.watermark()));
    Meta {
        as_of: MetaAsOf { position: as_of.position.to_string(), watermark },
        lag_ms: as_of.lag_ms,
        complete: as_of.complete,
        stale: as_of.is_stale,
        coverage_start: creator.map(|row| Stamp(row.coverage_start)),
    }
}

pub(super) async fn creator_row<S: Store>(store: &S, p: Partition, id: &str) -> Result<Option<CreatorRow>, Problem> {
    let rows = store.get(&[tables::creator(p, id)]).await?;
    let Some(bytes) = rows.into_iter().flatten().next().and_then(|row| row.value) else { return Ok(None) };
    Ok(Some(CreatorRow::decode(&bytes)?))
}

pub(super) fn unknown_creator(id: &str) -> Problem {
    Problem::new(Kind::UnknownCreator, format!("there is no creator `{id}` yet; its `Creator` event makes it"))
}

/// All rows of `range`, page by page, `max` of them at most.
async fn scan<S: Store>(store: &S, mut range: Range, max: usize) -> Result<Vec<Row>, Problem> {
    const PAGE: u32 = 1_000;
    let mut rows: Vec<Row> = Vec::new();
    while rows.len() < max {
        range.limit = u32::try_from(max - rows.len()).unwrap_or(PAGE).min(PAGE);
        let page = store.scan(&range).await?;
        let is_last = page.len() < usize::try_from(range.limit).unwrap_or(usize::MAX);
        rows.extend(page);
        let Some(last) = rows.last().filter(|_| !is_last) else { break };
        let after = Bound::Excluded(last.key.cols.clone());
        if range.reverse { range.to = after } else { range.from = after }
    }
    Ok(rows)
}
