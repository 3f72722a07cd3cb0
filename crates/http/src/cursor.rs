//! Cursors: the key of an item, wrapped so that no caller builds on what is in it.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

/// Base64 that needs no escaping in a query; what others may have made of it is read as well.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Longest key in a cursor, in bytes: that of an issue, which begins with Klaviyo's id of up to 255 characters.
const MAX_KEY_BYTES: usize = 2_048;

/// The cursor of the item with this key: base64 of `{"id":"…"}`.
pub(crate) fn encode(key: &str) -> String {
    BASE64.encode(Value::Object(Map::from_iter([("id".to_owned(), key.into())])).to_string())
}

/// The key in a cursor; `None` for what [`encode`] never made.
pub(crate) fn decode(cursor: &str) -> Option<String> {
    let standard = cursor.replace('+', "-").replace('/', "_");
    let json: Value = serde_json::from_slice(&BASE64.decode(standard).ok()?).ok()?;
    let members = json.as_object().filter(|members| members.len() == 1)?;
    let key = members.get("id")?.as_str()?;
    let fits = (1..=MAX_KEY_BYTES).contains(&key.len()) && !key.contains(char::is_control);
    fits.then(|| key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_hands_its_key_back() {
        let longest = format!("{} invalid_value joined_group_at", "\u{1f98a}".repeat(255));
        for key in ["cons_01HXYZ", "01J invalid_email email", "é~?", &longest] {
            assert_eq!(decode(&encode(key)).as_deref(), Some(key));
        }
        assert_eq!(encode("cons_01HXYZ"), "eyJpZCI6ImNvbnNfMDFIWFlaIn0=");
    }

    #[test]
    fn anything_else_is_no_cursor() {
        let wrapped = |json: &str| BASE64.encode(json);
        for cursor in [
            String::new(),
            "cons_01HXYZ".to_owned(),
            wrapped("{}"),
            wrapped(r#"{"id":""}"#),
            wrapped(r#"{"id":7}"#),
            wrapped(r#"{"id":"a","more":1}"#),
            wrapped("{\"id\":\"a\\u0000\"}"),
            encode(&"x".repeat(2_049)),
        ] {
            assert_eq!(decode(&cursor), None, "{cursor}");
        }
    }
}
