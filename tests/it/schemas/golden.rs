//! Golden records: bytes that were written once and must be read for ever.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use serde_json::Value;
use tributary::decode::{Decoder, Scratch, from_json};
use tributary::event::Kind;
use tributary::ids::{Millis, Offset, Partition};
use tributary::schema::{self, DeadLetter};

use crate::decode::place;

/// The versions with golden records. A release adds its own; those before it stay as they are. What a version did not
/// change stands with the one before it.
const VERSIONS: [&str; 2] = ["v1", "v2"];

fn folder(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/golden").join(version)
}

/// The version of which the current schema of a record is.
fn current(name: &str) -> &'static str {
    let is_there = |version: &&str| folder(version).join(format!("{name}.json")).exists();
    VERSIONS.into_iter().rev().find(is_there).expect("every record has golden bytes")
}

/// The JSON of a golden file: each form of the record, and its bytes in hex.
fn golden(version: &str, name: &str) -> Vec<(String, Value, Vec<u8>)> {
    let file = folder(version).join(format!("{name}.json"));
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let Value::Object(forms) = serde_json::from_str(&text).unwrap() else { panic!("{name}: not an object") };
    let form = |(form, entry): (String, Value)| {
        (form, entry["event"].clone(), unhex(entry["bytes"].as_str().unwrap_or_default()))
    };
    forms.into_iter().map(form).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).expect("hex digits"))
        .collect()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[test]
fn golden_bytes_of_every_record_are_read_as_their_json_twins() {
    let decoder = Decoder::new();
    for (version, kind) in VERSIONS.into_iter().flat_map(|version| Kind::ALL.map(|kind| (version, kind))) {
        if !folder(version).join(format!("{}.json", kind.name())).exists() {
            continue;
        }
        for (form, json, bytes) in golden(version, kind.name()) {
            let mut scratch = Scratch::default();
            let json = json.to_string();
            let twin = from_json(json.as_bytes(), &mut scratch).unwrap_or_else(|e| panic!("{kind:?} {form}: {e}"));
            let read = decoder.decode(&bytes, twin.creator_id.0.as_bytes(), place());
            assert_eq!(read.as_ref(), Ok(&twin), "{kind:?} {form}");
        }
    }
}

/// `UPDATE_EXPECT=1` fills in the bytes of new records.
#[test]
fn golden_bytes_are_what_the_current_schemas_write() {
    for kind in Kind::ALL {
        let mut text = String::from("{\n");
        let version = current(kind.name());
        let forms = golden(version, kind.name());
        for (n, (form, json, _)) in forms.iter().enumerate() {
            let (mut bytes, mut line, mut scratch) = (Vec::new(), Vec::new(), Scratch::default());
            let json = json.to_string();
            let event = from_json(json.as_bytes(), &mut scratch).unwrap_or_else(|e| panic!("{kind:?} {form}: {e}"));
            schema::encode(&event, &mut bytes);
            schema::to_json(&event, &mut line);
            let comma = if n + 1 < forms.len() { "," } else { "" };
            let (line, bytes) = (String::from_utf8(line).unwrap(), hex(&bytes));
            write!(text, "  \"{form}\": {{\n    \"event\": {line},\n    \"bytes\": \"{bytes}\"\n  }}{comma}\n")
                .unwrap();
        }
        text.push_str("}\n");
        expect_file![format!("../../../schemas/golden/{version}/{}.json", kind.name())].assert_eq(&text);
    }
}

/// Each full form carries every field, so that no field goes untested.
#[test]
fn golden_records_are_minimal_and_full() {
    for current in schema::current().filter(|schema| Kind::parse(schema.name()).is_some()) {
        let forms = golden(self::current(current.name()), current.name());
        let names: Vec<_> = forms.iter().map(|(form, _, _)| form.as_str()).collect();
        assert_eq!(names, ["full", "minimal"], "{}", current.name());
        let schema: Value = serde_json::from_str(current.json).unwrap();
        for field in schema["fields"].as_array().unwrap() {
            let name = field["name"].as_str().unwrap();
            assert!(!forms[0].1[name].is_null(), "{}: `{name}` is not in the full form", current.name());
            // A click must name its member, one way or the other; a flag is always written out.
            let written = [("Click", "member_id"), ("ListEntry", "active"), ("Template", "active")];
            let optional = field.get("default").is_some() && !written.contains(&(current.name(), name));
            assert_eq!(forms[1].1[name].is_null(), optional, "{}: `{name}` in the minimal form", current.name());
        }
    }
}

#[test]
fn a_dead_letter_is_read_as_it_was_written() {
    let letter = DeadLetter {
        topic: "tributary.events",
        partition: Partition(11),
        offset: Offset(9_007_199_254_740_993),
        timestamp: Millis(1_717_200_000_000),
        class: "undecodable",
        message: "cannot read the record",
        key: b"\xff\x00",
        value: b"",
    };
    let mut bytes = Vec::new();
    letter.encode(&mut bytes);
    expect_file!["../../../schemas/golden/v1/DeadLetter.hex"].assert_eq(&format!("{}\n", hex(&bytes)));
    assert_eq!(Decoder::new().dead_letter(&bytes, place()), Ok(letter));
}
