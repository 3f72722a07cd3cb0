//! Amounts of money.

use serde_json::Value;

/// An amount as it was told, in decimal digits: it is never rounded.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Money(String);

/// Most digits before and after the point.
const MAX_DIGITS: (usize, usize) = (15, 6);

impl Money {
    /// The amount in a member, which is a text or a number; `None` if it is none.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Self::parse(text.trim()),
            Value::Number(number) => Self::parse(&number.to_string()),
            _ => None,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let fits = |part: &str, most: usize| {
            (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        // A number of JSON has no zeros before it.
        let is_json = whole == "0" || !whole.starts_with('0');
        let fits = is_json && fits(whole, MAX_DIGITS.0) && fits(fraction, MAX_DIGITS.1);
        fits.then(|| Self(text.to_owned()))
    }

    /// The amount, as a number of JSON.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A currency of ISO 4217.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Currency(String);

impl Currency {
    /// The currency of a code of three letters; `None` if it is none.
    pub fn parse(code: &str) -> Option<Self> {
        let code = code.trim();
        let fits = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_alphabetic());
        fits.then(|| Self(code.to_ascii_uppercase()))
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_amount_stays_as_it_was_told() {
        for (value, want) in [
            (json!("49.90"), Some("49.90")),
            (json!("0.1"), Some("0.1")),
            (json!(" 12 "), Some("12")),
            (json!(49.99), Some("49.99")),
            (json!(-5), Some("-5")),
            (json!("012"), None),
            (json!("1e3"), None),
            (json!("1."), None),
            (json!(".5"), None),
            (json!("NaN"), None),
            (json!(1e300), None),
            (json!("1234567890123456"), None),
            (json!(null), None),
            (json!({"amount": 1}), None),
        ] {
            let money = Money::of(&value);
            assert_eq!(money.as_ref().map(Money::as_str), want, "{value}");
        }
        let euro = Currency::parse("eur");
        assert_eq!(euro.as_ref().map(Currency::as_str), Some("EUR"));
        assert_eq!(Currency::parse("EURO"), None);
        assert_eq!(Currency::parse("E1R"), None);
    }
}
