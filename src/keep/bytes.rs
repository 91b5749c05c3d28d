//! Reading fixed-size little-endian records out of bytes, and the names of files.

use bytemuck::Pod;

// Records are written as they stand in memory.
const _: () = assert!(cfg!(target_endian = "little"), "state files are little-endian");

/// Bytes being read from the front. Every method answers `None` when too few are left.
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    pub(super) fn pod<T: Pod>(&mut self) -> Option<T> {
        self.take(size_of::<T>()).map(bytemuck::pod_read_unaligned)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

pub(super) fn count32(count: usize) -> u32 {
    u32::try_from(count).expect("a frame holds fewer than 4 billion of anything")
}

pub(super) fn count64(count: usize) -> u64 {
    u64::try_from(count).expect("lengths fit in 64 bits")
}

pub(super) fn size(count: u64) -> usize {
    usize::try_from(count).expect("what is in RAM is addressable")
}
