//! A value held against a schema of Klaviyo's specification, as strictly as the schema can be read: a member that it does
//! not name is wrong.

use serde_json::Value;

/// Says where the value is not as the schema says; an empty list if it is.
pub(crate) fn faults(specification: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    check(specification, schema, value, "", &mut faults);
    faults
}

fn check(specification: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        let schema = &specification["components"]["schemas"][name];
        assert!(schema.is_object(), "{name} is not in the specification");
        return check(specification, schema, value, at, faults);
    }
    if value.is_null() {
        if schema["nullable"] != true {
            faults.push(format!("{at} may not be null"));
        }
        return;
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fits = choices.iter().any(|choice| {
            let mut found = Vec::new();
            check(specification, choice, value, at, &mut found);
            found.is_empty()
        });
        if !fits {
            faults.push(format!("{at} is none of what it may be"));
        }
        return;
    }
    if let Some(known) = schema["enum"].as_array()
        && !known.contains(value)
    {
        faults.push(format!("{at} may not be {value}"));
    }
    let is_type = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("number") => value.is_number(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("boolean") => value.is_boolean(),
        other => panic!("{at}: the type {other:?}"),
    };
    if !is_type {
        faults.push(format!("{at} is no {}", schema["type"]));
        return;
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        check(
            specification,
            &schema["items"],
            item,
            &format!("{at}/{index}"),
            faults,
        );
    }
    let (Some(value), Some(known)) = (value.as_object(), schema["properties"].as_object()) else {
        return;
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        if !value.contains_key(name.as_str().unwrap()) {
            faults.push(format!("{at} lacks {name}"));
        }
    }
    for (name, member) in value {
        let at = format!("{at}/{name}");
        match known.get(name) {
            Some(schema) => check(specification, schema, member, &at, faults),
            None => faults.push(format!("{at} is unknown")),
        }
    }
}
