//! Appending to the log in Kafka: one idempotent producer for all who wait, acknowledged by every replica in sync.
//!
//! The records of a call are in the log all, or after an error perhaps some of them: the same call again makes
//! duplicates that the fold knows by their ids. A producer that has failed for good is made anew.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::future_producer::{DeliveryFuture, OwnedDeliveryResult};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::{Appended, Error, Outgoing, Sink};
use crate::consume::kafka::{Kafka, Quiet, Settings, number};
use crate::ids::Offset;

/// Bytes of a record's key and value at most: what brokers take by default, less what they add.
pub const RECORD_BYTES_MAX: usize = 1_000_000;
/// Bytes that may wait for the brokers.
const WAITING_BYTES_MAX: u32 = 32 << 20;
/// After this a record counts as undelivered; the caller is told.
const DELIVERY_MAX: Duration = Duration::from_secs(30);
/// How long a full queue is waited for before it is tried again.
const QUEUE_WAIT: Duration = Duration::from_millis(5);

/// The door into the log. Clones share one producer, which is replaced for all of them.
#[derive(Clone)]
pub struct KafkaSink {
    producer: Arc<Mutex<FutureProducer<Quiet>>>,
    room: Arc<Semaphore>,
    log: Kafka,
}

impl KafkaSink {
    /// Connects when first used.
    pub fn new(log: Kafka) -> Result<Self, Error> {
        let producer = made(log.settings()).map_err(|error| engine(log.settings(), error))?;
        let room = usize::try_from(WAITING_BYTES_MAX).unwrap_or(Semaphore::MAX_PERMITS);
        Ok(Self { producer: Arc::new(Mutex::new(producer)), room: Arc::new(Semaphore::new(room)), log })
    }

    /// The log that it writes to.
    pub fn log(&self) -> &Kafka {
        &self.log
    }

    fn check(&self, records: &[Outgoing]) -> Result<usize, Error> {
        let partitions = self.log.topic().partitions;
        let mut sum = 0;
        for record in records {
            if record.partition.0 >= partitions {
                let file = self.log.name_of(record.stream);
                return Err(Error::NoPartition { file, partition: record.partition, partitions });
            }
            let bytes = record.key.len() + record.value.len();
            if bytes > RECORD_BYTES_MAX {
                return Err(Error::TooLarge { bytes, max: RECORD_BYTES_MAX });
            }
            sum += bytes;
        }
        Ok(sum)
    }

    /// Into the queue of the library, which is the only thing that is waited for here.
    async fn queue(
        &self,
        producer: &FutureProducer<Quiet>,
        record: &Outgoing,
        until: Instant,
    ) -> Result<DeliveryFuture, Error> {
        let topic = self.log.name_of(record.stream);
        let mut next = FutureRecord::to(&topic)
            .partition(number(record.partition))
            .key(&record.key[..])
            .payload(&record.value[..])
            .timestamp(record.timestamp.0.max(0));
        loop {
            match producer.send_result(next) {
                Ok(delivery) => return Ok(delivery),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) if Instant::now() < until => {
                    next = back;
                    tokio::time::sleep(QUEUE_WAIT).await;
                }
                Err((error, _)) => return Err(engine(self.log.settings(), error)),
            }
        }
    }

    async fn send(&self, records: &[Outgoing]) -> Result<Vec<Appended>, Error> {
        let until = Instant::now() + DELIVERY_MAX;
        let producer = self.producer().clone();
        let mut waiting = Vec::with_capacity(records.len());
        for record in records {
            waiting.push(self.queue(&producer, record, until).await?);
        }
        // The last who holds it waits for its end: that is not to be here.
        drop(producer);
        let mut places = Vec::with_capacity(records.len());
        for (record, delivery) in records.iter().zip(waiting) {
            // Cancelled: the producer is gone.
            places.push(self.place(record, delivery.await.map_err(|_| Error::Closed)?)?);
        }
        Ok(places)
    }

    fn producer(&self) -> MutexGuard<'_, FutureProducer<Quiet>> {
        self.producer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After some errors a producer sends nothing any more: then another takes its place.
    async fn renew(&self) {
        if self.producer().client().fatal_error().is_none() {
            return;
        }
        let sink = self.clone();
        // To make one and to let one go takes the library a while. Who waits for the former is told that it is gone.
        drop(tokio::task::spawn_blocking(move || drop(sink.replaced())).await);
    }

    /// The former; `None`: another call has replaced it already, or there is no other yet.
    fn replaced(&self) -> Option<FutureProducer<Quiet>> {
        let mut producer = self.producer();
        let (code, why) = producer.client().fatal_error()?;
        match made(self.log.settings()) {
            Ok(next) => {
                tracing::warn!(error = %code, why, "the producer sends nothing any more, made anew");
                Some(std::mem::replace(&mut *producer, next))
            }
            Err(error) => {
                tracing::warn!(error = %error, "no new producer yet");
                None
            }
        }
    }

    fn place(&self, record: &Outgoing, delivered: OwnedDeliveryResult) -> Result<Appended, Error> {
        let delivery = delivered.map_err(|(error, _)| engine(self.log.settings(), error))?;
        let offset = Offset(u64::try_from(delivery.offset).unwrap_or_default());
        Ok(Appended { partition: record.partition, offset })
    }
}

impl Sink for KafkaSink {
    async fn append(&self, records: Vec<Outgoing>) -> Result<Vec<Appended>, Error> {
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let bytes = self.check(&records)?;
        let permits = u32::try_from(bytes).unwrap_or(u32::MAX).clamp(1, WAITING_BYTES_MAX);
        let _room = self.room.acquire_many(permits).await.map_err(|_| Error::Closed)?;
        let sent = self.send(&records).await;
        if sent.is_err() {
            self.renew().await;
        }
        sent
    }
}

fn made(settings: &Settings) -> Result<FutureProducer<Quiet>, KafkaError> {
    let mut config = settings.client();
    config
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("linger.ms", "2")
        .set("compression.type", "lz4")
        .set("delivery.timeout.ms", DELIVERY_MAX.as_millis().to_string())
        .set("queue.buffering.max.kbytes", (WAITING_BYTES_MAX >> 9).to_string());
    config.create_with_context(Quiet)
}

/// The failure in the words of the seam.
fn engine(settings: &Settings, error: KafkaError) -> Error {
    Error::Engine { file: format!("at {}", settings.brokers), source: Box::new(error) }
}
