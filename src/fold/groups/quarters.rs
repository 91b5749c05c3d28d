//! The combinations of quarter hours that began lately, beside the files that keep them.
//!
//! A cache: what it holds of a quarter hour is all that is known of it. Quarter hours with very many combinations are
//! left to the files, where one row is made of many events anyway.

use hashbrown::HashMap;

use crate::fold::records::{ComboKey, ComboSlot};

/// Combinations of a quarter hour that is remembered.
const CELLS_MAX: usize = 4_096;
/// Combinations of all that were changed since the others were last forgotten: about twice as many are held.
const YOUNG_MAX: usize = 131_072;

type Cells = Vec<(u32, ComboSlot)>;

/// By creator and quarter hour: each combination, in the order in which they came, as `ComboSlot::listed` numbers it.
#[derive(Default)]
pub struct Quarters {
    young: HashMap<(u32, i32), Cells>,
    old: HashMap<(u32, i32), Cells>,
    /// Combinations in `young`.
    cells: usize,
}

impl Quarters {
    /// All that is known of a quarter hour, if that is remembered.
    pub fn of(&self, creator: u32, quarter: i32) -> Option<&[(u32, ComboSlot)]> {
        let quarter = (creator, quarter);
        self.young.get(&quarter).or_else(|| self.old.get(&quarter)).map(Vec::as_slice)
    }

    /// A combination's figures are these now. It is in its quarter hour's list, which `begins` with it just now.
    pub(super) fn changed(&mut self, key: ComboKey, slot: ComboSlot, begins: bool) {
        let quarter = (key.creator, key.slot);
        let Some(place) = usize::try_from(slot.listed).ok().and_then(|listed| listed.checked_sub(1)) else { return };
        if !self.young.contains_key(&quarter) {
            let cells = self.old.remove(&quarter).unwrap_or_default();
            // What came before this cache was made is not in it.
            if cells.is_empty() && !begins {
                return;
            }
            if self.cells >= YOUNG_MAX {
                self.old = std::mem::take(&mut self.young);
                self.cells = 0;
            }
            self.cells += cells.len();
            self.young.insert(quarter, cells);
        }
        let Some(cells) = self.young.get_mut(&quarter) else { return };
        if let Some(known) = cells.get_mut(place) {
            *known = (key.combo, slot);
        } else if cells.len() == place && place < CELLS_MAX {
            cells.push((key.combo, slot));
            self.cells += 1;
        } else {
            self.cells -= cells.len();
            self.young.remove(&quarter);
        }
    }
}

impl std::fmt::Debug for Quarters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Quarters").field("cells", &self.cells).finish_non_exhaustive()
    }
}
