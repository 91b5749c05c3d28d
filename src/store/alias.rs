//! Which generation is live, which was before, which is being made: one row, changed by `swap` alone.

use std::fmt;

use bytes::Bytes;

use super::{Error, Store, Swap};
use crate::project::codec::{Malformed, Reader, Writer};
use crate::project::tables;

/// Generations begin here: a store without the row has this one.
pub const FIRST: u32 = 1;

/// The row. Numbers are never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alias {
    /// Answers come from it.
    pub live: u32,
    /// Live before that; `None` once dropped.
    pub former: Option<u32>,
    /// In the making.
    pub building: Option<Building>,
    /// The number of the next one to be made.
    pub next: u32,
}

/// A generation that is not live yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Building {
    pub number: u32,
    /// Events a second at most, until it has caught up; 0: as many as it can.
    pub rate_per_s: u32,
    /// What the comparison with the live one found; `None` before it.
    pub differences: Option<u64>,
}

/// The outcome of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    Done(Alias),
    /// The row as it stands: it may not be changed so.
    Refused(Alias),
}

impl Default for Alias {
    fn default() -> Self {
        Self { live: FIRST, former: None, building: None, next: FIRST + 1 }
    }
}

impl Alias {
    /// The row, and its bytes for the next `swap`.
    pub async fn read<S: Store>(store: &S) -> Result<(Self, Option<Bytes>), Error> {
        let row = store.get(&[tables::alias()]).await?.into_iter().flatten().next();
        let Some(bytes) = row.and_then(|row| row.value) else { return Ok((Self::default(), None)) };
        let alias = Self::decode(&bytes)
            .map_err(|error| Error::Damaged { place: "in the table alias".to_owned(), what: error.to_string() })?;
        Ok((alias, Some(bytes)))
    }

    /// Changes the row if `may` holds of it; where another does so meanwhile, both are asked once more. Who has waited
    /// since it read the row says by `may` what has to be as it was.
    pub async fn change<S: Store>(
        store: &S,
        may: impl Fn(&Self) -> bool,
        change: impl Fn(&mut Self),
    ) -> Result<Changed, Error> {
        const TRIES: u32 = 8;
        for _ in 0..TRIES {
            let (mut alias, before) = Self::read(store).await?;
            if !may(&alias) {
                return Ok(Changed::Refused(alias));
            }
            change(&mut alias);
            match store.swap(&tables::alias(), before.as_deref(), &alias.encode()).await? {
                Swap::Done => return Ok(Changed::Done(alias)),
                Swap::Refused(_) => {}
            }
        }
        Err(Error::Moved)
    }

    /// Every generation that has tables.
    pub fn all(&self) -> Vec<u32> {
        let building = self.building.map(|building| building.number);
        [Some(self.live), self.former, building].into_iter().flatten().collect()
    }

    /// Names the same generations, whatever else is known of them, and none was named in between.
    pub fn names_the_same(&self, other: &Self) -> bool {
        let names = |alias: &Self| (alias.live, alias.former, alias.building.map(|one| one.number), alias.next);
        names(self) == names(other)
    }

    pub fn encode(&self) -> Bytes {
        let optional = |number: Option<u32>| number.map(i64::from);
        let mut row = Writer::default();
        row.int(i64::from(self.live)).optional_int(optional(self.former));
        row.optional_int(optional(self.building.map(|building| building.number)));
        row.optional_int(optional(self.building.map(|building| building.rate_per_s)));
        let differences = self.building.and_then(|building| building.differences);
        row.optional_int(differences.map(|count| i64::try_from(count).unwrap_or(i64::MAX)));
        row.int(i64::from(self.next)).finish()
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut row = Reader::new(bytes);
        let number = |value: Option<i64>, field| {
            value.map(|value| u32::try_from(value).map_err(|_| Malformed { field })).transpose()
        };
        let live = number(row.optional_int()?, 1)?.ok_or(Malformed { field: 1 })?;
        let former = number(row.optional_int()?, 2)?;
        let building = number(row.optional_int()?, 3)?;
        let rate_per_s = number(row.optional_int()?, 4)?.unwrap_or_default();
        let differences = row.optional_int()?.map(|count| u64::try_from(count).unwrap_or_default());
        let next = number(row.optional_int()?, 6)?.ok_or(Malformed { field: 6 })?;
        let building = building.map(|number| Building { number, rate_per_s, differences });
        Ok(Self { live, former, building, next })
    }
}

/// As messages name it: `live 2, former 1`.
impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "live {}", self.live)?;
        if let Some(former) = self.former {
            write!(f, ", former {former}")?;
        }
        if let Some(building) = self.building {
            write!(f, ", building {}", building.number)?;
        }
        Ok(())
    }
}
