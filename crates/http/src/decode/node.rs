//! A value that was sent, at its place, and the shapes it can be asked for.
//!
//! Serde stops at the first violation; these go on, so that a client learns of all of them at once.
//! Each method gives the value, or adds a violation and gives `None`.

use std::ops::RangeInclusive;

use fanfare_domain::time::Timestamp;
use serde_json::{Map, Value};

use super::object::Object;
use crate::error::{Key, Violation, Violations, is_showable};

/// A value, or the lack of one, at its place.
#[derive(Debug)]
pub(crate) struct Node {
    value: Option<Value>,
    path: Vec<Key>,
    is_masked: bool,
}

impl Node {
    /// A value, or the lack of one, at its place.
    pub(super) const fn new(value: Option<Value>, path: Vec<Key>, is_masked: bool) -> Self {
        Self {
            value,
            path,
            is_masked,
        }
    }

    /// The whole body.
    pub(crate) const fn root(value: Value) -> Self {
        Self {
            value: Some(value),
            path: Vec::new(),
            is_masked: false,
        }
    }

    /// The same value, of which no violation shows more than its type.
    pub(crate) fn masked(mut self) -> Self {
        self.is_masked = true;
        self
    }

    /// Whether the field was left out.
    pub(crate) const fn is_absent(&self) -> bool {
        self.value.is_none()
    }

    /// The value if it is there; for a field that may be left out.
    pub(crate) fn present(self) -> Option<Self> {
        self.value.is_some().then_some(self)
    }

    /// The value unless it is null; for a field that null takes away.
    pub(crate) fn non_null(self) -> Option<Self> {
        (self.value != Some(Value::Null)).then_some(self)
    }

    /// An object.
    pub(crate) fn object(mut self, violations: &mut Violations) -> Option<Object> {
        match self.value.take() {
            Some(Value::Object(members)) => {
                Some(Object::new(members, self.path, self.is_masked, "field"))
            }
            other => self
                .put_back(other)
                .mismatch("object", "an object", violations),
        }
    }

    /// An array of at most `max` elements.
    pub(crate) fn array(mut self, max: usize, violations: &mut Violations) -> Option<Vec<Self>> {
        match self.value.take() {
            Some(Value::Array(elements)) if elements.len() > max => {
                violations.add(Violation {
                    path: self.path,
                    rule: "max_length",
                    expected: format!("<={max}"),
                    received: elements.len().to_string(),
                    message: format!("at most {max} are taken at once; send the rest afterwards"),
                });
                None
            }
            Some(Value::Array(elements)) => {
                let node = |(index, value)| {
                    let mut path = self.path.clone();
                    path.push(Key::Index(index));
                    Self {
                        value: Some(value),
                        path,
                        is_masked: self.is_masked,
                    }
                };
                Some(elements.into_iter().enumerate().map(node).collect())
            }
            other => self
                .put_back(other)
                .mismatch("array", "an array", violations),
        }
    }

    /// A string, whatever is in it.
    pub(crate) fn string(mut self, violations: &mut Violations) -> Option<String> {
        match self.value.take() {
            Some(Value::String(text)) => Some(text),
            other => self
                .put_back(other)
                .mismatch("string", "a string", violations),
        }
    }

    /// A string that `parse` takes; its error is the violation.
    pub(crate) fn parsed<T, E: std::fmt::Display>(
        self,
        rule: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
        violations: &mut Violations,
    ) -> Option<T> {
        let received = self.shown();
        let (path, is_masked) = (self.path.clone(), self.is_masked);
        let text = self.string(violations)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                violations.add(Violation {
                    path,
                    rule,
                    expected: expected.to_owned(),
                    received: if is_masked {
                        "string".to_owned()
                    } else {
                        received
                    },
                    message: error.to_string(),
                });
                None
            }
        }
    }

    /// One of some words.
    pub(crate) fn word<T: Copy>(
        self,
        words: &[(&str, T)],
        violations: &mut Violations,
    ) -> Option<T> {
        let named: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let find = |text: &str| {
            let found = words.iter().find(|(word, _)| *word == text);
            found
                .map(|(_, value)| *value)
                .ok_or_else(|| format!("must be {}", named.join(" or ")))
        };
        self.parsed("picklist", &named.join(" | "), find, violations)
    }

    /// True or false.
    pub(crate) fn boolean(self, violations: &mut Violations) -> Option<bool> {
        match self.value {
            Some(Value::Bool(value)) => Some(value),
            _ => self.mismatch("boolean", "true or false", violations),
        }
    }

    /// An instant in RFC 3339.
    pub(crate) fn instant(self, violations: &mut Violations) -> Option<Timestamp> {
        let parse = |text: &str| {
            Timestamp::parse(text).ok_or("must be a date and time like 2026-01-31T09:15:00Z")
        };
        self.parsed("iso_timestamp", "date-time", parse, violations)
    }

    /// A whole number in digits, as query parameters have them.
    pub(crate) fn digits(
        self,
        range: RangeInclusive<u32>,
        violations: &mut Violations,
    ) -> Option<u32> {
        let (from, to) = (*range.start(), *range.end());
        let parse = |text: &str| {
            let number = text.parse().ok().filter(|number| range.contains(number));
            number.ok_or_else(|| format!("must be a whole number from {from} to {to}"))
        };
        self.parsed("integer", &format!(">={from} & <={to}"), parse, violations)
    }

    /// Text of so many characters that a store can keep and a page can show.
    pub(crate) fn text(
        self,
        chars: RangeInclusive<usize>,
        violations: &mut Violations,
    ) -> Option<String> {
        let (from, to) = (*chars.start(), *chars.end());
        let parse = |text: &str| {
            let text = text.trim();
            let is_kept = |c: char| !c.is_control() || c == '\n' || c == '\t';
            if chars.contains(&text.chars().count()) && text.chars().all(is_kept) {
                Ok(text.to_owned())
            } else {
                Err(format!(
                    "must be {from} to {to} characters without control characters"
                ))
            }
        };
        self.parsed("length", &format!(">={from} & <={to}"), parse, violations)
    }

    /// The members of an object, whatever they are, if a store can keep all of their text.
    pub(crate) fn storable_members(
        self,
        violations: &mut Violations,
    ) -> Option<Map<String, Value>> {
        if self.value.as_ref().is_some_and(has_nul) {
            let message = "must not hold the character U+0000";
            self.refuse("check", "text without U+0000", message, violations);
            return None;
        }
        self.object(violations).map(Object::into_members)
    }

    /// Adds a violation with this value's content.
    pub(crate) fn refuse(
        &self,
        rule: &'static str,
        expected: &str,
        message: impl Into<String>,
        violations: &mut Violations,
    ) {
        violations.add(Violation {
            path: self.path.clone(),
            rule,
            expected: expected.to_owned(),
            received: self.shown(),
            message: message.into(),
        });
    }

    fn put_back(mut self, value: Option<Value>) -> Self {
        self.value = value;
        self
    }

    fn mismatch<T>(
        self,
        rule: &'static str,
        wanted: &str,
        violations: &mut Violations,
    ) -> Option<T> {
        let message = match self.value {
            None => format!("is required: {wanted}"),
            Some(_) => format!("must be {wanted}"),
        };
        let expected = match rule {
            "object" => "Object",
            "array" => "Array",
            other => other,
        };
        self.refuse(rule, expected, message, violations);
        None
    }

    fn shown(&self) -> String {
        match &self.value {
            None => "undefined".to_owned(),
            Some(Value::Null) => "null".to_owned(),
            Some(Value::Array(_)) => "Array".to_owned(),
            Some(Value::Object(_)) => "Object".to_owned(),
            Some(Value::Bool(_)) if self.is_masked => "boolean".to_owned(),
            Some(Value::Number(_)) if self.is_masked => "number".to_owned(),
            Some(Value::Bool(value)) => value.to_string(),
            Some(Value::Number(value)) if !is_showable(&value.to_string()) => "number".to_owned(),
            Some(Value::Number(value)) => value.to_string(),
            Some(Value::String(text)) if self.is_masked || !is_showable(text) => {
                "string".to_owned()
            }
            Some(Value::String(text)) => Value::from(text.as_str()).to_string(),
        }
    }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(elements) => elements.iter().any(has_nul),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| name.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
