//! All rows of an engine, to be compared with another's.

use std::collections::BTreeMap;

use bytes::Bytes;
use tributary::ids::Partition;
use tributary::project::tables;
use tributary::run::Program;
use tributary::store::Store;
use tributary::worker::scan;

/// Rows by table and key, each with its `at` and bytes. `applied` tells of flushes and is left out.
pub(crate) type Rows = BTreeMap<String, (u64, Bytes)>;

pub(crate) async fn dump(engine: &Program) -> Rows {
    dump_of(&engine.store, engine.log.topic().partitions).await
}

/// The same of any generation.
pub(crate) async fn dump_of(store: &impl Store, partitions: u32) -> Rows {
    let mut rows = Rows::new();
    for p in (0..partitions).map(Partition) {
        let months = scan::months(store, p).await.unwrap();
        for table in tables::ALL.into_iter().filter(|table| table.id != tables::APPLIED.id) {
            for row in scan::table(store, table, p, months.clone()).await.unwrap() {
                let name = format!("{} p{} {:?}", table.name, p.0, row.key.cols.0);
                rows.insert(name, (row.at.0, row.value.unwrap()));
            }
        }
    }
    rows
}

/// The first differences, if any, as text; two million rows side by side would say nothing.
pub(crate) fn assert_same(these: &Rows, those: &Rows, what: &str) {
    let missing = those.keys().filter(|key| !these.contains_key(*key)).map(|key| format!("missing: {key}"));
    let surplus = these.keys().filter(|key| !those.contains_key(*key)).map(|key| format!("surplus: {key}"));
    let other = these.iter().filter(|(key, row)| those.get(*key).is_some_and(|there| there != *row));
    let other = other.map(|(key, row)| format!("other: {key} at {} instead of {}", row.0, those[key].0));
    let differences: Vec<String> = missing.chain(surplus).chain(other).take(10).collect();
    assert!(differences.is_empty(), "{what}: {differences:#?}");
}
