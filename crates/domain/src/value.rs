//! A consumer's values, parsed once and valid from then on.
//!
//! None of them shows its content in `Debug`: the values are personal data, which logs must not hold.

use std::fmt;

/// What was wrong with a value. It holds nothing of the value itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidValue {
    /// Only white space: counts as absent, and is no issue.
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
    /// An e-mail address, trimmed and lower-cased: profiles with the same e-mail are one consumer.
    Email
);
private_text!(
    /// A phone number in E.164, `+12345678901`.
    Phone
);
private_text!(
    /// A full name: the present parts joined by one space.
    FullName
);

/// Text that a store can keep: trimmed, not blank, no NUL, at most 64 KiB.
fn storable(text: &str) -> Result<&str, InvalidValue> {
    let text = text.trim();
    if text.is_empty() {
        return Err(InvalidValue::Blank);
    }
    if text.len() > MAX_VALUE_BYTES || text.contains('\0') {
        return Err(InvalidValue::Broken);
    }
    Ok(text)
}

impl Email {
    /// Trims and lower-cases the text by Unicode's rules. A valid address then has one `@`, a local part,
    /// a domain with a dot and no empty label, no white space, no control characters, and at most 254
    /// characters.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let text = storable(text)?.to_lowercase();
        let (local, domain) = text.split_once('@').ok_or(InvalidValue::Broken)?;
        let labels_are_whole = domain.split('.').all(|label| !label.is_empty());
        let broken = local.is_empty()
            || domain.contains('@')
            || !domain.contains('.')
            || !labels_are_whole
            || text.chars().count() > MAX_EMAIL_CHARS
            || text.chars().any(|c| c.is_whitespace() || c.is_control());
        if broken {
            Err(InvalidValue::Broken)
        } else {
            Ok(Self(text))
        }
    }
}

impl Phone {
    /// A valid number is `+`, a digit from 1 to 9, and 6 to 14 more digits.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let text = storable(text)?;
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
        let mut part = |text: Option<&str>, mark: fn(&mut BrokenNameParts)| match text.map(storable)
        {
            Some(Ok(text)) => Some(text.to_owned()),
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

/// Which parts of a name were broken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BrokenNameParts {
    /// The first name could not be used.
    pub first: bool,
    /// The last name could not be used.
    pub last: bool,
}
