//! Each generation has tables of the engine of its own, and what belongs to none has some too: a generation leaves
//! the file as a whole, and no key of one can be taken for a key of another.

use redb::{Database, ReadableDatabase, TableDefinition, TableHandle};

use crate::project::key::TableId;
use crate::project::tables;

/// Key → value.
pub(super) type RowsTable<'a> = TableDefinition<'a, &'static [u8], &'static [u8]>;
/// Tombstones in the order in which they were written: number → key.
pub(super) type TombstonesTable<'a> = TableDefinition<'a, u64, &'static [u8]>;

const ROWS: &str = "rows";
const TOMBSTONES: &str = "tombstones";

/// The rows of one generation; 0 has what belongs to none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Space(pub(super) u32);

impl Space {
    pub(super) const SHARED: Self = Self(0);
    /// Its tables have plain names: there was only one once.
    pub(super) const FIRST: Self = Self(1);

    /// Where the rows of `table` stand for whoever reads and writes `generation`.
    pub(super) const fn of(generation: u32, table: TableId) -> Self {
        if tables::is_shared(table) { Self::SHARED } else { Self(generation) }
    }

    /// The engine's names of its rows and of its tombstones.
    pub(super) fn names(self) -> Names {
        let named = |name: &str| match self {
            Self::SHARED => format!("{name}_shared"),
            Self::FIRST => name.to_owned(),
            Self(generation) => format!("{name}_g{generation}"),
        };
        Names { rows: named(ROWS), tombstones: named(TOMBSTONES) }
    }

    fn of_name(name: &str) -> Option<Self> {
        if name == ROWS {
            return Some(Self::FIRST);
        }
        let generation = name.strip_prefix(ROWS)?.strip_prefix("_g")?;
        generation.parse().ok().map(Self)
    }
}

/// Names in the file.
pub(super) struct Names {
    rows: String,
    tombstones: String,
}

impl Names {
    pub(super) fn rows(&self) -> RowsTable<'_> {
        TableDefinition::new(&self.rows)
    }

    pub(super) fn tombstones(&self) -> TombstonesTable<'_> {
        TableDefinition::new(&self.tombstones)
    }
}

/// The generations that have tables in the file.
pub(super) fn generations(db: &Database) -> Result<Vec<Space>, redb::Error> {
    let read = db.begin_read()?;
    let mut found: Vec<Space> = read.list_tables()?.filter_map(|table| Space::of_name(table.name())).collect();
    found.sort_unstable();
    Ok(found)
}
