//! Whether something meets the conditions of a filter.

use std::ops::RangeInclusive;

use super::filter::{Condition, Operator, Value};

/// The value of a resource's field, which a condition is tested on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tested<'a> {
    Missing,
    Text(&'a str),
    /// E-mails are compared without regard to capitals.
    Email(&'a str),
    Flag(bool),
    /// Microseconds since the epoch.
    Time(i64),
}

/// Whether a condition is met by one of the values.
pub(crate) fn is_met<'a>(
    condition: &Condition,
    values: impl IntoIterator<Item = Tested<'a>>,
) -> bool {
    values
        .into_iter()
        .any(|tested| meets(condition.operator, &tested, &condition.value))
}

fn meets(operator: Operator, tested: &Tested<'_>, value: &Value) -> bool {
    let same_email = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
    match (tested, value) {
        (Tested::Text(is), Value::Text(wanted)) => match operator {
            Operator::Equals => is == wanted,
            Operator::Contains => is.contains(wanted),
            Operator::StartsWith => is.starts_with(wanted),
            Operator::EndsWith => is.ends_with(wanted),
            _ => false,
        },
        (Tested::Email(is), Value::Text(wanted)) => same_email(is, wanted),
        (Tested::Text(is), Value::Texts(wanted)) => wanted.iter().any(|wanted| wanted == is),
        (Tested::Email(is), Value::Texts(wanted)) => {
            wanted.iter().any(|wanted| same_email(is, wanted))
        }
        (Tested::Flag(is), Value::Flag(wanted)) => is == wanted,
        (Tested::Flag(is), Value::Flags(wanted)) => wanted.contains(is),
        (Tested::Time(is), Value::Time(bound)) => match operator {
            Operator::GreaterThan => is > bound,
            Operator::GreaterOrEqual => is >= bound,
            Operator::LessThan => is < bound,
            Operator::LessOrEqual => is <= bound,
            _ => false,
        },
        _ => false,
    }
}

const SECOND: i64 = 1_000_000;

/// The whole seconds that the conditions on a field of time leave, so that not everything need be
/// tested. Bounds in microseconds are rounded outwards.
pub(crate) fn seconds_left(conditions: &[Condition], field: &str) -> RangeInclusive<i64> {
    let (mut lowest, mut highest) = (i64::MIN, i64::MAX);
    for condition in conditions
        .iter()
        .filter(|condition| condition.field == field)
    {
        let Value::Time(at) = condition.value else {
            continue;
        };
        match condition.operator {
            Operator::GreaterThan | Operator::GreaterOrEqual => {
                lowest = lowest.max(at.div_euclid(SECOND));
            }
            Operator::LessThan | Operator::LessOrEqual => {
                highest = highest.min(at.div_euclid(SECOND));
            }
            _ => {}
        }
    }
    lowest..=highest
}
