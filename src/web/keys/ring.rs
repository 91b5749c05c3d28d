//! The picture of all keys that requests are checked against.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use super::bucket::{Bucket, Drawn, Rate};
use super::secret::{Hash, Secret};
use super::{Limits, Scope};
use crate::clock::Clock;
use crate::ids::Millis;
use crate::project::access::KeyRow;

/// A picture older than this opens nothing: what was revoked meanwhile would still be let in.
pub(super) const STALE_AFTER: Duration = Duration::from_secs(30);

/// A key that is not revoked.
pub(super) struct Known {
    pub(super) id: String,
    hash: Hash,
    pub(super) scopes: Vec<Scope>,
    /// `None`: all.
    pub(super) creators: Option<Arc<BTreeSet<String>>>,
    expires_at: Option<Millis>,
    /// `None`: without end.
    pub(super) rate: Option<Rate>,
    bucket: Arc<Mutex<Bucket>>,
}

impl Known {
    pub(super) fn of(id: &str, row: &KeyRow, limits: Limits) -> Self {
        let rate = Rate {
            per_s: row.rate_per_s.unwrap_or(limits.each.per_s),
            burst: row.burst.or(row.rate_per_s).unwrap_or(limits.each.burst),
        };
        Self {
            id: id.to_owned(),
            hash: Hash(row.hash),
            // A word of a newer version opens nothing here.
            scopes: row.scopes.iter().filter_map(|name| Scope::parse(name)).collect(),
            creators: row.creators.as_ref().map(|list| Arc::new(list.iter().cloned().collect())),
            expires_at: row.expires_at,
            rate: Some(rate),
            bucket: Arc::default(),
        }
    }

    /// Everything, without end: for whoever may read the data folder anyway.
    fn local(secret: &Secret) -> Self {
        Self {
            id: secret.id().to_owned(),
            hash: secret.hash(),
            scopes: Scope::ALL.to_vec(),
            creators: None,
            expires_at: None,
            rate: None,
            bucket: Arc::default(),
        }
    }

    /// Takes one request; `None` where there is no limit.
    pub(super) fn draw(&self, now: Duration) -> Option<(Rate, Drawn)> {
        let rate = self.rate?;
        Some((rate, self.bucket.lock().unwrap_or_else(PoisonError::into_inner).draw(rate, now)))
    }
}

/// Why there is nobody behind a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stranger {
    /// It has no key.
    NoKey,
    /// What it has is not the text of a key.
    Malformed,
    /// There is no such key, or none any more.
    Unknown,
    Expired,
}

/// What finding the owner of a key came to.
pub(super) enum Found {
    Owner(Arc<Known>),
    Nobody(Stranger),
    /// The keys were not read for so long that nobody knows.
    Stale,
}

/// All keys, as last read, and the requests of those who have none.
pub(super) struct Ring {
    state: RwLock<State>,
    refused: Mutex<Bucket>,
    pub(super) limits: Limits,
    pub(super) clock: Clock,
}

#[derive(Default)]
struct State {
    known: HashMap<String, Arc<Known>>,
    read_at: Option<Duration>,
    /// Grows with each change made here: a scan that began before it is out of date.
    changes: u64,
    local: Option<Arc<Known>>,
}

impl Ring {
    pub(super) fn new(clock: Clock, limits: Limits) -> Self {
        Self { state: RwLock::default(), refused: Mutex::default(), limits, clock }
    }

    pub(super) fn find(&self, secret: &Secret) -> Found {
        let state = self.read();
        let local = state.local.as_ref().filter(|local| local.id == secret.id());
        let is_stale = |read_at: Duration| self.clock.monotonic().saturating_sub(read_at) > STALE_AFTER;
        if local.is_none() && state.read_at.is_none_or(is_stale) {
            return Found::Stale;
        }
        let Some(known) = local.or_else(|| state.known.get(secret.id())) else {
            return Found::Nobody(Stranger::Unknown);
        };
        if !known.hash.is(&secret.hash()) {
            return Found::Nobody(Stranger::Unknown);
        }
        if self.has_expired(known) {
            return Found::Nobody(Stranger::Expired);
        }
        Found::Owner(Arc::clone(known))
    }

    /// Whether `known` would still be let in.
    pub(super) fn is_good(&self, known: &Known) -> bool {
        let state = self.read();
        let now = state.known.get(&known.id).or(state.local.as_ref());
        now.is_some_and(|now| now.hash.is(&known.hash) && !self.has_expired(now))
    }

    fn has_expired(&self, known: &Known) -> bool {
        known.expires_at.is_some_and(|at| at <= self.clock.now())
    }

    /// Takes one of the requests that those without a good key have together.
    pub(super) fn refuse(&self) -> Drawn {
        let now = self.clock.monotonic();
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).draw(self.limits.refused, now)
    }

    pub(super) fn len(&self) -> usize {
        self.read().known.len()
    }

    pub(super) fn changes(&self) -> u64 {
        self.read().changes
    }

    /// Takes what was scanned, unless a change was made here since. What each key has left stays.
    pub(super) fn install(&self, scanned: Vec<Known>, begun_at: Duration, changes: u64) -> bool {
        let mut state = self.write();
        if state.changes != changes {
            return false;
        }
        let keep = |mut fresh: Known| {
            if let Some(before) = state.known.get(&fresh.id) {
                fresh.bucket = Arc::clone(&before.bucket);
            }
            (fresh.id.clone(), Arc::new(fresh))
        };
        state.known = scanned.into_iter().map(keep).collect();
        state.read_at = Some(begun_at);
        true
    }

    pub(super) fn add(&self, known: Known) {
        let mut state = self.write();
        state.changes += 1;
        state.known.insert(known.id.clone(), Arc::new(known));
    }

    pub(super) fn remove(&self, id: &str) {
        let mut state = self.write();
        state.changes += 1;
        state.known.remove(id);
    }

    /// Lets `secret` in as the key of this run.
    pub(super) fn set_local(&self, secret: &Secret) {
        self.write().local = Some(Arc::new(Known::local(secret)));
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}
