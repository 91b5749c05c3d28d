//! The scheduler: from a seed it says who goes on, what lands, what fails, and who dies.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tributary::consume::Limits;
use tributary::ids::Partition;
use tributary::store::accord::Order;
use tributary::telemetry::with_causes;
use tributary::worker::{Error, Pace};

use super::broker::Broker;
use super::bugs::Fault;
use super::disk::Disks;
use super::node::{Node, Parts};
use super::programme::{PARTITIONS, Programme};
use super::random::Random;
use super::shared::{Shared, World};
use super::store::Rows;
use super::trace::Trace;

const NODES: usize = 3;
/// Decisions before everything comes to rest.
const DECISIONS: usize = 600;

/// How often, in a hundred decisions, a node is told that it may put outputs out.
const LET_OUT_OFTEN: u64 = 4;

/// What went wrong, in words; the trace tells how.
pub(super) type Outcome = Result<(), String>;

pub(super) struct Simulation {
    pub(super) world: World,
    pub(super) nodes: Vec<Node>,
    pub(super) disks: Disks,
    pub(super) random: Random,
    pub(super) clock: Arc<AtomicU32>,
    pace: Pace,
    fault: Option<Fault>,
    /// How often, in a hundred times, what may fail fails.
    storm: u64,
    /// In which nothing fails, and nobody dies.
    pub(super) is_calm: bool,
    /// Whether generations are ordered to stop at one place, and what was ordered last.
    pub(super) orders: bool,
    pub(super) order: Order,
    /// Whether outputs leave from a node only a while after it was started.
    holds: bool,
}

/// How a schedule is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weather {
    /// One node and no faults.
    Calm,
    /// Everything that may happen.
    Stormy,
}

impl Simulation {
    pub(super) fn new(seed: u64, weather: Weather, fault: Option<Fault>) -> Self {
        let mut random = Random::new(seed);
        let nodes = if weather == Weather::Calm { 1 } else { NODES };
        let broker = Broker::new(Programme::of(seed), nodes, fault.and_then(Fault::engine));
        let rows = Rows { is_ordered: random.percent(50), ..Rows::default() };
        let shared = Shared { broker, rows, trace: Trace::default() };
        let pace = pace(&mut random);
        let storm = random.one_of(&[15, 40, 90]);
        let mut simulation = Self {
            world: World::new(shared),
            nodes: (0..nodes).map(|_| Node::new()).collect(),
            disks: Disks::new(nodes),
            random,
            clock: Arc::default(),
            pace,
            fault,
            storm,
            is_calm: weather == Weather::Calm,
            orders: seed % 5 == 3,
            order: Order::default(),
            holds: seed % 7 == 2,
        };
        for node in 0..nodes {
            simulation.start(node);
            if simulation.is_calm || simulation.random.percent(80) {
                simulation.regroup(node);
            }
        }
        simulation.regroup(0);
        simulation
    }

    pub(super) fn run(&mut self) -> Outcome {
        for _ in 0..DECISIONS {
            self.decide()?;
            if self.random.percent(1) {
                self.check_claims()?;
            }
        }
        self.come_to_rest()?;
        self.check()
    }

    pub(super) fn trace(&self, line: String) {
        self.world.lock().trace.line(line);
    }

    fn decide(&mut self) -> Outcome {
        let node = self.random.below(self.nodes.len());
        if self.random.percent(3) {
            self.end_outage();
        }
        self.order_now_and_then();
        if self.holds && self.random.percent(LET_OUT_OFTEN) {
            self.let_out(node);
            // Where a group is only beginning nobody says how far it is.
            self.world.lock().broker.is_down |= !self.is_calm && self.random.percent(50);
        }
        match self.random.below(100) {
            0..7 => self.append(),
            7..13 => self.pass_time(),
            13..43 => {
                let node = self.owner().unwrap_or(node);
                self.step(node)?;
            }
            43..61 => self.drive(node),
            61..73 => self.write(),
            73..85 => self.produce_somewhere(),
            85..88 => self.resolve(),
            88..92 => self.regroup(node),
            _ if self.is_calm || !self.random.percent(self.storm) => self.regroup(node),
            _ => self.fail(node)?,
        }
        Ok(())
    }

    /// Mostly one that has something to read.
    fn owner(&mut self) -> Option<usize> {
        if self.random.percent(30) {
            return None;
        }
        let owners: Vec<usize> = {
            let broker = &self.world.lock().broker;
            let has_some = |node: &usize| self.nodes[*node].answers() && !broker.clients[*node].ours.is_empty();
            (0..self.nodes.len()).filter(has_some).collect()
        };
        (!owners.is_empty()).then(|| self.random.one_of(&owners))
    }

    fn end_outage(&mut self) {
        let shared = &mut *self.world.lock();
        (shared.broker.is_down, shared.rows.is_down) = (false, false);
    }

    /// Snapshots are tried often: there is none before state is committed, and that waits for its outputs.
    fn fail(&mut self, node: usize) -> Outcome {
        match self.random.below(28) {
            20..23 => self.snapshot(node)?,
            23..26 => {
                self.copy(node);
                self.snapshot(node)?;
            }
            26..28 => self.lose_state(node)?,
            0..2 => self.pause(node),
            2..6 => {
                self.resume(node);
                self.start(node);
            }
            6..8 => {
                self.snapshot(node)?;
                self.kill(node);
            }
            8..12 => self.start(node),
            12 => self.expel(node),
            13 => self.world.lock().broker.group.wants = true,
            14..16 => self.land_late(),
            16 => self.copy(node),
            17 => self.snapshot(node)?,
            18 => {
                let shared = &mut *self.world.lock();
                shared.broker.is_down = !shared.broker.is_down && self.random.percent(60);
                shared.trace.line(format!("brokers down: {}", shared.broker.is_down));
            }
            _ => {
                let shared = &mut *self.world.lock();
                shared.rows.is_down = !shared.rows.is_down && self.random.percent(60);
                shared.trace.line(format!("projections down: {}", shared.rows.is_down));
            }
        }
        Ok(())
    }

    fn append(&mut self) {
        let partition = self.random.below(PARTITIONS as usize);
        let count = 1 + self.random.below(14);
        let shared = &mut *self.world.lock();
        let all = shared.broker.programme.0[partition].entries.len();
        let appended = &mut shared.broker.appended[partition];
        *appended = (*appended + count).min(all);
    }

    pub(super) fn append_all(&mut self) {
        let shared = &mut *self.world.lock();
        for (appended, truth) in shared.broker.appended.iter_mut().zip(&shared.broker.programme.0) {
            *appended = truth.entries.len();
        }
    }

    fn pass_time(&mut self) {
        let millis = match self.random.below(40) {
            0..8 => self.random.within(1_000, 1_300),
            8 => self.random.within(5_000, 40_000),
            _ => self.random.within(1, 40),
        };
        self.pass(millis);
    }

    pub(super) fn pass(&mut self, millis: u64) {
        self.clock.fetch_add(u32::try_from(millis).unwrap(), Ordering::Relaxed);
        self.nodes.iter_mut().for_each(|node| node.pass(Duration::from_millis(millis)));
    }

    fn step(&mut self, node: usize) -> Outcome {
        let hears = self.random.percent(70);
        let most = if self.random.percent(20) { 60 } else { 1 + self.random.below(12) };
        self.step_with(node, hears, most)
    }

    pub(super) fn step_with(&mut self, node: usize, hears: bool, most: usize) -> Outcome {
        if !self.nodes[node].answers() {
            return Ok(());
        }
        {
            let client = &mut self.world.lock().broker.clients[node];
            (client.hears, client.records_max) = (hears, most);
        }
        self.nodes[node].step().map_err(|error| halts(node, &error))
    }

    pub(super) fn drive(&mut self, node: usize) {
        if self.nodes[node].answers() {
            self.nodes[node].drive();
        }
    }

    fn write(&mut self) {
        let Shared { rows, trace, .. } = &mut *self.world.lock();
        if !rows.calls.is_empty() {
            let which = self.random.below(rows.calls.len());
            if self.is_calm { rows.acknowledge(which, trace) } else { rows.go_on(which, &mut self.random, trace) }
        }
    }

    /// Where there is something to do.
    fn produce_somewhere(&mut self) {
        let busy: Vec<usize> = {
            let broker = &self.world.lock().broker;
            (0..self.nodes.len()).filter(|node| broker.is_producing(*node)).collect()
        };
        if !busy.is_empty() {
            let node = self.random.one_of(&busy);
            self.produce(node);
        }
    }

    pub(super) fn produce(&mut self, node: usize) {
        if self.nodes[node].answers() {
            let Shared { broker, trace, .. } = &mut *self.world.lock();
            broker.produce(node, &mut self.random, trace, self.is_calm);
        }
    }

    /// The coordinator ends what its producer left open.
    pub(super) fn resolve(&mut self) {
        let silent = self.silent();
        let Shared { broker, trace, .. } = &mut *self.world.lock();
        let left = broker.left_open(&silent);
        if !left.is_empty() {
            broker.resolve(left[self.random.below(left.len())], trace);
        }
    }

    pub(super) fn silent(&self) -> Vec<bool> {
        self.nodes.iter().map(|node| !node.answers()).collect()
    }

    /// A client joins, or finds out that it is no member, or all members come to a new assignment.
    pub(super) fn regroup(&mut self, node: usize) {
        let silent = self.silent();
        let Shared { broker, trace, .. } = &mut *self.world.lock();
        let client = &mut broker.clients[node];
        if !silent[node] && !client.is_joined() {
            let e = |p| broker.committed.get(&p).copied().unwrap_or_default();
            client.early = (0..PARTITIONS).map(Partition).map(|p| (p, e(p))).collect();
            broker.group.join(node, client);
            trace.line(format!("node {node} joins"));
        } else if !silent[node] && broker.group.find_out(client) {
            trace.line(format!("node {node} finds out that it is no member"));
        } else if broker.group.wants || (!self.is_calm && self.random.percent(10)) {
            broker.group.expire(&broker.clients);
            broker.group.rebalance(&mut broker.clients, &silent, &mut self.random, trace);
        }
    }

    fn pause(&mut self, node: usize) {
        if self.nodes[node].answers() {
            self.nodes[node].is_paused = true;
            self.trace(format!("node {node} is paused"));
        }
    }

    fn resume(&mut self, node: usize) {
        if self.nodes[node].is_paused {
            self.nodes[node].is_paused = false;
            self.trace(format!("node {node} goes on"));
        }
    }

    /// The group has not heard of it for too long.
    pub(super) fn expel(&mut self, node: usize) {
        let Shared { broker, trace, .. } = &mut *self.world.lock();
        if broker.group.expel(&broker.clients[node]) {
            trace.line(format!("node {node} is expelled"));
        }
    }

    pub(super) fn kill(&mut self, node: usize) {
        if !self.nodes[node].is_up() {
            return;
        }
        self.nodes[node].kill();
        {
            let Shared { broker, rows, trace } = &mut *self.world.lock();
            trace.line(format!("node {node} dies"));
            broker.abandon(node);
            rows.abandon(node, &mut self.random, trace);
        }
        for partition in (0..PARTITIONS).map(Partition) {
            let fate = self.disks.crash(node, partition, &mut self.random);
            self.trace(format!("node {node}: disk of p{} {fate}", partition.0));
        }
    }

    pub(super) fn start(&mut self, node: usize) {
        if self.nodes[node].is_up() {
            return;
        }
        self.trace(format!("node {node} starts"));
        let (dir, bug) = (self.disks.of(node), self.fault.and_then(Fault::worker));
        let (emits, clock) = (!self.holds, &self.clock);
        let parts = Parts { world: &self.world, node, dir, clock, pace: self.pace, bug, emits };
        self.nodes[node].start(parts);
    }

    /// As where the former generation's workers have left their group.
    pub(super) fn let_out(&self, node: usize) {
        if self.nodes[node].let_out() {
            self.trace(format!("node {node} may put outputs out"));
        }
    }

    /// A read of the state fails on somebody's disk.
    fn lose_state(&mut self, node: usize) -> Outcome {
        let node = self.owner().unwrap_or(node);
        if !self.nodes[node].answers() {
            return Ok(());
        }
        let partition = Partition(u32::from(self.random.percent(50)));
        self.trace(format!("node {node} cannot read its state of p{}", partition.0));
        self.nodes[node].lose_state(partition).map_err(|error| halts(node, &error))
    }

    fn copy(&mut self, node: usize) {
        let partition = Partition(u32::from(self.random.percent(50)));
        self.disks.copy(node, partition);
        self.trace(format!("node {node}: a copy of p{}", partition.0));
    }

    /// Of the first committed state that there is, from a node on.
    fn snapshot(&mut self, from: usize) -> Outcome {
        for turn in 0..self.nodes.len() * PARTITIONS as usize {
            let node = (from + turn / PARTITIONS as usize) % self.nodes.len();
            let partition = Partition(u32::try_from(turn).unwrap() % PARTITIONS);
            if !self.nodes[node].answers() {
                continue;
            }
            let dir = self.disks.for_snapshot();
            if self.nodes[node].snapshot(partition, &dir).map_err(|error| error.to_string())? {
                let next = self.disks.send_snapshot(partition, &dir);
                self.trace(format!("node {node}: a snapshot of p{} at {}", partition.0, next.0));
                return Ok(());
            }
        }
        Ok(())
    }

    pub(super) fn land_late(&mut self) {
        let Shared { rows, trace, .. } = &mut *self.world.lock();
        if !rows.late.is_empty() {
            rows.land_late(&mut self.random, trace);
        }
    }
}

fn halts(node: usize, error: &Error) -> String {
    format!("node {node} halts: {}", with_causes(error))
}

fn pace(random: &mut Random) -> Pace {
    let mut ms = |most: usize| Duration::from_millis(u64::try_from(random.below(most)).unwrap());
    let (fast, slow, catching_up, emit, emit_idle, commit) = (ms(40), ms(300), ms(300), ms(30), ms(120), ms(150));
    let poll = Limits { records_max: 2 + random.below(60), wait_max: Duration::ZERO, ..Limits::default() };
    let rows_max = random.one_of(&[20, 300, 100_000]);
    Pace { poll, fast, slow, catching_up, emit, emit_idle, commit, rows_max, tick: None }
}
