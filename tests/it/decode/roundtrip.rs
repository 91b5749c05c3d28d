//! What one side writes the other reads the same.

use apache_avro::Schema;
use proptest::prelude::*;
use tributary::decode::{self, Decoder, Scratch};
use tributary::event::Kind;
use tributary::schema;

use super::sample::with_event;
use super::{apache, place};

fn config() -> ProptestConfig {
    ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() }
}

#[test]
fn a_record_is_read_back_as_it_was_written() {
    let decoder = Decoder::new();
    proptest!(config(), |(seed: u64)| with_event(seed, |event, _| {
        let mut bytes = Vec::new();
        schema::encode(event, &mut bytes);
        let read = decoder.decode(&bytes, event.creator_id.0.as_bytes(), place()).map_err(|e| e.reason());
        prop_assert_eq!(read.as_ref(), Ok(event));
        Ok(())
    })?);
}

#[test]
fn a_record_in_confluents_framing_is_read_by_the_registered_schema() {
    let mut decoder = Decoder::new();
    let events = || schema::current().filter(|schema| Kind::parse(schema.name()).is_some());
    let names: Vec<_> = events().map(|schema| schema.name()).collect();
    for (id, current) in (7..).zip(events()) {
        decoder.register(id, current.json).expect("the current schema can be read");
    }
    proptest!(config(), |(seed: u64)| with_event(seed, |event, _| {
        let mut bytes = Vec::new();
        let id = 7 + names.iter().position(|name| *name == event.body.kind().name()).unwrap();
        schema::encode_confluent(event, id.try_into().unwrap(), &mut bytes);
        let read = decoder.decode(&bytes, event.creator_id.0.as_bytes(), place()).map_err(|e| e.reason());
        prop_assert_eq!(read.as_ref(), Ok(event));
        Ok(())
    })?);
}

#[test]
fn apache_avro_reads_what_we_write_to_the_last_byte() {
    let schemas: Vec<(Kind, Schema)> = schema::current()
        .filter_map(|schema| Some((Kind::parse(schema.name())?, Schema::parse_str(schema.json).unwrap())))
        .collect();
    proptest!(ProptestConfig { cases: 500, ..config() }, |(seed: u64)| with_event(seed, |event, _| {
        let mut bytes = Vec::new();
        schema::encode(event, &mut bytes);
        let (_, schema) = schemas.iter().find(|(kind, _)| *kind == event.body.kind()).unwrap();
        let mut rest = &bytes[10..];
        let value = apache::read(schema, None, &mut rest);
        prop_assert!(rest.is_empty(), "{} bytes left", rest.len());
        let again = apache::write(schema, value.unwrap()).unwrap();
        // Maps have no order, so only their length is compared.
        prop_assert_eq!(again.len(), bytes.len() - 10);
        if event.attributes.len() < 2 {
            prop_assert_eq!(&again, &bytes[10..]);
        }
        Ok(())
    })?);
}

#[test]
fn an_event_is_read_back_from_its_json() {
    proptest!(config(), |(seed: u64)| with_event(seed, |event, _| {
        let mut json = Vec::new();
        schema::to_json(event, &mut json);
        let mut scratch = Scratch::default();
        let read = decode::from_json(&json, &mut scratch);
        prop_assert_eq!(read.as_ref(), Ok(event), "{}", String::from_utf8_lossy(&json));
        Ok(())
    })?);
}
