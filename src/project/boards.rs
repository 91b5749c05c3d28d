//! Rows of the boards of large programmes (READS §5): how many members hold each value, and who stands at the top.

use bytes::Bytes;

use super::codec::{Malformed, Reader, Writer};
use super::key::{Col, Cols, Key, Part, Row};
use super::tables::{self, RANK};
use super::totals::{put_unsigned, take_unsigned};
use crate::fold::boards::{Board, BoardKey, Measure, Page, PageHead, Place, Ranks, Window};
use crate::fold::effects::SlowRows;
use crate::fold::state::{FOR_EVER, State};
use crate::ids::{Millis, Next, Partition};

/// Whether a programme has boards, and how far its rolling windows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoardsRow {
    pub at: Next,
    /// Rolling windows hold the days before this one; `None` while they move on.
    pub rolled_to: Option<i32>,
}

/// The pages of a board, ascending. A page that is not among them does not exist, whatever the table holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootRow {
    pub at: Next,
    pub pages: Vec<PageHead>,
}

/// One page: values and how many members hold each, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRow {
    pub at: Next,
    pub values: Vec<(i64, u32)>,
}

/// The members at the top of a board, in its order; all of them where they are fewer than it may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopRow {
    pub at: Next,
    pub places: Vec<Place>,
}

/// The `low` of a root's key, and of the key of a top.
const ROOT: i64 = -1;
const TOP: i64 = -2;

/// Rows of everything that moved on the boards, as of `end`, the position up to which `state` is folded.
pub fn rows(state: &State, ranks: &mut Ranks, touched: &SlowRows, (p, end): (Partition, Next)) -> Vec<Row> {
    if touched.boards.is_empty() && touched.boards.passed.is_empty() {
        return Vec::new();
    }
    let settled = ranks.settle(state, &touched.boards);
    let mut rows = Vec::new();
    for board in &settled.boards {
        rows.extend(board_rows(state, board, (p, end)));
    }
    rows.extend(settled.heads.iter().filter_map(|creator| boards_row(state, *creator, (p, end))));
    rows
}

/// The row that says how far a programme's boards are.
pub fn boards_row(state: &State, creator: u32, (p, end): (Partition, Next)) -> Option<Row> {
    let clock = state.creators.peek(&creator, FOR_EVER)?.boards;
    let value = BoardsRow { at: end, rolled_to: (clock.phase == 0).then_some(clock.swept) };
    let key = boards_key(p, creator_id(state, creator)?);
    Some(Row { key, at: end, value: Some(value.encode()), expires: None })
}

fn board_rows(state: &State, board: &Board, (p, end): (Partition, Next)) -> Vec<Row> {
    let Some(creator) = creator_id(state, board.creator) else { return Vec::new() };
    let row = |key, value| Row { key, at: end, value: Some(value), expires: expires(board.key) };
    let page = |page: &Page| row(page_key(p, creator, board.key, page.low), PageRow::of(page, end).encode());
    let root = RootRow { at: end, pages: board.heads.clone() };
    let root = row(root_key(p, creator, board.key), root.encode());
    let top =
        |places: &Vec<Place>| row(top_key(p, creator, board.key), TopRow { at: end, places: places.clone() }.encode());
    board.pages.iter().map(page).chain([root]).chain(board.top.as_ref().map(top)).collect()
}

fn creator_id(state: &State, creator: u32) -> Option<&str> {
    state.creator_profiles.peek(&creator, FOR_EVER).map(|profile| profile.id.as_str())
}

/// A board of a period may go once it does not change any more, in whatever zone.
pub fn expires(key: BoardKey) -> Option<Millis> {
    let after = key.window.first_day(key.period + 3);
    key.window.is_calendar().then(|| Millis((i64::from(after) + 1) * Millis::DAY))
}

/// Columns that all rows of a board begin with.
pub fn board_cols(creator: &str, key: BoardKey) -> Vec<Col> {
    vec![
        Col::Text(creator.to_owned()),
        Col::Int(i64::from(key.measure.0)),
        Col::Int(key.window.number()),
        Col::Int(i64::from(key.period)),
    ]
}

pub fn rank_part(p: Partition, creator: &str) -> Part {
    tables::part(RANK, p, creator, 0, 0)
}

/// No metric has the number 0.
pub fn boards_key(p: Partition, creator: &str) -> Key {
    let cols = vec![Col::Text(creator.to_owned()), Col::Int(0), Col::Int(0), Col::Int(0), Col::Int(ROOT)];
    Key { part: rank_part(p, creator), cols: Cols(cols) }
}

pub fn root_key(p: Partition, creator: &str, key: BoardKey) -> Key {
    page_key(p, creator, key, ROOT)
}

pub fn top_key(p: Partition, creator: &str, key: BoardKey) -> Key {
    page_key(p, creator, key, TOP)
}

pub fn page_key(p: Partition, creator: &str, key: BoardKey, low: i64) -> Key {
    let mut cols = board_cols(creator, key);
    cols.push(Col::Int(low));
    Key { part: rank_part(p, creator), cols: Cols(cols) }
}

/// The board of a key of `rank`; none of the row that says how far all of a programme's are.
pub fn board_of(key: &Key) -> Option<BoardKey> {
    let [Col::Text(_), Col::Int(measure), Col::Int(window), Col::Int(period), ..] = key.cols.0.as_slice() else {
        return None;
    };
    let measure = u32::try_from(*measure).ok().filter(|measure| *measure > 0).map(Measure)?;
    let window = Window::ALL.into_iter().find(|one| one.number() == *window)?;
    Some(BoardKey { measure, window, period: i32::try_from(*period).ok()? })
}

impl BoardsRow {
    pub fn encode(&self) -> Bytes {
        Writer::default().int(at(self.at)).optional_int(self.rolled_to.map(i64::from)).finish()
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut row = Reader::new(bytes);
        let at = take_at(&mut row)?;
        let rolled_to = row.optional_int()?.map(i32::try_from).transpose().map_err(|_| Malformed { field: 2 })?;
        Ok(Self { at, rolled_to })
    }
}

impl RootRow {
    /// Per page: the distance from the end of the one before it, bits, members.
    pub fn encode(&self) -> Bytes {
        let (mut packed, mut last) = (Vec::new(), 0);
        for page in &self.pages {
            put_unsigned(&mut packed, unsigned(page.low - last));
            packed.push(page.bits);
            put_unsigned(&mut packed, u128::from(page.members));
            last = page.low;
        }
        Writer::default().int(at(self.at)).blob(&packed).finish()
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut row = Reader::new(bytes);
        let at = take_at(&mut row)?;
        let mut packed = row.field()?.unwrap_or_default();
        let (mut pages, mut last) = (Vec::new(), 0);
        while !packed.is_empty() {
            let page = take_head(&mut packed, last).ok_or(Malformed { field: 2 })?;
            last = page.low;
            pages.push(page);
        }
        Ok(Self { at, pages })
    }

    /// Members on the board.
    pub fn ranked(&self) -> u64 {
        self.pages.iter().map(|page| page.members).sum()
    }

    /// The page that holds `value`, and how many members stand in those above it.
    pub fn page_of(&self, value: i64) -> (Option<PageHead>, u64) {
        let above = self.pages.partition_point(|page| page.low <= value);
        let ahead = self.pages.iter().skip(above).map(|page| page.members).sum();
        let page = above.checked_sub(1).and_then(|place| self.pages.get(place));
        (page.filter(|page| page.holds(value)).copied(), ahead)
    }
}

fn take_head(packed: &mut &[u8], last: i64) -> Option<PageHead> {
    let low = last.checked_add(i64::try_from(take_unsigned(packed)?).ok()?)?;
    let (bits, rest) = packed.split_first()?;
    *packed = rest;
    Some(PageHead { low, bits: *bits, members: u64::try_from(take_unsigned(packed)?).ok()? })
}

impl PageRow {
    pub fn of(page: &Page, at: Next) -> Self {
        Self { at, values: page.values.clone() }
    }

    /// Per value: the distance from the one before it, members.
    pub fn encode(&self) -> Bytes {
        let (mut packed, mut last) = (Vec::new(), 0);
        for (value, members) in &self.values {
            put_unsigned(&mut packed, unsigned(value - last));
            put_unsigned(&mut packed, u128::from(*members));
            last = *value;
        }
        Writer::default().int(at(self.at)).blob(&packed).finish()
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut row = Reader::new(bytes);
        let at = take_at(&mut row)?;
        let mut packed = row.field()?.unwrap_or_default();
        let (mut values, mut last) = (Vec::new(), 0);
        while !packed.is_empty() {
            let one = take_value(&mut packed, last).ok_or(Malformed { field: 2 })?;
            last = one.0;
            values.push(one);
        }
        Ok(Self { at, values })
    }

    /// Of the page `head`: members above `value`, and those who hold it. A page may have been written when it was a
    /// larger one, by an owner that has gone since: what lies outside `head` stands in other pages now.
    pub fn count(&self, head: &PageHead, value: i64) -> (u64, u64) {
        let own = self.values.iter().filter(|(value, _)| head.holds(*value));
        let (mut above, mut tied) = (0, 0);
        for (other, members) in own {
            if *other > value {
                above += u64::from(*members);
            } else if *other == value {
                tied = u64::from(*members);
            }
        }
        (above, tied)
    }
}

fn take_value(packed: &mut &[u8], last: i64) -> Option<(i64, u32)> {
    let value = last.checked_add(i64::try_from(take_unsigned(packed)?).ok()?)?;
    Some((value, u32::try_from(take_unsigned(packed)?).ok()?))
}

impl TopRow {
    /// Per place: how much less than the one before it, when it was reached, who.
    pub fn encode(&self) -> Bytes {
        let (mut packed, mut last) = (Vec::new(), i64::MAX);
        for place in &self.places {
            put_unsigned(&mut packed, unsigned(last - place.value));
            put_unsigned(&mut packed, unsigned(place.reached));
            put_unsigned(&mut packed, u128::from(place.n));
            last = place.value;
        }
        Writer::default().int(at(self.at)).blob(&packed).finish()
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut row = Reader::new(bytes);
        let at = take_at(&mut row)?;
        let mut packed = row.field()?.unwrap_or_default();
        let (mut places, mut last) = (Vec::new(), i64::MAX);
        while !packed.is_empty() {
            let place = take_place(&mut packed, last).ok_or(Malformed { field: 2 })?;
            last = place.value;
            places.push(place);
        }
        Ok(Self { at, places })
    }
}

fn take_place(packed: &mut &[u8], last: i64) -> Option<Place> {
    let value = last.checked_sub(i64::try_from(take_unsigned(packed)?).ok()?)?;
    let reached = i64::try_from(take_unsigned(packed)?).ok()?;
    Some(Place { n: u32::try_from(take_unsigned(packed)?).ok()?, value, reached })
}

fn at(next: Next) -> i64 {
    i64::try_from(next.0).expect("a log has fewer than 2^63 records")
}

fn take_at(row: &mut Reader<'_>) -> Result<Next, Malformed> {
    u64::try_from(row.int()?).map(Next).map_err(|_| Malformed { field: 1 })
}

/// Distances between ascending values.
fn unsigned(distance: i64) -> u128 {
    u128::try_from(distance).unwrap_or_default()
}
