//! Keys go where Kafka's own producers send them.

use proptest::prelude::*;
use tributary::append::partition::{murmur2, partition_of};
use tributary::ids::Partition;

/// From Kafka's `UtilsTest.testMurmur2`.
const KAFKA: [(&str, i32); 6] = [
    ("21", -973_932_308),
    ("foobar", -790_332_482),
    ("a-little-bit-long-string", -985_981_536),
    ("a-little-bit-longer-string", -1_486_304_829),
    ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
    ("abc", 479_470_107),
];

#[test]
fn murmur2_is_kafkas() {
    for (key, hash) in KAFKA {
        assert_eq!(murmur2(key.as_bytes()).cast_signed(), hash, "{key}");
    }
}

#[test]
fn the_partition_is_the_positive_hash_modulo_the_count() {
    for (key, hash) in KAFKA {
        for count in [1_u32, 3, 4, 64] {
            let expected = (hash & 0x7fff_ffff).cast_unsigned() % count;
            assert_eq!(partition_of(key.as_bytes(), count), Partition(expected));
        }
    }
}

proptest! {
    #[test]
    fn every_key_has_a_partition(key: Vec<u8>, count in 1_u32..10_000) {
        prop_assert!(partition_of(&key, count).0 < count);
    }
}
