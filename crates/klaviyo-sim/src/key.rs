//! Private keys and what they may do.

use std::collections::BTreeSet;
use std::fmt;

/// Every scope that something in the simulator asks for.
pub const SCOPES: [&str; 11] = [
    "accounts:read",
    "events:read",
    "events:write",
    "flows:read",
    "lists:read",
    "lists:write",
    "metrics:read",
    "profiles:read",
    "profiles:write",
    "segments:read",
    "subscriptions:write",
];

/// A private key of an account.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    pub(crate) secret: String,
    pub(crate) scopes: BTreeSet<String>,
}

impl Key {
    /// A key that may do everything.
    pub fn new(secret: &str) -> Self {
        Self::with_scopes(secret, &SCOPES)
    }

    /// A key with these scopes alone.
    pub fn with_scopes(secret: &str, scopes: &[&str]) -> Self {
        Self {
            secret: secret.to_owned(),
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
        }
    }

    /// The same key without a scope.
    #[must_use]
    pub fn without(mut self, scope: &str) -> Self {
        self.scopes.remove(scope);
        self
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}
