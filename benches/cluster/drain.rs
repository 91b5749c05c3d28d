//! From a filled topic to rows: exactly once, all projections on.

use std::time::{Duration, Instant};

use metrics_exporter_prometheus::PrometheusBuilder;
use tributary::telemetry::{BATCHES_WRITTEN, FLUSH_SECONDS, ROWS_WRITTEN};

use crate::machine;
use crate::place::{FILLED, Place, Rows, unique};
use crate::report::figure;
use crate::services::Used;

pub async fn run(rows: Rows) {
    let metrics = PrometheusBuilder::new().install_recorder().unwrap();
    let total = |name: &str| -> f64 {
        let text = metrics.render();
        let of = text.lines().filter(|line| line.starts_with(name)).filter_map(|line| line.rsplit(' ').next());
        of.filter_map(|value| value.parse::<f64>().ok()).sum()
    };
    let place = Place::of(FILLED, &unique("drain"));
    place.set_up(rows).await;
    let dir = tempfile::tempdir_in(".").unwrap();
    let mut program = place.open(rows, dir.path(), |_| {}).await;
    let (others, before) = (Used::now(), machine::cpu_by_thread());
    let (start, cpu) = (Instant::now(), machine::cpu());
    program.start().unwrap();
    program.caught_up().await.unwrap();
    let (took, used) = (start.elapsed(), machine::cpu() - cpu);
    let events: u64 = program.ends().iter().map(|(_, end)| end.0).sum();
    let (name, rate, cost) = match rows {
        Rows::Embedded => ("Kafka to embedded rows", "≥ 150,000", "≤ 8"),
        Rows::Cassandra => ("Kafka to Cassandra", "≥ 60,000", ""),
    };
    let million = |used: Duration| used.as_secs_f64() * 1e6 / events as f64;
    figure(name, format!("{:.0} events/s", events as f64 / took.as_secs_f64()), rate);
    figure(&format!("{name}: CPU-seconds per million"), format!("{:.2}", million(used)), cost);
    for (thread, now) in machine::cpu_by_thread() {
        let was = before.iter().find(|one| one.0 == thread).map_or(Duration::ZERO, |one| one.1);
        if now > was + Duration::from_millis(500) {
            figure(&format!("… of which thread {thread}"), format!("{:.2}", million(now - was)), "");
        }
    }
    Used::tell_since(&others, name, events);
    let written = total(ROWS_WRITTEN);
    figure(&format!("{name}: events per row written"), format!("{:.2}", events as f64 / written), "");
    let flushes = total(&format!("{FLUSH_SECONDS}_count"));
    figure(&format!("{name}: rows per flush of a partition"), format!("{:.0}", written / flushes), "");
    let batches = total(BATCHES_WRITTEN);
    if batches > 0.0 {
        figure(&format!("{name}: rows per batch"), format!("{:.1}", written / batches), "");
    }
    let (rss, peak) = machine::rss_mib();
    figure(&format!("{name}: RSS and its peak"), format!("{rss} MiB, {peak} MiB"), "");
    program.stop().await.unwrap();
}
