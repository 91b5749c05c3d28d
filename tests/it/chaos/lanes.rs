//! Carries the faults out.

use std::time::Duration;

use super::plan::{Fault, Kind, Lane, Whom};
use super::world::World;

/// How often somebody looks whether a worker ended.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// On a thread of its own, until there are no more or the world is over. Returns how many there were.
pub(super) fn carry_out(world: &World, lane: &Lane) -> usize {
    for (n, fault) in lane.faults.iter().enumerate() {
        if !world.rest(fault.after) {
            return n;
        }
        let who = format!("{} {}", lane.whom.name(), fault.victim);
        world.story.tell(format!("{who}: {} for {:.1} s", fault.kind.name(), fault.lasts.as_secs_f64()));
        match lane.whom {
            Whom::Worker => hurt_worker(world, fault),
            Whom::Broker => hurt_service(world, "kafka", fault),
            Whom::Database => hurt_service(world, "cassandra", fault),
        }
        world.story.tell(format!("{who}: back"));
    }
    lane.faults.len()
}

/// Its lock is not held while it is away: others look after it meanwhile.
fn hurt_worker(world: &World, fault: &Fault) {
    let worker = || world.worker(fault.victim);
    match fault.kind {
        Kind::Kill | Kind::LoseDisk => worker().kill(),
        Kind::Pause | Kind::LongPause => worker().pause(),
        Kind::Stop => {
            let is_in_time = worker().stop();
            if !is_in_time {
                world.story.tell(format!("worker {}: did not end in time", fault.victim));
            }
        }
    }
    world.rest(fault.lasts);
    match fault.kind {
        Kind::Pause | Kind::LongPause => worker().resume(),
        Kind::LoseDisk => {
            let mut worker = worker();
            worker.lose_disk();
            worker.start();
        }
        Kind::Kill | Kind::Stop => worker().start(),
    }
}

fn hurt_service(world: &World, service: &str, fault: &Fault) {
    let (name, services) = (format!("{service}-{}", fault.victim + 1), world.services());
    match fault.kind {
        Kind::Kill => services.kill(&name),
        Kind::Pause | Kind::LongPause => services.pause(&name),
        Kind::Stop => services.down(&name),
        Kind::LoseDisk => panic!("services keep their disks"),
    }
    world.rest(fault.lasts);
    match fault.kind {
        Kind::Pause | Kind::LongPause => services.resume(&name),
        Kind::Kill | Kind::LoseDisk | Kind::Stop => services.up(&name),
    }
}

/// On a thread of its own, until the world is over.
pub(super) fn look_after_workers(world: &World) {
    while world.rest(LOOK_EVERY) {
        world.look_after_workers();
    }
}
