//! The filter language: `greater-than(updated,2026-01-01T00:00:00Z),equals(name,"VIP")`.

mod parser;
mod resolve;

use std::fmt;

use self::resolve::refuse;
use crate::refusal::Refusal;

/// What a field is compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equals,
    Any,
    Contains,
    ContainsAny,
    ContainsAll,
    StartsWith,
    EndsWith,
    Has,
    GreaterThan,
    GreaterOrEqual,
    LessThan,
    LessOrEqual,
}

const OPERATORS: [(Operator, &str); 12] = [
    (Operator::Equals, "equals"),
    (Operator::Any, "any"),
    (Operator::Contains, "contains"),
    (Operator::ContainsAny, "contains-any"),
    (Operator::ContainsAll, "contains-all"),
    (Operator::StartsWith, "starts-with"),
    (Operator::EndsWith, "ends-with"),
    (Operator::Has, "has"),
    (Operator::GreaterThan, "greater-than"),
    (Operator::GreaterOrEqual, "greater-or-equal"),
    (Operator::LessThan, "less-than"),
    (Operator::LessOrEqual, "less-or-equal"),
];

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = OPERATORS.iter().find(|(operator, _)| operator == self);
        f.write_str(name.map_or("", |(_, name)| name))
    }
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Flag(bool),
    /// Microseconds since the epoch.
    Time(i64),
    Texts(Vec<String>),
    Flags(Vec<bool>),
}

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueKind {
    Text,
    Flag,
    Time,
}

/// A field that can be filtered by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filterable {
    pub(crate) name: &'static str,
    pub(crate) operators: &'static [Operator],
    pub(crate) kind: ValueKind,
}

/// One of the conditions of a filter, which all must be met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) field: &'static str,
    pub(crate) operator: Operator,
    pub(crate) value: Value,
}

impl Condition {
    /// Reads a filter. Every field must be one of `fields`, with an operator that it takes.
    pub(crate) fn parse(
        text: &str,
        fields: &[Filterable],
        most_values: Option<usize>,
    ) -> Result<Vec<Self>, Refusal> {
        let raw = parser::parse(text);
        let raw = raw.map_err(|what| refuse(format!("Invalid filter provided: {what}.")))?;
        raw.into_iter()
            .map(|condition| condition.resolve(fields, most_values))
            .collect()
    }
}

#[cfg(test)]
mod tests;
