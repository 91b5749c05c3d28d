//! What the fold notes of the boards of large programmes, for the rows of the next slow flush.

use hashbrown::HashMap;

use super::{Window, code};
use crate::fold::records::{Score, ScoreKey};
use crate::ids::Next;

/// Everything since the last slow flush.
#[derive(Debug, Default)]
pub struct BoardChanges {
    /// Gathered from here on: a score whose `at` is beyond it has its image already.
    pub(in crate::fold) since: Next,
    /// Scores as they were before, each once.
    pub images: Vec<(ScoreKey, Score)>,
    /// In the order of the log.
    pub moves: Vec<Move>,
    /// Where values fell; where they rose, the image and the score tell.
    pub passed: Vec<Passed>,
    /// Programmes that have become large.
    pub made: Vec<(u32, Next)>,
    /// Programmes whose rolling windows began to move on to another day, or came there.
    pub swept: HashMap<u32, Next>,
}

/// A member's standing moved away from a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    pub score: ScoreKey,
    pub window: Window,
    pub period: i32,
    /// 0: it stood nowhere.
    pub from: u16,
    pub at: Next,
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
        self.images.len() + self.moves.len() + self.made.len() + self.swept.len()
    }

    /// Keeps what the score was, unless that is known.
    pub(in crate::fold) fn image(&mut self, key: ScoreKey, score: &Score) {
        if score.at <= self.since.0 {
            self.images.push((key, *score));
        }
    }

    /// A value on a board changed at the event below `at`.
    pub(in crate::fold) fn changed(
        &mut self,
        key: ScoreKey,
        (window, period): (Window, i32),
        values: (i64, i64),
        at: Next,
    ) {
        let (before, after) = (values.0.max(0), values.1.max(0));
        let from = code(before);
        if from != code(after) {
            self.moves.push(Move { score: key, window, period, from, at });
        }
        if after < before {
            self.passed.push(Passed { score: key, window, period, low: after, high: before });
        }
    }

    /// What came after `self`: of a score that both know, the older image counts.
    pub fn append(&mut self, mut later: Self) {
        self.images.append(&mut later.images);
        self.moves.append(&mut later.moves);
        self.passed.append(&mut later.passed);
        self.made.append(&mut later.made);
        self.swept.extend(later.swept);
    }
}
