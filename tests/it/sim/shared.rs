//! Everything outside of the nodes: what their clients see, and the scheduler moves.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::broker::Broker;
use super::store::Rows;
use super::trace::Trace;

pub(super) struct Shared {
    pub(super) broker: Broker,
    pub(super) rows: Rows,
    pub(super) trace: Trace,
}

#[derive(Clone)]
pub(super) struct World(Arc<Mutex<Shared>>);

impl World {
    pub(super) fn new(shared: Shared) -> Self {
        Self(Arc::new(Mutex::new(shared)))
    }

    /// A panic of a node is a finding of its own.
    pub(super) fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
