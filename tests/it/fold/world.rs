//! The fold of one partition with a store of its own: every row that it ever wrote, the newest of each.

use std::collections::HashMap;
use std::sync::LazyLock;

use tributary::decode::json::{Scratch, from_json};
use tributary::event::{Bots, Event};
use tributary::fold::effects::{Effects, Letter, Tally};
use tributary::fold::fraud::Decision;
use tributary::fold::state::State;
use tributary::fold::{Asked, Fold, Origin, Preview, Unseen};
use tributary::ids::{MemberId, Millis, Next, Offset, Partition};
use tributary::project::key::{Key, Row};
use tributary::project::words::Words;
use tributary::project::{boards, build};
use tributary::simulate::ledger::Ledger;

/// Of all worlds: thousands are made.
static BOTS: LazyLock<Bots> = LazyLock::new(Bots::default);

/// When the rows of what was touched are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flush {
    EveryEvent,
    AtTheEnd,
}

pub(crate) struct World {
    pub(crate) state: State,
    fold: Fold,
    words: Words,
    effects: Effects,
    flush: Flush,
    pub(crate) rows: HashMap<Key, Row>,
    pub(crate) letters: Vec<Letter>,
    pub(crate) decisions: Vec<Decision>,
    pub(crate) tally: Tally,
    pub(crate) read: i64,
    /// The books, kept from the semantics alone.
    pub(crate) ledger: Option<Ledger>,
}

impl World {
    pub(crate) fn new(flush: Flush) -> Self {
        Self {
            state: State::default(),
            fold: Fold::with(BOTS.clone()),
            words: Words::default(),
            effects: Effects::from(Next(0)),
            flush,
            rows: HashMap::new(),
            letters: Vec::new(),
            decisions: Vec::new(),
            tally: Tally::default(),
            read: 0,
            ledger: Some(Ledger::default()),
        }
    }

    /// Without books beside it.
    pub(crate) fn alone(flush: Flush) -> Self {
        Self { ledger: None, ..Self::new(flush) }
    }

    /// Applies one event; `timestamp` is the log's own.
    pub(crate) fn apply(&mut self, json: &str, timestamp: Millis) {
        let mut scratch = Scratch::default();
        let event = from_json(json.as_bytes(), &mut scratch).unwrap_or_else(|error| panic!("{error}: {json}"));
        let origin = Origin { offset: Offset(u64::try_from(self.read).unwrap()), timestamp };
        self.fold.apply(&mut self.state, &mut self.effects, &event, origin);
        if let Some(ledger) = &mut self.ledger {
            ledger.record(timestamp, &event);
        }
        self.applied(1);
    }

    /// Applies some events at once, as a worker does with a batch; without books.
    pub(crate) fn apply_all(&mut self, batch: &[(String, Millis)]) {
        let mut scratches: Vec<Scratch> = batch.iter().map(|_| Scratch::default()).collect();
        let places = batch.iter().zip(&mut scratches).zip(u64::try_from(self.read).unwrap()..);
        let records: Vec<(Event<'_>, Origin)> = places
            .map(|(((json, timestamp), scratch), offset)| {
                let event = from_json(json.as_bytes(), scratch).unwrap_or_else(|error| panic!("{error}: {json}"));
                (event, Origin { offset: Offset(offset), timestamp: *timestamp })
            })
            .collect();
        self.fold.apply_all(&mut self.state, &mut self.effects, &records);
        self.applied(i64::try_from(batch.len()).unwrap());
    }

    fn applied(&mut self, records: i64) {
        self.read += records;
        self.letters.append(&mut self.effects.letters);
        self.decisions.append(&mut self.effects.decisions);
        let tally = std::mem::take(&mut self.effects.tally);
        self.tally.add(&tally);
        self.state.add_tally(&tally);
        if self.flush == Flush::EveryEvent {
            self.flush();
        }
    }

    /// What would be decided of events that come at `timestamp`, and do not.
    pub(crate) fn preview(&self, member: &str, events: &[&str], timestamp: Millis) -> Result<Preview, Unseen> {
        let (mut first, mut second) = (Scratch::default(), Scratch::default());
        let both = events.iter().zip([&mut first, &mut second]);
        let read: Vec<_> = both.map(|(json, scratch)| from_json(json.as_bytes(), scratch).unwrap()).collect();
        let asked = Asked::of((Some(MemberId(member)), None), &read, timestamp).map_err(Unseen::Refused)?;
        self.fold.preview(&self.state, &asked, Next(u64::try_from(self.read).unwrap()))
    }

    /// Writes what was touched. A row with a greater `at` wins, as in every store; with equal `at` a tombstone does.
    pub(crate) fn flush(&mut self) {
        let position = Next(u64::try_from(self.read).unwrap());
        let fast = build::fast(&self.state, &self.effects.take_fast(position), Partition(0));
        let touched = self.effects.take_slow();
        let slow = build::slow(&self.state, (&mut self.words, &self.fold.quarters), &touched, Partition(0));
        let boards = boards::rows(&self.state, &mut self.fold.ranks, &touched, (Partition(0), position));
        for row in fast.into_iter().chain(slow).chain(boards) {
            self.keep(row);
        }
    }

    /// As after a restart: what is not kept is made again.
    pub(crate) fn forget_caches(&mut self) {
        (self.fold, self.words) = (Fold::with(BOTS.clone()), Words::default());
    }

    /// Rows of another owner of the same log, who flushed at other places.
    pub(crate) fn absorb(&mut self, other: Self) {
        other.rows.into_values().for_each(|row| self.keep(row));
    }

    fn keep(&mut self, row: Row) {
        let older = self.rows.get(&row.key).is_some_and(|there| {
            there.at > row.at || (there.at == row.at && there.value.is_none() && row.value.is_some())
        });
        if !older {
            self.rows.insert(row.key.clone(), row);
        }
    }

    pub(crate) fn live(&self) -> impl Iterator<Item = &Row> {
        self.rows.values().filter(|row| row.value.is_some())
    }
}
