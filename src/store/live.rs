//! The generation that is asked, whichever it is now.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

/// The rows of one generation. Clones are the same, and count as readers of it.
#[derive(Debug, Clone)]
pub struct Generation<S> {
    pub number: u32,
    /// The door to its rows.
    pub store: S,
    /// Its rows follow the log no more.
    pub is_frozen: bool,
    readers: Arc<()>,
}

/// Where readers find the live generation. Whoever holds what [`Live::now`] gave reads that generation, whole.
#[derive(Clone)]
pub struct Live<S>(Arc<dyn Fn() -> Generation<S> + Send + Sync>);

/// The one place that changes it.
#[derive(Debug)]
pub struct Switch<S>(watch::Sender<Generation<S>>);

impl<S> Generation<S> {
    pub fn new(number: u32, store: S, is_frozen: bool) -> Self {
        Self { number, store, is_frozen, readers: Arc::default() }
    }

    /// The same, through `view`.
    fn seen<V>(self, view: impl FnOnce(S) -> V) -> Generation<V> {
        let Self { number, store, is_frozen, readers } = self;
        Generation { number, store: view(store), is_frozen, readers }
    }

    /// Whether anybody but the caller still holds it, through whatever view.
    pub fn is_read(&self) -> bool {
        Arc::strong_count(&self.readers) > 1
    }
}

impl<S: 'static> Live<S> {
    /// The generation to read. Hold it for one answer and no longer: a switch waits for those who do.
    pub fn now(&self) -> Generation<S> {
        (self.0)()
    }

    /// The same generations, each through `view`.
    pub fn seen<V>(self, view: impl Fn(S) -> V + Send + Sync + 'static) -> Live<V> {
        Live(Arc::new(move || self.now().seen(&view)))
    }
}

impl<S> fmt::Debug for Live<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Live")
    }
}

impl<S: Clone + Send + Sync + 'static> Switch<S> {
    pub fn new(generation: Generation<S>) -> Self {
        Self(watch::Sender::new(generation))
    }

    pub fn live(&self) -> Live<S> {
        let receiver = self.0.subscribe();
        Live(Arc::new(move || receiver.borrow().clone()))
    }

    pub fn now(&self) -> Generation<S> {
        self.0.borrow().clone()
    }

    /// From here on readers find this one. Those who still read the former hold what is returned, too.
    pub fn turn_to(&self, generation: Generation<S>) -> Generation<S> {
        self.0.send_replace(generation)
    }
}
