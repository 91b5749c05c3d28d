//! A place in the log where two generations stop: there their rows must be the same, byte for byte, and there readers can
//! go from one to the other without going back.
//!
//! An order in the store says so to every process ([`Order`]). Each task then stops where it is, and its process says in
//! the store where that is; the fence stands at the foremost of them, up to which the others go on. A task that stands
//! there writes out what it has, and that is said too. The log takes events meanwhile. An order that is not taken back
//! holds nobody for longer than [`HOLD_MAX`].

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::ids::{Next, Partition};
use crate::store::accord::{Order, Stand};

/// So long a process obeys one order, from when it first saw it. Who gave the order must be done before, by a clock
/// that began earlier.
pub const HOLD_MAX: Duration = Duration::from_secs(30);

/// What this process knows of the fence, shared by its workers of all generations. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Fence(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    is_raised: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    order: Order,
    /// When it was first seen.
    since: Duration,
    /// Orders up to this one hold nobody any more.
    done: u64,
    /// Who has stopped here: everything it has applied, and what of it is written.
    stands: BTreeMap<(u32, Partition), (Next, Next)>,
    /// Where the fence stands, once that is known.
    targets: BTreeMap<Partition, Next>,
}

impl Fence {
    /// Obeys what the store says at `now`, of one monotonic clock.
    pub fn follow(&self, order: Order, now: Duration) {
        let mut state = self.state();
        if order.id < state.order.id {
            // Read before the other, and told after it.
            return;
        }
        let is_new = order.id != state.order.id;
        if is_new {
            let done = state.done;
            *state = State { order, since: now, done, ..State::default() };
        }
        if !order.is_raised || now.saturating_sub(state.since) > HOLD_MAX {
            state.done = state.done.max(order.id);
        }
        self.0.is_raised.store(state.order.id > state.done, Ordering::Release);
    }

    /// The same, while the store cannot be asked.
    pub fn go_on(&self, now: Duration) {
        let order = self.state().order;
        self.follow(order, now);
    }

    /// What is obeyed now.
    pub fn order(&self) -> Option<Order> {
        let state = self.state();
        (state.order.id > state.done).then_some(state.order)
    }

    /// Obeys an order no more: who gave it has what it was for.
    pub fn pass(&self, order: Order) {
        let mut state = self.state();
        state.done = state.done.max(order.id);
        self.0.is_raised.store(state.order.id > state.done, Ordering::Release);
    }

    /// Where the tasks of this process stand by the order.
    pub fn stands(&self, order: Order) -> Vec<((u32, Partition), Stand)> {
        let state = self.state();
        if state.order.id != order.id {
            return Vec::new();
        }
        let said = |(place, (at, written)): (&(u32, Partition), &(Next, Next))| {
            (*place, Stand { order: order.id, at: *at, written: *written })
        };
        state.stands.iter().map(said).collect()
    }

    /// What is known of where tasks stand, here and elsewhere: the fence stands at the foremost, once all are known.
    pub fn place(&self, order: Order, partition: Partition, stands: &[Option<Stand>]) {
        let mut state = self.state();
        let foremost = stands.iter().try_fold(Next(0), |foremost, stand| Some(stand.as_ref()?.at.max(foremost)));
        if let Some(foremost) = foremost.filter(|_| state.order.id == order.id) {
            let target = state.targets.entry(partition).or_default();
            *target = foremost.max(*target);
        }
    }

    /// Where a task that has applied everything below `position` must stop; `None`: nowhere.
    pub(super) fn stop_at(&self, generation: u32, partition: Partition, position: Next) -> Option<Next> {
        if !self.0.is_raised.load(Ordering::Acquire) {
            return None;
        }
        let mut state = self.state();
        if !state.order.generations.contains(&generation) || state.order.id <= state.done {
            return None;
        }
        state.stands.entry((generation, partition)).or_default().0 = position;
        // A task that starts again may stand before the fence, but never beyond it.
        Some(state.targets.get(&partition).copied().unwrap_or(position))
    }

    /// Everything that the task has applied is written.
    pub(super) fn settle(&self, generation: u32, partition: Partition, position: Next) {
        if let Some((at, written)) = self.state().stands.get_mut(&(generation, partition))
            && *at == position
        {
            *written = position;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Fence, HOLD_MAX};
    use crate::ids::{Next, Partition};
    use crate::store::accord::{Order, Stand};

    const P: Partition = Partition(0);
    const NOW: Duration = Duration::from_secs(7);

    fn order(id: u64, is_raised: bool) -> Order {
        Order { id, generations: [1, 2], is_raised }
    }

    fn look(fence: &Fence) -> Vec<Option<Stand>> {
        let stands: Vec<_> = fence.stands(order(1, true)).into_iter().map(|(_, stand)| Some(stand)).collect();
        fence.place(order(1, true), P, &stands);
        stands
    }

    #[test]
    fn all_stop_at_the_foremost_and_say_when_all_is_written_there() {
        let fence = Fence::default();
        assert_eq!(fence.stop_at(1, P, Next(5)), None);
        fence.follow(order(1, true), NOW);
        assert_eq!(fence.stop_at(1, P, Next(5)), Some(Next(5)));
        fence.place(order(1, true), P, &[Some(Stand { order: 1, at: Next(5), written: Next(0) }), None]);
        assert_eq!(fence.stop_at(1, P, Next(5)), Some(Next(5)), "not all are known");
        assert_eq!(fence.stop_at(2, P, Next(8)), Some(Next(8)));
        look(&fence);
        assert_eq!(fence.stop_at(1, P, Next(5)), Some(Next(8)), "the hindmost goes on");
        fence.settle(2, P, Next(8));
        assert_eq!(fence.stop_at(1, P, Next(7)), Some(Next(8)));
        fence.settle(1, P, Next(6));
        assert_eq!(look(&fence)[0], Some(Stand { order: 1, at: Next(7), written: Next(0) }), "not of where it stands");
        assert_eq!(fence.stop_at(1, P, Next(8)), Some(Next(8)));
        fence.settle(1, P, Next(8));
        let there = Some(Stand { order: 1, at: Next(8), written: Next(8) });
        assert_eq!(look(&fence), [there, there]);
        assert_eq!(fence.stop_at(1, P, Next(3)), Some(Next(8)), "who starts again goes there again");
        assert_eq!(fence.stop_at(3, P, Next(1)), None, "who does not take part does not stop");
        fence.follow(order(1, false), NOW);
        assert_eq!(fence.stop_at(1, P, Next(8)), None);
    }

    #[test]
    fn an_order_that_nobody_takes_back_holds_for_a_while_and_never_again() {
        let fence = Fence::default();
        fence.follow(order(1, true), NOW);
        fence.go_on(NOW + HOLD_MAX);
        assert!(fence.order().is_some());
        fence.go_on(NOW + HOLD_MAX + Duration::from_nanos(1));
        assert_eq!(fence.order(), None);
        fence.follow(order(1, true), NOW);
        assert_eq!(fence.stop_at(1, P, Next(8)), None);
        fence.follow(order(2, true), NOW);
        assert_eq!(fence.stop_at(1, P, Next(8)), Some(Next(8)));
        fence.pass(order(2, true));
        fence.follow(order(2, true), NOW);
        assert_eq!(fence.order(), None);
    }
}
