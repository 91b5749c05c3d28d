//! The combinations of quarter hours that began lately, beside the files that keep them.
//!
//! A cache: what it holds of a quarter hour is all that is known of it. Quarter hours with many combinations are left
//! to the files, where one row is made of many events anyway.

use hashbrown::HashMap;

use crate::fold::records::{ComboKey, ComboSlot};

/// Combinations of a quarter hour that is remembered.
const CELLS_MAX: usize = 128;
/// Combinations of all that were changed since the others were last forgotten: about twice as many are held.
const YOUNG_MAX: usize = 131_072;

type Cells = Vec<(u32, ComboSlot)>;

/// By creator and quarter hour: each combination, in the order in which they came.
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

    /// A combination's figures are these now; `is_first` of its quarter hour.
    pub(super) fn changed(&mut self, key: ComboKey, slot: ComboSlot, is_first: bool) {
        let quarter = (key.creator, key.slot);
        if !self.young.contains_key(&quarter) {
            let cells = if is_first { Cells::new() } else { self.old.remove(&quarter).unwrap_or_default() };
            if cells.is_empty() && !is_first {
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
        if let Some((_, known)) = cells.iter_mut().find(|(combo, _)| *combo == key.combo) {
            *known = slot;
        } else if cells.len() < CELLS_MAX {
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
