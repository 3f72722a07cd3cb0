//! A consumer's values, parsed once and valid from then on.
//!
//! None of them shows its content in `Debug`: the values are personal data, which logs must not hold.

use std::borrow::Cow;
use std::fmt;

use idna::uts46::{AsciiDenyList, Hyphens, Uts46};

use crate::unicode::{is_blank, is_letter_or_digit, nfc, trim, trim_name};

/// What was wrong with a value. It holds nothing of the value itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidValue {
    /// Nothing visible: counts as absent, and is no issue.
    #[error("blank")]
    Blank,
    /// Not a valid address or number, or not storable.
    #[error("not a usable value")]
    Broken,
}

/// Longest text that is stored of one value, in bytes.
pub const MAX_VALUE_BYTES: usize = 64 * 1024;

/// Longest e-mail address, in characters as it is stored.
pub const MAX_EMAIL_CHARS: usize = 254;

macro_rules! private_text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The value as stored.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

private_text!(
    /// An e-mail address in the one form that it is stored in: profiles with the same e-mail are one consumer.
    Email
);
private_text!(
    /// A phone number in E.164, `+12345678901`.
    Phone
);
private_text!(
    /// A full name: the present parts joined by one space, in NFC.
    FullName
);

impl Email {
    /// Trims and lower-cases the text and reads its domain by IDNA, so that each address has one form. A valid
    /// address then has one `@`, a local part of characters that addresses in a list or in a header can have, a
    /// domain of at least two labels, and at most 254 characters.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let text = trim(text);
        if text.is_empty() {
            return Err(InvalidValue::Blank);
        }
        if text.len() > MAX_VALUE_BYTES {
            return Err(InvalidValue::Broken);
        }
        let text = lower_case(text);
        let (local, domain) = text.split_once('@').ok_or(InvalidValue::Broken)?;
        if !is_local_part(local) {
            return Err(InvalidValue::Broken);
        }
        let email = match unicode_domain(domain).ok_or(InvalidValue::Broken)? {
            Cow::Borrowed(_) => text,
            Cow::Owned(domain) => format!("{local}@{domain}"),
        };
        if email.chars().count() <= MAX_EMAIL_CHARS {
            Ok(Self(email))
        } else {
            Err(InvalidValue::Broken)
        }
    }

    /// An address as a store returns it, which may be one of an earlier version's rules; `None` for a blank text,
    /// which is no address.
    pub fn from_stored(text: String) -> Option<Self> {
        (!text.trim().is_empty()).then_some(Self(text))
    }

    /// The form that the address has by today's rules; as it is if it is no address by them.
    #[must_use]
    pub fn renewed(&self) -> Self {
        Self::parse(&self.0).unwrap_or_else(|_| self.clone())
    }
}

/// The text in lower case and in NFC. Lower-casing can separate what NFC joins, and the other way round.
fn lower_case(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        nfc(&nfc(text).to_lowercase()).into_owned()
    }
}

fn is_local_part(text: &str) -> bool {
    let is_refused =
        |c: char| matches!(c, '<' | '>' | '"' | ',' | ';') || c.is_control() || is_blank(c);
    !text.is_empty() && !text.contains(is_refused)
}

/// The domain in its Unicode form; borrowed if it has this form already. `None` if it is no domain with a dot.
fn unicode_domain(text: &str) -> Option<Cow<'_, str>> {
    let is_plain = text.is_ascii() && !text.contains("xn--");
    let domain = if is_plain {
        Cow::Borrowed(text)
    } else {
        let name = text.as_bytes();
        let (domain, valid) =
            Uts46::new().to_unicode(name, AsciiDenyList::STD3, Hyphens::CheckFirstLast);
        valid.ok()?;
        domain
    };
    let is_label = |label: &str| {
        let is_inner = !label.starts_with('-') && !label.ends_with('-');
        is_inner && !label.is_empty() && label.chars().all(|c| c == '-' || is_letter_or_digit(c))
    };
    let has_labels = domain.contains('.') && domain.split('.').all(is_label);
    has_labels.then_some(domain)
}

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
