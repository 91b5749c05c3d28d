//! The database, or the log, is away for a while under load: nothing is lost, `/health` says so, and all goes on by
//! itself once it is back.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::world::{LOOK_EVERY, World};
use super::{Beside, Ending, check};
use crate::web::client::{empty, request, send};

/// What `/health` calls long: until then it is degraded, from then on unhealthy. A look at the positions may be some
/// seconds old by itself.
const SILENT_MAX: Duration = Duration::from_secs(30);
const LOOKS_MAX: Duration = Duration::from_secs(10);
/// For slow cores.
const PATIENCE: Duration = Duration::from_secs(120);

/// Records before an outage, and after it.
const LOAD: u64 = 400;
/// For all of it, beside the outage.
const LIMIT: Duration = Duration::from_secs(600);

/// Who is away, and how.
#[derive(Clone, Copy)]
struct Outage {
    service: &'static str,
    /// Stopped with SIGSTOP, so that it takes connections and answers nobody; or ended in order.
    is_paused: bool,
    lasts: Duration,
    /// What health says of it.
    fault: &'static str,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_that_does_not_answer_makes_degraded_then_unhealthy_and_nothing_is_lost() {
    database(true, Duration::from_secs(45)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_log_that_is_stopped_makes_degraded_then_unhealthy_and_nothing_is_lost() {
    log(false, Duration::from_secs(45)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "minutes: it is away for 120 s"]
async fn a_database_that_is_stopped_for_two_minutes_loses_nothing() {
    database(false, Duration::from_secs(120)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "minutes: it is away for 120 s"]
async fn a_log_that_does_not_answer_for_two_minutes_loses_nothing() {
    log(true, Duration::from_secs(120)).await;
}

async fn database(is_paused: bool, lasts: Duration) {
    let fault = "the projections cannot be reached";
    Outage { service: "cassandra", is_paused, lasts, fault }.run().await;
}

async fn log(is_paused: bool, lasts: Duration) {
    let fault = "the log cannot be reached";
    Outage { service: "kafka", is_paused, lasts, fault }.run().await;
}

impl Outage {
    async fn run(self) {
        let Some(world) = World::new("outage", (1, 1, 1)).await else { return };
        let world = Arc::new(world);
        let ending = Ending(Arc::clone(&world));
        let within = tokio::time::timeout(LIMIT + self.lasts, Box::pin(self.on(&world)));
        within.await.unwrap_or_else(|_| panic!("not done within {LIMIT:?} and the outage"));
        world.is_good();
        drop(ending);
    }

    async fn on(self, world: &Arc<World>) {
        let observer = Arc::new(world.observer().await);
        world.worker(0).start();
        let mut beside = Beside::start((world, &observer), 50);
        until(world, PATIENCE, |health| health["status"] == "healthy").await;
        fed(world, &beside).await;

        self.is_away(world, true).await;
        let gone = world.story.now();
        let degraded = until(world, SILENT_MAX, |health| health["status"] != "healthy").await;
        assert_eq!(degraded["status"], "degraded", "at first it may come back: {degraded}");
        self.is_named(world).await;
        let unhealthy = until(world, SILENT_MAX + LOOKS_MAX, |health| health["status"] == "unhealthy").await;
        let after = world.story.now() - gone;
        assert!(after > SILENT_MAX.saturating_sub(LOOKS_MAX), "unhealthy after {after:?} already: {unhealthy}");
        assert!(says(&unhealthy, self.fault), "{unhealthy}");
        tokio::time::sleep(self.lasts.saturating_sub(world.story.now() - gone)).await;
        self.is_away(world, false).await;

        until(world, PATIENCE, |health| health["status"] == "healthy").await;
        fed(world, &beside).await;
        beside.end(world).await;
        let findings = Box::pin(check::check(world, &observer)).await;
        assert!(findings.letters > 0, "outputs were compared: {findings:?}");
        assert_eq!(world.worker(0).own_ends, 0, "the worker went on by itself");
    }

    async fn is_away(self, world: &Arc<World>, is_away: bool) {
        let world = Arc::clone(world);
        let change = move || {
            let (services, name) = (world.services(), format!("{}-1", self.service));
            match (self.is_paused, is_away) {
                (true, true) => services.pause(&name),
                (true, false) => services.resume(&name),
                (false, true) => services.down(&name),
                (false, false) => services.up(&name),
            }
            world.story.tell(format!("{name} is {}", if is_away { "away" } else { "back" }));
        };
        tokio::task::spawn_blocking(change).await.unwrap();
    }

    /// While it is degraded it is said why, too.
    async fn is_named(self, world: &World) {
        until(world, SILENT_MAX, |health| says(health, self.fault)).await;
    }
}

/// Waits until more has come in: an outage is one under load, and what comes after it is part of it.
async fn fed(world: &World, beside: &Beside) {
    let records = || beside.input.records.load(std::sync::atomic::Ordering::Relaxed);
    let (enough, deadline) = (records() + LOAD, world.story.now() + PATIENCE);
    while records() < enough {
        assert!(world.story.now() < deadline, "no {LOAD} records came in within {PATIENCE:?}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn says(health: &Value, fault: &str) -> bool {
    health["faults"].as_array().unwrap().iter().any(|said| said.as_str().unwrap().contains(fault))
}

/// Asks until the answer is as it should be. Each answer comes, whatever is away.
async fn until(world: &World, patience: Duration, is_so: impl Fn(&Value) -> bool) -> Value {
    let deadline = world.story.now() + patience;
    let mut last = String::new();
    loop {
        let address = world.worker(0).address();
        if let Some(address) = address {
            let asked = send(address, request("GET", "/health").body(empty()).unwrap());
            let health = tokio::time::timeout(LOOKS_MAX, asked).await.expect("health answers").json();
            let said = format!("{} {}", health["status"], health["faults"]);
            if health["status"] != last {
                world.story.tell(format!("health: {said}"));
                last = health["status"].as_str().unwrap().to_owned();
            }
            if is_so(&health) {
                return health;
            }
        }
        assert!(world.story.now() < deadline, "not so within {patience:?}, last {last:?}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
