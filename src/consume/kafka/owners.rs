//! Who has which partition, as the group's coordinator says.

use std::collections::{BTreeMap, BTreeSet};

use rdkafka::consumer::Consumer;
use rdkafka::groups::GroupInfo;

use super::{Kafka, REQUEST_MAX, failed};
use crate::consume::Error;
use crate::ids::Partition;

/// Each partition's owner in the group of those who fold `generation`: its host, and its name in the group.
pub(super) fn of(log: &Kafka, generation: u32) -> Result<BTreeMap<Partition, String>, Error> {
    let owners = log.in_group(generation, |group| {
        let mut owners = BTreeMap::new();
        for member in group.members() {
            let owner = format!("{} {}", member.client_host().trim_start_matches('/'), member.id());
            let assigned = member.assignment().and_then(|bytes| partitions(bytes, &log.topic().name));
            owners.extend(assigned.unwrap_or_default().into_iter().map(|partition| (partition, owner.clone())));
        }
        owners
    })?;
    // Of a group that nobody was in yet, nobody has anything.
    Ok(owners.unwrap_or_default())
}

/// The names of all its members; `None`: no broker knows the group, which may also be because its coordinator is only
/// beginning.
pub(super) fn members(log: &Kafka, generation: u32) -> Result<Option<BTreeSet<String>>, Error> {
    log.in_group(generation, |group| group.members().iter().map(|member| member.id().to_owned()).collect())
}

impl Kafka {
    /// What its coordinator says of the group of a generation; `None`: no broker says that it is the coordinator.
    fn in_group<T>(&self, generation: u32, said: impl FnOnce(&GroupInfo) -> T) -> Result<Option<T>, Error> {
        let (settings, name) = (self.settings(), self.settings().group_of(generation));
        let groups = self.inner.asked.ask(|client| {
            client.fetch_group_list(Some(&name), REQUEST_MAX).map_err(|error| failed(settings, &error))
        })?;
        // Every broker answers; those that are not the coordinator, or only begin to be, tell no state.
        let mut groups = groups.groups().iter();
        Ok(groups.find(|group| group.name() == name && !group.state().is_empty()).map(said))
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
