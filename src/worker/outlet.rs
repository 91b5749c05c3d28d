//! The ways out of a task: rows to the store, outputs and E to the log. One of each in flight, tried until acknowledged.

use std::sync::mpsc::Sender;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::append::{self, Outgoing, Sink};
use crate::clock::Clock;
use crate::ids::{Next, Partition};
use crate::project::key::Row;
use crate::publish::Publish;
use crate::store::{self, Store};
use crate::telemetry::{self, Progress};

use super::seeded::{Bug, Seeded};

/// Shortest and longest wait between two tries.
const RETRY_MIN: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(5);

/// Rows to write; everything touched below `to` is among them.
#[derive(Debug)]
pub(super) struct Flush {
    pub(super) rows: Vec<Row>,
    pub(super) fast: Next,
    pub(super) slow: Next,
}

/// Outputs of the events below `position`, in the name of `owner`.
#[derive(Debug)]
pub(super) struct Emit<M> {
    pub(super) owner: M,
    pub(super) outputs: Vec<Outgoing>,
    pub(super) position: Next,
}

/// What became of it. `task` tells incarnations of a task apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ack {
    Flushed {
        partition: Partition,
        task: u64,
        fast: Next,
        slow: Next,
    },
    Emitted {
        partition: Partition,
        task: u64,
        position: Next,
    },
    /// Perhaps committed, perhaps not.
    EmitUnknown {
        partition: Partition,
        task: u64,
    },
}

impl Ack {
    pub(super) const fn partition(&self) -> Partition {
        match self {
            Self::Flushed { partition, .. } | Self::Emitted { partition, .. } | Self::EmitUnknown { partition, .. } => {
                *partition
            }
        }
    }

    pub(super) const fn task(&self) -> u64 {
        match self {
            Self::Flushed { task, .. } | Self::Emitted { task, .. } | Self::EmitUnknown { task, .. } => *task,
        }
    }
}

/// Whose outlet it is.
#[derive(Clone)]
pub(super) struct Owner {
    pub(super) partition: Partition,
    pub(super) task: u64,
    pub(super) acks: Sender<Ack>,
    pub(super) progress: Progress,
    pub(super) clock: Clock,
    pub(super) seeded: Seeded,
}

/// Ends when the task drops its sender.
pub(super) async fn flush_all<T: Store>(store: T, mut jobs: mpsc::Receiver<Flush>, owner: Owner) {
    while let Some(job) = jobs.recv().await {
        metrics::counter!(telemetry::ROWS_WRITTEN).increment(u64::try_from(job.rows.len()).unwrap_or_default());
        let (mut wait, started) = (RETRY_MIN, owner.clock.monotonic());
        while let Err(error) = write(&store, &job, &owner).await {
            metrics::counter!(telemetry::FLUSH_FAILURES).increment(1);
            owner.progress.set_struggling(true);
            tracing::warn!(partition = owner.partition.0, error = %error, "rows not written, trying again");
            if owner.seeded.has(Bug::WriteErrorIsAck) {
                break;
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(RETRY_MAX);
            if jobs.is_closed() {
                return;
            }
        }
        owner.progress.set_struggling(false);
        if let Some(progress) = owner.progress.of(owner.partition) {
            let rows = u64::try_from(job.rows.len()).unwrap_or_default();
            progress.rows_written.fetch_add(rows, std::sync::atomic::Ordering::Relaxed);
        }
        metrics::histogram!(telemetry::FLUSH_SECONDS).record(owner.clock.monotonic().saturating_sub(started));
        let ack = Ack::Flushed { partition: owner.partition, task: owner.task, fast: job.fast, slow: job.slow };
        if owner.acks.send(ack).is_err() {
            return;
        }
    }
}

/// Ends when the task drops its sender, or when an outcome is unknown.
pub(super) async fn emit_all<K: Sink + Publish>(publish: K, mut jobs: mpsc::Receiver<Emit<K::Member>>, owner: Owner) {
    while let Some(job) = jobs.recv().await {
        let mut wait = RETRY_MIN;
        let outcome = loop {
            match emit(&publish, &job, &owner).await {
                // A full disk has committed nothing: the same again is safe.
                Err(append::Error::Full { file }) if !jobs.is_closed() => {
                    owner.progress.set_struggling(true);
                    tracing::warn!(partition = owner.partition.0, file, "disk full, outputs wait");
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(RETRY_MAX);
                }
                Err(_) if owner.seeded.has(Bug::AmbiguousIsAbort) && !jobs.is_closed() => {
                    tokio::time::sleep(wait).await;
                }
                Err(_) if owner.seeded.has(Bug::AmbiguousIsCommit) => break Ok(()),
                outcome => break outcome,
            }
        };
        let (partition, task) = (owner.partition, owner.task);
        let ack = match &outcome {
            Ok(()) => Ack::Emitted { partition, task, position: job.position },
            Err(error) => {
                tracing::warn!(partition = partition.0, error = %error, "outputs perhaps not out, starting again");
                Ack::EmitUnknown { partition, task }
            }
        };
        owner.progress.set_struggling(outcome.is_err());
        if owner.acks.send(ack).is_err() || outcome.is_err() {
            return;
        }
    }
}

async fn write<T: Store>(store: &T, job: &Flush, owner: &Owner) -> Result<(), store::Error> {
    if owner.seeded.has(Bug::AppliedAhead) {
        store.write(job.rows.iter().rev().take(1).cloned().collect()).await?;
    }
    store.write(job.rows.clone()).await
}

async fn emit<K: Sink + Publish>(publish: &K, job: &Emit<K::Member>, owner: &Owner) -> Result<(), append::Error> {
    let mut outputs = job.outputs.clone();
    if owner.seeded.has(Bug::OutputsBesideE) && !outputs.is_empty() {
        publish.append(std::mem::take(&mut outputs)).await?;
    }
    publish.emit(&job.owner, owner.partition, outputs, job.position).await
}
