//! Are the stored rows what the log says? A fold from zero beside the stored rows, each compared when the fold
//! passes the row's own `at`: exact for rows that change meanwhile, no pause for anybody.

mod boards;

use std::ops::ControlFlow;
use std::path::Path;

use hashbrown::{HashMap, HashSet};

use crate::consume::{Batch, Limits, Source};
use crate::decode::Place;
use crate::fold::boards::Ranks;
use crate::fold::effects::{Effects, FastRows, SlowRows};
use crate::fold::groups::Quarters;
use crate::fold::records::MemberKey;
use crate::fold::state::{FOR_EVER, State};
use crate::fold::{Fold, Origin};
use crate::ids::{Millis, Next, Partition};
use crate::keep;
use crate::project::build;
use crate::project::key::{Col, Key, Row};
use crate::project::rows::{AppliedRow, CreatorRow};
use crate::project::tables;
use crate::project::words::Words;
use crate::store::Store;

use super::read::{only, read};
use super::scratch::{Scratch, open, settle};
use super::{Error, Schemas};
use boards::{Boards, Seen};

/// One row that is not what the log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub partition: Partition,
    pub table: &'static str,
    /// The row's clustering columns.
    pub key: String,
    pub what: String,
}

/// What was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    pub events: u64,
    pub rows: u64,
    pub differences: u64,
}

/// A stored row, until the fold passes it.
struct Stored {
    at: Next,
    value: bytes::Bytes,
    is_equal: bool,
}

/// Everything that the fold touched, with the newest `at` of each.
#[derive(Default)]
struct Touched {
    fast: FastRows,
    slow: SlowRows,
    members: HashSet<MemberKey>,
}

/// The stored rows, and the places at which the fold must stop to compare.
struct Comparison {
    stored: HashMap<Key, Stored>,
    ats: HashSet<Next>,
    touched: Touched,
    boards: Boards,
    words: Words,
    /// Slow rows of events below it are out.
    slow: Next,
    /// Of boards, and what is wrong.
    found: Vec<(Key, String)>,
    /// Of each creator: what expired by then may have been purged.
    watermarks: HashMap<String, Millis>,
}

/// Where the fold of one partition is compared.
pub struct Verify<'a, S, T> {
    pub source: S,
    pub store: &'a T,
    pub schemas: Schemas,
    /// Scratch state is kept here while it runs, so that memory stays bounded.
    pub scratch: &'a Path,
    pub limits: keep::Limits,
}

impl<S: Source, T: Store> Verify<'_, S, T> {
    /// Compares every row of `partition`. `report` gets each difference, `progress` the position now and then, and
    /// may break it off ([`Error::Stopped`]).
    pub async fn run(
        mut self,
        partition: Partition,
        mut report: impl FnMut(Difference),
        mut progress: impl FnMut(Next) -> ControlFlow<()>,
    ) -> Result<Summary, Error> {
        let applied = self.applied(partition).await?;
        let stored = self.scan(partition, &mut progress).await?;
        let rows = u64::try_from(stored.len()).unwrap_or_default();
        let ats: HashSet<Next> = stored.values().map(|row| row.at).chain([applied.slow]).collect();
        let end = ats.iter().copied().max().unwrap_or_default().max(applied.fast).max(applied.slow);
        // Read behind the rows: what was purged before had expired by then.
        let watermarks = self.watermarks(partition).await?;
        let boards = Boards::new(&stored);
        let (touched, found) = (Touched::default(), Vec::new());
        let words = Words::default();
        let mut comparison = Comparison { stored, ats, touched, boards, words, slow: applied.slow, found, watermarks };
        let scratch = Scratch::new(self.scratch, "verify", partition);
        let state = self.replay((partition, end), &scratch, &mut comparison, &mut progress).await?;
        let mut differences = 0;
        comparison.judge(&state, partition, &applied, &mut |difference| {
            differences += 1;
            report(difference);
        });
        Ok(Summary { events: end.0, rows, differences })
    }

    async fn applied(&self, partition: Partition) -> Result<AppliedRow, Error> {
        let rows = self.store.get(&[tables::applied(partition)]).await;
        let rows = rows.map_err(|source| Error::Store { partition, source })?;
        let value = rows.into_iter().flatten().next().and_then(|row| row.value);
        let none = AppliedRow::default();
        Ok(value.and_then(|value| AppliedRow::decode(&value).ok()).unwrap_or(none))
    }

    async fn scan(
        &self,
        partition: Partition,
        progress: &mut impl FnMut(Next) -> ControlFlow<()>,
    ) -> Result<HashMap<Key, Stored>, Error> {
        let mut stored = HashMap::new();
        let unreadable = |source| Error::Store { partition, source };
        let months = super::scan::months(self.store, partition).await.map_err(unreadable)?;
        for table in tables::ALL.into_iter().filter(|table| table.id != tables::APPLIED.id) {
            let take = |page: Vec<Row>| {
                for row in page {
                    let value = row.value.unwrap_or_default();
                    stored.insert(row.key, Stored { at: row.at, value, is_equal: false });
                }
                progress(Next(0))
            };
            let scanned = super::scan::each(self.store, table, partition, months.clone(), take).await;
            if scanned.map_err(unreadable)?.is_break() {
                return Err(Error::Stopped);
            }
        }
        Ok(stored)
    }

    async fn watermarks(&self, partition: Partition) -> Result<HashMap<String, Millis>, Error> {
        let heads = super::scan::table(self.store, tables::CREATOR, partition, 0..1).await;
        let heads = heads.map_err(|source| Error::Store { partition, source })?.into_iter();
        let watermark = |row: Row| {
            let head = CreatorRow::decode(row.value.as_deref()?).ok()?;
            Some((creator_of(&row.key)?.to_owned(), head.watermark()))
        };
        Ok(heads.filter_map(watermark).collect())
    }

    async fn replay(
        &mut self,
        (partition, end): (Partition, Next),
        scratch: &Scratch,
        comparison: &mut Comparison,
        progress: &mut impl FnMut(Next) -> ControlFlow<()>,
    ) -> Result<State, Error> {
        let mut state = State::default();
        let mut keep = open(scratch.path(), (partition, self.limits.clone()), &mut state)?;
        let (mut fold, mut effects, mut batch) = (Fold::default(), Effects::from(Next(0)), Batch::default());
        only(&mut self.source, partition, Next(0))?;
        let topic = self.source.topic().name.clone();
        let mut position = Next(0);
        while position < end {
            self.source.poll(&Limits::default(), &mut batch)?;
            if !self.schemas.learn(&batch, || !progress(position).is_break()).await {
                return Err(Error::Stopped);
            }
            for record in batch.iter().filter(|record| record.partition == partition && record.offset.next() <= end) {
                position = record.offset.next();
                let at = Place { topic: &topic, partition, offset: record.offset };
                if let Ok(event) = read(&self.schemas.decoder, &record, at, self.source.topic().partitions) {
                    let origin = Origin { offset: record.offset, timestamp: record.timestamp };
                    fold.apply(&mut state, &mut effects, &event, origin);
                }
                comparison.pass((&state, &mut fold.ranks), &mut effects, partition, position);
            }
            let reached = batch.reached().iter().filter(|(p, _)| *p == partition).map(|(_, next)| *next);
            position = reached.fold(position, Next::max);
            settle(&mut keep, &mut state, (partition, position))?;
            if progress(position).is_break() {
                return Err(Error::Stopped);
            }
        }
        keep.flush().map_err(|source| Error::State { partition, source })?;
        Ok(state)
    }
}

impl Comparison {
    /// The fold has passed `position`: rows stored as of it are compared now.
    fn pass(
        &mut self,
        (state, ranks): (&State, &mut Ranks),
        effects: &mut Effects,
        partition: Partition,
        position: Next,
    ) {
        effects.letters.clear();
        effects.decisions.clear();
        let fast = effects.take_fast(position);
        let mut slow = effects.take_slow();
        self.boards.add(std::mem::take(&mut slow.boards));
        let is_stored = self.ats.contains(&position);
        if is_stored || self.boards.is_due() {
            let boards = self.boards.rows(state, ranks, (partition, position));
            let due = if is_stored { self.due(state, &slow, partition) } else { SlowRows::default() };
            let rows = build::fast(state, &fast, partition).into_iter().chain(build::slow(
                state,
                (&mut self.words, &Quarters::default()),
                &due,
                partition,
            ));
            for row in rows.chain(boards).filter(|_| is_stored) {
                if let Some(there) = self.stored.get_mut(&row.key)
                    && there.at == row.at
                {
                    there.is_equal = row.value.as_ref() == Some(&there.value);
                }
            }
        }
        if position == self.slow {
            self.judge_boards((state, ranks), partition);
        }
        self.touched.add(fast, slow);
    }

    fn judge_boards(&mut self, (state, ranks): (&State, &Ranks), partition: Partition) {
        let found = &mut self.found;
        let mut report = |key: &Key, what: String| found.push((key.clone(), what));
        let (stored, watermarks) = (&self.stored, &self.watermarks);
        self.boards.judge((state, ranks), &Seen { partition, out: self.slow, stored, watermarks }, &mut report);
    }

    /// Of the rows that take long to make, those that are stored as of now: the others will be touched again.
    fn due(&self, state: &State, touched: &SlowRows, p: Partition) -> SlowRows {
        let is_due = |creator: u32, at: Next, key: &dyn Fn(&str) -> Key| {
            let profile = state.creator_profiles.peek(&creator, FOR_EVER);
            profile.is_some_and(|it| self.stored.get(&key(it.id.as_str())).is_some_and(|row| row.at == at))
        };
        let mut due = SlowRows { months: touched.months.clone(), ..SlowRows::default() };
        due.member_days.clone_from(&touched.member_days);
        due.active.clone_from(&touched.active);
        // The rows of its axes are written with the row of breakdowns.
        for (touched, due, part) in
            [(&touched.hours, &mut due.hours, 0), (&touched.hour_groups, &mut due.hour_groups, tables::GROUPS)]
        {
            let is_due = |c: u32, hour: i64, at| is_due(c, at, &|id| tables::hour_part(p, id, hour, part));
            due.extend(touched.iter().filter(|((c, hour), at)| is_due(*c, *hour, **at)));
        }
        for (touched, due, part) in [
            (&touched.days, &mut due.days, 0),
            (&touched.day_groups, &mut due.day_groups, tables::GROUPS),
            (&touched.late_groups, &mut due.late_groups, tables::LATE + tables::GROUPS),
        ] {
            let is_due = |c: u32, day: i64, at| is_due(c, at, &|id| tables::day_part(p, id, day, part));
            due.extend(touched.iter().filter(|((c, day), at)| is_due(*c, *day, **at)));
        }
        let pages = touched.touches.iter();
        due.touches.extend(pages.filter(|((c, page), at)| is_due(*c, **at, &|id| tables::touch(p, id, *page))));
        due
    }

    /// What is left over on either side is a difference.
    fn judge(
        &mut self,
        state: &State,
        partition: Partition,
        applied: &AppliedRow,
        report: &mut impl FnMut(Difference),
    ) {
        let mut found = |key: &Key, what: String| {
            report(Difference { partition, table: table_name(key), key: format!("{:?}", key.cols.0), what });
        };
        for (key, row) in self.stored.iter().filter(|(_, row)| !row.is_equal) {
            found(key, format!("the stored row of at {} is not what the log says", row.at.0));
        }
        for (key, what) in self.found.drain(..) {
            found(&key, what);
        }
        self.touched.fast.members.extend(self.touched.members.drain());
        let fast = build::fast(state, &self.touched.fast, partition).into_iter().map(|row| (row, applied.fast));
        let slow = build::slow(state, (&mut self.words, &Quarters::default()), &self.touched.slow, partition)
            .into_iter()
            .map(|row| (row, applied.slow));
        // What was touched later may not be out yet.
        for (row, _) in fast.chain(slow).filter(|(row, out)| row.at <= *out && !self.is_expired(row)) {
            match self.stored.get(&row.key) {
                Some(_) if row.value.is_none() => found(&row.key, format!("not deleted at {}", row.at.0)),
                None if row.value.is_none() => {}
                None => found(&row.key, format!("missing: the log says there is one of at {}", row.at.0)),
                Some(there) if there.at < row.at => {
                    found(&row.key, format!("stale: stored at {}, the log says {}", there.at.0, row.at.0));
                }
                Some(_) => {}
            }
        }
    }
}

impl Comparison {
    /// It may be gone, or be stored as it was before it was purged and made again.
    fn is_expired(&self, row: &Row) -> bool {
        let watermark = creator_of(&row.key).and_then(|creator| self.watermarks.get(creator));
        row.expires.zip(watermark).is_some_and(|(expires, watermark)| expires <= *watermark)
    }
}

impl Touched {
    fn add(&mut self, fast: FastRows, slow: SlowRows) {
        self.fast.creators.extend(fast.creators);
        self.members.extend(fast.members);
        self.fast.conversions.extend(fast.conversions);
        self.fast.commissions.extend(fast.commissions);
        self.fast.names.extend(fast.names);
        self.fast.ledger_left.extend(fast.ledger_left);
        self.fast.decisions.append(fast.decisions);
        self.fast.reviews.extend(fast.reviews);
        self.slow.hours.extend(slow.hours);
        self.slow.hour_groups.extend(slow.hour_groups);
        self.slow.days.extend(slow.days);
        self.slow.day_groups.extend(slow.day_groups);
        self.slow.late_groups.extend(slow.late_groups);
        self.slow.months.extend(slow.months);
        self.slow.member_days.extend(slow.member_days);
        self.slow.touches.extend(slow.touches);
        self.slow.active.extend(slow.active);
    }
}

fn creator_of(key: &Key) -> Option<&str> {
    match key.cols.0.first() {
        Some(Col::Text(creator)) => Some(creator),
        Some(Col::Int(_) | Col::IntDesc(_)) | None => None,
    }
}

fn table_name(key: &Key) -> &'static str {
    tables::ALL.iter().find(|table| table.id == key.part.table).map_or("?", |table| table.name)
}
