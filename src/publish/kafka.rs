//! The way out into Kafka: outputs, and E with them, in transactions by the group's own fence (KIP-447).
//!
//! A thread of its own for each worker has one producer with a transaction at a time, and puts what waits into it
//! together. Whatever goes wrong, the outcome counts as unknown: the producer is thrown away, and the next one, which
//! has the same name, resolves what the former left open; what is committed tells the rest.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::sync::{mpsc, oneshot};

use super::Publish;
use crate::append::kafka::KafkaSink;
use crate::append::{Appended, Error, Outgoing, Sink};
use crate::clock::Clock;
use crate::consume::kafka::{Kafka, Member, Offsets, Quiet, number};
use crate::disk::Joined;
use crate::ids::{Next, Partition};

/// Calls that may wait for the thread.
const JOBS_MAX: usize = 1_024;
/// Longest part of one transaction.
const STEP_MAX: Duration = Duration::from_secs(10);
/// The broker gives up a transaction that is open for so long: nobody reads beyond it until then.
const OPEN_MAX: &str = "10000";
/// Between two looks at what the library has to say. Its own waits take their whole time whatever comes, and spin through
/// the last millisecond of it.
const PAUSE: Duration = Duration::from_millis(1);

/// The door for one worker's outputs, and for what it appends else.
#[derive(Clone)]
pub struct KafkaPublisher {
    sink: KafkaSink,
    thread: Arc<Thread>,
}

struct Thread {
    jobs: mpsc::Sender<Job>,
    _thread: Joined,
}

struct Job {
    owner: Member,
    from: Partition,
    outputs: Vec<Outgoing>,
    position: Next,
    reply: oneshot::Sender<Result<(), Error>>,
}

impl KafkaPublisher {
    /// For worker `number` of those who fold `generation`.
    pub fn new(sink: KafkaSink, generation: u32, number: u32) -> Result<Self, Error> {
        let (jobs, queue) = mpsc::channel(JOBS_MAX);
        let log = sink.log().clone();
        let name = format!("{}-g{generation}-{number}", log.settings().transactional);
        let mut emitter = Emitter {
            offsets: Offsets::new(log.clone()),
            log,
            name,
            producer: None,
            owner: Member::default(),
            emitted: BTreeMap::new(),
        };
        let thread = Joined::spawn("emit", move || emitter.run(queue));
        let thread = thread.map_err(|source| Error::Engine { file: "in Kafka".to_owned(), source: source.into() })?;
        Ok(Self { sink, thread: Arc::new(Thread { jobs, _thread: thread }) })
    }
}

impl Sink for KafkaPublisher {
    async fn append(&self, records: Vec<Outgoing>) -> Result<Vec<Appended>, Error> {
        self.sink.append(records).await
    }
}

impl Publish for KafkaPublisher {
    type Member = Member;

    async fn emit(&self, owner: &Member, from: Partition, outputs: Vec<Outgoing>, position: Next) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        let job = Job { owner: owner.clone(), from, outputs, position, reply };
        self.thread.jobs.send(job).await.map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }
}

/// The thread's own.
struct Emitter {
    log: Kafka,
    offsets: Offsets,
    name: String,
    /// None until it is needed, and after a failure.
    producer: Option<BaseProducer<Quiet>>,
    /// In whose name the last transaction was, and E of each partition as known since then.
    owner: Member,
    emitted: BTreeMap<Partition, Next>,
}

impl Emitter {
    fn run(&mut self, mut queue: mpsc::Receiver<Job>) {
        let mut next = None;
        while let Some(first) = next.take().or_else(|| queue.blocking_recv()) {
            let mut jobs = vec![first];
            while let Ok(job) = queue.try_recv() {
                let goes_with = |other: &Job| other.owner.is(&job.owner) && other.from != job.from;
                if !jobs.iter().all(goes_with) {
                    next = Some(job);
                    break;
                }
                jobs.push(job);
            }
            self.emit(jobs);
        }
    }

    /// One transaction for all of them.
    fn emit(&mut self, jobs: Vec<Job>) {
        let Some(first) = jobs.first() else { return };
        if !self.owner.is(&first.owner) {
            self.owner = first.owner.clone();
            self.emitted.clear();
        }
        let mut good = Vec::new();
        for job in jobs {
            match self.check(&job) {
                Ok(()) => good.push(job),
                Err(error) => answer(job, Err(error)),
            }
        }
        if good.is_empty() {
            return;
        }
        match self.transact(&good) {
            Ok(()) => {
                for job in good {
                    self.emitted.insert(job.from, job.position);
                    answer(job, Ok(()));
                }
            }
            Err(error) => {
                self.emitted.clear();
                self.producer = None;
                // What is pending holds up everybody's reading until it is resolved: at once, if the brokers answer.
                if let Err(error) = self.producer() {
                    tracing::warn!(error = %error, "no new producer of outputs yet");
                }
                let what = error.to_string();
                for job in good {
                    answer(job, Err(Error::Unknown { what: what.clone() }));
                }
            }
        }
    }

    fn check(&mut self, job: &Job) -> Result<(), Error> {
        if job.owner.metadata().is_none() {
            return Err(Error::Unknown { what: "it is not a member of the group".to_owned() });
        }
        let committed = match self.emitted.get(&job.from) {
            Some(committed) => *committed,
            None => {
                let asked = self.offsets.committed(job.from);
                asked.map_err(|error| Error::Unknown { what: error.to_string() })?.unwrap_or_default()
            }
        };
        if job.position < committed {
            return Err(Error::Backwards { partition: job.from, committed, wanted: job.position });
        }
        Ok(())
    }

    fn transact(&mut self, jobs: &[Job]) -> Result<(), KafkaError> {
        let topic = self.log.topic().name.clone();
        let mut positions = TopicPartitionList::new();
        for job in jobs {
            let position = Offset::Offset(i64::try_from(job.position.0).unwrap_or(i64::MAX));
            positions.add_partition_offset(&topic, number(job.from), position)?;
        }
        let log = self.log.clone();
        let owner = self.owner.clone();
        let producer = self.producer()?;
        producer.begin_transaction()?;
        for output in jobs.iter().flat_map(|job| &job.outputs) {
            send(producer, &log, output)?;
        }
        let clock = Clock::system();
        let until = clock.monotonic() + STEP_MAX;
        while producer.in_flight_count() > 0 && clock.monotonic() < until {
            serve(producer);
        }
        if producer.in_flight_count() > 0 {
            // One that times out while offsets are being sent leaves that call of the library (2.12) without an answer
            // for ever, and with it all outputs of the worker.
            return Err(KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut));
        }
        if let Some(member) = owner.metadata() {
            producer.send_offsets_to_transaction(&positions, member, STEP_MAX)?;
        }
        producer.commit_transaction(STEP_MAX)
    }

    /// The producer, made if there is none; what the former one left open is resolved.
    fn producer(&mut self) -> Result<&BaseProducer<Quiet>, KafkaError> {
        let producer = match self.producer.take() {
            Some(producer) => producer,
            None => {
                let mut config = self.log.settings().client();
                config
                    .set("transactional.id", &self.name)
                    .set("transaction.timeout.ms", OPEN_MAX)
                    .set("compression.type", "lz4")
                    .set("linger.ms", "0");
                let producer: BaseProducer<Quiet> = config.create_with_context(Quiet)?;
                producer.init_transactions(STEP_MAX)?;
                producer
            }
        };
        Ok(self.producer.insert(producer))
    }
}

fn send(producer: &BaseProducer<Quiet>, log: &Kafka, output: &Outgoing) -> Result<(), KafkaError> {
    let topic = log.name_of(output.stream);
    let clock = Clock::system();
    let until = clock.monotonic() + STEP_MAX;
    let mut record = BaseRecord::to(&topic)
        .partition(number(output.partition))
        .key(&output.key[..])
        .payload(&output.value[..])
        .timestamp(output.timestamp.0.max(0));
    loop {
        match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) if clock.monotonic() < until => {
                record = back;
                serve(producer);
            }
            Err((error, _)) => return Err(error),
        }
    }
}

/// Takes what the library has to say, and gives it time.
fn serve(producer: &BaseProducer<Quiet>) {
    producer.poll(Duration::ZERO);
    thread::sleep(PAUSE);
}

fn answer(job: Job, outcome: Result<(), Error>) {
    // Who asked may be gone: its partition went to another.
    drop(job.reply.send(outcome));
}
