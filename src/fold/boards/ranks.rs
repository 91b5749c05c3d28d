//! The boards of large programmes, and what a slow flush must write of them.
//!
//! A cache: it is made from the scores whenever it is missing, as they were at the last flush, so that what a flush
//! writes does not depend on when the cache was made.

use bytemuck::Zeroable;
use hashbrown::{HashMap, HashSet};

use super::top::Top;
use super::{BoardChanges, CountMap, Measure, Page, PageHead, Place, Window, values};
use crate::fold::records::{Cell, Score, ScoreKey};
use crate::fold::state::{FOR_EVER, State};
use crate::ids::Next;

/// A board of one programme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BoardKey {
    pub measure: Measure,
    pub window: Window,
    pub period: i32,
}

/// What changed of a board: all its pages by their heads, those that must be written, and its top if that must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Board {
    pub creator: u32,
    pub key: BoardKey,
    pub heads: Vec<PageHead>,
    pub pages: Vec<Page>,
    pub top: Option<Vec<Place>>,
}

/// A board as it is kept: how many members hold each value, and who stands at the top.
#[derive(Debug, Default)]
pub struct Kept {
    pub counts: CountMap,
    top: Top,
}

/// What a slow flush writes.
#[derive(Debug, Default)]
pub struct Settled {
    pub boards: Vec<Board>,
    /// Programmes whose boards came to be, or whose rolling windows moved.
    pub heads: Vec<u32>,
}

/// Boards of the large programmes.
#[derive(Debug, Default)]
pub struct Ranks {
    creators: HashMap<u32, HashMap<BoardKey, Kept>>,
}

impl BoardKey {
    const fn of(measure: u32, window: Window, period: i32) -> Self {
        Self { measure: Measure(measure), window, period }
    }
}

impl Ranks {
    /// Takes the changes over; `state` is as it is behind all of them.
    pub fn settle(&mut self, state: &State, changes: &BoardChanges) -> Settled {
        let made: HashMap<u32, Next> = changes.made.iter().copied().collect();
        let mut images: HashMap<ScoreKey, Score> = HashMap::with_capacity(changes.images.len());
        for (key, image) in &changes.images {
            if !made.contains_key(&key.creator) {
                images.entry(*key).or_insert(*image);
            }
        }
        let creators = creators_of(changes);
        for creator in &creators {
            if made.contains_key(creator) {
                self.creators.remove(creator);
            }
            self.load(state, *creator, &images);
            self.forget_past(*creator, today(state, *creator));
        }
        self.apply(state, &images);
        self.mark(state, changes, &made);
        creators.iter().for_each(|creator| self.refill(state, *creator));
        let heads = made.keys().chain(changes.swept.keys()).copied().collect::<HashSet<u32>>();
        Settled {
            boards: creators.iter().flat_map(|creator| self.dirty(*creator)).collect(),
            heads: heads.into_iter().filter(|creator| is_large(state, *creator)).collect(),
        }
    }

    /// A board that has been settled before.
    pub fn board(&self, creator: u32, key: BoardKey) -> Option<&Kept> {
        self.creators.get(&creator)?.get(&key)
    }

    /// All boards of a programme that still change.
    pub fn boards(&self, creator: u32) -> impl Iterator<Item = (&BoardKey, &Kept)> {
        self.creators.get(&creator).into_iter().flatten()
    }

    /// Programmes with boards.
    pub fn creators(&self) -> impl Iterator<Item = u32> {
        self.creators.keys().copied()
    }

    /// Counts every score, those in `images` as they were before.
    fn load(&mut self, state: &State, creator: u32, images: &HashMap<ScoreKey, Score>) {
        if self.creators.contains_key(&creator) {
            return;
        }
        let today = today(state, creator);
        let mut boards: HashMap<BoardKey, Kept> = HashMap::new();
        each_score(state, creator, |key, score| {
            for (window, period, cell) in values(images.get(&key).unwrap_or(score), today) {
                let board = boards.entry(BoardKey::of(key.measure, window, period)).or_default();
                board.counts.add(cell.value);
                board.top.enter(key.n, cell);
            }
        });
        boards.values_mut().for_each(|board| drop(board.counts.take_dirty()));
        self.creators.insert(creator, boards);
    }

    fn forget_past(&mut self, creator: u32, today: i32) {
        if let Some(boards) = self.creators.get_mut(&creator) {
            boards.retain(|key, _| key.window.is_kept(key.period, today));
        }
    }

    fn apply(&mut self, state: &State, images: &HashMap<ScoreKey, Score>) {
        for (key, image) in images {
            let Some(boards) = self.creators.get_mut(&key.creator) else { continue };
            let Some(score) = state.scores.peek(key, FOR_EVER) else { continue };
            let today = today(state, key.creator);
            let before: Vec<_> = values(image, today).collect();
            let mut after: Vec<_> = values(score, today).collect();
            for (window, period, old) in before {
                let place = after.iter().position(|(w, p, _)| (*w, *p) == (window, period));
                let new = place.map_or_else(Cell::zeroed, |place| after.swap_remove(place).2);
                boards.entry(BoardKey::of(key.measure, window, period)).or_default().shift(key.n, old, new);
            }
            for (window, period, new) in after {
                let board = boards.entry(BoardKey::of(key.measure, window, period)).or_default();
                board.shift(key.n, Cell::zeroed(), new);
            }
        }
    }

    /// Where values fell, pages were passed that the two ends do not tell of; a new board is written as a whole.
    fn mark(&mut self, state: &State, changes: &BoardChanges, made: &HashMap<u32, Next>) {
        for passed in &changes.passed {
            let creator = passed.score.creator;
            if !passed.window.is_kept(passed.period, today(state, creator)) {
                continue;
            }
            let Some(boards) = self.creators.get_mut(&creator) else { continue };
            let key = BoardKey::of(passed.score.measure, passed.window, passed.period);
            boards.entry(key).or_default().counts.mark(passed.low, passed.high);
        }
        for creator in made.keys() {
            let boards = self.creators.get_mut(creator).into_iter().flat_map(HashMap::values_mut);
            boards.for_each(|board| board.counts.mark(0, i64::MAX));
        }
    }

    /// Tops that so many have left that others belong there.
    fn refill(&mut self, state: &State, creator: u32) {
        let Some(boards) = self.creators.get_mut(&creator) else { return };
        let mut short: HashMap<BoardKey, Top> = HashMap::new();
        short.extend(boards.iter().filter(|(_, board)| board.top.is_short()).map(|(key, _)| (*key, Top::default())));
        if short.is_empty() {
            return;
        }
        let today = today(state, creator);
        each_score(state, creator, |key, score| {
            for (window, period, cell) in values(score, today) {
                if let Some(top) = short.get_mut(&BoardKey::of(key.measure, window, period)) {
                    top.enter(key.n, cell);
                }
            }
        });
        for (key, top) in short {
            boards.entry(key).or_default().top = top;
        }
    }

    fn dirty(&mut self, creator: u32) -> Vec<Board> {
        let boards = self.creators.get_mut(&creator).into_iter().flatten();
        boards.filter_map(|(key, board)| board.dirty(creator, *key)).collect()
    }
}

impl Kept {
    /// The members at the top, in order.
    pub fn top(&self) -> Vec<Place> {
        self.top.places()
    }

    /// One member's value moves from `old` to `new`; 0 is off the board.
    fn shift(&mut self, n: u32, old: Cell, new: Cell) {
        if (old.value, old.reached) == (new.value, new.reached) {
            return;
        }
        if old.value != new.value {
            if old.value > 0 {
                self.counts.remove(old.value);
            }
            if new.value > 0 {
                self.counts.add(new.value);
            }
        }
        self.counts.mark(old.value.min(new.value), old.value.max(new.value));
        self.top.leave(n, old);
        self.top.enter(n, new);
    }

    /// Nobody at the top was touched as long as all that was touched is below the least value there.
    fn dirty(&mut self, creator: u32, key: BoardKey) -> Option<Board> {
        let highest = self.counts.highest_dirty()?;
        let top = (highest >= self.top.least()).then(|| self.top.places());
        Some(Board { creator, key, pages: self.counts.take_dirty(), heads: self.counts.heads(), top })
    }
}

fn creators_of(changes: &BoardChanges) -> HashSet<u32> {
    let images = changes.images.iter().map(|(key, _)| key.creator);
    let passed = changes.passed.iter().map(|passed| passed.score.creator);
    images.chain(passed).chain(changes.made.iter().map(|(creator, _)| *creator)).collect()
}

fn today(state: &State, creator: u32) -> i32 {
    state.creators.peek(&creator, FOR_EVER).map_or(0, |head| head.boards.today)
}

fn is_large(state: &State, creator: u32) -> bool {
    state.creators.peek(&creator, FOR_EVER).is_some_and(|head| head.members > super::SMALL)
}

/// Every score of a programme.
pub(in crate::fold) fn each_score(state: &State, creator: u32, mut take: impl FnMut(ScoreKey, &Score)) {
    let members = state.creators.peek(&creator, FOR_EVER).map_or(0, |head| head.members);
    for n in 0..members {
        for (key, score) in state.scores_of(creator, n) {
            take(key, score);
        }
    }
}
