//! The group of readers, as the brokers and as each client see it: members, generations, who is told what and when.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tributary::consume::Polled;
use tributary::ids::{Next, Partition};

use super::programme::PARTITIONS;
use super::publisher::Job;
use super::random::Random;
use super::trace::Trace;

/// Who a reader is in its group, as of one assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Member {
    id: u64,
    generation: u64,
}

impl Member {
    pub(super) fn is_nobody(self) -> bool {
        self.id == 0
    }
}

/// The coordinator's view.
#[derive(Default)]
pub(super) struct Group {
    generation: u64,
    seats: BTreeMap<u64, Seat>,
    joined: u64,
    /// Somebody came or went, or gave partitions back.
    pub(super) wants: bool,
}

struct Seat {
    node: usize,
    owned: BTreeSet<Partition>,
}

/// A change of the assignment on its way to a worker.
#[derive(Debug, Clone)]
struct Change {
    told: Polled,
    member: Member,
}

/// One node's client.
#[derive(Default)]
pub(super) struct Client {
    id: u64,
    /// As of the last change told.
    pub(super) member: Member,
    changes: VecDeque<Change>,
    /// Told of with the last poll.
    leaving: Option<Vec<Partition>>,
    /// Ours by the assignment; from where each is read, once sought.
    pub(super) ours: BTreeMap<Partition, Option<Next>>,
    /// Whether the next poll tells of a change, and the most that it reads.
    pub(super) hears: bool,
    pub(super) records_max: usize,
    /// Outputs that wait for the producer.
    pub(super) jobs: VecDeque<Job>,
    /// E as of the time when it asked to join: for who reads it too early.
    pub(super) early: BTreeMap<Partition, Next>,
}

impl Client {
    pub(super) fn is_joined(&self) -> bool {
        self.id != 0
    }

    /// It was told that the partition goes, and has not answered.
    pub(super) fn hands_over(&self, partition: Partition) -> bool {
        self.leaving.as_ref().is_some_and(|leaving| leaving.contains(&partition))
    }

    fn is_busy(&self) -> bool {
        !self.changes.is_empty() || self.leaving.is_some()
    }

    /// The next change for the worker.
    pub(super) fn change(&mut self) -> Option<Polled> {
        if !self.hears {
            return None;
        }
        let Change { told, member } = self.changes.pop_front()?;
        self.member = member;
        match &told {
            Polled::Assigned(partitions) => self.ours.extend(partitions.iter().map(|p| (*p, None))),
            Polled::Revoked(partitions) => {
                self.ours.retain(|p, _| !partitions.contains(p));
                self.leaving = Some(partitions.clone());
            }
            Polled::Lost(_) => {
                let all = std::mem::take(&mut self.ours).into_keys().collect();
                (self.id, self.leaving) = (0, None);
                return Some(Polled::Lost(all));
            }
            Polled::Records => {}
        }
        Some(told)
    }

    fn tell(&mut self, told: Polled, member: Member) {
        self.changes.push_back(Change { told, member });
    }
}

impl Group {
    /// What the broker asks of who commits, and all that it asks.
    pub(super) fn is_current(&self, member: Member) -> bool {
        member.generation == self.generation && self.seats.contains_key(&member.id)
    }

    pub(super) fn is_member(&self, client: &Client) -> bool {
        self.seats.contains_key(&client.id)
    }

    pub(super) fn join(&mut self, node: usize, client: &mut Client) {
        self.joined += 1;
        client.id = self.joined;
        self.seats.insert(self.joined, Seat { node, owned: BTreeSet::new() });
        self.wants = true;
    }

    /// What was told with the last poll is answered.
    pub(super) fn answer(&mut self, client: &mut Client) {
        let Some(left) = client.leaving.take() else { return };
        if let Some(seat) = self.seats.get_mut(&client.id) {
            seat.owned.retain(|p| !left.contains(p));
            self.wants = true;
        }
    }

    /// A member that was not heard of for too long is none any more. It does not know yet.
    pub(super) fn expel(&mut self, client: &Client) -> bool {
        let was = self.seats.remove(&client.id).is_some();
        self.wants |= was;
        was
    }

    /// Seats of processes that have ended are given up some time.
    pub(super) fn expire(&mut self, clients: &[Client]) {
        let before = self.seats.len();
        self.seats.retain(|id, seat| clients[seat.node].id == *id);
        self.wants |= self.seats.len() < before;
    }

    /// Its heartbeat is answered: it is no member any more.
    pub(super) fn find_out(&self, client: &mut Client) -> bool {
        let is_told = client.changes.iter().any(|change| matches!(change.told, Polled::Lost(_)));
        if client.id == 0 || self.is_member(client) || is_told {
            return false;
        }
        client.tell(Polled::Lost(Vec::new()), Member::default());
        true
    }

    /// All that answer come to a new assignment; who does not is waited for, or expelled. A seat whose process has ended
    /// does not answer either.
    pub(super) fn rebalance(
        &mut self,
        clients: &mut [Client],
        is_silent: &[bool],
        random: &mut Random,
        trace: &mut Trace,
    ) {
        let late = |(id, seat): (&u64, &Seat)| {
            let client = &clients[seat.node];
            (client.id != *id || client.is_busy() || is_silent[seat.node]).then_some(*id)
        };
        let late: Vec<u64> = self.seats.iter().filter_map(late).collect();
        if !late.is_empty() && random.percent(60) {
            return;
        }
        for id in late {
            trace.line(format!("group: member {id} expelled"));
            self.seats.remove(&id);
        }
        self.generation += 1;
        self.wants = false;
        trace.line(format!("group: generation {} of {} members", self.generation, self.seats.len()));
        let ids: Vec<u64> = self.seats.keys().copied().collect();
        let mut wanted: BTreeMap<Partition, u64> = BTreeMap::new();
        for partition in (0..PARTITIONS).map(Partition) {
            let owner = self.seats.iter().find(|(_, seat)| seat.owned.contains(&partition)).map(|(id, _)| *id);
            let goes_to =
                owner.filter(|_| random.percent(60)).or_else(|| (!ids.is_empty()).then(|| random.one_of(&ids)));
            wanted.extend(goes_to.map(|id| (partition, id)));
        }
        let owned: BTreeSet<Partition> = self.seats.values().flat_map(|seat| seat.owned.clone()).collect();
        for (id, seat) in &mut self.seats {
            let is_mine = |p: &Partition| wanted.get(p) == Some(id);
            let revoked: Vec<_> = seat.owned.iter().copied().filter(|p| !is_mine(p)).collect();
            let added: Vec<_> = wanted.keys().copied().filter(|p| is_mine(p) && !owned.contains(p)).collect();
            let member = Member { id: *id, generation: self.generation };
            let client = &mut clients[seat.node];
            trace.line(format!("group: node {} loses {revoked:?}, gets {added:?}", seat.node));
            if !revoked.is_empty() {
                client.tell(Polled::Revoked(revoked), member);
            }
            seat.owned.extend(&added);
            client.tell(Polled::Assigned(added), member);
        }
    }
}
