//! The fold on one core: decoding, meaning, state; with and without commits.

use std::time::Instant;

use tributary::decode::{Decoder, Place};
use tributary::fold::effects::Effects;
use tributary::fold::state::State;
use tributary::fold::{FINGERPRINT, Fold, Origin};
use tributary::ids::{Next, Offset, Partition};
use tributary::keep::{Identity, Limits, Store};

use super::programme::{Encoded, spec};
use super::{machine, programme};

pub fn run(events: u64) {
    let records = Encoded::of(&spec(20, u32::try_from(events / 20).unwrap(), events));
    println!("{} records, {} B each", records.len(), records.bytes() / records.len());
    decode_only(&records);
    let _ = programme::START;
    for with_commits in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        fold_all(&records, with_commits.then_some(dir.path()));
    }
}

fn decode_only(records: &Encoded) {
    let decoder = Decoder::new();
    let start = Instant::now();
    let mut read = 0_u64;
    for (offset, (_, key, value)) in (0..).zip(records.iter()) {
        let at = Place { topic: "events", partition: Partition(0), offset: Offset(offset) };
        read += u64::from(decoder.decode(value, key, at).is_ok());
    }
    report("decode", records.len(), start, read);
}

fn fold_all(records: &Encoded, dir: Option<&std::path::Path>) {
    let decoder = Decoder::new();
    let mut state = State::default();
    let identity = Identity { topic: [0; 16], partition: Partition(0), generation: 1, fingerprint: FINGERPRINT };
    let mut keep = dir.map(|dir| Store::open(dir, identity, Limits::default(), &mut state).unwrap().0);
    let (mut fold, mut effects) = (Fold::default(), Effects::default());
    let (start, cpu) = (Instant::now(), machine::cpu());
    for (offset, (timestamp, key, value)) in (0..).zip(records.iter()) {
        let at = Place { topic: "events", partition: Partition(0), offset: Offset(offset) };
        if let Ok(event) = decoder.decode(value, key, at) {
            fold.apply(&mut state, &mut effects, &event, Origin { offset: Offset(offset), timestamp });
        }
        if offset % 4_096 == 4_095 {
            effects.letters.clear();
            if let Some(keep) = &mut keep {
                keep.tick(&mut state).unwrap();
                if keep.due() {
                    keep.commit(&mut state, Next(offset + 1)).unwrap();
                }
                keep.release(Next(offset + 1));
            }
        }
        if offset % 500_000 == 499_999 {
            effects = Effects::default();
        }
    }
    if let Some(keep) = &mut keep {
        keep.flush().unwrap();
    }
    report(if dir.is_some() { "fold with commits" } else { "fold in RAM" }, records.len(), start, 0);
    let used = machine::cpu() - cpu;
    println!(
        "  CPU-s per million: {:.2}, RSS {:?} MiB",
        used.as_secs_f64() * 1e6 / records.len() as f64,
        machine::rss_mib()
    );
}

fn report(what: &str, events: usize, start: Instant, read: u64) {
    let took = start.elapsed();
    let a_second = events as f64 / took.as_secs_f64();
    println!("{what}: {a_second:.0}/s, {:.0} ns each ({read})", took.as_nanos() as f64 / events as f64);
}
