//! A thread that somebody waits for.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Waits for its thread when dropped. Whoever holds it first lets go of what keeps the thread running: fields are
/// dropped in the order of their declaration.
#[derive(Debug)]
pub(crate) struct Joined(Option<JoinHandle<()>>);

impl Joined {
    pub(crate) fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        Builder::new().name(name.to_owned()).spawn(run).map(Some).map(Self)
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        // A panic of the thread was reported by the thread; its callers got no answer.
        self.0.take().map(JoinHandle::join).and_then(Result::ok).unwrap_or_default();
    }
}
