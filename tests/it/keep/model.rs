//! Both maps against a `BTreeMap`, in RAM and through a store.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tributary::{
    ids::{Millis, Next},
    keep::{Cold, HashKey, Hot, Limits, Map, Maps, Store},
};

use super::toy::{IDENTITY, in_memory};

#[derive(Default)]
struct Both {
    hot: Hot<u32, u64>,
    cold: Cold<u32, u64>,
}

impl Maps for Both {
    fn visit(&mut self, visitor: &mut dyn FnMut(&'static str, &mut dyn Map)) {
        visitor("hot", &mut self.hot);
        visitor("cold", &mut self.cold);
    }

    fn set_hash_key(&mut self, _: HashKey) {}
}

#[derive(Debug, Clone)]
enum Op {
    Get(u32),
    Edit(u32, u64),
    Entry(u32, i64, u64),
    InsertNew(u32, i64, u64),
    Put(u32, i64, u64),
    Remove(u32),
    /// The floor moves on.
    Age(i64),
    Tick,
    Commit,
    /// All that is committed is released.
    Release,
    Reopen,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let key = 0..40_u32;
    let late = -30..20_i64;
    let op = prop_oneof![
        6 => key.clone().prop_map(Op::Get),
        6 => (key.clone(), any::<u64>()).prop_map(|(k, v)| Op::Edit(k, v)),
        6 => (key.clone(), late.clone(), any::<u64>()).prop_map(|(k, t, v)| Op::Entry(k, t, v)),
        6 => (key.clone(), late.clone(), any::<u64>()).prop_map(|(k, t, v)| Op::InsertNew(k, t, v)),
        6 => (key.clone(), late, any::<u64>()).prop_map(|(k, t, v)| Op::Put(k, t, v)),
        4 => key.prop_map(Op::Remove),
        2 => (0..8_i64).prop_map(Op::Age),
        3 => Just(Op::Tick),
        3 => Just(Op::Commit),
        2 => Just(Op::Release),
        1 => Just(Op::Reopen),
    ];
    prop::collection::vec(op, 1..400)
}

/// What the maps promise: an entity older than the floor is absent.
#[derive(Clone, Default)]
struct Model {
    map: BTreeMap<u32, (i64, u64)>,
    floor: i64,
    now: i64,
}

impl Model {
    fn live(&mut self, k: u32) -> Option<&mut (i64, u64)> {
        let floor = self.floor;
        self.map.get_mut(&k).filter(|(t, _)| *t >= floor)
    }

    fn entry(&mut self, k: u32, t: i64) -> &mut (i64, u64) {
        if self.live(k).is_none() {
            self.map.insert(k, (t, 0));
        }
        let entity = self.map.get_mut(&k).unwrap();
        entity.0 = entity.0.max(t);
        entity
    }
}

/// The calls are the same on both kinds of map; only their names differ.
macro_rules! apply {
    ($map:expr, $model:expr, $op:expr) => {{
        let floor = Millis($model.floor);
        let model = &mut $model;
        match *$op {
            Op::Get(k) => {
                assert_eq!($map.get(&k, floor), model.live(k).map(|e| e.1), "get {k}");
                assert_eq!($map.contains(&k, floor), model.live(k).is_some());
            }
            Op::Edit(k, v) => {
                let found = $map.get_mut(&k, floor).map(|e| std::mem::replace(e, v));
                assert_eq!(found, model.live(k).map(|e| std::mem::replace(&mut e.1, v)), "get_mut {k}");
            }
            Op::Entry(k, t, v) => {
                let t = model.now + t;
                let found = std::mem::replace($map.entry(&k, Millis(t), floor), v);
                assert_eq!(found, std::mem::replace(&mut model.entry(k, t).1, v), "entry {k}");
            }
            Op::InsertNew(k, t, v) => {
                let t = model.now + t;
                let absent = model.live(k).is_none();
                assert_eq!($map.insert_new(&k, v, Millis(t), floor), absent, "insert_new {k}");
                if absent {
                    model.map.insert(k, (t, v));
                }
            }
            Op::Put(k, t, v) => {
                // An older time cannot make an expired entity younger, whether it was freed or not.
                let t = model.now + t;
                $map.put(&k, v, Millis(t));
                *model.entry(k, t) = (model.entry(k, t).0, v);
            }
            Op::Remove(k) => {
                let live = model.live(k).is_some();
                let found = $map.remove(&k);
                assert!(found || !live, "remove {k}");
                model.map.remove(&k);
            }
            Op::Age(_) | Op::Tick | Op::Commit | Op::Release | Op::Reopen => {}
        }
    }};
}

fn same(both: &Both, model: &mut Model) {
    for k in 0..40 {
        let expected = model.live(k).map(|e| e.1);
        assert_eq!(both.hot.get(&k, Millis(model.floor)), expected, "hot {k}");
        assert_eq!(both.hot.peek(&k, Millis(model.floor)).copied(), expected);
        assert_eq!(both.cold.get(&k, Millis(model.floor)), expected, "cold {k}");
    }
}

fn age(model: &mut Model, by: i64, step: i64) {
    model.now += by * step;
    model.floor = model.floor.max(model.now - 25 * step);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_ram_the_maps_are_a_map(ops in ops()) {
        let mut both = Both::default();
        let (mut hot, mut cold) = (Model::default(), Model::default());
        for op in &ops {
            apply!(both.hot, hot, op);
            apply!(both.cold, cold, op);
            if let Op::Age(by) = op {
                age(&mut hot, *by, 1);
                age(&mut cold, *by, 1);
            }
        }
        same(&both, &mut hot);
    }

    #[test]
    fn through_a_store_the_maps_are_a_map(ops in ops()) {
        // A step of two hours, so that Cold files get old enough to go; with `now` below, times in ms stay in order.
        const STEP: i64 = 2 * Millis::HOUR;
        let dir = in_memory();
        let limits = Limits { file_records: 8, journal_bytes: 2_000, ..Limits::default() };
        let mut both = Both::default();
        let (mut store, _) = Store::open(dir.path(), IDENTITY, limits.clone(), &mut both).unwrap();
        let (mut hot, mut cold) = (Model::default(), Model::default());
        let (mut at, mut committed) = (0, vec![(Next(0), Model::default())]);
        for op in &ops {
            apply!(both.hot, hot, op);
            apply!(both.cold, cold, op);
            at += 1;
            match op {
                Op::Age(by) => {
                    age(&mut hot, *by, STEP);
                    age(&mut cold, *by, STEP);
                    store.set_floor(&mut both, "hot", Millis(hot.floor));
                    store.set_floor(&mut both, "cold", Millis(hot.floor));
                }
                Op::Tick => store.tick(&mut both).unwrap(),
                Op::Commit => {
                    store.commit(&mut both, Next(at)).unwrap();
                    committed.push((Next(at), hot.clone()));
                }
                Op::Release => store.release(committed.last().unwrap().0),
                Op::Reopen => {
                    store.flush().unwrap();
                    let durable = store.durable();
                    drop(store);
                    let (opened, next) = Store::open(dir.path(), IDENTITY, limits.clone(), &mut both).unwrap();
                    store = opened;
                    at = next.unwrap_or_default().0;
                    prop_assert_eq!(at, durable.0);
                    committed.retain(|(next, _)| next.0 <= at);
                    prop_assert_eq!(committed.last().unwrap().0.0, at);
                    hot = committed.last().unwrap().1.clone();
                    cold = hot.clone();
                    same(&both, &mut hot);
                }
                _ => {}
            }
        }
        store.tick(&mut both).unwrap();
        same(&both, &mut hot);
    }
}

#[test]
fn what_expired_and_was_made_anew_is_there_once_after_a_restart_while_its_file_is_cleaned() {
    let dir = in_memory();
    let limits = Limits { file_records: 1_000, ..Limits::default() };
    let mut both = Both::default();
    let (mut store, _) = Store::open(dir.path(), IDENTITY, limits.clone(), &mut both).unwrap();
    for k in 0..1_000 {
        both.cold.put(&k, 1, Millis(0));
    }
    store.commit(&mut both, Next(1)).unwrap();
    store.flush().unwrap();
    let now = Millis(10 * Millis::DAY);
    store.set_floor(&mut both, "cold", now);
    for _ in 0..4 {
        store.tick(&mut both).unwrap();
    }
    for k in 0..50 {
        assert_eq!(*both.cold.entry(&k, now, now), 0);
        both.cold.put(&k, 2, now);
    }
    store.commit(&mut both, Next(2)).unwrap();
    store.release(Next(2));
    store.flush().unwrap();
    assert!(dir.path().join("cold-00000000.log").exists(), "the file went too early for this test");
    drop(store);
    let (mut store, next) = Store::open(dir.path(), IDENTITY, limits, &mut both).unwrap();
    assert_eq!((next, both.cold.len()), (Some(Next(2)), 1_000));
    for turn in 0..100 {
        for k in 0..1_000 {
            assert_eq!(both.cold.get(&k, now), (k < 50).then_some(2), "turn {turn}, key {k}");
        }
        store.set_floor(&mut both, "cold", now);
        store.commit(&mut both, Next(3 + turn)).unwrap();
        store.release(Next(3 + turn));
    }
    store.flush().unwrap();
    assert_eq!(both.cold.len(), 50);
    assert!(!dir.path().join("cold-00000000.log").exists(), "the file is still there");
}
