//! Records of dead letters, appended to the events again.

use std::collections::HashSet;

use bytes::Bytes;
use tokio::task::block_in_place;

use super::{Letters, PAGE, Summary, record_of};
use crate::append::letter::{TOO_LARGE, WITHHELD};
use crate::append::partition::partition_of;
use crate::append::{Outgoing, Sink as _, relay};
use crate::consume::{Batch, Bounds, Stream};
use crate::ids::{Next, Offset, Partition};
use crate::run::Error;
use crate::run::engine::Sink;
use crate::schema::DeadLetter;

/// Records of which one run remembers that it has appended them.
const KNOWN_MAX: usize = 1 << 20;

/// Which records are appended again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    These(Partition, Vec<Offset>),
    Class(String),
    All,
}

/// What became of a chosen letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redriven {
    /// In the events, here; in a dry run nowhere yet.
    Appended(Option<(Partition, Offset)>),
    /// Another letter of this run had the same record.
    Same,
    /// Why it cannot be appended.
    Left(String),
}

impl Letters {
    /// Appends the records of chosen letters to the events again: `into` is the way in, none for a dry run. Letters that
    /// are written meanwhile are not looked at. `told` hears of each.
    pub async fn redrive(
        &mut self,
        chosen: &Chosen,
        into: Option<&Sink>,
        mut told: impl FnMut(&Summary, &Redriven),
    ) -> Result<(), Error> {
        let mut known = HashSet::new();
        for p in self.partitions() {
            let bounds = block_in_place(|| self.pages.bounds(p))?;
            for range in chosen.ranges(p, bounds) {
                self.redrive_range(p, range, chosen, into, (&mut known, &mut told)).await?;
            }
        }
        Ok(())
    }

    async fn redrive_range(
        &mut self,
        p: Partition,
        (from, until): (Next, Next),
        chosen: &Chosen,
        into: Option<&Sink>,
        (known, told): (&mut HashSet<u128>, &mut impl FnMut(&Summary, &Redriven)),
    ) -> Result<(), Error> {
        let (mut next, mut batch) = (from, Batch::default());
        while next < until {
            batch.clear();
            next = block_in_place(|| self.pages.read(p, (next, until), &PAGE, &mut batch))?;
            self.learn(&batch).await;
            let (mut outcomes, mut records) = (Vec::new(), Vec::new());
            for record in batch.iter() {
                let read = self.read(&record);
                let summary = self.summary(&record, &read);
                if !chosen.has(&summary) {
                    continue;
                }
                let outcome = match read.map_err(|why| format!("it is no letter: {why}")).and_then(|l| self.record(&l))
                {
                    Err(why) => Redriven::Left(why),
                    Ok(record) if !is_new(known, &record) => Redriven::Same,
                    Ok(record) => {
                        records.push(record);
                        Redriven::Appended(None)
                    }
                };
                outcomes.push((summary, outcome));
            }
            let places = match into {
                Some(sink) => sink.append(records).await?,
                None => Vec::new(),
            };
            let mut places = places.into_iter();
            for (summary, outcome) in &mut outcomes {
                if let Redriven::Appended(place) = outcome {
                    *place = places.next().map(|place| (place.partition, place.offset));
                }
                told(summary, outcome);
            }
        }
        Ok(())
    }

    /// Schemas of records that a relay could not bring in are asked for once: a registry that does not answer is a reason.
    async fn learn(&mut self, letters: &Batch) {
        let mut records = Batch::default();
        for letter in letters.iter().filter_map(|record| self.read(&record).ok()) {
            if letter.topic != self.log.topic().name {
                records.push(record_of(&letter));
            }
        }
        self.schemas.learn(&records, || false).await;
    }

    /// The record of a letter as it was; one of another topic as a relay would bring it.
    fn record(&self, letter: &DeadLetter<'_>) -> Result<Outgoing, String> {
        if letter.class == TOO_LARGE {
            return Err("the letter holds only the beginning of its record".to_owned());
        }
        if letter.class == WITHHELD {
            return Err("the letter holds nothing of its record, which names a raw field; send that again".to_owned());
        }
        let partitions = self.log.topic().partitions;
        if letter.topic != self.log.topic().name {
            let placed = relay::place(self.decoder(), &record_of(letter), letter.topic, partitions, None);
            let placed = placed.map(|placed| Outgoing { timestamp: self.clock.now(), ..placed });
            return placed.map_err(|refusal| format!("it still cannot come in: {}", refusal.reason));
        }
        Ok(Outgoing {
            stream: Stream::Events,
            partition: if letter.key.is_empty() { letter.partition } else { partition_of(letter.key, partitions) },
            timestamp: self.clock.now(),
            key: Bytes::copy_from_slice(letter.key),
            value: Bytes::copy_from_slice(letter.value),
        })
    }
}

impl Chosen {
    fn has(&self, summary: &Summary) -> bool {
        match self {
            Self::These(partition, offsets) => *partition == summary.partition && offsets.contains(&summary.offset),
            Self::Class(class) => *class == summary.class,
            Self::All => true,
        }
    }

    /// Where in a partition they may be.
    fn ranges(&self, p: Partition, bounds: Bounds) -> Vec<(Next, Next)> {
        match self {
            Self::These(partition, offsets) if *partition == p => {
                let there =
                    offsets.iter().filter(|offset| Next(offset.0) >= bounds.start && offset.next() <= bounds.end);
                there.map(|offset| (Next(offset.0), offset.next())).collect()
            }
            Self::These(..) => Vec::new(),
            Self::Class(_) | Self::All => vec![(bounds.start, bounds.end)],
        }
    }
}

/// Whether no letter before had the same record, as far as that is remembered.
fn is_new(known: &mut HashSet<u128>, record: &Outgoing) -> bool {
    let mut bytes = Vec::with_capacity(record.key.len() + record.value.len() + 1);
    bytes.extend_from_slice(&record.key);
    bytes.push(0);
    bytes.extend_from_slice(&record.value);
    let hash = xxhash_rust::xxh3::xxh3_128(&bytes);
    if known.len() >= KNOWN_MAX { !known.contains(&hash) } else { known.insert(hash) }
}
