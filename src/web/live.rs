//! A creator's figures as they change: server-sent events.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::keys::Pass;
use super::position::Seen;
use super::problem::{Kind, Problem};
use super::read::{At, Head, Meta, One, meta_now};
use super::reply::{self, Reply};
use super::server::Shared;
use crate::append::Sink;
use crate::ids::{Next, Partition};
use crate::project::tables::{self, Class};
use crate::store::Store;

/// A listener.
struct Line<S, K> {
    shared: Arc<Shared<S, K>>,
    id: String,
    p: Partition,
    pass: Pass,
    seen: watch::Receiver<Arc<Seen>>,
    stopping: watch::Receiver<bool>,
    told: Option<Reached>,
    /// Counts as one listener until the line is dropped.
    _permit: OwnedSemaphorePermit,
}

/// Which of the creator's changes were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reached {
    /// The newest that its own row holds.
    fast: Next,
    /// The newest of those that the tables which follow slowly hold too.
    slow: Next,
}

#[derive(Serialize)]
struct Told {
    #[serde(flatten)]
    one: One<Head>,
    /// Sums over time hold everything that these figures hold.
    series_complete: bool,
    /// The projections that may hold something else than when the listener was told last; all at first.
    changed: Vec<&'static str>,
}

/// `creator` events: the first at once, then whenever the creator's figures, or the sums over time, have moved.
pub(super) fn live<S: Store, K: Sink>(shared: &Arc<Shared<S, K>>, at: At<'_, S>, pass: Pass) -> Result<Reply, Problem> {
    let Ok(permit) = Arc::clone(&shared.listeners).try_acquire_owned() else {
        let detail = format!("{} listeners are connected already", shared.limits.live_max);
        return Err(Problem::retry(Kind::Overloaded, detail, 5));
    };
    let line = Line {
        shared: Arc::clone(shared),
        id: at.id,
        p: at.p,
        pass,
        seen: shared.seen.clone(),
        stopping: shared.stopping.clone(),
        told: None,
        _permit: permit,
    };
    // A box makes it movable whatever it holds.
    Ok(reply::stream("text/event-stream", reply::unfold(Box::new(line), |line| Box::pin(line.next()))))
}

impl<S: Store, K: Sink> Line<S, K> {
    /// The next event, or a heartbeat; `None` once the server stops, or the key is no longer good.
    async fn next(mut self: Box<Self>) -> Option<(Bytes, Box<Self>)> {
        let heartbeat_every = self.shared.limits.heartbeat_every;
        let mut stopping = self.stopping.clone();
        let event = tokio::select! {
            // Nothing is lost by dropping either: what has not been told is found again by the next call.
            event = tokio::time::timeout(heartbeat_every, self.change()) => event.unwrap_or_else(|_| ": up\n\n".into()),
            _ = stopping.wait_for(|stopping| *stopping) => return None,
        };
        // What was made while the key was revoked is not told.
        if !self.pass.is_good() {
            return None;
        }
        Some((Bytes::from(event), self))
    }

    async fn change(&mut self) -> String {
        if self.told.is_none() {
            if let Some(event) = self.look().await {
                return format!("retry: 2000\n{event}");
            }
        } else {
            // Many changes in a row are told as one.
            tokio::time::sleep(self.shared.limits.live_every).await;
        }
        loop {
            // Looks first: what moved during the pause must not wait for the next move.
            self.seen.mark_unchanged();
            if let Some(event) = self.look().await {
                return event;
            }
            if self.seen.changed().await.is_err() {
                // The reader is gone: the server is about to stop.
                std::future::pending::<()>().await;
            }
        }
    }

    /// What there is to tell, if anything. A store that fails now is asked again at the next move.
    async fn look(&mut self) -> Option<String> {
        let seen = Arc::clone(&self.seen.borrow());
        let generation = self.shared.app.live.now();
        let row = super::read::creator_row(&generation.store, self.p, &self.id).await.ok()??;
        let slow = seen.place(self.p).map(|place| place.next(Class::Slow)).unwrap_or_default();
        let reached = Reached { fast: row.at, slow: slow.min(row.at) };
        let changed = changed(self.told, reached);
        if changed.is_empty() {
            return None;
        }
        self.told = Some(reached);
        let meta: Meta = meta_now(&seen, self.p, &row, self.shared.app.clock.now());
        let series_complete = reached.slow == reached.fast;
        let told = Told { one: One { data: Head::new(&self.id, &row), meta }, series_complete, changed };
        let json = serde_json::to_string(&told).unwrap_or_default();
        Some(format!("event: creator\ndata: {json}\n\n"))
    }
}

/// The tables that moved. Every change of a creator is one of its own row too.
fn changed(told: Option<Reached>, now: Reached) -> Vec<&'static str> {
    let moved = |class: Class| match class {
        Class::Fast => told.is_none_or(|told| told.fast != now.fast),
        Class::Slow => told.is_none_or(|told| told.slow != now.slow),
    };
    let of_creators = tables::ALL.into_iter().filter(|table| *table != tables::APPLIED);
    of_creators.filter(|table| moved(table.class)).map(|table| table.name).collect()
}
