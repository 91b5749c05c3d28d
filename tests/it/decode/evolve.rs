//! Records of other writers: our schema evolved at random, compared with apache-avro's resolution.

use std::collections::HashMap;

use apache_avro::Schema;
use apache_avro::types::Value as Avro;
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};
use tributary::decode::Decoder;
use tributary::event::Event;
use tributary::schema;

use super::sample::{Dice, with_event};
use super::{apache, place};

/// Fields whose absence would make an event ill-formed for reasons of its own.
const KEPT: [&str; 4] = ["member_id", "referral_code", "original_id", "amount"];

#[test]
fn a_record_of_an_evolved_writer_is_read_as_apache_avro_resolves_it() {
    check(400);
}

#[test]
#[ignore = "long"]
fn records_of_many_evolved_writers_are_read_as_apache_avro_resolves_them() {
    check(50_000);
}

fn check(cases: u32) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(seed: u64)| with_event(seed, story)?);
}

/// Writes the event by an evolved schema, and reads it with ours and with theirs.
fn story(event: &Event<'_>, dice: &mut Dice) -> Result<(), TestCaseError> {
    let mut ours = Vec::new();
    schema::encode(event, &mut ours);
    let current = schema::current().find(|schema| schema.name() == event.body.kind().name()).unwrap();
    let reader = Schema::parse_str(current.json).unwrap();
    let value = apache::read(&reader, None, &mut &ours[10..]).unwrap();

    let (json, value) = evolve(current.json, value, dice);
    let text = json.to_string();
    let fail = |what: &str, why: String| TestCaseError::fail(format!("{what}: {why}: {text}"));
    let writer = Schema::parse_str(&text).map_err(|e| fail("parse", e.to_string()))?;
    let body = apache::write(&writer, value.clone()).map_err(|e| fail("write", format!("{e}: {value:?}")))?;
    let expected = apache::read(&writer, Some(&reader), &mut &body[..]).map_err(|e| fail("theirs", e))?;

    let mut decoder = Decoder::new();
    decoder.register(77, &text).map_err(|e| fail("register", e.to_string()))?;
    let framed = [&[0, 0, 0, 0, 77][..], &body].concat();
    let read = decoder.decode(&framed, event.creator_id.0.as_bytes(), place());
    let read = read.map_err(|e| fail("ours", e.reason()))?;
    let mut again = Vec::new();
    schema::encode(&read, &mut again);
    let read = apache::read(&reader, None, &mut &again[10..]).unwrap();
    prop_assert_eq!(read, expected, "{}", text);
    Ok(())
}

/// The schema and a value of it, both changed in the same way.
fn evolve(schema: &str, value: Avro, dice: &mut Dice) -> (Json, Avro) {
    let mut schema: Json = serde_json::from_str(schema).unwrap();
    spell_out(&mut schema, &mut HashMap::new());
    let value = evolve_record(&mut schema, value, dice, 0);
    name_again(&mut schema, &mut Vec::new());
    (schema, value)
}

fn evolve_record(schema: &mut Json, value: Avro, dice: &mut Dice, depth: usize) -> Avro {
    let Avro::Record(values) = value else { panic!("not a record: {value:?}") };
    let fields = schema["fields"].as_array().unwrap().clone();
    let mut evolved = Vec::new();
    for (mut field, (name, value)) in fields.into_iter().zip(values) {
        let droppable = field.get("default").is_some() && !KEPT.contains(&name.as_str());
        if droppable && dice.below(5) == 0 {
            continue;
        }
        let value = evolve_field(&mut field, value, dice, depth);
        evolved.push((field, (name, value)));
    }
    for n in 0..dice.below(4) {
        let name = format!("unknown_{n}");
        let (ty, value) = {
            let unique = dice.next();
            unknown(dice, 0, &format!("{unique:x}"))
        };
        evolved.push((json!({"name": name, "type": ty}), (name, value)));
    }
    if dice.flip() {
        for last in (1..evolved.len()).rev() {
            evolved.swap(last, dice.below(last + 1));
        }
    }
    let (fields, values): (Vec<_>, Vec<_>) = evolved.into_iter().unzip();
    schema["fields"] = Json::Array(fields);
    Avro::Record(values)
}

fn evolve_field(field: &mut Json, value: Avro, dice: &mut Dice, depth: usize) -> Avro {
    let mut ty = field["type"].clone();
    let value = match (ty.as_array().cloned(), value) {
        (Some(mut branches), Avro::Union(index, inner)) => {
            // The value is evolved only if it is there; the schema's branch may change with it.
            let inner = if index == 1 { evolve_value(&mut branches[1], *inner, dice, depth) } else { *inner };
            match dice.below(4) {
                0 if index == 1 => {
                    ty = branches.swap_remove(1);
                    inner
                }
                1 => {
                    branches.swap(0, 1);
                    ty = Json::Array(branches);
                    Avro::Union(1 - index, Box::new(inner))
                }
                2 => {
                    branches.insert(1, json!({"type": "array", "items": "double"}));
                    ty = Json::Array(branches);
                    Avro::Union(if index == 1 { 2 } else { 0 }, Box::new(inner))
                }
                _ => {
                    ty = Json::Array(branches);
                    Avro::Union(index, Box::new(inner))
                }
            }
        }
        (_, value) => evolve_value(&mut ty, value, dice, depth),
    };
    field["type"] = ty;
    field.as_object_mut().unwrap().remove("default");
    value
}

/// A value that is not a union.
fn evolve_value(ty: &mut Json, value: Avro, dice: &mut Dice, depth: usize) -> Avro {
    match value {
        Avro::Record(_) => evolve_record(ty, value, dice, depth + 1),
        Avro::String(text) if dice.below(4) == 0 => {
            *ty = json!("bytes");
            Avro::Bytes(text.into_bytes())
        }
        Avro::Long(number) | Avro::TimestampMillis(number) if dice.flip() => match i32::try_from(number) {
            Ok(number) => {
                *ty = json!("int");
                Avro::Int(number)
            }
            Err(_) => {
                *ty = json!("long");
                Avro::Long(number)
            }
        },
        Avro::Enum(_, symbol) if dice.flip() => {
            shuffle_symbols(ty, dice);
            enum_value(ty, symbol)
        }
        Avro::Array(items) if matches!(items.first(), Some(Avro::Enum(..))) && dice.flip() => {
            shuffle_symbols(&mut ty["items"], dice);
            let again = |item| if let Avro::Enum(_, symbol) = item { enum_value(&ty["items"], symbol) } else { item };
            Avro::Array(items.into_iter().map(again).collect())
        }
        Avro::Array(items) if ty["items"] == "string" && dice.flip() => {
            ty["items"] = json!("bytes");
            Avro::Array(items.into_iter().map(to_bytes).collect())
        }
        Avro::Map(entries) if dice.flip() => {
            ty["values"] = json!("bytes");
            Avro::Map(entries.into_iter().map(|(key, value)| (key, to_bytes(value))).collect())
        }
        other => other,
    }
}

fn to_bytes(value: Avro) -> Avro {
    if let Avro::String(text) = value { Avro::Bytes(text.into_bytes()) } else { value }
}

fn shuffle_symbols(ty: &mut Json, dice: &mut Dice) {
    let symbols = ty["symbols"].as_array_mut().unwrap();
    symbols.push(json!("not_of_ours"));
    let first = dice.below(symbols.len());
    symbols.rotate_left(first);
}

fn enum_value(ty: &Json, symbol: String) -> Avro {
    let index = ty["symbols"].as_array().unwrap().iter().position(|s| *s == symbol).unwrap();
    Avro::Enum(index as u32, symbol)
}

/// A type that we have never heard of, and a value of it.
fn unknown(dice: &mut Dice, depth: usize, name: &str) -> (Json, Avro) {
    let kinds = if depth > 2 { 10 } else { 15 };
    match dice.below(kinds) {
        0 => (json!("null"), Avro::Null),
        1 => (json!("boolean"), Avro::Boolean(dice.flip())),
        2 => (json!("int"), Avro::Int(dice.next() as i32)),
        3 => (json!("long"), Avro::Long(dice.next() as i64)),
        4 => (json!("float"), Avro::Float(dice.below(1000) as f32)),
        5 => (json!("double"), Avro::Double(dice.below(1000) as f64)),
        6 => (json!("bytes"), Avro::Bytes(vec![0xFF; dice.below(300)])),
        7 => (json!("string"), Avro::String("ß".repeat(dice.below(200)))),
        8 => {
            let size = dice.below(20) + 1;
            (json!({"type": "fixed", "name": format!("F{name}"), "size": size}), Avro::Fixed(size, vec![7; size]))
        }
        9 => (json!({"type": "enum", "name": format!("E{name}"), "symbols": ["a", "b"]}), Avro::Enum(1, "b".into())),
        10 => {
            let (ty, value) = unknown(dice, depth + 1, &format!("{name}a"));
            (json!({"type": "array", "items": ty}), Avro::Array(vec![value; dice.below(4)]))
        }
        11 => {
            let (ty, value) = unknown(dice, depth + 1, &format!("{name}m"));
            let entries = (0..dice.below(4)).map(|n| (format!("k{n}"), value.clone())).collect();
            (json!({"type": "map", "values": ty}), Avro::Map(entries))
        }
        12 => {
            let (ty, value) = unknown(dice, depth + 1, &format!("{name}u"));
            if ty == "null" || ty.is_array() {
                return (json!(["null", "long"]), Avro::Union(0, Box::new(Avro::Null)));
            }
            (json!(["null", ty]), Avro::Union(1, Box::new(value)))
        }
        13 => {
            let ((a, x), (b, y)) =
                (unknown(dice, depth + 1, &format!("{name}x")), unknown(dice, depth + 1, &format!("{name}y")));
            let ty = json!({"type": "record", "name": format!("R{name}"),
                "fields": [{"name": "x", "type": a}, {"name": "y", "type": b}]});
            (ty, Avro::Record(vec![("x".into(), x), ("y".into(), y)]))
        }
        _ => {
            let me = format!("L{name}");
            let ty = json!({"type": "record", "name": me, "fields": [
                {"name": "n", "type": "long"}, {"name": "next", "type": ["null", me]}]});
            let node = |next: Avro, index| {
                Avro::Record(vec![("n".into(), Avro::Long(5)), ("next".into(), Avro::Union(index, Box::new(next)))])
            };
            let end = node(Avro::Null, 0);
            (ty, (0..dice.below(6)).fold(end, |next, _| node(next, 1)))
        }
    }
}

/// Puts the definition in place of each name of a type of ours, so that fields can move.
fn spell_out(schema: &mut Json, known: &mut HashMap<String, Json>) {
    match schema {
        Json::String(name) => {
            if let Some(definition) = known.get(name.as_str()) {
                *schema = definition.clone();
            }
        }
        Json::Array(branches) => branches.iter_mut().for_each(|branch| spell_out(branch, known)),
        Json::Object(object) => {
            for part in ["items", "values"] {
                if let Some(inner) = object.get_mut(part) {
                    spell_out(inner, known);
                }
            }
            if let Some(Json::Array(fields)) = object.get_mut("fields") {
                fields.iter_mut().for_each(|field| spell_out(&mut field["type"], known));
            }
            if let Some(Json::String(name)) = object.get("name") {
                known.insert(name.clone(), Json::Object(object.clone()));
            }
        }
        _ => {}
    }
}

/// Leaves only the first definition of each name, as Avro wants it.
fn name_again(schema: &mut Json, known: &mut Vec<String>) {
    match schema {
        Json::Array(branches) => branches.iter_mut().for_each(|branch| name_again(branch, known)),
        Json::Object(object) => {
            if let Some(name) = defined_name(object) {
                if known.contains(&name) {
                    *schema = Json::String(name);
                    return;
                }
                known.push(name);
            }
            for part in ["items", "values"] {
                if let Some(inner) = object.get_mut(part) {
                    name_again(inner, known);
                }
            }
            if let Some(Json::Array(fields)) = object.get_mut("fields") {
                fields.iter_mut().for_each(|field| name_again(&mut field["type"], known));
            }
        }
        _ => {}
    }
}

fn defined_name(object: &Map<String, Json>) -> Option<String> {
    let named = ["record", "enum", "fixed"].map(Json::from).contains(object.get("type")?);
    named.then(|| object.get("name")?.as_str().map(str::to_owned)).flatten()
}
