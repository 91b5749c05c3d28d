//! The members at the top of a board, in its order.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::fold::records::Cell;

/// Members that a board's row names.
pub const TOP: usize = 256;
/// More are held, so that those who fall are followed by others without looking at all members again.
const HELD_MAX: usize = 2 * TOP;

/// The order of a board: value down, earlier reached first, then who joined first.
pub type Order = (Reverse<i64>, i64, u32);

/// A member on a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub n: u32,
    pub value: i64,
    /// Milliseconds since 1970.
    pub reached: i64,
}

impl Place {
    pub const fn order(&self) -> Order {
        (Reverse(self.value), self.reached, self.n)
    }
}

/// Everybody up to some place of a board.
#[derive(Debug, Default)]
pub(super) struct Top {
    held: BTreeSet<Order>,
    /// Whoever comes behind it is left out; none: nobody is.
    last: Option<Order>,
}

impl Top {
    /// A member holds a value; none above 0 has no place.
    pub(super) fn enter(&mut self, n: u32, cell: Cell) {
        let order = order(n, cell);
        if cell.value <= 0 || self.last.is_some_and(|last| order > last) {
            return;
        }
        self.held.insert(order);
        if self.held.len() > HELD_MAX {
            self.held.pop_last();
            self.last = self.held.last().copied();
        }
    }

    pub(super) fn leave(&mut self, n: u32, cell: Cell) {
        self.held.remove(&order(n, cell));
    }

    /// Some who belong to the top have been left out before: all members must be looked at again.
    pub(super) fn is_short(&self) -> bool {
        self.last.is_some() && self.held.len() < TOP
    }

    /// The least value that has a place in the row.
    pub(super) fn least(&self) -> i64 {
        self.held.iter().nth(TOP - 1).map_or(0, |(value, ..)| value.0)
    }

    pub(super) fn places(&self) -> Vec<Place> {
        let place = |(value, reached, n): &Order| Place { n: *n, value: value.0, reached: *reached };
        self.held.iter().take(TOP).map(place).collect()
    }
}

const fn order(n: u32, cell: Cell) -> Order {
    (Reverse(cell.value), cell.reached, n)
}
