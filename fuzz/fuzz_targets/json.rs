//! Any text is an event or an error; an event is written as JSON and as bytes, and read back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tributary::decode::{Scratch, from_json};
use tributary::schema;

fuzz_target!(|text: &[u8]| {
    let (mut scratch, mut other) = (Scratch::default(), Scratch::default());
    let event = match from_json(text, &mut scratch) {
        Ok(event) => event,
        Err(error) => return drop(error.to_string()),
    };
    let mut json = Vec::new();
    schema::to_json(&event, &mut json);
    assert_eq!(from_json(&json, &mut other).as_ref(), Ok(&event));
});
