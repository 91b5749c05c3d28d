//! Where a Hot map keeps its entities: chunks of 4,096 slots that never move.

use bytemuck::Pod;

use crate::ids::Millis;

/// Slots of a chunk: what the journal's ring writes at a time.
pub(super) const CHUNK_SLOTS: usize = 4_096;
const WORDS: usize = CHUNK_SLOTS / 64;

#[derive(Clone, Copy)]
pub(super) struct Slot<K, V> {
    pub(super) time: Millis,
    pub(super) key: K,
    pub(super) value: V,
}

pub(super) struct Chunk<K, V> {
    pub(super) slots: Vec<Slot<K, V>>,
    /// Slots with an entity.
    pub(super) live: Bits,
    /// Slots that the coming frame must hold.
    pub(super) dirty: Bits,
    /// `seq` of the frame that a load of this chunk begins with.
    pub(super) written: u64,
}

pub(super) struct Slab<K, V> {
    pub(super) chunks: Vec<Chunk<K, V>>,
    free: Vec<u32>,
}

impl<K, V> Default for Slab<K, V> {
    fn default() -> Self {
        Self { chunks: Vec::new(), free: Vec::new() }
    }
}

impl<K: Pod, V: Pod> Slab<K, V> {
    #[inline]
    pub(super) fn get(&self, place: u32) -> Option<&Slot<K, V>> {
        let (chunk, slot) = split(place);
        self.chunks.get(chunk)?.slots.get(slot)
    }

    #[inline]
    pub(super) fn chunk_mut(&mut self, place: u32) -> Option<(&mut Chunk<K, V>, usize)> {
        let (chunk, slot) = split(place);
        Some((self.chunks.get_mut(chunk)?, slot))
    }

    /// Slots in use or once used.
    pub(super) fn slots(&self) -> usize {
        let last = self.chunks.last().map_or(0, |c| c.slots.len());
        self.chunks.len().saturating_sub(1) * CHUNK_SLOTS + last
    }

    /// Puts an entity into a free slot. A chunk that this begins relies on no frame before `seq`.
    pub(super) fn add(&mut self, slot: Slot<K, V>, seq: u64) -> u32 {
        if let Some(place) = self.free.pop() {
            let (chunk, at) = self.chunk_mut(place).expect("a free place is one of the slab");
            *chunk.slots.get_mut(at).expect("a free place is one of the slab") = slot;
            chunk.live.set(at);
            return place;
        }
        if self.chunks.last().is_none_or(|c| c.slots.len() == CHUNK_SLOTS) {
            self.chunks.push(Chunk::new(seq));
        }
        let chunk = self.chunks.last_mut().expect("pushed above");
        let at = chunk.slots.len();
        chunk.slots.push(slot);
        chunk.live.set(at);
        u32::try_from(self.slots() - 1).expect("RAM ends long before 4 billion slots")
    }

    /// Gives the slot at `place` back.
    pub(super) fn release(&mut self, place: u32) {
        let (chunk, at) = self.chunk_mut(place).expect("the index holds places of the slab only");
        chunk.live.clear(at);
        self.free.push(place);
    }
}

impl<K, V> Chunk<K, V> {
    fn new(written: u64) -> Self {
        Self { slots: Vec::with_capacity(CHUNK_SLOTS), live: Bits::default(), dirty: Bits::default(), written }
    }
}

fn split(place: u32) -> (usize, usize) {
    let place = usize::try_from(place).expect("machines of 32 bits and more");
    (place / CHUNK_SLOTS, place % CHUNK_SLOTS)
}

/// One bit a slot.
#[derive(Clone)]
pub(super) struct Bits([u64; WORDS]);

impl Default for Bits {
    fn default() -> Self {
        Self([0; WORDS])
    }
}

impl Bits {
    #[inline]
    pub(super) fn get(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|w| w & (1 << (at % 64)) != 0)
    }

    /// False if it was set before.
    #[inline]
    pub(super) fn set(&mut self, at: usize) -> bool {
        let Some(word) = self.0.get_mut(at / 64) else { return false };
        let fresh = *word & (1 << (at % 64)) == 0;
        *word |= 1 << (at % 64);
        fresh
    }

    pub(super) fn clear(&mut self, at: usize) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word &= !(1 << (at % 64));
        }
    }

    pub(super) fn count(&self) -> usize {
        let ones: u32 = self.0.iter().map(|w| w.count_ones()).sum();
        usize::try_from(ones).expect("machines of 32 bits and more")
    }
}
