//! Entities in append-only files; RAM holds their index and the newest records.

mod clean;
mod disk;
mod idx;
mod journal;
mod layout;
mod tail;

use bytemuck::Pod;

use self::{disk::Disk, layout::place};
pub(super) use self::{
    idx::{Steps, read},
    layout::Layout,
    tail::{Record, Tail},
};
use super::{
    hash::{KeyHash, Seed},
    index::Index,
};
use crate::ids::Millis;

/// The `prev` of a record that replaces none.
pub(super) const NOWHERE: u32 = u32::MAX;

/// A map whose entities live in files: 9 to 18 bytes of RAM a key, one read a look-up.
///
/// The same methods and promises as [`Hot`](super::Hot). A record that cannot be read poisons the map: the method
/// answers as if the entity were absent, and the next [`Store::tick`](super::Store::tick) returns the error, so
/// that the batch is dropped. `Cold::default()` is in RAM alone.
pub struct Cold<K, V> {
    disk: Option<Disk<K, V>>,
    index: Index,
    tail: Tail<K, V>,
    pub(super) seed: Seed,
    /// The smallest floor over all creators: what is older can be freed.
    floor: Millis,
}

enum Found<K, V> {
    /// In the tail: edited in place.
    New(u64),
    /// Given to the writer or in a file: an edit copies it to the tail.
    Old(u64, Record<K, V>),
}

impl<K, V> Default for Cold<K, V> {
    fn default() -> Self {
        Self { disk: None, index: Index::default(), tail: Tail::new(0), seed: Seed::default(), floor: Millis(i64::MIN) }
    }
}

impl<K: Pod + Eq, V: Pod> Cold<K, V> {
    pub fn get(&self, k: &K, floor: Millis) -> Option<V> {
        let record = match self.find(self.seed.of(k), k)? {
            Found::New(number) => *self.tail.get(number)?,
            Found::Old(_, record) => record,
        };
        (record.time >= floor).then_some(record.value)
    }

    pub fn contains(&self, k: &K, floor: Millis) -> bool {
        self.get(k, floor).is_some()
    }

    /// Whether there may be something under the key: reads its place in the index and nothing else.
    pub fn touch(&self, k: &K) -> bool {
        self.index.find(self.seed.of(k), |_| true).is_some()
    }

    /// Fetches what there may be under the key into the processor's cache, unless it is in a file.
    pub fn warm(&self, k: &K) {
        let place = self.index.find(self.seed.of(k), |_| true);
        let record = place.and_then(|place| self.tail.get(self.number(place)));
        std::hint::black_box(record.map(|record| record.time));
    }

    /// An edit; keeps the entity's time.
    pub fn get_mut(&mut self, k: &K, floor: Millis) -> Option<&mut V> {
        let hash = self.seed.of(k);
        let record = match self.find(hash, k)? {
            Found::New(number) if self.tail.get(number)?.time < floor => return None,
            Found::New(number) => self.tail.get_mut(number)?,
            Found::Old(_, record) if record.time < floor => return None,
            Found::Old(number, record) => self.replace(hash, number, record),
        };
        Some(&mut record.value)
    }

    /// The entity, zeroed when it is new or was absent. Its time becomes the later of its own and `time`.
    pub fn entry(&mut self, k: &K, time: Millis, floor: Millis) -> &mut V {
        let hash = self.seed.of(k);
        let record = match self.find(hash, k) {
            None => self.add(hash, fresh(k, V::zeroed(), time)),
            Some(Found::New(number)) => self.tail.get_mut(number).expect("found above"),
            Some(Found::Old(number, record)) => self.replace(hash, number, record),
        };
        if record.time < floor {
            record.value = V::zeroed();
            record.time = time;
        }
        record.time = record.time.max(time);
        &mut record.value
    }

    /// False if it is there already; then nothing is changed.
    pub fn insert_new(&mut self, k: &K, v: V, time: Millis, floor: Millis) -> bool {
        let hash = self.seed.of(k);
        match self.find(hash, k) {
            None => {
                self.add(hash, fresh(k, v, time));
            }
            Some(Found::New(number)) => {
                let record = self.tail.get_mut(number).expect("found above");
                if record.time >= floor {
                    return false;
                }
                (record.value, record.time) = (v, time);
            }
            Some(Found::Old(_, record)) if record.time >= floor => return false,
            Some(Found::Old(number, _)) => {
                self.replace(hash, number, fresh(k, v, time));
            }
        }
        true
    }

    /// Inserts or replaces. The time becomes the later of the old and `time`.
    pub fn put(&mut self, k: &K, v: V, time: Millis) {
        let hash = self.seed.of(k);
        let record = match self.find(hash, k) {
            None => self.add(hash, fresh(k, v, time)),
            Some(Found::New(number)) => self.tail.get_mut(number).expect("found above"),
            Some(Found::Old(number, record)) => self.replace(hash, number, record),
        };
        record.value = v;
        record.time = record.time.max(time);
    }

    /// False if it was not there (or older than what `Store::set_floor` lets go).
    pub fn remove(&mut self, k: &K) -> bool {
        let hash = self.seed.of(k);
        let (number, time) = match self.find(hash, k) {
            None => return false,
            Some(Found::New(number)) => {
                let record = self.tail.get_mut(number).expect("found above");
                record.erased = true;
                (number, record.time)
            }
            Some(Found::Old(number, record)) => {
                self.next_number();
                self.tail.push(Record { prev: place(number), erased: true, ..record });
                (number, record.time)
            }
        };
        self.forget(hash, number);
        time >= self.floor
    }

    /// Entities held, expired ones that were not freed yet among them: for limits and metrics, not for rules.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn find(&self, hash: KeyHash, k: &K) -> Option<Found<K, V>> {
        let mut found = None;
        self.index.find(hash, |place| {
            found = self.at(place, k);
            found.is_some()
        });
        found
    }

    /// What stands at `place`, if its key is `k`.
    #[inline]
    fn at(&self, place: u32, k: &K) -> Option<Found<K, V>> {
        let number = self.number(place);
        if let Some(record) = self.tail.get(number) {
            return (record.key == *k).then_some(Found::New(number));
        }
        let record = self.disk.as_ref()?.read(number)?;
        (record.key == *k).then_some(Found::Old(number, record))
    }

    fn add(&mut self, hash: KeyHash, record: Record<K, V>) -> &mut Record<K, V> {
        let number = self.next_number();
        self.index.insert(hash, place(number));
        self.count(number, 1);
        self.tail.push(record)
    }

    fn replace(&mut self, hash: KeyHash, old: u64, record: Record<K, V>) -> &mut Record<K, V> {
        let number = self.next_number();
        self.index.replace(hash, place(old), place(number));
        self.count(old, -1);
        self.count(number, 1);
        self.tail.push(Record { prev: place(old), erased: false, ..record })
    }

    fn forget(&mut self, hash: KeyHash, number: u64) {
        if self.index.remove(hash, place(number)) {
            self.count(number, -1);
        }
    }

    /// The number of the record that is pushed next. The one whose place means "nowhere" is left out.
    fn next_number(&mut self) -> u64 {
        if place(self.tail.end()) == NOWHERE {
            self.tail.push(Record { erased: true, ..fresh(&K::zeroed(), V::zeroed(), Millis(i64::MIN)) });
        }
        self.tail.end()
    }

    fn count(&mut self, number: u64, by: i64) {
        if let Some(disk) = &mut self.disk {
            disk.count(number, by);
        }
    }

    /// Places are numbers modulo 2^32; all that live are less than that apart.
    #[inline]
    fn number(&self, at: u32) -> u64 {
        let start = self.disk.as_ref().map_or(0, |d| d.layout.start(d.first));
        start + u64::from(at.wrapping_sub(place(start)))
    }
}

fn fresh<K, V>(key: &K, value: V, time: Millis) -> Record<K, V>
where
    K: Copy,
{
    Record { prev: NOWHERE, erased: false, time, key: *key, value }
}
