//! YAML as JSON: aliases and `<<` worked out, which JSON has not.

use serde_json::{Map, Value};
use yaml_rust2::{Yaml, YamlLoader};

/// The documents of a file.
pub fn read(path: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    parse(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn parse(text: &str) -> Result<Vec<Value>, yaml_rust2::ScanError> {
    Ok(YamlLoader::load_from_str(text)?.iter().map(value).collect())
}

fn value(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Array(items) => items.iter().map(value).collect(),
        Yaml::Hash(entries) => {
            let mut map = Map::new();
            for (key, inner) in entries {
                let key = key.as_str().unwrap_or_else(|| panic!("a key that is no text: {key:?}"));
                let inner = value(inner);
                // What stands beside `<<` wins, before it and after it.
                if let ("<<", Value::Object(merged)) = (key, &inner) {
                    for (key, inner) in merged {
                        map.entry(key.clone()).or_insert(inner.clone());
                    }
                } else {
                    map.insert(key.to_owned(), inner);
                }
            }
            Value::Object(map)
        }
        Yaml::Boolean(boolean) => Value::from(*boolean),
        Yaml::Integer(number) => Value::from(*number),
        Yaml::Null => Value::Null,
        Yaml::String(text) | Yaml::Real(text) => Value::from(text.as_str()),
        Yaml::Alias(_) | Yaml::BadValue => panic!("neither alias nor nonsense is left by the parser"),
    }
}

/// Every text below `value`.
pub fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(map) => map.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

#[test]
fn what_is_merged_in_yields_to_what_stands_there() {
    let read = parse("a: &a {x: 1, y: {z: 2}}\nb:\n  x: 3\n  <<: *a\nc:\n  <<: *a\n  x: '4'\n---\nd").unwrap();
    let expected =
        serde_json::json!({"a": {"x": 1, "y": {"z": 2}}, "b": {"x": 3, "y": {"z": 2}}, "c": {"x": "4", "y": {"z": 2}}});
    assert_eq!(read, [expected, "d".into()]);
}
