//! Seeded chance, in integers only: the same seed gives the same bytes on every machine.

use std::convert::Infallible;

use rand::{Rng, SeedableRng, TryRng};
use rand_chacha::ChaCha8Rng;

use super::market::mix;

/// Each purpose draws from a stream of its own: more faults must not change the traffic.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stream {
    World,
    Traffic,
    Faults,
}

#[derive(Debug, Clone)]
pub(super) struct Random<G = ChaCha8Rng>(G);

/// Chance in eight bytes: hundreds of thousands have their own, and what one draws changes nobody else's luck.
pub(super) type Dice = Random<SplitMix>;

/// SplitMix64: a counter, mixed.
#[derive(Debug, Clone)]
pub(super) struct SplitMix(u64);

impl TryRng for SplitMix {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|wide| u32::try_from(wide >> 32).unwrap_or_default())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mixed = mix(self.0);
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        Ok(mixed)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for part in bytes.chunks_mut(8) {
            let drawn = self.try_next_u64()?.to_le_bytes();
            part.iter_mut().zip(drawn).for_each(|(byte, drawn)| *byte = drawn);
        }
        Ok(())
    }
}

impl Dice {
    pub(super) const fn of(key: u64) -> Self {
        Self(SplitMix(key))
    }
}

impl Random {
    pub(super) fn new(seed: u64, stream: Stream) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(match stream {
            Stream::World => 1,
            Stream::Traffic => 2,
            Stream::Faults => 3,
        });
        Self(generator)
    }
}

impl<G: Rng> Random<G> {
    /// Uniform in `0..n`; 0 for `n` = 0.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        let wide = u128::from(self.0.next_u64()) * u128::from(n);
        u64::try_from(wide >> 64).unwrap_or_default()
    }

    /// Uniform in `from..to`.
    pub(super) fn between(&mut self, from: i64, to: i64) -> i64 {
        let span = u64::try_from(to - from).unwrap_or_default();
        from + i64::try_from(self.below(span)).unwrap_or_default()
    }

    /// True `n` times in a thousand.
    pub(super) fn permille(&mut self, n: u64) -> bool {
        self.below(1_000) < n
    }

    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let len = u64::try_from(items.len()).unwrap_or_default();
        let at = usize::try_from(self.below(len)).unwrap_or_default();
        items.get(at).expect("the tables of the simulation are not empty")
    }

    /// A waiting time: exponential around `mean` (its logarithm taken piecewise linear, exact at powers of two).
    pub(super) fn wait(&mut self, mean: i64) -> i64 {
        const LN_2_IN_65536THS: u64 = 45_426;
        let bits = self.0.next_u64() | 1;
        let zeros = bits.leading_zeros();
        let fraction = (bits << zeros << 1) >> 48;
        let log2 = (u64::from(zeros) << 16) + (0xffff - fraction);
        let scaled = (i128::from(mean) * i128::from(log2 * LN_2_IN_65536THS)) >> 32;
        i64::try_from(scaled).unwrap_or(i64::MAX / 4)
    }
}

/// Few are much chosen, many seldom: weight 1 / (rank + 1).
#[derive(Debug, Clone)]
pub(super) struct Zipf {
    cumulative: Vec<u64>,
}

impl Zipf {
    const FIRST: u64 = 1 << 32;

    pub(super) fn new(len: usize) -> Self {
        let weights = (1..).take(len).map(|rank: u64| Self::FIRST / rank);
        let cumulative = weights.scan(0_u64, |sum, weight| {
            *sum += weight;
            Some(*sum)
        });
        Self { cumulative: cumulative.collect() }
    }

    /// A rank from 0.
    pub(super) fn draw(&self, random: &mut Random) -> usize {
        let total = self.cumulative.last().copied().unwrap_or_default();
        let at = random.below(total);
        self.cumulative.partition_point(|sum| *sum <= at)
    }
}
