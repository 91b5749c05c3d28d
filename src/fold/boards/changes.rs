//! What the fold notes of the boards of large programmes, for the rows of the next slow flush.

use hashbrown::HashMap;

use super::Window;
use crate::fold::records::{Score, ScoreKey};
use crate::ids::Next;

/// Everything since the last slow flush.
#[derive(Debug, Default)]
pub struct BoardChanges {
    /// Gathered from here on: a score whose `at` is beyond it has its image already.
    pub(in crate::fold) since: Next,
    /// Scores as they were before, each once.
    pub images: Vec<(ScoreKey, Score)>,
    /// Where values fell; where they rose, the image and the score tell.
    pub passed: Vec<Passed>,
    /// Programmes that have become large.
    pub made: Vec<(u32, Next)>,
    /// Programmes whose rolling windows began to move on to another day, or came there.
    pub swept: HashMap<u32, Next>,
}

/// Values that a member passed on its way down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    pub score: ScoreKey,
    pub window: Window,
    pub period: i32,
    pub low: i64,
    pub high: i64,
}

impl BoardChanges {
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// About as many rows as it will become.
    pub fn len(&self) -> usize {
        self.images.len() + self.made.len() + self.swept.len()
    }

    /// Keeps what the score was, unless that is known.
    pub(in crate::fold) fn image(&mut self, key: ScoreKey, score: &Score) {
        if score.at <= self.since.0 {
            self.images.push((key, *score));
        }
    }

    /// A value on a board changed.
    pub(in crate::fold) fn changed(&mut self, key: ScoreKey, (window, period): (Window, i32), values: (i64, i64)) {
        let (before, after) = (values.0.max(0), values.1.max(0));
        if after < before {
            self.passed.push(Passed { score: key, window, period, low: after, high: before });
        }
    }

    /// What came after `self`: of a score that both know, the older image counts.
    pub fn append(&mut self, mut later: Self) {
        self.images.append(&mut later.images);
        self.passed.append(&mut later.passed);
        self.made.append(&mut later.made);
        self.swept.extend(later.swept);
    }
}
