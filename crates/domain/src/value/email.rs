//! Which texts are e-mail addresses, and the one form of each.

use std::borrow::Cow;

use idna::uts46::{AsciiDenyList, Hyphens, Uts46};

use super::{InvalidValue, MAX_VALUE_BYTES, private_text};
use crate::unicode::{is_blank, is_letter_or_digit, nfc, trim};

/// Longest e-mail address, in characters as it is stored.
pub const MAX_EMAIL_CHARS: usize = 254;

private_text!(
    /// An e-mail address in the one form that it is stored in: profiles with the same e-mail are one consumer.
    Email
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
