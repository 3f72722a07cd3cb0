//! Whether an answer is what the `OpenAPI` document says.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::fixture::Answer;
use crate::{handlers, openapi};

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    serde_json::to_value(openapi::document(handlers::routes())).expect("a document")
});

/// Holds an answer against the document.
pub(super) fn check(method: &str, path: &str, answer: &Answer) {
    let what = format!("{method} {path} {}: {}", answer.status, answer.text);
    let mut faults = Vec::new();
    if answer.status >= 400 {
        let error = &DOCUMENT["components"]["schemas"]["Error"];
        compare(error, &answer.body, "error", &mut faults);
    }
    if let Some(operation) = operation(method, path) {
        let response = resolve(&operation["responses"][answer.status.to_string()]);
        assert!(!response.is_null(), "this answer is not documented: {what}");
        let content = &response["content"]["application/json"]["schema"];
        if !content.is_null() {
            compare(content, &answer.body, "body", &mut faults);
        }
        for header in response["headers"].as_object().into_iter().flatten() {
            assert!(
                answer.headers.contains_key(header.0),
                "{} of {what}",
                header.0
            );
        }
    } else {
        assert!(answer.status >= 400, "not documented: {what}");
    }
    assert!(faults.is_empty(), "{faults:#?} in {what}");
}

/// The documented operation of a path: of several that fit, the one with the fewest parameters.
fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let path = path.split('?').next()?.replace("/api/v1/", "/api/");
    let steps: Vec<&str> = path.split('/').collect();
    let fits = |pattern: &str| {
        let wanted: Vec<&str> = pattern.split('/').collect();
        let is_step = |(want, is): (&&str, &&str)| want == is || want.starts_with('{');
        wanted.len() == steps.len() && wanted.iter().zip(&steps).all(is_step)
    };
    let paths = DOCUMENT["paths"].as_object()?;
    let fitting = paths.iter().filter(|(pattern, _)| fits(pattern));
    let (_, item) = fitting.min_by_key(|(pattern, _)| pattern.matches('{').count())?;
    item.get(method.to_lowercase())
}

fn resolve(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(reference) => DOCUMENT
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("{reference} is not there")),
        None => value,
    }
}

fn compare(schema: &'static Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let schema = resolve(schema);
    if let Some(choices) = schema["oneOf"].as_array() {
        let fits = |choice| {
            let mut faults = Vec::new();
            compare(choice, value, at, &mut faults);
            faults.is_empty()
        };
        if !choices.iter().any(fits) {
            faults.push(format!("{at}: {value} fits no choice"));
        }
        return;
    }
    if let Some(wanted) = schema.get("type")
        && !is_of(wanted, value)
    {
        faults.push(format!("{at}: {value} is not {wanted}"));
        return;
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        faults.push(format!("{at}: {value} is none of {words:?}"));
    }
    if let (Some(items), Some(elements)) = (schema.get("items"), value.as_array()) {
        for (index, element) in elements.iter().enumerate() {
            compare(items, element, &format!("{at}.{index}"), faults);
        }
    }
    if let Some(members) = value.as_object() {
        compare_members(schema, members, at, faults);
    }
}

fn compare_members(
    schema: &'static Value,
    members: &Map<String, Value>,
    at: &str,
    faults: &mut Vec<String>,
) {
    let parts = schema["allOf"]
        .as_array()
        .map_or(vec![schema], |parts| parts.iter().map(resolve).collect());
    let properties: Map<String, Value> = parts
        .iter()
        .filter_map(|part| part["properties"].as_object().cloned())
        .flatten()
        .collect();
    if properties.is_empty() {
        return; // any object
    }
    for name in members
        .keys()
        .filter(|name| !properties.contains_key(*name))
    {
        faults.push(format!("{at}.{name} is not documented"));
    }
    for part in parts {
        for name in part["required"].as_array().into_iter().flatten() {
            if !name.as_str().is_some_and(|name| members.contains_key(name)) {
                faults.push(format!("{at}.{name} is missing"));
            }
        }
        for (name, schema) in part["properties"].as_object().into_iter().flatten() {
            if let Some(value) = members.get(name) {
                compare(schema, value, &format!("{at}.{name}"), faults);
            }
        }
    }
}

fn is_of(wanted: &Value, value: &Value) -> bool {
    match wanted {
        Value::Array(any) => any.iter().any(|wanted| is_of(wanted, value)),
        Value::String(name) => match name.as_str() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "null" => value.is_null(),
            other => panic!("no type: {other}"),
        },
        other => panic!("no type: {other}"),
    }
}
