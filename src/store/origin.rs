//! Which log the projections are made of, and what an operator accepts of it: rows beside the alias, in the same form.

use bytes::Bytes;

use super::{Error, Store, Swap};
use crate::ids::{Next, Partition};
use crate::project::codec::{Malformed, Reader, Writer};
use crate::project::key::Key;
use crate::project::tables;

/// A log, as its brokers know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    pub topic: [u8; 16],
    pub partitions: u32,
}

impl Origin {
    /// Makes these projections those of `self`, unless they are another's already; whose they are.
    pub async fn claim<S: Store>(self, store: &S) -> Result<Self, Error> {
        let found = match read(store, &tables::origin()).await? {
            Some(found) => found,
            None => match store.swap(&tables::origin(), None, &self.encode()).await? {
                Swap::Done => return Ok(self),
                Swap::Refused(found) => found.ok_or(Error::Moved)?,
            },
        };
        Self::decode(&found).map_err(damaged)
    }

    fn encode(self) -> Bytes {
        let number = u128::from_be_bytes(self.topic);
        let half = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).unwrap_or_default().cast_signed();
        let mut row = Writer::default();
        row.int(half(number >> 64)).int(half(number)).int(i64::from(self.partitions)).finish()
    }

    fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut row = Reader::new(bytes);
        let high = row.optional_int()?.ok_or(Malformed { field: 1 })?.cast_unsigned();
        let low = row.optional_int()?.ok_or(Malformed { field: 2 })?.cast_unsigned();
        let partitions =
            row.optional_int()?.and_then(|count| u32::try_from(count).ok()).ok_or(Malformed { field: 3 })?;
        let topic = (u128::from(high) << 64 | u128::from(low)).to_be_bytes();
        Ok(Self { topic, partitions })
    }
}

/// Up to where an operator takes a partition as it is: what the log lost below is lost, what went out below is out.
/// 0: nothing is accepted.
pub async fn accepted<S: Store>(store: &S, partition: Partition) -> Result<Next, Error> {
    let found = read(store, &tables::accepted(partition)).await?;
    let position = found.map(|bytes| Reader::new(&bytes).optional_int()).transpose().map_err(damaged)?.flatten();
    Ok(Next(position.and_then(|position| u64::try_from(position).ok()).unwrap_or_default()))
}

/// Accepts a partition up to `to`.
pub async fn accept<S: Store>(store: &S, partition: Partition, to: Next) -> Result<(), Error> {
    let key = tables::accepted(partition);
    let before = read(store, &key).await?;
    let row = Writer::default().int(i64::try_from(to.0).unwrap_or(i64::MAX)).finish();
    match store.swap(&key, before.as_deref(), &row).await? {
        Swap::Done => Ok(()),
        Swap::Refused(_) => Err(Error::Moved),
    }
}

async fn read<S: Store>(store: &S, key: &Key) -> Result<Option<Bytes>, Error> {
    let found = store.get(std::slice::from_ref(key)).await?;
    Ok(found.into_iter().flatten().next().and_then(|row| row.value))
}

fn damaged(error: Malformed) -> Error {
    Error::Damaged { place: "in the table alias".to_owned(), what: error.to_string() }
}
