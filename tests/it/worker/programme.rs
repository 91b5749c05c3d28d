//! A simulated programme in an embedded log.

use tributary::append::{Outgoing, Sink};
use tributary::ids::Millis;
use tributary::run::Program;
use tributary::simulate::{Pace, Simulated, Simulation, Spec};

/// 2026-01-05T00:00Z, a Monday.
pub const START: Millis = Millis(1_767_571_200_000);

pub fn spec(creators: u32, members: u32, events: u64, seed: u64) -> Spec {
    Spec { creators, members, events, seed, start: START, pace: Pace::History { days: 60 }, signups_permille: 200 }
}

/// The records as producers would have sent them: in order of arrival, the log's own timestamp being the arrival.
pub fn records(spec: &Spec, partitions: u32) -> Vec<Outgoing> {
    Simulation::new(spec).map(|record| outgoing(&record, partitions)).collect()
}

fn outgoing(record: &Simulated, partitions: u32) -> Outgoing {
    Outgoing::of_event(&record.event(), record.arrival, partitions)
}

pub async fn fill(engine: &Program, spec: &Spec) {
    let partitions = engine.log.topic().partitions;
    let mut batch = Vec::new();
    for record in Simulation::new(spec) {
        batch.push(outgoing(&record, partitions));
        if batch.len() == 4_096 {
            engine.sink.append(std::mem::take(&mut batch)).await.unwrap();
        }
    }
    engine.sink.append(batch).await.unwrap();
}
