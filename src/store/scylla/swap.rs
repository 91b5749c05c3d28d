//! Conditional writes: the alias and the API keys.

use bytes::Bytes;
use scylla::deserialize::row::ColumnIterator;
use scylla::response::query_result::QueryResult;

use super::ScyllaStore;
use super::bind::{Cell, Values, part_cells};
use super::failure::{Verdict, explain, verdict};
use super::shape::Shape;
use super::slice::fits;
use super::text::Kind;
use crate::project::key::Key;
use crate::store::{Error, Store, Swap};

/// Times that it is done again once it is certain that it was not done.
const TRIES: u32 = 3;

impl ScyllaStore {
    /// Where nobody tells how it ended, the row is read: at serial consistency that settles what was under way.
    pub(super) async fn swap_one(&self, key: &Key, from: Option<&[u8]>, to: &[u8]) -> Result<Swap, Error> {
        let shape = self.inner.shape(key.part.table)?;
        if !shape.is_shared() {
            return Err(self.inner.invalid(format!("the rows of the table {} are stamped, not swapped", shape.name)));
        }
        let cols = &key.cols.0;
        if cols.len() != shape.columns.len() || !fits(shape, cols) {
            return Err(self.inner.invalid(format!("{:?} is no key of the table {}", key.cols, shape.name)));
        }
        let statement = self.inner.statement(Kind::Swap, shape, self.generation).await?;
        let part =
            part_cells(shape, key.part).ok_or_else(|| self.inner.invalid(format!("there is no {:?}", key.part)))?;
        let expected = from.map_or(Cell::Null, Cell::Bytes);
        let cells = [Cell::Bytes(to)].into_iter().chain(part).chain(cols.iter().map(Cell::of)).chain([expected]);
        let values = Values(cells.collect());
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match self.inner.session.execute_unpaged(&statement, &values).await {
                Ok(answer) => return self.outcome(answer, shape),
                Err(error) => error,
            };
            if verdict(&error) != Verdict::Again {
                return Err(self.inner.refused(error, shape, self.generation).await);
            }
            let now = self.get(std::slice::from_ref(key)).await?.into_iter().flatten().next().and_then(|row| row.value);
            if now.as_deref() == Some(to) {
                return Ok(Swap::Done);
            }
            // Else done, and changed by another since, or not done: who asked has to look.
            if now.as_deref() != from || tries >= TRIES {
                return Err(explain(&self.inner.place, Verdict::Again, error));
            }
        }
    }

    /// `[applied]`, and where it is false, in most cases, what stands there.
    fn outcome(&self, answer: QueryResult, shape: &Shape) -> Result<Swap, Error> {
        let damaged = |what: String| self.inner.damaged(shape, &what);
        let answer = answer.into_rows_result().map_err(|error| damaged(error.to_string()))?;
        let row = answer.single_row::<ColumnIterator<'_, '_>>().map_err(|error| damaged(error.to_string()))?;
        let (mut is_done, mut found) = (false, None);
        for column in row {
            let column = column.map_err(|error| damaged(error.to_string()))?;
            let bytes = column.slice.map(|slice| slice.as_slice());
            match column.spec.name() {
                "[applied]" => is_done = bytes == Some(&[1]),
                "v" => found = bytes.map(Bytes::copy_from_slice),
                _ => {}
            }
        }
        Ok(if is_done { Swap::Done } else { Swap::Refused(found) })
    }
}
