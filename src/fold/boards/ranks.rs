//! The boards of large programmes, and what a slow flush must write of them.
//!
//! A cache: it is made from the scores whenever it is missing, as they were at the last flush, so that what a flush
//! writes does not depend on when the cache was made.

use hashbrown::{HashMap, HashSet};

use super::{BoardChanges, CountMap, Measure, Page, PageHead, Window, code, values};
use crate::fold::records::{Score, ScoreKey};
use crate::fold::state::{FOR_EVER, State};
use crate::ids::Next;

/// A board of one programme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BoardKey {
    pub measure: Measure,
    pub window: Window,
    pub period: i32,
}

/// What changed of a board: all its pages by their heads, and those that must be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Board {
    pub creator: u32,
    pub key: BoardKey,
    pub heads: Vec<PageHead>,
    pub pages: Vec<Page>,
}

/// A member's place on a board that it took or left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub creator: u32,
    pub n: u32,
    pub key: BoardKey,
    pub code: u16,
    pub stands: bool,
    pub at: Next,
}

/// What a slow flush writes.
#[derive(Debug, Default)]
pub struct Settled {
    pub boards: Vec<Board>,
    pub standings: Vec<Standing>,
    /// Programmes whose boards came to be, or whose rolling windows moved.
    pub heads: Vec<u32>,
}

/// Count maps of the large programmes.
#[derive(Debug, Default)]
pub struct Ranks {
    creators: HashMap<u32, HashMap<BoardKey, CountMap>>,
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
        let heads = made.keys().chain(changes.swept.keys()).copied().collect::<HashSet<u32>>();
        Settled {
            boards: creators.iter().flat_map(|creator| self.dirty(*creator)).collect(),
            standings: standings(state, changes, &made),
            heads: heads.into_iter().filter(|creator| is_large(state, *creator)).collect(),
        }
    }

    /// A board that has been settled before.
    pub fn board(&self, creator: u32, key: BoardKey) -> Option<&CountMap> {
        self.creators.get(&creator)?.get(&key)
    }

    /// All boards of a programme that still change.
    pub fn boards(&self, creator: u32) -> impl Iterator<Item = (&BoardKey, &CountMap)> {
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
        let mut boards: HashMap<BoardKey, CountMap> = HashMap::new();
        each_score(state, creator, |key, score| {
            for (window, period, value) in values(images.get(&key).unwrap_or(score), today) {
                boards.entry(BoardKey::of(key.measure, window, period)).or_default().add(value);
            }
        });
        boards.values_mut().for_each(|board| drop(board.take_dirty()));
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
                let new = place.map_or(0, |place| after.swap_remove(place).2);
                shift(boards.entry(BoardKey::of(key.measure, window, period)).or_default(), old, new);
            }
            for (window, period, new) in after {
                shift(boards.entry(BoardKey::of(key.measure, window, period)).or_default(), 0, new);
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
            boards.entry(key).or_default().mark(passed.low, passed.high);
        }
        for creator in made.keys() {
            let boards = self.creators.get_mut(creator).into_iter().flat_map(HashMap::values_mut);
            boards.for_each(|board| board.mark(0, i64::MAX));
        }
    }

    fn dirty(&mut self, creator: u32) -> Vec<Board> {
        let boards = self.creators.get_mut(&creator).into_iter().flatten();
        let dirty = boards.filter(|(_, board)| board.is_dirty());
        dirty.map(|(key, map)| Board { creator, key: *key, pages: map.take_dirty(), heads: map.heads() }).collect()
    }
}

/// One member's value moves from `old` to `new`; 0 is off the board.
fn shift(board: &mut CountMap, old: i64, new: i64) {
    if old == new {
        return;
    }
    if old > 0 {
        board.remove(old);
    }
    if new > 0 {
        board.add(new);
    }
    board.mark(old.min(new), old.max(new));
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

/// A place on a board, whoever stands there.
type Place = (ScoreKey, Window, i32);

/// Places left are deleted as of the event that left them, places taken are written as of the event that took them.
fn standings(state: &State, changes: &BoardChanges, made: &HashMap<u32, Next>) -> Vec<Standing> {
    let mut last: HashMap<Place, Next> = HashMap::new();
    let mut places: HashMap<(Place, u16), (bool, Next)> = HashMap::new();
    for moved in &changes.moves {
        if !moved.window.is_kept(moved.period, today(state, moved.score.creator)) {
            continue;
        }
        let place = (moved.score, moved.window, moved.period);
        last.insert(place, moved.at);
        if moved.from > 0 {
            places.insert((place, moved.from), (false, moved.at));
        }
    }
    for (place, at) in &last {
        let now = state.scores.peek(&place.0, FOR_EVER).map_or(0, |score| code_on(score, place));
        if now > 0 {
            places.insert((*place, now), (true, *at));
        }
    }
    for (creator, at) in made {
        let today = today(state, *creator);
        each_score(state, *creator, |key, score| {
            for (window, period, value) in values(score, today) {
                let place = (key, window, period);
                places.entry((place, code(value))).or_insert((true, *at));
            }
        });
    }
    let standing = |(((score, window, period), code), (stands, at)): ((Place, u16), (bool, Next))| Standing {
        creator: score.creator,
        n: score.n,
        key: BoardKey::of(score.measure, window, period),
        code,
        stands,
        at,
    };
    places.into_iter().map(standing).collect()
}

/// The code under which a score stands on a board now.
fn code_on(score: &Score, (_, window, period): &Place) -> u16 {
    let value = values(score, i32::MIN / 2).find(|(w, p, _)| (w, p) == (window, period));
    value.map_or(0, |(_, _, value)| code(value))
}
