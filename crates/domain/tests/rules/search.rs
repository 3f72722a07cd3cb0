//! When a text counts as the same in a search.

use fanfare_domain::search::{folded, text};
use proptest::prelude::*;

#[track_caller]
fn assert_same(texts: &[&str]) {
    for text in texts {
        assert_eq!(folded(text), folded(texts[0]), "{text:?}");
    }
}

#[test]
fn texts_that_differ_in_case_are_equal_in_every_script() {
    assert_same(&["ÅSA", "åsa", "Åsa", "A\u{30a}SA", "\u{212b}sa"]);
    assert_same(&["Straße", "STRASSE", "strasse", "STRAẞE", "StraSSe"]);
    assert_same(&["ΟΔΥΣΣΕΥΣ", "Οδυσσευς", "οδυσσευσ"]);
    assert_same(&["ИВАН", "иван", "Иван"]);
    assert_same(&[
        "İSTANBUL",
        "İstanbul",
        "istanbul",
        "ISTANBUL",
        "ıstanbul",
        "i\u{307}stanbul",
    ]);
    assert_same(&["Ǆ", "ǅ", "ǆ", "Dž"]);
    assert_same(&["ՄԵՒ", "մեւ", "մև"]);
    assert_same(&["\u{13a0}", "\u{ab70}"]);
}

#[test]
fn texts_that_differ_in_how_they_are_written_are_equal() {
    assert_same(&["José", "Jose\u{301}", "JOSÉ"]);
    assert_same(&["Ａｄａ", "ada"]);
    assert_same(&["ﬁn", "FIN"]);
    assert_same(&["\u{202a}+12025550102\u{202c}", "+12025550102"]);
    assert_same(&["가", "\u{1100}\u{1161}"]);
    assert_same(&["a\u{a0}b", "a b", "A\nB", "a\0b"]);
}

#[test]
fn accents_count() {
    assert!(!folded("José").contains("jose"));
    assert!(!folded("Åsa").contains("asa"));
    assert!(folded("Åsa").contains("sa"));
}

#[test]
fn no_part_of_a_text_reaches_from_one_value_into_the_next() {
    let found_by = text([Some("ada@example.com"), None, Some("Ada\nLovelace")]);
    assert_eq!(found_by, "ada@example.com\nada lovelace");
    assert!(!found_by.contains(&folded("com\nada")));
    assert_eq!(text([None; 3]), "");
}

#[test]
fn a_letter_and_its_other_cases_are_equal() {
    let all = (0..=0x0010_FFFF).filter_map(char::from_u32);
    for c in all.filter(|c| !c.to_lowercase().eq(c.to_uppercase())) {
        let same = [c.to_lowercase().to_string(), c.to_uppercase().to_string()];
        let whole = folded(&c.to_string());
        assert!(
            same.iter().all(|text| folded(text) == whole),
            "{c:?} {:x}",
            u32::from(c)
        );
        assert_eq!(folded(&whole), whole, "{c:?} {:x}", u32::from(c));
    }
}

proptest! {
    #[test]
    fn a_folded_text_is_folded_already(text in any::<String>()) {
        let once = folded(&text);
        prop_assert_eq!(folded(&once), once);
    }

    #[test]
    fn a_name_is_found_by_any_of_its_words(words in prop::collection::vec("[\\PC&&\\w]{1,8}", 1..4), at in any::<prop::sample::Index>()) {
        let name = words.join(" ");
        let word = &words[at.index(words.len())];
        prop_assert!(text([None, None, Some(&name)]).contains(&folded(word)), "{:?} in {:?}", word, name);
    }

    #[test]
    fn the_text_of_ascii_is_what_the_slow_way_makes_of_it(text in "[ -~]{0,40}") {
        // A letter beyond ASCII leads it the other way.
        prop_assert_eq!(folded(&format!("ж{text}")), format!("ж{}", folded(&text)));
    }
}
