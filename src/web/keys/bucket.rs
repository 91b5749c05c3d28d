//! A token bucket: it holds `burst` requests, and `per_s` more flow in every second.
//!
//! Counted in thousandths of a request, so that whole milliseconds need no fractions.

use std::time::Duration;

/// How much one bucket gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub per_s: u32,
    pub burst: u32,
}

/// What is left; full at first.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bucket {
    /// Thousandths of a request that have been taken and not yet flowed back.
    taken: u64,
    /// When that was so, since the clock began.
    at: Duration,
}

/// What asking a bucket came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Drawn {
    pub(super) is_allowed: bool,
    /// Whole requests left.
    pub(super) left: u32,
    /// Until the bucket is full again.
    pub(super) full_in_s: u32,
    /// Until there is one request more; 0 when there is one.
    pub(super) next_in_s: u32,
}

impl Bucket {
    /// Takes one request, if there is one.
    pub(super) fn draw(&mut self, rate: Rate, now: Duration) -> Drawn {
        let (per_s, whole) = (u64::from(rate.per_s.max(1)), u64::from(rate.burst.max(1)) * 1_000);
        let elapsed = u64::try_from(now.saturating_sub(self.at).as_millis()).unwrap_or(u64::MAX);
        // A bucket that was made smaller is empty, no less. So many a second are as many thousandths a millisecond.
        self.taken = self.taken.min(whole).saturating_sub(elapsed.saturating_mul(per_s));
        // Never back: what was counted as flown in must not flow in twice.
        self.at = self.at.max(now);
        let is_allowed = self.taken + 1_000 <= whole;
        if is_allowed {
            self.taken += 1_000;
        }
        let left = whole - self.taken;
        let seconds = |thousandths: u64| u32::try_from(thousandths.div_ceil(per_s * 1_000)).unwrap_or(u32::MAX);
        Drawn {
            is_allowed,
            left: u32::try_from(left / 1_000).unwrap_or(u32::MAX),
            full_in_s: seconds(self.taken),
            next_in_s: seconds(1_000_u64.saturating_sub(left)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_s: 2, burst: 3 };

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_burst_is_let_through_and_then_as_many_as_flow_in() {
        let mut bucket = Bucket::default();
        let drawn: Vec<_> = (0..4).map(|_| bucket.draw(RATE, at(0))).map(|d| (d.is_allowed, d.left)).collect();
        assert_eq!(drawn, [(true, 2), (true, 1), (true, 0), (false, 0)]);
        assert!(!bucket.draw(RATE, at(499)).is_allowed);
        assert!(bucket.draw(RATE, at(500)).is_allowed);
        assert!(!bucket.draw(RATE, at(999)).is_allowed);
        assert!(bucket.draw(RATE, at(1_000)).is_allowed);
    }

    #[test]
    fn it_says_when_to_come_back_in_whole_seconds() {
        let mut bucket = Bucket::default();
        let slow = Rate { per_s: 1, burst: 2 };
        let first = bucket.draw(slow, at(0));
        assert_eq!((first.next_in_s, first.full_in_s), (0, 1));
        let last = bucket.draw(slow, at(0));
        assert_eq!((last.is_allowed, last.next_in_s, last.full_in_s), (true, 1, 2));
        let refused = bucket.draw(slow, at(100));
        assert_eq!((refused.is_allowed, refused.next_in_s, refused.full_in_s), (false, 1, 2));
    }

    #[test]
    fn it_never_holds_more_than_its_burst_and_no_time_is_counted_twice() {
        let mut bucket = Bucket::default();
        assert_eq!(bucket.draw(RATE, at(1_000_000)).left, 2);
        assert_eq!(bucket.draw(RATE, at(0)).left, 1, "a clock that steps back gives nothing");
        assert_eq!(bucket.draw(RATE, at(1_000_000)).left, 0, "nor does its return");
    }

    #[test]
    fn a_smaller_burst_holds_at_once() {
        let mut bucket = Bucket::default();
        for _ in 0..3 {
            bucket.draw(RATE, at(0));
        }
        let smaller = Rate { per_s: 1, burst: 1 };
        assert!(!bucket.draw(smaller, at(999)).is_allowed);
        assert!(bucket.draw(smaller, at(1_000)).is_allowed);
    }
}
