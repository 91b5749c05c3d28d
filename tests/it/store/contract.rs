//! What every `Store` promises. An engine's tests call these with a [`Lab`] of their own.
//!
//! Rows are of tables that an engine with a schema can make: each has keys of one shape, and values that begin with `at`.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tributary::ids::{Millis, Next, Partition};
use tributary::project::codec::{Reader, Writer};
use tributary::project::key::{Bound, Col, Cols, Key, Part, Range, Row, TableId};
use tributary::store::{Doors, Error, Store, Swap, Table};

/// Keys of one number.
pub const NUMBERS: TableId = TableId(1);
/// Of two.
pub const PAIRS: TableId = TableId(2);
/// Of a text and a number.
pub const MEMBERS: TableId = TableId(3);
/// Of a text, a number that sorts downwards, and one that sorts upwards.
pub const MIXED: TableId = TableId(4);
/// Belongs to no generation, and is swapped: keys of one text.
pub const SHARED: TableId = TableId(1_000);

/// A store with the tables above, in generation 1.
pub trait Lab {
    type Store: Doors;

    fn store(&self) -> Self::Store;
    /// As after a restart of everything that can be restarted. No door may be open.
    fn restart(&mut self);
    /// A partition in which nothing is.
    fn p(&self) -> Partition {
        Partition(3)
    }
    /// A generation that is not there.
    fn new_generation(&self) -> u32 {
        2
    }
}

/// For `setup`.
pub fn tables(generation: u32) -> Vec<Table> {
    let table = |(id, name)| Table { id, name: format!("{name}_g{generation}") };
    [(NUMBERS, "numbers"), (PAIRS, "pairs"), (MEMBERS, "members"), (MIXED, "mixed")].map(table).to_vec()
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub const fn part(p: Partition, table: TableId) -> Part {
    Part { table, p, shard: 2, month: 0 }
}

pub fn key(part: Part, cols: &[Col]) -> Key {
    Key { part, cols: Cols(cols.to_vec()) }
}

fn text(text: &str) -> Col {
    Col::Text(text.to_owned())
}

/// As rows are encoded: `at`, then a text.
pub fn value(at: u64, text: &str) -> Bytes {
    Writer::default().int(i64::try_from(at).unwrap()).text(text).finish()
}

pub fn row(key: Key, at: u64, text: &str) -> Row {
    Row { key, at: Next(at), value: Some(value(at, text)), expires: None }
}

/// The text of a row.
fn told(row: &Row) -> String {
    let mut fields = Reader::new(row.value.as_ref().unwrap());
    fields.int().unwrap();
    fields.text().unwrap()
}

fn tombstone(key: Key, at: u64) -> Row {
    Row { key, at: Next(at), value: None, expires: None }
}

pub const fn everything(part: Part) -> Range {
    Range { part, from: Bound::Unbounded, to: Bound::Unbounded, reverse: false, limit: 10_000 }
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
    let part = part(lab.p(), MEMBERS);
    let keys: Vec<_> = (0..5).map(|n| key(part, &[text("c"), Col::Int(n)])).collect();
    let rows: Vec<_> = [3, 0, 4].iter().map(|&n: &usize| row(keys[n].clone(), 7, &n.to_string())).collect();
    let rows: Vec<_> = rows.into_iter().map(|row| Row { expires: Some(Millis(-3)), ..row }).collect();
    block_on(store.write(rows.clone())).unwrap();
    let asked: Vec<_> = [4, 1, 3, 4, 0].iter().map(|&n: &usize| keys[n].clone()).collect();
    let found = block_on(store.get(&asked)).unwrap();
    let expected = [Some(&rows[2]), None, Some(&rows[0]), Some(&rows[2]), Some(&rows[1])];
    assert_eq!(found.iter().map(Option::as_ref).collect::<Vec<_>>(), expected);
    assert_eq!(block_on(store.get(&[])).unwrap(), []);
}

/// Many keys of several tables and parts in one call.
pub fn get_answers_for_keys_of_many_parts(lab: &mut impl Lab) {
    let store = lab.store();
    let mut rows = Vec::new();
    for shard in 0..5 {
        let numbers = Part { shard, ..part(lab.p(), NUMBERS) };
        let members = Part { shard, ..part(lab.p(), MEMBERS) };
        rows.extend((0..250).map(|n| row(key(numbers, &[Col::Int(n)]), 3, &format!("{shard} {n}"))));
        let creators = (0..50).map(|n| key(members, &[text(&format!("c{}", n % 7)), Col::Int(n)]));
        rows.extend(creators.map(|key| row(key, 4, "member")));
    }
    let is_there = |n: usize| !n.is_multiple_of(3);
    let written = rows.iter().enumerate().filter(|(n, _)| is_there(*n)).map(|(_, row)| row.clone());
    block_on(store.write(written.collect())).unwrap();
    rows.sort_by_key(|row| format!("{:?}", row.key.cols));
    let written: std::collections::HashSet<Key> = block_on(async {
        let mut there = std::collections::HashSet::new();
        for table in [NUMBERS, MEMBERS] {
            for shard in 0..5 {
                let part = Part { shard, ..part(lab.p(), table) };
                there.extend(store.scan(&everything(part)).await.unwrap().into_iter().map(|row| row.key));
            }
        }
        there
    });
    assert_eq!(written.len(), 1_000);
    let keys: Vec<Key> = rows.iter().map(|row| row.key.clone()).collect();
    let found = block_on(store.get(&keys)).unwrap();
    let expected: Vec<Option<Row>> = rows.into_iter().map(|row| written.contains(&row.key).then_some(row)).collect();
    assert!(found == expected);
}

/// Which row, its `at`, its value.
type Version = (i64, (u64, Option<String>));

/// Whatever the order, the grouping and the number of times versions of a row arrive: the greatest `at` wins, then a
/// tombstone, then the larger bytes.
pub fn the_same_row_wins_in_every_order(lab: &mut impl Lab) {
    let store = lab.store();
    let version = (1_u64..4, prop_oneof![Just(None), "[a-c]{0,2}".prop_map(Some)]);
    let versions = prop::collection::vec((0_i64..3, version), 1..12);
    let (mut run, part) = (0, part(lab.p(), PAIRS));
    let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
    let order = versions.prop_flat_map(|versions| (Just(versions.clone()).prop_shuffle(), 1..versions.len() + 1));
    let rule = |(versions, cut): (Vec<Version>, usize)| {
        run += 1;
        let rows: Vec<Row> = versions
            .into_iter()
            .map(|(n, (at, value))| Row {
                key: key(part, &[Col::Int(run), Col::Int(n)]),
                at: Next(at),
                value: value.map(|text| self::value(at, &text)),
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
    let part = part(lab.p(), NUMBERS);
    let keys: Vec<_> = (0..4).map(|n| key(part, &[Col::Int(n)])).collect();
    block_on(store.write(keys.iter().map(|key| row(key.clone(), 5, "x")).collect())).unwrap();
    block_on(store.write(vec![
        tombstone(keys[0].clone(), 5),
        tombstone(keys[1].clone(), 6),
        tombstone(keys[2].clone(), 4),
    ]))
    .unwrap();
    let found = block_on(store.scan(&Range { limit: 1, ..everything(part) })).unwrap();
    assert_eq!(found, [row(keys[2].clone(), 5, "x")]);
    block_on(store.write(vec![row(keys[0].clone(), 5, "zzz"), row(keys[1].clone(), 7, "back")])).unwrap();
    assert_eq!(get(&store, &keys[0]), None);
    assert_eq!(get(&store, &keys[1]), Some(row(keys[1].clone(), 7, "back")));
}

/// When a row expires is its newest version's to say, also that it does not.
pub fn the_newest_version_says_when_a_row_expires(lab: &mut impl Lab) {
    let store = lab.store();
    let key = key(part(lab.p(), NUMBERS), &[Col::Int(1)]);
    let mut last = None;
    for (at, expires) in [(5, Some(Millis(9))), (6, None), (7, Some(Millis(8))), (4, None), (6, Some(Millis(1)))] {
        let row = Row { expires, ..row(key.clone(), at, "v") };
        block_on(store.write(vec![row.clone()])).unwrap();
        last = last.filter(|last: &Row| last.at > row.at).or(Some(row));
        assert_eq!(get(&store, &key), last);
    }
}

/// Columns in every order and sign, texts with zeros, prefixes of one another and beyond ASCII: a scan gives them in
/// the order of the columns, both ways, with and without a limit.
pub fn scans_are_in_the_order_of_the_columns(lab: &mut impl Lab) {
    let store = lab.store();
    let texts =
        ["", "\0", "\0\0", "\0a", "\u{1}", "a", "a\0", "a\0b", "ab", "b", "z", "é", "\u{7ff}", "語", "\u{ffff}", "😀"];
    let numbers = [i64::MIN, -256, -1, 0, 1, 255, 256, i64::MAX];
    let (part, mut expected) = (part(lab.p(), MIXED), Vec::new());
    for a in texts {
        for b in numbers.iter().rev() {
            for c in numbers {
                expected.push(row(key(part, &[text(a), Col::IntDesc(*b), Col::Int(c)]), 1, "v"));
            }
        }
    }
    let mut shuffled = expected.clone();
    shuffled.sort_by_key(|row| format!("{:?}", row.key.cols).chars().rev().collect::<String>());
    for call in shuffled.chunks(100) {
        block_on(store.write(call.to_vec())).unwrap();
    }
    let other = Part { shard: 3, ..part };
    block_on(store.write(vec![row(key(other, &[text("a"), Col::IntDesc(1), Col::Int(1)]), 1, "other")])).unwrap();
    same(&block_on(store.scan(&everything(part))).unwrap(), &expected);
    assert_eq!(block_on(store.scan(&Range { limit: 7, ..everything(part) })).unwrap(), expected[..7]);
    expected.reverse();
    same(&block_on(store.scan(&Range { reverse: true, ..everything(part) })).unwrap(), &expected);
    assert_eq!(block_on(store.scan(&Range { reverse: true, limit: 7, ..everything(part) })).unwrap(), expected[..7]);
    assert_eq!(block_on(store.scan(&Range { limit: 0, ..everything(part) })).unwrap(), []);
    assert_eq!(block_on(store.scan(&Range { part: other, ..everything(part) })).unwrap().len(), 1);
}

/// Bounds are whole keys or prefixes; a prefix stands for all keys that begin with it.
pub fn bounds_are_prefixes(lab: &mut impl Lab) {
    let store = lab.store();
    let part = part(lab.p(), MEMBERS);
    let keys: Vec<_> = ["a", "a\0", "b", "c"]
        .iter()
        .flat_map(|creator| (0..3).map(move |n| key(part, &[text(creator), Col::Int(n)])))
        .collect();
    block_on(store.write(keys.iter().map(|key| row(key.clone(), 1, "")).collect())).unwrap();
    let found = |from: Bound, to: Bound| {
        let there = |reverse| {
            let mut rows =
                block_on(store.scan(&Range { from: from.clone(), to: to.clone(), reverse, ..everything(part) }))
                    .unwrap();
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

/// As the table [`MIXED`] sorts.
fn order(cols: &[Col]) -> Vec<(String, i128)> {
    let one = |col: &Col| match col {
        Col::Int(value) => (String::new(), i128::from(*value)),
        Col::IntDesc(value) => (String::new(), -i128::from(*value)),
        Col::Text(text) => (text.clone(), 0),
    };
    cols.iter().map(one).collect()
}

/// Whether a row lies between two ends, by nothing but the words of [`Bound`].
fn lies_between(cols: &[Col], from: &Bound, to: &Bound) -> bool {
    let is_at = |end: &Cols| cols.starts_with(&end.0);
    let is_from = match from {
        Bound::Unbounded => true,
        Bound::Included(end) => is_at(end) || order(cols) > order(&end.0),
        Bound::Excluded(end) => !is_at(end) && order(cols) > order(&end.0),
    };
    let is_to = match to {
        Bound::Unbounded => true,
        Bound::Included(end) => is_at(end) || order(cols) < order(&end.0),
        Bound::Excluded(end) => !is_at(end) && order(cols) < order(&end.0),
    };
    is_from && is_to
}

/// Whatever the ends, the direction and the limit: what lies between the ends, in order, nothing twice.
pub fn any_range_is_what_lies_between_its_ends(lab: &mut impl Lab) {
    let (store, part) = (lab.store(), part(lab.p(), MIXED));
    let mut all = Vec::new();
    for creator in ["a", "ab", "b"] {
        for down in -1..2 {
            for up in -1..2 {
                all.push(row(key(part, &[text(creator), Col::IntDesc(down), Col::Int(up)]), 1, "v"));
            }
        }
    }
    block_on(store.write(all.clone())).unwrap();
    all.sort_by_key(|row| order(&row.key.cols.0));
    let whole = ("[abc]{1,2}", -2_i64..3, -2_i64..3)
        .prop_map(|(creator, down, up)| vec![Col::Text(creator), Col::IntDesc(down), Col::Int(up)]);
    let end = (whole, 0_usize..4, 0..3).prop_map(|(mut cols, length, kind)| {
        cols.truncate(length);
        match kind {
            0 => Bound::Unbounded,
            1 => Bound::Included(Cols(cols)),
            _ => Bound::Excluded(Cols(cols)),
        }
    });
    let ranges = (end.clone(), end, any::<bool>(), prop_oneof![Just(1_000), 0_u32..5]);
    let mut runner = TestRunner::new(Config { cases: 160, failure_persistence: None, ..Config::default() });
    let rule = |(from, to, reverse, limit): (Bound, Bound, bool, u32)| {
        let mut expected: Vec<Row> =
            all.iter().filter(|row| lies_between(&row.key.cols.0, &from, &to)).cloned().collect();
        if reverse {
            expected.reverse();
        }
        expected.truncate(usize::try_from(limit).unwrap());
        let found = block_on(store.scan(&Range { part, from, to, reverse, limit })).unwrap();
        prop_assert_eq!(found, expected);
        Ok(())
    };
    runner.run(&ranges, rule).unwrap();
}

/// Writing the same rows again, as after an unknown outcome, changes nothing.
pub fn writing_again_changes_nothing(lab: &mut impl Lab) {
    let store = lab.store();
    let part = part(lab.p(), NUMBERS);
    let rows: Vec<_> = (0..300).map(|n| row(key(part, &[Col::Int(n)]), 9, &n.to_string())).collect();
    for _ in 0..3 {
        block_on(store.write(rows.clone())).unwrap();
    }
    assert_eq!(block_on(store.scan(&everything(part))).unwrap(), rows);
}

/// `swap` writes only where it finds what was expected, and says what it found else.
pub fn swap_is_conditional(lab: &mut impl Lab) {
    let store = lab.store();
    let key = key(part(lab.p(), SHARED), &[text("alias")]);
    let bytes = |text: &str| value(1, text);
    let swap = |from: Option<&str>, to: &str| {
        let from = from.map(bytes);
        block_on(store.swap(&key, from.as_deref(), &bytes(to))).unwrap()
    };
    assert_eq!(swap(Some("g1"), "g2"), Swap::Refused(None));
    assert_eq!(swap(None, "g1"), Swap::Done);
    assert_eq!(swap(None, "g2"), Swap::Refused(Some(bytes("g1"))));
    assert_eq!(swap(Some("g3"), "g2"), Swap::Refused(Some(bytes("g1"))));
    assert_eq!(swap(Some("g1"), "g2"), Swap::Done);
    assert_eq!(swap(Some("g2"), "g1"), Swap::Done);
    assert_eq!(get(&store, &key).unwrap().value, Some(bytes("g1")));
    drop(store);
    lab.restart();
    assert_eq!(get(&lab.store(), &key).unwrap().value, Some(bytes("g1")));
}

/// Of those who swap from the same bytes at once one does, and the others are told what stands there.
pub fn one_of_those_who_swap_at_once_does(lab: &mut impl Lab) {
    let key = key(part(lab.p(), SHARED), &[text("alias")]);
    let done: Vec<String> = std::thread::scope(|scope| {
        let swappers: Vec<_> = (0..6)
            .map(|n| {
                let (store, key, to) = (lab.store(), &key, n.to_string());
                scope.spawn(move || (block_on(store.swap(key, None, &value(1, &to))).unwrap(), to))
            })
            .collect();
        let ends = swappers.into_iter().map(|swapper| swapper.join().unwrap());
        ends.filter(|(swap, _)| *swap == Swap::Done).map(|(_, to)| to).collect()
    });
    assert_eq!(done.len(), 1);
    assert_eq!(told(&get(&lab.store(), &key).unwrap()), done[0]);
}

/// What was acknowledged is there after a restart, deletions too.
pub fn restart_keeps_all(lab: &mut impl Lab) {
    let part = part(lab.p(), NUMBERS);
    let rows: Vec<_> = (0..300).map(|n| row(key(part, &[Col::Int(n)]), 9, &n.to_string())).collect();
    block_on(lab.store().write(rows.clone())).unwrap();
    block_on(lab.store().write(vec![tombstone(rows[0].key.clone(), 10)])).unwrap();
    lab.restart();
    assert_eq!(block_on(lab.store().scan(&everything(part))).unwrap(), rows[1..]);
}

/// Writers at once on the same rows: the greatest `at` stands.
pub fn concurrent_writers(lab: &mut impl Lab) {
    let part = part(lab.p(), NUMBERS);
    std::thread::scope(|scope| {
        for writer in 0..8_u64 {
            let store = lab.store();
            scope.spawn(move || {
                for at in 0..20_u64 {
                    let at = at * 8 + writer;
                    let rows = (0..10).map(|n| row(key(part, &[Col::Int(n)]), at + 1, &at.to_string())).collect();
                    block_on(store.write(rows)).unwrap();
                }
            });
        }
    });
    let expected: Vec<_> = (0..10).map(|n| row(key(part, &[Col::Int(n)]), 160, "159")).collect();
    assert_eq!(block_on(lab.store().scan(&everything(part))).unwrap(), expected);
}

/// A healthy store says so.
pub fn health(lab: &mut impl Lab) {
    let health = block_on(lab.store().health());
    assert!(health.reachable && health.detail.is_empty(), "{health:?}");
}

/// What expired before a moment goes, in its range, and nothing else.
pub fn purge_takes_what_expired_in_its_range_and_nothing_else(lab: &mut impl Lab) {
    let (store, part) = (lab.store(), part(lab.p(), NUMBERS));
    let expires = |n: i64| (n % 3 != 0).then_some(Millis(n));
    let rows: Vec<Row> =
        (0..4_500).map(|n| Row { expires: expires(n), ..row(key(part, &[Col::Int(n)]), 1, "v") }).collect();
    block_on(store.write(rows.clone())).unwrap();
    let beyond = Range { from: Bound::Included(Cols(vec![Col::Int(4_400)])), ..everything(part) };
    assert_eq!(block_on(store.purge(&beyond, Millis(3_000))).unwrap(), 0);
    assert_eq!(block_on(store.purge(&everything(part), Millis(3_000))).unwrap(), 2_000);
    let left: Vec<Row> = rows.into_iter().filter(|row| row.expires.is_none_or(|at| at >= Millis(3_000))).collect();
    same(&block_on(store.scan(&everything(part))).unwrap(), &left);
    assert_eq!(block_on(store.purge(&everything(part), Millis(3_000))).unwrap(), 0);
}

/// Each generation has rows of its own; what belongs to none is the same behind every door. One that is dropped takes
/// nothing more, and is empty when it is made again.
pub fn generations_are_apart_and_go_as_a_whole(lab: &mut impl Lab) {
    let (first, number) = (lab.store(), lab.new_generation());
    let second = first.of(number);
    assert_eq!((first.generation(), second.generation()), (1, number));
    block_on(second.setup(&tables(number))).unwrap();
    assert_eq!(block_on(first.generations()).unwrap(), [1, number]);
    let (numbers, shared) = (part(lab.p(), NUMBERS), key(part(lab.p(), SHARED), &[text("alias")]));
    let one = |at, text| row(key(numbers, &[Col::Int(1)]), at, text);
    block_on(first.write(vec![one(9, "old")])).unwrap();
    block_on(second.write(vec![one(3, "new")])).unwrap();
    assert_eq!(block_on(second.swap(&shared, None, &value(1, "all"))).unwrap(), Swap::Done);
    assert_eq!(block_on(first.scan(&everything(numbers))).unwrap(), [one(9, "old")]);
    assert_eq!(block_on(second.scan(&everything(numbers))).unwrap(), [one(3, "new")]);
    assert_eq!(told(&get(&first, &shared).unwrap()), "all");

    assert!(block_on(second.drop_generation()).unwrap() > 0);
    assert_eq!(block_on(second.drop_generation()).unwrap(), 0, "once more changes nothing");
    assert_eq!(block_on(first.generations()).unwrap(), [1]);
    let late = block_on(second.write(vec![one(10, "late")])).unwrap_err();
    assert!(matches!(late, Error::NoGeneration { generation, .. } if generation == number), "{late}");
    assert_eq!(block_on(first.scan(&everything(numbers))).unwrap(), [one(9, "old")]);
    assert_eq!(told(&get(&first, &shared).unwrap()), "all");

    block_on(second.setup(&tables(number))).unwrap();
    assert_eq!(block_on(second.scan(&everything(numbers))).unwrap(), []);
    block_on(second.write(vec![one(2, "again")])).unwrap();
    assert_eq!(block_on(second.scan(&everything(numbers))).unwrap(), [one(2, "again")]);
    block_on(second.drop_generation()).unwrap();
}
