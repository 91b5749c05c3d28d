//! Boards as their rows say, in whatever order those were written.

use std::collections::BTreeMap;

use tributary::fold::boards::{BoardKey, Measure, Metric, SMALL, Window};
use tributary::ids::{Currency, Next, Partition};
use tributary::project::boards::{self, BoardsRow, PageRow, RootRow, TopRow};
use tributary::project::key::{Col, Key};
use tributary::project::rows::{CreatorRow, MemberRow, MemberState};
use tributary::project::tables;

use super::super::world::World;

const P: Partition = Partition(0);

/// A member on a board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    pub rank: usize,
    pub id: String,
    pub n: u32,
    pub value: i64,
    pub reached_at: i64,
}

/// What one creator's rows say.
pub struct Reader<'w> {
    world: &'w World,
    id: String,
    pub head: CreatorRow,
    members: BTreeMap<u32, MemberRow>,
}

/// `06-10` of 2026, or with a year before it, as days since 1970.
pub fn day(text: &str) -> i32 {
    let text = if text.len() == 5 { format!("2026-{text}") } else { text.to_owned() };
    let date: jiff::civil::Date = text.parse().unwrap();
    (date - jiff::civil::date(1970, 1, 1)).get_days()
}

impl<'w> Reader<'w> {
    pub fn new(world: &'w World, id: &str) -> Self {
        let head = world.rows[&tables::creator(P, id)].value.clone().unwrap();
        let mut members = BTreeMap::new();
        for row in world.live().filter(|row| row.key.part.table == tables::MEMBER.id) {
            if let [Col::Text(owner), Col::Int(n)] = row.key.cols.0.as_slice()
                && owner == id
            {
                members.insert(u32::try_from(*n).unwrap(), MemberRow::decode(row.value.as_ref().unwrap()).unwrap());
            }
        }
        Self { world, id: id.to_owned(), head: CreatorRow::decode(&head).unwrap(), members }
    }

    fn key(&self, metric: Metric, window: Window, period: i32) -> BoardKey {
        BoardKey { measure: Measure::new(metric, self.currency()), window, period }
    }

    fn currency(&self) -> Currency {
        self.head.currency
    }

    /// From the rows of the members.
    pub fn board(&self, metric: Metric, window: Window, period: i32) -> Vec<Placed> {
        let key = self.key(metric, window, period);
        let mut placed: Vec<Placed> = self
            .members
            .iter()
            .filter(|(_, row)| row.status == MemberState::Active)
            .filter_map(|(n, row)| {
                let held = row.scores.iter().find(|score| score.measure == key.measure)?.in_window(window, period);
                let placed = Placed {
                    rank: 0,
                    id: row.member_id.clone(),
                    n: *n,
                    value: held.value,
                    reached_at: held.reached_at,
                };
                (held.value > 0).then_some(placed)
            })
            .collect();
        placed.sort_by_key(|one| (-one.value, one.reached_at, one.n));
        for place in 0..placed.len() {
            let before = place.checked_sub(1).map(|before| (placed[before].value, placed[before].rank));
            placed[place].rank = match before {
                Some((value, rank)) if value == placed[place].value => rank,
                Some(_) | None => place + 1,
            };
        }
        placed
    }

    pub fn is_large(&self) -> bool {
        self.head.members > i64::from(SMALL)
    }

    fn row(&self, key: &Key) -> Option<bytes::Bytes> {
        self.world.rows.get(key).and_then(|row| row.value.clone())
    }

    /// The day up to which rolling windows are.
    pub fn rolled_to(&self) -> Option<i32> {
        if !self.is_large() {
            return self.head.rolled_to.map(|day| i32::try_from(day).unwrap());
        }
        BoardsRow::decode(&self.row(&boards::boards_key(P, &self.id)).expect("a large programme has boards"))
            .unwrap()
            .rolled_to
    }

    /// How many hold each value, by root and pages.
    pub fn counts(&self, metric: Metric, window: Window, period: i32) -> Counts {
        let key = self.key(metric, window, period);
        let root = self.row(&boards::root_key(P, &self.id, key));
        let root = root.map_or(RootRow { at: Next(0), pages: Vec::new() }, |bytes| RootRow::decode(&bytes).unwrap());
        let page = |low| {
            PageRow::decode(&self.row(&boards::page_key(P, &self.id, key, low)).expect("the root lists it")).unwrap()
        };
        let pages = root.pages.iter().map(|head| (head.low, page(head.low))).collect();
        Counts { root, pages }
    }

    /// Who stands at the top: value, when it was reached, ordinal.
    pub fn top(&self, metric: Metric, window: Window, period: i32) -> Vec<(i64, i64, u32)> {
        let row = self.row(&boards::top_key(P, &self.id, self.key(metric, window, period)));
        let places = row.map_or_else(Vec::new, |bytes| TopRow::decode(&bytes).unwrap().places);
        places.into_iter().map(|place| (place.value, place.reached, place.n)).collect()
    }
}

/// A board's root and pages.
pub struct Counts {
    root: RootRow,
    pages: BTreeMap<i64, PageRow>,
}

impl Counts {
    pub fn pages(&self) -> usize {
        self.root.pages.len()
    }

    /// Members by value.
    pub fn values(&self) -> BTreeMap<i64, u32> {
        let mut values = BTreeMap::new();
        for head in &self.root.pages {
            let own = self.pages[&head.low].values.iter().filter(|(value, _)| head.holds(*value));
            values.extend(own.copied());
        }
        values
    }

    /// Rank and how many share it, by root and one page.
    pub fn place(&self, value: i64) -> (usize, usize) {
        let (head, ahead) = self.root.page_of(value);
        let head = head.expect("a value that is held has a page");
        let (above, tied) = self.pages[&head.low].count(&head, value);
        (usize::try_from(ahead + above).unwrap() + 1, usize::try_from(tied).unwrap())
    }
}
