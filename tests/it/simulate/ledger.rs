//! The stored rows beside the books: what the fold says and what the semantics say, row by row.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::atomic::Ordering;

use tributary::clock::Clock;
use tributary::consume::embedded::Log;
use tributary::consume::{Batch, Limits, Stream};
use tributary::decode::{Decoder, Place};
use tributary::ids::{Next, Partition};
use tributary::project::key::{Col, Row};
use tributary::project::rows::{CreatorRow, MemberRow, SeriesRow};
use tributary::project::tables;
use tributary::project::totals::Totals;
use tributary::run::{Options, Program};
use tributary::simulate::Spec;
use tributary::simulate::ledger::{self, CreatorFigures, Ledger};
use tributary::store::Store;
use tributary::worker::scan;

use super::books::books;
use crate::worker::programme::{fill, spec};

/// Everything of a store that the books know about, by creator.
#[derive(Default)]
struct Stored {
    creators: BTreeMap<String, CreatorRow>,
    members: BTreeMap<String, BTreeMap<i64, MemberRow>>,
    /// By creator and day: sealed days, and the hours of the others.
    days: BTreeMap<String, BTreeMap<i64, Totals>>,
    hours: BTreeMap<String, BTreeMap<i64, Totals>>,
}

/// Every place where the rows of `store` are not what the books say, as a line each.
pub(crate) async fn differences<T: Store>(store: &T, partitions: u32, ledger: &Ledger) -> Vec<String> {
    let mut stored = Stored::default();
    for p in (0..partitions).map(Partition) {
        stored.read(store, p).await;
    }
    let mut found = Vec::new();
    let figures = ledger.figures();
    for (creator, figures) in &figures {
        if figures.currency.is_some() {
            stored.compare(creator, figures, &mut found);
        }
    }
    let unknown = stored.creators.keys().filter(|id| !figures.contains_key(id.as_str()));
    found.extend(unknown.map(|id| format!("{id}: stored, but not in the books")));
    found
}

impl Stored {
    async fn read<T: Store>(&mut self, store: &T, p: Partition) {
        let months = scan::months(store, p).await.unwrap();
        let read = |table, months: Range<u16>| async move { scan::table(store, table, p, months).await.unwrap() };
        for row in read(tables::CREATOR, months.clone()).await {
            self.creators.insert(text(&row, 0), CreatorRow::decode(&bytes(&row)).unwrap());
        }
        for row in read(tables::MEMBER, months.clone()).await {
            let member = MemberRow::decode(&bytes(&row)).unwrap();
            self.members.entry(text(&row, 0)).or_default().insert(int(&row, 1), member);
        }
        for (table, into) in [(tables::DAY, &mut self.days), (tables::HOUR, &mut self.hours)] {
            // Breakdowns that have become too large for it stand in rows of their own, with a part behind the slot.
            for row in read(table, months.clone()).await.into_iter().filter(|row| int(row, 2) == 0) {
                let series = SeriesRow::decode(&bytes(&row)).unwrap();
                into.entry(text(&row, 0)).or_default().insert(int(&row, 1), series.totals);
            }
        }
    }

    fn compare(&self, creator: &str, figures: &CreatorFigures, found: &mut Vec<String>) {
        let Some(row) = self.creators.get(creator) else {
            return found.push(format!("{creator}: no row"));
        };
        compare_totals(creator, &figures.totals, &row.totals, found);
        compare_values(creator, "clock", figures.clock, Some(row.clock), found);
        compare_values(creator, "members", figures.members.len(), usize::try_from(row.members).unwrap(), found);
        self.compare_days(creator, figures, found);
        let none = BTreeMap::new();
        let members = self.members.get(creator).unwrap_or(&none);
        for (n, expected) in figures.members.iter().enumerate() {
            let what = format!("{creator} member {n} {}", expected.member_id);
            let Some(row) = members.get(&i64::try_from(n).unwrap()) else {
                found.push(format!("{what}: no row"));
                continue;
            };
            compare_values(&what, "member_id", expected.member_id.as_str(), row.member_id.as_str(), found);
            compare_values(&what, "status", format!("{:?}", expected.status), format!("{:?}", row.status), found);
            compare_totals(&what, &expected.totals, &row.totals, found);
        }
        compare_values(creator, "member rows", figures.members.len(), members.len(), found);
    }

    /// A sealed day from its row, another from its hours.
    fn compare_days(&self, creator: &str, figures: &CreatorFigures, found: &mut Vec<String>) {
        let mut stored: BTreeMap<i64, Totals> = BTreeMap::new();
        for (hour, totals) in self.hours.get(creator).into_iter().flatten() {
            stored.entry(hour.div_euclid(24)).or_default().add(totals);
        }
        for (day, totals) in self.days.get(creator).into_iter().flatten() {
            stored.insert(*day, totals.clone());
        }
        let days: BTreeSet<i64> = stored.keys().chain(figures.days.keys()).copied().collect();
        let zero = Totals::default();
        for day in days {
            let expected = figures.days.get(&day).unwrap_or(&zero);
            compare_totals(&format!("{creator} day {day}"), expected, stored.get(&day).unwrap_or(&zero), found);
        }
    }
}

fn text(row: &Row, column: usize) -> String {
    match &row.key.cols.0[column] {
        Col::Text(text) => text.clone(),
        other => panic!("column {column} is no text: {other:?}"),
    }
}

fn int(row: &Row, column: usize) -> i64 {
    match &row.key.cols.0[column] {
        Col::Int(value) | Col::IntDesc(value) => *value,
        other => panic!("column {column} is no number: {other:?}"),
    }
}

fn bytes(row: &Row) -> Vec<u8> {
    row.value.as_ref().expect("scans leave tombstones out").to_vec()
}

fn compare_values<V: PartialEq + std::fmt::Debug>(what: &str, field: &str, books: V, row: V, found: &mut Vec<String>) {
    if books != row {
        found.push(format!("{what}: {field} is {row:?}, the books say {books:?}"));
    }
}

fn compare_totals(what: &str, books: &Totals, row: &Totals, found: &mut Vec<String>) {
    for ((field, books), (_, row)) in ledger::counts(&books.counts).into_iter().zip(ledger::counts(&row.counts)) {
        compare_values(what, field, books, row, found);
    }
    let currencies: BTreeSet<_> = books.money.iter().chain(&row.money).map(|(currency, _)| *currency).collect();
    for currency in currencies {
        let (books, row) = (ledger::money(&books.money_in(currency)), ledger::money(&row.money_in(currency)));
        // The books know no rules of fraud, by which some of what they call approved is held.
        let is_held = |field: &str| matches!(field, "commission_held" | "commission_approved");
        let sum =
            |money: &[(&str, i128)]| money.iter().filter(|(field, _)| is_held(field)).map(|(_, n)| n).sum::<i128>();
        compare_values(what, &format!("held and approved {currency}"), sum(&books), sum(&row), found);
        for ((field, books), (_, row)) in books.into_iter().zip(row).filter(|((field, _), _)| !is_held(field)) {
            compare_values(what, &format!("{field} {currency}"), books, row, found);
        }
    }
}

/// Dead letters of the whole log, by class.
fn letters(log: &Log) -> BTreeMap<String, u64> {
    let decoder = Decoder::new();
    let mut classes = BTreeMap::new();
    for partition in (0..log.topic().partitions).map(Partition) {
        let (mut next, end) = (Next(0), log.bounds(Stream::DeadLetters, partition).unwrap().end);
        while next < end {
            let mut batch = Batch::default();
            next = log.read(Stream::DeadLetters, partition, next, &Limits::default(), &mut batch).unwrap();
            for record in batch.iter() {
                let at = Place { topic: Stream::DeadLetters.name(), partition, offset: record.offset };
                let letter = decoder.dead_letter(record.value, at).unwrap();
                *classes.entry(letter.class.to_owned()).or_default() += 1;
            }
        }
    }
    classes
}

fn expected_letters(ledger: &Ledger) -> BTreeMap<String, u64> {
    let tally = ledger.tally();
    let mut classes: BTreeMap<String, u64> = BTreeMap::new();
    for (class, n) in tally.dead.iter().chain(&tally.remarks) {
        *classes.entry((*class).to_owned()).or_default() += n;
    }
    classes
}

/// What became of the records, as the worker counts them.
fn compare_tally(engine: &Program, ledger: &Ledger, found: &mut Vec<String>) {
    let sum = |figure: fn(&tributary::telemetry::PartitionProgress) -> i64| {
        u64::try_from(engine.progress.iter().map(|(_, progress)| figure(progress)).sum::<i64>()).unwrap()
    };
    let tally = ledger.tally();
    let dead = tally.dead.values().sum::<u64>();
    compare_values("tally", "applied", tally.applied, sum(|p| p.applied.load(Ordering::Relaxed)), found);
    compare_values("tally", "duplicate", tally.duplicate, sum(|p| p.duplicate.load(Ordering::Relaxed)), found);
    compare_values("tally", "parked", tally.parked, sum(|p| p.parked.load(Ordering::Relaxed)), found);
    compare_values("tally", "dead", dead, sum(|p| p.dead.load(Ordering::Relaxed)), found);
}

/// Simulates, folds, and compares everything with the books.
async fn compare(spec: &Spec) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let mut engine = Program::open(Options::new(dir.path()), Clock::system()).await.unwrap();
    fill(&engine, spec).await;
    engine.start().unwrap();
    engine.caught_up().await.unwrap();
    let ledger = books(spec);
    let mut found = differences(&engine.store, engine.log.topic().partitions, &ledger).await;
    compare_tally(&engine, &ledger, &mut found);
    let log = engine.log.clone();
    engine.stop().await.unwrap();
    compare_values("dead letters", "by class", expected_letters(&ledger), letters(log.file().unwrap()), &mut found);
    found
}

fn assert_none(found: &[String]) {
    let shown = found.iter().take(200).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(found.is_empty(), "{} differences:\n{shown}", found.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rows_are_what_the_books_say() {
    assert_none(&compare(&spec(12, 300, 20_000, 21)).await);
}

/// `cargo test --release --test it simulate::ledger -- --ignored --nocapture`; `EVENTS` and `SEED` choose another run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes: five million events"]
async fn the_rows_of_five_million_events_are_what_the_books_say() {
    #[allow(clippy::disallowed_methods)]
    let number = |name, default| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    assert_none(&compare(&spec(40, 20_000, number("EVENTS", 5_000_000), number("SEED", 1))).await);
}
