//! Questions: rows by key, and rows in order.

use std::collections::{HashMap, VecDeque};

use scylla::deserialize::row::ColumnIterator;
use scylla::response::query_result::QueryResult;
use scylla::response::{PagingState, PagingStateResponse};
use tokio::task::JoinSet;

use super::ScyllaStore;
use super::bind::{Cell, Values, found, part_cells};
use super::shape::Shape;
use super::slice::{Slice, fits, slices};
use super::text::{Kind, Scan};
use crate::project::key::{Bound, Col, Cols, Key, Part, Range, Row};
use crate::store::Error;

/// Keys in one `IN`: ScyllaDB takes a hundred.
const KEYS_MAX: usize = 100;
/// Rows of one page of an answer.
const PAGE_ROWS_MAX: usize = 1_000;

/// Keys that differ in their last column only.
struct Siblings {
    part: Part,
    before: Vec<Col>,
    last: Vec<Col>,
}

/// A place in a range that is read page by page.
pub(super) struct Cursor {
    part: Part,
    left: VecDeque<Slice>,
    is_reversed: bool,
    has_value: bool,
    /// Within the first of `left`.
    page: PagingState,
}

impl Cursor {
    /// `has_value: false`: only keys, `at` and expiry are read.
    pub(super) fn new(range: &Range, has_value: bool) -> Self {
        let left = slices(range).into();
        Self { part: range.part, left, is_reversed: range.reverse, has_value, page: PagingState::start() }
    }
}

impl ScyllaStore {
    pub(super) async fn get_all(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, Error> {
        let groups = self.siblings(keys)?;
        let mut rows: HashMap<Key, Row> = HashMap::with_capacity(keys.len());
        let mut keep = |found: Vec<Row>| rows.extend(found.into_iter().map(|row| (row.key.clone(), row)));
        if let [only] = groups.as_slice() {
            let _room = self.inner.room(&self.inner.reads).await?;
            keep(self.get_siblings(only).await?);
        } else {
            self.get_apart(groups, &mut keep).await?;
        }
        Ok(keys.iter().map(|key| rows.get(key).cloned()).collect())
    }

    async fn get_apart(&self, groups: Vec<Siblings>, keep: &mut impl FnMut(Vec<Row>)) -> Result<(), Error> {
        let (mut tasks, mut outcome) = (JoinSet::new(), Ok(()));
        let mut groups = groups.into_iter();
        loop {
            let next = if outcome.is_ok() { groups.next() } else { None };
            let done = match next {
                Some(group) => {
                    let room = self.inner.room(&self.inner.reads).await?;
                    let store = self.clone();
                    tasks.spawn(async move {
                        let _room = room;
                        store.get_siblings(&group).await
                    });
                    tasks.try_join_next()
                }
                None => match tasks.join_next().await {
                    Some(done) => Some(done),
                    None => return outcome,
                },
            };
            match done.map(|done| self.inner.joined(done)) {
                Some(Ok(found)) => keep(found),
                Some(Err(error)) => outcome = outcome.and(Err(error)),
                None => {}
            }
        }
    }

    /// Each key once, by what they have in common.
    fn siblings(&self, keys: &[Key]) -> Result<Vec<Siblings>, Error> {
        let mut places: HashMap<(Part, &[Col]), Vec<Col>> = HashMap::new();
        let mut seen = std::collections::HashSet::with_capacity(keys.len());
        for key in keys {
            let shape = self.inner.shape(key.part.table)?;
            let Some((last, before)) = key.cols.0.split_last().filter(|_| is_whole(shape, &key.cols)) else {
                return Err(self.inner.invalid(format!("{:?} is no key of the table {}", key.cols, shape.name)));
            };
            if seen.insert(key) {
                places.entry((key.part, before)).or_default().push(last.clone());
            }
        }
        let groups = places.into_iter().flat_map(|((part, before), last)| {
            let group = move |last: &[Col]| Siblings { part, before: before.to_vec(), last: last.to_vec() };
            last.chunks(KEYS_MAX).map(group).collect::<Vec<_>>()
        });
        Ok(groups.collect())
    }

    async fn get_siblings(&self, Siblings { part, before, last }: &Siblings) -> Result<Vec<Row>, Error> {
        let shape = self.inner.shape(part.table)?;
        let statement = self.inner.statement(Kind::In, shape, self.generation).await?;
        let list = [Cell::List(last)];
        let values =
            Values(self.part(shape, *part)?.into_iter().chain(before.iter().map(Cell::of)).chain(list).collect());
        let asked = self.inner.repeat(|| self.inner.session.execute_unpaged(&statement, &values)).await;
        match asked {
            Ok(answer) => self.rows(answer, shape, (*part, before), true),
            Err(error) => Err(self.inner.refused(error, shape, self.generation).await),
        }
    }

    pub(super) async fn scan_all(&self, range: &Range) -> Result<Vec<Row>, Error> {
        let limit = usize::try_from(range.limit).unwrap_or(usize::MAX);
        self.check_range(range)?;
        let (mut cursor, mut rows) = (Cursor::new(range, true), Vec::new());
        while rows.len() < limit
            && let Some(page) = self.page(&mut cursor, limit - rows.len()).await?
        {
            rows.extend(page);
        }
        rows.truncate(limit);
        Ok(rows)
    }

    pub(super) fn check_range(&self, range: &Range) -> Result<(), Error> {
        let shape = self.inner.shape(range.part.table)?;
        for bound in [&range.from, &range.to] {
            let fits = match bound {
                Bound::Unbounded => true,
                Bound::Included(cols) | Bound::Excluded(cols) => fits(shape, &cols.0),
            };
            if !fits {
                return Err(self.inner.invalid(format!("{bound:?} is no bound of the table {}", shape.name)));
            }
        }
        Ok(())
    }

    /// Rows from the cursor on, about `rows_max` of them, maybe none. `None`: it is at the end.
    pub(super) async fn page(&self, cursor: &mut Cursor, rows_max: usize) -> Result<Option<Vec<Row>>, Error> {
        let Some(slice) = cursor.left.front() else { return Ok(None) };
        let (part, shape) = (cursor.part, self.inner.shape(cursor.part.table)?);
        let kind = Kind::Scan(Scan::of(slice, cursor.is_reversed, cursor.has_value));
        let mut statement = self.inner.statement(kind, shape, self.generation).await?;
        statement.set_page_size(i32::try_from(rows_max.clamp(1, PAGE_ROWS_MAX)).unwrap_or(i32::MAX));
        let ends = slice.from.iter().chain(&slice.to).map(|end| &end.col);
        let cells = slice.equal.iter().chain(ends).map(Cell::of);
        let values = Values(self.part(shape, part)?.into_iter().chain(cells).collect());
        let asked = {
            let _room = self.inner.room(&self.inner.reads).await?;
            let ask = || self.inner.session.execute_single_page(&statement, &values, cursor.page.clone());
            self.inner.repeat(ask).await
        };
        let (answer, next) = match asked {
            Ok(answer) => answer,
            Err(error) => return Err(self.inner.refused(error, shape, self.generation).await),
        };
        let rows = self.rows(answer, shape, (part, &slice.equal), cursor.has_value)?;
        match next {
            PagingStateResponse::HasMorePages { state } => cursor.page = state,
            PagingStateResponse::NoMorePages => {
                cursor.left.pop_front();
                cursor.page = PagingState::start();
            }
        }
        Ok(Some(rows))
    }

    fn part(&self, shape: &Shape, part: Part) -> Result<Vec<Cell<'static>>, Error> {
        let cells = part_cells(shape, part).ok_or_else(|| self.inner.invalid(format!("there is no {part:?}")))?;
        Ok(cells.collect())
    }

    /// `before`: the columns that the question named.
    fn rows(
        &self,
        answer: QueryResult,
        shape: &Shape,
        (part, before): (Part, &[Col]),
        has_value: bool,
    ) -> Result<Vec<Row>, Error> {
        let damaged = |what: String| self.inner.damaged(shape, &what);
        let answer = answer.into_rows_result().map_err(|error| damaged(error.to_string()))?;
        let mut rows = Vec::with_capacity(answer.rows_num());
        for row in answer.rows::<ColumnIterator<'_, '_>>().map_err(|error| damaged(error.to_string()))? {
            let row = row.map_err(|error| damaged(error.to_string()))?;
            let one = found(row, shape, before.len(), has_value).map_err(damaged)?;
            rows.extend(one.map(|one| one.row(part, before.to_vec(), shape.is_shared())));
        }
        Ok(rows)
    }
}

fn is_whole(shape: &Shape, cols: &Cols) -> bool {
    cols.0.len() == shape.columns.len() && fits(shape, &cols.0)
}
