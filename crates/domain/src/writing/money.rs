//! An amount of money, which never passes through a floating-point number.

use std::fmt;

/// A text that is no amount, or no currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal number with a currency of ISO 4217")]
pub struct InvalidMoney;

/// A currency's code of ISO 4217: three capital letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// Takes a code as Fanfare sends it, in capital letters or not.
    pub fn parse(text: &str) -> Result<Self, InvalidMoney> {
        let code = <[u8; 3]>::try_from(text.as_bytes()).map_err(|_| InvalidMoney)?;
        let is_code = code.iter().all(u8::is_ascii_alphabetic);
        is_code
            .then(|| Self(code.map(|letter| letter.to_ascii_uppercase())))
            .ok_or(InvalidMoney)
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        // ASCII by construction.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for Currency {
    type Error = InvalidMoney;

    fn try_from(text: String) -> Result<Self, InvalidMoney> {
        Self::parse(&text)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

/// An amount with its currency. The amount is kept as the text of a JSON number, so that every digit arrives.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Money {
    amount: String,
    currency: Currency,
}

/// The most digits of an amount. No currency needs as many.
const MAX_DIGITS: usize = 30;

impl Money {
    /// Takes an amount as Fanfare sends it, a decimal number as text. Leading zeros are dropped, which JSON does not allow.
    pub fn parse(amount: &str, currency: &str) -> Result<Self, InvalidMoney> {
        let currency = Currency::parse(currency)?;
        let amount = amount.trim();
        let (sign, digits) = match amount.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", amount),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (digits, None),
        };
        let is_digits = |text: &str| {
            (1..=MAX_DIGITS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
        };
        if !is_digits(whole) || !fraction.is_none_or(is_digits) {
            return Err(InvalidMoney);
        }
        let whole = whole.trim_start_matches('0');
        let whole = if whole.is_empty() { "0" } else { whole };
        let amount = match fraction {
            Some(fraction) => format!("{sign}{whole}.{fraction}"),
            None => format!("{sign}{whole}"),
        };
        Ok(Self { amount, currency })
    }

    /// The amount, which is a JSON number as it is.
    pub fn amount(&self) -> &str {
        &self.amount
    }

    /// The currency.
    pub const fn currency(&self) -> Currency {
        self.currency
    }
}

/// The form in which it is stored.
#[derive(serde::Serialize, serde::Deserialize)]
struct Stored {
    amount: String,
    currency: String,
}

impl TryFrom<Stored> for Money {
    type Error = InvalidMoney;

    fn try_from(stored: Stored) -> Result<Self, InvalidMoney> {
        Self::parse(&stored.amount, &stored.currency)
    }
}

impl From<Money> for Stored {
    fn from(money: Money) -> Self {
        Self {
            amount: money.amount,
            currency: money.currency.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(amount: &str, want: Option<&str>) {
        let money = Money::parse(amount, "eur");
        assert_eq!(money.as_ref().ok().map(Money::amount), want, "{amount}");
    }

    #[test]
    fn an_amount_is_a_json_number() {
        check("19.90", Some("19.90"));
        check("0019.9", Some("19.9"));
        check("0", Some("0"));
        check("-0.5", Some("-0.5"));
        check(" 7 ", Some("7"));
        check("123456789012345678.01", Some("123456789012345678.01"));
        for broken in [
            "", "-", ".5", "5.", "1e3", "1,5", "+1", "NaN", "1.2.3", "--1", "٣",
        ] {
            check(broken, None);
        }
        assert!(Money::parse("1", "EURO").is_err());
        assert!(Money::parse("1", "E1R").is_err());
        assert_eq!(Money::parse("1", "eur").unwrap().currency().as_str(), "EUR");
    }

    proptest! {
        #[test]
        fn what_is_taken_is_json_and_is_taken_again(text in "-?[0-9]{0,6}[.]?[0-9]{0,4}") {
            if let Ok(money) = Money::parse(&text, "USD") {
                prop_assert!(serde_json::from_str::<f64>(money.amount()).is_ok());
                let stored = serde_json::to_string(&money).unwrap();
                prop_assert_eq!(serde_json::from_str::<Money>(&stored).unwrap(), money);
            }
        }
    }
}
