//! Entities in RAM; the disk holds a journal of them.

use bytemuck::Pod;

use super::{
    hash::{KeyHash, Seed},
    index::Index,
    slab::{Slab, Slot},
};
use crate::ids::Millis;

/// A map whose entities live in RAM: value + 24 + 10 to 20 bytes each.
///
/// `time` is the event time that touches an entity, `floor` the creator's floor: what was last touched before it is
/// absent, whether or not it has been freed. Maps whose entities never expire pass `Millis(i64::MIN)`.
/// `Hot::default()` is in RAM alone; [`Store::open`](super::Store::open) makes it durable.
pub struct Hot<K, V> {
    pub(super) index: Index,
    pub(super) slab: Slab<K, V>,
    pub(super) seed: Seed,
    pub(super) journal: Option<Journal<K>>,
    /// The smallest floor over all creators: what is older can be freed.
    pub(super) floor: Millis,
}

/// What a map with a store keeps for the coming frame.
pub(super) struct Journal<K> {
    pub(super) changed: Vec<u32>,
    pub(super) removed: Vec<K>,
    /// Images of chunks: count and bytes.
    pub(super) slices: u32,
    pub(super) slice: Vec<u8>,
    /// The `seq` of the coming frame.
    pub(super) seq: u64,
    /// Slots added since the last sweep.
    pub(super) added: usize,
    /// Where the sweep for expired entities goes on.
    pub(super) swept: usize,
}

impl<K> Default for Journal<K> {
    fn default() -> Self {
        Self { changed: Vec::new(), removed: Vec::new(), slices: 0, slice: Vec::new(), seq: 0, added: 0, swept: 0 }
    }
}

impl<K, V> Default for Hot<K, V> {
    fn default() -> Self {
        Self {
            index: Index::default(),
            slab: Slab::default(),
            seed: Seed::default(),
            journal: None,
            floor: Millis(i64::MIN),
        }
    }
}

impl<K: Pod + Eq, V: Pod> Hot<K, V> {
    pub fn get(&self, k: &K, floor: Millis) -> Option<V> {
        self.peek(k, floor).copied()
    }

    /// A look without copying.
    #[inline]
    pub fn peek(&self, k: &K, floor: Millis) -> Option<&V> {
        let place = self.find(self.seed.of(k), k)?;
        let slot = self.slab.get(place)?;
        (slot.time >= floor).then_some(&slot.value)
    }

    /// Where the entity may be, by the index alone: for [`glance`](Self::glance).
    #[inline]
    pub fn hint(&self, k: &K) -> Option<u32> {
        self.index.find(self.seed.of(k), |_| true)
    }

    /// What stands at a hint: mostly the entity, sometimes another. For reading ahead, not for rules.
    #[inline]
    pub fn glance(&self, hint: u32) -> Option<&V> {
        self.slab.get(hint).map(|slot| &slot.value)
    }

    pub fn contains(&self, k: &K, floor: Millis) -> bool {
        self.peek(k, floor).is_some()
    }

    /// An edit; keeps the entity's time.
    pub fn get_mut(&mut self, k: &K, floor: Millis) -> Option<&mut V> {
        let place = self.find(self.seed.of(k), k)?;
        if self.slab.get(place)?.time < floor {
            return None;
        }
        Some(&mut self.edit(place).value)
    }

    /// The entity, zeroed when it is new or was absent. Its time becomes the later of its own and `time`.
    pub fn entry(&mut self, k: &K, time: Millis, floor: Millis) -> &mut V {
        let hash = self.seed.of(k);
        let Some(place) = self.find(hash, k) else {
            return &mut self.add(hash, Slot { time, key: *k, value: V::zeroed() }).value;
        };
        let slot = self.edit(place);
        if slot.time < floor {
            slot.value = V::zeroed();
            slot.time = time;
        }
        slot.time = slot.time.max(time);
        &mut slot.value
    }

    /// False if it is there already; then nothing is changed.
    pub fn insert_new(&mut self, k: &K, v: V, time: Millis, floor: Millis) -> bool {
        let hash = self.seed.of(k);
        let slot = Slot { time, key: *k, value: v };
        match self.find(hash, k) {
            None => {
                self.add(hash, slot);
                true
            }
            Some(place) if self.slab.get(place).is_some_and(|s| s.time < floor) => {
                *self.edit(place) = slot;
                true
            }
            Some(_) => false,
        }
    }

    /// Inserts or replaces. The time becomes the later of the old and `time`.
    pub fn put(&mut self, k: &K, v: V, time: Millis) {
        let hash = self.seed.of(k);
        let Some(place) = self.find(hash, k) else {
            self.add(hash, Slot { time, key: *k, value: v });
            return;
        };
        let slot = self.edit(place);
        slot.value = v;
        slot.time = slot.time.max(time);
    }

    /// False if it was not there (or older than what `Store::set_floor` lets go).
    pub fn remove(&mut self, k: &K) -> bool {
        let hash = self.seed.of(k);
        let Some(place) = self.find(hash, k) else { return false };
        let alive = self.slab.get(place).is_some_and(|s| s.time >= self.floor);
        if let Some(journal) = &mut self.journal {
            journal.removed.push(*k);
        }
        self.free(hash, place);
        alive
    }

    /// Entities held, expired ones that were not freed yet among them: for limits and metrics, not for rules.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline]
    pub(super) fn find(&self, hash: KeyHash, k: &K) -> Option<u32> {
        self.index.find(hash, |place| self.slab.get(place).is_some_and(|s| s.key == *k))
    }

    pub(super) fn add(&mut self, hash: KeyHash, slot: Slot<K, V>) -> &mut Slot<K, V> {
        let place = self.slab.add(slot, self.journal.as_ref().map_or(0, |j| j.seq));
        self.index.insert(hash, place);
        if let Some(journal) = &mut self.journal {
            journal.added += 1;
        }
        self.edit(place)
    }

    pub(super) fn free(&mut self, hash: KeyHash, place: u32) {
        self.index.remove(hash, place);
        self.slab.release(place);
    }

    /// The slot, noted for the coming frame.
    #[inline]
    fn edit(&mut self, place: u32) -> &mut Slot<K, V> {
        let (chunk, at) = self.slab.chunk_mut(place).expect("the index holds places of the slab only");
        if let Some(journal) = &mut self.journal
            && chunk.dirty.set(at)
        {
            journal.changed.push(place);
        }
        chunk.slots.get_mut(at).expect("the index holds places of the slab only")
    }
}
