//! Generations that are to stop at one place: the worker stops there, on whatever node, and goes on from there.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tributary::ids::{Next, Partition};
use tributary::store::accord::{Order, Stand};

use super::programme::PARTITIONS;
use super::world::Simulation;

/// How often, in a hundred decisions, an order is given or taken back.
const OFTEN: u64 = 3;

impl Simulation {
    /// In some schedules.
    pub(super) fn order_now_and_then(&mut self) {
        if self.orders && self.random.percent(OFTEN) {
            if self.order.is_raised { self.lower() } else { self.raise() }
        }
    }

    /// Where the other generation stands is drawn: anywhere in the log, also between two records.
    fn raise(&mut self) {
        self.order = Order { id: self.order.id + 1, generations: [1, 2], is_raised: true };
        self.tell();
        for partition in (0..PARTITIONS).map(Partition) {
            let end = usize::try_from(self.world.lock().broker.end(partition).0).unwrap();
            let at = Next(u64::try_from(self.random.below(end + 1)).unwrap());
            self.trace(format!("all stand at {} of p{}", at.0, partition.0));
            let stand = Stand { order: self.order.id, at, written: at };
            self.nodes.iter().for_each(|node| node.fence.place(self.order, partition, &[Some(stand)]));
        }
    }

    pub(super) fn lower(&mut self) {
        self.order.is_raised = false;
        self.trace("nobody stands any more".to_owned());
        self.tell();
    }

    /// Who starts later hears of the next one.
    fn tell(&self) {
        let now = Duration::from_millis(self.clock.load(Ordering::Relaxed).into());
        self.nodes.iter().for_each(|node| node.fence.follow(self.order, now));
    }
}
