//! Bytes that nobody wrote in good faith: an event or an error, soon, and in little memory.

use tributary::decode::{Decoder, Error, Fault, Verdict};
use tributary::event::{Body, Kind};
use tributary::schema;

use super::memory::peak;
use super::place;
use super::sample::{Dice, with_event};

/// What any one record may make the decoder allocate: lists of 64 texts, 10,000 notes, a message.
const BYTES_MAX: usize = 1 << 20;

fn long(number: i64) -> Vec<u8> {
    let mut rest = ((number << 1) ^ (number >> 63)) as u64;
    let mut out = Vec::new();
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
    out
}

fn text(text: &str) -> Vec<u8> {
    [long(text.len() as i64), text.as_bytes().to_vec()].concat()
}

/// A record of a kind with these bytes behind the common fields.
fn record(kind: Kind, attributes: &[u8], body: &[u8]) -> Vec<u8> {
    let current = schema::current().find(|schema| schema.name() == kind.name()).unwrap();
    let head = [&schema::SINGLE_OBJECT[..], &current.fingerprint.to_le_bytes()].concat();
    [&head[..], &text("e"), &text("acme"), &long(5), &[0], attributes, body].concat()
}

/// A member with these bytes as its list of coupons.
fn member(coupons: &[u8]) -> Vec<u8> {
    record(Kind::Member, &[0], &[&text("m")[..], &[0, 0, 0], coupons, &[0, 0]].concat())
}

/// Decodes with the memory watched.
fn decode(decoder: &Decoder, bytes: &[u8]) -> Result<usize, Error> {
    let mut outcome = Ok(0);
    let held = peak(|| {
        outcome = decoder.decode(bytes, b"acme", place()).map(|event| match event.body {
            Body::Member(member) => member.coupons.len(),
            _ => event.attributes.len(),
        });
    });
    assert!(held <= BYTES_MAX, "{held} bytes held for a record of {}", bytes.len());
    outcome
}

fn fault(bytes: &[u8]) -> Fault {
    match decode(&Decoder::new(), bytes) {
        Err(Error::Malformed { source, .. }) => source,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_list_may_come_in_blocks_with_and_without_their_size() {
    let (a, b) = (text("a"), text("b"));
    let plain = [&long(2)[..], &a, &b, &[0]].concat();
    let sized = [&long(-2)[..], &long(4), &a, &b, &[0]].concat();
    let mixed = [&long(1)[..], &a, &long(-1), &long(2), &b, &[0]].concat();
    for coupons in [plain, sized, mixed] {
        assert_eq!(decode(&Decoder::new(), &member(&coupons)), Ok(2));
    }
}

#[test]
fn a_block_that_lies_about_its_size_is_refused() {
    let short = [&long(-2)[..], &long(3), &text("a"), &text("b"), &[0]].concat();
    assert_eq!(fault(&member(&short)), Fault::Block);
}

#[test]
fn a_count_beyond_the_bytes_is_refused() {
    for count in [3, 64, 1 << 20, i64::MAX] {
        assert_eq!(fault(&member(&[long(count), text("a")].concat())), Fault::Cut, "{count}");
    }
    assert_eq!(fault(&member(&[&long(i64::MIN)[..], &long(-1)].concat())), Fault::Length);
    assert_eq!(fault(&member(&[&long(-1)[..], &long(i64::MAX)].concat())), Fault::Cut);
}

#[test]
fn lists_are_limited_while_they_are_read() {
    let list = |n: usize| [&long(n as i64)[..], &text("a").repeat(n), &[0]].concat();
    assert_eq!(decode(&Decoder::new(), &member(&list(64))), Ok(64));
    assert_eq!(fault(&member(&list(65))), Fault::Items);
    assert_eq!(fault(&member(&list(1_000_000))), Fault::Items);
}

#[test]
fn notes_are_limited_while_they_are_read() {
    let notes = |n: usize| [&long(n as i64)[..], &[0, 0].repeat(n), &[0]].concat();
    assert_eq!(fault(&record(Kind::Tick, &notes(10_001), &[])), Fault::Notes);
    let large = [&long(1)[..], &text("k"), &text(&"v".repeat(10_000)), &[0]].concat();
    assert_eq!(fault(&record(Kind::Tick, &large, &[])), Fault::Notes);
    let fits = [&long(1)[..], &text("k"), &text(&"v".repeat(9_999)), &[0]].concat();
    assert_eq!(decode(&Decoder::new(), &record(Kind::Tick, &fits, &[])), Ok(1));
}

#[test]
fn a_note_under_one_key_twice_is_refused() {
    let notes = [&long(2)[..], &text("k"), &text("a"), &text("k"), &text("b"), &[0]].concat();
    let error = decode(&Decoder::new(), &record(Kind::Tick, &notes, &[])).unwrap_err();
    assert_eq!(error.class(), "invalid_field");
}

#[test]
fn numbers_lengths_texts_and_flags_are_checked() {
    let body = |id: &[u8]| record(Kind::Sighting, &[0], &[id, &[0; 5]].concat());
    assert_eq!(fault(&body(&[0xFF; 11])), Fault::Number);
    assert_eq!(fault(&body(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2])), Fault::Number);
    assert_eq!(fault(&body(&long(-1))), Fault::Length);
    assert_eq!(fault(&body(&long(i64::MAX))), Fault::Cut);
    assert_eq!(fault(&body(&[2, 0xFF])), Fault::Utf8);
    assert_eq!(fault(&record(Kind::Sighting, &[0], &[&text("m")[..], &[4]].concat())), Fault::Branch(2));
    assert_eq!(fault(&record(Kind::Tick, &[0], &[0])), Fault::Trailing(1));
    let flag = [&long(0)[..], &long(0), &text("m"), &[2, 0, 0]].concat();
    assert_eq!(fault(&record(Kind::ListEntry, &[0], &flag)), Fault::Flag);
    assert_eq!(fault(&record(Kind::ListEntry, &[0], &long(2))), Fault::Symbol(2));
}

#[test]
fn cut_and_flipped_records_are_events_or_dead_letters_in_little_memory() {
    let decoder = Decoder::new();
    for seed in 0..200 {
        with_event(seed, |event, dice| {
            let mut bytes = Vec::new();
            schema::encode(event, &mut bytes);
            for end in 0..bytes.len() {
                let error = decode(&decoder, &bytes[..end]).expect_err("a cut record is no event");
                assert_eq!(error.class(), "undecodable", "cut at {end}");
                assert_eq!(error.verdict(), Verdict::DeadLetter);
            }
            for _ in 0..200 {
                let mut flipped = bytes.clone();
                let at = 10 + dice.below(bytes.len() - 10);
                flipped[at] ^= 1 << dice.below(8);
                let _ = decode(&decoder, &flipped);
            }
        });
    }
}

#[test]
fn garbage_behind_a_good_head_is_an_event_or_a_dead_letter_in_little_memory() {
    let decoder = Decoder::new();
    let mut dice = Dice(7);
    for round in 0..20_000 {
        let kind = dice.pick(&Kind::ALL);
        let mut bytes = record(kind, &[0], &[]);
        bytes.extend((0..dice.below(200)).map(|_| dice.next() as u8));
        if let Err(error) = decode(&decoder, &bytes) {
            assert_eq!(error.verdict(), Verdict::DeadLetter, "round {round}");
        }
    }
}

/// A decoder that knows ticks with one more field, and a record of it.
fn passed_over(field: &str, bytes: &[u8]) -> Result<usize, Error> {
    let schema = format!(
        r#"{{"type":"record","name":"Tick","fields":[{{"name":"event_id","type":"string"}},
            {{"name":"creator_id","type":"string"}},{{"name":"occurred_at","type":"long"}},
            {{"name":"other","type":{field}}}]}}"#
    );
    let mut decoder = Decoder::new();
    decoder.register(9, &schema).unwrap();
    let head = [&[0, 0, 0, 0, 9][..], &text("e"), &text("acme"), &long(5)].concat();
    decode(&decoder, &[&head[..], bytes].concat())
}

fn cannot_pass_over(field: &str, bytes: &[u8]) -> Fault {
    match passed_over(field, bytes) {
        Err(Error::Malformed { source, .. }) => source,
        other => panic!("{other:?}"),
    }
}

#[test]
fn items_of_no_bytes_are_passed_over_at_once_however_many() {
    let many = [long(i64::MAX), long(1 << 62), long(0)].concat();
    for item in [r#""null""#, r#"{"type":"record","name":"E","fields":[]}"#, r#"{"type":"fixed","name":"F","size":0}"#]
    {
        let array = format!(r#"{{"type":"array","items":{item}}}"#);
        assert_eq!(passed_over(&array, &many), Ok(0), "{item}");
    }
}

#[test]
fn unknown_fields_that_claim_more_than_there_is_are_refused() {
    let longs = r#"{"type":"array","items":"long"}"#;
    assert_eq!(cannot_pass_over(longs, &[&long(i64::MAX)[..], &[0; 100]].concat()), Fault::Cut);
    assert_eq!(cannot_pass_over(longs, &[&long(-5)[..], &long(1 << 40)].concat()), Fault::Cut);
    let map = r#"{"type":"map","values":"null"}"#;
    assert_eq!(cannot_pass_over(map, &[&long(i64::MAX)[..], &[0; 100]].concat()), Fault::Cut);
    assert_eq!(cannot_pass_over(r#"["null","long"]"#, &long(2)), Fault::Branch(2));
    assert_eq!(cannot_pass_over(r#""bytes""#, &long(-2)), Fault::Length);
}

#[test]
fn records_nested_in_themselves_without_end_are_refused() {
    let list = r#"{"type":"record","name":"L","fields":[{"name":"next","type":["null","L"]}]}"#;
    assert_eq!(passed_over(list, &[&[2; 50][..], &[0]].concat()), Ok(0));
    assert_eq!(cannot_pass_over(list, &[2; 100_000]), Fault::Depth);
    let endless = r#"{"type":"record","name":"L","fields":[{"name":"next","type":"L"},{"name":"too","type":"L"}]}"#;
    assert_eq!(cannot_pass_over(endless, &[]), Fault::Depth);
    let tree = r#"{"type":"record","name":"T","fields":[{"name":"t","type":{"type":"array","items":"T"}}]}"#;
    assert_eq!(cannot_pass_over(tree, &[2; 100_000]), Fault::Depth);
}

#[test]
fn a_schema_whose_records_double_at_each_level_is_compiled_in_no_time() {
    let mut fields = String::from(r#"{"type":"record","name":"R0","fields":[{"name":"n","type":"long"}]}"#);
    for n in 1..40 {
        let inner = n - 1;
        fields = format!(
            r#"{{"type":"record","name":"R{n}","fields":[{{"name":"a","type":{fields}}},{{"name":"b","type":"R{inner}"}}]}}"#
        );
    }
    assert_eq!(cannot_pass_over(&fields, &[0; 1000]), Fault::Cut);
}

/// A map has no order: a resend may write it in another one, and is still the same event.
#[test]
fn notes_are_sorted_by_key() {
    let decoder = Decoder::new();
    let read = |first: &str, second: &str| {
        let notes = [&long(2)[..], &text(first), &text("v"), &text(second), &text("v"), &[0]].concat();
        let bytes = record(Kind::Tick, &notes, &[]);
        decoder
            .decode(&bytes, b"acme", place())
            .unwrap()
            .attributes
            .iter()
            .map(|note| note.0.to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(read("b", "a"), ["a", "b"]);
    assert_eq!(read("a", "b"), ["a", "b"]);
}
