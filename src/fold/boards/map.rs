//! How many members hold each value of a board, in pages.
//!
//! A page is a node of the binary trie over the value. A node is a page iff it holds 1 to 1,024 distinct values and its
//! parent holds more: the layout is a function of the content, whatever the way there.

use std::collections::{BTreeMap, BTreeSet};

/// Distinct values of one page.
pub const PAGE_VALUES_MAX: usize = 1_024;
/// The whole range of values: 0 up to 2⁶³.
pub const WHOLE_BITS: u8 = 63;

/// A page as the root lists it: the values `low..low + 2^bits`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageHead {
    pub low: i64,
    pub bits: u8,
    pub members: u64,
}

impl PageHead {
    /// Whether it is the page for `value`.
    pub const fn holds(&self, value: i64) -> bool {
        value >= self.low && value <= last(self.low, self.bits)
    }
}

/// A page's values and how many members hold each, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub low: i64,
    pub bits: u8,
    pub values: Vec<(i64, u32)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Node {
    bits: u8,
    distinct: usize,
    members: u64,
}

/// Counts by value, and what of it must be written.
#[derive(Debug, Default)]
pub struct CountMap {
    values: BTreeMap<i64, u32>,
    pages: BTreeMap<i64, Node>,
    /// Spans of values that members passed, or whose pages were laid out anew.
    dirty: Vec<(i64, i64)>,
}

impl CountMap {
    /// One member more holds `value`, which is above 0.
    pub fn add(&mut self, value: i64) {
        let count = self.values.entry(value).or_default();
        *count += 1;
        let is_new = *count == 1;
        let low = self.page_of(value).unwrap_or_else(|| self.make_page(value));
        let Some(page) = self.pages.get_mut(&low) else { return };
        page.members += 1;
        page.distinct += usize::from(is_new);
        if page.distinct > PAGE_VALUES_MAX {
            let bits = page.bits;
            self.pages.remove(&low);
            self.dirty.push((low, last(low, bits)));
            self.lay_out(low, bits);
        }
    }

    /// One member less holds `value`.
    pub fn remove(&mut self, value: i64) {
        let Some(count) = self.values.get_mut(&value) else { return };
        *count -= 1;
        let is_gone = *count == 0;
        if is_gone {
            self.values.remove(&value);
        }
        let Some(low) = self.page_of(value) else { return };
        let Some(page) = self.pages.get_mut(&low) else { return };
        page.members -= 1;
        page.distinct -= usize::from(is_gone);
        if is_gone {
            let Node { bits, distinct, .. } = *page;
            if distinct == 0 {
                self.pages.remove(&low);
            }
            self.merge(low, bits);
        }
    }

    /// Pages that overlap `low..=high` must be written.
    pub fn mark(&mut self, low: i64, high: i64) {
        self.dirty.push((low, high));
    }

    /// The greatest value whose page must be written; `None`: nothing must.
    pub fn highest_dirty(&self) -> Option<i64> {
        self.dirty.iter().map(|(_, high)| *high).max()
    }

    /// What must be written; then nothing must.
    pub fn take_dirty(&mut self) -> Vec<Page> {
        let mut spans = std::mem::take(&mut self.dirty);
        spans.sort_unstable();
        let mut lows = BTreeSet::new();
        let mut done = -1;
        for (low, high) in spans.into_iter().filter(|(low, high)| low <= high) {
            // What is behind `done` is known already.
            if high <= done {
                continue;
            }
            let from = low.max(done + 1);
            let first = self.page_of(from).unwrap_or(from);
            lows.extend(self.pages.range(first..=high).map(|(low, _)| *low));
            done = high;
        }
        lows.into_iter().filter_map(|low| self.page(low)).collect()
    }

    /// The page that begins at `low`.
    pub fn page(&self, low: i64) -> Option<Page> {
        let bits = self.pages.get(&low)?.bits;
        let values = self.values.range(low..=last(low, bits)).map(|(value, count)| (*value, *count)).collect();
        Some(Page { low, bits, values })
    }

    /// All pages, ascending.
    pub fn heads(&self) -> Vec<PageHead> {
        let head = |(low, node): (&i64, &Node)| PageHead { low: *low, bits: node.bits, members: node.members };
        self.pages.iter().map(head).collect()
    }

    fn page_of(&self, value: i64) -> Option<i64> {
        let (low, node) = self.pages.range(..=value).next_back()?;
        (value <= last(*low, node.bits)).then_some(*low)
    }

    /// The page for a value that none holds: the largest node around it without a page.
    fn make_page(&mut self, value: i64) -> i64 {
        let (mut low, mut bits) = (0, WHOLE_BITS);
        while self.pages.range(low..=last(low, bits)).next().is_some() {
            bits -= 1;
            let half = 1_i64 << bits;
            if value - low >= half {
                low += half;
            }
        }
        self.pages.insert(low, Node { bits, distinct: 0, members: 0 });
        low
    }

    /// Pages of the node, none of which is there.
    fn lay_out(&mut self, low: i64, bits: u8) {
        let (mut distinct, mut members) = (0, 0);
        for count in self.values.range(low..=last(low, bits)).map(|(_, count)| *count) {
            distinct += 1;
            members += u64::from(count);
        }
        if distinct == 0 {
            return;
        }
        if distinct <= PAGE_VALUES_MAX {
            self.pages.insert(low, Node { bits, distinct, members });
            return;
        }
        let half = bits - 1;
        self.lay_out(low, half);
        self.lay_out(low + (1 << half), half);
    }

    /// As long as the parent of a node would be a page, it becomes one.
    fn merge(&mut self, mut low: i64, mut bits: u8) {
        while bits < WHOLE_BITS {
            bits += 1;
            low &= !last(0, bits);
            let end = last(low, bits);
            let (mut distinct, mut members) = (0, 0);
            for node in self.pages.range(low..=end).map(|(_, node)| node) {
                distinct += node.distinct;
                members += node.members;
                if distinct > PAGE_VALUES_MAX {
                    return;
                }
            }
            while let Some(inner) = self.pages.range(low..=end).next().map(|(low, _)| *low) {
                self.pages.remove(&inner);
            }
            if distinct > 0 {
                self.pages.insert(low, Node { bits, distinct, members });
            }
            self.dirty.push((low, end));
        }
    }
}

/// The last value of a node.
const fn last(low: i64, bits: u8) -> i64 {
    if bits >= WHOLE_BITS { i64::MAX } else { low + ((1 << bits) - 1) }
}
