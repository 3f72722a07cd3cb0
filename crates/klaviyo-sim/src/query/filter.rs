//! The filter language: `greater-than(updated,2026-01-01T00:00:00Z),equals(name,"VIP")`.

use std::fmt;
use std::iter::Peekable;
use std::str::Chars;

use crate::instant;
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
        let raw = Parser(text.chars().peekable()).conditions();
        let raw = raw.map_err(|what| refuse(format!("Invalid filter provided: {what}.")))?;
        raw.into_iter()
            .map(|condition| condition.resolve(fields, most_values))
            .collect()
    }
}

fn refuse(detail: String) -> Refusal {
    Refusal::parameter("filter", detail)
}

/// A condition as it is written.
struct Raw {
    operator: String,
    field: String,
    value: RawValue,
}

enum RawValue {
    Quoted(String),
    Bare(String),
    List(Vec<RawValue>),
}

impl Raw {
    fn resolve(
        self,
        fields: &[Filterable],
        most_values: Option<usize>,
    ) -> Result<Condition, Refusal> {
        let known = OPERATORS.iter().find(|(_, name)| *name == self.operator);
        let Some((operator, _)) = known else {
            let name = self.operator;
            return Err(refuse(format!("'{name}' is not a valid filter operator.")));
        };
        let Some(field) = fields.iter().find(|field| field.name == self.field) else {
            let mut names: Vec<_> = fields.iter().map(|field| field.name).collect();
            names.sort_unstable();
            return Err(refuse(format!(
                "'{}' is not a filterable field for this resource. The filterable fields on this \
                 resource are: {}",
                self.field,
                names.join(", ")
            )));
        };
        if !field.operators.contains(operator) {
            let allowed: Vec<_> = field.operators.iter().map(ToString::to_string).collect();
            return Err(refuse(format!(
                "'{operator}' is not an allowed filter operator for {}.  Allowed operators are {}",
                field.name,
                allowed.join(", ")
            )));
        }
        let value = if *operator == Operator::Any {
            self.value.read_list(field, most_values)?
        } else {
            self.value.read(field)?
        };
        Ok(Condition {
            field: field.name,
            operator: *operator,
            value,
        })
    }
}

impl RawValue {
    fn read(self, field: &Filterable) -> Result<Value, Refusal> {
        let value = match (field.kind, &self) {
            (ValueKind::Text, Self::Quoted(text)) => Some(Value::Text(text.clone())),
            (ValueKind::Flag, Self::Bare(text)) => text.parse().ok().map(Value::Flag),
            (ValueKind::Time, Self::Bare(text)) => instant::micros(text).map(Value::Time),
            _ => None,
        };
        value.ok_or_else(|| {
            let wanted = match field.kind {
                ValueKind::Text => "a quoted string",
                ValueKind::Flag => "true or false",
                ValueKind::Time => "a datetime in RFC 3339 format",
            };
            let name = field.name;
            refuse(format!(
                "Invalid filter value for '{name}': expected {wanted}."
            ))
        })
    }

    fn read_list(self, field: &Filterable, most: Option<usize>) -> Result<Value, Refusal> {
        let name = field.name;
        let Self::List(values) = self else {
            let detail = format!("Invalid filter value for '{name}': expected a list.");
            return Err(refuse(detail));
        };
        if most.is_some_and(|most| values.len() > most) {
            return Err(refuse(format!(
                "Too many values in the filter on '{name}'."
            )));
        }
        let (mut texts, mut flags) = (Vec::new(), Vec::new());
        for value in values {
            match value.read(field)? {
                Value::Text(text) => texts.push(text),
                Value::Flag(flag) => flags.push(flag),
                Value::Time(_) | Value::Texts(_) | Value::Flags(_) => {
                    return Err(refuse(format!("Invalid filter value for '{name}'.")));
                }
            }
        }
        Ok(match field.kind {
            ValueKind::Flag => Value::Flags(flags),
            ValueKind::Text | ValueKind::Time => Value::Texts(texts),
        })
    }
}

/// Reads the text. Errors are ends of a sentence.
struct Parser<'a>(Peekable<Chars<'a>>);

impl Parser<'_> {
    fn conditions(mut self) -> Result<Vec<Raw>, &'static str> {
        let mut conditions = vec![self.condition()?];
        self.blanks();
        while self.0.peek().is_some() {
            self.expect(',', "conditions are separated by commas")?;
            conditions.push(self.condition()?);
            self.blanks();
        }
        Ok(conditions)
    }

    fn condition(&mut self) -> Result<Raw, &'static str> {
        let operator = self
            .until("(")
            .ok_or("an operator is followed by a bracket")?;
        self.expect('(', "an operator is followed by a bracket")?;
        let field = self.until(",)").ok_or("a field is followed by a value")?;
        self.expect(',', "a field is followed by a value")?;
        let value = self.value(")")?;
        self.expect(')', "a condition ends with a bracket")?;
        Ok(Raw {
            operator: operator.trim().to_owned(),
            field: field.trim().to_owned(),
            value,
        })
    }

    fn value(&mut self, ends: &str) -> Result<RawValue, &'static str> {
        self.blanks();
        match self.0.peek() {
            Some('[') => self.list(),
            Some(&quote @ ('"' | '\'')) => self.quoted(quote),
            _ => {
                let text = self.until(ends).ok_or("a value does not end")?;
                Ok(RawValue::Bare(text.trim().to_owned()))
            }
        }
    }

    fn list(&mut self) -> Result<RawValue, &'static str> {
        self.expect('[', "a list begins with a bracket")?;
        let mut values = Vec::new();
        loop {
            self.blanks();
            if values.is_empty() && self.0.next_if_eq(&']').is_some() {
                return Ok(RawValue::List(values));
            }
            values.push(self.value(",]")?);
            self.blanks();
            match self.0.next() {
                Some(',') => {}
                Some(']') => return Ok(RawValue::List(values)),
                _ => return Err("a list does not end"),
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<RawValue, &'static str> {
        self.0.next();
        let mut text = String::new();
        loop {
            match self.0.next().ok_or("a quoted text does not end")? {
                end if end == quote => break,
                '\\' => text.push(self.0.next().ok_or("a quoted text does not end")?),
                other => text.push(other),
            }
        }
        self.blanks();
        Ok(RawValue::Quoted(text))
    }

    /// Everything before one of the ends, which stays; `None` if there is none.
    fn until(&mut self, ends: &str) -> Option<String> {
        let mut text = String::new();
        loop {
            if ends.contains(*self.0.peek()?) {
                return Some(text);
            }
            text.extend(self.0.next());
        }
    }

    fn expect(&mut self, what: char, or: &'static str) -> Result<(), &'static str> {
        self.0.next_if_eq(&what).map(drop).ok_or(or)
    }

    fn blanks(&mut self) {
        while self.0.next_if(|c| c.is_whitespace()).is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [Filterable; 3] = [
        Filterable {
            name: "name",
            operators: &[Operator::Any, Operator::Equals],
            kind: ValueKind::Text,
        },
        Filterable {
            name: "at",
            operators: &[Operator::GreaterOrEqual, Operator::LessThan],
            kind: ValueKind::Time,
        },
        Filterable {
            name: "is_active",
            operators: &[Operator::Any, Operator::Equals],
            kind: ValueKind::Flag,
        },
    ];

    fn parse(text: &str) -> Result<Vec<(&'static str, Operator, Value)>, String> {
        Condition::parse(text, &FIELDS, Some(2))
            .map(|conditions| {
                let conditions = conditions.into_iter();
                conditions.map(|c| (c.field, c.operator, c.value)).collect()
            })
            .map_err(|refusal| {
                refusal.document()["errors"][0]["detail"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
    }

    #[test]
    fn commas_join_conditions_and_stand_in_texts() {
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!(
            parse(r#"equals(name,"a, (b)"),less-than(at,1970-01-01T01:00:01+01:00)"#),
            Ok(vec![
                ("name", Operator::Equals, text("a, (b)")),
                ("at", Operator::LessThan, Value::Time(1_000_000)),
            ])
        );
        assert_eq!(
            parse(r#"equals(name,'say "hi"') , equals(is_active,true)"#),
            Ok(vec![
                ("name", Operator::Equals, text(r#"say "hi""#)),
                ("is_active", Operator::Equals, Value::Flag(true)),
            ])
        );
        assert_eq!(
            parse(r#"equals(name,"O\"Neil")"#),
            Ok(vec![("name", Operator::Equals, text("O\"Neil"))])
        );
    }

    #[test]
    fn lists_have_brackets() {
        let texts = vec!["a".to_owned(), "b]".to_owned()];
        assert_eq!(
            parse(r#"any(name,["a", 'b]'])"#),
            Ok(vec![("name", Operator::Any, Value::Texts(texts))])
        );
        assert_eq!(
            parse("any(is_active,[true,false])"),
            Ok(vec![(
                "is_active",
                Operator::Any,
                Value::Flags(vec![true, false])
            )])
        );
        assert_eq!(
            parse("any(name,[])"),
            Ok(vec![("name", Operator::Any, Value::Texts(Vec::new()))])
        );
        assert!(parse(r#"any(name,"a")"#).is_err());
        assert!(
            parse(r#"any(name,["a","b","c"])"#).is_err(),
            "more than allowed"
        );
    }

    #[test]
    fn refusals_say_what_would_be_right() {
        assert_eq!(
            parse("equals(nom,\"a\")").unwrap_err(),
            "'nom' is not a filterable field for this resource. The filterable fields on this \
             resource are: at, is_active, name"
        );
        assert_eq!(
            parse("equals(at,1970-01-01T00:00:00Z)").unwrap_err(),
            "'equals' is not an allowed filter operator for at.  Allowed operators are \
             greater-or-equal, less-than"
        );
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for text in [
            "",
            "name",
            "equals(name)",
            "equals(name,\"a\"",
            "equals(name,\"a",
            "equals(name,a)",
            "equals(name,\"a\")equals(name,\"b\")",
            "equals(name,\"a\"),",
            "less-than(at,2026-01-01)",
            "less-than(at,\"1970-01-01T00:00:00Z\")",
            "less-than(at,1970-01-01T00:00:00 00:00)",
            "like(name,\"a\")",
            "equals(is_active,yes)",
            "any(name,[\"a\"",
            "any(name,[\"a\",])",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
