//! Searches for canaries in all their forms at once.

use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;

use crate::canary::{Canary, FORMS, Form, Kind};

/// Finds canaries in bytes, however their letters are cased.
pub(crate) struct Finder {
    automaton: AhoCorasick,
    /// The canary and the form of each pattern.
    names: Vec<String>,
}

impl Finder {
    /// A finder of these canaries, in the forms that `is_wanted` accepts.
    pub(crate) fn of(canaries: &[Canary], is_wanted: impl Fn(Kind, Form) -> bool) -> Self {
        let mut patterns = Vec::new();
        let mut names = Vec::new();
        for canary in canaries {
            for form in FORMS
                .into_iter()
                .filter(|form| is_wanted(canary.kind, *form))
            {
                for pattern in form.of(&canary.text) {
                    patterns.push(pattern);
                    names.push(format!("{} as {form:?}", canary.text));
                }
            }
        }
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(patterns);
        Self {
            automaton: automaton.unwrap(),
            names,
        }
    }

    /// The canaries in these bytes, each once.
    pub(crate) fn find(&self, bytes: &[u8]) -> BTreeSet<&str> {
        let hits = self.automaton.find_overlapping_iter(bytes);
        hits.map(|hit| self.names[hit.pattern()].as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    use super::*;
    use crate::canary::hex;

    const TEXT: &str = "ada+7f3a@people.example";

    fn found(bytes: &[u8]) -> Vec<String> {
        let canary = Canary {
            kind: Kind::Imported,
            text: TEXT.to_owned(),
        };
        let finder = Finder::of(&[canary], |_, _| true);
        let names = finder.find(bytes).into_iter();
        names
            .map(|name| name.rsplit(' ').next().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn a_canary_is_found_in_plain_whatever_its_case() {
        assert_eq!(found(b"email=ada+7f3a@people.example;"), ["Plain"]);
        assert_eq!(found(b"{\"email\":\"Ada+7F3A@People.Example\"}"), ["Plain"]);
    }

    #[test]
    fn a_canary_is_found_in_base64_whatever_stands_around_it() {
        for before in 0..7 {
            for behind in 0..4 {
                let text = format!("{}{TEXT}{}", "?".repeat(before), ">".repeat(behind));
                for code in [STANDARD.encode(&text), URL_SAFE.encode(&text)] {
                    assert_eq!(found(code.as_bytes()), ["Base64"], "{text}");
                }
            }
        }
    }

    #[test]
    fn a_canary_is_found_in_hex_of_both_cases() {
        let hex = hex(TEXT);
        assert_eq!(found(format!("\\x00{hex}00").as_bytes()), ["Hex"]);
        assert_eq!(found(hex.to_uppercase().as_bytes()), ["Hex"]);
    }

    #[test]
    fn a_canary_is_found_in_a_url() {
        assert_eq!(found(b"/search?email=ada%2B7f3a%40people.example"), ["Url"]);
        assert_eq!(
            found(b"/search?email=ada%2b7f3a%40people%2eexample"),
            ["Url"]
        );
    }

    #[test]
    fn a_canary_is_found_as_numbers() {
        assert_eq!(
            found(format!("{:?}", TEXT.as_bytes()).as_bytes()),
            ["Numbers"]
        );
        let json = serde_json::to_vec(&TEXT.as_bytes()).unwrap();
        assert_eq!(found(&json), ["Numbers"]);
    }

    #[test]
    fn other_texts_are_not_found() {
        assert!(found(b"bob@people.example ada+7f3b@people.example").is_empty());
    }
}
