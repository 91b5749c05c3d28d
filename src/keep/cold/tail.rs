//! The newest records of a Cold map, still in RAM.

use crate::ids::Millis;

/// Bytes of a chunk of the tail, at most: larger ones are given back to the system when they are freed, and every
/// page of the next has to be cleared again.
const CHUNK_BYTES: usize = 64 << 10;

/// One record of a Cold map.
#[derive(Clone, Copy)]
pub(in crate::keep) struct Record<K, V> {
    /// The place that this one replaces; [`NOWHERE`](super::NOWHERE): a new entity.
    pub(in crate::keep) prev: u32,
    /// Takes `prev` away and puts nothing in its place.
    pub(in crate::keep) erased: bool,
    pub(in crate::keep) time: Millis,
    pub(in crate::keep) key: K,
    pub(in crate::keep) value: V,
}

/// Records from number `base` on, in chunks, so that growing moves nothing.
pub(in crate::keep) struct Tail<K, V> {
    pub(super) base: u64,
    chunks: Vec<Vec<Record<K, V>>>,
}

impl<K, V> Tail<K, V> {
    /// Records of a chunk: a power of two.
    const CHUNK_RECORDS: usize = 1 << (CHUNK_BYTES / size_of::<Record<K, V>>()).ilog2();

    pub(super) const fn new(base: u64) -> Self {
        Self { base, chunks: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        let last = self.chunks.last().map_or(0, Vec::len);
        self.chunks.len().saturating_sub(1) * Self::CHUNK_RECORDS + last
    }

    /// One past the number of its last record.
    pub(super) fn end(&self) -> u64 {
        self.base + u64::try_from(self.len()).expect("lengths fit in 64 bits")
    }

    pub(super) fn get(&self, number: u64) -> Option<&Record<K, V>> {
        let (chunk, at) = self.split(number)?;
        self.chunks.get(chunk)?.get(at)
    }

    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut Record<K, V>> {
        let (chunk, at) = self.split(number)?;
        self.chunks.get_mut(chunk)?.get_mut(at)
    }

    pub(super) fn push(&mut self, record: Record<K, V>) -> &mut Record<K, V> {
        if self.chunks.last().is_none_or(|c| c.len() == Self::CHUNK_RECORDS) {
            self.chunks.push(Vec::with_capacity(Self::CHUNK_RECORDS));
        }
        let chunk = self.chunks.last_mut().expect("pushed above");
        chunk.push(record);
        chunk.last_mut().expect("pushed above")
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Record<K, V>> {
        self.chunks.iter().flatten()
    }

    fn split(&self, number: u64) -> Option<(usize, usize)> {
        let ahead = usize::try_from(number.checked_sub(self.base)?).ok()?;
        Some((ahead / Self::CHUNK_RECORDS, ahead % Self::CHUNK_RECORDS))
    }
}
