//! Are two generations the same, row by row? Rows of the same `at` are compared as they are. Where one of the two is
//! further on, or has no row, both are read once more at a place where both stand. Boards have rules of their own.

mod boards;

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::pin::Pin;

use hashbrown::HashMap;

use crate::ids::{Millis, Next, Partition};
use crate::project::key::{Bound, Col, Cols, Key, Part, Range, Row};
use crate::project::rows::{AppliedRow, CreatorRow};
use crate::project::tables::{self, Table};
use crate::store::Store;

use super::verify::Difference;
use super::{Error, scan};
use boards::{Boards, is_of_boards};

/// Rows read at once.
const PAGE: u32 = 2_048;
/// Keys that are read once more together: the rarer both sides must stop, the better.
const DOUBTS_MAX: usize = 8_192;

/// What was compared of a table, or of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compared {
    /// In both, or in one of them.
    pub rows: u64,
    pub differences: u64,
    /// Changed by events that the live generation, which follows the log no more, does not know.
    pub newer: u64,
}

/// What is found of a row.
enum Found {
    Same,
    Differs(String),
    /// See [`Compared::newer`].
    Newer,
}

impl Compared {
    pub fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.differences += other.differences;
        self.newer += other.newer;
    }
}

/// Both sides stand at one place.
pub trait Held: Send {
    /// `false`: it has taken so long that they may have gone on.
    fn holds(&self) -> bool;
}

/// Has both sides stop at one position, with everything written, as long as what it gives is held.
pub type Meet<'m, G> = dyn Fn() -> Pin<Box<dyn Future<Output = Result<G, Error>> + Send + 'm>> + Send + Sync + 'm;

/// Two generations of one log.
pub struct Compare<'a, T> {
    pub live: &'a T,
    pub other: &'a T,
    /// The live one follows the log no more: what is newer than its end is not compared.
    pub is_live_frozen: bool,
}

/// By table, in their order.
struct Sums(Vec<(Table, Compared)>);

impl Sums {
    fn new() -> Self {
        Self(compared_tables().map(|table| (table, Compared::default())).collect())
    }

    fn add(&mut self, table: Table, sum: Compared) {
        if let Some((_, sums)) = self.0.iter_mut().find(|(one, _)| one.id == table.id) {
            sums.add(sum);
        }
    }
}

fn compared_tables() -> impl Iterator<Item = Table> {
    tables::ALL.into_iter().filter(|table| table.id != tables::APPLIED.id)
}

impl<T: Store> Compare<'_, T> {
    /// Compares all rows of all partitions, table by table. `report` gets each difference; `progress` gets the rows of a
    /// page, and may break it off ([`Error::Stopped`]).
    pub async fn run<G: Held>(
        &self,
        partitions: u32,
        meet: &Meet<'_, G>,
        mut report: impl FnMut(Difference),
        mut progress: impl FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Vec<(&'static str, Compared)>, Error> {
        let (mut sums, mut doubts) = (Sums::new(), Vec::new());
        for partition in (0..partitions).map(Partition) {
            self.scan(partition, (&mut sums, &mut doubts), meet, (&mut report, &mut progress)).await?;
        }
        self.settle((&mut sums, &mut doubts), meet, &mut report).await?;
        Ok(sums.0.into_iter().map(|(table, sum)| (table.name, sum)).collect())
    }

    async fn scan<G: Held>(
        &self,
        partition: Partition,
        (sums, doubts): (&mut Sums, &mut Vec<(Table, Key)>),
        meet: &Meet<'_, G>,
        (report, progress): (&mut impl FnMut(Difference), &mut impl FnMut(u64) -> ControlFlow<()>),
    ) -> Result<(), Error> {
        let unreadable = |source| Error::Store { partition, source };
        let (a, b) = (scan::months(self.live, partition).await, scan::months(self.other, partition).await);
        let (a, b) = (a.map_err(unreadable)?, b.map_err(unreadable)?);
        let months = a.start.min(b.start)..a.end.max(b.end);
        for table in compared_tables() {
            let months = if table.by_month { months.clone() } else { 0..1 };
            for part in months.flat_map(|month| parts(table, partition, month)) {
                let mut sides = Sides::new(self, part);
                loop {
                    let mut doubtful = Vec::new();
                    let page = sides.page(&mut doubtful, report).await.map_err(unreadable)?;
                    sums.add(table, page);
                    doubts.extend(doubtful.into_iter().map(|key| (table, key)));
                    if progress(page.rows).is_break() {
                        return Err(Error::Stopped);
                    }
                    if doubts.len() >= DOUBTS_MAX {
                        self.settle((sums, doubts), meet, report).await?;
                    }
                    if page.rows == 0 {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Reads both sides again, where they meet: all doubts at once, so that they need to meet but once.
    async fn settle<G: Held>(
        &self,
        (sums, doubts): (&mut Sums, &mut Vec<(Table, Key)>),
        meet: &Meet<'_, G>,
        report: &mut impl FnMut(Difference),
    ) -> Result<(), Error> {
        if doubts.is_empty() {
            return Ok(());
        }
        let held = meet().await?;
        let (mut judged, mut found) = (Vec::new(), Vec::new());
        for alike in doubts.chunk_by(|(a, x), (b, y)| (a.id, x.part.p) == (b.id, y.part.p)) {
            let Some((table, first)) = alike.first() else { continue };
            let (partition, keys) = (first.part.p, alike.iter().map(|(_, key)| key.clone()).collect::<Vec<_>>());
            let sum = self.judge(*table, &keys, &mut |difference| found.push(difference)).await;
            judged.push((*table, sum.map_err(|source| Error::Store { partition, source })?));
        }
        let still_held = held.holds();
        drop(held);
        if !still_held {
            return Err(Error::NotMet { why: "reading took longer than they stand still; try again".to_owned() });
        }
        doubts.clear();
        judged.into_iter().for_each(|(table, sum)| sums.add(table, sum));
        found.into_iter().for_each(report);
        Ok(())
    }

    async fn judge(
        &self,
        table: Table,
        keys: &[Key],
        report: &mut impl FnMut(Difference),
    ) -> Result<Compared, crate::store::Error> {
        let Some(p) = keys.first().map(|key| key.part.p) else { return Ok(Compared::default()) };
        let (live, other) = (self.live.get(keys).await?, self.other.get(keys).await?);
        let end = if self.is_live_frozen { Some(self.end_of_live(p, table).await?) } else { None };
        let (mut heads, mut boards) = (Heads::default(), Boards::default());
        let mut sum = Compared::default();
        for ((key, live), other) in keys.iter().zip(live).zip(other) {
            let pair = Pair { key, live: live.as_ref(), other: other.as_ref(), end };
            let found = if is_of_boards(key) {
                boards.judge(self, &mut heads, pair).await?
            } else {
                self.judge_plain(&mut heads, pair).await?
            };
            match found {
                Found::Same => {}
                Found::Newer => sum.newer += 1,
                Found::Differs(what) => {
                    sum.differences += 1;
                    report(differs(key, what));
                }
            }
        }
        Ok(sum)
    }

    async fn judge_plain(&self, heads: &mut Heads, pair: Pair<'_>) -> Result<Found, crate::store::Error> {
        if pair.is_newer() {
            return Ok(Found::Newer);
        }
        let Some(what) = difference(pair.live, pair.other) else { return Ok(Found::Same) };
        // One side may have taken away what has expired, the other not yet.
        if let (Some(row), None) | (None, Some(row)) = (pair.live, pair.other)
            && heads.has_expired(self.other, row).await?
        {
            return Ok(Found::Same);
        }
        Ok(Found::Differs(what))
    }

    async fn end_of_live(&self, p: Partition, table: Table) -> Result<Next, crate::store::Error> {
        let row = self.live.get(&[tables::applied(p)]).await?.into_iter().flatten().next();
        let applied = row.and_then(|row| AppliedRow::decode(row.value.as_deref()?).ok());
        Ok(applied.map_or(Next(0), |applied| applied.next(table.class)))
    }
}

/// A row as both sides have it.
#[derive(Clone, Copy)]
struct Pair<'a> {
    key: &'a Key,
    live: Option<&'a Row>,
    other: Option<&'a Row>,
    /// Where the live generation ended, if it follows the log no more.
    end: Option<Next>,
}

impl Pair<'_> {
    fn is_newer(&self) -> bool {
        self.other.zip(self.end).is_some_and(|(row, end)| row.at > end)
    }
}

fn parts(table: Table, p: Partition, month: u16) -> impl Iterator<Item = Part> {
    (0..table.shards).map(move |shard| Part { table: table.id, p, shard, month })
}

/// Both generations' rows of one part, side by side in the order of their keys.
struct Sides<'a, T> {
    live: Side<'a, T>,
    other: Side<'a, T>,
}

impl<'a, T: Store> Sides<'a, T> {
    fn new(compare: &Compare<'a, T>, part: Part) -> Self {
        Self { live: Side::new(compare.live, part), other: Side::new(compare.other, part) }
    }

    /// About a page of rows: what can be told of them as they are. `doubts` gets the keys of those that one side has
    /// in another version than the other, or not at all. No rows: it is over.
    async fn page(
        &mut self,
        doubts: &mut Vec<Key>,
        report: &mut impl FnMut(Difference),
    ) -> Result<Compared, crate::store::Error> {
        let mut sum = Compared::default();
        while sum.rows < u64::from(PAGE) {
            let (live, other) = (self.live.peek().await?, self.other.peek().await?);
            let first = match (live, other) {
                (Some(live), Some(other)) => order(&live.key.cols, &other.key.cols),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => break,
            };
            let live = if first.is_le() { self.live.page.pop_front() } else { None };
            let other = if first.is_ge() { self.other.page.pop_front() } else { None };
            sum.rows += 1;
            match (live, other) {
                (Some(live), Some(other)) if is_of_boards(&live.key) && boards::is_same(&live, &other) => {}
                (Some(live), Some(other)) if live.at == other.at && !is_of_boards(&live.key) => {
                    if let Some(what) = difference(Some(&live), Some(&other)) {
                        sum.differences += 1;
                        report(differs(&live.key, what));
                    }
                }
                (Some(row), _) | (None, Some(row)) => doubts.push(row.key),
                (None, None) => {}
            }
        }
        Ok(sum)
    }
}

/// One generation's rows of a part, page by page.
struct Side<'a, T> {
    store: &'a T,
    range: Range,
    page: VecDeque<Row>,
    is_over: bool,
}

impl<'a, T: Store> Side<'a, T> {
    fn new(store: &'a T, part: Part) -> Self {
        let range = Range { part, from: Bound::Unbounded, to: Bound::Unbounded, reverse: false, limit: PAGE };
        Self { store, range, page: VecDeque::new(), is_over: false }
    }

    async fn peek(&mut self) -> Result<Option<&Row>, crate::store::Error> {
        if self.page.is_empty() && !self.is_over {
            let rows = self.store.scan(&self.range).await?;
            self.is_over = rows.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
            if let Some(last) = rows.last() {
                self.range.from = Bound::Excluded(last.key.cols.clone());
            }
            self.page = rows.into();
        }
        Ok(self.page.front())
    }
}

/// What the rows of creators say, as it is needed.
#[derive(Default)]
struct Heads(HashMap<String, Option<Head>>);

#[derive(Debug, Clone, Copy)]
struct Head {
    at: Next,
    clock: Millis,
    watermark: Millis,
}

impl Heads {
    /// Of the creator of `key`, as the other generation has it.
    async fn of<T: Store>(&mut self, store: &T, key: &Key) -> Result<Option<Head>, crate::store::Error> {
        let Some(Col::Text(creator)) = key.cols.0.first() else { return Ok(None) };
        if !self.0.contains_key(creator) {
            let found = store.get(&[tables::creator(key.part.p, creator)]).await?.into_iter().flatten().next();
            let row = found.and_then(|row| CreatorRow::decode(row.value.as_deref()?).ok());
            let head = row.map(|row| Head { at: row.at, clock: row.clock, watermark: row.watermark() });
            self.0.insert(creator.clone(), head);
        }
        Ok(self.0.get(creator).copied().flatten())
    }

    async fn has_expired<T: Store>(&mut self, store: &T, row: &Row) -> Result<bool, crate::store::Error> {
        let Some(expires) = row.expires else { return Ok(false) };
        Ok(self.of(store, &row.key).await?.is_some_and(|head| expires <= head.watermark))
    }
}

fn difference(live: Option<&Row>, other: Option<&Row>) -> Option<String> {
    match (live, other) {
        (None, None) => None,
        (Some(live), None) => Some(format!("only the live generation has it, as of {}", live.at.0)),
        (None, Some(other)) => Some(format!("the live generation does not have it; it is of {}", other.at.0)),
        (Some(live), Some(other)) if live.at != other.at => {
            Some(format!("last changed at {}, in the live generation at {}", other.at.0, live.at.0))
        }
        (Some(live), Some(other)) => {
            let is_same = live.value == other.value && live.expires == other.expires;
            (!is_same).then(|| format!("both are of {}, and not the same", live.at.0))
        }
    }
}

fn differs(key: &Key, what: String) -> Difference {
    let table = tables::ALL.iter().find(|table| table.id == key.part.table).map_or("?", |table| table.name);
    Difference { partition: key.part.p, table, key: format!("{:?}", key.cols.0), what }
}

/// As every engine sorts them.
fn order(a: &Cols, b: &Cols) -> Ordering {
    let kind = |col: &Col| match col {
        Col::Int(_) => 1,
        Col::IntDesc(_) => 2,
        Col::Text(_) => 3,
    };
    let of_cols = |a: &Col, b: &Col| match (a, b) {
        (Col::Int(a), Col::Int(b)) => a.cmp(b),
        (Col::IntDesc(a), Col::IntDesc(b)) => b.cmp(a),
        (Col::Text(a), Col::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Col::Int(_) | Col::IntDesc(_) | Col::Text(_), _) => kind(a).cmp(&kind(b)),
    };
    let different = a.0.iter().zip(&b.0).map(|(a, b)| of_cols(a, b)).find(|order| order.is_ne());
    different.unwrap_or_else(|| a.0.len().cmp(&b.0.len()))
}
