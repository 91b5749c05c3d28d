//! The fold on one core: decoding, meaning, state; with and without commits.

use std::time::Instant;

use tributary::decode::{Decoder, Place};
use tributary::fold::effects::Effects;
use tributary::fold::state::State;
use tributary::fold::{FINGERPRINT, Fold, Origin, warm};
use tributary::ids::{Next, Offset, Partition};
use tributary::keep::{Identity, Limits, Store};

use super::machine;
use super::programme::{Encoded, spec};
use super::report::figure;

pub fn run(events: u64) {
    let records = Encoded::of(&spec(20, u32::try_from(events / 20).unwrap(), events));
    for with_commits in [false, true] {
        let dir = tempfile::tempdir_in(".").unwrap();
        fold_all(&records, with_commits.then_some(dir.path()));
    }
}

fn fold_all(records: &Encoded, dir: Option<&std::path::Path>) {
    let decoder = Decoder::new();
    let mut state = State::default();
    let identity = Identity { topic: [0; 16], partition: Partition(0), generation: 1, fingerprint: FINGERPRINT };
    let mut keep = dir.map(|dir| Store::open(dir, identity, Limits::default(), &mut state).unwrap().0);
    let (mut fold, mut effects) = (Fold::default(), Effects::from(Next(0)));
    let (start, cpu, own) = (Instant::now(), machine::cpu(), machine::cpu_of_thread());
    let mut next = 0;
    for chunk in records.chunks(warm::AHEAD) {
        let mut events = Vec::with_capacity(warm::AHEAD);
        for (timestamp, key, value) in chunk {
            let offset = Offset(next);
            next += 1;
            if let Ok(event) = decoder.decode(value, key, Place { topic: "events", partition: Partition(0), offset }) {
                events.push((event, Origin { offset, timestamp }));
            }
        }
        fold.apply_all(&mut state, &mut effects, &events);
        // The worker writes them out before it goes on.
        effects.letters.clear();
        effects.decisions.clear();
        if let Some(keep) = keep.as_mut().filter(|_| next % 4_096 == 0) {
            keep.tick(&mut state).unwrap();
            if keep.due() {
                keep.commit(&mut state, Next(next)).unwrap();
            }
            keep.release(Next(next));
        }
        if next % 512_000 == 0 {
            effects = Effects::from(Next(next));
        }
    }
    if let Some(keep) = &mut keep {
        keep.flush().unwrap();
    }
    let (took, used, own) = (start.elapsed(), machine::cpu() - cpu, machine::cpu_of_thread() - own);
    let events = records.len() as f64;
    let (what, asked) = match dir {
        None => ("decode and fold on one core, in RAM", ""),
        Some(_) => ("decode and fold on one core, with state commits", "≥ 300,000"),
    };
    let (rate, per_million) = (events / took.as_secs_f64(), used.as_secs_f64() * 1e6 / events);
    let own = own.as_secs_f64() * 1e6 / events;
    figure(
        what,
        format!("{rate:.0} events/s, {per_million:.2} CPU-s per million, {own:.2} of them the fold's thread"),
        asked,
    );
}
