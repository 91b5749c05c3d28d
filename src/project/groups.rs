//! The breakdowns of an hour or a day: in its row as long as they are small, else in one more row for each axis.
//!
//! What no value is known of is not written: `(none)` is what the other groups leave of the totals, slot by slot.

use std::ops::Range;

use bytes::Bytes;

use crate::fold::groups::dimension::Axis;
use crate::fold::groups::view::{axes, group_of};
use crate::fold::groups::{NONE, OTHER};
use crate::fold::records::PAIRS;
use crate::fold::state::State;
use crate::ids::Next;

use super::build::totals;
use super::codec::{Malformed, Reader, Writer};
use super::totals::{Totals, put_unsigned, take_unsigned};
use super::words::Words;

/// Breakdowns that weigh more leave the row for rows of their own.
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

/// What a row says of its breakdowns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Breakdowns {
    /// No value of anything is known: whatever is asked for, all is `(none)`.
    Bare,
    Here {
        /// Pairs that are kept here.
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

/// A combination's share in a slot of a group: the part of the axis, ordinals of values, slot, place of the figures.
type Share = (u8, u32, u32, u16, usize);

/// The breakdowns of some quarter hours of one UTC day, before they are laid out.
pub(super) struct Built {
    /// `None`: nothing has figures here.
    pairs: Option<[u8; PAIRS]>,
    axes: Vec<(Axis, Vec<Group>)>,
    weight: usize,
}

/// Adds up the combinations of `quarters`, which are of one UTC day.
pub(super) fn build(state: &State, words: &mut Words, creator: u32, quarters: Range<i32>) -> Built {
    let Some(pairs) = state.pairs_of_day(creator, quarters.start.div_euclid(96)) else {
        return Built { pairs: None, axes: Vec::new(), weight: 0 };
    };
    let all: Vec<(usize, Axis)> = axes(&pairs).enumerate().filter_map(|(place, axis)| Some((place, axis?))).collect();
    let (mut figures, mut shares) = (Vec::<Totals>::new(), Vec::<Share>::new());
    for (slot, quarter) in (0_u16..).zip(quarters) {
        for found in state.combos_of_quarter(creator, quarter) {
            let combo = words.combo(state, creator, found.combo);
            for (place, axis) in &all {
                let (a, b) = group_of(&combo, *axis, found.others >> place & 1 == 1);
                if (a, b) != (NONE, NONE) {
                    shares.push((axis.part(), a, b, slot, figures.len()));
                }
            }
            figures.push(totals(&found.sums));
        }
    }
    shares.sort_unstable();
    let mut built = Built { pairs: None, axes: Vec::new(), weight: 0 };
    for shares in shares.chunk_by(|one, other| one.0 == other.0) {
        let groups = shares.chunk_by(|one, other| (one.1, one.2) == (other.1, other.2));
        let groups = groups.filter_map(|shares| group(&mut built.weight, (state, words, creator), shares, &figures));
        let mut groups: Vec<Group> = groups.collect();
        groups.retain(|group| !group.slots.is_empty());
        groups.sort_unstable_by(|one, other| (&one.a, &one.b).cmp(&(&other.a, &other.b)));
        built.axes.extend(shares.first().and_then(|share| Axis::of_part(share.0)).map(|axis| (axis, groups)));
    }
    built.pairs = (!built.axes.is_empty()).then_some(pairs);
    built
}

/// The shares of one group, added up slot by slot, with texts for ordinals.
fn group(
    weight: &mut usize,
    (state, words, creator): (&State, &mut Words, u32),
    shares: &[Share],
    figures: &[Totals],
) -> Option<Group> {
    let (part, a, b, ..) = *shares.first()?;
    let mut value = |value| match value {
        NONE => Value::None,
        OTHER => Value::Other,
        value => Value::Text(words.text(state, creator, value).to_owned()),
    };
    let (a, b) = (value(a), (part > 15).then(|| value(b)));
    *weight += GROUP_BYTES + a.len() + b.as_ref().map_or(0, Value::len);
    let mut slots = Vec::new();
    for shares in shares.chunk_by(|one, other| one.3 == other.3) {
        let mut sums = Totals::default();
        shares.iter().filter_map(|share| figures.get(share.4)).for_each(|figures| sums.add(figures));
        // Reckoned, not measured: what is reckoned never shrinks, so rows once written are never left behind.
        *weight += SLOT_BYTES + CURRENCY_BYTES * sums.money.len();
        slots.extend(shares.first().filter(|_| !sums.is_zero()).map(|share| (share.3, sums)));
    }
    Some(Group { a, b, slots })
}

impl Value {
    fn len(&self) -> usize {
        match self {
            Self::None | Self::Other => 1,
            Self::Text(text) => text.len() + 1,
        }
    }

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
    /// Values of the rows: part 0 is `row` with the breakdowns, or where they are, as its last field.
    pub(super) fn parts(&self, at: Next, row: &Bytes) -> Vec<(u8, Bytes)> {
        let mut cell = Vec::new();
        let Some(pairs) = self.pairs else { return vec![(0, row.clone())] };
        let is_here = self.weight <= HERE_MAX;
        cell.push(u8::from(is_here));
        cell.extend_from_slice(&pairs);
        cell.push(u8::try_from(self.axes.len()).unwrap_or_default());
        let mut parts = Vec::new();
        for (axis, groups) in &self.axes {
            cell.push(axis.part());
            if is_here {
                pack(&mut cell, groups);
            } else {
                let mut packed = Vec::new();
                pack(&mut packed, groups);
                let at = i64::try_from(at.0).expect("a log has fewer than 2^63 records");
                parts.push((axis.part(), Writer::default().int(at).blob(&packed).finish()));
            }
        }
        let last = Writer::default().blob(&cell).finish();
        parts.push((0, Bytes::from([row.as_ref(), last.as_ref()].concat())));
        parts
    }
}

impl Breakdowns {
    /// Of the value of an hour's or a day's row: the field behind its slots.
    pub fn decode(row: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Reader::new(row);
        for _ in 0..3 {
            fields.field()?;
        }
        let Some(mut cell) = fields.field()? else { return Ok(Self::Bare) };
        Self::take(&mut cell).ok_or(Malformed { field: 4 })
    }

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
        let mut fields = Reader::new(row);
        let at = u64::try_from(fields.int()?).map(Next).map_err(|_| Malformed { field: 1 })?;
        let mut packed = fields.field()?.unwrap_or_default();
        Ok(Self { at, groups: unpack(&mut packed).ok_or(Malformed { field: 2 })? })
    }
}

fn pack(out: &mut Vec<u8>, groups: &[Group]) {
    put_count(out, groups.len());
    for group in groups {
        pack_value(out, &group.a);
        // Nothing is a pair's second value more often than not: the mark says whether there is one at all.
        out.push(u8::from(group.b.is_some()));
        if let Some(b) = &group.b {
            pack_value(out, b);
        }
        put_count(out, group.slots.len());
        for (slot, sums) in &group.slots {
            put_unsigned(out, u128::from(*slot));
            sums.pack(out);
        }
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
fn pack_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::None => put_count(out, 0),
        Value::Other => put_count(out, 1),
        Value::Text(text) => {
            put_count(out, text.len() + 2);
            out.extend_from_slice(text.as_bytes());
        }
    }
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
