//! Free data: any members, as JSON text by name.

use std::collections::BTreeMap;

use deserr::{Deserr, IntoValue, ValuePointerRef};
use serde_json::Value;

use crate::decode::{DecodeError, Place, refuse};

/// The most that metadata may have, in bytes of JSON.
const MAX_METADATA_BYTES: usize = 16 * 1024;

/// Any members, as JSON text by name.
pub(super) struct Metadata(BTreeMap<String, String>);

/// The same of a consumer, whose members are scalars or arrays of scalars.
pub(super) struct FlatMetadata(BTreeMap<String, String>);

impl From<Metadata> for BTreeMap<String, String> {
    fn from(metadata: Metadata) -> Self {
        metadata.0
    }
}

impl From<FlatMetadata> for BTreeMap<String, String> {
    fn from(metadata: FlatMetadata) -> Self {
        metadata.0
    }
}

impl<P: Place> Deserr<DecodeError<P>> for Metadata {
    fn deserialize_from_value<V: IntoValue>(
        value: deserr::Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, DecodeError<P>> {
        let value = Value::from(value);
        if has_nul(&value) {
            let message = "must not hold the character U+0000";
            let value = value.into_value();
            return Err(refuse(&value, location, "text without U+0000", message));
        }
        if value.is_object() && value.to_string().len() > MAX_METADATA_BYTES {
            let message = format!("must not be longer than {MAX_METADATA_BYTES} bytes of JSON");
            let value = value.into_value();
            return Err(refuse(&value, location, "a smaller object", &message));
        }
        let members: Result<BTreeMap<String, Value>, DecodeError<P>> =
            Deserr::deserialize_from_value(value.into_value(), location);
        let text = |(name, value): (String, Value)| (name, value.to_string());
        Ok(Self(members?.into_iter().map(text).collect()))
    }
}

impl<P: Place> Deserr<DecodeError<P>> for FlatMetadata {
    fn deserialize_from_value<V: IntoValue>(
        value: deserr::Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, DecodeError<P>> {
        let value = Value::from(value);
        let is_scalar = |value: &Value| !value.is_object() && !value.is_array();
        let is_flat = |member: &Value| match member {
            Value::Array(elements) => elements.iter().all(is_scalar),
            member => is_scalar(member),
        };
        if let Value::Object(members) = &value
            && !members.values().all(is_flat)
        {
            let message = "must hold scalars or arrays of scalars";
            let value = value.into_value();
            return Err(refuse(&value, location, "a flat object", message));
        }
        let metadata: Metadata = Deserr::deserialize_from_value(value.into_value(), location)?;
        Ok(Self(metadata.0))
    }
}

/// Postgres keeps no text with this character.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(elements) => elements.iter().any(has_nul),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| name.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
