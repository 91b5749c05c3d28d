//! The generation that is asked, whichever it is now.

use std::sync::Arc;

use tokio::sync::watch;

/// The rows of one generation.
#[derive(Debug, Clone)]
pub struct Generation<S> {
    pub number: u32,
    /// The door to its rows.
    pub store: S,
    /// Its rows follow the log no more.
    pub is_frozen: bool,
}

/// Where readers find the live generation. Whoever holds what [`Live::now`] gave reads that generation, whole.
#[derive(Debug, Clone)]
pub struct Live<S>(watch::Receiver<Arc<Generation<S>>>);

/// The one place that changes it.
#[derive(Debug)]
pub struct Switch<S>(watch::Sender<Arc<Generation<S>>>);

impl<S: Clone> Live<S> {
    /// The generation to read. Hold it for one answer and no longer: a switch waits for those who do.
    pub fn now(&self) -> Arc<Generation<S>> {
        Arc::clone(&self.0.borrow())
    }
}

impl<S: Clone> Switch<S> {
    pub fn new(generation: Generation<S>) -> Self {
        Self(watch::Sender::new(Arc::new(generation)))
    }

    pub fn live(&self) -> Live<S> {
        Live(self.0.subscribe())
    }

    pub fn now(&self) -> Arc<Generation<S>> {
        Arc::clone(&self.0.borrow())
    }

    /// From here on readers find this one. Those who still read the former hold what is returned, too.
    pub fn turn_to(&self, generation: Generation<S>) -> Arc<Generation<S>> {
        self.0.send_replace(Arc::new(generation))
    }
}

/// Whether anybody but the caller still holds it.
pub fn is_read<S>(generation: &Arc<Generation<S>>) -> bool {
    Arc::strong_count(generation) > 1
}
