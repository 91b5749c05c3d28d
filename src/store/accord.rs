//! What processes agree on beside the alias: which generation puts outputs out, and a place where generations stop.
//!
//! Rows in the form of the alias's, changed by `swap` alone. Who looks sees them all as of one moment, or nearly.

use bytes::Bytes;

use super::alias::{self, Alias};
use super::{Error, Store, Swap};
use crate::ids::{Next, Partition};
use crate::project::codec::{Malformed, Reader, Writer};
use crate::project::key::Key;
use crate::project::tables;

/// All of it, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accord {
    pub alias: Alias,
    pub emitter: Emitter,
    pub fence: Order,
    /// As they stand in the store, for the next `swap`.
    emitter_bytes: Option<Bytes>,
    fence_bytes: Option<Bytes>,
}

/// Which generation puts outputs out and moves E.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Emitter {
    pub generation: u32,
    /// Which did before: up to where counts as out, too.
    pub prior: Option<u32>,
    /// Nobody can put anything out in the name of the prior one any more.
    pub is_settled: bool,
}

impl Default for Emitter {
    fn default() -> Self {
        Self { generation: alias::FIRST, prior: None, is_settled: true }
    }
}

/// Two generations are to stop at one place, or no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Order {
    /// Greater with each that is given. 0: none was.
    pub id: u64,
    pub generations: [u32; 2],
    pub is_raised: bool,
}

/// Where a generation stands in one partition, as of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stand {
    /// The order that it follows.
    pub order: u64,
    /// It has applied everything below, and it may have been further than a task is that has started again.
    pub at: Next,
    /// Rows of everything below are written.
    pub written: Next,
}

impl Accord {
    pub async fn read<S: Store>(store: &S) -> Result<Self, Error> {
        let found = store.get(&[tables::alias(), tables::emitter(), tables::fence()]).await?;
        let mut found = found.into_iter().map(|row| row.and_then(|row| row.value));
        let mut next = || found.next().flatten();
        let (alias, emitter_bytes, fence_bytes) = (next(), next(), next());
        let alias = alias.as_deref().map(Alias::decode).transpose().map_err(damaged)?.unwrap_or_default();
        let emitter = emitter_bytes.as_deref().map(Emitter::decode).transpose().map_err(damaged)?.unwrap_or_default();
        let fence = fence_bytes.as_deref().map(Order::decode).transpose().map_err(damaged)?.unwrap_or_default();
        Ok(Self { alias, emitter, fence, emitter_bytes, fence_bytes })
    }

    /// Every generation whose group may have said how far outputs are.
    pub fn emitted_by(&self) -> Vec<u32> {
        let mut all = self.alias.all();
        all.extend([Some(self.emitter.generation), self.emitter.prior].into_iter().flatten());
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Has outputs leave from elsewhere; `false`: another was first, look again.
    pub async fn emit_from<S: Store>(&self, store: &S, emitter: Emitter) -> Result<bool, Error> {
        let before = self.emitter_bytes.as_deref();
        Ok(store.swap(&tables::emitter(), before, &emitter.encode()).await? == Swap::Done)
    }

    /// Gives an order; `None`: another was first, look again.
    pub async fn order<S: Store>(&self, store: &S, generations: [u32; 2]) -> Result<Option<Order>, Error> {
        let order = Order { id: self.fence.id + 1, generations, is_raised: true };
        let swapped = store.swap(&tables::fence(), self.fence_bytes.as_deref(), &order.encode()).await?;
        Ok((swapped == Swap::Done).then_some(order))
    }
}

impl Order {
    /// Takes it back, unless it was already.
    pub async fn lower<S: Store>(self, store: &S) -> Result<(), Error> {
        let lowered = Self { is_raised: false, ..self };
        store.swap(&tables::fence(), Some(&self.encode()), &lowered.encode()).await?;
        Ok(())
    }

    fn encode(self) -> Bytes {
        let [one, other] = self.generations;
        let mut row = Writer::default();
        row.int(long(self.id)).int(i64::from(one)).int(i64::from(other)).int(i64::from(self.is_raised)).finish()
    }

    fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut row = Ints::of(bytes);
        let (id, one, other, raised) = (row.next()?, row.number()?, row.number()?, row.next()?);
        Ok(Self { id, generations: [one, other], is_raised: raised == 1 })
    }
}

impl Emitter {
    fn encode(self) -> Bytes {
        let mut row = Writer::default();
        row.int(i64::from(self.generation)).int(i64::from(self.prior.unwrap_or_default()));
        row.int(i64::from(self.is_settled)).finish()
    }

    fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut row = Ints::of(bytes);
        let (generation, prior, settled) = (row.number()?, row.number()?, row.next()?);
        Ok(Self { generation, prior: Some(prior).filter(|prior| *prior > 0), is_settled: settled == 1 })
    }
}

impl Stand {
    /// Of all partitions of both generations, in that order; `None` where nothing was said since the order.
    pub async fn all<S: Store>(store: &S, order: Order, partitions: u32) -> Result<Vec<Found>, Error> {
        let places = order.generations.into_iter().flat_map(|g| (0..partitions).map(move |p| (g, Partition(p))));
        let places: Vec<_> = places.collect();
        let keys: Vec<Key> = places.iter().map(|(g, p)| tables::stand(*g, *p)).collect();
        let rows = store.get(&keys).await?;
        let mut all = Vec::with_capacity(places.len());
        for ((generation, partition), row) in places.into_iter().zip(rows) {
            let bytes = row.and_then(|row| row.value);
            let stand = bytes.as_deref().map(Self::decode).transpose().map_err(damaged)?;
            let stand = stand.filter(|stand| stand.order == order.id);
            all.push(Found { generation, partition, stand, bytes });
        }
        Ok(all)
    }

    fn encode(self) -> Bytes {
        let mut row = Writer::default();
        row.int(long(self.order)).int(long(self.at.0)).int(long(self.written.0)).finish()
    }

    fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut row = Ints::of(bytes);
        Ok(Self { order: row.next()?, at: Next(row.next()?), written: Next(row.next()?) })
    }
}

/// What was said of a place.
#[derive(Debug, Clone)]
pub struct Found {
    pub generation: u32,
    pub partition: Partition,
    pub stand: Option<Stand>,
    bytes: Option<Bytes>,
}

impl Found {
    /// Says where a task stands now. What was said before is not taken back: a task that starts again has been there.
    /// Where another says so meanwhile, it is said again at the next look.
    pub async fn say<S: Store>(&mut self, store: &S, mut stand: Stand) -> Result<(), Error> {
        if let Some(before) = self.stand {
            stand.at = stand.at.max(before.at);
            stand.written = stand.written.max(before.written);
        }
        if self.stand == Some(stand) {
            return Ok(());
        }
        let (key, bytes) = (tables::stand(self.generation, self.partition), stand.encode());
        if store.swap(&key, self.bytes.as_deref(), &bytes).await? == Swap::Done {
            (self.stand, self.bytes) = (Some(stand), Some(bytes));
        }
        Ok(())
    }
}

/// Fields that are whole numbers from 0 on.
struct Ints<'a> {
    row: Reader<'a>,
    field: usize,
}

impl<'a> Ints<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        Self { row: Reader::new(bytes), field: 0 }
    }

    fn next(&mut self) -> Result<u64, Malformed> {
        self.field += 1;
        let malformed = Malformed { field: self.field };
        let value = self.row.optional_int()?.ok_or(malformed)?;
        u64::try_from(value).map_err(|_| Malformed { field: self.field })
    }

    fn number(&mut self) -> Result<u32, Malformed> {
        let value = self.next()?;
        u32::try_from(value).map_err(|_| Malformed { field: self.field })
    }
}

fn long(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn damaged(error: Malformed) -> Error {
    Error::Damaged { place: "in the table alias".to_owned(), what: error.to_string() }
}
