//! The embedded log: appending and reading.

use std::time::{Duration, Instant};

use tributary::append::Sink;
use tributary::append::embedded::{EmbeddedSink, Limits as SinkLimits};
use tributary::consume::embedded::Log;
use tributary::consume::{Batch, Limits, Polled, Source};
use tributary::disk;
use tributary::ids::Next;

use super::machine;
use super::programme::{Encoded, outgoing, spec};
use super::report::figure;

pub fn run(events: u64) {
    let records = Encoded::of(&spec(20, 50_000, events));
    let dir = tempfile::tempdir_in(".").unwrap();
    let log = Log::open(&dir.path().join("log.redb"), 4, [1; 16], disk::Options::default()).unwrap();
    let sink = EmbeddedSink::new(log.clone(), SinkLimits::default()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (start, cpu) = (Instant::now(), machine::cpu());
    for chunk in records.chunks(4_096) {
        runtime.block_on(sink.append(chunk.map(|record| outgoing(record, 4)).collect())).unwrap();
    }
    rates("log append, 4,096 at once, fsync each", records.len(), start, machine::cpu() - cpu);
    let mut source = log.source(0, 1);
    let mut batch = Batch::default();
    let limits = Limits { wait_max: Duration::ZERO, ..Limits::default() };
    let (start, cpu) = (Instant::now(), machine::cpu());
    let mut read = 0;
    while read < records.len() {
        if let Polled::Assigned(partitions) = source.poll(&limits, &mut batch).unwrap() {
            partitions.into_iter().for_each(|p| source.seek(p, Next(0)).unwrap());
        }
        read += batch.len();
    }
    rates("log read", records.len(), start, machine::cpu() - cpu);
}

fn rates(what: &str, events: usize, start: Instant, cpu: Duration) {
    let a_second = events as f64 / start.elapsed().as_secs_f64();
    let per_million = cpu.as_secs_f64() * 1e6 / events as f64;
    figure(what, format!("{a_second:.0} events/s, {per_million:.2} CPU-s per million"), "");
}
