//! The connection of an organization to its Klaviyo account.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use crate::ids::{AccountId, OrganizationId};
use crate::text_enum::text_enum;
use crate::time::Timestamp;

/// A private API key of Klaviyo's, parsed where it enters the program.
#[derive(Clone)]
pub struct ApiKey(SecretString);

/// Why a text is not a private key of Klaviyo's. Never shows the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// It begins with `sk_`.
    #[error("this is a Fanfare secret key; a Klaviyo private API key begins with pk_")]
    FanfareSecret,
    /// It begins with `pk_live_` or `pk_test_`.
    #[error(
        "this is a Fanfare publishable key; make a private API key in Klaviyo under Settings, API keys"
    )]
    FanfarePublishable,
    /// It does not begin with `pk_`.
    #[error(
        "a Klaviyo private API key begins with pk_; make one in Klaviyo under Settings, API keys"
    )]
    NotPrivate,
    /// After `pk_` there is nothing, or the key is too long, or it has a character that no key has.
    #[error(
        "a Klaviyo private API key is pk_ and letters, digits, - or _ (at most 200 characters)"
    )]
    Malformed,
}

impl ApiKey {
    /// Takes a key as the user typed it; white space around it is dropped.
    pub fn parse(text: &SecretString) -> Result<Self, InvalidKey> {
        let text = text.expose_secret().trim();
        if text.starts_with("sk_") {
            return Err(InvalidKey::FanfareSecret);
        }
        if text.starts_with("pk_live_") || text.starts_with("pk_test_") {
            return Err(InvalidKey::FanfarePublishable);
        }
        let rest = text.strip_prefix("pk_").ok_or(InvalidKey::NotPrivate)?;
        let fits = !rest.is_empty()
            && text.len() <= 200
            && rest
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if fits {
            Ok(Self(SecretString::from(text)))
        } else {
            Err(InvalidKey::Malformed)
        }
    }

    /// The secret, for the header line and for sealing.
    pub const fn secret(&self) -> &SecretString {
        &self.0
    }

    /// The last four characters, the only ones that are ever shown.
    pub fn last4(&self) -> String {
        let text = self.0.expose_secret();
        // ASCII by construction.
        text[text.len().saturating_sub(4)..].to_owned()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

/// What authenticates an organization's calls to Klaviyo.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A private API key.
    ApiKey(ApiKey),
}

impl From<ApiKey> for Credential {
    fn from(key: ApiKey) -> Self {
        Self::ApiKey(key)
    }
}

/// The name under which the requests of an organization's connection are counted: the Klaviyo account's where that is
/// known, so that all keys of one account share a quota.
pub fn quota_account(organization: &OrganizationId, account: Option<&AccountId>) -> String {
    match account {
        Some(account) => format!("account:{account}"),
        None => format!("connection:{organization}"),
    }
}

/// A connection that is ready for calls to Klaviyo.
#[derive(Debug, Clone)]
pub struct OpenConnection {
    /// The name under which the quota is counted ([`quota_account`]).
    pub quota_account: String,
    /// What authenticates its calls.
    pub credential: Credential,
    /// The generation of the stored credential, or 0 for one that is not stored yet.
    pub generation: u64,
}

impl OpenConnection {
    /// A connection with a credential of this Klaviyo account, or of an unknown one.
    pub fn new(
        organization: &OrganizationId,
        account: Option<&AccountId>,
        credential: Credential,
    ) -> Self {
        Self {
            quota_account: quota_account(organization, account),
            credential,
            generation: 0,
        }
    }

    /// A connection with a credential that belongs to no Klaviyo account. Its calls are counted, too.
    pub fn without_account(credential: Credential) -> Self {
        Self {
            quota_account: "no account".to_owned(),
            credential,
            generation: 0,
        }
    }

    /// The same connection with the generation of the stored credential.
    #[must_use]
    pub fn of_generation(self, generation: u64) -> Self {
        Self { generation, ..self }
    }
}

/// A key as it is stored: sealed with a master key, bound to its organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedKey {
    /// The form of `bytes`, which the sealer knows. It does not say which master key sealed them: that is found
    /// by trying.
    pub form: u32,
    /// Nonce and ciphertext.
    pub bytes: Vec<u8>,
}

/// A sealed key that was opened.
#[derive(Debug)]
pub struct OpenedKey {
    /// The key.
    pub secret: SecretString,
    /// What had sealed it.
    pub sealed_by: MasterKeyRank,
}

/// Which of the configured master keys. The present one is the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MasterKeyRank {
    /// The present one, which seals and opens.
    Present,
    /// One of before, which only opens, by its place in the settings, from 1.
    Previous(u32),
}

impl fmt::Display for MasterKeyRank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Present => f.write_str("the present master key"),
            Self::Previous(place) => write!(f, "previous master key {place}"),
        }
    }
}

text_enum! {
    /// Whether a connection works.
    ConnectionStatus {
        /// Klaviyo accepts the key.
        Active = "ACTIVE",
        /// Klaviyo accepted the key once and no longer does.
        Error = "ERROR",
    }
}

/// A stored connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The key.
    pub key: SealedKey,
    /// Counts the keys that were stored, from 1. The store counts: two slices that saw the same
    /// generation had the same key. A disconnection ends all runs, so the count may start at 1 again after it.
    pub generation: u64,
    /// Its last four characters.
    pub last4: String,
    /// The Klaviyo account of the key. `None` if the key lacks the scope to read it.
    pub account: Option<AccountId>,
    /// Whether it works.
    pub status: ConnectionStatus,
    /// When Klaviyo last accepted the key.
    pub verified_at: Timestamp,
    /// Scopes of optional features that the key lacks.
    pub missing_scopes: Vec<String>,
    /// What is wrong, as a message for the user.
    pub message: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: Result<&str, InvalidKey>) {
        let got = ApiKey::parse(&SecretString::from(text)).map(|key| key.last4());
        assert_eq!(got.as_deref().map_err(|error| *error), want);
    }

    #[test]
    fn only_a_private_key_of_klaviyo_is_taken() {
        check("pk_0123456789abcdef", Ok("cdef"));
        check("  pk_aB-c_9\n", Ok("-c_9"));
        check("sk_live_abc", Err(InvalidKey::FanfareSecret));
        check("pk_live_abc", Err(InvalidKey::FanfarePublishable));
        check("pk_test_abc", Err(InvalidKey::FanfarePublishable));
        check("AbC123", Err(InvalidKey::NotPrivate));
        check("", Err(InvalidKey::NotPrivate));
        check("pk_", Err(InvalidKey::Malformed));
        check("pk_a b", Err(InvalidKey::Malformed));
        check(
            &format!("pk_{}", "a".repeat(300)),
            Err(InvalidKey::Malformed),
        );
    }

    #[test]
    fn a_key_never_shows_in_debug() {
        let key = ApiKey::parse(&SecretString::from("pk_canary")).unwrap();
        assert!(!format!("{key:?}").contains("canary"));
    }
}
