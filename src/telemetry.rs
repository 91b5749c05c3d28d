//! Names of the metrics, and the figures that the worker shares with whoever shows them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use crate::ids::{Millis, Next, Partition};

/// Records by what became of them, of all time: read = applied + duplicate + parked + dead + misrouted.
pub const RECORDS_READ: &str = "tributary_records_read_total";
pub const RECORDS_APPLIED: &str = "tributary_records_applied_total";
pub const RECORDS_DUPLICATE: &str = "tributary_records_duplicate_total";
/// Waiting now for what they refer to.
pub const RECORDS_PARKED: &str = "tributary_records_parked";
pub const RECORDS_DEAD: &str = "tributary_records_dead_total";
/// Under another's key or in another's partition; put where they belong.
pub const RECORDS_MISROUTED: &str = "tributary_records_misrouted_total";
/// Records in the log whose rows are not written yet, whoever writes them.
pub const LAG_RECORDS: &str = "tributary_lag_records";
/// Rows handed to the projection store.
pub const ROWS_WRITTEN: &str = "tributary_rows_written_total";
/// Batches in which rows went to the database: rows of one of its partitions each.
pub const BATCHES_WRITTEN: &str = "tributary_batches_written_total";
/// Rows taken away because they had expired.
pub const ROWS_PURGED: &str = "tributary_rows_purged_total";
pub const FLUSH_SECONDS: &str = "tributary_flush_seconds";
pub const FLUSH_FAILURES: &str = "tributary_flush_failures_total";
pub const STATE_COMMITS: &str = "tributary_state_commits_total";
/// 1 where this process folds the partition: its other figures are of now.
pub const PARTITION_OWNED: &str = "tributary_partition_owned";
/// Position up to which everything is durable and out.
pub const POSITION_COMMITTED: &str = "tributary_position_committed";
/// Copies of states in the snapshot store, tries that failed, and bytes that were sent.
pub const SNAPSHOTS_MADE: &str = "tributary_snapshots_made_total";
pub const SNAPSHOTS_FAILED: &str = "tributary_snapshots_failed_total";
pub const SNAPSHOT_BYTES: &str = "tributary_snapshot_bytes_sent_total";
/// States that were taken from there.
pub const SNAPSHOTS_RESTORED: &str = "tributary_snapshots_restored_total";
/// Seconds since the newest copy held all there was; 0 where the partition is folded elsewhere, or nothing is copied.
pub const SNAPSHOT_AGE: &str = "tributary_snapshot_age_seconds";

/// Events whose rows the generation in the making has, and those that it does not have yet.
pub const REBUILD_POSITION: &str = "tributary_rebuild_position";
pub const REBUILD_LAG_RECORDS: &str = "tributary_rebuild_lag_records";
/// The live generation's number.
pub const GENERATION_LIVE: &str = "tributary_generation_live";
/// Requests that were turned away, by reason.
pub const REQUESTS_REFUSED: &str = "tributary_requests_refused_total";

/// Questions about what has not come, by what became of them, and how long each took.
pub const CHECKS: &str = "tributary_checks_total";
pub const CHECK_SECONDS: &str = "tributary_check_seconds";

/// How far one partition is; written by its task, read by status, metrics and those who wait for it.
#[derive(Debug, Default)]
pub struct PartitionProgress {
    pub position: AtomicU64,
    pub emitted: AtomicU64,
    pub rows: AtomicU64,
    pub committed: AtomicU64,
    pub read: AtomicI64,
    pub misrouted: AtomicI64,
    pub applied: AtomicI64,
    pub duplicate: AtomicI64,
    pub parked: AtomicI64,
    pub dead: AtomicI64,
    /// Log timestamp of the newest record applied.
    pub record_time: AtomicI64,
    /// A task of this process folds it.
    pub is_owned: AtomicBool,
    /// Rows written, each time one was.
    pub rows_written: AtomicU64,
    /// Where its task began, in this process: everything from there on it has folded itself.
    pub started: AtomicU64,
    /// When the newest copy of its state held all there was, on the clock; 0: nobody copies it here.
    pub snapshot_time: AtomicI64,
}

/// All partitions, and what is wrong with the worker, if anything.
#[derive(Debug, Clone)]
pub struct Progress {
    partitions: Arc<[PartitionProgress]>,
    halted: Arc<std::sync::Mutex<Option<String>>>,
    struggling: Arc<AtomicBool>,
}

impl Progress {
    pub fn new(partitions: u32) -> Self {
        Self {
            partitions: (0..partitions).map(|_| PartitionProgress::default()).collect(),
            halted: Arc::default(),
            struggling: Arc::default(),
        }
    }

    pub fn of(&self, p: Partition) -> Option<&PartitionProgress> {
        self.partitions.get(usize::try_from(p.0).ok()?)
    }

    pub fn iter(&self) -> impl Iterator<Item = (Partition, &PartitionProgress)> {
        (0..).map(Partition).zip(self.partitions.iter())
    }

    /// Why the worker stopped for good.
    pub fn halted(&self) -> Option<String> {
        self.halted.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    pub fn halt(&self, why: String) {
        *self.halted.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(why);
    }

    /// The last write to log or store failed, and is being tried again.
    pub fn is_struggling(&self) -> bool {
        self.struggling.load(Ordering::Relaxed)
    }

    pub fn set_struggling(&self, struggling: bool) {
        self.struggling.store(struggling, Ordering::Relaxed);
    }

    /// Every partition has its rows out up to the ends given. Of a log whose ends are not known nobody can say so.
    pub fn reached(&self, ends: &[(Partition, Next)]) -> bool {
        !ends.is_empty()
            && ends
                .iter()
                .all(|(p, end)| self.of(*p).is_some_and(|progress| progress.rows.load(Ordering::Acquire) >= end.0))
    }

    /// Publishes the figures as gauges of the metrics recorder in force.
    pub fn publish(&self, now: Millis) {
        for (p, progress) in self.iter() {
            let partition = p.0.to_string();
            for (name, value) in [
                (RECORDS_READ, &progress.read),
                (RECORDS_MISROUTED, &progress.misrouted),
                (RECORDS_APPLIED, &progress.applied),
                (RECORDS_DUPLICATE, &progress.duplicate),
                (RECORDS_DEAD, &progress.dead),
            ] {
                let value = u64::try_from(value.load(Ordering::Relaxed)).unwrap_or_default();
                metrics::counter!(name, "partition" => partition.clone()).absolute(value);
            }
            let is_owned = progress.is_owned.load(Ordering::Acquire);
            metrics::gauge!(PARTITION_OWNED, "partition" => partition.clone()).set(f64::from(u8::from(is_owned)));
            let parked = u32::try_from(progress.parked.load(Ordering::Relaxed)).unwrap_or_default();
            metrics::gauge!(RECORDS_PARKED, "partition" => partition.clone()).set(f64::from(parked));
            let copied = progress.snapshot_time.load(Ordering::Relaxed);
            let age = if copied > 0 { now.0.saturating_sub(copied) / Millis::SECOND } else { 0 };
            let age = f64::from(u32::try_from(age.max(0)).unwrap_or(u32::MAX));
            metrics::gauge!(SNAPSHOT_AGE, "partition" => partition.clone()).set(age);
            let committed = progress.committed.load(Ordering::Relaxed);
            metrics::counter!(POSITION_COMMITTED, "partition" => partition).absolute(committed);
        }
    }
}

/// An error's message, and those of its causes behind it.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        message.push_str(": ");
        message.push_str(&source.to_string());
        cause = source.source();
    }
    message
}
