//! kill -9, start again: how long until the first new event is applied, its rows written.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tributary::append::Sink;
use tributary::clock::Clock;
use tributary::ids::CreatorId;
use tributary::run::{Options, Program};
use tributary::simulate::{Simulation, Spec};

use super::programme::{Encoded, of_event, outgoing, spec};
use super::report::figure;

/// Events a second while it is killed.
const RATE: u32 = 20_000;
/// Events of an append.
const BATCH: u32 = 500;

pub fn run(events: u64) {
    let dir = tempfile::tempdir_in(".").unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(fill(dir.path(), events));
    let path = dir.path().to_str().unwrap();
    // The first life appends for a while and is killed; the second must serve.
    let mut worst = Duration::ZERO;
    for life in 0..3 {
        let mut child = Child::spawn(path, 2 * life);
        child.wait_until_applied();
        std::thread::sleep(Duration::from_secs(2));
        child.kill();
        let start = Instant::now();
        let mut child = Child::spawn(path, 2 * life + 1);
        child.wait_until_applied();
        worst = worst.max(start.elapsed());
        child.kill();
    }
    let what = format!(
        "restart after kill -9 at {RATE} events/s to the first new event applied, {events} events behind, worst of 3"
    );
    figure(&what, format!("{:.2} s", worst.as_secs_f64()), "≤ 2 s");
}

async fn fill(dir: &Path, events: u64) {
    let mut engine = Program::open(Options::new(dir), Clock::system()).await.unwrap();
    engine.start().unwrap();
    let records = Encoded::of(&spec(20, u32::try_from(events / 11).unwrap(), events));
    for chunk in records.chunks(4_096) {
        engine.sink.append(chunk.map(|record| outgoing(record, 4)).collect()).await.unwrap();
    }
    engine.caught_up().await.unwrap();
    engine.stop().await.unwrap();
}

/// A process that opens the folder and appends.
struct Child {
    process: std::process::Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Child {
    /// No two lives append the same events.
    fn spawn(path: &str, life: u64) -> Self {
        let exe = std::env::current_exe().unwrap();
        let life = life.to_string();
        let mut process =
            Command::new(exe).args(["restart-child", &life, path]).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    fn wait_until_applied(&mut self) {
        assert_eq!(self.lines.next().unwrap().unwrap(), "applied");
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Opens, appends a few records, says when they are applied, goes on appending. Of the measured time only the making
/// of the first few records is not the product's.
pub fn child(path: &str, life: u64) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut engine = Program::open(Options::new(path), Clock::system()).await.unwrap();
        engine.start().unwrap();
        append(&engine, life, &spec(20, 20, 100)).await;
        engine.caught_up().await.unwrap();
        println!("applied");
        std::io::stdout().flush().unwrap();
        append(&engine, life, &spec(20, 1_000, u64::from(RATE) * 60)).await;
    });
}

/// Under creators of this life alone: to others the events would be no news.
async fn append(engine: &Program, life: u64, spec: &Spec) {
    let mut batch = Vec::new();
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / (RATE / BATCH));
    for record in Simulation::new(spec) {
        let mut event = record.event();
        let creator = format!("{}-of-life-{life}", event.creator_id.0);
        event.creator_id = CreatorId(&creator);
        batch.push(of_event(&event, record.arrival, 4));
        if batch.len() == BATCH as usize {
            ticks.tick().await;
            engine.sink.append(std::mem::take(&mut batch)).await.unwrap();
        }
    }
    engine.sink.append(batch).await.unwrap();
}
