//! The log in Kafka: one topic a stream, partitions and offsets as they are there.
//!
//! Own offsets are the authority; what the group has committed is E. Nothing is guessed: a topic that is another one, or
//! has another number of partitions, or does not reach back to the position, is an error that says so.

mod asked;
mod changes;
mod describe;
mod ends;
mod foreign;
mod offsets;
mod owners;
mod pages;
pub mod settings;
pub mod setup;
mod source;
mod tail;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Error, Stream, Topic};
use crate::ids::Partition;
use rdkafka::admin::AdminClient;
use rdkafka::error::KafkaError;

use asked::Asked;
pub(crate) use changes::Quiet;
pub use ends::Ends;
pub use foreign::Foreign;
pub use offsets::Offsets;
pub(crate) use offsets::number;
pub use pages::Pages;
pub use settings::Settings;
pub use source::{KafkaSource, Member};

/// How long a request may take before it counts as unanswered.
pub(crate) const REQUEST_MAX: Duration = Duration::from_secs(5);

/// The log behind some brokers. Clones are the same.
#[derive(Clone)]
pub struct Kafka {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    topic: Topic,
    admin: AdminClient<Quiet>,
    /// For questions about groups. It is a member of nothing.
    asked: Asked,
    /// The generations of the projections that there are: each reads in a group of its own.
    generations: Mutex<Vec<u32>>,
}

impl Kafka {
    /// Looks at the topics; they must be there, with as many partitions as one another.
    pub fn open(settings: Settings) -> Result<Self, Error> {
        let admin = admin(&settings)?;
        let topic = describe::events(&admin, &settings)?;
        Ok(Self::of(settings, topic, admin))
    }

    /// Looks at nothing: `topic` is what a look has told before.
    pub fn known(settings: Settings, topic: Topic) -> Result<Self, Error> {
        let admin = admin(&settings)?;
        Ok(Self::of(settings, topic, admin))
    }

    fn of(settings: Settings, topic: Topic, admin: AdminClient<Quiet>) -> Self {
        let asked = Asked::of(&settings, settings.client());
        Self { inner: Arc::new(Inner { settings, topic, admin, asked, generations: Mutex::new(vec![1]) }) }
    }

    pub fn topic(&self) -> &Topic {
        &self.inner.topic
    }

    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The events as member `number` of those who fold `generation`.
    pub fn source(&self, generation: u32, number: u32) -> Result<KafkaSource, Error> {
        KafkaSource::join(self.clone(), generation, number)
    }

    /// The events of all partitions, outside of any group.
    pub fn reader(&self) -> Result<KafkaSource, Error> {
        KafkaSource::alone(self.clone())
    }

    /// The records of a stream, a stretch at a time.
    pub fn pages(&self, stream: Stream) -> Result<Pages, Error> {
        Pages::open(self.clone(), stream)
    }

    /// Who folds each partition of a generation now. It waits for an answer.
    pub fn owners(&self, generation: u32) -> Result<BTreeMap<Partition, String>, Error> {
        owners::of(self, generation)
    }

    /// The names of all in the group of a generation: who leaves and comes again has another.
    pub fn members(&self, generation: u32) -> Result<Option<BTreeSet<String>>, Error> {
        owners::members(self, generation)
    }

    /// Which generations there are: E is the furthest that any of their groups has committed.
    pub fn set_generations(&self, generations: Vec<u32>) {
        *self.inner.generations.lock().unwrap_or_else(PoisonError::into_inner) = generations;
    }

    pub(crate) fn generations(&self) -> Vec<u32> {
        self.inner.generations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the topic is the one that was opened, with as many partitions.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let was = &self.inner.topic;
        describe::events(&self.inner.admin, &self.inner.settings)?.check(was.id, was.partitions)
    }

    pub(crate) fn name_of(&self, stream: Stream) -> String {
        self.inner.settings.topic(stream)
    }
}

fn admin(settings: &Settings) -> Result<AdminClient<Quiet>, Error> {
    settings.client().create_with_context(Quiet).map_err(|error| failed(settings, &error))
}

fn failed(settings: &Settings, error: &KafkaError) -> Error {
    Error::Unavailable { topic: settings.topic(Stream::Events), what: error.to_string() }
}
