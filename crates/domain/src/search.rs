//! The text by which a consumer is found, and when a part of it counts as the same.
//!
//! Stores keep the text beside the consumer and compare it byte by byte. Why not by their own functions: SQLite knows
//! the cases of ASCII alone, and Postgres those of its database's locale, so each would find something else.

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;

use crate::consumer::Consumer;
use crate::value::Email;

/// The number of these rules. An engineer who changes what [`folded`] or [`text`] returns counts it up: stores then write
/// the texts that they keep anew.
pub const RULES_VERSION: u8 = 1;

/// Stands between two values. No folded text holds it, so that no needle reaches from one value into the next.
pub(crate) const BETWEEN: char = '\n';

/// The text by which this consumer is found.
pub fn text_of(consumer: &Consumer) -> String {
    let (phone, name) = (consumer.phone.as_ref(), consumer.full_name.as_ref());
    text([
        consumer.email.as_ref().map(Email::as_str),
        phone.map(|held| held.value.as_str()),
        name.map(|held| held.value.as_str()),
    ])
}

/// The same of an e-mail address, a phone number and a name as they are stored.
pub fn text(values: [Option<&str>; 3]) -> String {
    let values: Vec<&str> = values.into_iter().flatten().collect();
    let bytes = values.iter().map(|value| value.len() + 1).sum();
    let mut text = String::with_capacity(bytes);
    for value in values {
        if !text.is_empty() {
            text.push(BETWEEN);
        }
        fold_onto(&mut text, value);
    }
    text
}

/// A text in the form in which texts are compared: two that differ only in case, in how an accent is written, in
/// width and other forms for compatibility, or in invisible characters are equal. Accents count.
///
/// It is Unicode's compatibility caseless matching, composed (NFKC): `e` is no part of `é`. Beyond it the four Turkish letters I, İ, i and ı are one, since the text does not say which
/// language a name is in, and a control character is a space.
pub fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_onto(&mut folded, text);
    folded
}

fn fold_onto(folded: &mut String, text: &str) {
    if text.is_ascii() {
        let bytes = text.bytes().map(|byte| byte.to_ascii_lowercase());
        folded.extend(bytes.map(|byte| without_controls(char::from(byte))));
        return;
    }
    let is_ignorable = |c: &char| CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(*c);
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd()
        .normalize_iter(text.chars().filter(|c| !is_ignorable(c)));
    // Letter by letter, there and back again: what has one capital has one small letter, which the final sigma, the
    // sharp s and its capital, and the dotless i would not have by `to_lowercase` alone.
    let lower = decomposed
        .flat_map(char::to_lowercase)
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .map(without_controls);
    let mut before = None;
    let undotted = lower.filter(|c| !(before.replace(*c) == Some('i') && *c == DOT_ABOVE));
    folded.extend(ComposingNormalizerBorrowed::new_nfkc().normalize_iter(undotted));
}

/// Combining: İ is an I with it.
const DOT_ABOVE: char = '\u{307}';

fn without_controls(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}
