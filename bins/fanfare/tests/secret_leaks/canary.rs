//! Canaries: texts that occur nowhere else, and the forms in which they could be written.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The kind of a canary, which decides where it may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A key or a password: it may stand nowhere.
    Secret,
    /// A personal value that is imported: it may stand in its own column, and in answers about profiles.
    Imported,
    /// A personal value that is not imported: it may stand nowhere.
    NotImported,
}

/// A text to look for.
#[derive(Debug, Clone)]
pub(crate) struct Canary {
    pub(crate) kind: Kind,
    pub(crate) text: String,
}

/// A way to write a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Plain,
    /// With any bytes before and behind it: three alignments in each of two alphabets.
    Base64,
    Hex,
    /// With everything escaped that may be, or only what must be.
    Url,
    /// `[112, 107]`, as Rust prints bytes and JSON writes them.
    Numbers,
}

pub(crate) const FORMS: [Form; 5] = [
    Form::Plain,
    Form::Base64,
    Form::Hex,
    Form::Url,
    Form::Numbers,
];

/// What a URL need not escape.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

impl Form {
    /// The text in this form. The search ignores the case of letters.
    pub(crate) fn of(self, text: &str) -> Vec<String> {
        match self {
            Self::Plain => vec![text.to_owned()],
            Self::Base64 => (0..3)
                .flat_map(|before| base64(text.as_bytes(), before))
                .collect(),
            Self::Hex => vec![hex(text)],
            Self::Url => [NON_ALPHANUMERIC, RESERVED]
                .map(|set| utf8_percent_encode(text, set).to_string())
                .into_iter()
                .filter(|escaped| escaped != text)
                .collect(),
            Self::Numbers => {
                let numbers: Vec<String> = text.bytes().map(|byte| byte.to_string()).collect();
                vec![numbers.join(", "), numbers.join(",")]
            }
        }
    }
}

pub(crate) fn hex(text: &str) -> String {
    let digits = text.bytes().map(|byte| format!("{byte:02x}"));
    digits.collect::<Vec<_>>().concat()
}

/// The characters that depend on the text alone, where so many bytes stand before it.
fn base64(text: &[u8], before: usize) -> [String; 2] {
    let mut bytes = vec![0; before];
    bytes.extend(text);
    let own = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
    [STANDARD_NO_PAD, URL_SAFE_NO_PAD]
        .map(|alphabet| alphabet.encode(&bytes)[own.clone()].to_owned())
}
