//! The keys as rows: made, listed, revoked. Each is a row of its own, written only where it stands as it was read.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use super::ring::{Known, Ring};
use super::secret::{Random, Secret, is_id};
use super::{Limits, Scope};
use crate::clock::Clock;
use crate::ids::{ID_BYTES_MAX, Millis};
use crate::project::access::KeyRow;
use crate::project::tables;
use crate::store::{self, Bound, Col, Cols, Range, Row, Store, Swap};
use crate::telemetry::with_causes;
use crate::web::read::Stamp;

/// Keys that are not revoked; all of them are held in memory.
const KEYS_MAX: usize = 10_000;
const CREATORS_MAX: usize = 1_000;
const NAME_BYTES_MAX: usize = 100;
const RATE_MAX: u32 = 1_000_000;
/// Between two looks at all keys: a key made or revoked elsewhere counts here after so long.
const REFRESH_EVERY: Duration = Duration::from_secs(10);
const PAGE: u32 = 1_000;
/// Tries to change a row, or to read all, while others change them.
const TRIES: usize = 8;

/// What a new key shall be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    pub name: String,
    pub scopes: Vec<Scope>,
    /// `None`: all creators.
    #[serde(default)]
    pub creators: Option<Vec<String>>,
    #[serde(default, deserialize_with = "time")]
    pub expires_at: Option<Millis>,
    #[serde(default)]
    pub rate_per_s: Option<u32>,
    #[serde(default)]
    pub burst: Option<u32>,
}

impl Wish {
    /// All scopes, all creators, for ever.
    pub fn everything(name: &str) -> Self {
        let scopes = Scope::ALL.to_vec();
        Self { name: name.to_owned(), scopes, creators: None, expires_at: None, rate_per_s: None, burst: None }
    }
}

/// A key as it is listed: everything but its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Record {
    pub key_id: String,
    pub name: String,
    pub scopes: Vec<String>,
    pub creators: Option<Vec<String>>,
    created_at: Stamp,
    expires_at: Option<Stamp>,
    revoked_at: Option<Stamp>,
    rate_per_s: Option<u32>,
    burst: Option<u32>,
}

/// What managing keys can fail with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{field}` must be {must}")]
    Invalid { field: &'static str, must: String },
    #[error("there is no key `{id}`; `tributary keys list` shows all there are")]
    Unknown { id: String },
    #[error("{max} keys are there already; revoke those that nobody uses")]
    TooMany { max: usize },
    #[error("the keys are being changed by others all the time; try again")]
    Busy,
    #[error("cannot read or write the keys")]
    Store(#[from] store::Error),
    #[error("the row of the key `{id}` cannot be read, so it opens nothing; make another with `tributary keys create`")]
    Damaged { id: String, source: crate::project::codec::Malformed },
    #[error("cannot draw a random number from the system")]
    Random(#[from] std::io::Error),
}

/// All keys. Clones are the same.
#[derive(Clone)]
pub struct Keys<S> {
    store: S,
    random: Random,
    pub(super) ring: Arc<Ring>,
}

impl<S: Store> Keys<S> {
    /// Of the rows in `store`. Nobody is let in before the first [`Keys::refresh`].
    pub fn new(store: S, clock: Clock, random: Random, limits: Limits) -> Self {
        Self { store, random, ring: Arc::new(Ring::new(clock, limits)) }
    }

    /// The same keys, their rows seen through `view`.
    pub(in crate::web) fn within<T: Store>(self, view: impl FnOnce(S) -> T) -> Keys<T> {
        Keys { store: view(self.store), random: self.random, ring: self.ring }
    }

    /// Reads all keys.
    pub async fn refresh(&self) -> Result<(), Error> {
        for _ in 0..TRIES {
            let (changes, begun_at) = (self.ring.changes(), self.ring.clock.monotonic());
            let mut known = Vec::new();
            let mut after = None;
            loop {
                let page = self.scan(after, PAGE).await?;
                known.extend(page.iter().filter_map(|row| self.known(row)));
                after = page.last().and_then(id_of);
                if after.is_none() {
                    break;
                }
            }
            if self.ring.install(known, begun_at, changes) {
                return Ok(());
            }
        }
        Err(Error::Busy)
    }

    /// Reads all keys again and again. Ends only when dropped.
    pub(in crate::web) async fn follow(self) {
        loop {
            tokio::time::sleep(REFRESH_EVERY).await;
            if let Err(error) = self.refresh().await {
                tracing::warn!(error = %with_causes(&error), "cannot read the API keys, trying again");
            }
        }
    }

    /// Makes a key. Its text is told this once.
    pub async fn create(&self, wish: &Wish) -> Result<(Record, Secret), Error> {
        let now = self.ring.clock.now();
        check(wish, now)?;
        if self.ring.len() >= KEYS_MAX {
            return Err(Error::TooMany { max: KEYS_MAX });
        }
        for _ in 0..TRIES {
            let secret = Secret::draw(&self.random)?;
            let row = row(wish, &secret, now);
            match self.store.swap(&tables::key(secret.id()), None, &row.encode()).await? {
                Swap::Done => {
                    self.ring.add(Known::of(secret.id(), &row, self.ring.limits));
                    return Ok((record(secret.id(), row), secret));
                }
                // Another key has the same id, against all odds.
                Swap::Refused(_) => {}
            }
        }
        Err(Error::Busy)
    }

    /// In order of their ids, from behind `after` on.
    pub async fn list(&self, after: Option<&str>, limit: usize) -> Result<Vec<Record>, Error> {
        let page = self.scan(after.map(str::to_owned), u32::try_from(limit).unwrap_or(PAGE)).await?;
        page.into_iter().map(|stored| decoded(&stored).map(|(id, row)| record(&id, row))).collect()
    }

    /// Closes a key for good; at once here, within 30 s everywhere. Once more changes nothing.
    pub async fn revoke(&self, id: &str) -> Result<Record, Error> {
        let unknown = || Error::Unknown { id: id.to_owned() };
        if !is_id(id) {
            return Err(unknown());
        }
        let key = tables::key(id);
        for _ in 0..TRIES {
            let found = self.store.get(std::slice::from_ref(&key)).await?.into_iter().flatten().next();
            let stored = found.ok_or_else(unknown)?;
            let (_, mut row) = decoded(&stored)?;
            if row.revoked_at.is_some() {
                self.ring.remove(id);
                return Ok(record(id, row));
            }
            row.revoked_at = Some(self.ring.clock.now());
            let before = stored.value.unwrap_or_default();
            if self.store.swap(&key, Some(&before), &row.encode()).await? == Swap::Done {
                self.ring.remove(id);
                return Ok(record(id, row));
            }
        }
        Err(Error::Busy)
    }

    /// The first key of all, with every scope for every creator; `None` where there has been one before.
    pub async fn bootstrap(&self) -> Result<Option<Secret>, Error> {
        if !self.scan(None, 1).await?.is_empty() {
            return Ok(None);
        }
        let (_, secret) = self.create(&Wish::everything("first")).await?;
        Ok(Some(secret))
    }

    /// A key of this run: in memory alone, good for everything, gone when the process ends.
    pub fn local(&self) -> Result<Secret, Error> {
        let secret = Secret::draw(&self.random)?;
        self.ring.set_local(&secret);
        Ok(secret)
    }

    async fn scan(&self, after: Option<String>, limit: u32) -> Result<Vec<Row>, store::Error> {
        let from = after.map_or(Bound::Unbounded, |id| Bound::Excluded(Cols(vec![Col::Text(id)])));
        let range = Range { part: tables::key_part(), from, to: Bound::Unbounded, reverse: false, limit };
        self.store.scan(&range).await
    }

    /// `None` of what is revoked, or cannot be read: one damaged row must not lock everybody out.
    fn known(&self, stored: &Row) -> Option<Known> {
        match decoded(stored) {
            Ok((_, row)) if row.revoked_at.is_some() => None,
            Ok((id, row)) => Some(Known::of(&id, &row, self.ring.limits)),
            Err(error) => {
                tracing::error!(error = %with_causes(&error), "an API key cannot be read");
                None
            }
        }
    }
}

fn check(wish: &Wish, now: Millis) -> Result<(), Error> {
    let range = |ok: bool, field, must: String| if ok { Ok(()) } else { Err(Error::Invalid { field, must }) };
    let is_name = (1..=NAME_BYTES_MAX).contains(&wish.name.len()) && !wish.name.contains(char::is_control);
    range(is_name, "name", format!("1 to {NAME_BYTES_MAX} bytes of plain text"))?;
    range(!wish.scopes.is_empty(), "scopes", "at least one of read, write, review, admin".to_owned())?;
    if let Some(creators) = &wish.creators {
        let are_ids = creators.iter().all(|id| (1..=ID_BYTES_MAX).contains(&id.len()));
        let must = format!("1 to {CREATORS_MAX} ids of 1 to {ID_BYTES_MAX} bytes; without it the key is for all");
        range((1..=CREATORS_MAX).contains(&creators.len()) && are_ids, "creators", must)?;
        let must = "left out with the scope admin, which is about the whole instance".to_owned();
        range(!wish.scopes.contains(&Scope::Admin), "creators", must)?;
    }
    range(wish.expires_at.is_none_or(|at| at > now), "expires_at", "in the future".to_owned())?;
    let is_rate = |rate: Option<u32>| rate.is_none_or(|rate| (1..=RATE_MAX).contains(&rate));
    range(is_rate(wish.rate_per_s), "rate_per_s", format!("1 to {RATE_MAX}"))?;
    range(is_rate(wish.burst), "burst", format!("1 to {RATE_MAX}"))
}

fn row(wish: &Wish, secret: &Secret, now: Millis) -> KeyRow {
    let mut scopes = wish.scopes.clone();
    scopes.sort_unstable();
    scopes.dedup();
    let mut creators = wish.creators.clone();
    if let Some(list) = &mut creators {
        list.sort_unstable();
        list.dedup();
    }
    KeyRow {
        name: wish.name.clone(),
        hash: secret.hash().0,
        scopes: scopes.into_iter().map(|scope| scope.name().to_owned()).collect(),
        creators,
        created_at: now,
        expires_at: wish.expires_at,
        revoked_at: None,
        rate_per_s: wish.rate_per_s,
        burst: wish.burst,
    }
}

fn record(id: &str, row: KeyRow) -> Record {
    Record {
        key_id: id.to_owned(),
        name: row.name,
        scopes: row.scopes,
        creators: row.creators,
        created_at: Stamp(row.created_at),
        expires_at: row.expires_at.map(Stamp),
        revoked_at: row.revoked_at.map(Stamp),
        rate_per_s: row.rate_per_s,
        burst: row.burst,
    }
}

fn id_of(stored: &Row) -> Option<String> {
    match stored.key.cols.0.first() {
        Some(Col::Text(id)) => Some(id.clone()),
        Some(Col::Int(_) | Col::IntDesc(_)) | None => None,
    }
}

fn decoded(stored: &Row) -> Result<(String, KeyRow), Error> {
    let id = id_of(stored).unwrap_or_default();
    match KeyRow::decode(stored.value.as_deref().unwrap_or_default()) {
        Ok(row) => Ok((id, row)),
        Err(source) => Err(Error::Damaged { id, source }),
    }
}

/// Integer milliseconds or RFC 3339, as everywhere.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Millis>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Time {
        Millis(i64),
        Text(String),
    }
    match Option::<Time>::deserialize(deserializer)? {
        None => Ok(None),
        Some(Time::Millis(at)) => Ok(Some(Millis(at))),
        Some(Time::Text(text)) => match text.parse::<jiff::Timestamp>() {
            Ok(at) => Ok(Some(Millis(at.as_millisecond()))),
            Err(_) => Err(serde::de::Error::custom("`expires_at` must be milliseconds since 1970 or RFC 3339")),
        },
    }
}
