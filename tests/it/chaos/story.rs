//! What happened, and when: told when a run fails, and counted when it ends.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use tributary::clock::Clock;

/// Kept by all who take part.
pub(super) struct Story {
    clock: Clock,
    lines: Mutex<Vec<(Duration, String)>>,
}

impl Story {
    pub(super) fn new() -> Self {
        Self { clock: Clock::system(), lines: Mutex::default() }
    }

    /// Since the world began.
    pub(super) fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    pub(super) fn tell(&self, line: impl Into<String>) {
        let (now, line) = (self.now(), line.into());
        // Past the test's own capture where somebody asked to watch: a run takes half an hour.
        if watched() {
            drop(writeln!(std::io::stderr(), "{:7.1} s  {line}", now.as_secs_f64()));
        }
        self.lines.lock().unwrap().push((now, line));
    }

    /// One line each.
    pub(super) fn text(&self) -> String {
        // Whoever panicked while it told something told the rest before.
        let lines = self.lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        lines.iter().fold(String::new(), |mut text, (at, line)| {
            writeln!(text, "{:7.1} s  {line}", at.as_secs_f64()).unwrap();
            text
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "who watches says so by the environment")]
fn watched() -> bool {
    std::env::var("CHAOS_WATCH").is_ok()
}
