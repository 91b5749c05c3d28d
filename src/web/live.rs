//! A creator's figures as they change: server-sent events.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::position::Seen;
use super::problem::{Kind, Problem};
use super::read::{At, Head, Meta, One, meta_now};
use super::reply::{self, Reply};
use super::server::Shared;
use crate::append::Sink;
use crate::ids::{Next, Partition};
use crate::project::tables::Class;
use crate::store::Store;

/// A listener.
struct Line<S, K> {
    shared: Arc<Shared<S, K>>,
    id: String,
    p: Partition,
    seen: watch::Receiver<Arc<Seen>>,
    stopping: watch::Receiver<bool>,
    /// What was told last: the row's change, and whether the sums over time had followed.
    told: Option<(Next, bool)>,
    /// Counts as one listener until the line is dropped.
    _permit: OwnedSemaphorePermit,
}

#[derive(Serialize)]
struct Told {
    #[serde(flatten)]
    one: One<Head>,
    /// Sums over time hold everything that these figures hold.
    series_complete: bool,
}

/// `creator` events: the first at once, then whenever the creator's figures, or the sums over time, have moved.
pub(super) fn live<S: Store, K: Sink>(shared: &Arc<Shared<S, K>>, at: At<'_, S>) -> Result<Reply, Problem> {
    let Ok(permit) = Arc::clone(&shared.listeners).try_acquire_owned() else {
        let detail = format!("{} listeners are connected already", shared.limits.live_max);
        return Err(Problem::retry(Kind::Overloaded, detail, 5));
    };
    let line = Line {
        shared: Arc::clone(shared),
        id: at.id,
        p: at.p,
        seen: shared.seen.clone(),
        stopping: shared.stopping.clone(),
        told: None,
        _permit: permit,
    };
    // A box makes it movable whatever it holds.
    Ok(reply::stream("text/event-stream", reply::unfold(Box::new(line), |line| Box::pin(line.next()))))
}

impl<S: Store, K: Sink> Line<S, K> {
    /// The next event, or a heartbeat; `None` once the server stops.
    async fn next(mut self: Box<Self>) -> Option<(Bytes, Box<Self>)> {
        let heartbeat_every = self.shared.limits.heartbeat_every;
        let mut stopping = self.stopping.clone();
        let event = tokio::select! {
            // Nothing is lost by dropping either: what has not been told is found again by the next call.
            event = tokio::time::timeout(heartbeat_every, self.change()) => event.unwrap_or_else(|_| ": up\n\n".into()),
            _ = stopping.wait_for(|stopping| *stopping) => return None,
        };
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
        let series_complete = seen.place(self.p).is_some_and(|place| place.next(Class::Slow) >= row.at);
        if self.told == Some((row.at, series_complete)) {
            return None;
        }
        self.told = Some((row.at, series_complete));
        let meta: Meta = meta_now(&seen, self.p, &row, self.shared.app.clock.now());
        let told = Told { one: One { data: Head::new(&self.id, &row), meta }, series_complete };
        let json = serde_json::to_string(&told).unwrap_or_default();
        Some(format!("event: creator\ndata: {json}\n\n"))
    }
}
