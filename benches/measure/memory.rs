//! Resident memory with a million members and ten million clicks, everything on.

use tributary::append::{Outgoing, Sink};
use tributary::clock::Clock;
use tributary::run::{Options, Program};

use super::machine;
use super::programme::Elsewhere;
use super::report::figure;

pub fn run(events: u64) {
    let dir = tempfile::tempdir_in(".").unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut engine = Program::open(Options::new(dir.path()), Clock::system()).await.unwrap();
        engine.start().unwrap();
        let mut batch: Vec<Outgoing> = Vec::new();
        for record in Elsewhere::large(events) {
            batch.push(record);
            if batch.len() == 4_096 {
                engine.sink.append(std::mem::take(&mut batch)).await.unwrap();
            }
        }
        engine.sink.append(batch).await.unwrap();
        engine.caught_up().await.unwrap();
        let (rss, peak) = machine::rss_mib();
        let members = events * 10 / 114;
        let what = format!("RSS with {members} members and {events} events (the simulator in a process of its own)");
        figure(&what, format!("{rss} MiB, peak {peak} MiB"), "≤ 1,638 MiB");
        engine.stop().await.unwrap();
    });
}
