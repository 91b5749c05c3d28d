//! A member's figures on boards, as its row holds them.

use super::totals::{put_unsigned, take_unsigned};
use crate::fold::boards::{Measure, Window, cells};
use crate::fold::records::{Score, ScoreKey};

/// Of one window: its value, and when that was last added to or taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Held {
    pub value: i64,
    pub reached_at: i64,
}

/// One figure of a member in every window that holds anything above 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberScore {
    pub measure: Measure,
    /// The newest local day booked; periods are told by it.
    pub day: i32,
    /// Rolling windows hold the days before this one, or before any later one up to which the creator is swept.
    pub rolled: i32,
    /// In the order of [`cells`].
    held: [Held; CELLS],
}

/// All of time, three days, weeks and months, and the two rolling windows.
const CELLS: usize = 12;

impl MemberScore {
    pub(super) fn new(key: ScoreKey, score: &Score) -> Self {
        let mut held = [Held::default(); CELLS];
        for (place, (_, _, cell)) in held.iter_mut().zip(cells(score)) {
            if cell.value > 0 {
                *place = Held { value: cell.value, reached_at: cell.reached };
            }
        }
        Self { measure: Measure(key.measure), day: score.day, rolled: score.rolled, held }
    }

    /// Whether it holds anything.
    pub(super) fn is_empty(&self) -> bool {
        self.held.iter().all(|held| held.value == 0)
    }

    /// What a window holds in a period, or nothing.
    pub fn in_window(&self, window: Window, period: i32) -> Held {
        let periods = Score { day: self.day, ..bytemuck::Zeroable::zeroed() };
        let place = cells(&periods).position(|(w, p, _)| (w, p) == (window, period));
        place.and_then(|place| self.held.get(place)).copied().unwrap_or_default()
    }
}

/// Appends: the number of figures, then of each its number, day and `rolled`, a bit mask of the windows that hold
/// anything, the greatest instant, and per window its value and how long before that instant it was reached.
pub(super) fn pack(scores: &[MemberScore], out: &mut Vec<u8>) {
    put_unsigned(out, wide(scores.len()));
    for score in scores {
        put_unsigned(out, u128::from(score.measure.0));
        put_signed(out, score.day);
        put_signed(out, score.rolled);
        let bits = score.held.iter().enumerate().map(|(place, held)| u128::from(held.value != 0) << place);
        put_unsigned(out, bits.sum());
        let newest = score.held.iter().map(|held| held.reached_at).max().unwrap_or_default();
        put_unsigned(out, wide(newest));
        for held in score.held.iter().filter(|held| held.value != 0) {
            put_unsigned(out, wide(held.value));
            put_unsigned(out, wide(newest - held.reached_at));
        }
    }
}

/// `None`: damage. Nothing reads as no figures: a writer that did not know them.
pub(super) fn unpack(mut bytes: &[u8]) -> Option<Vec<MemberScore>> {
    if bytes.is_empty() {
        return Some(Vec::new());
    }
    let count = take_unsigned(&mut bytes)?;
    let mut scores = Vec::new();
    for _ in 0..count {
        scores.push(take(&mut bytes)?);
    }
    Some(scores)
}

fn take(bytes: &mut &[u8]) -> Option<MemberScore> {
    let measure = Measure(u32::try_from(take_unsigned(bytes)?).ok()?);
    let (day, rolled) = (take_signed(bytes)?, take_signed(bytes)?);
    let (mask, newest) = (take_unsigned(bytes)?, i64::try_from(take_unsigned(bytes)?).ok()?);
    let mut held = [Held::default(); CELLS];
    for (place, held) in held.iter_mut().enumerate() {
        if mask >> place & 1 == 1 {
            let value = i64::try_from(take_unsigned(bytes)?).ok()?;
            let before = i64::try_from(take_unsigned(bytes)?).ok()?;
            *held = Held { value, reached_at: newest.checked_sub(before)? };
        }
    }
    Some(MemberScore { measure, day, rolled, held })
}

fn put_signed(out: &mut Vec<u8>, value: i32) {
    put_unsigned(out, u128::from(((value << 1) ^ (value >> 31)).cast_unsigned()));
}

fn take_signed(bytes: &mut &[u8]) -> Option<i32> {
    let zigzag = u32::try_from(take_unsigned(bytes)?).ok()?;
    Some((zigzag >> 1).cast_signed() ^ -((zigzag & 1).cast_signed()))
}

/// Values, times and lengths are not negative here.
fn wide<T: TryInto<u128>>(value: T) -> u128 {
    value.try_into().unwrap_or_default()
}
