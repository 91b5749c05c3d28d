//! kill -9 at any moment: nothing acknowledged is lost, nothing is counted twice, and every row is what the log says.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use tributary::append::partition::partition_of;
use tributary::append::{Outgoing, Sink};
use tributary::clock::Clock;
use tributary::consume::Stream;
use tributary::decode::json::{Scratch, from_json};
use tributary::ids::{Currency, Millis, Partition};
use tributary::project::rows::CreatorRow;
use tributary::project::tables;
use tributary::run::{Options, Program};
use tributary::telemetry::PartitionProgress;
use tributary::worker::{Pace, scan};

use super::programme::START;

const FOLDER: &str = "TRIBUTARY_TEST_FOLDER";
const FROM: &str = "TRIBUTARY_TEST_FROM";
const PLAN: &str = "TRIBUTARY_TEST_PLAN";

/// How many records there are, and how many are appended at once.
#[derive(Debug, Clone, Copy)]
struct Plan {
    records: u64,
    call: u64,
}

const CREATORS: u64 = 5;
/// Of each creator.
const MEMBERS: u64 = 20;
/// Records before the first click: creators and their members.
const SETUP: u64 = CREATORS * (1 + MEMBERS);
/// A click, an order by its member's code, and now and then a refund of the order before: per creator in turn.
const ROUND: u64 = 3;

/// Record `n` of a log that can be told by its number, so that its sums can too.
fn record(n: u64) -> String {
    if let Some(n) = n.checked_sub(SETUP) {
        return traffic(n);
    }
    let creator = n % CREATORS;
    let head = format!(r#""event_id":"s{n}","creator_id":"c{creator}","occurred_at":{}"#, START.0);
    match n / CREATORS {
        0 => format!(r#"{{"type":"Creator",{head},"name":"C","currency":"EUR","time_zone":"UTC"}}"#),
        member => format!(r#"{{"type":"Member",{head},"member_id":"m{member}","referral_code":"code{member}"}}"#),
    }
}

fn traffic(n: u64) -> String {
    let (creator, k) = (n % CREATORS, n / CREATORS);
    let (step, round) = (k % ROUND, k / ROUND);
    let member = 1 + round % MEMBERS;
    // All within the days for which clicks are remembered.
    let at = START.0 + i64::try_from(round).unwrap() * 50;
    let head = format!(r#""event_id":"e{n}","creator_id":"c{creator}","occurred_at":{at}"#);
    match step {
        0 => format!(r#"{{"type":"Click",{head},"click_id":"k{round}","member_id":"m{member}"}}"#),
        1 => format!(
            r#"{{"type":"Conversion",{head},"conversion_id":"p{round}","kind":"purchase","click_id":"k{round}","customer_id":"u{}","amount":{}}}"#,
            round % 1_000,
            amount(round)
        ),
        _ => format!(
            r#"{{"type":"Conversion",{head},"conversion_id":"r{round}","kind":"refund","original_id":"p{round}","amount":{}}}"#,
            amount(round) / 3
        ),
    }
}

fn amount(round: u64) -> u64 {
    1_000 + round % 977
}

fn outgoing(n: u64, partitions: u32) -> Outgoing {
    let json = record(n);
    let mut scratch = Scratch::default();
    let event = from_json(json.as_bytes(), &mut scratch).unwrap();
    let mut value = Vec::new();
    tributary::schema::encode(&event, &mut value);
    let key = Bytes::copy_from_slice(event.creator_id.0.as_bytes());
    let partition = partition_of(&key, partitions);
    Outgoing { stream: Stream::Events, partition, timestamp: event.occurred_at, key, value: Bytes::from(value) }
}

async fn append(engine: &Program, from: u64, to: u64) {
    let partitions = engine.log.topic().partitions;
    engine.sink.append((from..to).map(|n| outgoing(n, partitions)).collect()).await.unwrap();
}

async fn open(folder: &Path) -> Program {
    let ms = Duration::from_millis;
    let mut options = Options::new(folder);
    options.pace = Pace {
        fast: ms(3),
        slow: ms(7),
        catching_up: ms(11),
        emit: ms(2),
        emit_idle: ms(5),
        commit: ms(4),
        ..Pace::default()
    };
    options.keep.journal_bytes = 100_000;
    options.keep.file_records = 1_000;
    let mut engine = Program::open(options, Clock::system()).await.unwrap();
    engine.start().unwrap();
    engine
}

/// Not a test: what the killed process does. It goes on where the last acknowledgement was: as a producer would.
#[test]
#[ignore = "run by another test"]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let number = |text: &str| text.parse::<u64>().unwrap();
    let told = |name: &str| std::env::var_os(name).unwrap().into_string().unwrap();
    let from = number(&told(FROM));
    let plan = told(PLAN);
    let (records, call) = plan.split_once(',').unwrap();
    let plan = Plan { records: number(records), call: number(call) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let engine = open(&folder).await;
        let mut next = from;
        while next < plan.records {
            let to = (next + plan.call).min(plan.records);
            append(&engine, next, to).await;
            next = to;
            writeln!(std::io::stdout(), "acknowledged {next}").unwrap();
        }
        // Killed while it catches up, if not before.
        std::future::pending::<()>().await;
    });
}

/// Kills the child after so many acknowledgements, or when there are no more; the last one it gave.
fn run_and_kill(folder: &Path, plan: Plan, from: u64, calls: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "worker::kill::child", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .env(FROM, from.to_string())
        .env(PLAN, format!("{},{}", plan.records, plan.call))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut acknowledged = from;
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut numbers = lines.filter_map(|line| line.strip_prefix("acknowledged ")?.parse::<u64>().ok());
    let left = (plan.records - from).div_ceil(plan.call).min(calls);
    for number in numbers.by_ref().take(usize::try_from(left).unwrap()) {
        acknowledged = number;
    }
    child.kill().unwrap();
    // What it still had said before it died counts too.
    acknowledged = numbers.last().unwrap_or(acknowledged);
    child.wait().unwrap();
    acknowledged
}

fn kill_often(plan: Plan, calls: impl Fn(u64) -> u64) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    let (mut acknowledged, mut kills) = (0, 0);
    while acknowledged < plan.records {
        acknowledged = run_and_kill(dir.path(), plan, acknowledged, calls(kills));
        kills += 1;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(check(dir.path(), plan));
    kills
}

/// What is on the disk now, and again after everything was sent once more.
async fn check(folder: &Path, plan: Plan) {
    let engine = open(folder).await;
    engine.caught_up().await.unwrap();
    check_sums(&engine, plan).await;
    let mut next = 0;
    while next < plan.records {
        let to = (next + 10_000).min(plan.records);
        append(&engine, next, to).await;
        next = to;
    }
    engine.caught_up().await.unwrap();
    check_sums(&engine, plan).await;
    let mut differences = Vec::new();
    engine.verify(|difference| differences.push(difference), |_, _| {}).await.unwrap();
    assert_eq!(differences, []);
    engine.stop().await.unwrap();
}

/// Each record counts once; what was sent twice is a duplicate.
async fn check_sums(engine: &Program, plan: Plan) {
    let figure = |figure: fn(&PartitionProgress) -> i64| -> u64 {
        engine.progress.iter().map(|(_, progress)| u64::try_from(figure(progress)).unwrap()).sum()
    };
    use std::sync::atomic::Ordering::Relaxed;
    let read: u64 = engine.progress.iter().map(|(_, progress)| progress.position.load(Relaxed)).sum();
    assert_eq!(figure(|p| p.applied.load(Relaxed)), plan.records, "applied");
    assert_eq!(figure(|p| p.duplicate.load(Relaxed)), read - plan.records, "duplicate");
    assert_eq!(figure(|p| p.dead.load(Relaxed) + p.parked.load(Relaxed)), 0, "dead or parked");
    let rows = creators(engine).await;
    assert_eq!(rows.len(), usize::try_from(CREATORS).unwrap());
    for (creator, row) in rows {
        let (mut clicks, mut orders, mut gross, mut refunded) = (0, 0, 0, 0);
        for k in 0..(plan.records - SETUP - creator).div_ceil(CREATORS) {
            match k % ROUND {
                0 => clicks += 1,
                1 => (orders, gross) = (orders + 1, gross + amount(k / ROUND)),
                _ => refunded += amount(k / ROUND) / 3,
            }
        }
        let money = row.totals.money_in(Currency::parse("EUR").unwrap());
        assert_eq!((row.totals.counts.clicks_total, row.totals.counts.orders), (clicks, orders), "c{creator}");
        assert_eq!(money.revenue_gross, i128::from(gross), "c{creator}");
        assert_eq!(money.revenue_refunded, i128::from(refunded), "c{creator}");
    }
}

async fn creators(engine: &Program) -> Vec<(u64, CreatorRow)> {
    let mut creators = Vec::new();
    for p in (0..engine.log.topic().partitions).map(Partition) {
        for row in scan::table(&engine.store, tables::CREATOR, p, 0..1).await.unwrap() {
            let Some(tributary::store::Col::Text(id)) = row.key.cols.0.first() else {
                panic!("a creator's key is its id")
            };
            let number = id.trim_start_matches('c').parse().unwrap();
            creators.push((number, CreatorRow::decode(&row.value.unwrap()).unwrap()));
        }
    }
    creators
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_doubled_by_kill_9() {
    let kills = kill_often(Plan { records: 12_000, call: 200 }, |kill| 4 + kill * 5 % 13);
    assert!(kills >= 5, "{kills}");
}

#[test]
#[ignore = "many minutes: five million events, fifty kills and more"]
fn five_million_events_survive_kill_9_fifty_times() {
    let kills = kill_often(Plan { records: 5_000_000, call: 4_000 }, |kill| 5 + kill * 7 % 31);
    assert!(kills >= 50, "{kills}");
}

#[test]
fn the_clicks_of_the_long_form_are_all_remembered() {
    let rounds = i64::try_from(5_000_000 / CREATORS / ROUND).unwrap();
    assert!(rounds * 50 < 40 * Millis::DAY);
}
