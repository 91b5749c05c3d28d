//! Boards of programmes of more than 1,024 members, from the rows kept of them (READS §5).

use std::collections::BTreeMap;

use super::Asked;
use super::asked::About;
use super::ranked::{After, NEIGHBOURS, Place, Ranked};
use crate::fold::boards::{PageHead, code};
use crate::project::boards::{self, BoardsRow, PageRow, RootRow};
use crate::project::tables;
use crate::store::{Bound, Col, Cols, Range, Store};
use crate::web::problem::Problem;
use crate::web::read::At;
use crate::web::read::members::decode;

/// Members under one code that are put in order by value and time; more of them go by who joined first.
const LISTED_MAX: usize = 512;
/// The same beside a single member, whose answer is to take a few milliseconds.
const BESIDE_MAX: usize = 128;

/// A board as its rows have it.
pub(in crate::web::read) struct Large<'a, S> {
    at: &'a At<'a, S>,
    asked: Asked,
    root: RootRow,
    pages: BTreeMap<i64, PageRow>,
}

/// Members under one code.
struct Bucket {
    code: u16,
    members: Vec<u32>,
    /// There are more than were read.
    is_cut: bool,
}

impl<'a, S: Store> Large<'a, S> {
    pub(super) async fn read(at: &'a At<'a, S>, asked: Asked) -> Result<(Self, About), Problem> {
        let keys = [boards::boards_key(at.p, &at.id), boards::root_key(at.p, &at.id, asked.key)];
        let mut found = at.store.get(&keys).await?.into_iter().map(|row| row.and_then(|row| row.value));
        let (head, root) = (found.next().flatten(), found.next().flatten());
        let head = head.map(|bytes| BoardsRow::decode(&bytes)).transpose()?;
        let root = root.map(|bytes| RootRow::decode(&bytes)).transpose()?;
        // A board without a root is an empty one.
        let mut root = root.unwrap_or(RootRow { at: crate::ids::Next(0), pages: Vec::new() });
        let rolled_to = head.and_then(|head| head.rolled_to);
        let mut about = asked.about(rolled_to);
        if asked.is_rolling() && rolled_to.is_some_and(|day| asked.is_long_past(day)) {
            root.pages.clear();
            about = asked.about(None);
        } else if head.is_none() || (asked.is_rolling() && rolled_to != Some(asked.today)) {
            about = about.not_ready();
        }
        Ok((Self { at, asked, root, pages: BTreeMap::new() }, about))
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
    ) -> Result<(Vec<Ranked>, bool, Option<After>), Problem> {
        let mut page: Vec<(Ranked, bool)> = Vec::new();
        let mut from = self.start(after);
        // One more than wanted tells whether there is a next page.
        while page.len() <= limit {
            let buckets = self.buckets((from, self.all()), false, (limit + 1, LISTED_MAX)).await?;
            let Some(last) = buckets.last() else { break };
            from = if last.is_cut { self.behind(last) } else { self.behind_all(last) };
            for bucket in buckets {
                let mut members = self.members(&bucket).await?;
                let mut by_joining = bucket.is_cut;
                if let Some(after) = after.filter(|after| code(after.value) == bucket.code) {
                    by_joining |= after.by_joining;
                    if after.by_joining {
                        // Behind it from the first row read on.
                        members.sort_by_key(|one| one.n);
                    } else {
                        members.retain(|one| one.order() > after.order());
                    }
                }
                page.extend(members.into_iter().map(|one| (one, by_joining)));
            }
        }
        let last = if page.len() > limit { page.get(limit - 1) } else { None };
        let next = last.map(|(one, by_joining)| After { by_joining: *by_joining, ..After::of(one) });
        page.truncate(limit);
        let is_exact = page.iter().all(|(_, by_joining)| !by_joining);
        Ok((page.into_iter().map(|(one, _)| one).collect(), is_exact, next))
    }

    pub(super) async fn neighbours(&self, own: &Ranked) -> Result<(Vec<Ranked>, Vec<Ranked>, bool), Problem> {
        let own_code = self.cols(&[Col::IntDesc(code(own.held.value).into())]);
        let most = (NEIGHBOURS, BESIDE_MAX);
        let from = Bound::Included(own_code.clone());
        let mut below = self.buckets((from, self.all()), false, (NEIGHBOURS + 1, BESIDE_MAX)).await?.into_iter();
        let beside = below.next().filter(|bucket| bucket.code == code(own.held.value));
        let Some(beside) = beside else { return Ok((Vec::new(), Vec::new(), false)) };
        let is_exact = !beside.is_cut;
        let mut around = self.members(&beside).await?;
        if !around.iter().any(|one| one.n == own.n) {
            around.push(own.clone());
            around.sort_by_key(Ranked::order);
        }
        let place = around.iter().position(|one| one.n == own.n).unwrap_or_default();
        let mut under: Vec<Ranked> = around.iter().skip(place + 1).take(NEIGHBOURS).cloned().collect();
        let mut over: Vec<Ranked> = around.iter().take(place).cloned().collect();
        if is_exact && under.len() < NEIGHBOURS {
            for bucket in below {
                under.extend(self.members(&bucket).await?);
            }
        }
        if over.len() < NEIGHBOURS {
            let range = (self.all(), Bound::Excluded(own_code));
            for bucket in self.buckets(range, true, most).await? {
                let mut members = self.members(&bucket).await?;
                members.append(&mut over);
                over = members;
            }
        }
        under.truncate(NEIGHBOURS);
        let spare = over.len().saturating_sub(NEIGHBOURS);
        Ok((over.split_off(spare), under, is_exact))
    }

    /// Whole buckets of a range until they hold `wanted` members; at least one, cut at `most` members.
    async fn buckets(
        &self,
        (from, to): (Bound, Bound),
        reverse: bool,
        (wanted, most): (usize, usize),
    ) -> Result<Vec<Bucket>, Problem> {
        let part = boards::standing_part(self.at.p, &self.at.id);
        let read = most + wanted;
        let range = Range { part, from, to, reverse, limit: 0 };
        let rows = self.at.scan(range, read).await?;
        let is_all = rows.len() < read;
        let mut buckets: Vec<Bucket> = Vec::new();
        for row in rows {
            let [.., Col::IntDesc(at), Col::Int(n)] = row.key.cols.0.as_slice() else { continue };
            let (Ok(at), Ok(n)) = (u16::try_from(*at), u32::try_from(*n)) else { continue };
            match buckets.last_mut().filter(|bucket| bucket.code == at) {
                Some(bucket) => bucket.members.push(n),
                None => buckets.push(Bucket { code: at, members: vec![n], is_cut: false }),
            }
        }
        if !is_all && let Some(mut last) = buckets.pop() {
            // The others are whole; the last one may go on.
            if buckets.is_empty() {
                last.members.truncate(most);
                last.is_cut = true;
                buckets.push(last);
            }
        }
        for bucket in &mut buckets {
            bucket.is_cut |= bucket.members.len() > most;
            bucket.members.truncate(most);
        }
        let cut = buckets.iter().position(|bucket| bucket.is_cut).map_or(buckets.len(), |place| place + 1);
        buckets.truncate(cut);
        Ok(buckets)
    }

    /// The members of a bucket in order, those who have moved on since left out.
    async fn members(&self, bucket: &Bucket) -> Result<Vec<Ranked>, Problem> {
        let keys: Vec<_> = bucket.members.iter().map(|n| tables::member(self.at.p, &self.at.id, *n)).collect();
        let mut members = Vec::with_capacity(keys.len());
        for row in self.at.store.get(&keys).await?.into_iter().flatten() {
            let Some((n, member)) = decode(row)? else { continue };
            let held = self.asked.held(&member);
            if held.value > 0 && code(held.value) == bucket.code {
                members.push(Ranked { held, n, member });
            }
        }
        if !bucket.is_cut {
            members.sort_by_key(Ranked::order);
        }
        Ok(members)
    }

    fn start(&self, after: Option<After>) -> Bound {
        match after {
            None => self.all(),
            Some(after) => {
                let at = Col::IntDesc(code(after.value).into());
                if after.by_joining {
                    return Bound::Excluded(self.cols(&[at, Col::Int(after.n.into())]));
                }
                Bound::Included(self.cols(&[at]))
            }
        }
    }

    fn behind(&self, bucket: &Bucket) -> Bound {
        let last = bucket.members.last().copied().unwrap_or_default();
        Bound::Excluded(self.cols(&[Col::IntDesc(bucket.code.into()), Col::Int(last.into())]))
    }

    fn behind_all(&self, bucket: &Bucket) -> Bound {
        Bound::Excluded(self.cols(&[Col::IntDesc(bucket.code.into())]))
    }

    fn all(&self) -> Bound {
        Bound::Included(self.cols(&[]))
    }

    fn cols(&self, more: &[Col]) -> Cols {
        let mut cols = boards::board_cols(&self.at.id, self.asked.key);
        cols.extend_from_slice(more);
        Cols(cols)
    }
}
