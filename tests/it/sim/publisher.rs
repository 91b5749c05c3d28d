//! The ends of the brokers that a worker holds: a source in the group, and a publisher with transactions.

use tokio::sync::oneshot;
use tributary::append::{Appended, Error, Outgoing, Sink};
use tributary::consume::{self, Batch, Bounds, Limits, Polled, Record, Source, Topic};
use tributary::ids::{Next, Offset, Partition};
use tributary::publish::Publish;

use super::bugs::Engine;
use super::group::Member;
use super::shared::World;

/// Outputs on their way to the producer.
pub(super) struct Job {
    pub(super) owner: Member,
    pub(super) from: Partition,
    pub(super) outputs: Vec<Outgoing>,
    pub(super) position: Next,
    reply: oneshot::Sender<Result<(), Error>>,
}

impl Job {
    pub(super) fn answer(self, outcome: Result<(), Error>) {
        drop(self.reply.send(outcome));
    }

    pub(super) fn answer_unknown(self) {
        self.answer(Err(Error::Unknown { what: "simulated".to_owned() }));
    }
}

#[derive(Clone)]
pub(super) struct SimPublisher {
    pub(super) world: World,
    pub(super) node: usize,
}

impl Sink for SimPublisher {
    /// Without a transaction, at once.
    async fn append(&self, records: Vec<Outgoing>) -> Result<Vec<Appended>, Error> {
        self.world.lock().broker.send(None, &records);
        Ok(records.iter().map(|it| Appended { partition: it.partition, offset: Offset(0) }).collect())
    }
}

impl Publish for SimPublisher {
    type Member = Member;

    async fn emit(&self, owner: &Member, from: Partition, outputs: Vec<Outgoing>, position: Next) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        let job = Job { owner: *owner, from, outputs, position, reply };
        self.world.lock().broker.clients[self.node].jobs.push_back(job);
        answer.await.unwrap_or(Err(Error::Closed))
    }
}

pub(super) struct SimSource {
    pub(super) world: World,
    pub(super) node: usize,
    pub(super) topic: Topic,
}

impl SimSource {
    fn down(&self) -> consume::Error {
        consume::Error::Unavailable { topic: self.topic.name.clone(), what: "outage".to_owned() }
    }
}

impl Source for SimSource {
    type Member = Member;

    fn topic(&self) -> &Topic {
        &self.topic
    }

    fn member(&self) -> Member {
        self.world.lock().broker.clients[self.node].member
    }

    fn poll(&mut self, limits: &Limits, into: &mut Batch) -> Result<Polled, consume::Error> {
        into.clear();
        let shared = &mut *self.world.lock();
        let broker = &mut shared.broker;
        let client = &mut broker.clients[self.node];
        broker.group.answer(client);
        if let Some(told) = client.change() {
            shared.trace.line(format!("node {} is told {told:?}", self.node));
            return Ok(told);
        }
        if broker.is_down {
            return Ok(Polled::Records);
        }
        let most = limits.records_max.min(client.records_max);
        for (partition, next) in &mut client.ours {
            let Some(next) = next else { continue };
            let count = broker.appended[partition.0 as usize];
            let entries = &broker.programme.truth(*partition).entries[..count];
            let from = entries.partition_point(|entry| entry.offset.next() <= *next);
            for entry in entries[from..].iter().take(most.saturating_sub(into.len())) {
                let (offset, timestamp) = (entry.offset, entry.timestamp);
                into.push(Record { partition: *partition, offset, timestamp, key: &entry.key, value: &entry.value });
                *next = offset.next();
            }
        }
        if !into.is_empty() {
            shared.trace.line(format!("node {} reads {} records", self.node, into.len()));
        }
        Ok(Polled::Records)
    }

    fn seek(&mut self, partition: Partition, to: Next) -> Result<(), consume::Error> {
        let shared = &mut *self.world.lock();
        shared.trace.line(format!("node {} begins p{} at {}", self.node, partition.0, to.0));
        if let Some(next) = shared.broker.clients[self.node].ours.get_mut(&partition) {
            *next = Some(to);
        }
        Ok(())
    }

    fn bounds(&mut self, partition: Partition) -> Result<Bounds, consume::Error> {
        let shared = self.world.lock();
        if shared.broker.is_down {
            return Err(self.down());
        }
        Ok(Bounds { start: Next(0), end: shared.broker.end(partition) })
    }

    fn committed(&mut self, partition: Partition) -> Result<Option<Next>, consume::Error> {
        let shared = &mut *self.world.lock();
        let broker = &mut shared.broker;
        let is_stable = broker.bug == Some(Engine::UnstableE) || !broker.is_unstable(partition);
        if broker.is_down || !is_stable {
            return Err(self.down());
        }
        let early = broker.clients[self.node].early.remove(&partition);
        if early.is_some() && broker.bug == Some(Engine::EBeforeJoin) {
            return Ok(early);
        }
        Ok(broker.committed.get(&partition).copied())
    }
}
