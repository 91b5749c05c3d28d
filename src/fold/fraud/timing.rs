//! Whether gaps between clicks are as alike as a machine's.

/// Gaps in a row between clicks of one actor, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gaps {
    pub count: u32,
    pub sum: u64,
    pub sum_of_squares: u128,
}

impl Gaps {
    /// How many are compared.
    pub const COUNT: u32 = 20;

    pub fn of(gaps: impl IntoIterator<Item = u64>) -> Self {
        gaps.into_iter().fold(Self::default(), Self::with)
    }

    fn with(self, gap: u64) -> Self {
        Self {
            count: self.count + 1,
            sum: self.sum + gap,
            sum_of_squares: self.sum_of_squares + u128::from(gap) * u128::from(gap),
        }
    }

    /// In milliseconds, rounded down; 0 of none.
    pub fn mean(&self) -> u64 {
        self.sum.checked_div(u64::from(self.count)).unwrap_or_default()
    }

    /// The coefficient of variation (standard deviation by mean) in hundredths, rounded down.
    ///
    /// Its square is (n·Σg² − (Σg)²) / (Σg)².
    pub fn variation(&self) -> u64 {
        let square = u128::from(self.sum) * u128::from(self.sum);
        let above = (u128::from(self.count) * self.sum_of_squares).saturating_sub(square);
        let hundredths = above.saturating_mul(10_000).checked_div(square).unwrap_or_default();
        u64::try_from(hundredths.isqrt()).unwrap_or(u64::MAX)
    }
}
