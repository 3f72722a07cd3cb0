//! Bodies as text, also where they are not quite JSON.
//!
//! A byte that is no UTF-8, a control character or an escape that JSON does not know must cost the value in which it
//! stands, and not the whole page. So a body that cannot be read as it was sent is repaired, and read again.

use std::borrow::Cow;
use std::fmt::Write;

use fanfare_domain::klaviyo::KlaviyoError;

/// The mark that some programs put before a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What stands for a broken piece of a text: halves of surrogate pairs, which JSON can hold and no text can, so
/// that the value counts as broken. Two, because one could be completed by what stands before or after it.
const BROKEN: &str = "\\ud800\\ud800";

/// By how many bytes a body may become longer when it is repaired. Where more is broken than some values, the rest is
/// left out, so that the body counts as cut off and takes no more memory than it was given.
const MAX_ADDED: usize = 1 << 20;

/// Reads a body as it was sent or, if it is not valid like that, repaired.
pub(crate) fn decode<T>(
    body: &[u8],
    read: impl Fn(&str) -> Result<T, KlaviyoError>,
) -> Result<T, KlaviyoError> {
    let body = without_mark(body);
    let as_sent = std::str::from_utf8(body).map(&read);
    if let Ok(answer @ (Ok(_) | Err(KlaviyoError::ForeignLink))) = as_sent {
        return answer;
    }
    match (repaired(body), as_sent) {
        (Cow::Borrowed(_), Ok(answer)) => answer,
        (text, _) => read(&text),
    }
}

/// The body as text, with its broken pieces replaced.
pub(crate) fn repaired(body: &[u8]) -> Cow<'_, str> {
    let body = without_mark(body);
    let text = repair(body);
    match std::str::from_utf8(body) {
        Ok(body) if body == text => Cow::Borrowed(body),
        _ => Cow::Owned(text),
    }
}

fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body)
}

/// Replaces what is broken within JSON's strings. Outside of them nothing can be repaired.
fn repair(body: &[u8]) -> String {
    let mut repaired = String::with_capacity(body.len());
    // Characters; `None` for bytes that are no UTF-8.
    let mut pieces = body
        .utf8_chunks()
        .flat_map(|chunk| {
            let broken = (!chunk.invalid().is_empty()).then_some(None);
            chunk.valid().chars().map(Some).chain(broken)
        })
        .peekable();
    let mut is_in_string = false;
    while let Some(piece) = pieces.next() {
        if repaired.len() > body.len() + MAX_ADDED {
            break;
        }
        match piece {
            Some('"') => {
                is_in_string = !is_in_string;
                repaired.push('"');
            }
            Some('\\') if is_in_string => {
                let escape = escape(&mut pieces);
                repaired.push_str(escape.as_deref().unwrap_or(BROKEN));
            }
            Some(c) if is_in_string && c < ' ' => {
                // Writing to a `String` cannot fail.
                let _ = write!(repaired, "\\u{:04x}", u32::from(c));
            }
            Some(c) => repaired.push(c),
            None if is_in_string => repaired.push_str(BROKEN),
            None => repaired.push(char::REPLACEMENT_CHARACTER),
        }
    }
    repaired
}

/// The escape of which the backslash has been read; `None` if JSON knows none such.
fn escape(pieces: &mut std::iter::Peekable<impl Iterator<Item = Option<char>>>) -> Option<String> {
    let is_known = |piece: &Option<char>| piece.is_some_and(|c| "\"\\/bfnrtu".contains(c));
    let kind = pieces.next_if(is_known)??;
    let mut escape = String::from_iter(['\\', kind]);
    if kind != 'u' {
        return Some(escape);
    }
    for _ in 0..4 {
        let is_digit = |piece: &Option<char>| piece.is_some_and(|c| c.is_ascii_hexdigit());
        escape.push(pieces.next_if(is_digit)??);
    }
    Some(escape)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_broken_within_a_string_is_replaced_and_everything_else_stays() {
        let check = |body: &[u8], want: &str| {
            assert_eq!(repair(body), want.replace('!', BROKEN), "{body:?}");
        };
        check(
            br#"{"a\"\\\/\b\u00e9": [1, "x"]}"#,
            r#"{"a\"\\\/\b\u00e9": [1, "x"]}"#,
        );
        check(
            b"[\"a\xffb\", \"\xe2\x82\", \"\xc3\"]",
            r#"["a!b", "!", "!"]"#,
        );
        check(
            br#"["\x41", "\u12", "\u00g9", "\ud83d"]"#,
            r#"["!x41", "!", "!g9", "\ud83d"]"#,
        );
        check(b"[\"\\\xff\", \"\\u0\xff\"]", r#"["!!", "!!"]"#);
        check(b"[\"a\n\t\0\x7f\"\n]", "[\"a\\u000a\\u0009\\u0000\x7f\"\n]");
        check(b"[\xff\x01]", "[\u{fffd}\u{1}]");
        check(b"\"\\", "\"!");
    }

    #[test]
    fn a_body_that_is_broken_everywhere_takes_little_more_memory_than_it_has() {
        let body = [b"[\"", vec![0xff; 2 << 20].as_slice(), b"\"]"].concat();
        let repaired = repair(&body);
        assert!(repaired.len() <= body.len() + MAX_ADDED + BROKEN.len());
        assert!(serde_json::from_str::<Vec<String>>(&repaired).is_err());
    }

    #[test]
    fn no_neighbour_completes_a_broken_piece() {
        for text in ["\"\\ud83d\\x\"", "\"\\x\\udc00\"", "\"\\ud83d\\x\\udc00\""] {
            let repaired = repair(text.as_bytes());
            assert!(
                serde_json::from_str::<String>(&repaired).is_err(),
                "{repaired}"
            );
        }
    }

    proptest! {
        #[test]
        fn valid_json_is_not_changed(text in any::<String>(), other in "\\PC{0,9}") {
            let body = serde_json::json!({&text: [&other, 1, {"\u{1}": null}]}).to_string();
            prop_assert!(matches!(repaired(body.as_bytes()), Cow::Borrowed(same) if same == body));
        }

        #[test]
        fn whatever_bytes_a_string_holds_it_can_be_skipped(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
            let is_end = |byte: &u8| *byte != b'"';
            let inner: Vec<u8> = bytes.into_iter().filter(is_end).chain([b' ']).collect();
            let body = [b"[\"", inner.as_slice(), b"\"]"].concat();
            let skipped = serde_json::from_str::<Vec<&serde_json::value::RawValue>>(&repair(&body)).map(drop);
            prop_assert!(skipped.is_ok(), "{:?} {:?}", body, skipped);
        }
    }
}
