//! Several members share one conversion: who they are, and how its money splits (SEMANTICS §7).

use super::Turn;
use super::records::{Conversion, CreditPage, CreditPageKey, NONE};
use super::state::FOR_EVER;
use crate::keep::Id128;

/// Members in one page of a shared credit.
pub const PAGE: usize = 16;

/// Part `i` of `n` of an amount, by cumulative floor of its magnitude: the parts sum to the whole. 1000 over 3 is
/// 333, 333, 334.
pub fn part(amount: i128, i: usize, n: usize) -> i128 {
    let n = u128::try_from(n.max(1)).unwrap_or(1);
    let i = u128::try_from(i).unwrap_or_default();
    let magnitude = amount.unsigned_abs();
    // The same as ⌊A·k/n⌋, without a product wider than the amount.
    let up_to = |k: u128| magnitude / n * k + magnitude % n * k / n;
    let part = (up_to(i + 1) - up_to(i)).cast_signed();
    if amount < 0 { -part } else { part }
}

impl Turn<'_> {
    /// Whom a conversion is credited to, the primary last.
    pub(super) fn credited(&self, id: Id128, conversion: &Conversion) -> Vec<u32> {
        self.state.credited(id, conversion)
    }

    pub(super) fn write_credited(&mut self, id: Id128, members: &[u32]) {
        for (page, some) in (0..).zip(members.chunks(PAGE)) {
            let mut record = CreditPage { members: [NONE; PAGE] };
            record.members.iter_mut().zip(some).for_each(|(place, n)| *place = *n);
            self.state.credit_pages.put(&CreditPageKey { conversion: id, page }, record, self.t);
        }
    }
}

impl super::state::State {
    /// Whom a conversion is credited to, the primary last.
    pub fn credited(&self, id: Id128, conversion: &Conversion) -> Vec<u32> {
        if conversion.n == NONE {
            return Vec::new();
        }
        let parts = usize::try_from(conversion.parts).unwrap_or_default();
        if parts <= 1 {
            return vec![conversion.n];
        }
        let mut members = Vec::with_capacity(parts);
        for page in (0..).take(parts.div_ceil(PAGE)) {
            let Some(page) = self.credit_pages.get(&CreditPageKey { conversion: id, page }, FOR_EVER) else { break };
            members.extend(page.members.into_iter().filter(|n| *n != NONE));
        }
        members
    }
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn parts_sum_to_the_whole_and_differ_by_one_at_most() {
        assert_eq!([0, 1, 2].map(|i| part(1000, i, 3)), [333, 333, 334]);
        assert_eq!([0, 1, 2].map(|i| part(-1000, i, 3)), [-333, -333, -334]);
        for n in 1..40 {
            for amount in [0, 1, 7, 999, i128::from(i64::MAX), i128::from(i64::MIN), i128::MAX] {
                let parts: Vec<i128> = (0..n).map(|i| part(amount, i, n)).collect();
                assert_eq!(parts.iter().sum::<i128>(), amount);
                let spread = parts.iter().max().zip(parts.iter().min()).map(|(most, least)| most - least);
                assert!(spread <= Some(1), "{amount} over {n}: {parts:?}");
            }
        }
    }
}
