//! Hash index of a map: from the hash of a key to its place. Keys are not here: the map compares them where they are.

use hashbrown::HashTable;

use super::hash::KeyHash;

/// So many tables that the growth of one does not stop the fold.
const SHARDS: usize = 256;

/// 9 to 18 bytes an entity.
pub(super) struct Index {
    shards: Vec<HashTable<Entry>>,
    len: usize,
}

#[derive(Clone, Copy)]
struct Entry {
    bits: u32,
    place: u32,
}

impl Default for Index {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| HashTable::new()).collect(), len: 0 }
    }
}

impl Index {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// The place of the key with this hash; `is` says whether it stands at a place.
    #[inline]
    pub(super) fn find(&self, hash: KeyHash, mut is: impl FnMut(u32) -> bool) -> Option<u32> {
        let found = self.shard(hash).find(spread(hash.bits), |e| e.bits == hash.bits && is(e.place));
        found.map(|e| e.place)
    }

    /// Of every entity.
    pub(super) fn places(&self) -> impl Iterator<Item = u32> {
        self.shards.iter().flatten().map(|entry| entry.place)
    }

    pub(super) fn holds(&self, hash: KeyHash, place: u32) -> bool {
        self.find(hash, |p| p == place).is_some()
    }

    /// Room for so many more in one shard, so that it grows once.
    pub(super) fn reserve(&mut self, shard: u8, more: usize) {
        if let Some(table) = self.shards.get_mut(usize::from(shard)) {
            table.reserve(more, |e| spread(e.bits));
        }
    }

    pub(super) fn insert(&mut self, hash: KeyHash, place: u32) {
        let entry = Entry { bits: hash.bits, place };
        self.shard_mut(hash).insert_unique(spread(hash.bits), entry, |e| spread(e.bits));
        self.len += 1;
    }

    /// Moves an entity; false if it is not at `from`.
    pub(super) fn replace(&mut self, hash: KeyHash, from: u32, to: u32) -> bool {
        let entry = self.shard_mut(hash).find_mut(spread(hash.bits), |e| e.bits == hash.bits && e.place == from);
        entry.map(|e| e.place = to).is_some()
    }

    /// False if nothing is at `place` under this hash.
    pub(super) fn remove(&mut self, hash: KeyHash, place: u32) -> bool {
        let same = |e: &Entry| e.bits == hash.bits && e.place == place;
        let Ok(entry) = self.shard_mut(hash).find_entry(spread(hash.bits), same) else { return false };
        entry.remove();
        self.len -= 1;
        true
    }

    fn shard(&self, hash: KeyHash) -> &HashTable<Entry> {
        self.shards.get(usize::from(hash.shard)).expect("a byte is below the number of shards")
    }

    fn shard_mut(&mut self, hash: KeyHash) -> &mut HashTable<Entry> {
        self.shards.get_mut(usize::from(hash.shard)).expect("a byte is below the number of shards")
    }
}

/// A table takes its buckets from the low end of a hash and its tags from the high end.
fn spread(bits: u32) -> u64 {
    u64::from(bits) << 32 | u64::from(bits)
}
