//! Nanoseconds to decode one record of each type.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use tributary::decode::{Decoder, Place};
use tributary::ids::{Offset, Partition};

use super::programme::{Encoded, spec};
use super::report::figure;

/// Each type is read this often.
const READS: usize = 1_000_000;
/// So many different records of a type are read in turn: they are in the processor's cache, as those of a batch are that
/// was just polled.
const DIFFERENT: usize = 500;

/// Key and value.
type Record<'a> = (&'a [u8], &'a [u8]);

pub fn run() {
    let records = Encoded::of(&spec(20, 2_000, 100_000));
    let decoder = Decoder::new();
    let at = Place { topic: "events", partition: Partition(0), offset: Offset(0) };
    let mut by_kind: BTreeMap<&str, Vec<Record<'_>>> = BTreeMap::new();
    for (_, key, value) in records.iter() {
        let event = decoder.decode(value, key, at).unwrap();
        let records = by_kind.entry(event.body.kind().name()).or_default();
        if records.len() < DIFFERENT {
            records.push((key, value));
        }
    }
    for (kind, records) in by_kind {
        let bytes: usize = records.iter().map(|(_, value)| value.len()).sum::<usize>() / records.len();
        let start = Instant::now();
        for (key, value) in records.iter().cycle().take(READS) {
            black_box(decoder.decode(black_box(value), key, at).unwrap());
        }
        let ns = start.elapsed().as_nanos() / READS as u128;
        let asked = if kind == "Click" { "≤ 150 ns" } else { "" };
        figure(&format!("decode {kind}, {bytes} B"), format!("{ns} ns"), asked);
    }
}
