//! Which texts are phone numbers.

use super::{InvalidValue, private_text};
use crate::unicode::trim;

private_text!(
    /// A phone number in E.164, `+12345678901`.
    Phone
);

impl Phone {
    /// A valid number is `+`, a digit from 1 to 9, and 6 to 14 more digits.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let text = trim(text);
        if text.is_empty() {
            return Err(InvalidValue::Blank);
        }
        let digits = text.strip_prefix('+').ok_or(InvalidValue::Broken)?;
        let fits = (7..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidValue::Broken)
        }
    }
}
