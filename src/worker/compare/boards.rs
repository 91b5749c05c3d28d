//! Rows of boards, of two generations that flushed at different places.
//!
//! They are stamped with the end of the flush that wrote them, so they are compared by what they hold: the pages that
//! the root lists, and of each what lies in its span. What else the table has is no part of the board. A board of a
//! past period is written no more, wherever that left it in either generation, so it is not compared.

use hashbrown::HashMap;

use super::{Compare, Found, Heads, Pair, difference};
use crate::fold::boards::{BoardKey, PageHead, Place as Placed};
use crate::ids::{Millis, Next};
use crate::project::boards::{BoardsRow, PageRow, RootRow, TopRow, board_of, root_key, top_key};
use crate::project::key::{Col, Key, Row};
use crate::project::tables::RANK;
use crate::store::{Error, Store};

/// Whether a row is compared here.
pub(super) fn is_of_boards(key: &Key) -> bool {
    key.part.table == RANK.id
}

/// Whether two rows hold the same, whichever flush wrote them. It may be that two boards are the same although these
/// are not.
pub(super) fn is_same(live: &Row, other: &Row) -> bool {
    live.expires == other.expires && content(live) == content(other)
}

/// What a row of boards says.
#[derive(PartialEq, Eq)]
enum Content {
    /// How far the rolling windows of all boards are.
    Rolled(Option<i32>),
    Pages(Vec<PageHead>),
    Values(Vec<(i64, u32)>),
    Members(Vec<Placed>),
    /// No reader could read it; never the same as another that is none.
    Unreadable(bytes::Bytes),
}

fn content(row: &Row) -> Content {
    let bytes = row.value.clone().unwrap_or_default();
    let read = match place_of(&row.key) {
        Place::Top => TopRow::decode(&bytes).ok().map(|top| Content::Members(top.places)),
        Place::All => BoardsRow::decode(&bytes).ok().map(|all| Content::Rolled(all.rolled_to)),
        Place::Root => RootRow::decode(&bytes).ok().map(|root| Content::Pages(root.pages)),
        Place::Page(_) => PageRow::decode(&bytes).ok().map(|page| Content::Values(page.values)),
    };
    read.unwrap_or(Content::Unreadable(bytes))
}

/// What a key is the place of.
enum Place {
    /// Of all boards of a programme.
    All,
    Root,
    Top,
    /// By its least value.
    Page(i64),
}

fn place_of(key: &Key) -> Place {
    let (Some(board), Some(Col::Text(creator)), Some(Col::Int(low))) =
        (board_of(key), key.cols.0.first(), key.cols.0.last())
    else {
        return Place::All;
    };
    if *key == top_key(key.part.p, creator, board) {
        return Place::Top;
    }
    if *low >= 0 { Place::Page(*low) } else { Place::Root }
}

/// The pages of a board, as one side lists them, and when it did.
#[derive(Debug, Clone, Default)]
struct Root {
    at: Next,
    pages: Vec<PageHead>,
}

impl Root {
    /// A board without a root is an empty one.
    fn of(row: Option<&Row>) -> Self {
        let read = row.and_then(|row| RootRow::decode(row.value.as_deref()?).ok());
        let pages = read.map(|root| root.pages).unwrap_or_default();
        Self { at: row.map(|row| row.at).unwrap_or_default(), pages }
    }

    fn page(&self, low: i64) -> Option<&PageHead> {
        self.pages.iter().find(|page| page.low == low)
    }
}

/// The roots of boards, live and other, as they are needed.
#[derive(Default)]
pub(super) struct Boards(HashMap<Key, (Root, Root)>);

impl Boards {
    pub(super) async fn judge<T: Store>(
        &mut self,
        compare: &Compare<'_, T>,
        heads: &mut Heads,
        pair: Pair<'_>,
    ) -> Result<Found, Error> {
        let head = heads.of(compare.other, pair.key).await?;
        if board_of(pair.key).is_some_and(|board| head.is_none_or(|head| !is_kept(board, head.clock))) {
            return Ok(Found::Same);
        }
        // Where the live one stands still, the creator has moved on since: so may the member.
        let has_moved = head.zip(pair.end).is_some_and(|(head, end)| head.at > end);
        if pair.is_newer() || (has_moved && pair.other.is_none()) {
            return Ok(Found::Newer);
        }
        match place_of(pair.key) {
            Place::All => Ok(told(match (pair.live, pair.other) {
                (Some(live), Some(other)) if is_same(live, other) => None,
                (Some(_), Some(_)) => Some(OTHER.to_owned()),
                (live, other) => difference(live, other),
            })),
            // A board without a top is an empty one.
            Place::Top => {
                let members = |row: Option<&Row>| match row.map(content) {
                    None => Content::Members(Vec::new()),
                    Some(content) => content,
                };
                Ok(told((members(pair.live) != members(pair.other)).then(|| OTHER.to_owned())))
            }
            Place::Root => {
                let is_same = Root::of(pair.live).pages == Root::of(pair.other).pages;
                Ok(told((!is_same).then(|| OTHER.to_owned())))
            }
            Place::Page(low) => self.page(compare, pair, low).await,
        }
    }

    async fn page<T: Store>(&mut self, compare: &Compare<'_, T>, pair: Pair<'_>, low: i64) -> Result<Found, Error> {
        let (live, other) = self.roots(compare, pair.key).await?;
        if pair.end.is_some_and(|end| other.at > end) {
            return Ok(Found::Newer);
        }
        // Where only one of the two lists it, that is told of the roots.
        let Some(head) = live.page(low).filter(|head| other.page(low) == Some(head)) else { return Ok(Found::Same) };
        Ok(told(match (pair.live, pair.other) {
            (Some(live), Some(other)) => (values(live, head) != values(other, head)).then(|| OTHER.to_owned()),
            (live, other) => difference(live, other),
        }))
    }

    async fn roots<T: Store>(&mut self, compare: &Compare<'_, T>, page: &Key) -> Result<&(Root, Root), Error> {
        let key = root_of(page);
        if !self.0.contains_key(&key) {
            let keys = [key.clone()];
            let (live, other) = (compare.live.get(&keys).await?, compare.other.get(&keys).await?);
            let root = |rows: Vec<Option<Row>>| Root::of(rows.first().and_then(Option::as_ref));
            self.0.insert(key.clone(), (root(live), root(other)));
        }
        Ok(self.0.get(&key).expect("inserted above"))
    }
}

const OTHER: &str = "it holds something else in the live generation";

fn told(what: Option<String>) -> Found {
    what.map_or(Found::Same, Found::Differs)
}

/// Whether a board certainly still changes: the creator's newest day is at most the one after the clock's in UTC.
fn is_kept(board: BoardKey, clock: Millis) -> bool {
    let newest = clock.0.div_euclid(Millis::DAY) + 1;
    i32::try_from(newest).is_ok_and(|newest| board.window.is_kept(board.period, newest))
}

fn root_of(page: &Key) -> Key {
    match (page.cols.0.first(), board_of(page)) {
        (Some(Col::Text(creator)), Some(board)) => root_key(page.part.p, creator, board),
        _ => page.clone(),
    }
}

/// What lies outside a page stands in others now.
fn values(row: &Row, head: &PageHead) -> Option<Vec<(i64, u32)>> {
    let page = PageRow::decode(row.value.as_deref()?).ok()?;
    Some(page.values.into_iter().filter(|(value, _)| head.holds(*value)).collect())
}
