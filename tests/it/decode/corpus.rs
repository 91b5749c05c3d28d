//! The inputs that fuzzing kept: each an event that reads back the same, or an error.

use std::fs;
use std::path::Path;

use tributary::decode::{Decoder, Error, Scratch, from_json};
use tributary::schema;

use super::place;

/// The files of one target.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/kept").join(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let inputs: Vec<_> = files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(inputs.len() >= 20, "{} inputs in {}", inputs.len(), folder.display());
    inputs
}

#[test]
fn every_kept_record_is_an_event_or_an_error() {
    let mut decoder = Decoder::new();
    decoder.register(1, include_str!("../../../fuzz/evolved.avsc")).unwrap();
    let mut events = 0;
    for bytes in corpus("decode") {
        let key = match decoder.decode(&bytes, b"acme", place()) {
            Err(Error::WrongKey { creator_id, .. }) => creator_id,
            Err(_) => continue,
            Ok(_) => "acme".to_owned(),
        };
        let event = decoder.decode(&bytes, key.as_bytes(), place()).unwrap();
        let mut again = Vec::new();
        schema::encode(&event, &mut again);
        assert_eq!(decoder.decode(&again, key.as_bytes(), place()).as_ref(), Ok(&event));
        events += 1;
    }
    assert!(events > 0, "no kept record is an event any more");
}

#[test]
fn every_kept_text_is_an_event_or_an_error() {
    let mut events = 0;
    for text in corpus("json") {
        let (mut scratch, mut other) = (Scratch::default(), Scratch::default());
        let Ok(event) = from_json(&text, &mut scratch) else { continue };
        let mut json = Vec::new();
        schema::to_json(&event, &mut json);
        assert_eq!(from_json(&json, &mut other).as_ref(), Ok(&event));
        events += 1;
    }
    assert!(events > 0, "no kept text is an event any more");
}
