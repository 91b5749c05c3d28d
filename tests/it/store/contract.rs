//! What every `Store` promises. An engine's tests call these with a [`Lab`] of their own.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tributary::ids::{Millis, Next, Partition};
use tributary::project::key::{Bound, Col, Cols, Key, Part, Range, Row, TableId};
use tributary::store::{Store, Swap};

/// An empty store with the tables 1 to 3.
pub trait Lab {
    type Store: Store;

    fn store(&self) -> Self::Store;
    /// As after a restart of everything that can be restarted. No door may be open.
    fn restart(&mut self);
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub const PART: Part = Part { table: TableId(1), p: Partition(3), shard: 2, month: 0 };

pub fn key(cols: &[Col]) -> Key {
    Key { part: PART, cols: Cols(cols.to_vec()) }
}

fn text(text: &str) -> Col {
    Col::Text(text.to_owned())
}

pub fn row(key: Key, at: u64, value: &str) -> Row {
    Row { key, at: Next(at), value: Some(Bytes::copy_from_slice(value.as_bytes())), expires: None }
}

fn tombstone(key: Key, at: u64) -> Row {
    Row { key, at: Next(at), value: None, expires: None }
}

pub fn everything() -> Range {
    Range { part: PART, from: Bound::Unbounded, to: Bound::Unbounded, reverse: false, limit: 10_000 }
}

fn get(store: &impl Store, key: &Key) -> Option<Row> {
    block_on(store.get(std::slice::from_ref(key))).unwrap().pop().unwrap()
}

/// The first difference is enough to see what is wrong.
fn same(found: &[Row], expected: &[Row]) {
    let first = found.iter().zip(expected).find(|(found, expected)| found != expected);
    assert_eq!((first, found.len()), (None, expected.len()));
}

/// Rows come back whole, in the order of the keys asked for; what is not there is `None`, also when asked twice.
pub fn get_answers_in_the_order_of_the_keys(lab: &mut impl Lab) {
    let store = lab.store();
    let keys: Vec<_> = (0..5).map(|n| key(&[text("c"), Col::Int(n)])).collect();
    let rows: Vec<_> = [3, 0, 4].iter().map(|&n: &usize| row(keys[n].clone(), 7, &n.to_string())).collect();
    let rows: Vec<_> = rows.into_iter().map(|row| Row { expires: Some(Millis(-3)), ..row }).collect();
    block_on(store.write(rows.clone())).unwrap();
    let asked: Vec<_> = [4, 1, 3, 4, 0].iter().map(|&n: &usize| keys[n].clone()).collect();
    let found = block_on(store.get(&asked)).unwrap();
    let expected = [Some(&rows[2]), None, Some(&rows[0]), Some(&rows[2]), Some(&rows[1])];
    assert_eq!(found.iter().map(Option::as_ref).collect::<Vec<_>>(), expected);
    assert_eq!(block_on(store.get(&[])).unwrap(), []);
}

/// Which row, its `at`, its value.
type Version = (i64, (u64, Option<String>));

/// Whatever the order, the grouping and the number of times versions of a row arrive: the greatest `at` wins, then a
/// tombstone, then the larger bytes.
pub fn the_same_row_wins_in_every_order(lab: &mut impl Lab) {
    let store = lab.store();
    let version = (1_u64..4, prop_oneof![Just(None), "[a-c]{0,2}".prop_map(Some)]);
    let versions = prop::collection::vec((0_i64..3, version), 1..12);
    let mut run = 0;
    let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
    let order = versions.prop_flat_map(|versions| (Just(versions.clone()).prop_shuffle(), 1..versions.len() + 1));
    let rule = |(versions, cut): (Vec<Version>, usize)| {
        run += 1;
        let rows: Vec<Row> = versions
            .into_iter()
            .map(|(n, (at, value))| Row {
                key: key(&[Col::Int(run), Col::Int(n)]),
                at: Next(at),
                value: value.map(Bytes::from),
                expires: None,
            })
            .collect();
        let mut best: BTreeMap<i64, &Row> = BTreeMap::new();
        for row in &rows {
            let Col::Int(n) = row.key.cols.0[1] else { unreachable!() };
            let rank = |row: &Row| (row.at, row.value.is_none(), row.value.clone());
            best.entry(n)
                .and_modify(|best| {
                    if rank(row) > rank(best) {
                        *best = row
                    }
                })
                .or_insert(row);
        }
        for call in rows.chunks(cut).chain(rows.chunks(cut).take(1)) {
            block_on(store.write(call.to_vec())).unwrap();
        }
        for best in best.values() {
            let expected = best.value.is_some().then(|| (*best).clone());
            prop_assert_eq!(get(&store, &best.key), expected);
        }
        Ok(())
    };
    let rule = std::cell::RefCell::new(rule);
    runner.run(&order, |case| (rule.borrow_mut())(case)).unwrap();
}

/// A deleted row is absent for `get` and `scan`, does not count against the limit, and comes back only by a greater
/// `at`.
pub fn tombstones(lab: &mut impl Lab) {
    let store = lab.store();
    let keys: Vec<_> = (0..4).map(|n| key(&[Col::Int(n)])).collect();
    block_on(store.write(keys.iter().map(|key| row(key.clone(), 5, "x")).collect())).unwrap();
    block_on(store.write(vec![
        tombstone(keys[0].clone(), 5),
        tombstone(keys[1].clone(), 6),
        tombstone(keys[2].clone(), 4),
    ]))
    .unwrap();
    let found = block_on(store.scan(&Range { limit: 1, ..everything() })).unwrap();
    assert_eq!(found, [row(keys[2].clone(), 5, "x")]);
    block_on(store.write(vec![row(keys[0].clone(), 5, "zzz"), row(keys[1].clone(), 7, "back")])).unwrap();
    assert_eq!(get(&store, &keys[0]), None);
    assert_eq!(get(&store, &keys[1]), Some(row(keys[1].clone(), 7, "back")));
}

/// Columns in every order and sign, texts with zeros, prefixes of one another and beyond ASCII: a scan gives them in
/// the order of the columns, both ways, with and without a limit.
pub fn scans_are_in_the_order_of_the_columns(lab: &mut impl Lab) {
    let store = lab.store();
    let texts =
        ["", "\0", "\0\0", "\0a", "\u{1}", "a", "a\0", "a\0b", "ab", "b", "z", "é", "\u{7ff}", "語", "\u{ffff}", "😀"];
    let numbers = [i64::MIN, -256, -1, 0, 1, 255, 256, i64::MAX];
    let mut expected = Vec::new();
    for a in texts {
        for b in numbers.iter().rev() {
            for c in numbers {
                expected.push(row(key(&[text(a), Col::IntDesc(*b), Col::Int(c)]), 1, "v"));
            }
        }
    }
    let mut shuffled = expected.clone();
    shuffled.sort_by_key(|row| format!("{:?}", row.key.cols).chars().rev().collect::<String>());
    for call in shuffled.chunks(100) {
        block_on(store.write(call.to_vec())).unwrap();
    }
    let other = Part { shard: 3, ..PART };
    block_on(store.write(vec![row(Key { part: other, cols: Cols(vec![text("a")]) }, 1, "other")])).unwrap();
    same(&block_on(store.scan(&everything())).unwrap(), &expected);
    assert_eq!(block_on(store.scan(&Range { limit: 7, ..everything() })).unwrap(), expected[..7]);
    expected.reverse();
    same(&block_on(store.scan(&Range { reverse: true, ..everything() })).unwrap(), &expected);
    assert_eq!(block_on(store.scan(&Range { reverse: true, limit: 7, ..everything() })).unwrap(), expected[..7]);
    assert_eq!(block_on(store.scan(&Range { limit: 0, ..everything() })).unwrap(), []);
    assert_eq!(block_on(store.scan(&Range { part: other, ..everything() })).unwrap().len(), 1);
}

/// Bounds are whole keys or prefixes; a prefix stands for all keys that begin with it.
pub fn bounds_are_prefixes(lab: &mut impl Lab) {
    let store = lab.store();
    let keys: Vec<_> = ["a", "a\0", "b", "c"]
        .iter()
        .flat_map(|creator| (0..3).map(move |n| key(&[text(creator), Col::Int(n)])))
        .collect();
    block_on(store.write(keys.iter().map(|key| row(key.clone(), 1, "")).collect())).unwrap();
    let found = |from: Bound, to: Bound| {
        let there = |reverse| {
            let mut rows =
                block_on(store.scan(&Range { from: from.clone(), to: to.clone(), reverse, ..everything() })).unwrap();
            if reverse {
                rows.reverse();
            }
            rows.iter().map(|row| keys.iter().position(|key| *key == row.key).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(there(false), there(true), "{from:?} {to:?}");
        there(false)
    };
    let one = |creator: &str| Cols(vec![text(creator)]);
    let two = |creator: &str, n: i64| Cols(vec![text(creator), Col::Int(n)]);
    use Bound::{Excluded, Included, Unbounded};
    assert_eq!(found(Included(one("a")), Included(one("a"))), [0, 1, 2]);
    assert_eq!(found(Excluded(one("a")), Included(one("b"))), [3, 4, 5, 6, 7, 8]);
    assert_eq!(found(Excluded(one("a")), Excluded(one("b"))), [3, 4, 5]);
    assert_eq!(found(Included(two("b", 1)), Included(one("b"))), [7, 8]);
    assert_eq!(found(Excluded(two("b", 1)), Unbounded), [8, 9, 10, 11]);
    assert_eq!(found(Unbounded, Excluded(two("a", 2))), [0, 1]);
    assert_eq!(found(Unbounded, Included(Cols::default())).len(), 12);
    assert_eq!(found(Included(one("b")), Included(one("a"))), [0; 0]);
    assert_eq!(found(Excluded(one("c")), Unbounded), [0; 0]);
}

/// Writing the same rows again, as after an unknown outcome, changes nothing.
pub fn writing_again_changes_nothing(lab: &mut impl Lab) {
    let store = lab.store();
    let rows: Vec<_> = (0..300).map(|n| row(key(&[Col::Int(n)]), 9, &n.to_string())).collect();
    for _ in 0..3 {
        block_on(store.write(rows.clone())).unwrap();
    }
    assert_eq!(block_on(store.scan(&everything())).unwrap(), rows);
}

/// `swap` writes only where it finds what was expected, and says what it found else.
pub fn swap_is_conditional(lab: &mut impl Lab) {
    let store = lab.store();
    let key = key(&[text("alias")]);
    let swap = |from: Option<&[u8]>, to: &[u8]| block_on(store.swap(&key, from, to)).unwrap();
    assert_eq!(swap(Some(b"g1"), b"g2"), Swap::Refused(None));
    assert_eq!(swap(None, b"g1"), Swap::Done);
    assert_eq!(swap(None, b"g2"), Swap::Refused(Some(Bytes::from_static(b"g1"))));
    assert_eq!(swap(Some(b"g1"), b"g2"), Swap::Done);
    assert_eq!(swap(Some(b"g2"), b"g1"), Swap::Done);
    assert_eq!(get(&store, &key).unwrap().value, Some(Bytes::from_static(b"g1")));
    drop(store);
    lab.restart();
    assert_eq!(get(&lab.store(), &key).unwrap().value, Some(Bytes::from_static(b"g1")));
}

/// What was acknowledged is there after a restart, deletions too.
pub fn restart_keeps_all(lab: &mut impl Lab) {
    let rows: Vec<_> = (0..300).map(|n| row(key(&[Col::Int(n)]), 9, &n.to_string())).collect();
    block_on(lab.store().write(rows.clone())).unwrap();
    block_on(lab.store().write(vec![tombstone(rows[0].key.clone(), 10)])).unwrap();
    lab.restart();
    assert_eq!(block_on(lab.store().scan(&everything())).unwrap(), rows[1..]);
}

/// Writers at once on the same rows: the greatest `at` stands.
pub fn concurrent_writers(lab: &mut impl Lab) {
    std::thread::scope(|scope| {
        for writer in 0..8_u64 {
            let store = lab.store();
            scope.spawn(move || {
                for at in 0..20_u64 {
                    let at = at * 8 + writer;
                    let rows = (0..10).map(|n| row(key(&[Col::Int(n)]), at + 1, &at.to_string())).collect();
                    block_on(store.write(rows)).unwrap();
                }
            });
        }
    });
    let expected: Vec<_> = (0..10).map(|n| row(key(&[Col::Int(n)]), 160, "159")).collect();
    assert_eq!(block_on(lab.store().scan(&everything())).unwrap(), expected);
}

/// A healthy store says so.
pub fn health(lab: &mut impl Lab) {
    let health = block_on(lab.store().health());
    assert!(health.reachable && health.detail.is_empty(), "{health:?}");
}
