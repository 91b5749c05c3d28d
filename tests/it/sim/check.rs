//! The end of a schedule: everybody who lives finishes, the dead land last, and all is compared with the plain fold.

use tributary::consume::Stream;
use tributary::ids::{Next, Partition};
use tributary::project::rows::AppliedRow;
use tributary::project::tables::{self, Class};

use super::programme::{Output, PARTITIONS, is_applied, row_key};
use super::shared::Shared;
use super::world::{Outcome, Simulation};
use crate::schemas::decision::without_time;

/// A failure that says what is not done, and not what is wrong.
pub(super) const ENDLESS: &str = "it does not come to an end";
/// Rounds in which all must be out.
const ROUNDS: usize = 400;

impl Simulation {
    /// All faults stop; some nodes finish, the others stay as they are until that is done.
    pub(super) fn come_to_rest(&mut self) -> Outcome {
        self.trace(format!("all comes to rest: {}", self.standing()));
        self.append_all();
        self.lower();
        {
            let shared = &mut *self.world.lock();
            (shared.broker.is_down, shared.rows.is_down) = (false, false);
        }
        let was_calm = std::mem::replace(&mut self.is_calm, true);
        let last = self.random.below(self.nodes.len());
        let finishers: Vec<usize> = (0..self.nodes.len()).filter(|n| *n == last || self.random.percent(40)).collect();
        for node in 0..self.nodes.len() {
            if finishers.contains(&node) {
                self.nodes[node].is_paused = false;
                self.start(node);
            } else {
                self.nodes[node].is_paused = self.nodes[node].is_up();
            }
        }
        (0..self.nodes.len()).filter(|node| !finishers.contains(node)).for_each(|node| self.expel(node));
        let mut rounds = 0;
        while !self.is_done() {
            rounds += 1;
            if rounds > ROUNDS {
                return Err(format!("{ENDLESS}: {}", self.standing()));
            }
            self.round(&finishers)?;
        }
        // For P to follow.
        for _ in 0..6 {
            self.round(&finishers)?;
        }
        self.is_calm = was_calm;
        if !self.is_calm {
            self.wake_zombies(&finishers)?;
        }
        let Shared { rows, trace, .. } = &mut *self.world.lock();
        while !rows.calls.is_empty() {
            let which = self.random.below(rows.calls.len());
            rows.acknowledge(which, trace);
        }
        while !rows.late.is_empty() {
            rows.land_late(&mut self.random, trace);
        }
        Ok(())
    }

    fn round(&mut self, nodes: &[usize]) -> Outcome {
        {
            let broker = &mut self.world.lock().broker;
            broker.group.expire(&broker.clients);
        }
        for node in nodes {
            self.let_out(*node);
            self.regroup(*node);
            self.step_with(*node, true, 100)?;
            self.drive(*node);
            (0..3).for_each(|_| self.produce(*node));
            let Shared { rows, trace, .. } = &mut *self.world.lock();
            while let Some(which) = rows.calls.iter().position(|call| call.node == *node) {
                rows.acknowledge(which, trace);
            }
        }
        nodes.iter().for_each(|node| self.drive(*node));
        self.resolve();
        let slowly = self.random.percent(10);
        self.pass(if slowly { 1_100 } else { 60 });
        Ok(())
    }

    /// Who was paused all the time goes on, and believes that it owns what it owned.
    fn wake_zombies(&mut self, finishers: &[usize]) -> Outcome {
        let zombies: Vec<usize> =
            (0..self.nodes.len()).filter(|n| !finishers.contains(n) && self.nodes[*n].is_up()).collect();
        for node in &zombies {
            self.trace(format!("node {node} wakes up"));
            self.nodes[*node].is_paused = false;
        }
        for _ in 0..12 {
            for node in &zombies {
                self.step_with(*node, false, 20)?;
                self.drive(*node);
                self.produce(*node);
                self.pass(30);
                let Shared { rows, trace, .. } = &mut *self.world.lock();
                if let Some(which) = rows.calls.iter().position(|call| call.node == *node) {
                    rows.go_on(which, &mut self.random, trace);
                }
            }
            self.resolve();
        }
        Ok(())
    }

    /// All is folded, out and written.
    fn is_done(&self) -> bool {
        let shared = self.world.lock();
        (0..PARTITIONS).map(Partition).all(|partition| {
            let end = shared.broker.programme.truth(partition).end();
            let are_written = self.nodes.iter().any(|node| node.written(partition) >= end);
            shared.broker.e(partition) >= end && are_written && !shared.broker.is_unstable(partition)
        })
    }

    fn standing(&self) -> String {
        let shared = self.world.lock();
        let one = |p: Partition| {
            format!("p{}: E {} of {}", p.0, shared.broker.e(p).0, shared.broker.programme.truth(p).end().0)
        };
        (0..PARTITIONS).map(|p| one(Partition(p))).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn check(&mut self) -> Outcome {
        for partition in (0..PARTITIONS).map(Partition) {
            self.check_outputs(partition)?;
        }
        self.check_rows()?;
        for node in 0..self.nodes.len() {
            // Its files are free then; what is on them does not change.
            self.nodes[node].kill();
            for partition in (0..PARTITIONS).map(Partition) {
                let found = self.disks.look(node, partition);
                let found = found.map_err(|error| format!("disk of node {node}: {error}"))?;
                self.check_state(&format!("disk of node {node}"), partition, found)?;
            }
        }
        for partition in (0..PARTITIONS).map(Partition) {
            if let Some(found) = self.disks.look_at_snapshot(partition) {
                self.check_state("the newest snapshot", partition, found)?;
            }
        }
        Ok(())
    }

    /// Rows are as new as `applied` says, where it is written behind them.
    pub(super) fn check_claims(&self) -> Outcome {
        let shared = self.world.lock();
        if !shared.rows.is_ordered {
            return Ok(());
        }
        for partition in (0..PARTITIONS).map(Partition) {
            let Some(applied) = applied(&shared, partition) else { continue };
            for (key, (class, changes)) in &shared.broker.programme.truth(partition).changes {
                let claimed = if *class == Class::Fast { applied.fast } else { applied.slow };
                let newest = changes.iter().rfind(|at| **at <= claimed);
                let stored = shared.rows.stored.get(key).map(|row| row.at);
                if newest.is_some_and(|newest| stored < Some(*newest)) {
                    let name = String::from_utf8_lossy(key);
                    return Err(format!(
                        "rows: {name} is said to be written up to {}, and is of {stored:?}",
                        claimed.0
                    ));
                }
            }
        }
        Ok(())
    }

    fn check_outputs(&self, partition: Partition) -> Outcome {
        let shared = self.world.lock();
        let truth = shared.broker.programme.truth(partition);
        for stream in [Stream::DeadLetters.name(), Stream::Decisions.name()] {
            let found = shared.broker.read(stream, partition);
            let expected = truth.outputs.get(stream).map(Vec::as_slice).unwrap_or_default();
            let first = found.iter().zip(expected).position(|(found, expected)| !is_same(found, expected));
            if first.is_some() || found.len() != expected.len() {
                return Err(format!(
                    "outputs in {stream}[{}]: {} instead of {}, the first other one is {first:?}",
                    partition.0,
                    found.len(),
                    expected.len()
                ));
            }
        }
        Ok(())
    }

    fn check_rows(&self) -> Outcome {
        let shared = self.world.lock();
        let live = || shared.rows.stored.iter().filter(|(_, row)| !is_applied(row) && row.value.is_some());
        let truths = &shared.broker.programme.0;
        let name = |key: &[u8]| String::from_utf8_lossy(key).into_owned();
        let expected = |key: &[u8]| truths.iter().find_map(|truth| truth.rows.get(key));
        for (key, row) in live() {
            match expected(key) {
                None => return Err(format!("rows: {} should not be there", name(key))),
                Some(value) if row.value.as_ref() != Some(value) => {
                    let (at, found) = (row.at.0, row.value.as_ref());
                    return Err(format!("rows: {} is {found:?} of at {at} and not {value:?}", name(key)));
                }
                Some(_) => {}
            }
        }
        let missing = truths
            .iter()
            .flat_map(|truth| truth.rows.keys())
            .find(|key| shared.rows.stored.get(*key).is_none_or(|row| row.value.is_none()));
        missing.map_or(Ok(()), |key| Err(format!("rows: {} is missing", name(key))))
    }

    fn check_state(&self, whose: &str, partition: Partition, (position, digest): (Next, u128)) -> Outcome {
        let mut shared = self.world.lock();
        shared.trace.line(format!("{whose}: p{} at {}", partition.0, position.0));
        let e = shared.broker.e(partition);
        if position > e {
            return Err(format!("{whose}: P of p{} is {}, beyond E, which is {}", partition.0, position.0, e.0));
        }
        // Between two records it is that of the first.
        match shared.broker.programme.truth(partition).digests.range(..=position).next_back() {
            Some((_, expected)) if *expected == digest => Ok(()),
            Some(_) => Err(format!("{whose}: state of p{} at {} is not the fold's", partition.0, position.0)),
            None => Err(format!("{whose}: no record of p{} ends at {}", partition.0, position.0)),
        }
    }
}

/// But for the time at which it was written.
fn is_same(found: &Output, expected: &Output) -> bool {
    found.key == expected.key && without_time(&found.value) == without_time(&expected.value)
}

fn applied(shared: &Shared, partition: Partition) -> Option<AppliedRow> {
    let row = shared.rows.stored.get(&row_key(&tables::applied(partition)))?;
    AppliedRow::decode(row.value.as_deref()?).ok()
}
