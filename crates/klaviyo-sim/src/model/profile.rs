//! A profile, as the account holds it.

use serde_json::{Map, Value};

/// A person as Klaviyo knows them. Every attribute may be missing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profile {
    /// `email`, as it was given: neither trimmed nor lower-cased.
    pub email: Option<String>,
    /// `phone_number`
    pub phone_number: Option<String>,
    /// `first_name`
    pub first_name: Option<String>,
    /// `last_name`
    pub last_name: Option<String>,
    /// `external_id`
    pub external_id: Option<String>,
    /// `created`: microseconds since 1970.
    pub created: i64,
    /// `updated`: microseconds since 1970.
    pub updated: i64,
    /// `properties`: free JSON.
    pub properties: Map<String, Value>,
}
