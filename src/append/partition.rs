//! Which partition a key lives in: the same as Kafka's own producers choose.

use crate::ids::Partition;

const SEED: u32 = 0x9747_b28c;
const MULTIPLIER: u32 = 0x5bd1_e995;
const SHIFT: u32 = 24;

/// The partition of `key` among `partitions`; 0 when there is but one.
pub fn partition_of(key: &[u8], partitions: u32) -> Partition {
    let positive = murmur2(key) & 0x7fff_ffff;
    Partition(positive.checked_rem(partitions).unwrap_or_default())
}

/// The hash of Kafka's default partitioner (`org.apache.kafka.common.utils.Utils.murmur2`), as its bits.
pub fn murmur2(key: &[u8]) -> u32 {
    let mut words = key.chunks_exact(4);
    // Java's length is an int; a longer key cannot be a record's.
    let length = u32::try_from(key.len()).unwrap_or(u32::MAX);
    let mut hash = SEED ^ length;
    for word in &mut words {
        let mut k = word.iter().rev().fold(0_u32, |word, &byte| word << 8 | u32::from(byte));
        k = k.wrapping_mul(MULTIPLIER);
        k ^= k >> SHIFT;
        k = k.wrapping_mul(MULTIPLIER);
        hash = hash.wrapping_mul(MULTIPLIER) ^ k;
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        hash ^= rest.iter().rev().fold(0_u32, |word, &byte| word << 8 | u32::from(byte));
        hash = hash.wrapping_mul(MULTIPLIER);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(MULTIPLIER);
    hash ^ hash >> 15
}
