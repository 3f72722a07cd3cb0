//! How a full name is made of its parts.

use std::borrow::Cow;

use super::{InvalidValue, MAX_VALUE_BYTES, private_text};
use crate::unicode::{is_blank, nfc, trim_name};

private_text!(
    /// A full name: the present parts joined by one space, in NFC.
    FullName
);

impl FullName {
    /// Joins the parts that are present; `None` if there is none. A broken part counts as absent and is
    /// named in the second value (`first`, `last`).
    pub fn join(first: Option<&str>, last: Option<&str>) -> (Option<Self>, BrokenNameParts) {
        let mut broken = BrokenNameParts::default();
        let mut part =
            |text: Option<&str>, mark: fn(&mut BrokenNameParts)| match text.map(name_part) {
                Some(Ok(text)) => Some(text),
                Some(Err(InvalidValue::Broken)) => {
                    mark(&mut broken);
                    None
                }
                Some(Err(InvalidValue::Blank)) | None => None,
            };
        let first = part(first, |f| f.first = true);
        let last = part(last, |f| f.last = true);
        let name = match (first, last) {
            (Some(first), Some(last)) => Some(format!("{first} {last}")),
            (one, other) => one.or(other),
        };
        (name.map(Self), broken)
    }

    /// A name as a store returns it; `None` for a blank text, which is no name.
    pub fn from_stored(text: String) -> Option<Self> {
        (!text.trim().is_empty()).then_some(Self(text))
    }
}

/// A part of a name, in NFC, trimmed and without control characters. One of nothing visible is blank.
fn name_part(text: &str) -> Result<String, InvalidValue> {
    if text.contains('\0') {
        return Err(InvalidValue::Broken);
    }
    let text: Cow<'_, str> = if text.contains(char::is_control) {
        Cow::Owned(text.chars().filter(|c| !c.is_control()).collect())
    } else {
        Cow::Borrowed(text)
    };
    let text = nfc(&text);
    let text = trim_name(&text);
    if text.chars().all(is_blank) {
        return Err(InvalidValue::Blank);
    }
    if text.len() > MAX_VALUE_BYTES {
        return Err(InvalidValue::Broken);
    }
    Ok(text.to_owned())
}

/// Which parts of a name were broken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BrokenNameParts {
    /// The first name could not be used.
    pub first: bool,
    /// The last name could not be used.
    pub last: bool,
}
