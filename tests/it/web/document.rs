//! The OpenAPI document and the routes say the same.

use serde_json::Value;
use tributary::web::{OPENAPI, ROUTES};

fn document() -> Value {
    serde_json::from_str(OPENAPI).unwrap()
}

fn is_described(path: &str) -> bool {
    path != "/" && !path.starts_with("/assets/")
}

#[test]
fn every_route_is_described_with_its_parameters() {
    let document = document();
    for route in ROUTES.iter().filter(|route| is_described(route.path)) {
        let operation = &document["paths"][route.path][route.method.to_lowercase()];
        assert!(operation.is_object(), "{} {} is not described", route.method, route.path);
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let resolved: Vec<Value> = parameters.iter().map(|parameter| resolve(&document, parameter)).collect();
        let named = |place: &str| -> Vec<String> {
            let found = resolved.iter().filter(|parameter| parameter["in"] == place);
            let mut names: Vec<String> = found.map(|found| found["name"].as_str().unwrap().to_owned()).collect();
            names.sort();
            names
        };
        let mut query: Vec<String> = route.query.iter().map(|name| (*name).to_owned()).collect();
        query.sort();
        assert_eq!(named("query"), query, "{} {}", route.method, route.path);
        let mut path: Vec<String> = route.path.split(['{', '}']).skip(1).step_by(2).map(str::to_owned).collect();
        path.sort();
        assert_eq!(named("path"), path, "{} {}", route.method, route.path);
    }
}

#[test]
fn every_route_says_which_key_it_needs_and_what_it_answers_without() {
    let document = document();
    let global = document["security"].as_array();
    assert!(global.is_none(), "each operation says it for itself");
    for route in ROUTES.iter().filter(|route| is_described(route.path)) {
        let (method, path) = (route.method, route.path);
        let operation = &document["paths"][path][method.to_lowercase()];
        let Some(scope) = route.scope() else {
            assert_eq!(operation["security"], serde_json::json!([]), "{method} {path} needs no key");
            continue;
        };
        assert_eq!(operation["security"], serde_json::json!([{ "key": [scope.name()] }]), "{method} {path}");
        for status in ["401", "403", "429"] {
            let answer = resolve(&document, &operation["responses"][status]);
            assert!(answer["content"]["application/problem+json"].is_object(), "{method} {path} {status}");
        }
    }
    assert_eq!(document["components"]["securitySchemes"]["key"]["scheme"], "bearer");
}

#[test]
fn nothing_is_described_that_is_not_there() {
    let document = document();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let is_there =
                |route: &&tributary::web::Route| route.path == path && route.method.to_lowercase() == *method;
            assert!(ROUTES.iter().any(|route| is_there(&route)), "{method} {path} is described but not served");
        }
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_operation_says_what_it_answers() {
    let document = document();
    let mut stack = vec![&document];
    while let Some(value) = stack.pop() {
        match value {
            Value::Object(map) => {
                if map.contains_key("$ref") {
                    resolve(&document, value);
                }
                stack.extend(map.values());
            }
            Value::Array(list) => stack.extend(list),
            _ => {}
        }
    }
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{method} {path}");
            assert!(operation["responses"]["200"].is_object(), "{method} {path}");
        }
    }
}

fn resolve(document: &Value, value: &Value) -> Value {
    let Some(reference) = value["$ref"].as_str() else { return value.clone() };
    let pointer = reference.strip_prefix('#').unwrap();
    document.pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere")).clone()
}
