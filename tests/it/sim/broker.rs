//! The brokers: records as far as they are appended, the group of readers, transactions and their outputs.

use std::collections::BTreeMap;

use tributary::append::{Error, Outgoing};
use tributary::consume::{Stream, Topic};
use tributary::ids::{Next, Partition};

use super::bugs::Engine;
use super::group::{Client, Group};
use super::programme::{Output, PARTITIONS, Programme};
use super::publisher::Job;
use super::random::Random;
use super::trace::Trace;

pub(super) struct Broker {
    pub(super) programme: &'static Programme,
    pub(super) topic: Topic,
    /// Records that are in the log by now.
    pub(super) appended: Vec<usize>,
    /// E.
    pub(super) committed: BTreeMap<Partition, Next>,
    pub(super) group: Group,
    /// By node.
    pub(super) clients: Vec<Client>,
    pub(super) transactions: Vec<Transaction>,
    /// In the order in which they were sent, as topics are.
    outputs: Vec<Sent>,
    numbered: u64,
    pub(super) is_down: bool,
    pub(super) bug: Option<Engine>,
}

/// An output in its topic: readers see it once its transaction is committed.
struct Sent {
    /// None: it was sent without one.
    transaction: Option<u64>,
    is_committed: bool,
    partition: Partition,
    stream: Stream,
    output: Output,
}

/// Open, or on its way to an end.
pub(super) struct Transaction {
    pub(super) number: u64,
    pub(super) node: usize,
    /// The positions that it moves, once they are added: E is not stable until it ends.
    pub(super) offsets: Vec<(Partition, Next)>,
    /// The coordinator has written down that it commits.
    pub(super) is_prepared: bool,
    /// Who waits for it; none when its producer is gone.
    pub(super) jobs: Vec<Job>,
}

impl Broker {
    pub(super) fn new(programme: &'static Programme, nodes: usize, bug: Option<Engine>) -> Self {
        let topic = Topic { name: Stream::Events.name().to_owned(), id: [7; 16], partitions: PARTITIONS };
        Self {
            programme,
            topic,
            appended: vec![0; PARTITIONS as usize],
            committed: BTreeMap::new(),
            group: Group::default(),
            clients: (0..nodes).map(|_| Client::default()).collect(),
            transactions: Vec::new(),
            outputs: Vec::new(),
            numbered: 0,
            is_down: false,
            bug,
        }
    }

    pub(super) fn end(&self, partition: Partition) -> Next {
        let count = self.appended[partition.0 as usize];
        let last = count.checked_sub(1).map(|last| &self.programme.truth(partition).entries[last]);
        last.map_or(Next(0), |entry| entry.offset.next())
    }

    /// A transaction that moves E of the partition has not ended.
    pub(super) fn is_unstable(&self, partition: Partition) -> bool {
        self.transactions.iter().any(|it| it.offsets.iter().any(|(moved, _)| *moved == partition))
    }

    pub(super) fn e(&self, partition: Partition) -> Next {
        self.committed.get(&partition).copied().unwrap_or_default()
    }

    pub(super) fn send(&mut self, transaction: Option<u64>, outputs: &[Outgoing]) {
        for outgoing in outputs {
            let output = Output { key: outgoing.key.clone(), value: outgoing.value.clone() };
            let (partition, stream, is_committed) = (outgoing.partition, outgoing.stream, transaction.is_none());
            self.outputs.push(Sent { transaction, is_committed, partition, stream, output });
        }
    }

    /// As a reader of committed records finds them.
    pub(super) fn read(&self, stream: &str, partition: Partition) -> Vec<&Output> {
        let of = self.outputs.iter().filter(|it| it.is_committed && it.partition == partition);
        of.filter(|it| it.stream.name() == stream).map(|it| &it.output).collect()
    }

    pub(super) fn is_producing(&self, node: usize) -> bool {
        !self.clients[node].jobs.is_empty() || self.transactions.iter().any(|it| it.node == node && !it.jobs.is_empty())
    }

    /// The next step of the producer of a node, as far as it has something to do.
    pub(super) fn produce(&mut self, node: usize, random: &mut Random, trace: &mut Trace, is_calm: bool) {
        let open = self.transactions.iter().position(|it| it.node == node && !it.jobs.is_empty());
        match open {
            None => self.begin(node, random, trace),
            Some(which) if self.is_down => self.unknown(which, random, trace),
            Some(which) if self.transactions[which].offsets.is_empty() => self.add_offsets(which, random, trace),
            Some(which) => self.finish(which, random, trace, is_calm),
        }
    }

    /// Takes what waits, and sends its outputs.
    fn begin(&mut self, node: usize, random: &mut Random, trace: &mut Trace) {
        let Some(first) = self.clients[node].jobs.pop_front() else { return };
        let mut jobs = vec![first];
        if let Some(second) = self.clients[node].jobs.front()
            && second.owner == jobs[0].owner
            && second.from != jobs[0].from
            && random.percent(70)
        {
            jobs.extend(self.clients[node].jobs.pop_front());
        }
        let mut good = Vec::new();
        for job in jobs {
            match self.check(&job) {
                Ok(()) => good.push(job),
                Err(error) => {
                    trace.line(format!("node {node}: outputs of p{} refused: {error}", job.from.0));
                    job.answer(Err(error));
                }
            }
        }
        if good.is_empty() {
            return;
        }
        self.numbered += 1;
        let number = self.numbered;
        for job in &good {
            trace.line(format!(
                "node {node}: transaction {number}: {} outputs of p{} to {}",
                job.outputs.len(),
                job.from.0,
                job.position.0
            ));
            self.send(Some(number), &job.outputs);
        }
        self.transactions.push(Transaction { number, node, offsets: Vec::new(), is_prepared: false, jobs: good });
    }

    fn check(&self, job: &Job) -> Result<(), Error> {
        if job.owner.is_nobody() || self.is_down || (self.is_unstable(job.from) && self.bug != Some(Engine::UnstableE))
        {
            return Err(Error::Unknown { what: "not a member, or no answer".to_owned() });
        }
        let (partition, committed, wanted) = (job.from, self.e(job.from), job.position);
        if wanted < committed { Err(Error::Backwards { partition, committed, wanted }) } else { Ok(()) }
    }

    /// The group's check: who asks must be a member of the present generation. It knows nothing of partitions.
    fn add_offsets(&mut self, which: usize, random: &mut Random, trace: &mut Trace) {
        let transaction = &mut self.transactions[which];
        let owner = transaction.jobs[0].owner;
        if self.group.is_current(owner) {
            transaction.offsets = transaction.jobs.iter().map(|job| (job.from, job.position)).collect();
            trace.line(format!("transaction {}: offsets added", transaction.number));
        } else {
            trace.line(format!("transaction {}: fenced", transaction.number));
            self.unknown(which, random, trace);
        }
    }

    fn finish(&mut self, which: usize, random: &mut Random, trace: &mut Trace, is_calm: bool) {
        let chance = if is_calm { 0 } else { random.below(100) };
        match chance {
            0..70 => {
                for job in std::mem::take(&mut self.transactions[which].jobs) {
                    job.answer(Ok(()));
                }
                self.end_transaction(which, true, trace);
            }
            70..80 => {
                let jobs = std::mem::take(&mut self.transactions[which].jobs);
                self.end_transaction(which, false, trace);
                jobs.into_iter().for_each(Job::answer_unknown);
            }
            _ => {
                self.transactions[which].is_prepared = random.percent(60);
                self.unknown(which, random, trace);
            }
        }
    }

    /// The producer does not know, and is thrown away; the next one may resolve what it left at once.
    fn unknown(&mut self, which: usize, random: &mut Random, trace: &mut Trace) {
        let jobs = std::mem::take(&mut self.transactions[which].jobs);
        trace.line(format!("transaction {}: unknown to its producer", self.transactions[which].number));
        if !self.is_down && random.percent(50) {
            self.resolve(which, trace);
        }
        jobs.into_iter().for_each(Job::answer_unknown);
    }

    /// What was left open: completed if its commit was written down, else aborted.
    pub(super) fn resolve(&mut self, which: usize, trace: &mut Trace) {
        let commits = self.transactions[which].is_prepared;
        if commits {
            trace.line(format!("transaction {}: what was left open is committed", self.transactions[which].number));
        }
        self.end_transaction(which, commits, trace);
    }

    fn end_transaction(&mut self, which: usize, commits: bool, trace: &mut Trace) {
        let Transaction { number, offsets, jobs, .. } = self.transactions.remove(which);
        trace.line(format!("transaction {number}: {}", if commits { "committed" } else { "aborted" }));
        if commits {
            for (partition, _) in &offsets {
                if self.clients.iter().any(|client| client.hands_over(*partition)) {
                    trace.line(format!("p{} moves on while it is handed over", partition.0));
                }
            }
            self.committed.extend(offsets);
            self.outputs.iter_mut().filter(|it| it.transaction == Some(number)).for_each(|it| it.is_committed = true);
        }
        jobs.into_iter().for_each(Job::answer_unknown);
    }

    /// Transactions whose producer is gone; of a silent one they time out.
    pub(super) fn left_open(&self, is_silent: &[bool]) -> Vec<usize> {
        let is_left = |it: &Transaction| it.jobs.is_empty() || is_silent[it.node];
        (0..self.transactions.len()).filter(|which| is_left(&self.transactions[*which])).collect()
    }

    /// The process of a node has ended.
    pub(super) fn abandon(&mut self, node: usize) {
        for transaction in self.transactions.iter_mut().filter(|it| it.node == node) {
            transaction.jobs.clear();
        }
        self.clients[node] = Client::default();
    }
}
