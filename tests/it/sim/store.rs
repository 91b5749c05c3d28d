//! The projections: rows by last write wins, and writes on their way, which land when the scheduler says so.

use std::collections::BTreeMap;

use tokio::sync::oneshot;
use tributary::store::{Error, Health, Key, Range, Row, Store, Swap, Table};

use super::programme::{RowKey, beats, is_applied, row_key};
use super::random::Random;
use super::shared::{Shared, World};
use super::trace::Trace;

/// What stands in the tables, tombstones too.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) stored: BTreeMap<RowKey, Row>,
    /// Not answered yet.
    pub(super) calls: Vec<Call>,
    /// Of who has given up or is dead: they land some time, or never.
    pub(super) late: Vec<Vec<Row>>,
    pub(super) is_down: bool,
    /// Whether the row that says how far the others are lands behind the others of its call, as in the engines.
    pub(super) is_ordered: bool,
}

/// A write on its way.
pub(super) struct Call {
    pub(super) node: usize,
    rows: Vec<Row>,
    reply: oneshot::Sender<Result<(), Error>>,
}

fn unavailable() -> Error {
    Error::Unreachable { place: "simulated".to_owned(), source: "outage".into() }
}

impl Rows {
    fn land(&mut self, rows: &[Row], trace: &mut Trace) {
        for row in rows {
            let key = row_key(&row.key);
            trace.bytes(&key);
            trace.bytes(&row.at.0.to_le_bytes());
            trace.bytes(row.value.as_deref().unwrap_or(b"-"));
            if self.stored.get(&key).is_none_or(|old| beats(row, old)) {
                self.stored.insert(key, row.clone());
            }
        }
    }

    /// Some of a call's rows; not the one that tells of the others, if that comes last.
    fn some(&self, rows: &[Row], random: &mut Random) -> Vec<Row> {
        let is_last = |row: &Row| self.is_ordered && rows.len() > 1 && is_applied(row);
        let others: Vec<Row> = rows.iter().filter(|row| !is_last(row)).cloned().collect();
        random.some(&others)
    }

    /// Something happens to a call: some of its rows land, or all and it is acknowledged, or it fails and nobody knows.
    pub(super) fn go_on(&mut self, which: usize, random: &mut Random, trace: &mut Trace) {
        match random.below(10) {
            0..5 if !self.is_down => self.acknowledge(which, trace),
            5..7 => {
                let some = self.some(&self.calls[which].rows, random);
                trace.line(format!("store: {} of a write of node {} land", some.len(), self.calls[which].node));
                self.land(&some, trace);
            }
            7 => self.fail(which, random, trace),
            _ if self.is_down => self.fail(which, random, trace),
            _ => {}
        }
    }

    pub(super) fn acknowledge(&mut self, which: usize, trace: &mut Trace) {
        let call = self.calls.remove(which);
        trace.line(format!("store: {} rows of node {} acknowledged", call.rows.len(), call.node));
        self.land(&call.rows, trace);
        drop(call.reply.send(Ok(())));
    }

    fn fail(&mut self, which: usize, random: &mut Random, trace: &mut Trace) {
        let call = self.calls.remove(which);
        trace.line(format!("store: a write of node {} fails", call.node));
        self.give_up(&call.rows, random, trace);
        drop(call.reply.send(Err(unavailable())));
    }

    /// Some are in already, some come late, some never.
    fn give_up(&mut self, rows: &[Row], random: &mut Random, trace: &mut Trace) {
        let now = self.some(rows, random);
        self.land(&now, trace);
        if random.percent(70) {
            let late = if random.percent(50) { rows.to_vec() } else { self.some(rows, random) };
            self.late.push(late);
        }
    }

    /// The client of these calls is dead.
    pub(super) fn abandon(&mut self, node: usize, random: &mut Random, trace: &mut Trace) {
        while let Some(which) = self.calls.iter().position(|call| call.node == node) {
            let call = self.calls.remove(which);
            self.give_up(&call.rows, random, trace);
        }
    }

    pub(super) fn land_late(&mut self, random: &mut Random, trace: &mut Trace) {
        let rows = self.late.remove(random.below(self.late.len()));
        trace.line(format!("store: {} rows land late", rows.len()));
        self.land(&rows, trace);
    }
}

#[derive(Clone)]
pub(super) struct SimStore {
    pub(super) world: World,
    pub(super) node: usize,
}

impl Store for SimStore {
    async fn setup(&self, _tables: &[Table]) -> Result<(), Error> {
        Ok(())
    }

    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, Error> {
        let shared = self.world.lock();
        if shared.rows.is_down {
            return Err(unavailable());
        }
        let live = |key: &Key| shared.rows.stored.get(&row_key(key)).filter(|row| row.value.is_some()).cloned();
        Ok(keys.iter().map(live).collect())
    }

    async fn scan(&self, _range: &Range) -> Result<Vec<Row>, Error> {
        unreachable!("a worker scans nothing")
    }

    async fn write(&self, mut rows: Vec<Row>) -> Result<(), Error> {
        // Hash maps give them in an order of their own.
        rows.sort_by_cached_key(|row| row_key(&row.key));
        let (reply, answer) = oneshot::channel();
        {
            let shared: &mut Shared = &mut self.world.lock();
            shared.trace.line(format!("node {} writes {} rows", self.node, rows.len()));
            shared.rows.calls.push(Call { node: self.node, rows, reply });
        }
        answer.await.unwrap_or_else(|_| Err(unavailable()))
    }

    async fn swap(&self, _key: &Key, _from: Option<&[u8]>, _to: &[u8]) -> Result<Swap, Error> {
        unreachable!("a worker switches nothing")
    }

    async fn health(&self) -> Health {
        Health { reachable: true, latency_us: 0, detail: String::new() }
    }
}
