//! E: what the groups have committed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::asked::Asked;
use super::changes::Quiet;
use super::{Kafka, REQUEST_MAX, failed};
use crate::clock::Clock;
use crate::consume::{Error, Stream};
use crate::ids::{Next, Partition};

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(100);

/// Asks for the committed positions of any group, without being a member. Clones share their connections.
#[derive(Clone)]
pub struct Offsets {
    log: Kafka,
    /// By group.
    asked: Arc<Mutex<BTreeMap<String, Arc<Asked>>>>,
}

impl Offsets {
    pub fn new(log: Kafka) -> Self {
        Self { log, asked: Arc::default() }
    }

    /// The furthest that the groups of the generations have committed, pending transactions resolved.
    pub fn committed(&self, partition: Partition) -> Result<Option<Next>, Error> {
        let mut furthest = None;
        for generation in self.log.generations() {
            furthest = furthest.max(self.committed_of(generation, &[partition])?.into_iter().flatten().next());
        }
        Ok(furthest)
    }

    /// What the group of one generation has committed, in the order of `partitions`.
    pub fn committed_of(&self, generation: u32, partitions: &[Partition]) -> Result<Vec<Option<Next>>, Error> {
        let topic = self.log.name_of(Stream::Events);
        let mut wanted = TopicPartitionList::new();
        for partition in partitions {
            wanted.add_partition(&topic, number(*partition));
        }
        let committed = |client: &BaseConsumer<Quiet>| -> Result<Vec<Option<Next>>, KafkaError> {
            let answer = client.committed_offsets(wanted.clone(), REQUEST_MAX)?;
            let of = |partition: &Partition| {
                let Some(found) = answer.find_partition(&topic, number(*partition)) else { return Ok(None) };
                found.error()?;
                Ok(match found.offset() {
                    Offset::Offset(offset) => u64::try_from(offset).ok().map(Next),
                    Offset::Beginning | Offset::End | Offset::Stored | Offset::Invalid | Offset::OffsetTail(_) => None,
                })
            };
            partitions.iter().map(of).collect()
        };
        self.asked(generation)
            .ask(|client| once_it_has_begun(|| committed(client)).map_err(|error| failed(self.log.settings(), &error)))
    }

    fn asked(&self, generation: u32) -> Arc<Asked> {
        let settings = self.log.settings();
        let group = settings.group_of(generation);
        let mut config = settings.reader();
        config.set("group.id", &group);
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(asked.entry(group).or_insert_with(|| Arc::new(Asked::of(settings, config))))
    }
}

/// A group's coordinator that is only beginning is asked again, for as long as an answer may take.
fn once_it_has_begun<T>(ask: impl Fn() -> Result<T, KafkaError>) -> Result<T, KafkaError> {
    let clock = Clock::system();
    loop {
        match ask() {
            Err(error) if is_beginning(&error) && clock.monotonic() < REQUEST_MAX => thread::sleep(PAUSE),
            answer => return answer,
        }
    }
}

fn is_beginning(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::NotCoordinator
                | RDKafkaErrorCode::CoordinatorNotAvailable
                | RDKafkaErrorCode::CoordinatorLoadInProgress
        )
    )
}

/// As the library counts.
pub(crate) fn number(partition: Partition) -> i32 {
    i32::try_from(partition.0).unwrap_or(i32::MAX)
}
