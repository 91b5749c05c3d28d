//! Questions to those who have the state: each task answers what is asked of its partition, between some records and the
//! next, and between the parts of what it lets out.
//!
//! Promise: bounded, and nobody waits here. A full queue, or a partition that this process does not fold, is told at
//! once; who is given up before its turn came is told by its end of the channel. An answer reads the state and
//! changes nothing of it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, oneshot};

use crate::fold::{Asked, Preview, Unseen};
use crate::ids::Partition;

/// Questions that wait for one task.
const WAITING_MAX: usize = 256;

/// What would be decided of something that has not come.
pub(super) struct Question {
    /// An [`Asked`], encoded.
    asked: Vec<u8>,
    answer: oneshot::Sender<Answer>,
}

/// Why a question was not even put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAsked {
    /// No task of this process folds the partition into that generation.
    NotHere,
    /// Too many others wait.
    Busy,
}

/// The tasks of this process that can be asked, by generation and partition. Clones are the same.
#[derive(Clone, Default)]
pub struct Questions(Arc<Inner>);

#[derive(Default)]
struct Inner {
    tasks: Mutex<BTreeMap<(u32, Partition), Listed>>,
    /// Of the next task.
    number: AtomicU64,
}

struct Listed {
    /// Another one for each task, whichever thread it is of.
    number: u64,
    questions: mpsc::Sender<Question>,
}

/// What a task makes of a question.
pub type Answer = Result<Preview, Unseen>;

impl Questions {
    /// The answer comes through the channel; if it ends without one, the task was given up meanwhile.
    pub fn ask(
        &self,
        (generation, partition): (u32, Partition),
        asked: &Asked<'_>,
    ) -> Result<oneshot::Receiver<Answer>, NotAsked> {
        let queue = self.tasks().get(&(generation, partition)).map(|task| task.questions.clone());
        let queue = queue.ok_or(NotAsked::NotHere)?;
        let asked = postcard::to_allocvec(asked).expect("texts, numbers and tokens can be written");
        let (answer, answered) = oneshot::channel();
        queue.try_send(Question { asked, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NotAsked::Busy,
            mpsc::error::TrySendError::Closed(_) => NotAsked::NotHere,
        })?;
        Ok(answered)
    }

    /// The partitions of a generation that are folded here, each with the number of its task.
    pub fn owned(&self, generation: u32) -> Vec<(Partition, u64)> {
        let tasks = self.tasks();
        let those = tasks.iter().filter(|((of, _), _)| *of == generation);
        those.map(|((_, partition), task)| (*partition, task.number)).collect()
    }

    /// Has a task listed, in the place of any former one.
    pub(super) fn list(&self, generation: u32, partition: Partition) -> Seat {
        let (sender, waiting) = mpsc::channel(WAITING_MAX);
        let number = self.0.number.fetch_add(1, Ordering::Relaxed);
        self.tasks().insert((generation, partition), Listed { number, questions: sender });
        Seat { questions: self.clone(), place: (generation, partition), number, waiting }
    }

    fn tasks(&self) -> MutexGuard<'_, BTreeMap<(u32, Partition), Listed>> {
        self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A task's end of its queue; dropped, the task is listed no more, and nobody waits for it.
pub(super) struct Seat {
    questions: Questions,
    place: (u32, Partition),
    number: u64,
    waiting: mpsc::Receiver<Question>,
}

impl Seat {
    /// The next one whose asker has not gone.
    pub(super) fn next(&mut self) -> Option<Question> {
        loop {
            let question = self.waiting.try_recv().ok()?;
            if !question.answer.is_closed() {
                return Some(question);
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut tasks = self.questions.tasks();
        if tasks.get(&self.place).is_some_and(|task| task.number == self.number) {
            tasks.remove(&self.place);
        }
    }
}

impl Question {
    pub(super) fn answer(self, look: impl FnOnce(&Asked<'_>) -> Answer) {
        let asked = postcard::from_bytes(&self.asked).expect("it was written by the same program");
        // Who asked may have gone.
        drop(self.answer.send(look(&asked)));
    }
}
