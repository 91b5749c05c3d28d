//! How far each partition was seen to be applied, and when: how long an event takes to be queryable.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tributary::ids::Partition;
use tributary::project::rows::AppliedRow;
use tributary::project::tables;
use tributary::run::Rows;
use tributary::store::Store;

const PARTITIONS: u32 = 4;
/// Events and when their append was asked for; or how far a partition was applied, and when that was seen first.
pub type Appended = Vec<(Partition, u64, Instant)>;

/// Looks again and again.
pub struct Watcher {
    stop: Arc<AtomicBool>,
    looking: tokio::task::JoinHandle<Appended>,
}

impl Watcher {
    /// `every` is between two looks.
    pub fn start(store: Rows, every: Duration) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let looking = tokio::spawn(watch(store, Arc::clone(&stop), every));
        Self { stop, looking }
    }

    /// From each append to the first look that found it applied, all of which are.
    pub async fn waits(self, appended: &Appended) -> Vec<Duration> {
        let seen = self.stop().await;
        let wait = |(p, offset, asked): &(Partition, u64, Instant)| {
            let of_p = seen.iter().find(|(q, next, _)| q == p && next > offset).expect("all were applied");
            of_p.2.saturating_duration_since(*asked)
        };
        appended.iter().map(wait).collect()
    }

    /// When each partition was first seen to have applied how much. It looks once more before it ends.
    pub async fn stop(self) -> Appended {
        self.stop.store(true, Ordering::Relaxed);
        self.looking.await.unwrap()
    }
}

async fn watch(store: Rows, stop: Arc<AtomicBool>, every: Duration) -> Appended {
    let keys: Vec<_> = (0..PARTITIONS).map(|p| tables::applied(Partition(p))).collect();
    let (mut seen, mut last) = (Appended::new(), [0_u64; PARTITIONS as usize]);
    loop {
        let is_last = stop.load(Ordering::Relaxed);
        for ((p, last), row) in (0..).zip(&mut last).zip(store.get(&keys).await.unwrap()) {
            let Some(value) = row.and_then(|row| row.value) else { continue };
            let fast = AppliedRow::decode(&value).unwrap().fast.0;
            if fast > *last {
                *last = fast;
                seen.push((Partition(p), fast, Instant::now()));
            }
        }
        if is_last {
            return seen;
        }
        tokio::time::sleep(every).await;
    }
}

/// `p50, p99` in words.
pub fn percentiles(mut all: Vec<Duration>) -> String {
    all.sort_unstable();
    if all.is_empty() {
        return "none".to_owned();
    }
    let ms = |part: f64| all[((all.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
    format!("{:.1} ms, {:.1} ms", ms(0.5), ms(0.99))
}
