//! The projections as one key sees them: of other creators there is nothing.
//!
//! In every table of creators the first column is the creator's id. A key of some creators reads through a view in which
//! rows of others do not exist, so each answer about them is the answer about a creator that nobody has made, to the
//! byte, whatever the path and whoever wrote it. Rows that begin with a number are of the log and of no creator.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::project::tables;
use crate::store::{Bound, Col, Cols, Error, Health, Key, Range, Row, Store, Swap, Table};

/// A store, or what is seen of it.
#[derive(Clone)]
pub(in crate::web) struct View<S> {
    store: S,
    /// `None`: all.
    only: Option<Arc<BTreeSet<String>>>,
}

impl<S: Store> View<S> {
    pub(in crate::web) const fn all(store: S) -> Self {
        Self { store, only: None }
    }

    /// What `creators` are seen of this one.
    pub(in crate::web) fn of(&self, creators: Arc<BTreeSet<String>>) -> Self {
        Self { store: self.store.clone(), only: Some(creators) }
    }

    /// Rows of the list of creators: few are allowed, and there may be very many.
    async fn heads(&self, only: &BTreeSet<String>, range: &Range) -> Result<Vec<Row>, Error> {
        let is_inside = |id: &&String| is_behind(&range.from, id) && is_before(&range.to, id);
        let inside: Vec<&String> = only.iter().filter(is_inside).collect();
        let keys: Vec<Key> =
            inside.into_iter().map(|id| Key { part: range.part, cols: Cols(vec![Col::Text(id.clone())]) }).collect();
        let mut rows: Vec<Row> = self.store.get(&keys).await?.into_iter().flatten().collect();
        if range.reverse {
            rows.reverse();
        }
        rows.truncate(usize::try_from(range.limit).unwrap_or(usize::MAX));
        Ok(rows)
    }

    /// Rows of a range that may span creators.
    async fn sift(&self, only: &BTreeSet<String>, range: &Range) -> Result<Vec<Row>, Error> {
        let wanted = usize::try_from(range.limit).unwrap_or(usize::MAX);
        let (mut rest, mut found) = (range.clone(), Vec::new());
        while found.len() < wanted {
            let page = self.store.scan(&rest).await?;
            let Some(last) = page.last() else { break };
            let behind = Bound::Excluded(last.key.cols.clone());
            let end = if rest.reverse { &mut rest.to } else { &mut rest.from };
            *end = behind;
            found.extend(page.into_iter().filter(|row| is_seen(only, &row.key.cols)));
        }
        found.truncate(wanted);
        Ok(found)
    }
}

impl<S: Store> Store for View<S> {
    async fn setup(&self, tables: &[Table]) -> Result<(), Error> {
        self.store.setup(tables).await
    }

    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, Error> {
        let Some(only) = &self.only else { return self.store.get(keys).await };
        let seen: Vec<Key> = keys.iter().filter(|key| is_seen(only, &key.cols)).cloned().collect();
        let mut rows = self.store.get(&seen).await?.into_iter();
        Ok(keys.iter().map(|key| if is_seen(only, &key.cols) { rows.next().flatten() } else { None }).collect())
    }

    async fn scan(&self, range: &Range) -> Result<Vec<Row>, Error> {
        let Some(only) = &self.only else { return self.store.scan(range).await };
        if range.part.table == tables::CREATOR.id {
            return self.heads(only, range).await;
        }
        match (creator_of(&range.from), creator_of(&range.to)) {
            (Some(from), Some(to)) if from == to => {
                if only.contains(from) {
                    self.store.scan(range).await
                } else {
                    Ok(Vec::new())
                }
            }
            _ => self.sift(only, range).await,
        }
    }

    async fn write(&self, rows: Vec<Row>) -> Result<(), Error> {
        match &self.only {
            None => self.store.write(rows).await,
            Some(_) => Err(for_reading()),
        }
    }

    async fn swap(&self, key: &Key, from: Option<&[u8]>, to: &[u8]) -> Result<Swap, Error> {
        match &self.only {
            None => self.store.swap(key, from, to).await,
            Some(_) => Err(for_reading()),
        }
    }

    async fn health(&self) -> Health {
        self.store.health().await
    }
}

fn for_reading() -> Error {
    Error::Engine { place: "of some creators".to_owned(), source: "this view of them is for reading".into() }
}

fn is_seen(only: &BTreeSet<String>, cols: &Cols) -> bool {
    match cols.0.first() {
        Some(Col::Text(creator)) => only.contains(creator),
        Some(Col::Int(_) | Col::IntDesc(_)) | None => true,
    }
}

/// The creator that a bound begins with.
fn creator_of(bound: &Bound) -> Option<&str> {
    match bound {
        Bound::Included(cols) | Bound::Excluded(cols) => match cols.0.first() {
            Some(Col::Text(creator)) => Some(creator),
            Some(Col::Int(_) | Col::IntDesc(_)) | None => None,
        },
        Bound::Unbounded => None,
    }
}

fn is_behind(from: &Bound, id: &str) -> bool {
    match (from, creator_of(from)) {
        (Bound::Excluded(_), Some(first)) => id > first,
        (Bound::Included(_) | Bound::Unbounded, Some(first)) => id >= first,
        (Bound::Excluded(_) | Bound::Included(_) | Bound::Unbounded, None) => true,
    }
}

fn is_before(to: &Bound, id: &str) -> bool {
    match (to, creator_of(to)) {
        (Bound::Excluded(_), Some(last)) => id < last,
        (Bound::Included(_) | Bound::Unbounded, Some(last)) => id <= last,
        (Bound::Excluded(_) | Bound::Included(_) | Bound::Unbounded, None) => true,
    }
}
