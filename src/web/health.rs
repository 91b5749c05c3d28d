//! How the service is, for people and for whatever restarts it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hyper::StatusCode;
use serde::Serialize;

use super::Access;
use super::generations::{Ask, GenerationStatus, Role, State, Status as Generations};
use super::position::{Place, Seen};
use super::reply::{self, Reply};
use super::server::Shared;
use crate::append::Sink;
use crate::ids::{Millis, Partition};
use crate::project::tables::Class;
use crate::store::{self, Store};
use crate::telemetry::Progress;

/// A partition this far behind makes the service degraded.
const LAG_MS_MAX: i64 = 10_000;
/// A log or a store that does not answer for so long makes it unhealthy; until then it is degraded: it may come back.
const SILENT_MS_MAX: i64 = 30_000;
/// The longest the store may take to say how it is.
const STORE_WAIT_MAX: std::time::Duration = std::time::Duration::from_secs(2);

const WITHOUT_KEYS: &str = "no API keys are asked for: whoever reaches this server may read and write everything; \
                            start it without --insecure-dev";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Healthy,
    Degraded,
    Unhealthy,
}

#[derive(Serialize)]
struct Health {
    status: Status,
    version: &'static str,
    /// Whether API keys are asked for.
    access: &'static str,
    /// What is as somebody asked for, and should not stay so.
    warnings: &'static [&'static str],
    /// What is wrong, and what to do; empty when nothing is.
    faults: Vec<String>,
    store: StoreHealth,
    log: LogHealth,
    projections: Projections,
}

#[derive(Serialize)]
struct StoreHealth {
    reachable: bool,
    latency_us: u64,
}

#[derive(Serialize)]
struct LogHealth {
    reachable: bool,
}

#[derive(Serialize)]
struct Projections {
    /// How old the newest look at the positions is.
    age_ms: Option<i64>,
    partitions: Vec<PartitionHealth>,
    /// The live one, the one before, and the one in the making; null when they cannot be asked.
    generations: Option<Vec<GenerationStatus>>,
}

#[derive(Serialize)]
struct PartitionHealth {
    partition: u32,
    log_end: Option<u64>,
    /// E: outputs are out up to here; null where another process folds it.
    emitted: Option<u64>,
    fast: u64,
    slow: u64,
    /// P, as of the last write of rows: state on its owner's disk is of there.
    committed: u64,
    lag_records: Option<u64>,
    lag_ms: Option<i64>,
    /// This process folds it.
    owned: bool,
}

pub(super) async fn health<S: Store, K: Sink>(shared: &Arc<Shared<S, K>>) -> Reply {
    let asked = tokio::time::timeout(STORE_WAIT_MAX, shared.app.store.health()).await;
    let store = asked.unwrap_or_else(|_| store::Health {
        reachable: false,
        latency_us: u64::try_from(STORE_WAIT_MAX.as_micros()).unwrap_or(u64::MAX),
        detail: "the projections do not answer".to_owned(),
    });
    let seen = Arc::clone(&shared.seen.borrow());
    let asked = tokio::time::timeout(STORE_WAIT_MAX, (shared.app.generations)(Ask::Status)).await;
    let generations = asked.ok().and_then(Result::ok);
    let workers = shared.app.workers.as_ref().map(|workers| workers());
    let (status, faults) = judge(shared, &store, &seen, (generations.as_ref(), workers.as_ref()));
    let now = shared.app.clock.now();
    let health = Health {
        status,
        version: env!("CARGO_PKG_VERSION"),
        access: match shared.app.access {
            Access::Keys => "keys",
            Access::InsecureDev => "insecure-dev",
        },
        warnings: match shared.app.access {
            Access::Keys => &[],
            Access::InsecureDev => &[WITHOUT_KEYS],
        },
        faults,
        store: StoreHealth { reachable: store.reachable, latency_us: store.latency_us },
        log: LogHealth { reachable: seen.log_fault.is_none() },
        projections: Projections {
            age_ms: seen.read_at.map(|read_at| (now.0 - read_at.0).max(0)),
            partitions: partitions(&seen, workers.as_ref(), now),
            generations: generations.map(|all| all.generations),
        },
    };
    let mut reply = reply::json(&health);
    if status == Status::Unhealthy {
        *reply.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    reply
}

fn judge<S, K>(
    shared: &Shared<S, K>,
    store: &store::Health,
    seen: &Seen,
    (generations, workers): (Option<&Generations>, Option<&Progress>),
) -> (Status, Vec<String>) {
    let (mut status, mut faults) = (Status::Healthy, Vec::new());
    let mut find = |found: Status, fault: String| {
        status = status.max(found);
        faults.push(fault);
    };
    let now = shared.app.clock.now();
    for (found, fault) in unanswered(store, seen, now) {
        find(found, fault);
    }
    let halted = workers.and_then(Progress::halted);
    let mut is_told = false;
    for one in generations.iter().flat_map(|all| &all.generations) {
        let why = one.why.as_deref().unwrap_or("it failed a check of its own");
        match (one.role, one.state) {
            (Role::Live, State::Frozen) => {
                is_told = true;
                find(Status::Degraded, format!("generation {} follows the log no more: {why}", one.generation));
            }
            (Role::Live, State::Halted) => {
                is_told = true;
                find(Status::Unhealthy, format!("the worker has stopped: {why}"));
            }
            (Role::Former | Role::Building, State::Halted) => {
                find(Status::Degraded, format!("the worker of generation {} has stopped: {why}", one.generation));
            }
            (Role::Live | Role::Former | Role::Building, _) => {}
        }
    }
    if let Some(why) = halted.filter(|_| !is_told) {
        find(Status::Unhealthy, format!("the worker has stopped: {why}"));
    }
    if workers.is_some_and(Progress::is_struggling) {
        find(Status::Degraded, "the worker cannot write; it tries again and again".to_owned());
    }
    let late = seen.places.iter().filter_map(|place| place.lag_ms(Class::Slow, now)).max().unwrap_or_default();
    if late > LAG_MS_MAX {
        find(Status::Degraded, format!("the projections are {late} ms behind the log"));
    }
    (status, faults)
}

/// What of store and log does not answer: it makes degraded at first, and unhealthy once that has lasted. That a node of
/// the store says how it is does not mean that enough of them are there to read rows.
fn unanswered(store: &store::Health, seen: &Seen, now: Millis) -> Vec<(Status, String)> {
    let silent = |answered_at: Option<Millis>| match answered_at {
        Some(at) if now.0 - at.0 <= SILENT_MS_MAX => (Status::Degraded, format!(" (for {} s)", (now.0 - at.0) / 1_000)),
        Some(at) => (Status::Unhealthy, format!(" (for {} s)", (now.0 - at.0) / 1_000)),
        None => (Status::Unhealthy, String::new()),
    };
    let mut found = Vec::new();
    if !store.reachable {
        let (status, since) = silent(seen.read_at);
        found.push((status, format!("the projections cannot be reached{since}: {}", store.detail)));
    } else if !store.detail.is_empty() {
        found.push((Status::Degraded, store.detail.clone()));
    }
    if let Some(fault) = &seen.log_fault {
        let (status, since) = silent(seen.log_read_at);
        found.push((status, format!("the log cannot be reached{since}: {fault}")));
    }
    if let Some(fault) = &seen.store_fault {
        let (status, since) = silent(seen.read_at);
        found.push((status, format!("rows cannot be read{since}: {fault}")));
    }
    found
}

fn partitions(seen: &Seen, workers: Option<&Progress>, now: Millis) -> Vec<PartitionHealth> {
    let places = (0..).map(Partition).zip(&seen.places);
    let health = |(partition, place): (Partition, &Place)| {
        let ours = workers.and_then(|workers| workers.of(partition));
        let ours = ours.filter(|progress| progress.is_owned.load(Ordering::Acquire));
        PartitionHealth {
            partition: partition.0,
            log_end: place.end.map(|end| end.0),
            emitted: ours.map(|progress| progress.emitted.load(Ordering::Relaxed)),
            fast: place.applied.fast.0,
            slow: place.applied.slow.0,
            committed: place.applied.committed.0,
            lag_records: place.lag_records(Class::Slow),
            lag_ms: place.lag_ms(Class::Slow, now),
            owned: ours.is_some(),
        }
    };
    places.map(health).collect()
}

/// The process answers.
pub(super) fn livez() -> Reply {
    reply::whole(StatusCode::OK, "text/plain; charset=utf-8", "ok\n")
}

/// Questions can be answered: the positions were read a short while ago.
pub(super) fn readyz<S: Store, K: Sink>(shared: &Arc<Shared<S, K>>) -> Reply {
    if shared.seen.borrow().is_fresh(shared.app.clock.now()) {
        return reply::whole(StatusCode::OK, "text/plain; charset=utf-8", "ready\n");
    }
    reply::whole(StatusCode::SERVICE_UNAVAILABLE, "text/plain; charset=utf-8", "not ready\n")
}

pub(super) async fn metrics<S: Store, K: Sink>(shared: &Arc<Shared<S, K>>) -> Reply {
    reply::whole(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", (shared.app.metrics)().await)
}

#[cfg(test)]
mod tests {
    use super::{SILENT_MS_MAX, Status, unanswered};
    use crate::ids::Millis;
    use crate::store::Health;
    use crate::web::position::Seen;

    const NOW: Millis = Millis(1_000_000);

    fn store(reachable: bool, detail: &str) -> Health {
        Health { reachable, latency_us: 1, detail: detail.to_owned() }
    }

    /// Rows were read so long ago, and are not read now.
    fn unread_for(ms: i64) -> Seen {
        let store_fault = Some("enough nodes are not up".to_owned());
        Seen { store_fault, read_at: Some(Millis(NOW.0 - ms)), ..Seen::default() }
    }

    #[test]
    fn rows_that_cannot_be_read_make_degraded_at_first_and_then_unhealthy_though_a_node_answers() {
        let answers = store(true, "");
        assert_eq!(
            unanswered(&answers, &unread_for(SILENT_MS_MAX), NOW),
            [(Status::Degraded, "rows cannot be read (for 30 s): enough nodes are not up".to_owned())]
        );
        assert_eq!(
            unanswered(&answers, &unread_for(SILENT_MS_MAX + 1_000), NOW),
            [(Status::Unhealthy, "rows cannot be read (for 31 s): enough nodes are not up".to_owned())]
        );
    }

    #[test]
    fn rows_that_were_never_read_make_unhealthy() {
        let never = Seen { read_at: None, ..unread_for(0) };
        assert_eq!(
            unanswered(&store(true, ""), &never, NOW),
            [(Status::Unhealthy, "rows cannot be read: enough nodes are not up".to_owned())]
        );
    }

    #[test]
    fn a_store_that_does_not_answer_is_judged_by_when_rows_were_last_read() {
        let away = store(false, "no answer");
        for (ms, status) in [(SILENT_MS_MAX, Status::Degraded), (SILENT_MS_MAX + 1, Status::Unhealthy)] {
            let seen = Seen { store_fault: None, ..unread_for(ms) };
            let fault = "the projections cannot be reached (for 30 s): no answer".to_owned();
            assert_eq!(unanswered(&away, &seen, NOW), [(status, fault)]);
        }
    }

    #[test]
    fn a_log_is_judged_by_when_it_last_answered_and_not_by_the_rows() {
        let seen = Seen {
            read_at: Some(NOW),
            log_fault: Some("no broker".to_owned()),
            log_read_at: Some(Millis(NOW.0 - SILENT_MS_MAX - 1)),
            ..Seen::default()
        };
        let fault = "the log cannot be reached (for 30 s): no broker".to_owned();
        assert_eq!(unanswered(&store(true, ""), &seen, NOW), [(Status::Unhealthy, fault)]);
    }

    #[test]
    fn a_missing_node_makes_degraded_however_long_it_is_away() {
        let seen = Seen { read_at: Some(Millis(0)), ..Seen::default() };
        let missing = store(true, "no connection to 10.0.0.1");
        assert_eq!(unanswered(&missing, &seen, NOW), [(Status::Degraded, "no connection to 10.0.0.1".to_owned())]);
        assert!(unanswered(&store(true, ""), &seen, NOW).is_empty());
    }
}
