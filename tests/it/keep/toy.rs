//! A small fold that uses the maps in every way, and the answer to "what is in there" as one number.

use std::path::Path;

use bytemuck::{Pod, Zeroable};
use tributary::{
    ids::{Millis, Next, Partition},
    keep::{Cold, Error, HashKey, Hot, Id128, Identity, Limits, Map, Maps, Store},
};
use xxhash_rust::xxh3::xxh3_64_with_seed;

pub const FOR_EVER: Millis = Millis(i64::MIN);
/// Event time between two events.
const STEP: i64 = 60_000;
/// Clicks, visitors and windows are forgotten after it.
const HORIZON: i64 = 2 * Millis::DAY;

#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
pub struct Counts {
    pub sum: i64,
    pub count: u32,
    pub last: u32,
    pub filler: [u64; 6],
}

#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
pub struct Part {
    pub owner: Id128,
    pub part: u32,
}

#[derive(Default)]
pub struct Toy {
    pub key: HashKey,
    pub members: Hot<Id128, Counts>,
    pub windows: Hot<Part, Counts>,
    pub clicks: Cold<Id128, Counts>,
    pub orders: Cold<Part, Counts>,
}

impl Maps for Toy {
    fn visit(&mut self, visitor: &mut dyn FnMut(&'static str, &mut dyn Map)) {
        visitor("members", &mut self.members);
        visitor("windows", &mut self.windows);
        visitor("clicks", &mut self.clicks);
        visitor("orders", &mut self.orders);
    }

    fn set_hash_key(&mut self, key: HashKey) {
        self.key = key;
    }
}

/// Everything that event `at` decides, drawn from its number alone.
fn draw(at: u64, what: u64, below: u64) -> u64 {
    xxh3_64_with_seed(&at.to_le_bytes(), what) % below
}

fn time(at: u64) -> Millis {
    Millis(i64::try_from(at).unwrap() * STEP + i64::try_from(draw(at, 1, 10 * 60_000)).unwrap())
}

/// The floor once all events below `at` are applied.
pub fn floor(at: u64) -> Millis {
    Millis(i64::try_from(at).unwrap() * STEP - HORIZON)
}

impl Toy {
    fn member(&self, n: u64) -> Id128 {
        self.key.id(1, 0, format!("member {n}").as_bytes())
    }

    fn click(&self, n: u64) -> Id128 {
        self.key.id(2, 7, format!("click {n}").as_bytes())
    }

    fn order(&self, n: u64) -> Part {
        Part { owner: self.key.id(3, 7, format!("order {n}").as_bytes()), part: u32::try_from(n % 3).unwrap() }
    }

    /// Applies event `at`.
    pub fn fold(&mut self, at: u64) {
        let (t, floor, seen) = (time(at), floor(at), u32::try_from(at).unwrap());
        let member = draw(at, 2, 300);
        let id = self.member(member);
        let counts = self.members.entry(&id, t, FOR_EVER);
        counts.count += 1;
        counts.sum += i64::from(seen);
        if draw(at, 3, 60) == 0 {
            self.members.remove(&self.member(draw(at, 4, 300)));
        }
        let window = Part { owner: id, part: u32::try_from(draw(at, 5, 4)).unwrap() };
        self.windows.entry(&window, t, floor).count += 1;
        let click = self.click(draw(at, 6, 6_000));
        if !self.clicks.insert_new(&click, Counts { last: seen, ..Counts::zeroed() }, t, floor)
            && let Some(counts) = self.clicks.get_mut(&click, floor)
        {
            counts.sum += 1;
        }
        let visitor = self.click(100_000 + draw(at, 7, 500));
        self.clicks.entry(&visitor, t, floor).count += 1;
        self.fold_order(at, t, seen);
    }

    fn fold_order(&mut self, at: u64, t: Millis, seen: u32) {
        if draw(at, 8, 4) == 0 {
            let order = self.order(at);
            self.orders.put(&order, Counts { last: seen, ..Counts::zeroed() }, t);
        }
        let older = self.order(draw(at, 9, at + 1));
        if let Some(counts) = self.orders.get_mut(&older, FOR_EVER) {
            counts.sum += i64::from(seen);
        }
        if draw(at, 10, 9) == 0 {
            let gone = self.order(draw(at, 11, at + 1));
            self.orders.remove(&gone);
        }
    }

    /// All that can be asked once the events below `next` are applied.
    pub fn digest(&self, next: Next) -> u64 {
        let mut digest = 0;
        let mut add = |what: u64, counts: Option<Counts>| {
            if let Some(counts) = counts {
                digest = xxh3_64_with_seed(bytemuck::bytes_of(&counts), digest ^ what);
            }
        };
        for n in 0..300 {
            let id = self.member(n);
            add(n, self.members.get(&id, FOR_EVER));
            for part in 0..4 {
                add(n, self.windows.get(&Part { owner: id, part }, floor(next.0)));
            }
        }
        for n in (0..6_000).chain(100_000..100_500) {
            add(n, self.clicks.get(&self.click(n), floor(next.0)));
        }
        for n in 0..next.0 {
            add(n, self.orders.get(&self.order(n), FOR_EVER));
        }
        digest
    }

    /// Tells the store what may be freed.
    pub fn set_floors(&mut self, store: &mut Store, at: u64) {
        store.set_floor(self, "windows", floor(at));
        store.set_floor(self, "clicks", floor(at));
    }
}

/// A state that never saw a disk.
pub struct Replay {
    toy: Toy,
    at: u64,
}

impl Replay {
    pub fn new() -> Self {
        Self { toy: Toy::default(), at: 0 }
    }

    /// What must be found at `next`, which may not fall from call to call.
    pub fn digest(&mut self, next: Next) -> u64 {
        assert!(next.0 >= self.at, "position {} fell below {}", next.0, self.at);
        while self.at < next.0 {
            self.toy.fold(self.at);
            self.at += 1;
        }
        self.toy.digest(next)
    }
}

pub const IDENTITY: Identity =
    Identity { topic: *b"0123456789abcdef", partition: Partition(3), generation: 1, fingerprint: 42 };

/// Small enough that a few thousand events fill many files.
pub fn limits() -> Limits {
    Limits { hot_bytes: 20_000, cold_bytes: 40_000, journal_bytes: 50_000, file_records: 256, ..Limits::default() }
}

/// A store with its state and how far it is folded.
pub struct Task {
    pub store: Store,
    pub toy: Toy,
    pub at: u64,
}

impl Task {
    pub fn open(dir: &Path) -> Result<Self, Error> {
        Self::open_with(dir, limits())
    }

    pub fn open_with(dir: &Path, limits: Limits) -> Result<Self, Error> {
        let mut toy = Toy::default();
        let (store, next) = Store::open(dir, IDENTITY, limits, &mut toy)?;
        Ok(Self { store, toy, at: next.unwrap_or_default().0 })
    }

    /// Folds a batch; commits when due, and releases what lies `behind` the commit.
    pub fn step(&mut self, batch: u64, behind: u64) -> Result<bool, Error> {
        for _ in 0..batch {
            self.toy.fold(self.at);
            self.at += 1;
        }
        self.toy.set_floors(&mut self.store, self.at);
        self.store.tick(&mut self.toy)?;
        let due = self.store.due();
        if due {
            self.store.release(Next(self.at.saturating_sub(behind)));
            self.store.commit(&mut self.toy, Next(self.at))?;
        }
        Ok(due)
    }

    /// Folds up to `to`, then has all of it on disk and released.
    pub fn run(&mut self, to: u64) -> Result<(), Error> {
        while self.at < to {
            self.step((to - self.at).min(37), 100)?;
        }
        self.store.commit(&mut self.toy, Next(self.at))?;
        self.store.release(Next(self.at));
        self.store.flush()
    }

    /// What is found, unless a read came upon damage.
    pub fn digest(&mut self) -> Result<u64, Error> {
        let digest = self.toy.digest(Next(self.at));
        self.store.tick(&mut self.toy)?;
        Ok(digest)
    }
}

/// A folder that costs no disk's time; a kill -9 leaves it as it leaves a disk.
pub fn in_memory() -> tempfile::TempDir {
    let shm = Path::new("/dev/shm");
    if shm.is_dir() { tempfile::tempdir_in(shm).unwrap() } else { tempfile::tempdir().unwrap() }
}
