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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Next, Partition};
    use crate::project::key::Part;
    use crate::store::embedded::{EmbeddedStore, Options};

    const P: Partition = Partition(0);

    fn key(part: Part, creator: &str, n: i64) -> Key {
        Key { part, cols: Cols(vec![Col::Text(creator.to_owned()), Col::Int(n)]) }
    }

    fn row(key: Key) -> Row {
        Row { key, at: Next(1), value: Some("v".into()), expires: None }
    }

    fn range(part: Part, from: Bound, to: Bound) -> Range {
        Range { part, from, to, reverse: false, limit: 100 }
    }

    fn names(rows: &[Row]) -> Vec<String> {
        let name = |row: &Row| match row.key.cols.0.as_slice() {
            [Col::Text(creator), Col::Int(n)] => format!("{creator}{n}"),
            [Col::Text(creator)] => creator.clone(),
            _ => "of the log".to_owned(),
        };
        rows.iter().map(name).collect()
    }

    fn of(creator: &str) -> Cols {
        Cols(vec![Col::Text(creator.to_owned())])
    }

    /// Of five creators, b and d are seen: two rows each in a part that they share, and a head.
    async fn stage() -> (View<EmbeddedStore>, Part, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let store = EmbeddedStore::open(&dir.path().join("rows"), Options::default()).unwrap();
        let part = Part { table: tables::MEMBER.id, p: P, shard: 0, month: 0 };
        let mut rows = vec![row(tables::applied(P))];
        for creator in ["a", "b", "c", "d", "e"] {
            rows.extend((0..2).map(|n| row(key(part, creator, n))));
            rows.push(row(tables::creator(P, creator)));
        }
        store.write(rows).await.unwrap();
        let only = ["b", "d"].map(str::to_owned).into_iter().collect();
        (View::all(store).of(Arc::new(only)), part, dir)
    }

    #[tokio::test]
    async fn rows_of_others_are_absent() {
        let (view, part, _dir) = stage().await;
        let keys: Vec<Key> = ["a", "b", "c", "d", "nobody"].iter().map(|creator| key(part, creator, 1)).collect();
        let found: Vec<bool> = view.get(&keys).await.unwrap().iter().map(Option::is_some).collect();
        assert_eq!(found, [false, true, false, true, false]);
        assert!(view.get(&[tables::applied(P)]).await.unwrap()[0].is_some(), "how far the log is, is everybody's");
    }

    #[tokio::test]
    async fn a_range_holds_what_is_seen_of_it_and_fills_its_limit() {
        let (view, part, _dir) = stage().await;
        let scan = async |range: Range| names(&view.scan(&range).await.unwrap());
        let all = range(part, Bound::Unbounded, Bound::Unbounded);
        assert_eq!(scan(all.clone()).await, ["b0", "b1", "d0", "d1"]);
        assert_eq!(scan(Range { limit: 3, ..all.clone() }).await, ["b0", "b1", "d0"]);
        assert_eq!(scan(Range { reverse: true, limit: 3, ..all }).await, ["d1", "d0", "b1"]);
        let one = |creator: &str| range(part, Bound::Included(of(creator)), Bound::Included(of(creator)));
        assert_eq!(scan(one("b")).await, ["b0", "b1"]);
        assert_eq!(scan(one("c")).await, [""; 0]);
        let across = range(part, Bound::Excluded(of("b")), Bound::Excluded(of("e")));
        assert_eq!(scan(across).await, ["d0", "d1"]);
    }

    #[tokio::test]
    async fn the_list_of_creators_is_cut_by_its_bounds() {
        let (view, ..) = stage().await;
        let heads = |from, to| range(tables::creator_part(P), from, to);
        let scan = async |range: Range| names(&view.scan(&range).await.unwrap());
        let open = || Bound::Unbounded;
        assert_eq!(scan(heads(open(), open())).await, ["b", "d"]);
        assert_eq!(scan(heads(Bound::Excluded(of("b")), open())).await, ["d"]);
        assert_eq!(scan(heads(Bound::Included(of("b")), Bound::Excluded(of("d")))).await, ["b"]);
        assert_eq!(scan(heads(open(), Bound::Included(of("c")))).await, ["b"]);
        assert_eq!(scan(Range { limit: 1, ..heads(open(), open()) }).await, ["b"]);
        assert_eq!(scan(Range { limit: 1, reverse: true, ..heads(open(), open()) }).await, ["d"]);
    }

    #[tokio::test]
    async fn nothing_is_written_through_it() {
        let (view, part, _dir) = stage().await;
        assert!(view.write(vec![row(key(part, "b", 7))]).await.is_err());
        assert!(view.swap(&key(part, "b", 7), None, b"v").await.is_err());
        assert_eq!(view.get(&[key(part, "b", 7)]).await.unwrap(), [None]);
    }
}
