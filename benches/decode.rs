//! What one event costs: bytes to event, event to bytes, JSON to event. The records are the golden ones, a click of
//! 12 fields beside them.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use tributary::decode::{Decoder, Place, Scratch, from_json};
use tributary::event::{Event, Kind};
use tributary::ids::{Offset, Partition};
use tributary::schema;

const CLICK_12: &str = r#"{"type":"Click","event_id":"01J0Z6S2V7C8E9","creator_id":"creator-00042","occurred_at":1717200000000,
    "received_at":1717200000250,"click_id":"c-01J0Z6S2V7C8E9","referral_code":"ANA10","platform":"whatsapp",
    "ip_token":"00112233445566778899aabbccddeeff","device_token":"00112233445566778899aabbccddeeff",
    "user_agent":"Mozilla/5.0","country":"DE","device_class":"mobile"}"#;

/// The JSON of every golden record, named.
fn records() -> Vec<(String, String)> {
    let mut records = vec![("Click 12".to_owned(), CLICK_12.to_owned())];
    for kind in Kind::ALL {
        let file = format!("{}/schemas/golden/v1/{}.json", env!("CARGO_MANIFEST_DIR"), kind.name());
        let golden: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        for form in ["minimal", "full"] {
            records.push((format!("{} {form}", kind.name()), golden[form]["event"].to_string()));
        }
    }
    records
}

fn bytes(event: &Event<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    schema::encode(event, &mut bytes);
    bytes
}

fn decode(criterion: &mut Criterion) {
    let decoder = Decoder::new();
    let at = Place { topic: "tributary.events", partition: Partition(0), offset: Offset(0) };
    let mut group = criterion.benchmark_group("decode");
    for (name, json) in records() {
        let mut scratch = Scratch::default();
        let event = from_json(json.as_bytes(), &mut scratch).unwrap();
        let bytes = bytes(&event);
        let key = event.creator_id.0.as_bytes();
        group.bench_function(name, |b| {
            b.iter(|| decoder.decode(black_box(&bytes), key, at).map(|e| black_box(e).occurred_at))
        });
    }
}

fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    for (name, json) in records() {
        let mut scratch = Scratch::default();
        let event = from_json(json.as_bytes(), &mut scratch).unwrap();
        let mut out = Vec::with_capacity(4_096);
        group.bench_function(name, |b| {
            b.iter(|| {
                out.clear();
                schema::encode(black_box(&event), &mut out);
                out.len()
            });
        });
    }
}

fn json(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("from_json");
    let mut scratch = Scratch::default();
    for (name, json) in records() {
        group.bench_function(name, |b| {
            b.iter(|| from_json(black_box(json.as_bytes()), &mut scratch).map(|e| black_box(e).occurred_at));
        });
    }
}

criterion_group!(benches, decode, encode, json);
criterion_main!(benches);
