//! Some creators once more by the slow model, which shares nothing with the fold.

use std::collections::BTreeMap;

use tributary::decode::{Decoder, Place};
use tributary::event::Event;
use tributary::ids::{Offset, Partition};
use tributary::project::key::Col;
use tributary::project::tables;
use tributary::run::Program;
use tributary::worker::scan;

use super::topics::Found;
use crate::model::compare::{self, Rows};

/// The model works everything out from the whole history, each time anew: no more than so many events of one creator.
const EVENTS_MAX: usize = 4_000;

/// Compares all creators that are small enough; how many rows that were.
pub(super) async fn check(alone: &Program, events: &[Vec<Found>]) -> usize {
    let (decoder, mut rows) = (Decoder::new(), 0);
    for (p, records) in (0..).map(Partition).zip(events) {
        let mut of: BTreeMap<&str, Vec<(Event<'_>, &Found)>> = BTreeMap::new();
        for found in records {
            let at = Place { topic: "", partition: p, offset: Offset(found.offset) };
            if let Ok(event) = decoder.decode(&found.record.value, &found.record.key, at) {
                of.entry(event.creator_id.0).or_default().push((event, found));
            }
        }
        let stored = rows_of(alone, p).await;
        for (creator, events) in of.iter().filter(|(_, events)| events.len() <= EVENTS_MAX) {
            let expected =
                compare::expected_of(events.iter().map(|(event, found)| (event, found.offset, found.record.timestamp)));
            let stored = stored.get(*creator).cloned().unwrap_or_default();
            rows += stored.len();
            let differing = compare::differing(&stored, &expected, ["rows", "model"]);
            assert_eq!(differing, "", "creator {creator}, {} events", events.len());
        }
    }
    assert!(rows > 0, "no creator is small enough for the model");
    rows
}

/// By creator, as the model has them.
async fn rows_of(alone: &Program, p: Partition) -> BTreeMap<String, Rows> {
    let mut rows: BTreeMap<String, Rows> = BTreeMap::new();
    let months = scan::months(&alone.store, p).await.unwrap();
    for table in tables::ALL.into_iter().filter(|table| table.id != tables::APPLIED.id) {
        for row in scan::table(&alone.store, table, p, months.clone()).await.unwrap() {
            let Some(Col::Text(creator)) = row.key.cols.0.first().cloned() else { continue };
            if let Some((name, text)) = compare::row_text(&row) {
                rows.entry(creator).or_default().insert(name, text);
            }
        }
    }
    rows
}
