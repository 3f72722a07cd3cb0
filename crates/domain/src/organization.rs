//! Organizations, their secret keys, and the roles of keys.

use crate::ids::{KeyId, OrganizationId};
use crate::text_enum::text_enum;
use crate::time::Timestamp;

/// A merchant that uses Fanfare. All its data belong to it alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Longest name of an organization, in characters.
const MAX_NAME_CHARS: usize = 255;

/// A name that an organization cannot have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("give the organization a name of 1 to {MAX_NAME_CHARS} characters, no control characters")]
pub struct InvalidName;

/// An organization's name: trimmed, of 1 to 255 characters, none of them a control character.
pub fn parse_name(text: &str) -> Result<String, InvalidName> {
    let name = text.trim();
    let fits = (1..=MAX_NAME_CHARS).contains(&name.chars().count());
    if fits && !name.contains(char::is_control) {
        Ok(name.to_owned())
    } else {
        Err(InvalidName)
    }
}

/// What the holder of a secret key may do. The roles are ordered: each may do everything that the roles
/// before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// May read.
    Viewer,
    /// May import and sync audiences.
    Editor,
    /// May connect and disconnect Klaviyo.
    Admin,
    /// May do everything.
    Owner,
}

impl Role {
    /// The role's name in Fanfare.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// The role with that name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Viewer, Self::Editor, Self::Admin, Self::Owner]
            .into_iter()
            .find(|role| role.as_str() == text)
    }
}

/// SHA-256 of a secret key. The keys are random, so no salt is needed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash(pub [u8; 32]);

impl std::fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyHash(…)")
    }
}

text_enum! {
    /// Whether a secret key is for real use or for tests.
    KeyKind {
        /// `sk_live_…`
        Live = "live",
        /// `sk_test_…`
        Test = "test",
    }
}

/// A secret key of Fanfare's API, as stored: never the key itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretKey {
    /// Its id.
    pub id: KeyId,
    /// The organization that it belongs to.
    pub organization: OrganizationId,
    /// What its holder may do.
    pub role: Role,
    /// Live or test.
    pub kind: KeyKind,
    /// Its hash.
    pub hash: KeyHash,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_neither_blank_too_long_nor_of_control_characters() {
        assert_eq!(parse_name(" My ☆ shop ").as_deref(), Ok("My ☆ shop"));
        assert!(parse_name(&"x".repeat(255)).is_ok());
        for name in ["", " \t", "a\u{0}b", "a\nb", &*"x".repeat(256)] {
            assert_eq!(parse_name(name), Err(InvalidName), "{name:?}");
        }
    }
}
