//! Any bytes are an event or an error; an event is written and read back the same.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tributary::decode::{Decoder, Error, Place};
use tributary::ids::{Offset, Partition};
use tributary::schema;

/// Beside our own schemas one with every type that has to be passed over.
static DECODER: LazyLock<Decoder> = LazyLock::new(|| {
    let mut decoder = Decoder::new();
    decoder.register(1, include_str!("../evolved.avsc")).expect("the evolved schema can be read");
    decoder
});

fuzz_target!(|bytes: &[u8]| {
    let at = Place { topic: "t", partition: Partition(0), offset: Offset(0) };
    // The key is the creator, or most records would stop there.
    let key = match DECODER.decode(bytes, b"acme", at) {
        Err(Error::WrongKey { creator_id, .. }) => creator_id,
        Err(error) => return drop(error.reason()),
        Ok(_) => "acme".to_owned(),
    };
    let event = DECODER.decode(bytes, key.as_bytes(), at).expect("only the key was wrong");
    let mut again = Vec::new();
    schema::encode(&event, &mut again);
    assert_eq!(DECODER.decode(&again, key.as_bytes(), at).as_ref(), Ok(&event));
});
