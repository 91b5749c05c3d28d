//! Boards of programmes of more than 1,024 members, from the rows kept of them (READS §5): counts tell any rank by three
//! rows, the top names its members. Who stands further down is found by looking at every member once.

use std::collections::BTreeMap;

use super::Asked;
use super::asked::About;
use super::ranked::{After, NEIGHBOURS, Place, Ranked};
use crate::fold::boards::{Order, PageHead, Place as Top};
use crate::ids::Next;
use crate::project::boards::{self, BoardsRow, PageRow, RootRow, TopRow};
use crate::project::scores::Held;
use crate::project::tables;
use crate::store::Store;
use crate::web::problem::Problem;
use crate::web::read::At;
use crate::web::read::members::{decode, members_between};

/// Members read at once where all of them are looked at.
const STEP: u32 = 1_024;
/// In programmes of more members, neighbours of those below the top are looked for only if that is asked for.
const NEAR_MAX: i64 = 16_384;

/// A board as its rows have it.
pub(in crate::web::read) struct Large<'a, S> {
    at: &'a At<'a, S>,
    asked: Asked,
    root: RootRow,
    top: Vec<Top>,
    pages: BTreeMap<i64, PageRow>,
}

/// Those of a board that are nearest to a place, so many at most.
struct Nearest {
    most: usize,
    found: BTreeMap<Order, Ranked>,
}

impl<'a, S: Store> Large<'a, S> {
    pub(super) async fn read(at: &'a At<'a, S>, asked: Asked) -> Result<(Self, About), Problem> {
        let (p, id) = (at.p, &at.id);
        let keys = [boards::boards_key(p, id), boards::root_key(p, id, asked.key), boards::top_key(p, id, asked.key)];
        let mut found = at.store.get(&keys).await?.into_iter().map(|row| row.and_then(|row| row.value));
        let (head, root, top) = (found.next().flatten(), found.next().flatten(), found.next().flatten());
        let head = head.map(|bytes| BoardsRow::decode(&bytes)).transpose()?;
        let root = root.map(|bytes| RootRow::decode(&bytes)).transpose()?;
        let top = top.map(|bytes| TopRow::decode(&bytes)).transpose()?;
        // A board without a root is an empty one.
        let mut root = root.unwrap_or(RootRow { at: Next(0), pages: Vec::new() });
        let mut top = top.map(|top| top.places).unwrap_or_default();
        let rolled_to = head.and_then(|head| head.rolled_to);
        let mut about = asked.about(rolled_to);
        if asked.is_rolling() && rolled_to.is_some_and(|day| asked.is_long_past(day)) {
            root.pages.clear();
            top.clear();
            about = asked.about(None);
        } else if head.is_none() || (asked.is_rolling() && rolled_to != Some(asked.today)) {
            about = about.not_ready();
        }
        Ok((Self { at, asked, root, top, pages: BTreeMap::new() }, about))
    }

    pub(super) fn ranked(&self) -> u64 {
        self.root.ranked()
    }

    pub(super) async fn places(&mut self, values: &[i64]) -> Result<Vec<Place>, Problem> {
        let heads: Vec<(Option<PageHead>, u64)> = values.iter().map(|value| self.root.page_of(*value)).collect();
        let lows = heads.iter().filter_map(|(head, _)| Some(head.as_ref()?.low));
        let mut missing: Vec<i64> = lows.filter(|low| !self.pages.contains_key(low)).collect();
        missing.sort_unstable();
        missing.dedup();
        let keys: Vec<_> =
            missing.iter().map(|low| boards::page_key(self.at.p, &self.at.id, self.asked.key, *low)).collect();
        for (low, row) in missing.into_iter().zip(self.at.store.get(&keys).await?) {
            if let Some(bytes) = row.and_then(|row| row.value) {
                self.pages.insert(low, PageRow::decode(&bytes)?);
            }
        }
        let place = |((head, ahead), value): ((Option<PageHead>, u64), &i64)| {
            let counted = head.and_then(|head| Some(self.pages.get(&head.low)?.count(&head, *value)));
            let (above, tied) = counted.unwrap_or_default();
            // A value that its board does not know yet is this member's alone.
            Place { rank: ahead + above + 1, tied: tied.max(1) }
        };
        Ok(heads.into_iter().zip(values).map(place).collect())
    }

    pub(super) async fn list(
        &self,
        after: Option<After>,
        limit: usize,
    ) -> Result<(Vec<Ranked>, Option<After>), Problem> {
        let after = after.map(|after| after.order());
        let from = self.top.partition_point(|one| after.is_some_and(|after| one.order() <= after));
        // One more than wanted tells whether there is a next page.
        let mut page = match self.top_from(from, limit + 1) {
            Some(places) => self.named(places).await?,
            None => {
                let mut behind = Nearest::new(limit + 1);
                self.each(|order, one| {
                    if after.is_none_or(|after| order > after) {
                        behind.first(order, one);
                    }
                })
                .await?;
                behind.found.into_values().collect()
            }
        };
        let next = if page.len() > limit { page.get(limit - 1).map(After::of) } else { None };
        page.truncate(limit);
        Ok((page, next))
    }

    /// `None`: nobody near stands at the top, and to look at every member was not asked for.
    pub(super) async fn neighbours(
        &self,
        own: &Ranked,
        always: bool,
    ) -> Result<Option<(Vec<Ranked>, Vec<Ranked>)>, Problem> {
        let order = own.order();
        let at = self.top.iter().position(|one| one.n == own.n);
        let place = at.unwrap_or_else(|| self.top.partition_point(|one| one.order() < order));
        if let Some(below) = self.top_from(place + usize::from(at.is_some()), NEIGHBOURS) {
            let above = self.top.get(place.saturating_sub(NEIGHBOURS)..place).unwrap_or_default();
            return Ok(Some((self.named(above).await?, self.named(below).await?)));
        }
        if !always && self.at.row.members > NEAR_MAX {
            return Ok(None);
        }
        let (mut above, mut below) = (Nearest::new(NEIGHBOURS), Nearest::new(NEIGHBOURS));
        self.each(|other, one| {
            if one.n != own.n {
                if other < order { above.last(other, one) } else { below.first(other, one) }
            }
        })
        .await?;
        Ok(Some((above.found.into_values().collect(), below.found.into_values().collect())))
    }

    /// So many of the top from a place on, fewer where the board ends; `None` where it goes on below the top.
    fn top_from(&self, from: usize, count: usize) -> Option<&[Top]> {
        let is_whole = u64::try_from(self.top.len()).is_ok_and(|len| len >= self.ranked());
        let rest = self.top.get(from..).unwrap_or_default();
        (rest.len() >= count || is_whole).then(|| rest.get(..count).unwrap_or(rest))
    }

    async fn named(&self, places: &[Top]) -> Result<Vec<Ranked>, Problem> {
        let keys: Vec<_> = places.iter().map(|one| tables::member(self.at.p, &self.at.id, one.n)).collect();
        let mut members = Vec::with_capacity(keys.len());
        for (row, place) in self.at.store.get(&keys).await?.into_iter().zip(places) {
            let Some((n, member)) = row.map(decode).transpose()?.flatten() else { continue };
            let held = Held { value: place.value, reached_at: place.reached };
            members.push(Ranked { held, n, member });
        }
        Ok(members)
    }

    /// Every member with a place on the board, in no order of it.
    async fn each(&self, mut take: impl FnMut(Order, Ranked)) -> Result<(), Problem> {
        let end = u32::try_from(self.at.row.members).unwrap_or(u32::MAX);
        let mut from = 0;
        while from < end {
            let to = end.min(from.saturating_add(STEP));
            for (n, member) in members_between(self.at, (from, to), false, usize::MAX).await? {
                let held = self.asked.held(&member);
                if held.value > 0 {
                    let one = Ranked { held, n, member };
                    take(one.order(), one);
                }
            }
            from = to;
        }
        Ok(())
    }
}

impl Nearest {
    const fn new(most: usize) -> Self {
        Self { most, found: BTreeMap::new() }
    }

    /// Keeps those that come first.
    fn first(&mut self, order: Order, one: Ranked) {
        self.found.insert(order, one);
        if self.found.len() > self.most {
            self.found.pop_last();
        }
    }

    /// Keeps those that come last.
    fn last(&mut self, order: Order, one: Ranked) {
        self.found.insert(order, one);
        if self.found.len() > self.most {
            self.found.pop_first();
        }
    }
}
