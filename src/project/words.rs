//! Combinations and texts that rows were made of lately.
//!
//! A cache: what it holds never changes. One belongs to one state of one partition.

use bytemuck::Zeroable;
use hashbrown::HashMap;

use crate::fold::groups::dimension::Dimension;
use crate::fold::groups::{NO_GROUP, NONE, OTHER};
use crate::fold::records::Combo;
use crate::fold::state::State;

/// Entries of each kind; beyond, the cache starts anew.
const KEPT_MAX: usize = 262_144;

#[derive(Debug, Default)]
pub struct Words {
    /// By creator, then by ordinal; one that has no value is not known yet.
    combos: HashMap<u32, Vec<Combo>>,
    /// Combinations there is room for in `combos`.
    room: usize,
    /// By creator and ordinal.
    texts: HashMap<(u32, u32), Box<str>>,
}

impl Words {
    /// Before each row.
    pub(super) fn make_room(&mut self) {
        if self.room >= KEPT_MAX {
            self.combos.clear();
            self.room = 0;
        }
        if self.texts.len() >= KEPT_MAX {
            self.texts.clear();
        }
    }

    /// The values of a combination.
    pub(super) fn combo(&mut self, state: &State, creator: u32, combo: u32) -> Combo {
        let Ok(place) = usize::try_from(combo) else { return Combo::zeroed() };
        let combos = self.combos.entry(creator).or_default();
        if combos.len() <= place {
            self.room += place + 1 - combos.len();
            combos.resize(place + 1, Combo::zeroed());
        }
        let Some(known) = combos.get_mut(place) else { return Combo::zeroed() };
        if *known == Combo::zeroed() {
            *known = state.combo(creator, combo);
        }
        *known
    }

    /// Reads the text of a value.
    pub(super) fn learn(&mut self, state: &State, creator: u32, value: u32) {
        // Ordinals are given out with the text; a damaged read poisons the store, which drops what was made of it.
        let read = || state.value_text(creator, value).map_or_else(Box::default, |text| text.as_str().into());
        self.texts.entry((creator, value)).or_insert_with(read);
    }

    /// The text of a value that was learnt since there was room.
    pub(super) fn text(&self, creator: u32, value: u32) -> &str {
        self.texts.get(&(creator, value)).map_or("", |text| text)
    }

    /// The text that a combination has in a dimension; empty if none is known.
    pub(super) fn of(&mut self, state: &State, (creator, combo): (u32, u32), dimension: Dimension) -> &str {
        if combo == NO_GROUP {
            return "";
        }
        match self.combo(state, creator, combo).values.get(dimension.place()).copied().unwrap_or(NONE) {
            NONE => "",
            OTHER => "(other)",
            value => {
                self.learn(state, creator, value);
                self.text(creator, value)
            }
        }
    }
}
