//! Dead letters, from wherever the log is: listed, shown, and their records appended again.

mod redrive;

use std::collections::VecDeque;
use std::ops::ControlFlow;

use tokio::task::block_in_place;

use super::engine::{Log, Pages};
use super::{Engines, Error, Options};
use crate::append::relay;
use crate::clock::Clock;
use crate::consume::registry::Registry;
use crate::consume::{Batch, Bounds, Limits, Record, Stream};
use crate::decode::{Decoder, Place};
use crate::ids::{ID_BYTES_MAX, Millis, Next, Offset, Partition};
use crate::schema::{self, DeadLetter};
use crate::worker::Schemas;

pub use redrive::{Chosen, Redriven};

/// What is in memory at a time.
const PAGE: Limits = Limits { records_max: 512, bytes_max: 2 << 20, wait_max: std::time::Duration::ZERO };
/// Offsets looked at first from the end of a partition; twice as many each time, up to the second.
const SPAN_MIN: u64 = 1_024;
const SPAN_MAX: u64 = 1 << 20;

/// The class of a record of the topic that is no letter.
const NO_LETTER: &str = "no_letter";

/// A letter without its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    pub partition: Partition,
    pub offset: Offset,
    /// When it became one.
    pub at: Millis,
    pub class: String,
    pub message: String,
    /// Whose record it was, where that can be told.
    pub creator: Option<String>,
    pub source: SourcePlace,
}

/// Where the record stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePlace {
    pub topic: String,
    pub partition: Partition,
    pub offset: Offset,
    /// When the log took it in.
    pub at: Millis,
}

/// A letter with its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub summary: Summary,
    pub key: Vec<u8>,
    pub value: Vec<u8>,
    /// The event as JSON, or why there is none now either.
    pub event: Result<String, String>,
}

/// Which letters are listed, and how many at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub partition: Option<Partition>,
    /// From here on, oldest first; else newest first.
    pub from: Option<Next>,
    pub class: Option<String>,
    pub limit: usize,
}

/// The dead letters of a log.
pub struct Letters {
    pages: Pages,
    log: Log,
    schemas: Schemas,
    clock: Clock,
}

impl Log {
    /// The log of these engines, which must be there.
    pub async fn of(engines: Engines, options: &Options) -> Result<Self, Error> {
        let kafka = match engines {
            Engines::Embedded => return Self::open(&options.data_dir, options.partitions),
            Engines::Kafka(kafka) => *kafka,
            Engines::Cluster(both) => both.0,
        };
        tokio::task::spawn_blocking(move || Self::connect(kafka)).await.map_err(|_| Error::Panicked)?
    }
}

impl Letters {
    /// `registry`: where schemas of producers are asked for.
    pub fn open(log: Log, registry: Option<Registry>, clock: Clock) -> Result<Self, Error> {
        Ok(Self { pages: log.pages(Stream::DeadLetters)?, log, schemas: Schemas::new(registry, clock.clone()), clock })
    }

    fn partitions(&self) -> impl Iterator<Item = Partition> + use<> {
        (0..self.log.topic().partitions).map(Partition)
    }

    /// Lists letters. It waits for the log.
    pub fn list(&mut self, wanted: &Wanted) -> Result<Vec<Summary>, Error> {
        let mut listed = Vec::new();
        for p in self.partitions().filter(|p| wanted.partition.is_none_or(|wanted| wanted == *p)) {
            let bounds = self.pages.bounds(p)?;
            match wanted.from {
                Some(from) => listed.extend(self.oldest(p, (from.max(bounds.start), bounds.end), wanted)?),
                None => listed.extend(self.newest(p, bounds, wanted)?),
            }
            if wanted.from.is_none() {
                listed.sort_by_key(|one| std::cmp::Reverse((one.at, one.partition, one.offset)));
            }
            listed.truncate(wanted.limit);
        }
        Ok(listed)
    }

    fn oldest(&mut self, p: Partition, range: (Next, Next), wanted: &Wanted) -> Result<Vec<Summary>, Error> {
        let mut found = Vec::new();
        self.each(p, range, |summary, _| {
            if found.len() < wanted.limit && wanted.has(&summary) {
                found.push(summary);
            }
            if found.len() < wanted.limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(found)
    }

    /// From the end backwards, a stretch at a time.
    fn newest(&mut self, p: Partition, bounds: Bounds, wanted: &Wanted) -> Result<Vec<Summary>, Error> {
        let (mut found, mut until, mut span) = (Vec::new(), bounds.end, SPAN_MIN);
        while until > bounds.start && found.len() < wanted.limit {
            let from = Next(until.0.saturating_sub(span)).max(bounds.start);
            let room = wanted.limit - found.len();
            let mut last = VecDeque::new();
            self.each(p, (from, until), |summary, _| {
                if wanted.has(&summary) {
                    last.push_back(summary);
                    last.drain(..last.len().saturating_sub(room));
                }
                ControlFlow::Continue(())
            })?;
            found.extend(last.into_iter().rev());
            (until, span) = (from, (span * 2).min(SPAN_MAX));
        }
        Ok(found)
    }

    /// Every record in a range, oldest first, as a letter where it is one.
    fn each(
        &mut self,
        p: Partition,
        (from, until): (Next, Next),
        mut take: impl FnMut(Summary, Option<DeadLetter<'_>>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let (mut next, mut batch) = (from, Batch::default());
        while next < until {
            batch.clear();
            next = self.pages.read(p, (next, until), &PAGE, &mut batch)?;
            for record in batch.iter() {
                let read = self.read(&record);
                if take(self.summary(&record, &read), read.ok()).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn read<'a>(&self, record: &Record<'a>) -> Result<DeadLetter<'a>, String> {
        let at = Place { topic: Stream::DeadLetters.name(), partition: record.partition, offset: record.offset };
        self.decoder().dead_letter(record.value, at).map_err(|error| error.reason())
    }

    fn decoder(&self) -> &Decoder {
        self.schemas.decoder()
    }

    fn summary(&self, record: &Record<'_>, letter: &Result<DeadLetter<'_>, String>) -> Summary {
        let (partition, offset, at) = (record.partition, record.offset, record.timestamp);
        match letter {
            Ok(letter) => Summary {
                partition,
                offset,
                at,
                class: letter.class.to_owned(),
                message: letter.message.to_owned(),
                creator: self.creator(letter),
                source: SourcePlace {
                    topic: letter.topic.to_owned(),
                    partition: letter.partition,
                    offset: letter.offset,
                    at: letter.timestamp,
                },
            },
            Err(why) => {
                let source = SourcePlace { topic: Stream::DeadLetters.name().to_owned(), partition, offset, at };
                let (class, message) = (NO_LETTER.to_owned(), why.clone());
                Summary { partition, offset, at, class, message, creator: None, source }
            }
        }
    }

    /// As the record says, or its key, where that is one of the log.
    fn creator(&self, letter: &DeadLetter<'_>) -> Option<String> {
        if let Ok(placed) = relay::place(self.decoder(), &record_of(letter), letter.topic, 1, None) {
            return String::from_utf8(placed.key.to_vec()).ok();
        }
        let is_ours = letter.topic == self.log.topic().name && letter.key.len() <= ID_BYTES_MAX;
        let key = std::str::from_utf8(letter.key).ok().filter(|key| is_ours && !key.is_empty());
        key.map(str::to_owned)
    }

    /// One letter with all that there is of it; `None`: there is none at that place.
    pub async fn show(&mut self, partition: Partition, offset: Offset) -> Result<Option<Letter>, Error> {
        let mut found = None;
        block_in_place(|| {
            self.at(partition, offset, |summary, letter| {
                let (key, value) = letter.map(|letter| (letter.key, letter.value)).unwrap_or_default();
                found = Some((summary, key.to_vec(), value.to_vec()));
            })
        })?;
        let Some((summary, key, value)) = found else { return Ok(None) };
        let SourcePlace { topic, partition, offset, at } = summary.source.clone();
        let record = Record { partition, offset, timestamp: at, key: &key, value: &value };
        let mut batch = Batch::default();
        batch.push(record);
        // Asked once: a registry that does not answer is a reason too.
        self.schemas.learn(&batch, || false).await;
        let event = self.event(&record, &topic);
        Ok(Some(Letter { summary, event, key, value }))
    }

    fn event(&self, record: &Record<'_>, topic: &str) -> Result<String, String> {
        let placed = relay::place(self.decoder(), record, topic, 1, None).map_err(|refusal| refusal.reason)?;
        let at = Place { topic, partition: record.partition, offset: record.offset };
        let event = self.decoder().decode(&placed.value, &placed.key, at).map_err(|error| error.reason())?;
        let mut json = Vec::new();
        schema::to_json(&event, &mut json);
        Ok(String::from_utf8_lossy(&json).into_owned())
    }

    /// `take` gets the letter at a place, if there is one.
    fn at(
        &mut self,
        partition: Partition,
        offset: Offset,
        mut take: impl FnMut(Summary, Option<DeadLetter<'_>>),
    ) -> Result<(), Error> {
        if !self.partitions().any(|p| p == partition) {
            return Ok(());
        }
        let Bounds { start, end } = self.pages.bounds(partition)?;
        let range = (Next(offset.0), offset.next());
        if range.0 < start || range.1 > end {
            return Ok(());
        }
        self.each(partition, range, |summary, letter| {
            take(summary, letter);
            ControlFlow::Break(())
        })
    }
}

impl Wanted {
    fn has(&self, summary: &Summary) -> bool {
        self.class.as_ref().is_none_or(|class| *class == summary.class)
    }
}

/// The record that a letter holds, where it stood.
const fn record_of<'a>(letter: &DeadLetter<'a>) -> Record<'a> {
    let DeadLetter { partition, offset, timestamp, key, value, .. } = *letter;
    Record { partition, offset, timestamp, key, value }
}
