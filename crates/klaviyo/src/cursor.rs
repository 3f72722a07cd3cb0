//! Cursors in addresses: taken from the link to the next page, and sent back.
//!
//! A cursor is opaque, and may be any bytes. It is kept in the encoding in which it stood in the link, because
//! decoding loses what is no UTF-8, and whether a `+` is a blank. Only bytes that may not stand in an address are
//! escaped.

use std::borrow::Cow;

use fanfare_domain::ids::Cursor;
use percent_encoding::percent_encode_byte;
use url::form_urlencoded;

const PARAMETER: &str = "page[cursor]";

/// Why a link does not lead to a next page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// It has no cursor, an empty one, or several.
    NotOne,
    /// The cursor does not fit into a request.
    TooLong,
}

/// The cursor in the query of a link. The link is taken as it was sent, because parsers of addresses drop tabs and
/// line feeds.
pub(crate) fn of_link(link: &str) -> Result<Cursor, Unusable> {
    let link = link.trim_matches(|c: char| c <= ' ');
    let (link, _fragment) = link.split_once('#').unwrap_or((link, ""));
    let (_, query) = link.split_once('?').ok_or(Unusable::NotOne)?;
    let mut cursors = query.split('&').filter_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name) == PARAMETER).then_some(value)
    });
    match (cursors.next(), cursors.next()) {
        (Some(cursor), None) if !cursor.is_empty() => {
            Cursor::parse(escaped(cursor)).map_err(|_| Unusable::TooLong)
        }
        _ => Err(Unusable::NotOne),
    }
}

/// The query's pair for a cursor.
pub(crate) fn pair(cursor: &Cursor) -> String {
    let name: String = form_urlencoded::byte_serialize(PARAMETER.as_bytes()).collect();
    format!("{name}={}", escaped(cursor.as_str()))
}

fn decoded(name: &str) -> Cow<'_, str> {
    let mut pairs = form_urlencoded::parse(name.as_bytes());
    pairs.next().map_or(Cow::Borrowed(""), |(name, _)| name)
}

/// The text with every byte escaped that could mean something else in a query. What is escaped already stays as it
/// is.
fn escaped(text: &str) -> String {
    let bytes = text.as_bytes();
    let is_escape = |at: usize| {
        let digits = bytes.get(at + 1..at + 3);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    let mut escaped = String::with_capacity(text.len());
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'%' if is_escape(at) => escaped.push('%'),
            b'-' | b'.' | b'_' | b'~' | b'*' | b'+' => escaped.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => escaped.push(char::from(*byte)),
            byte => escaped.push_str(percent_encode_byte(*byte)),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a server reads in the query that is sent to it.
    fn received(cursor: &Cursor) -> Vec<u8> {
        let pair = pair(cursor);
        let (name, value) = pair.split_once('=').unwrap();
        assert_eq!(decoded(name), PARAMETER);
        percent_encoding::percent_decode_str(&value.replace('+', " ")).collect()
    }

    proptest! {
        #[test]
        fn any_bytes_that_a_link_holds_go_back_equal(bytes in prop::collection::vec(any::<u8>(), 1..200)) {
            let percent: String = bytes.iter().map(|byte| percent_encode_byte(*byte)).collect();
            let form: String = form_urlencoded::byte_serialize(&bytes).collect();
            for value in [percent, form] {
                let cursor = of_link(&format!("https://a.klaviyo.com/api/x?a=b&page%5Bcursor%5D={value}&c=d"));
                prop_assert_eq!(received(&cursor.unwrap()), bytes.clone());
            }
        }

        #[test]
        fn a_link_that_is_not_encoded_is_taken_as_text(text in "[^&#+%\\x00-\\x20][^&#+%]{0,98}[^&#+%\\x00-\\x20]") {
            let cursor = of_link(&format!("/api/x?page[cursor]={text}")).unwrap();
            prop_assert_eq!(String::from_utf8(received(&cursor)).unwrap(), text);
        }

        #[test]
        fn what_is_stored_is_sent_as_it_was_stored(text in "[!-~]{1,100}") {
            prop_assert_eq!(escaped(&escaped(&text)), escaped(&text));
        }
    }
}
