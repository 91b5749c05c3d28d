//! What becomes of records that are no events.

use expect_test::{Expect, expect};
use tributary::decode::{Decoder, Error};
use tributary::schema;

use super::place;

fn tick(creator: &str) -> Vec<u8> {
    let json = format!(r#"{{"type":"Tick","event_id":"e","creator_id":"{creator}","occurred_at":5}}"#);
    let mut scratch = tributary::decode::Scratch::default();
    let mut bytes = Vec::new();
    schema::encode(&tributary::decode::from_json(json.as_bytes(), &mut scratch).unwrap(), &mut bytes);
    bytes
}

fn check(outcome: Result<impl std::fmt::Debug, Error>, expected: Expect) {
    let error = outcome.expect_err("no event");
    expected.assert_eq(&format!("{:?}, {}: {}", error.verdict(), error.class(), error.reason()));
}

fn decode(bytes: &[u8], key: &str, expected: Expect) {
    check(Decoder::new().decode(bytes, key.as_bytes(), place()), expected);
}

#[test]
fn a_newer_writers_record_halts_and_garbage_is_a_dead_letter() {
    let mut newer = tick("acme");
    newer[2..10].copy_from_slice(&[0x11; 8]);
    decode(
        &newer,
        "acme",
        expect![
            "Halt, unknown_schema: no schema 1111111111111111 for the record at tributary.events[3]@41; upgrade this consumer, a newer writer may be ahead"
        ],
    );
    decode(
        &newer[..12],
        "acme",
        expect![
            "DeadLetter, unknown_schema: no schema 1111111111111111 for the record at tributary.events[3]@41; upgrade this consumer, a newer writer may be ahead"
        ],
    );
    let registered = [&[0, 0, 0, 1, 2][..], &newer[10..]].concat();
    decode(
        &registered,
        "acme",
        expect![
            "Halt, unknown_schema: no schema with the id 258 for the record at tributary.events[3]@41; `kafka.registry_url` must name the registry that its writer used"
        ],
    );
    decode(
        &registered[..6],
        "acme",
        expect![
            "DeadLetter, unknown_schema: no schema with the id 258 for the record at tributary.events[3]@41; `kafka.registry_url` must name the registry that its writer used"
        ],
    );
}

#[test]
fn a_record_without_a_known_head_is_undecodable() {
    let unframed = "DeadLetter, undecodable: the record at tributary.events[3]@41 begins neither as Avro's single-object encoding nor as Confluent's framing";
    for bytes in [&b""[..], b"{\"type\":\"Click\"}", b"\xC3", b"\xC3\x01", b"\xC3\x02aaaaaaaa", b"\0", b"\0\0\0\0"] {
        let error = Decoder::new().decode(bytes, b"acme", place()).unwrap_err();
        assert_eq!(format!("{:?}, {}: {}", error.verdict(), error.class(), error.reason()), unframed);
    }
}

#[test]
fn the_key_must_be_the_creator() {
    decode(
        &tick("acme"),
        "",
        expect!["DeadLetter, missing_key: the record at tributary.events[3]@41 has no key; it must be the creator_id"],
    );
    decode(
        &tick("acme"),
        "globex",
        expect![
            "DeadLetter, wrong_key: the record at tributary.events[3]@41 belongs to creator `acme`, but its key is another's"
        ],
    );
    let error = Decoder::new().decode(&tick("acme"), b"globex", place()).unwrap_err();
    assert_eq!(error.misrouted(), Some("acme"));
}

#[test]
fn faults_name_the_field() {
    let mut cut = tick("acme");
    cut.truncate(14);
    decode(
        &cut,
        "acme",
        expect![
            "DeadLetter, undecodable: cannot read the record at tributary.events[3]@41 as Tick, field `creator_id`: the bytes end too early"
        ],
    );
    let long = "x".repeat(65);
    decode(
        &tick_of(&long),
        &long,
        expect![
            "DeadLetter, invalid_field: the Tick at tributary.events[3]@41 is not well formed: `creator_id` must be 1 to 64 bytes"
        ],
    );
}

/// A tick that `from_json` would refuse.
fn tick_of(creator: &str) -> Vec<u8> {
    use tributary::event::{Body, Event};
    use tributary::ids::{CreatorId, EventId, Millis};
    let event = Event {
        event_id: EventId("e"),
        creator_id: CreatorId(creator),
        occurred_at: Millis(5),
        received_at: None,
        attributes: Vec::new(),
        body: Body::Tick,
    };
    let mut bytes = Vec::new();
    schema::encode(&event, &mut bytes);
    bytes
}

#[test]
fn a_record_of_another_name_is_of_an_unknown_type() {
    let mut decoder = Decoder::new();
    let foreign = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"long"}]}"#;
    let refused = decoder.register(5, foreign).unwrap_err();
    expect!["`Order` is not a record of Tributary"].assert_eq(&refused.to_string());
    check(
        decoder.decode(&[0, 0, 0, 0, 5, 2], b"acme", place()),
        expect![
            "DeadLetter, unknown_type: the record at tributary.events[3]@41 is a `Order`, which is no event of Tributary"
        ],
    );
}

/// A tick of another writer, with these fields behind the ids.
fn register(fields: &str) -> Result<Decoder, String> {
    let mut decoder = Decoder::new();
    let schema = format!(
        r#"{{"type":"record","name":"Tick","namespace":"com.example","fields":[
        {{"name":"event_id","type":"string"}},{{"name":"creator_id","type":"string"}},{fields}]}}"#
    );
    decoder.register(5, &schema).map(|()| decoder).map_err(|error| error.to_string())
}

#[test]
fn a_schema_that_cannot_become_ours_is_refused_with_the_field() {
    let refused = |fields: &str, expected: Expect| expected.assert_eq(&register(fields).unwrap_err());
    refused(r#"{"name":"when","type":"long"}"#, expect!["it has no field `occurred_at`, which `Tick` must have"]);
    refused(
        r#"{"name":"occurred_at","type":"double"}"#,
        expect!["its field `occurred_at` of `Tick` cannot become ours: it must be a long in milliseconds"],
    );
    refused(
        r#"{"name":"occurred_at","type":{"type":"long","logicalType":"timestamp-micros"}}"#,
        expect!["its field `occurred_at` of `Tick` cannot become ours: it must be a long in milliseconds"],
    );
    refused(
        r#"{"name":"occurred_at","type":["null","string"]}"#,
        expect!["its field `occurred_at` of `Tick` cannot become ours: it must be a long in milliseconds"],
    );
    let mut decoder = Decoder::new();
    assert!(decoder.register(5, "{").is_err());
    check(
        decoder.decode(&[0, 0, 0, 0, 5, 2], b"acme", place()),
        expect![
            "DeadLetter, incompatible_schema: the writer's schema of the record at tributary.events[3]@41 cannot be read: it is not an Avro schema: Failed to parse schema from JSON"
        ],
    );
}

#[test]
fn null_for_a_field_that_must_be_there_is_a_dead_letter() {
    let decoder = register(r#"{"name":"occurred_at","type":["null","long"]}"#).unwrap();
    let there = [&[0, 0, 0, 0, 5, 2, b'e', 8][..], b"acme", &[2, 10]].concat();
    assert!(decoder.decode(&there, b"acme", place()).is_ok());
    let null = [&[0, 0, 0, 0, 5, 2, b'e', 8][..], b"acme", &[0]].concat();
    check(
        decoder.decode(&null, b"acme", place()),
        expect![
            "DeadLetter, undecodable: cannot read the record at tributary.events[3]@41 as Tick, field `occurred_at`: it is null, but must be there"
        ],
    );
}

#[test]
fn an_unknown_symbol_is_named() {
    let mut decoder = Decoder::new();
    let schema = r#"{"type":"record","name":"Erasure","fields":[
        {"name":"event_id","type":"string"},{"name":"creator_id","type":"string"},{"name":"occurred_at","type":"long"},
        {"name":"subject_type","type":{"type":"enum","name":"Subject","symbols":["visitor","member"]}},
        {"name":"subject_id","type":"string"},{"name":"actor","type":"string"}]}"#;
    decoder.register(5, schema).unwrap();
    let body = |symbol: u8| [&[0, 0, 0, 0, 5, 2, b'e', 8][..], b"acme", &[10, symbol, 2, b's', 2, b'a']].concat();
    assert!(decoder.decode(&body(2), b"acme", place()).is_ok());
    check(
        decoder.decode(&body(0), b"acme", place()),
        expect![
            "DeadLetter, invalid_field: `subject_type` of the record at tributary.events[3]@41 has the symbol `visitor`, which this program does not know"
        ],
    );
}

#[test]
fn rusts_and_javas_fingerprints_are_both_known() {
    let schema = apache_avro::Schema::parse_str(schema::current().last().unwrap().json).unwrap();
    assert_ne!(schema::fingerprint(&schema), schema::fingerprint_of_apache_avro(&schema));
    for current in schema::current().filter(|schema| schema.name() == "Tick") {
        let schema = apache_avro::Schema::parse_str(current.json).unwrap();
        let mut bytes = tick("acme");
        bytes[2..10].copy_from_slice(&schema::fingerprint_of_apache_avro(&schema).to_le_bytes());
        assert!(Decoder::new().decode(&bytes, b"acme", place()).is_ok());
    }
}
