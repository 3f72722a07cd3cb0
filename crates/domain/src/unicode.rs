//! What Unicode says of texts: one form of those that look the same, and which characters show nothing.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

/// The text in the normalization form NFC.
pub(crate) fn nfc(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        Cow::Borrowed(text)
    } else {
        ComposingNormalizerBorrowed::new_nfc().normalize(text)
    }
}

/// The text without the blanks and invisible characters at its ends.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(is_blank)
}

/// The text of a name without the blanks and invisible characters at its ends. A character that chooses the form
/// of the one before it, as in Japanese names and emoji, belongs to the name.
pub(crate) fn trim_name(text: &str) -> &str {
    text.trim_matches(|c| is_blank(c) && !chooses_form(c))
}

/// Whether nothing is seen of the character: white space, or an invisible one.
pub(crate) fn is_blank(c: char) -> bool {
    c.is_whitespace() || (!c.is_ascii() && is_invisible(c))
}

/// Whether the character can stand in a label of a domain in its Unicode form, apart from hyphens. Of the
/// invisible ones IDNA leaves only the two joiners, and only between letters whose form depends on them.
pub(crate) fn is_letter_or_digit(c: char) -> bool {
    use GeneralCategory as C;
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    let is_joiner = matches!(c, '\u{200c}' | '\u{200d}');
    let is_mark = |category| {
        matches!(
            category,
            C::NonspacingMark | C::SpacingMark | C::EnclosingMark
        )
    };
    let category = category(c);
    let is_digit = matches!(category, C::DecimalNumber | C::LetterNumber);
    c.is_alphabetic() || is_digit || is_mark(category) || is_joiner
}

/// Format characters, characters that are not drawn where they have no effect, and the Braille pattern without
/// dots, which is drawn as a blank.
fn is_invisible(c: char) -> bool {
    category(c) == GeneralCategory::Format
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        || c == '\u{2800}'
}

/// Variation selectors, and the tags of which flags are made.
fn chooses_form(c: char) -> bool {
    category(c) == GeneralCategory::NonspacingMark || matches!(c, '\u{e0020}'..='\u{e007f}')
}

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}
