//! The one place where the wall clock is read. Everything that wants time gets a [`Clock`] from `run`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::ids::Millis;

/// Wall time for stamps, monotonic time for waits.
#[derive(Clone)]
pub struct Clock {
    wall: Arc<dyn Fn() -> Millis + Send + Sync>,
    monotonic: Arc<dyn Fn() -> Duration + Send + Sync>,
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

impl Clock {
    /// The machine's.
    #[expect(clippy::disallowed_methods, reason = "this is where the others get their time from")]
    pub fn system() -> Self {
        let start = Instant::now();
        Self {
            wall: Arc::new(|| {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
            }),
            monotonic: Arc::new(move || start.elapsed()),
        }
    }

    /// One that tests set.
    pub fn fixed(now: Millis) -> Self {
        Self { wall: Arc::new(move || now), monotonic: Arc::new(|| Duration::ZERO) }
    }

    /// One that tests move: `elapsed` milliseconds after `start`.
    pub fn moved_by(start: Millis, elapsed: Arc<AtomicU32>) -> Self {
        let since = Arc::clone(&elapsed);
        Self {
            wall: Arc::new(move || Millis(start.0 + i64::from(since.load(Ordering::Relaxed)))),
            monotonic: Arc::new(move || Duration::from_millis(u64::from(elapsed.load(Ordering::Relaxed)))),
        }
    }

    /// One that tests move: what `now` holds, in milliseconds.
    pub fn by_hand(now: Arc<AtomicI64>) -> Self {
        Self { wall: Arc::new(move || Millis(now.load(Ordering::Relaxed))), monotonic: Arc::new(|| Duration::ZERO) }
    }

    pub fn now(&self) -> Millis {
        (self.wall)()
    }

    /// Since the clock was made.
    pub fn monotonic(&self) -> Duration {
        (self.monotonic)()
    }
}
