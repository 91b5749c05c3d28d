//! What nobody will read again: tombstones of earlier runs, and rows that have expired.

use std::ops::Bound;

use redb::{Database, ReadableTable, WriteTransaction};

use super::reader::{Rows, stored};
use super::space::Space;
use super::value::Content;
use crate::disk;
use crate::ids::{Millis, Next};

/// Tombstones taken away in one transaction.
const TOMBSTONES_TOGETHER: usize = 2_000;
/// Rows looked at in one go.
const ROWS_TOGETHER: usize = 20_000;
/// Expired rows taken away in one transaction.
const EXPIRED_TOGETHER: usize = 2_000;
/// Rows of a dropped generation taken away in one transaction: between two the others write.
const DROPPED_TOGETHER: usize = 4_000;

/// Expired rows among those looked at, and where to go on.
pub(super) struct Expired {
    pub(super) rows: Vec<(Vec<u8>, Next)>,
    pub(super) next: Option<Vec<u8>>,
}

/// Takes some of the tombstones numbered below `below` away. `false`: none is left.
pub(super) fn tombstones(db: &Database, space: Space, below: u64) -> Result<bool, redb::Error> {
    let write = disk::begin_write(db)?;
    let mut taken = Vec::new();
    {
        let names = space.names();
        let mut list = write.open_table(names.tombstones())?;
        for entry in list.range(..below)?.take(TOMBSTONES_TOGETHER) {
            let (number, key) = entry?;
            taken.push((number.value(), key.value().to_vec()));
        }
        let mut rows = write.open_table(names.rows())?;
        for (number, key) in &taken {
            list.remove(number)?;
            // Written again since, the row has another number or is alive.
            if holds(&rows, key, |content| content == Content::Tombstone(*number))? {
                rows.remove(key.as_slice())?;
            }
        }
    }
    write.commit()?;
    Ok(!taken.is_empty())
}

/// Looks at the rows of a range for those that expired before `before`.
pub(super) fn expired(
    rows: &Rows,
    (from, to): &(Vec<u8>, Option<Vec<u8>>),
    before: Millis,
) -> Result<Expired, redb::Error> {
    let mut found = Expired { rows: Vec::new(), next: None };
    let end = to.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    if to.as_ref().is_some_and(|to| to <= from) {
        return Ok(found);
    }
    for (looked_at, row) in rows.range::<&[u8]>((Bound::Included(from.as_slice()), end))?.enumerate() {
        let (key, value) = row?;
        if looked_at == ROWS_TOGETHER || found.rows.len() == EXPIRED_TOGETHER {
            found.next = Some(key.value().to_vec());
            break;
        }
        let row = stored(value.value())?;
        if is_expired(row.content, before) {
            found.rows.push((key.value().to_vec(), row.at));
        }
    }
    Ok(found)
}

/// Takes rows away that still are what was looked at. How many.
pub(super) fn forget(write: &WriteTransaction, space: Space, found: &[(Vec<u8>, Next)]) -> Result<u64, redb::Error> {
    let names = space.names();
    let mut rows = write.open_table(names.rows())?;
    let mut count = 0;
    for (key, at) in found {
        let same = rows.get(key.as_slice())?.map(|value| stored(value.value()).map(|row| row.at == *at)).transpose()?;
        if same == Some(true) {
            rows.remove(key.as_slice())?;
            count += 1;
        }
    }
    Ok(count)
}

/// Takes some rows of a generation away; with the last of them its tables go. How many; 0: nothing is left.
pub(super) fn dropped(write: &WriteTransaction, space: Space) -> Result<u64, redb::Error> {
    let names = space.names();
    let mut count = 0;
    {
        let mut rows = write.open_table(names.rows())?;
        while count < DROPPED_TOGETHER && rows.pop_first()?.is_some() {
            count += 1;
        }
        let mut list = write.open_table(names.tombstones())?;
        while count < DROPPED_TOGETHER && list.pop_first()?.is_some() {
            count += 1;
        }
    }
    // Those of the first are there in every file.
    if count == 0 && space != Space::FIRST {
        write.delete_table(names.rows())?;
        write.delete_table(names.tombstones())?;
    }
    Ok(u64::try_from(count).unwrap_or(u64::MAX))
}

fn is_expired(content: Content<'_>, before: Millis) -> bool {
    match content {
        Content::Tombstone(_) | Content::Live { expires: None, .. } => false,
        Content::Live { expires: Some(expires), .. } => expires < before,
    }
}

fn holds(
    rows: &impl ReadableTable<&'static [u8], &'static [u8]>,
    key: &[u8],
    is: impl Fn(Content<'_>) -> bool,
) -> Result<bool, redb::Error> {
    let Some(value) = rows.get(key)? else { return Ok(false) };
    Ok(is(stored(value.value())?.content))
}
