//! JSON that is sent as it was frozen, byte for byte.

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A text that is not the JSON that is expected. Holds nothing of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the JSON that is expected")]
pub struct InvalidJson;

macro_rules! json {
    ($(#[$doc:meta])* $name:ident, $fits:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes JSON as text. Only its grammar is checked.
            pub fn parse<T: Into<String>>(text: T) -> Result<Self, InvalidJson> {
                let text = text.into();
                let fits: fn(&str) -> bool = $fits;
                let is_json = serde_json::from_str::<IgnoredAny>(&text).is_ok();
                (is_json && fits(&text)).then_some(Self(text)).ok_or(InvalidJson)
            }

            /// The JSON as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({} bytes)"), self.0.len())
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidJson;

            fn try_from(text: String) -> Result<Self, InvalidJson> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(json: $name) -> Self {
                json.0
            }
        }
    };
}

json!(/// Any JSON value, as text. It does not show in `Debug`: it can hold personal data.
    JsonValue, |_| true);
json!(/// A JSON object, as text. It does not show in `Debug`: it can hold personal data.
    JsonObject, |text| text.trim_ascii_start().starts_with('{'));

impl JsonValue {
    /// A text as JSON.
    pub fn text(text: &str) -> Self {
        Self(serde_json::Value::from(text).to_string())
    }
}

impl JsonObject {
    /// How many members it has, at the top. Klaviyo limits the properties of an event.
    pub fn members(&self) -> usize {
        let members = Members::deserialize(&mut serde_json::Deserializer::from_str(&self.0));
        members.map_or(0, |members| members.0)
    }
}

/// The number of an object's members.
struct Members(usize);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Self(0))
    }
}

impl<'de> Visitor<'de> for Members {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            self.0 += 1;
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_keeps_its_bytes_and_nothing_else_is_one() {
        let text = r#" {"value": 10.10, "tags": ["a"]}"#;
        let object = JsonObject::parse(text).unwrap();
        assert_eq!(object.as_str(), text);
        assert_eq!(object.members(), 2);
        assert_eq!(format!("{object:?}"), "JsonObject(32 bytes)");
        for broken in ["", "[]", "1", "{", "{} {}", "{\"a\":01}"] {
            assert!(JsonObject::parse(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn a_text_becomes_json() {
        assert_eq!(JsonValue::text("a\"b\n").as_str(), r#""a\"b\n""#);
        assert!(JsonValue::parse("nul").is_err());
    }
}
