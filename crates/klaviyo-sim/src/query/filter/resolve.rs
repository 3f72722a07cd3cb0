//! Compares a written condition with the fields of a resource.

use super::parser::{RawCondition, RawValue};
use super::{Condition, Filterable, OPERATORS, Operator, Value, ValueKind};
use crate::instant;
use crate::refusal::Refusal;

pub(super) fn refuse(detail: String) -> Refusal {
    Refusal::parameter("filter", detail)
}

impl RawCondition {
    pub(super) fn resolve(
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
