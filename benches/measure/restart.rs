//! kill -9, start again: how long until the first new event is applied.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tributary::append::Sink;
use tributary::clock::Clock;
use tributary::run::{Embedded, Options};

use super::programme::{Encoded, outgoing, spec};
use super::report::figure;

pub fn run(events: u64) {
    let dir = tempfile::tempdir_in(".").unwrap();
    let path = dir.path().to_str().unwrap().to_owned();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut engine = Embedded::open(Options::new(dir.path()), Clock::system()).await.unwrap();
        engine.start().unwrap();
        let records = Encoded::of(&spec(20, u32::try_from(events / 11).unwrap(), events));
        for chunk in records.chunks(4_096) {
            engine.sink.append(chunk.map(|record| outgoing(record, 4)).collect()).await.unwrap();
        }
        engine.caught_up().await.unwrap();
        engine.stop().await.unwrap();
    });
    // The first life appends for a while and is killed; the second must serve.
    let mut worst = Duration::ZERO;
    for _ in 0..3 {
        let mut child = spawn(&path);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "applied");
        std::thread::sleep(Duration::from_secs(2));
        child.kill().unwrap();
        child.wait().unwrap();
        let start = Instant::now();
        let mut child = spawn(&path);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "applied");
        worst = worst.max(start.elapsed());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let what = format!("restart after kill -9 to the first new event applied, {events} events behind, worst of 3");
    figure(&what, format!("{:.2} s", worst.as_secs_f64()), "≤ 2 s");
}

fn spawn(path: &str) -> std::process::Child {
    let exe = std::env::current_exe().unwrap();
    Command::new(exe).args(["restart-child", "0", path]).stdout(Stdio::piped()).spawn().unwrap()
}

/// Opens, appends one record, says when it is applied, goes on appending.
pub fn child(path: &str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut engine = Embedded::open(Options::new(path), Clock::system()).await.unwrap();
        engine.start().unwrap();
        let records = Encoded::of(&spec(20, 1_000, 200_000));
        let mut said = false;
        for chunk in records.chunks(500) {
            engine.sink.append(chunk.map(|record| outgoing(record, 4)).collect()).await.unwrap();
            if !said {
                engine.caught_up().await.unwrap();
                println!("applied");
                std::io::stdout().flush().unwrap();
                said = true;
            }
        }
    });
}
