//! Events of a topic that is not the log, brought into it.
//!
//! Promise: at least once. Where the group goes on is committed when everything before it is in the log: the events
//! acknowledged there, the rest as dead letters. What comes twice counts once, by its event id.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;

use super::engine::Log;
use super::{Engines, Error, Options, secret};
use crate::append::{Outgoing, Sink, relay};
use crate::clock::Clock;
use crate::consume::kafka::{Foreign, Settings};
use crate::consume::{self, Batch, Limits};
use crate::telemetry::with_causes;
use crate::tokens::Keys;
use crate::worker::Schemas;

/// Read, appended and committed together.
const BATCH: Limits = Limits { records_max: 4_096, bytes_max: 4 << 20, wait_max: Duration::from_millis(100) };
/// Between two tries of a log that does not take records: twice as long each time, up to the second.
const AGAIN_MIN: Duration = Duration::from_millis(200);
const AGAIN_MAX: Duration = Duration::from_secs(5);
/// How often it says how far it is.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// Where from, and until when.
#[derive(Debug, Clone)]
pub struct From {
    pub topic: String,
    /// Its own, or those of the log.
    pub brokers: Option<String>,
    pub group: String,
    /// End at the end of what is there, instead of waiting for more.
    pub once: bool,
}

/// What was done so far, and whether to go on. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    pub stop: Arc<AtomicBool>,
    pub relayed: Arc<AtomicU64>,
    pub dead: Arc<AtomicU64>,
}

/// Why it cannot be relayed.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error(
        "a relay writes to a log in Kafka: set `kafka.brokers`; into a data folder events come by `tributary import` and POST /v1/events"
    )]
    Embedded,
    #[error("{topic} is a topic of this log itself: relayed, its records would come again and again")]
    Itself { topic: String },
    #[error("there is no topic {topic} at {brokers} to relay from")]
    NoTopic { topic: String, brokers: String },
    #[error(transparent)]
    Run(#[from] Error),
}

/// A topic, and the log that its events go to.
pub struct Relay<K> {
    source: Foreign,
    sink: K,
    schemas: Schemas,
    partitions: u32,
    once: bool,
    clock: Clock,
    tokens: Option<Arc<Keys>>,
}

impl Relay<super::Sink> {
    /// Looks at both, and joins the group. It waits for answers.
    pub async fn open(engines: Engines, options: &Options, from: From, clock: Clock) -> Result<Self, Refused> {
        let settings = match &engines {
            Engines::Embedded => return Err(Refused::Embedded),
            Engines::Kafka(kafka) => (**kafka).clone(),
            Engines::Cluster(both) => both.0.clone(),
        };
        let log = Log::of(engines, options).await?;
        let sink = log.sink()?;
        Self::between(&settings, &log, sink, options, from, clock).await
    }
}

impl<K: Sink> Relay<K> {
    /// The same with a way into the log of one's own.
    pub async fn between(
        settings: &Settings,
        log: &Log,
        sink: K,
        options: &Options,
        from: From,
        clock: Clock,
    ) -> Result<Self, Refused> {
        let mut theirs = settings.clone();
        let is_elsewhere = from.brokers.as_ref().is_some_and(|brokers| *brokers != theirs.brokers);
        if let Some(brokers) = &from.brokers {
            theirs.brokers.clone_from(brokers);
        }
        let is_ours = consume::Stream::ALL.iter().any(|stream| settings.topic(*stream) == from.topic);
        if is_ours && !is_elsewhere {
            return Err(Refused::Itself { topic: from.topic });
        }
        let joined = tokio::task::spawn_blocking(move || Foreign::join(&theirs, &from.topic, &from.group)).await;
        let source = match joined.map_err(|_| Error::Panicked)? {
            Err(consume::Error::NoTopic { topic, brokers }) => return Err(Refused::NoTopic { topic, brokers }),
            joined => joined.map_err(Error::from)?,
        };
        // The same brokers may have other names.
        if source.topic().id == log.topic().id {
            return Err(Refused::Itself { topic: source.topic().name.clone() });
        }
        let schemas = Schemas::new(options.registry.clone(), clock.clone());
        let tokens = secret::keys(options, false).map_err(Error::from)?;
        Ok(Self { source, sink, schemas, partitions: log.topic().partitions, once: from.once, clock, tokens })
    }

    /// Goes on until it is told to stop, or, once, until the end. What was read by then is in the log and committed.
    pub async fn run(mut self, progress: Progress) -> Result<(), Error> {
        let runtime = Handle::current();
        let thread = tokio::task::spawn_blocking(move || self.carry(&progress, &runtime));
        thread.await.map_err(|_| Error::Panicked)?
    }

    fn carry(&mut self, progress: &Progress, runtime: &Handle) -> Result<(), Error> {
        let (mut batch, mut told) = (Batch::default(), self.clock.monotonic());
        while !progress.stop.load(Ordering::Acquire) {
            self.source.poll(&BATCH, &mut batch)?;
            if !batch.is_empty() && !runtime.block_on(self.bring(&batch, progress)) {
                // Told to stop before it was all in the log: it is read again.
                return Ok(());
            }
            if batch.is_empty() && self.once && self.source.is_at_end() {
                return Ok(());
            }
            let now = self.clock.monotonic();
            if now > told + TELL_EVERY {
                told = now;
                let (relayed, dead) = (progress.relayed.load(Ordering::Relaxed), progress.dead.load(Ordering::Relaxed));
                tracing::info!(topic = self.source.topic().name, relayed, dead, "relayed so far");
            }
        }
        Ok(())
    }

    /// Into the log, then committed. `false`: told to stop before.
    async fn bring(&mut self, batch: &Batch, progress: &Progress) -> bool {
        let stop = Arc::clone(&progress.stop);
        if !self.schemas.learn(batch, || !stop.load(Ordering::Acquire)).await {
            return false;
        }
        let (records, dead) = self.place(batch);
        let mut again = AGAIN_MIN;
        while let Err(error) = self.sink.append(records.clone()).await {
            tracing::warn!(error = %with_causes(&error), "the log takes no records, trying again");
            if progress.stop.load(Ordering::Acquire) {
                return false;
            }
            tokio::time::sleep(again).await;
            again = (again * 2).min(AGAIN_MAX);
        }
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        progress.relayed.fetch_add(count(records.len() - dead), Ordering::Relaxed);
        progress.dead.fetch_add(count(dead), Ordering::Relaxed);
        if let Err(error) = self.source.commit(batch) {
            // The partition went to another, or the brokers do not answer: the records may come again.
            tracing::warn!(error = %error, "what is done is not committed");
        }
        true
    }

    /// In the order of the batch; and how many are dead letters.
    fn place(&self, batch: &Batch) -> (Vec<Outgoing>, usize) {
        let topic = &self.source.topic().name;
        let (mut records, mut dead) = (Vec::with_capacity(batch.len()), 0);
        for record in batch.iter() {
            let placed = relay::place(self.schemas.decoder(), &record, topic, self.partitions, self.tokens.as_deref());
            records.push(placed.unwrap_or_else(|refusal| {
                dead += 1;
                relay::letter(&record, topic, &refusal, self.partitions)
            }));
        }
        (records, dead)
    }
}
