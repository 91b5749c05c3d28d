//! The ends of the log, for whoever wants them often: asked on a thread of their own, and kept.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::asked::Asked;
use super::offsets::number;
use super::{Kafka, REQUEST_MAX, failed};
use crate::consume::{Bounds, Error, Stream};
use crate::disk::Joined;
use crate::ids::{Next, Partition};

/// How often they are asked.
const EVERY: Duration = Duration::from_millis(200);
/// How often metadata is asked for anew, so that a partition without a leader is not asked after all the time.
const TRIES_MAX: u32 = 3;

/// The newest known ends. Clones are the same; the thread ends with the last of them.
#[derive(Clone)]
pub struct Ends {
    shared: Arc<Shared>,
    _thread: Arc<Stopping>,
}

struct Shared {
    known: Mutex<Result<Vec<Bounds>, String>>,
    is_over: AtomicBool,
    woken: Condvar,
}

struct Stopping {
    shared: Arc<Shared>,
    _thread: Joined,
}

impl Drop for Stopping {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        self.shared.woken.notify_all();
    }
}

impl Ends {
    /// Asks once, then again and again.
    pub fn follow(log: &Kafka) -> Result<Self, Error> {
        let asked = Asked::of(log.settings(), log.settings().reader());
        let known = ask(&asked, log).map_err(|error| error.to_string());
        let shared =
            Arc::new(Shared { known: Mutex::new(known), is_over: AtomicBool::new(false), woken: Condvar::new() });
        let (known, log) = (Arc::clone(&shared), log.clone());
        let thread = Joined::spawn("ends", move || known.run(&asked, &log));
        let thread = thread.map_err(|error| Error::Engine { file: "in Kafka".to_owned(), source: error.into() })?;
        let thread = Stopping { shared: Arc::clone(&shared), _thread: thread };
        Ok(Self { shared, _thread: Arc::new(thread) })
    }

    /// By partition; or why they are not known.
    pub fn known(&self) -> Result<Vec<Bounds>, String> {
        self.shared.known().clone()
    }

    /// The end of one partition, as last known.
    pub fn end(&self, partition: Partition) -> Option<Next> {
        let known = self.shared.known();
        Some(known.as_ref().ok()?.get(usize::try_from(partition.0).ok()?)?.end)
    }
}

impl Shared {
    fn run(&self, asked: &Asked, log: &Kafka) {
        while !self.is_over.load(Ordering::Acquire) {
            let known = ask(asked, log).map_err(|error| error.to_string());
            let mut guard = self.known();
            *guard = known;
            drop(self.woken.wait_timeout(guard, EVERY));
        }
    }

    fn known(&self) -> MutexGuard<'_, Result<Vec<Bounds>, String>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ask(asked: &Asked, log: &Kafka) -> Result<Vec<Bounds>, Error> {
    asked.ask(|client| (0..log.topic().partitions).map(|p| bounds(client, log, Partition(p))).collect())
}

/// The readable range of a partition of the events.
pub(super) fn bounds<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    log: &Kafka,
    partition: Partition,
) -> Result<Bounds, Error> {
    bounds_of(client, log, Stream::Events, partition)
}

/// The readable range of a partition of a stream.
pub(super) fn bounds_of<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    log: &Kafka,
    stream: Stream,
    partition: Partition,
) -> Result<Bounds, Error> {
    let (topic, failed) = (log.name_of(stream), |error| failed(log.settings(), &error));
    let mut tries = 0;
    let answer = loop {
        match client.fetch_watermarks(&topic, number(partition), REQUEST_MAX) {
            // What was heard once, while nobody led the partition, the library takes for true until it hears otherwise.
            Err(KafkaError::MetadataFetch(
                RDKafkaErrorCode::UnknownPartition | RDKafkaErrorCode::NotLeaderForPartition,
            )) if tries < TRIES_MAX => {
                tries += 1;
                client.fetch_metadata(Some(&topic), REQUEST_MAX).map_err(failed)?;
            }
            answer => break answer,
        }
    };
    let (start, end) = answer.map_err(failed)?;
    let next = |offset: i64| Next(u64::try_from(offset).unwrap_or_default());
    Ok(Bounds { start: next(start), end: next(end) })
}
