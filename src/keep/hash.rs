//! Keyed hashes: 128-bit ids from the texts that come from outside, and the place of a key in an index.

use bytemuck::{Pod, Zeroable};
use siphasher::sip128::SipHasher13;
use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128_with_secret};

use crate::ids::ID_BYTES_MAX;

/// Bytes in front of the text: its kind and its owner.
const PREFIX_BYTES: usize = 5;

/// Longer texts than ids that come with many records: user agents, the texts of a click.
const TEXT_BYTES: usize = 512;

/// Bytes of secret that XXH3 mixes into its input.
const SECRET_BYTES: usize = 192;

/// The secret of one store. Ids come from outside: without a secret somebody could choose texts that collide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashKey {
    key: [u8; 16],
    /// What XXH3 mixes in: grown from the key by SipHash.
    secret: [u8; SECRET_BYTES],
}

impl Default for HashKey {
    fn default() -> Self {
        Self::new([0; 16])
    }
}

/// What stands for a text in a store: XXH3, 128 bits, with a secret of the store's own, of kind, owner and text.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Pod, Zeroable)]
pub struct Id128(pub [u8; 16]);

impl HashKey {
    /// The secret that 16 random bytes stand for.
    pub fn new(key: [u8; 16]) -> Self {
        let hasher = SipHasher13::new_with_key(&key);
        let mut secret = [0; SECRET_BYTES];
        for (part, place) in (0_u64..).zip(secret.chunks_exact_mut(16)) {
            place.copy_from_slice(&hasher.hash(&part.to_le_bytes()).as_bytes());
        }
        Self { key, secret }
    }

    /// The id of `text` of this `kind` under `owner`. Equal for equal arguments and key, for ever.
    #[inline]
    pub fn id(&self, kind: u8, owner: u32, text: &[u8]) -> Id128 {
        let [a, b, c, d] = owner.to_le_bytes();
        let mut joined = [0; PREFIX_BYTES + ID_BYTES_MAX];
        if let Some(whole) = joined.get_mut(..PREFIX_BYTES + text.len()) {
            let (head, tail) = whole.split_at_mut(PREFIX_BYTES);
            head.copy_from_slice(&[kind, a, b, c, d]);
            tail.copy_from_slice(text);
            return self.hash(whole);
        }
        let mut joined = [0; PREFIX_BYTES + TEXT_BYTES];
        if let Some(whole) = joined.get_mut(..PREFIX_BYTES + text.len()) {
            let (head, tail) = whole.split_at_mut(PREFIX_BYTES);
            head.copy_from_slice(&[kind, a, b, c, d]);
            tail.copy_from_slice(text);
            return self.hash(whole);
        }
        self.hash(&[&[kind, a, b, c, d], text].concat())
    }

    fn hash(&self, bytes: &[u8]) -> Id128 {
        Id128(xxh3_128_with_secret(bytes, &self.secret).to_le_bytes())
    }

    /// What the indexes of this store are seeded with.
    pub(super) fn seed(&self) -> Seed {
        let [a, b, c, d, e, f, g, h, ..] = SipHasher13::new_with_key(&self.key).hash(b"index").as_bytes();
        Seed(u64::from_le_bytes([a, b, c, d, e, f, g, h]))
    }
}

/// Seed of the index hash: seeded XXH3. Ids in keys are keyed hashes already, so this one need only be fast.
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
