//! Rows of boards beside a fold from zero.
//!
//! They are stamped with the end of the flush that wrote them: each is compared when the fold passes that end, and all
//! of them once more where the slow rows are known to be out.

use hashbrown::{HashMap, HashSet};

use crate::fold::boards::{BoardChanges, BoardKey, Page, Ranks};
use crate::fold::effects::SlowRows;
use crate::fold::records::ScoreKey;
use crate::fold::state::{FOR_EVER, State};
use crate::ids::{Millis, Next, Partition};
use crate::project::boards::{self, PageRow, RootRow, TopRow};
use crate::project::key::{Col, Key, Row};
use crate::project::tables::RANK;

use super::Stored;

/// Changes are settled at the latest when there are so many.
const CHANGES_MAX: usize = 100_000;

/// What is stored, and how far it is.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) partition: Partition,
    /// Slow rows of events below it are out.
    pub(super) out: Next,
    pub(super) stored: &'a HashMap<Key, Stored>,
    /// Of each creator: what expired by then may have been purged.
    pub(super) watermarks: &'a HashMap<String, Millis>,
}

/// What was noted of boards since they were settled last.
#[derive(Default)]
pub(super) struct Boards {
    changes: BoardChanges,
    imaged: HashSet<ScoreKey>,
    /// Rows by the flush that wrote them.
    flushed: HashMap<Next, Vec<Key>>,
    creators: HashMap<String, u32>,
}

impl Boards {
    pub(super) fn new(stored: &HashMap<Key, Stored>) -> Self {
        let mut flushed: HashMap<Next, Vec<Key>> = HashMap::new();
        for (key, row) in stored.iter().filter(|(key, _)| key.part.table == RANK.id) {
            flushed.entry(row.at).or_default().push(key.clone());
        }
        Self { flushed, ..Self::default() }
    }

    /// Takes over what an event changed.
    pub(super) fn add(&mut self, mut changes: BoardChanges) {
        changes.images.retain(|(key, _)| self.imaged.insert(*key));
        self.changes.append(changes);
    }

    pub(super) fn is_due(&self) -> bool {
        self.changes.len() > CHANGES_MAX
    }

    /// The rows as of `place`: those that have changed, and those that were written as of it.
    pub(super) fn rows(&mut self, state: &State, ranks: &mut Ranks, place: (Partition, Next)) -> Vec<Row> {
        self.imaged.clear();
        let touched = SlowRows { boards: std::mem::take(&mut self.changes), ..SlowRows::default() };
        let mut rows = boards::rows(state, ranks, &touched, place);
        for key in self.flushed.remove(&place.1).unwrap_or_default() {
            rows.extend(self.row(state, ranks, &key, place));
        }
        rows
    }

    /// A row of a board, if the log says that there is one.
    fn row(&mut self, state: &State, ranks: &Ranks, key: &Key, place: (Partition, Next)) -> Option<Row> {
        let (creator, board, low) = self.read(state, key)?;
        let Some(board) = board else { return boards::boards_row(state, creator, place) };
        let kept = ranks.board(creator, board)?;
        let id = creator_id(key)?;
        let value = match kept.counts.page(low) {
            Some(page) => PageRow::of(&page, place.1).encode(),
            None if *key == boards::root_key(place.0, id, board) => {
                RootRow { at: place.1, pages: kept.counts.heads() }.encode()
            }
            None if *key == boards::top_key(place.0, id, board) => TopRow { at: place.1, places: kept.top() }.encode(),
            None => return None,
        };
        Some(Row { key: key.clone(), at: place.1, value: Some(value), expires: boards::expires(board) })
    }

    /// Creator, board and `low` of a key; no board: the row that says how far all of them are.
    fn read(&mut self, state: &State, key: &Key) -> Option<(u32, Option<BoardKey>, i64)> {
        let Some(Col::Int(low)) = key.cols.0.last() else { return None };
        Some((self.creator(state, creator_id(key)?)?, boards::board_of(key), *low))
    }

    fn creator(&mut self, state: &State, id: &str) -> Option<u32> {
        let made = state.partition.peek(&0, FOR_EVER).map_or(0, |record| record.creators);
        let known = u32::try_from(self.creators.len()).unwrap_or(made);
        for creator in known..made {
            let profile = state.creator_profiles.peek(&creator, FOR_EVER)?;
            self.creators.insert(profile.id.as_str().to_owned(), creator);
        }
        self.creators.get(id).copied()
    }

    /// What is stored of the boards that still change, where all of it is out: `report` gets the key and what is wrong.
    pub(super) fn judge(
        &self,
        (state, ranks): (&State, &Ranks),
        seen: &Seen<'_>,
        report: &mut impl FnMut(&Key, String),
    ) {
        let Seen { partition: p, out, stored, watermarks } = *seen;
        for creator in ranks.creators() {
            let Some(profile) = state.creator_profiles.peek(&creator, FOR_EVER) else { continue };
            let id = profile.id.as_str();
            expect(stored, &boards::boards_key(p, id), report);
            let watermark = watermarks.get(id).copied().unwrap_or(Millis(i64::MIN));
            let may_be_gone = |key| boards::expires(key).is_some_and(|expires| expires <= watermark);
            for (key, kept) in ranks.boards(creator).filter(|(key, _)| !may_be_gone(**key)) {
                let (root, top, counts) = (boards::root_key(p, id, *key), boards::top_key(p, id, *key), &kept.counts);
                if let Some(row) = expect(stored, &root, report).filter(|row| row.at <= out)
                    && RootRow::decode(&row.value).is_ok_and(|root| root.pages != counts.heads())
                {
                    report(&root, format!("stale: stored at {}, other pages at {}", row.at.0, out.0));
                }
                if let Some(row) = expect(stored, &top, report).filter(|row| row.at <= out)
                    && TopRow::decode(&row.value).is_ok_and(|top| top.places != kept.top())
                {
                    report(&top, format!("stale: stored at {}, others at the top at {}", row.at.0, out.0));
                }
                for page in counts.heads().iter().filter_map(|head| counts.page(head.low)) {
                    let key = boards::page_key(p, id, *key, page.low);
                    let row = expect(stored, &key, report).filter(|row| row.at <= out);
                    if let Some(row) = row.filter(|row| !holds(&row.value, &page)) {
                        report(&key, format!("stale: stored at {}, other counts at {}", row.at.0, out.0));
                    }
                }
            }
        }
    }
}

fn creator_id(key: &Key) -> Option<&str> {
    match key.cols.0.first() {
        Some(Col::Text(id)) => Some(id),
        _ => None,
    }
}

fn expect<'a>(
    stored: &'a HashMap<Key, Stored>,
    key: &Key,
    report: &mut impl FnMut(&Key, String),
) -> Option<&'a Stored> {
    let found = stored.get(key);
    if found.is_none() {
        report(key, "missing: the log says that there is one".to_owned());
    }
    found
}

/// What lies outside a page stands in others now.
fn holds(value: &[u8], page: &Page) -> bool {
    let head = crate::fold::boards::PageHead { low: page.low, bits: page.bits, members: 0 };
    PageRow::decode(value)
        .is_ok_and(|row| row.values.into_iter().filter(|(value, _)| head.holds(*value)).eq(page.values.iter().copied()))
}
