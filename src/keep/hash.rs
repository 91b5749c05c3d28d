//! Keyed hashes: 128-bit ids from the texts that come from outside, and the place of a key in an index.

use std::hash::Hasher;

use bytemuck::{Pod, Zeroable};
use siphasher::sip128::{Hasher128, SipHasher13};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::ids::ID_BYTES_MAX;

/// Bytes in front of the text: its kind and its owner.
const PREFIX_BYTES: usize = 5;

/// The secret of one store. Ids come from outside: without a secret somebody could choose texts that collide.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HashKey(pub [u8; 16]);

/// What stands for a text in a store: SipHash-1-3, 128 bits, of kind, owner and text.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Pod, Zeroable)]
pub struct Id128(pub [u8; 16]);

impl HashKey {
    /// The id of `text` of this `kind` under `owner`. Equal for equal arguments and key, for ever.
    pub fn id(&self, kind: u8, owner: u32, text: &[u8]) -> Id128 {
        let hasher = SipHasher13::new_with_key(&self.0);
        let [a, b, c, d] = owner.to_le_bytes();
        let mut joined = [0; PREFIX_BYTES + ID_BYTES_MAX];
        if let Some(whole) = joined.get_mut(..PREFIX_BYTES + text.len()) {
            let (head, tail) = whole.split_at_mut(PREFIX_BYTES);
            head.copy_from_slice(&[kind, a, b, c, d]);
            tail.copy_from_slice(text);
            return Id128(hasher.hash(whole).as_bytes());
        }
        let mut hasher = hasher;
        hasher.write(&[kind, a, b, c, d]);
        hasher.write(text);
        Id128(hasher.finish128().as_bytes())
    }

    /// What the indexes of this store are seeded with.
    pub(super) fn seed(&self) -> Seed {
        let [a, b, c, d, e, f, g, h, ..] = SipHasher13::new_with_key(&self.0).hash(b"index").as_bytes();
        Seed(u64::from_le_bytes([a, b, c, d, e, f, g, h]))
    }
}

/// Seed of the index hash: seeded XXH3. Ids in keys went through SipHash already, so this one need only be fast.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seed(u64);

/// The 40 bits of a key's hash that an index uses: a shard and what tells its entries apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyHash {
    pub(super) shard: u8,
    pub(super) bits: u32,
}

impl Seed {
    #[inline]
    pub(super) fn of<K: Pod>(self, key: &K) -> KeyHash {
        self.of_bytes(bytemuck::bytes_of(key))
    }

    #[inline]
    pub(super) fn of_bytes(self, key: &[u8]) -> KeyHash {
        KeyHash::from_bits(xxh3_64_with_seed(key, self.0))
    }
}

impl KeyHash {
    pub(super) const fn from_bits(hash: u64) -> Self {
        let [a, b, c, d, shard, ..] = hash.to_le_bytes();
        Self { shard, bits: u32::from_le_bytes([a, b, c, d]) }
    }

    /// 40 bits, as an `.idx` file keeps them.
    pub(super) const fn to_bits(self) -> u64 {
        let [a, b, c, d] = self.bits.to_le_bytes();
        u64::from_le_bytes([a, b, c, d, self.shard, 0, 0, 0])
    }
}
