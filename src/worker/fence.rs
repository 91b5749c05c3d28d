//! A place in the log where all generations stop at once: there their rows must be the same, byte for byte, and there
//! readers can go from one to the other without going back.
//!
//! Raised, each task stops where it is and says so; the fence then stands at the foremost of them, up to which the
//! others go on. A task that stands there writes out what it has, and says that too. The log takes events meanwhile.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ids::{Next, Partition};

/// Shared by the workers of all generations. Clones are the same fence.
#[derive(Debug, Clone, Default)]
pub struct Fence(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    is_raised: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Who stops, each with where it stands and whether all of that is written.
    tasks: BTreeMap<(u32, Partition), Option<(Next, bool)>>,
    /// Where the fence stands, once all have said where they are.
    targets: BTreeMap<Partition, Next>,
}

/// Lowered when dropped.
#[derive(Debug)]
pub struct Raised<'a>(&'a Fence);

impl Fence {
    /// For all partitions of the generations given. One at a time: the caller sees to that.
    pub fn raise(&self, generations: &[u32], partitions: u32) -> Raised<'_> {
        let all = generations.iter().flat_map(|g| (0..partitions).map(|p| (*g, Partition(p))));
        *self.state() = State { tasks: all.map(|task| (task, None)).collect(), targets: BTreeMap::new() };
        self.0.is_raised.store(true, Ordering::Release);
        Raised(self)
    }

    /// Where a task that has applied everything below `position` must stop; `None`: nowhere.
    pub(super) fn stop_at(&self, generation: u32, partition: Partition, position: Next) -> Option<Next> {
        if !self.0.is_raised.load(Ordering::Acquire) {
            return None;
        }
        let mut state = self.state();
        let target = state.targets.get(&partition).copied();
        let stands = state.tasks.get_mut(&(generation, partition))?;
        if stands.is_none_or(|(at, _)| at != position) {
            *stands = Some((position, false));
        }
        // A task that starts again may stand before the fence, but never beyond it.
        Some(target.unwrap_or(position))
    }

    /// Everything that the task has applied is written.
    pub(super) fn settle(&self, generation: u32, partition: Partition, position: Next) {
        if let Some(stands) = self.state().tasks.get_mut(&(generation, partition)) {
            *stands = Some((position, true));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Raised<'_> {
    /// Whether all stand at the fence, with everything written. Asked again and again until it is so.
    pub fn is_reached(&self) -> bool {
        let mut state = self.0.state();
        if state.targets.is_empty() {
            let mut foremost: BTreeMap<Partition, Next> = BTreeMap::new();
            for ((_, partition), stands) in &state.tasks {
                let Some((at, _)) = stands else { return false };
                let target = foremost.entry(*partition).or_default();
                *target = (*target).max(*at);
            }
            state.targets = foremost;
        }
        let stands_there = |((_, partition), stands): (&(u32, Partition), &Option<(Next, bool)>)| {
            state.targets.get(partition).is_some_and(|target| *stands == Some((*target, true)))
        };
        state.tasks.iter().all(stands_there)
    }
}

impl Drop for Raised<'_> {
    fn drop(&mut self) {
        self.0.0.is_raised.store(false, Ordering::Release);
        *self.0.state() = State::default();
    }
}

#[cfg(test)]
mod tests {
    use super::Fence;
    use crate::ids::{Next, Partition};

    const P: Partition = Partition(0);

    #[test]
    fn all_stop_at_the_foremost_and_it_is_reached_when_all_is_written_there() {
        let fence = Fence::default();
        assert_eq!(fence.stop_at(1, P, Next(5)), None);
        let raised = fence.raise(&[1, 2], 1);
        assert!(!raised.is_reached());
        assert_eq!(fence.stop_at(1, P, Next(5)), Some(Next(5)));
        assert_eq!(fence.stop_at(2, P, Next(8)), Some(Next(8)));
        assert!(!raised.is_reached());
        assert_eq!(fence.stop_at(1, P, Next(5)), Some(Next(8)), "the hindmost goes on");
        fence.settle(2, P, Next(8));
        fence.settle(1, P, Next(7));
        assert!(!raised.is_reached(), "written, but not up to the fence");
        assert_eq!(fence.stop_at(1, P, Next(8)), Some(Next(8)));
        assert!(!raised.is_reached());
        fence.settle(1, P, Next(8));
        assert!(raised.is_reached());
        assert_eq!(fence.stop_at(3, P, Next(1)), None, "who does not take part does not stop");
        drop(raised);
        assert_eq!(fence.stop_at(1, P, Next(8)), None);
    }
}
