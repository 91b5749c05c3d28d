//! Rows and decisions do not depend on how the log was cut into batches, nor on when rows, outputs and state left, nor on restarts.

use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tributary::append::{Outgoing, Sink};
use tributary::clock::Clock;
use tributary::consume::Limits;
use tributary::run::{Options, Program};
use tributary::worker::Pace;

use super::decisions::{Decided, all_of, timeless};
use super::dump::{Rows, assert_same, dump};
use super::programme::{records, spec};
use crate::fold::seed::{fixed, fresh};
use crate::fraud::crooked;

/// How one run of the engine goes about the same input.
#[derive(Debug, Clone)]
struct Schedule {
    records_max: usize,
    bytes_max: usize,
    fast_ms: u64,
    slow_ms: u64,
    catching_up_ms: u64,
    emit_ms: u64,
    commit_ms: u64,
    rows_max: usize,
    workers: u32,
    hot_bytes: usize,
    journal_bytes: u64,
    ahead_bytes: u64,
    file_records: u64,
    /// Records appended before each stop; after a stop the engine is opened again.
    stops: Vec<usize>,
    /// Before a stop, wait until all rows are out.
    waits: bool,
}

fn schedules() -> impl Strategy<Value = Schedule> {
    let poll = (1_usize..3_000, prop_oneof![Just(1_usize), 100_usize..100_000]);
    let times = (0_u64..40, 0_u64..80, 0_u64..80, 0_u64..30, 0_u64..60);
    let keep = (64_usize..200_000, 1_000_u64..2_000_000, 50_000_u64..5_000_000, 16_u64..5_000);
    let rest = (1_usize..5_000, 1_u32..4, proptest::collection::vec(1_usize..2_000, 0..4), any::<bool>());
    (poll, times, keep, rest).prop_map(|(poll, times, keep, rest)| Schedule {
        records_max: poll.0,
        bytes_max: poll.1,
        fast_ms: times.0,
        slow_ms: times.1,
        catching_up_ms: times.2,
        emit_ms: times.3,
        commit_ms: times.4,
        hot_bytes: keep.0,
        journal_bytes: keep.1,
        ahead_bytes: keep.2,
        file_records: keep.3,
        rows_max: rest.0,
        workers: rest.1,
        stops: rest.2,
        waits: rest.3,
    })
}

fn options(dir: &Path, schedule: &Schedule) -> Options {
    let ms = Duration::from_millis;
    let mut options = Options::new(dir);
    options.workers = Some(schedule.workers);
    options.pace = Pace {
        poll: Limits { records_max: schedule.records_max, bytes_max: schedule.bytes_max, wait_max: ms(1) },
        fast: ms(schedule.fast_ms),
        slow: ms(schedule.slow_ms),
        catching_up: ms(schedule.catching_up_ms),
        emit: ms(schedule.emit_ms),
        emit_idle: ms(schedule.emit_ms),
        commit: ms(schedule.commit_ms),
        rows_max: schedule.rows_max,
        tick: None,
    };
    options.keep.hot_bytes = schedule.hot_bytes;
    options.keep.cold_bytes = schedule.hot_bytes;
    options.keep.journal_bytes = schedule.journal_bytes;
    options.keep.ahead_bytes = schedule.ahead_bytes;
    options.keep.file_records = schedule.file_records;
    options
}

async fn made_of(input: &[Outgoing], schedule: &Schedule) -> (Rows, Vec<Decided>) {
    let dir = tempfile::tempdir().unwrap();
    let mut rest = input;
    for stop in &schedule.stops {
        let (now, later) = rest.split_at((*stop).min(rest.len()));
        rest = later;
        let engine = open(dir.path(), schedule).await;
        engine.sink.append(now.to_vec()).await.unwrap();
        if schedule.waits {
            engine.caught_up().await.unwrap();
        }
        engine.stop().await.unwrap();
    }
    let engine = open(dir.path(), schedule).await;
    engine.sink.append(rest.to_vec()).await.unwrap();
    engine.caught_up().await.unwrap();
    let made = (dump(&engine).await, all_of(&engine));
    engine.stop().await.unwrap();
    made
}

async fn open(dir: &Path, schedule: &Schedule) -> Program {
    let mut engine = Program::open(options(dir, schedule), Clock::system()).await.unwrap();
    engine.start().unwrap();
    engine
}

/// Everything in one batch, one flush, one commit.
fn plain() -> Schedule {
    Schedule {
        records_max: 1_000_000,
        bytes_max: 1 << 30,
        fast_ms: 100,
        slow_ms: 100,
        catching_up_ms: 100,
        emit_ms: 100,
        commit_ms: 1_000,
        rows_max: 1_000_000,
        workers: 1,
        hot_bytes: 4 << 20,
        journal_bytes: 32 << 20,
        ahead_bytes: 512 << 20,
        file_records: 262_144,
        stops: Vec::new(),
        waits: true,
    }
}

fn every_schedule_makes_the_same(config: Config, events: u64) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut input = records(&spec(4, 40, events, 21), tributary::consume::embedded::PARTITIONS);
    input.extend(crooked::records("crooked", tributary::consume::embedded::PARTITIONS));
    let (expected, decided) = runtime.block_on(made_of(&input, &plain()));
    assert!(expected.len() > 500, "{} rows", expected.len());
    assert!(decided.iter().map(Vec::len).sum::<usize>() > 2_000, "decisions of both");
    let seed = config.rng_seed;
    let config = Config { max_shrink_iters: 20, ..config };
    let outcome = TestRunner::new(config).run(&schedules(), |schedule| {
        let (rows, also) = runtime.block_on(made_of(&input, &schedule));
        assert_same(&rows, &expected, "rows of this schedule");
        prop_assert_eq!(timeless(&also), timeless(&decided));
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("PROPTEST_RNG_SEED={seed}: {failure}"));
}

#[test]
fn rows_and_decisions_are_the_same_whatever_the_batches_flushes_commits_and_restarts() {
    every_schedule_makes_the_same(fixed(6), 3_000);
}

#[test]
#[ignore = "minutes: hundreds of schedules"]
fn rows_and_decisions_are_the_same_for_hundreds_of_schedules() {
    every_schedule_makes_the_same(fresh(300), 6_000);
}
