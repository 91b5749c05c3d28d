//! E: what the groups have committed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::changes::Quiet;
use super::{Kafka, REQUEST_MAX, failed};
use crate::consume::{Error, Stream};
use crate::ids::{Next, Partition};

/// Asks for the committed positions of any group, without being a member. Clones share their connections.
#[derive(Clone)]
pub struct Offsets {
    log: Kafka,
    /// By group.
    clients: Arc<Mutex<BTreeMap<String, Arc<BaseConsumer<Quiet>>>>>,
}

impl Offsets {
    pub fn new(log: Kafka) -> Self {
        Self { log, clients: Arc::default() }
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
        let mut asked = TopicPartitionList::new();
        for partition in partitions {
            asked.add_partition(&topic, number(*partition));
        }
        let client = self.client(generation)?;
        let answer =
            client.committed_offsets(asked, REQUEST_MAX).map_err(|error| failed(self.log.settings(), &error))?;
        let of = |partition: &Partition| {
            let found = answer.find_partition(&topic, number(*partition));
            let offset = found.map(|element| element.error().map(|()| element.offset()));
            match offset {
                Some(Ok(Offset::Offset(offset))) => Ok(u64::try_from(offset).ok().map(Next)),
                Some(Err(error)) => Err(failed(self.log.settings(), &error)),
                Some(Ok(
                    Offset::Beginning | Offset::End | Offset::Stored | Offset::Invalid | Offset::OffsetTail(_),
                ))
                | None => Ok(None),
            }
        };
        partitions.iter().map(of).collect()
    }

    fn client(&self, generation: u32) -> Result<Arc<BaseConsumer<Quiet>>, Error> {
        let settings = self.log.settings();
        let group = settings.group_of(generation);
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&group) {
            return Ok(Arc::clone(client));
        }
        let mut config = settings.reader();
        config.set("group.id", &group);
        let client = config.create_with_context(Quiet).map_err(|error| failed(settings, &error))?;
        let client = Arc::new(client);
        clients.insert(group, Arc::clone(&client));
        Ok(client)
    }
}

/// As the library counts.
pub(crate) fn number(partition: Partition) -> i32 {
    i32::try_from(partition.0).unwrap_or(i32::MAX)
}
