//! The breakdowns of an hour or a day: in a row beside it, and where that is too much, in one more for each axis.
//!
//! What no value is known of is not written: `(none)` is what the other groups leave of the totals, slot by slot.

use std::ops::Range;

use bytes::Bytes;

use crate::fold::groups::dimension::Axis;
use crate::fold::groups::view::{axes, group_of};
use crate::fold::groups::{LATE, NONE, OTHER, Quarters};
use crate::fold::records::PAIRS;
use crate::fold::state::State;
use crate::ids::Next;

use super::build::totals;
use super::codec::{Malformed, Reader, Writer};
use super::tables::GROUPS;
use super::totals::{Totals, put_unsigned, take_unsigned};
use super::words::Words;

/// Breakdowns that weigh more have a row for each axis.
const HERE_MAX: usize = 16_384;
/// Bytes that the sums of a slot are reckoned at, and those of each of its currencies.
const SLOT_BYTES: usize = 12;
const CURRENCY_BYTES: usize = 16;
/// Bytes that a group is reckoned at, beside its texts.
const GROUP_BYTES: usize = 4;

/// The value of one dimension.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// Not known.
    None,
    /// Beyond what a day keeps apart.
    Other,
    Text(String),
}

/// The figures of one value, or of two together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub a: Value,
    /// Of the second dimension of a pair.
    pub b: Option<Value>,
    /// Slot number within the row, in quarter hours, ascending; slots without figures are left out.
    pub slots: Vec<(u16, Totals)>,
}

/// The row [`GROUPS`] of an hour or a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupsRow {
    pub at: Next,
    pub breakdowns: Breakdowns,
}

/// What breakdowns there are, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Breakdowns {
    /// No value of anything is known: whatever is asked for, all is `(none)`.
    Bare,
    Here {
        /// Pairs that are kept of the day.
        pairs: Vec<Axis>,
        /// In order of their part; an axis without a group is not there.
        axes: Vec<(Axis, Vec<Group>)>,
    },
    /// In rows of their own; an axis without groups has none.
    Apart { pairs: Vec<Axis>, axes: Vec<Axis> },
}

/// A row of one axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartRow {
    pub at: Next,
    pub groups: Vec<Group>,
}

/// The breakdowns of some quarter hours of one UTC day, before they are laid out.
pub(super) struct Built {
    /// `None`: nothing has figures here.
    pairs: Option<[u8; PAIRS]>,
    /// A combination was counted here, whatever is left of it.
    pub(super) has_combos: bool,
    /// By part, ascending: the groups as rows hold them.
    axes: Vec<(u8, Vec<u8>)>,
    weight: usize,
}

/// A combination's share in a slot of a group: ordinals of values, slot, place of the figures, as one number to sort by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Share(u128);

impl Share {
    fn new((a, b): (u32, u32), slot: u16, place: u32) -> Self {
        Self(u128::from(a) << 80 | u128::from(b) << 48 | u128::from(slot) << 32 | u128::from(place))
    }

    const fn group(self) -> u128 {
        self.0 >> 48
    }

    fn values(self) -> (u32, u32) {
        (low(self.0 >> 80), low(self.0 >> 48))
    }

    fn slot(self) -> u16 {
        u16::try_from(self.0 >> 32 & 0xffff).unwrap_or_default()
    }

    fn place(self) -> usize {
        usize::try_from(low(self.0)).unwrap_or_default()
    }
}

fn low(number: u128) -> u32 {
    u32::try_from(number & u128::from(u32::MAX)).unwrap_or_default()
}

/// A value as rows are in order of it: none, other, then texts.
type Label<'a> = (u8, &'a str);

/// What combinations count in slots, each as rows hold it too: most stand in a group of every axis, alone in its slot.
#[derive(Default)]
struct Figures {
    totals: Vec<Totals>,
    packed: Vec<u8>,
    /// Where each begins in `packed`.
    starts: Vec<usize>,
}

/// Adds up the combinations of `quarters`, which are of one UTC day.
pub(super) fn build(
    state: &State,
    (words, lately): (&mut Words, &Quarters),
    creator: u32,
    quarters: Range<i32>,
) -> Built {
    let mut built = Built { pairs: None, has_combos: false, axes: Vec::new(), weight: 0 };
    let Some(day) = state.group_day(creator, (quarters.start % LATE).div_euclid(96)) else { return built };
    let pairs = day.pairs;
    let (mut figures, mut cells) = (Figures::default(), Vec::new());
    words.make_room();
    for (slot, quarter) in (0_u16..).zip(quarters) {
        for found in state.combos_of_quarter(lately, creator, quarter) {
            let place = u32::try_from(figures.totals.len()).unwrap_or(u32::MAX);
            cells.push((words.combo(state, creator, found.combo), found.others, slot, place));
            figures.push(totals(&found.sums));
        }
    }
    built.has_combos = !cells.is_empty();
    let mut shares = Vec::with_capacity(cells.len());
    for (number, axis) in axes(&pairs).enumerate() {
        let Some(axis) = axis else { continue };
        let part = axis.part();
        shares.clear();
        for (combo, others, slot, place) in &cells {
            let values = group_of(combo, axis, others >> number & 1 == 1);
            if values != (NONE, NONE) {
                shares.push(Share::new(values, *slot, *place));
            }
        }
        if shares.is_empty() {
            continue;
        }
        shares.sort_unstable();
        let groups = shares.chunk_by(|one, other| one.group() == other.group());
        for share in groups.clone().filter_map(|shares| shares.first()) {
            let (a, b) = share.values();
            [a, b].into_iter().filter(|value| *value > OTHER).for_each(|value| words.learn(state, creator, value));
        }
        let label = |value| match value {
            NONE | OTHER => (u8::try_from(value).unwrap_or_default(), ""),
            value => (2, words.text(creator, value)),
        };
        let labelled = groups.filter_map(|shares| {
            let (a, b) = shares.first()?.values();
            Some((label(a), (part > LAST_DIMENSION).then(|| label(b)), shares))
        });
        let mut groups: Vec<(Label<'_>, Option<Label<'_>>, &[Share])> = labelled.collect();
        groups.sort_unstable_by_key(|(a, b, _)| (*a, *b));
        let mut packed = Vec::new();
        let mut count = 0;
        for (a, b, shares) in groups {
            built.weight += GROUP_BYTES + weight(a) + b.map_or(0, weight);
            count += usize::from(figures.pack((a, b), shares, &mut packed, &mut built.weight));
        }
        let mut axis = Vec::with_capacity(packed.len() + 4);
        put_count(&mut axis, count);
        axis.extend_from_slice(&packed);
        built.axes.push((part, axis));
    }
    // In order of their part, whatever the order of the pairs.
    built.axes.sort_unstable_by_key(|(part, _)| *part);
    built.pairs = (!built.axes.is_empty()).then_some(pairs);
    built
}

/// Parts up to here are of one dimension.
const LAST_DIMENSION: u8 = 15;

const fn weight((_, text): Label<'_>) -> usize {
    text.len() + 1
}

impl Figures {
    fn push(&mut self, totals: Totals) {
        self.starts.push(self.packed.len());
        totals.pack(&mut self.packed);
        self.totals.push(totals);
    }

    fn packed(&self, place: usize) -> &[u8] {
        let from = self.starts.get(place).copied().unwrap_or_default();
        let to = self.starts.get(place + 1).copied().unwrap_or(self.packed.len());
        self.packed.get(from..to).unwrap_or_default()
    }

    /// The shares of one group, added up slot by slot; false if nothing is left of it.
    fn pack(
        &self,
        (a, b): (Label<'_>, Option<Label<'_>>),
        shares: &[Share],
        out: &mut Vec<u8>,
        weight: &mut usize,
    ) -> bool {
        let (mut slots, mut count) = (Vec::new(), 0);
        for shares in shares.chunk_by(|one, other| one.slot() == other.slot()) {
            let Some(share) = shares.first() else { continue };
            let (slot, place) = (share.slot(), share.place());
            let Some(first) = self.totals.get(place) else { continue };
            let mut added = None;
            for share in shares.iter().skip(1) {
                let more = self.totals.get(share.place());
                more.into_iter().for_each(|more| added.get_or_insert_with(|| first.clone()).add(more));
            }
            let sums = added.as_ref().unwrap_or(first);
            // Reckoned, not measured: what is reckoned never shrinks, so rows once written are never left behind.
            *weight += SLOT_BYTES + CURRENCY_BYTES * sums.money.len();
            if sums.is_zero() {
                continue;
            }
            count += 1;
            put_unsigned(&mut slots, u128::from(slot));
            match added {
                Some(added) => added.pack(&mut slots),
                None => slots.extend_from_slice(self.packed(place)),
            }
        }
        if count == 0 {
            return false;
        }
        pack_label(out, a);
        // Nothing is a pair's second value more often than not: the mark says whether there is one at all.
        out.push(u8::from(b.is_some()));
        b.into_iter().for_each(|b| pack_label(out, b));
        put_count(out, count);
        out.extend_from_slice(&slots);
        true
    }
}

impl Value {
    /// As answers show it.
    pub fn label(&self) -> &str {
        match self {
            Self::None => "(none)",
            Self::Other => "(other)",
            Self::Text(text) => text,
        }
    }
}

impl Built {
    /// Values of the rows, by part.
    pub(super) fn parts(&self, at: Next) -> Vec<(u16, Bytes)> {
        let row = |cell: &[u8]| {
            let at = i64::try_from(at.0).expect("a log has fewer than 2^63 records");
            Writer::default().int(at).blob(cell).finish()
        };
        let (mut cell, mut parts) = (Vec::new(), Vec::new());
        if let Some(pairs) = self.pairs {
            let is_here = self.weight <= HERE_MAX;
            cell.push(u8::from(is_here));
            cell.extend_from_slice(&pairs);
            cell.push(u8::try_from(self.axes.len()).unwrap_or_default());
            for (part, groups) in &self.axes {
                cell.push(*part);
                if is_here {
                    cell.extend_from_slice(groups);
                } else {
                    parts.push((u16::from(*part), row(groups)));
                }
            }
        }
        parts.push((GROUPS, row(&cell)));
        parts
    }
}

impl GroupsRow {
    pub fn decode(row: &[u8]) -> Result<Self, Malformed> {
        let (at, mut cell) = decode_part(row)?;
        let breakdowns = match cell {
            [] => Breakdowns::Bare,
            _ => Breakdowns::take(&mut cell).ok_or(Malformed { field: 2 })?,
        };
        Ok(Self { at, breakdowns })
    }
}

fn decode_part(row: &[u8]) -> Result<(Next, &[u8]), Malformed> {
    let mut fields = Reader::new(row);
    let at = u64::try_from(fields.int()?).map(Next).map_err(|_| Malformed { field: 1 })?;
    Ok((at, fields.field()?.unwrap_or_default()))
}

impl Breakdowns {
    fn take(cell: &mut &[u8]) -> Option<Self> {
        let (is_here, rest) = cell.split_first()?;
        let (pairs, rest) = rest.split_first_chunk::<PAIRS>()?;
        let (count, rest) = rest.split_first()?;
        *cell = rest;
        let pairs = pairs.iter().filter_map(|part| Axis::of_part(*part)).collect();
        let (mut here, mut apart) = (Vec::new(), Vec::new());
        for _ in 0..*count {
            let (part, rest) = cell.split_first()?;
            *cell = rest;
            let axis = Axis::of_part(*part)?;
            if *is_here == 1 {
                here.push((axis, unpack(cell)?));
            } else {
                apart.push(axis);
            }
        }
        Some(if *is_here == 1 { Self::Here { pairs, axes: here } } else { Self::Apart { pairs, axes: apart } })
    }
}

impl PartRow {
    /// Of the value of a row of one axis.
    pub fn decode(row: &[u8]) -> Result<Self, Malformed> {
        let (at, mut packed) = decode_part(row)?;
        Ok(Self { at, groups: unpack(&mut packed).ok_or(Malformed { field: 2 })? })
    }
}

fn unpack(bytes: &mut &[u8]) -> Option<Vec<Group>> {
    let mut groups = Vec::new();
    for _ in 0..take_unsigned(bytes)? {
        let a = unpack_value(bytes)?;
        let (has_b, rest) = bytes.split_first()?;
        *bytes = rest;
        let b = if *has_b == 1 { Some(unpack_value(bytes)?) } else { None };
        let mut slots = Vec::new();
        for _ in 0..take_unsigned(bytes)? {
            let slot = u16::try_from(take_unsigned(bytes)?).ok()?;
            slots.push((slot, Totals::unpack(bytes)?));
        }
        groups.push(Group { a, b, slots });
    }
    Some(groups)
}

/// 0 none, 1 other, else the length of the text plus two and the text.
fn pack_label(out: &mut Vec<u8>, (kind, text): Label<'_>) {
    put_count(out, usize::from(kind) + text.len());
    out.extend_from_slice(text.as_bytes());
}

fn unpack_value(bytes: &mut &[u8]) -> Option<Value> {
    let len = match take_unsigned(bytes)? {
        0 => return Some(Value::None),
        1 => return Some(Value::Other),
        long => usize::try_from(long - 2).ok()?,
    };
    let (text, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some(Value::Text(std::str::from_utf8(text).ok()?.to_owned()))
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    put_unsigned(out, u128::try_from(count).unwrap_or_default());
}
