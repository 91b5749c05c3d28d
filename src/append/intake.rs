//! Events as JSON, made records of the log: parsed, checked, their raw fields made tokens, stamped, encoded, partitioned,
//! appended.
//!
//! Promise: an outcome stands for every item, in order; `Accepted` is on the disk. `Duplicate` is a courtesy to
//! quick retries, given only for an equal event that this intake appended a short while ago: the fold decides.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use super::tokenize::tokenize;
use super::{Appended, Outgoing, Sink};
use crate::clock::Clock;
use crate::decode::json;
pub use crate::decode::json::Scratch;
use crate::event::{Body, Event};
use crate::schema;
use crate::tokens::Keys;

/// How much one call takes, and how many events are remembered for duplicates.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub items_max: usize,
    /// About 100 bytes each.
    pub recent_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { items_max: 1_000, recent_max: 65_536 }
    }
}

/// What became of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// In the log, durably.
    Accepted { event_id: String, at: Appended },
    /// An equal event is in the log already, here.
    Duplicate { event_id: String, at: Appended },
    /// Not in the log; `event_id` where it could be read.
    Rejected { event_id: Option<String>, reason: String },
}

/// Why a whole call was refused; nothing of it was acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{items} events at once are too many; send at most {max}")]
    TooManyItems { items: usize, max: usize },
    #[error(transparent)]
    Log(#[from] super::Error),
}

/// The way in. Clones share what they remember.
#[derive(Clone)]
pub struct Intake<K> {
    sink: K,
    partitions: u32,
    clock: Clock,
    limits: Limits,
    /// None: raw fields are refused.
    tokens: Option<Arc<Keys>>,
    recent: Arc<Mutex<Recent>>,
}

impl<K: Sink> Intake<K> {
    /// `partitions` is the log's number of them.
    pub fn new(sink: K, partitions: u32, clock: Clock, limits: Limits) -> Self {
        let recent = Arc::new(Mutex::new(Recent { max: limits.recent_max, ..Recent::default() }));
        Self { sink, partitions, clock, limits, tokens: None, recent }
    }

    /// The same, which makes raw fields tokens with these keys; without any they are refused.
    #[must_use]
    pub fn with_tokens(self, tokens: Option<Arc<Keys>>) -> Self {
        Self { tokens, ..self }
    }

    /// Appends the good ones of `items`, each one event as a JSON object, in their order and in one call. Those of a
    /// creator that the caller `may` not touch are rejected.
    pub async fn submit<T: AsRef<[u8]>>(&self, items: &[T], may: impl Fn(&str) -> bool) -> Result<Vec<Outcome>, Error> {
        if items.len() > self.limits.items_max {
            return Err(Error::TooManyItems { items: items.len(), max: self.limits.items_max });
        }
        let (mut call, mut scratch) = (Call::default(), json::Scratch::default());
        for item in items {
            self.read(item.as_ref(), &may, &mut scratch, &mut call);
        }
        let places = match std::mem::take(&mut call.records) {
            records if records.is_empty() => Vec::new(),
            records => self.sink.append(records).await?,
        };
        self.remember(&call, &places);
        Ok(call.seen.into_iter().map(|seen| seen.outcome(&places)).collect())
    }

    /// Reads an event as `submit` does, its raw fields made tokens, and appends nothing; or says what is wrong with it.
    pub fn peek<'a>(&self, item: &'a [u8], scratch: &'a mut Scratch) -> Result<Event<'a>, String> {
        let (mut event, raw) = json::read(item, scratch).map_err(|error| error.to_string())?;
        tokenize(&mut event, raw, self.tokens.as_deref()).map_err(|error| error.to_string())?;
        Ok(event)
    }

    fn read(&self, item: &[u8], may: &impl Fn(&str) -> bool, scratch: &mut json::Scratch, call: &mut Call) {
        let seen = match json::read(item, scratch) {
            // The same words whether there is such a creator or not.
            Ok((event, _)) if !may(event.creator_id.0) => Seen::Rejected {
                event_id: Some(event.event_id.0.to_owned()),
                reason: format!("this key may not write for the creator `{}`", event.creator_id.0),
            },
            Ok((mut event, raw)) => match tokenize(&mut event, raw, self.tokens.as_deref()) {
                Ok(()) => self.take(event, call),
                Err(error) => Seen::Rejected { event_id: Some(event.event_id.0.to_owned()), reason: error.to_string() },
            },
            Err(error) => Seen::Rejected { event_id: event_id(item), reason: error.to_string() },
        };
        call.seen.push(seen);
    }

    /// A new record, or the one of this call or a recent one that equals it.
    fn take(&self, event: Event<'_>, call: &mut Call) -> Seen {
        let event_id = event.event_id.0.to_owned();
        if matches!(event.body, Body::Tick) {
            let reason = "`Tick` is made by the service itself".to_owned();
            return Seen::Rejected { event_id: Some(event_id), reason };
        }
        let identity = Identity::of(&event);
        let payload = payload(&event);
        if let Some((hash, record)) = call.taken.get(&identity)
            && *hash == payload
        {
            return Seen::Repeated { event_id, record: *record };
        }
        if let Some(at) = self.recent().find(&identity, payload) {
            return Seen::Known { event_id, at };
        }
        call.records.push(self.record(event));
        let record = call.records.len() - 1;
        call.taken.entry(identity).or_insert((payload, record));
        Seen::Taken { event_id, record }
    }

    fn record(&self, mut event: Event<'_>) -> Outgoing {
        let received_at = self.clock.now();
        event.received_at = Some(received_at);
        Outgoing::of_event(&event, received_at, self.partitions)
    }

    fn remember(&self, call: &Call, places: &[Appended]) {
        let mut recent = self.recent();
        for (identity, (payload, record)) in &call.taken {
            if let Some(at) = places.get(*record) {
                recent.add(*identity, *payload, *at);
            }
        }
    }

    fn recent(&self) -> std::sync::MutexGuard<'_, Recent> {
        // A panic elsewhere cannot leave it half changed in a way that matters: it is a courtesy.
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One call on its way.
#[derive(Default)]
struct Call {
    seen: Vec<Seen>,
    records: Vec<Outgoing>,
    taken: HashMap<Identity, (Payload, usize)>,
}

/// What an item is before its place is known.
enum Seen {
    Taken { event_id: String, record: usize },
    Repeated { event_id: String, record: usize },
    Known { event_id: String, at: Appended },
    Rejected { event_id: Option<String>, reason: String },
}

impl Seen {
    fn outcome(self, places: &[Appended]) -> Outcome {
        let place = |record: usize| *places.get(record).expect("a sink names a place for every record");
        match self {
            Self::Taken { event_id, record } => Outcome::Accepted { event_id, at: place(record) },
            Self::Repeated { event_id, record } => Outcome::Duplicate { event_id, at: place(record) },
            Self::Known { event_id, at } => Outcome::Duplicate { event_id, at },
            Self::Rejected { event_id, reason } => Outcome::Rejected { event_id, reason },
        }
    }
}

/// 128 bits for (creator, event id): a courtesy may rest on a hash, a decision may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Identity(u128);

impl Identity {
    fn of(event: &Event<'_>) -> Self {
        let text = format!("{}\u{1f}{}", event.creator_id.0, event.event_id.0);
        Self(xxhash_rust::xxh3::xxh3_128(text.as_bytes()))
    }
}

/// 128 bits for all fields but `received_at`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Payload(u128);

fn payload(event: &Event<'_>) -> Payload {
    let mut bytes = Vec::with_capacity(256);
    schema::encode(&Event { received_at: None, ..event.clone() }, &mut bytes);
    Payload(xxhash_rust::xxh3::xxh3_128(&bytes))
}

/// The newest events by identity; the oldest goes first.
#[derive(Default)]
struct Recent {
    max: usize,
    by_identity: HashMap<Identity, (Payload, Appended)>,
    order: VecDeque<Identity>,
}

impl Recent {
    fn find(&self, identity: &Identity, payload: Payload) -> Option<Appended> {
        let (known, at) = self.by_identity.get(identity)?;
        (*known == payload).then_some(*at)
    }

    fn add(&mut self, identity: Identity, payload: Payload, at: Appended) {
        // The first one stands, as it does in the fold.
        if self.max == 0 || self.by_identity.contains_key(&identity) {
            return;
        }
        if self.order.len() >= self.max
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_identity.remove(&oldest);
        }
        self.by_identity.insert(identity, (payload, at));
        self.order.push_back(identity);
    }
}

/// The id of an event that could not be read, for the answer.
fn event_id(item: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Head {
        event_id: String,
    }
    serde_json::from_slice::<Head>(item)
        .ok()
        .map(|head| head.event_id)
        .filter(|id| id.len() <= crate::ids::ID_BYTES_MAX)
}
