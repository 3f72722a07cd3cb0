//! Cursors: where a page begins, in a form that clients should not look into.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::sort::SortKey;
use crate::profiles::mix;

/// A position between two resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CursorPosition {
    /// The sort key of the resource before it.
    pub(crate) key: SortKey,
    /// The id of the resource before it.
    pub(crate) id: String,
}

/// A cursor's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) position: CursorPosition,
    /// Whether the page lies after the position rather than before it.
    pub(crate) is_forward: bool,
    /// When it was made, in microseconds since the epoch.
    pub(crate) made: i64,
    /// The number of the page it leads to, counted from 1 in steps taken.
    pub(crate) page: u32,
    /// What it was made for: [`fingerprint`] of path, filter and order.
    pub(crate) made_for: u64,
}

/// `[sort value, id, direction, made, page, made for]`
#[derive(Serialize, Deserialize)]
struct Packed(Option<Value>, String, bool, i64, u32, u64);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Value {
    Time(i64),
    Text(String),
}

/// How an odd cursor begins.
const ODD: &str = "<Filters: any(id,['ü','%41'])>\t+&[1, \"#\", true] = ";

impl Cursor {
    /// The text that goes into a link.
    pub(crate) fn encode(&self) -> String {
        let value = match &self.position.key {
            SortKey::Missing => None,
            SortKey::Time(at) => Some(Value::Time(*at)),
            SortKey::Text(text) => Some(Value::Text(text.clone())),
        };
        let id = self.position.id.clone();
        let packed = Packed(
            value,
            id,
            self.is_forward,
            self.made,
            self.page,
            self.made_for,
        );
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&packed).unwrap_or_default())
    }

    /// The same in a form that an address has to escape.
    pub(crate) fn encode_oddly(&self) -> String {
        format!("{ODD}{}", self.encode())
    }

    /// Reads a cursor in either form; `None` if it is none.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        let text = text.strip_prefix(ODD).unwrap_or(text);
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let Packed(value, id, is_forward, made, page, made_for) =
            serde_json::from_slice(&bytes).ok()?;
        let key = match value {
            None => SortKey::Missing,
            Some(Value::Time(at)) => SortKey::Time(at),
            Some(Value::Text(text)) => SortKey::Text(text),
        };
        Some(Self {
            position: CursorPosition { key, id },
            is_forward,
            made,
            page,
            made_for,
        })
    }
}

/// Tells scans apart: a cursor of one scan is refused by another.
pub(crate) fn fingerprint(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    // Small enough to survive any JSON reader.
    bytes.fold(0, |hash, byte| mix(hash ^ u64::from(byte))) >> 12
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        for key in [
            SortKey::Missing,
            SortKey::Time(-5),
            SortKey::Text("ä@b".to_owned()),
        ] {
            let id = "01F3".to_owned();
            let cursor = Cursor {
                position: CursorPosition { key, id },
                is_forward: true,
                made: 9,
                page: 2,
                made_for: fingerprint(&["/api/lists", ""]),
            };
            assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        }
        assert_eq!(Cursor::decode(""), None);
        assert_eq!(Cursor::decode("AAAA"), None);
    }
}
