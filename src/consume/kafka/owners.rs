//! Who has which partition, as the group's coordinator says.

use std::collections::{BTreeMap, BTreeSet};

use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::groups::GroupList;

use super::{Kafka, REQUEST_MAX, failed};
use crate::consume::Error;
use crate::ids::Partition;

/// Each partition's owner in the group of those who fold `generation`: its host, and its name in the group.
pub(super) fn of(log: &Kafka, generation: u32) -> Result<BTreeMap<Partition, String>, Error> {
    let groups = match log.in_group(generation) {
        // A group that nobody was in, or one whose coordinator is only beginning: nobody has anything yet.
        Err(error) if is_beginning(&error) => return Ok(BTreeMap::new()),
        answer => answer.map_err(|error| failed(log.settings(), &error))?,
    };
    let mut owners = BTreeMap::new();
    for member in groups.groups().iter().flat_map(|group| group.members()) {
        let owner = format!("{} {}", member.client_host().trim_start_matches('/'), member.id());
        let assigned = member.assignment().and_then(|bytes| partitions(bytes, &log.topic().name)).unwrap_or_default();
        owners.extend(assigned.into_iter().map(|partition| (partition, owner.clone())));
    }
    Ok(owners)
}

/// The names of all its members; `None`: no broker knows the group, which may also be because its coordinator is only
/// beginning.
pub(super) fn members(log: &Kafka, generation: u32) -> Result<Option<BTreeSet<String>>, Error> {
    let settings = log.settings();
    let groups = match log.in_group(generation) {
        Err(error) if is_beginning(&error) => return Ok(None),
        answer => answer.map_err(|error| failed(settings, &error))?,
    };
    let group = groups.groups().iter().find(|group| group.name() == settings.group_of(generation));
    // A coordinator that is only beginning tells no state either.
    let group = group.filter(|group| !group.state().is_empty());
    Ok(group.map(|group| group.members().iter().map(|member| member.id().to_owned()).collect()))
}

const fn is_beginning(error: &KafkaError) -> bool {
    matches!(
        error,
        KafkaError::MetadataFetch(
            RDKafkaErrorCode::NotCoordinator
                | RDKafkaErrorCode::CoordinatorNotAvailable
                | RDKafkaErrorCode::CoordinatorLoadInProgress,
        )
    )
}

impl Kafka {
    fn in_group(&self, generation: u32) -> Result<GroupList, KafkaError> {
        self.asking()?.fetch_group_list(Some(&self.settings().group_of(generation)), REQUEST_MAX)
    }
}

/// What a member's assignment (`ConsumerProtocolAssignment`) has of a topic: a version, then topics, each a text and its
/// partitions.
fn partitions(bytes: &[u8], topic: &str) -> Option<Vec<Partition>> {
    let mut rest = Rest(bytes);
    rest.take::<2>()?;
    let mut found = Vec::new();
    for _ in 0..rest.count()? {
        let name = rest.text()?;
        for _ in 0..rest.count()? {
            let partition = Partition(u32::from_be_bytes(rest.take()?));
            if name == topic.as_bytes() {
                found.push(partition);
            }
        }
    }
    Some(found)
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    fn count(&mut self) -> Option<u32> {
        self.take().map(u32::from_be_bytes)
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let len = usize::from(u16::from_be_bytes(self.take()?));
        let (text, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::partitions;
    use crate::ids::Partition;

    #[test]
    fn an_assignment_is_read_and_a_cut_one_is_none() {
        let bytes = [
            &[0, 1, 0, 0, 0, 2, 0, 1][..],
            b"a",
            &[0, 0, 0, 1, 0, 0, 0, 7, 0, 1],
            b"b",
            &[0, 0, 0, 2],
            &[0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0],
        ]
        .concat();
        assert_eq!(partitions(&bytes, "b"), Some(vec![Partition(3), Partition(4)]));
        assert_eq!(partitions(&bytes, "c"), Some(vec![]));
        assert_eq!(partitions(&bytes[..bytes.len() - 6], "b"), None);
        assert_eq!(partitions(&[], "b"), None);
    }
}
