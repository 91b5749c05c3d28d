//! Every decision of the scheduler and everything that became visible, as one number and a tail to read.

use std::collections::VecDeque;

use xxhash_rust::xxh3::Xxh3;

/// Lines kept for the report of a failure.
const TAIL: usize = 120;

/// What must happen in some schedule or other: words of the lines that tell of it.
pub(super) const KINDS: [&str; 24] = [
    "is told Assigned([])",
    "is told Revoked",
    "is told Lost",
    "moves on while it is handed over",
    "is paused",
    "wakes up",
    "dies",
    "torn",
    "as it was before",
    "lost",
    "from a snapshot",
    "cannot read its state",
    "all stand at",
    "is expelled",
    "expelled",
    "fenced",
    "refused",
    "unknown to its producer",
    ": aborted",
    "left open is committed",
    "land late",
    "of a write",
    "brokers down: true",
    "projections down: true",
];

#[derive(Default)]
pub(super) struct Trace {
    /// How often each of [`KINDS`] happened.
    pub(super) counts: [u64; KINDS.len()],
    hash: Xxh3,
    lines: u64,
    tail: VecDeque<String>,
}

impl Trace {
    pub(super) fn line(&mut self, line: String) {
        self.hash.update(line.as_bytes());
        self.lines += 1;
        for (count, words) in self.counts.iter_mut().zip(KINDS) {
            *count += u64::from(line.contains(words));
        }
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(line);
    }

    /// What is too long to be read.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
    }

    pub(super) fn hash(&self) -> u64 {
        self.hash.digest()
    }

    pub(super) fn happened(&self) -> String {
        let kinds = self.counts.iter().zip(KINDS).filter(|(count, _)| **count > 0);
        kinds.map(|(count, kind)| format!("{count} × {kind}")).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn tail(&self) -> String {
        let mut text = format!("… the last {} of {} lines:\n", self.tail.len(), self.lines);
        for line in &self.tail {
            text.push_str("  ");
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}
