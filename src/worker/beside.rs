//! What a worker needs to fold one generation while others fold another: who puts outputs out, and how fast it may go.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Which generation puts outputs out and moves E, as far as this process may: none at first. It goes to another only
/// when nobody can put anything out in the name of the former any more. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Emission(Arc<AtomicU32>);

impl Emission {
    pub fn is(&self, generation: u32) -> bool {
        self.0.load(Ordering::Acquire) == generation
    }

    pub fn give(&self, generation: u32) {
        self.0.store(generation, Ordering::Release);
    }

    /// From a generation that has it no more, whoever has it now.
    pub fn withdraw(&self, generation: u32) {
        // If it has gone to another there is nothing to take.
        let _was = self.0.compare_exchange(generation, Self::NOBODY, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Which has it here.
    pub fn holder(&self) -> Option<u32> {
        Some(self.0.load(Ordering::Acquire)).filter(|holder| *holder != Self::NOBODY)
    }

    const NOBODY: u32 = 0;
}

/// How many events a second all workers of a generation may apply together; 0: as many as they can. Clones are the
/// same.
#[derive(Debug, Clone, Default)]
pub struct Rate(Arc<AtomicU32>);

impl Rate {
    pub fn new(events_per_s: u32) -> Self {
        Self(Arc::new(AtomicU32::new(events_per_s)))
    }

    /// From now on there is no limit.
    pub fn lift(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    pub fn events_per_s(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One worker's share of a rate, by its partitions, wherever the others are: what was not used within a tenth of a second is gone.
#[derive(Debug)]
pub struct Share {
    rate: Rate,
    /// Of the log.
    partitions: u32,
    since: Duration,
    /// In billionths of an event.
    credit: u128,
}

const NANO: u128 = 1_000_000_000;

impl Share {
    /// Of a log with so many partitions.
    pub fn new(rate: Rate, partitions: u32) -> Self {
        Self { rate, partitions: partitions.max(1), since: Duration::ZERO, credit: 0 }
    }

    /// How many events the owner of `owned` partitions may apply now; `None`: any number. `now` is of one monotonic
    /// clock.
    pub fn grant(&mut self, now: Duration, owned: usize) -> Option<usize> {
        let all = self.rate.events_per_s();
        if all == 0 {
            return None;
        }
        let owned = u64::try_from(owned).unwrap_or_default();
        // Not even one a second would be never.
        let per_s = u128::from((u64::from(all) * owned / u64::from(self.partitions)).max(1));
        self.credit += now.saturating_sub(self.since).as_nanos() * per_s;
        self.credit = self.credit.min((per_s * NANO / 10).max(NANO));
        self.since = self.since.max(now);
        Some(usize::try_from(self.credit / NANO).unwrap_or(usize::MAX))
    }

    /// So many were applied.
    pub fn spend(&mut self, events: usize) {
        self.credit = self.credit.saturating_sub(u128::try_from(events).unwrap_or(u128::MAX).saturating_mul(NANO));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Emission, Rate, Share};

    /// Takes all that is granted every `step` ms for ten seconds.
    fn taken(shares: &mut [(Share, usize)], step: u64) -> usize {
        let mut sum = 0;
        for now in (0..=10_000_u64).step_by(usize::try_from(step).unwrap_or(1)).map(Duration::from_millis) {
            for (share, owned) in shares.iter_mut() {
                let granted = share.grant(now, *owned).unwrap_or_default();
                share.spend(granted);
                sum += granted;
            }
        }
        sum
    }

    #[test]
    fn no_more_than_the_rate_is_granted_however_often_it_is_asked() {
        for (per_s, owned, step) in [(1_000, vec![1], 1), (1_000, vec![2, 1, 1], 7), (8, vec![2, 2], 3)] {
            let rate = Rate::new(per_s);
            let partitions = u32::try_from(owned.iter().sum::<usize>()).unwrap();
            let shares = owned.iter().map(|owned| (Share::new(rate.clone(), partitions), *owned));
            let (sum, most) = (taken(&mut shares.collect::<Vec<_>>(), step), usize::try_from(per_s).unwrap() * 10);
            assert!(sum <= most && sum + most / 10 >= most - owned.len(), "{per_s}: {sum}");
        }
    }

    #[test]
    fn what_was_not_used_is_gone_and_a_lifted_rate_is_none() {
        let rate = Rate::new(1_000);
        let mut share = Share::new(rate.clone(), 4);
        assert_eq!(share.grant(Duration::from_secs(50), 4), Some(100));
        share.spend(100);
        assert_eq!(share.grant(Duration::from_secs(50), 4), Some(0));
        rate.lift();
        assert_eq!(share.grant(Duration::from_secs(50), 4), None);
    }

    #[test]
    fn emission_is_taken_from_who_has_it_alone() {
        let emission = Emission::default();
        assert_eq!(emission.holder(), None);
        emission.give(2);
        emission.withdraw(1);
        assert_eq!((emission.holder(), emission.is(2)), (Some(2), true));
        emission.withdraw(2);
        assert_eq!(emission.holder(), None);
    }
}
